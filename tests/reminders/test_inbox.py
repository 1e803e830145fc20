"""The inbox: what somebody was told, theirs alone, whatever became of the mail."""

from datetime import timedelta

import pytest
import time_machine

from practices.accounts.roles import Role
from practices.accounts.services import close_account
from practices.reminders.models import Notification
from practices.reminders.services import plan_due
from practices.tracking.services import add_task, assign_task, delete_migration, report_patient_data
from tests import factories
from tests.factories import MONDAY, make_notice
from tests.tracking.cast import count_queries

from .conftest import NOW
from .worlds import World

pytestmark = pytest.mark.django_db
INBOX = "/inbox/"


@pytest.fixture
def get(client):
    def get(who, url=INBOX, now=MONDAY):
        with time_machine.travel(now, tick=False):
            client.force_login(who)
            return client.get(url)

    return get


@pytest.fixture
def post(client):
    def post(who, url, data=None, now=MONDAY):
        with time_machine.travel(now, tick=False):
            client.force_login(who)
            return client.post(url, data or {})

    return post


def text(response):
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def test_an_empty_inbox_says_so(world, get):
    page = text(get(world.manager))
    assert "Nothing has come for you yet." in page
    assert "Mark all as read" not in page


def test_it_is_newest_first_with_what_is_new_marked_and_times_in_uk_time(world, get):
    make_notice(world.manager, world.migration, headline="The older one", read_at=MONDAY)
    make_notice(
        world.manager,
        world.migration,
        headline="The newer one",
        due_at=MONDAY + timedelta(days=120),
    )
    answer = get(world.manager, now=MONDAY + timedelta(days=121))
    page = text(answer)
    assert page.index("The newer one") < page.index("The older one")
    assert page.count("nhsuk-tag--blue") == 1
    assert "Tue 1 Jun 2027, 10:00 BST" in page
    assert "Mon 1 Feb 2027, 09:00 GMT" in page
    assert "Elm Tree Surgery" in page


def test_a_row_is_there_from_its_due_time_whatever_the_mail_server_does(world, get):
    world.start_cut_over()
    plan_due(now=NOW)
    Notification.objects.update(status="pending", last_error="451 Try later")
    assert "24 h of 72 h used: Cut-over" in text(get(world.manager, now=NOW))
    Notification.objects.update(due_at=NOW + timedelta(minutes=1))
    assert "24 h of 72 h used" not in text(get(world.manager, now=NOW))


@pytest.mark.parametrize("status", ["cancelled", "superseded"])
def test_what_was_settled_before_it_was_said_is_not_there(world, get, status):
    make_notice(world.manager, world.migration, status=status)
    assert "A task is blocked" not in text(get(world.manager))


def test_opening_a_row_leads_to_its_page_and_marks_it_read(world, get):
    row = make_notice(world.manager, world.migration)
    answer = get(world.manager, f"/inbox/{row.pk}/", now=MONDAY + timedelta(hours=1))
    assert answer.status_code == 302
    assert answer.headers["Location"] == f"/migrations/{world.migration.reference}/tasks/"
    row.refresh_from_db()
    assert row.read_at == MONDAY + timedelta(hours=1)
    get(world.manager, f"/inbox/{row.pk}/", now=MONDAY + timedelta(hours=2))
    row.refresh_from_db()
    assert row.read_at == MONDAY + timedelta(hours=1)


def test_nobody_opens_what_somebody_else_was_told(world, get):
    row = make_notice(world.manager, world.migration)
    for who in (world.clinician, world.project_manager, factories.make_person(Role.ADMINISTRATOR)):
        assert get(who, f"/inbox/{row.pk}/").status_code == 404
        assert "A task is blocked" not in text(get(who))
    row.refresh_from_db()
    assert row.read_at is None


def test_an_administrator_who_looks_as_somebody_reads_nothing_in_their_place(world, client, post):
    row = make_notice(world.manager, world.migration)
    administrator = factories.make_person(Role.ADMINISTRATOR)
    post(administrator, f"/people/{world.manager.pk}/view-as/")
    with time_machine.travel(MONDAY, tick=False):
        page = client.get(INBOX)
        assert "A task is blocked" in text(page)
        assert client.get(f"/inbox/{row.pk}/").status_code == 302
        assert client.post("/inbox/read/").status_code == 403
    row.refresh_from_db()
    assert row.read_at is None


def test_all_can_be_marked_as_read_at_once_and_only_ones_own(world, get, post):
    make_notice(world.manager, world.migration)
    make_notice(world.manager, world.migration)
    other = make_notice(world.clinician, world.migration)
    assert ">(2<span" in text(get(world.manager, "/account/"))
    assert post(world.manager, "/inbox/read/").status_code == 302
    page = text(get(world.manager))
    assert "Everything in your inbox is marked as read." in page
    assert "unread" not in page
    other.refresh_from_db()
    assert other.read_at is None


def test_the_header_counts_no_further_than_99(world, get):
    for _ in range(101):
        make_notice(world.manager, world.migration)
    assert "(99+<span" in text(get(world.manager, "/account/"))
    page = text(get(world.manager))
    assert "101 messages" in page
    assert page.count("A task is blocked") == 50
    assert text(get(world.manager, "/inbox/?page=3")).count("A task is blocked") == 1


def test_of_a_migration_one_may_not_see_any_more_nothing_is_left(world, get):
    row = make_notice(world.supplier, world.migration)
    world.supplier.memberships.update(valid_to=MONDAY.date())
    page = text(get(world.supplier))
    assert "A task is blocked" not in page
    assert "unread" not in page
    assert get(world.supplier, f"/inbox/{row.pk}/").status_code == 404


def test_nor_of_one_that_was_deleted(world, get):
    make_notice(world.manager, world.migration)
    delete_migration(
        migration=world.migration, reason="A mistake", by=world.project_manager, at=MONDAY
    )
    assert "A task is blocked" not in text(get(world.manager))


def test_a_title_that_turns_out_to_be_patient_data_is_hidden_here_too(world, get):
    added = add_task(
        phase=world.migration.phases.get(key="cut_over"),
        title="Ring Mrs Applebee",
        guidance="",
        owner="practice_manager",
        due_on=MONDAY.date(),
        assignee=None,
        by=world.manager,
        at=MONDAY,
    )
    plan_due(now=MONDAY)
    assign_task(task=added, assignee=world.clinician, by=world.manager, at=MONDAY)
    plan_due(now=MONDAY)
    assert "OWN-01 Ring Mrs Applebee" in text(get(world.clinician))
    report_patient_data(
        migration=world.migration, text=added.own_title, by=world.manager, at=MONDAY
    )
    page = text(get(world.clinician))
    assert "Applebee" not in page
    assert "A task was assigned to you" in page


def test_a_mail_that_did_not_arrive_is_named_by_whom_it_was_for(world, get):
    dead = make_notice(world.supplier, world.migration, status="dead")
    make_notice(
        world.project_manager,
        world.migration,
        kind="undelivered",
        about=dead,
        headline="A mail could not be delivered",
    )
    assert f"A mail could not be delivered: to {world.supplier.name}" in text(
        get(world.project_manager)
    )


def test_the_page_takes_as_many_statements_for_many_rows_as_for_few(world, client):
    def fill(number):
        for _ in range(number):
            other = World(commissioner=world.commissioner, partner=world.partner)
            make_notice(
                world.project_manager,
                other.migration,
                task=other.migration.tasks.get(code="CUT-03"),
            )

    fill(1)
    few = count_queries(client, world.project_manager, INBOX)
    fill(8)
    assert count_queries(client, world.project_manager, INBOX) == few
    assert few <= 8


def test_the_count_on_every_page_is_one_statement(world, client):
    before = count_queries(client, world.manager, "/account/")
    for _ in range(30):
        make_notice(world.manager, world.migration)
    assert count_queries(client, world.manager, "/account/") == before


def test_a_closed_account_has_no_inbox(world, get):
    make_notice(world.clinician, world.migration)
    close_account(person=world.clinician, by=factories.make_person(Role.ADMINISTRATOR), at=MONDAY)
    assert get(world.clinician).status_code == 302
