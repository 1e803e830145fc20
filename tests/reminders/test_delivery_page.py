"""The page about delivery: who sees which mail, and trying again what was given up."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from practices.accounts.roles import Role
from practices.common import clock
from practices.common.errors import Conflict, Refused
from practices.common.models import Event
from practices.common.verification.unpaired import UNPAIRED
from practices.reminders.deliveries import resend
from practices.reminders.models import Notification
from practices.reminders.services import deliver, plan_due
from tests.factories import make_person

from .conftest import NOW
from .worlds import HOUR, World

pytestmark = pytest.mark.django_db
URL = "/reminders/delivery/"
MINUTE = timedelta(minutes=1)
LATER = NOW + HOUR
Status = Notification.Status


@pytest.fixture
def at(monkeypatch):
    """Set the clock that views read."""

    def set_clock(now):
        monkeypatch.setattr(clock, "now", lambda: now)

    set_clock(LATER)
    return set_clock


@pytest.fixture
def administrator(at):
    return make_person(Role.ADMINISTRATOR)


@pytest.fixture
def dead(one_due, faulty_server) -> Notification:
    """A warning that the mail server refused for good."""
    faulty_server.script = ["RCPT 550 5.1.1 No such mailbox here"]
    deliver(now=NOW)
    one_due.refresh_from_db()
    assert one_due.status == Status.DEAD
    return one_due


@pytest.fixture
def look(client, administrator):
    client.force_login(administrator)

    def get(query="", who=None):
        if who:
            client.force_login(who)
        return client.get(f"{URL}{query}")

    return get


def text(response) -> str:
    return response.content.decode()


class TestList:
    def test_it_says_to_whom_about_what_and_what_the_server_said(self, dead, look):
        page = text(look())
        assert dead.person.name in page
        assert dead.address in page
        assert dead.migration.name in page
        assert "No such mailbox here" in page
        assert "Sat 10 Apr 2027, 18:30 BST" in page, "when it was due"

    def test_it_counts_what_is_due_retried_sent_and_dead(self, dead, look, at):
        assert counted(look()) == {"due": 0, "retried": 0, "sent": 0, "dead": 1}
        set_to(dead, status=Status.PENDING, next_attempt_at=LATER, first_failed_at=NOW)
        assert counted(look()) == {"due": 1, "retried": 1, "sent": 0, "dead": 0}
        set_to(dead, status=Status.SENT, sent_at=NOW)
        assert counted(look())["sent"] == 1
        at(NOW + timedelta(hours=24))
        assert counted(look())["sent"] == 0, "that was yesterday"

    @pytest.mark.parametrize("state", ["due", "retried", "sent", "dead"])
    def test_a_count_opens_the_rows_that_it_counts(self, world, look, state):
        world.start_cut_over()
        plan_due(now=NOW)
        rows = list(Notification.objects.order_by("pk"))
        assert len(rows) == 3
        set_to(rows[0], status=Status.SENT, sent_at=NOW, content=b"", address="a@example.test")
        set_to(rows[1], status=Status.DEAD)
        set_to(rows[2], first_failed_at=NOW)
        page = look(f"?state={state}")
        assert page.context["page_obj"].paginator.count == counted(page)[state] == 1

    def test_it_can_be_narrowed_to_a_kind_of_mail(self, dead, look):
        assert look("?kind=clock").context["page_obj"].paginator.count == 1
        assert look("?kind=overdue").context["page_obj"].paginator.count == 0

    @pytest.mark.parametrize("status", [Status.IN_APP, Status.IN_DIGEST])
    def test_what_is_only_in_an_inbox_is_no_mail(self, dead, look, status):
        set_to(dead, status=status)
        assert look().context["page_obj"].paginator.count == 0

    def test_a_wrong_filter_is_named_and_left_out(self, dead, look):
        page = look("?state=lost")
        assert page.status_code == 422
        assert "Choose state from the list" in text(page)
        assert page.context["page_obj"].paginator.count == 1

    def test_a_page_holds_fifty_in_as_many_queries_as_one(self, dead, look):
        def statements() -> int:
            with CaptureQueriesContext(connection) as queries:
                assert look().status_code == 200
            return len(queries)

        look()
        one = statements()
        for number in range(60):
            dead.pk, dead.dedupe_key, dead.message_id = None, f"key {number}", f"<{number}@x>"
            dead.save(force_insert=True)
        assert statements() == one
        page = look("?page=2")
        assert len(page.context["rows"]) == 11


class TestWho:
    def test_a_project_manager_sees_what_was_not_delivered_of_theirs(self, dead, look, world):
        page = look(who=world.project_manager)
        assert dead.address in text(page)
        set_to(dead, status=Status.SENT, sent_at=NOW)
        assert dead.address not in text(look()), "what was delivered is not theirs to read"
        elsewhere = World()
        set_to(dead, status=Status.DEAD, sent_at=None)
        assert dead.address not in text(look(who=elsewhere.project_manager))

    def test_the_portfolio_leads_there(self, dead, client, world, at):
        client.force_login(world.project_manager)
        assert "1 mail of the last 14 days could not be delivered" in text(
            client.get("/portfolio/")
        )
        client.force_login(world.supplier)
        assert "could not be delivered" not in text(client.get("/portfolio/"))
        client.force_login(world.project_manager)
        at(NOW + timedelta(days=15))
        assert "could not be delivered" not in text(client.get("/portfolio/"))

    def test_others_may_not(self, dead, look, world):
        assert look(who=world.manager).status_code == 403


class TestSendingAgain:
    def test_it_is_sent_with_the_same_message_id(self, dead, look, client, faulty_server):
        page = client.post(f"{URL}{dead.pk}/send-again/", follow=True)
        assert "tried again" in text(page)
        dead.refresh_from_db()
        assert (dead.status, dead.attempts, dead.next_attempt_at) == (Status.PENDING, 0, LATER)
        deliver(now=LATER)
        (mail,) = faulty_server.mails
        assert mail["Message-ID"] == dead.message_id
        assert "Cut-over" in mail["Subject"] or dead.migration.name in mail["Subject"]
        assert len(mail.get_body(("plain",)).get_content()) > 100, "the words are there"
        dead.refresh_from_db()
        assert dead.status == Status.SENT

    def test_history_says_who_did_it(self, dead, administrator):
        resend(notification=dead, by=administrator, at=LATER)
        event = Event.objects.of("site").get(kind="mail.sent_again")
        assert (event.by, event.subject) == (administrator, f"notification:{dead.pk}")
        assert event.data == {"migration": dead.migration_id}
        assert "mail.sent_again" in UNPAIRED

    def test_it_fails_anew_with_a_day_of_attempts(self, dead, administrator, faulty_server):
        set_to(dead, first_failed_at=NOW - timedelta(hours=24))
        resend(notification=dead, by=administrator, at=LATER)
        faulty_server.script = ["451 Try later"]
        deliver(now=LATER)
        dead.refresh_from_db()
        assert (dead.status, dead.attempts) == (Status.PENDING, 1)

    def test_twice_is_once(self, dead, administrator):
        resend(notification=dead, by=administrator, at=LATER)
        with pytest.raises(Conflict, match="waiting to be sent"):
            resend(notification=dead, by=administrator, at=LATER)

    def test_what_does_not_hold_any_more_is_not_sent(
        self, dead, administrator, client, look, world
    ):
        world.go_live(LATER)
        with pytest.raises(Refused, match="The clock does not run any more"):
            resend(notification=dead, by=administrator, at=LATER)
        page = client.post(f"{URL}{dead.pk}/send-again/", follow=True)
        assert "not needed any more" in text(page)
        dead.refresh_from_db()
        assert dead.status == Status.DEAD

    def test_it_is_asked_once_more_right_before_sending(
        self, dead, administrator, faulty_server, world
    ):
        resend(notification=dead, by=administrator, at=LATER)
        world.go_live(LATER)
        deliver(now=LATER)
        dead.refresh_from_db()
        assert (dead.status, faulty_server.received) == (Status.CANCELLED, [])


class TestBanner:
    WORDS = "Reminders are not being sent"

    def test_administrators_see_on_every_page_that_nothing_is_sent(
        self, one_due, client, administrator, at
    ):
        client.force_login(administrator)
        at(NOW + 6 * MINUTE)
        for url in ("/", "/portfolio/", "/people/", URL):
            assert self.WORDS in text(client.get(url)), url

    def test_it_is_not_there_before_five_minutes(self, one_due, client, administrator, at):
        client.force_login(administrator)
        at(NOW + 4 * MINUTE)
        assert self.WORDS not in text(client.get("/portfolio/"))

    def test_others_do_not_see_it(self, one_due, client, world, at):
        client.force_login(world.project_manager)
        at(NOW + 6 * MINUTE)
        assert self.WORDS not in text(client.get("/portfolio/"))

    def test_it_costs_administrators_one_query_and_others_none(
        self, one_due, client, administrator, world, at
    ):
        def asked(who) -> int:
            client.force_login(who)
            with CaptureQueriesContext(connection) as queries:
                client.get("/accessibility/")
            return sum("lease_until" in query["sql"] for query in queries)

        assert (asked(administrator), asked(world.project_manager)) == (1, 0)


def counted(page) -> dict[str, int]:
    return {key: number for _, number, key in page.context["counters"]}


def set_to(row: Notification, **fields) -> None:
    if fields.get("status") != Status.SENT:
        fields.setdefault("sent_at", None)
    Notification.objects.filter(pk=row.pk).update(**fields)
