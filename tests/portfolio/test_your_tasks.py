"""One page of one's own tasks in all migrations, and the ways to it."""

from datetime import date, timedelta
from itertools import product

import pytest
import time_machine

from practices.accounts.models import User
from practices.accounts.roles import Owner, Role
from practices.accounts.services import appoint_deputy
from practices.portfolio import queries
from practices.tracking import services
from practices.tracking.models import Migration, Task
from tests.factories import (
    MONDAY,
    give_role,
    make_migration,
    make_person,
    make_practice,
)
from tests.tracking.cast import Cast, count_queries, make_big_plan, make_cast

pytestmark = pytest.mark.django_db

URL = "/your-tasks/"
DAY = timedelta(days=1)
TODAY = date(2027, 4, 10)
NOW = MONDAY.replace(month=4, day=10)  # 10:00 in London; final data production was yesterday


@pytest.fixture
def cast():
    return make_cast()


@pytest.fixture
def look(client):
    def look_as(who, query=""):
        with time_machine.travel(NOW, tick=False):
            client.force_login(who)
            return client.get(URL + query)

    return look_as


def groups(answer):
    return {
        heading: [(task.migration_id, task.code) for task, _ in tasks]
        for heading, tasks in answer.context["groups"]
    }


def text(answer):
    return " ".join(answer.content.decode().split())


def fresh(person):
    return User.objects.get(pk=person.pk)


def second(cast, **fields):
    """Another migration of the same people but for the practice."""
    first = cast.migration
    return Cast(
        make_migration(
            practice=make_practice("Oak House"),
            run_by=first.run_by,
            project_manager=first.project_manager,
            source_system=first.source_system,
            target_system=first.target_system,
            plan_version=first.plan_version,
            **fields,
        )
    )


def test_a_suppliers_tasks_of_every_migration_stand_by_how_soon_they_are_due(cast, look):
    other = second(cast)
    (late, soon), this, that = ("CUT-01", "CUT-03"), cast.migration, other.migration
    Task.objects.filter(code=soon).update(owner=Owner.SOURCE_SUPPLIER)
    that.tasks.filter(code=soon).update(due_on=TODAY + 8 * DAY, due_at=NOW + 9 * DAY)
    page = look(cast.old_supplier)
    assert groups(page) == {
        "Overdue": [(this.pk, late), (that.pk, late)],
        "Due in the next 7 days": [(this.pk, soon)],
        "Later": [(that.pk, soon)],
    }
    shown = text(page)
    assert f'href="{other.url("tasks", late)}">Record the final extract' in shown
    assert f"Oak House ({that.practice.organisation.code})" in shown
    assert "Due Fri 9 Apr 2027, 18:30 BST" in shown
    for key, heading in queries.GROUPS.items():
        assert list(groups(look(cast.old_supplier, f"?show={key}"))) == [heading]
    assert groups(look(cast.old_supplier, "?show=nonsense&page=x")) == groups(page)


@pytest.mark.parametrize(
    ("due_at", "group"),
    [
        (NOW, "overdue"),
        (NOW + timedelta(microseconds=1), "soon"),
        # What is due on the seventh day is late from midnight on.
        (NOW.replace(day=17, hour=23, minute=0), "soon"),
        (NOW.replace(day=17, hour=23, minute=0, microsecond=1), "later"),
    ],
)
def test_every_task_is_in_exactly_one_group(cast, due_at, group):
    cast.migration.tasks.filter(code="CUT-01").update(due_at=due_at)
    with time_machine.travel(NOW, tick=False):
        found = queries.own_tasks(cast.old_supplier, NOW)
    assert found.counts() == {key: int(key == group) for key in queries.GROUPS}
    (task,) = found.shown(group)
    assert found.group_of(task) == group


PEOPLE = [
    "manager",
    "staff",
    "clinician",
    "project_manager",
    "trainer",
    "old_supplier",
    "new_supplier",
    "commissioner",
    "stranger",
]


@pytest.mark.parametrize("who", PEOPLE)
def test_it_is_the_rule_of_each_migration_for_all_of_them(who):
    """Every owner, with nobody, with the person, with a colleague, with one who has left."""
    cast = make_cast(plan_version=make_big_plan(4 * len(Owner)))
    person, other = getattr(cast, who), second(cast)
    gone = make_person(Role.CLINICIAN, cast.migration.practice)
    gone.memberships.update(valid_to=MONDAY.date())
    kinds = list(product(Owner, (None, person, cast.clinician, gone)))
    for migration in (cast.migration, other.migration):
        tasks = list(Task.objects.filter(migration=migration).order_by("code")[: len(kinds)])
        for task, (owner, assignee) in zip(tasks, kinds, strict=True):
            task.owner, task.assignee = owner, assignee
        Task.objects.bulk_update(tasks, ["owner", "assignee"])
    with time_machine.travel(NOW, tick=False):
        person = fresh(person)
        expected = {
            task
            for migration in Migration.objects.visible_to(person)
            for task in migration.tasks.open().belonging_to(person, migration, NOW)
        }
        found = list(queries.own_tasks(person, NOW).shown("all"))
    assert set(found) == expected
    assert len(found) == len(expected)
    assert bool(found) is (who != "stranger")


def test_a_colleague_of_the_project_manager_has_no_tasks_while_there_is_one(cast, look):
    colleague = make_person(Role.PROJECT_MANAGER, cast.migration.run_by)
    assert groups(look(colleague)) == {}
    cast.project_manager.memberships.update(valid_to=TODAY)
    assert groups(look(colleague)) == {"Due in the next 7 days": [(cast.migration.pk, "GL-02")]}


def test_a_deputy_has_them_on_those_days(cast, look):
    nora = make_person(Role.PRACTICE_STAFF, cast.migration.practice, name="Nora Next")
    task = cast.task("CUT-03")
    services.assign_task(
        task=task, assignee=cast.manager, seen_version=1, by=cast.project_manager, at=MONDAY
    )
    own = groups(look(nora))
    assert own == {"Later": [(cast.migration.pk, "POST-01")]}
    appoint_deputy(
        membership=cast.manager.memberships.get(),
        deputy=nora,
        first=TODAY,
        last=TODAY,
        by=cast.manager,
        at=MONDAY,
    )
    page = look(nora)
    codes = {code for tasks in groups(page).values() for _, code in tasks}
    assert codes == {"CUT-02", "CUT-03", "CUT-04", "GL-01", "POST-01", "POST-02"}
    assert "Assigned to Alice Manager, whose deputy you are" in text(page)
    assert "Assigned to you" in text(look(cast.manager))


def test_what_is_done_or_of_a_migration_that_has_ended_is_not_to_do(cast, look):
    other = second(cast)
    services.cancel_migration(
        migration=other.migration, reason="Sold", by=cast.project_manager, at=MONDAY
    )
    services.tick_task(task=cast.task("POST-01"), by=cast.manager, at=MONDAY)
    give_role(cast.staff, Role.PRACTICE_STAFF, other.migration.practice)
    page = look(cast.staff)
    assert groups(page) == {}
    assert "There is nothing for you to do at the moment." in text(page)


@pytest.mark.parametrize("role", ["", Role.ADMINISTRATOR, Role.NATIONAL_VIEWER, Role.TRAINER])
def test_who_has_no_task_reads_so(cast, look, role):
    page = look(make_person(role, cast.migration.run_by if role == Role.TRAINER else None))
    assert page.status_code == 200
    assert "There is nothing for you to do at the moment." in text(page)


def test_a_group_without_tasks_leads_to_the_others(cast, look):
    page = look(cast.staff, "?show=overdue")
    assert "No task of yours is among these." in text(page)
    assert "Later (1)" in text(page)


def test_a_blocked_task_says_what_it_waits_for_and_hidden_words_stay_hidden(cast, look):
    migration = cast.migration
    blocked = services.block_task(
        task=cast.task("CUT-02"),
        reason="Ring Mrs Miller",
        by=cast.manager,
        at=MONDAY,
    )
    added = services.add_task(
        phase=migration.phases.first(),
        title="Post Mr Potter his card",
        guidance="",
        assignee=None,
        owner=Owner.PRACTICE_MANAGER,
        due_on=TODAY,
        by=cast.manager,
        at=MONDAY,
    )
    page = text(look(cast.manager))
    assert "Waiting for: Ring Mrs Miller" in page
    assert "Post Mr Potter his card" in page
    assert (
        cast.url("texts", str(blocked.task.reason_id), "report") + "?next=%2Fyour-tasks%2F" in page
    )
    for words in (blocked.task.reason, added.own_title):
        services.report_patient_data(migration=migration, text=words, by=cast.manager, at=MONDAY)
    page = text(look(cast.manager))
    assert "Miller" not in page
    assert "Potter" not in page
    assert cast.url("tasks", added.code) in page


def test_long_lists_come_in_pages(look):
    cast = make_cast(plan_version=make_big_plan(52))
    assert sum(map(len, groups(look(cast.manager)).values())) == 50
    assert sum(map(len, groups(look(cast.manager, "?page=2")).values())) == 6
    assert "Overdue (2)" not in text(look(cast.manager, "?page=2"))


def test_the_portfolio_leads_there_and_says_how_many(cast, client):
    other = second(cast)
    other.migration.tasks.filter(code="GL-02").update(due_at=NOW - DAY)
    with time_machine.travel(NOW, tick=False):
        client.force_login(cast.project_manager)
        page = text(client.get("/portfolio/"))
        assert f'href="{URL}">Your tasks: 1 overdue, 1 due in the next 7 days</a>' in page
        client.force_login(cast.trainer)
        page = text(client.get("/portfolio/"))
        assert f'href="{URL}">Your tasks: none overdue or due in the next 7 days</a>' in page
        for who in (cast.national_viewer, make_person(Role.ADMINISTRATOR)):
            client.force_login(who)
            assert "Your tasks" not in text(client.get("/portfolio/"))


def test_so_does_the_home_page_of_who_works_for_two_practices(cast, client):
    give_role(cast.clinician, Role.CLINICIAN, second(cast).migration.practice)
    with time_machine.travel(NOW, tick=False):
        client.force_login(cast.clinician)
        page = text(client.get("/"))
    assert f'href="{URL}">Your tasks: 0 overdue, 2 due in the next 7 days</a>' in page


def test_a_stranger_is_asked_to_sign_in(client):
    assert client.get(URL).status_code == 302


@pytest.mark.parametrize("who", ["project_manager", "old_supplier", "clinician"])
def test_thirty_migrations_take_as_many_queries_as_one(cast, client, who):
    person = getattr(cast, who)

    def counted() -> int:
        return count_queries(client, person, URL)

    one = counted()
    for _ in range(29):
        other = second(cast)
        give_role(cast.clinician, Role.CLINICIAN, other.migration.practice)
    assert counted() == one
    assert one <= 11
