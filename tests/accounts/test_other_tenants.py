"""What is typed or counted reaches nobody else's practice: ids in bodies, filters, search, mail."""

from datetime import timedelta

import pytest
import time_machine

from practices.accounts.models import Membership
from practices.common.time import london_date
from practices.reminders.models import Notification
from practices.reminders.services import plan_due
from tests.factories import MONDAY

from .world import make_side

pytestmark = pytest.mark.django_db
TODAY = london_date(MONDAY)


@pytest.fixture
def sides():
    with time_machine.travel(MONDAY, tick=False):
        yield make_side("Applebee"), make_side("Quillon")


@pytest.fixture
def ask(client):
    def ask(who, path, data=None):
        client.force_login(who)
        return client.post(path, data) if data is not None else client.get(path)

    return ask


def of(side, *parts):
    return "/".join(["/migrations", side["migration"].reference, *parts, ""])


def days(name, day):
    return {f"{name}_{part}": str(getattr(day, part)) for part in ("day", "month", "year")}


BODIES = {
    "a task goes to somebody of another practice": (
        "manager",
        lambda ours: of(ours, "tasks", "CUT-03", "assign"),
        lambda theirs: {"assignee": theirs["manager"].pk, "version": 1},
    ),
    "a task is added for somebody of another practice": (
        "manager",
        lambda ours: of(ours, "phases", "cut_over", "add"),
        lambda theirs: {
            "title": "Ring them",
            "owner": "practice_manager",
            **days("due_on", TODAY),
            "assignee": theirs["manager"].pk,
        },
    ),
    "the project manager of another organisation": (
        "project_manager",
        lambda ours: of(ours, "people", "project-manager"),
        lambda theirs: {"project_manager": theirs["project_manager"].pk, "seen": 0},
    ),
    "an invitation to another practice": (
        "manager",
        lambda _: "/people/invite/",
        lambda theirs: {
            "email": "new@example.test",
            "name": "New Person",
            "role": f"{theirs['practice'].pk}-practice_staff",
        },
    ),
    "a deputy from another practice": (
        "manager",
        lambda ours: f"/people/roles/{ours['role'].pk}/deputy/",
        lambda theirs: {
            "deputy": theirs["manager"].pk,
            **days("first", TODAY),
            **days("last", TODAY),
        },
    ),
}


@pytest.mark.parametrize(("who", "path", "body"), BODIES.values(), ids=BODIES)
def test_an_id_of_theirs_in_a_form_is_no_choice(sides, ask, who, path, body):
    ours, theirs = sides
    before = Membership.objects.count()
    address = path(ours)
    assert ask(ours[who], address).status_code == 200
    answer = ask(ours[who], address, body(theirs))
    assert answer.status_code == 422
    assert b"Quillon" not in answer.content
    assert Membership.objects.count() == before
    migration = ours["migration"]
    migration.refresh_from_db()
    assert migration.project_manager == ours["project_manager"]
    assert not migration.tasks.filter(assignee=theirs["manager"]).exists()


def test_a_filter_for_their_commissioner_shows_nothing_of_theirs(sides, ask):
    ours, theirs = sides
    for query in (
        f"commissioner={theirs['commissioner'].memberships.get().organisation_id}",
        f"practice={theirs['code']}",
        "practice=Quillon",
        "state=all",
        "show=overdue",
    ):
        for page in ("/portfolio/", "/portfolio/migrations.csv"):
            answer = ask(ours["project_manager"], f"{page}?{query}")
            assert answer.status_code in (200, 422)
            assert b"Surgery Quillon" not in answer.content, (page, query)
            assert theirs["migration"].reference.encode() not in answer.content


def test_the_dashboard_counts_only_ones_own(sides, ask):
    ours, theirs = sides
    alone = ask(ours["project_manager"], "/portfolio/").context["counters"]
    theirs["migration"].tasks.update(due_at=MONDAY - timedelta(days=9))
    again = ask(ours["project_manager"], "/portfolio/").context["counters"]
    assert again == alone
    assert any(
        counter.number
        for counter in ask(theirs["project_manager"], "/portfolio/").context["counters"]
    )


def test_nobody_is_found_beyond_those_one_looks_after(sides, ask):
    ours, theirs = sides
    for words in ("Quillon", theirs["manager"].email):
        answer = ask(ours["manager"], f"/people/?q={words}")
        assert theirs["manager"].name.encode() not in answer.content


def test_mail_about_a_migration_goes_to_its_own_people_only(sides):
    for side in sides:
        side["migration"].tasks.update(due_at=MONDAY - timedelta(days=9), pinned=True)
    plan_due(now=MONDAY + timedelta(hours=49))
    ours, theirs = (
        list(Notification.objects.filter(migration=side["migration"])) for side in sides
    )
    assert ours
    assert theirs
    for rows, mark in ((ours, "Applebee"), (theirs, "Quillon")):
        for row in rows:
            reached = row.person or row.contact
            assert mark in reached.name, (row.kind, reached)


def test_ones_own_tasks_are_of_ones_own_migrations(sides, ask):
    ours, theirs = sides
    theirs["migration"].tasks.update(due_at=MONDAY - timedelta(days=9))
    for who in ("manager", "project_manager", "new_supplier", "commissioner"):
        with time_machine.travel(MONDAY, tick=False):
            alone = ask(ours[who], "/your-tasks/")
        assert alone.status_code == 200
        assert b"Quillon" not in alone.content
        assert b"Overdue (0)" in alone.content or b"nothing for you" in alone.content
    with time_machine.travel(MONDAY, tick=False):
        assert b"Surgery Quillon" in ask(theirs["manager"], "/your-tasks/").content
