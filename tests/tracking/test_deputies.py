"""Somebody holds the role of an absent person for some days: their tasks, seats and reminders."""

from datetime import date, timedelta

import pytest
import time_machine

from practices.accounts.models import User
from practices.accounts.roles import Role
from practices.accounts.services import appoint_deputy
from practices.common.access import Permission
from practices.common.errors import Refused
from practices.common.models import Text
from practices.reminders.queries import overdue_of, people_with_overdue_tasks
from practices.tracking import services
from practices.tracking.models import Task
from practices.tracking.queries import Viewer
from practices.tracking.records import is_intact
from practices.tracking.services.gates import seats_for
from practices.tracking.team import audience
from tests.factories import MONDAY, give_role, make_person

from .cast import make_cast
from .steps import gate_of, sign
from .test_dates_pages import said

pytestmark = pytest.mark.django_db

FIRST, LAST = date(2027, 4, 9), date(2027, 4, 11)  # the cut-over weekend, Friday to Sunday
FRIDAY = MONDAY.replace(month=4, day=9, hour=8)
DAY = timedelta(days=1)


@pytest.fixture
def cast():
    return make_cast()


@pytest.fixture
def nora(cast):
    """Of the reception, and for the weekend deputy of the practice manager."""
    nora = make_person(Role.PRACTICE_STAFF, cast.migration.practice, name="Nora Next")
    stand_in(cast, cast.manager, nora)
    return nora


def stand_in(cast, absent, deputy):
    return appoint_deputy(
        membership=absent.memberships.get(deputy_for=None),
        deputy=deputy,
        first=FIRST,
        last=LAST,
        by=absent,
        at=MONDAY,
    )


def give(cast, code, to):
    task = cast.task(code)
    return services.assign_task(
        task=task, assignee=to, seen_version=task.version, by=cast.project_manager, at=MONDAY
    )


def fresh(person):
    """As the next request finds them."""
    return User.objects.get(pk=person.pk)


def mine(cast, person, now):
    with time_machine.travel(now, tick=False):
        person, tasks = fresh(person), Task.objects.filter(migration=cast.migration)
        found = {t.code for t in tasks.belonging_to(person, cast.migration, now)}
        viewer = Viewer(person, cast.migration, now)
        # One rule, said twice: of a query, and of a task in hand.
        assert found == {t.code for t in tasks.with_people() if viewer.is_mine(t)}
    return found


BEFORE, DURING, AFTER = FRIDAY - DAY, [FRIDAY, FRIDAY + 2 * DAY], FRIDAY + 3 * DAY


def test_the_absent_persons_tasks_are_the_deputys_on_those_days_and_no_others(cast, nora):
    give(cast, "POST-01", cast.manager)
    give(cast, "CUT-03", cast.manager)
    roles = {"CUT-02", "CUT-04", "GL-01", "POST-02"}
    assert mine(cast, nora, BEFORE) == set()
    for now in DURING:
        assert mine(cast, nora, now) == roles | {"POST-01", "CUT-03"}
        assert mine(cast, cast.manager, now) == roles | {"POST-01", "CUT-03"}
    assert mine(cast, nora, AFTER) == set()


def test_a_deputy_ticks_what_is_assigned_to_the_absent_person(cast, client):
    nora = make_person(Role.PRACTICE_STAFF, cast.migration.practice)
    stand_in(cast, cast.clinician, nora)
    give(cast, "CUT-02", cast.clinician)
    for now, status in ((BEFORE, 403), (FRIDAY, 302), (AFTER, 403)):
        with time_machine.travel(now, tick=False):
            client.force_login(nora)
            answer = client.post(cast.url("tasks", "CUT-02", "tick"), {"version": "2"})
        assert answer.status_code == status
    assert cast.task("CUT-02").settled_by == nora


def test_a_deputy_signs_as_deputy_and_the_record_says_so(cast, nora, client):
    for now, seats in ((BEFORE, 0), (FRIDAY, 1), (AFTER, 0)):
        with time_machine.travel(now, tick=False):
            assert len(seats_for(gate_of(cast), fresh(nora))) == seats
    with time_machine.travel(AFTER, tick=False), pytest.raises(Refused, match="somebody else"):
        sign(cast, by=fresh(nora), at=AFTER)
    with time_machine.travel(FRIDAY, tick=False):
        signed = sign(cast, by=fresh(nora), at=FRIDAY)
        client.force_login(cast.project_manager)
        pages = [
            said(client.get(cast.url(*where)))
            for where in (["sign-off", "go_live_data"], ["history"])
        ]
    assert (signed.role, signed.deputy_for) == ("practice_manager", cast.manager)
    assert signed.snapshot["deputy_for"] == cast.manager.pk
    assert is_intact(signed, Text.objects.in_bulk())
    assert "Nora Next, deputy of the practice manager" in pages[0]
    assert "as deputy of Alice Manager" in pages[1]


def test_who_holds_the_role_themselves_signs_by_their_own_right(cast):
    doctor = make_person(Role.LEAD_GP, cast.migration.practice)
    stand_in(cast, cast.manager, doctor)
    with time_machine.travel(FRIDAY, tick=False):
        signed = sign(cast, by=fresh(doctor), at=FRIDAY)
    assert (signed.role, signed.deputy_for) == ("lead_gp", None)


def test_reminders_go_to_the_deputy_on_those_days(cast, nora):
    give(cast, "CUT-03", cast.manager)
    Task.objects.filter(code="CUT-03").update(due_at=MONDAY)
    for now, told in ((BEFORE, False), *((day, True) for day in DURING), (AFTER, False)):
        with time_machine.travel(now, tick=False):
            assert (nora.pk in people_with_overdue_tasks(now)) is told
            assert cast.manager.pk in people_with_overdue_tasks(now)
            codes = {task.code for task in overdue_of(fresh(nora), now).tasks}
            assert ("CUT-03" in codes) is told
            acting = audience([cast.migration], now=now)
        assert (nora.pk in acting[cast.migration.pk, "practice_manager"]) is told


def test_the_deputy_of_the_named_project_manager_is_told_beside_them(cast):
    partner = cast.migration.run_by
    colleague = make_person(Role.PROJECT_MANAGER, partner)
    theo = make_person(Role.TRAINER, partner)
    stand_in(cast, cast.project_manager, theo)
    for now, people in (
        (BEFORE, {cast.project_manager.pk}),
        (FRIDAY, {cast.project_manager.pk, theo.pk}),
    ):
        acting = audience([cast.migration], now=now)
        assert acting[cast.migration.pk, "project_manager"] == people
        for person in (theo, colleague):
            alone = audience([cast.migration], now=now, person=person)
            assert alone[cast.migration.pk, "project_manager"] == people & {person.pk}


def test_a_deputy_elsewhere_does_not_see_tasks_of_the_same_person_here(cast):
    """The absent person has two practices; somebody stands in for them in the other one only."""
    other = make_cast()
    give_role(cast.manager, Role.PRACTICE_MANAGER, other.migration.practice)
    nora = make_person(Role.PRACTICE_STAFF, cast.migration.practice)
    there = cast.manager.memberships.get(organisation=other.migration.practice_id)
    appoint_deputy(
        membership=there, deputy=nora, first=FIRST, last=LAST, by=cast.manager, at=MONDAY
    )
    give(cast, "POST-01", cast.manager)
    Task.objects.filter(code="POST-01").update(due_at=MONDAY)
    assert "POST-01" not in mine(cast, nora, FRIDAY)
    with time_machine.travel(FRIDAY, tick=False):
        assert all(t.migration != cast.migration for t in overdue_of(fresh(nora), FRIDAY).tasks)


def test_a_deputy_does_not_decide_who_belongs_to_the_practice(cast, nora):
    with time_machine.travel(FRIDAY, tick=False):
        assert not fresh(nora).may(Permission.INVITE)
        assert fresh(cast.manager).may(Permission.INVITE)
