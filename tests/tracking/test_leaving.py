"""Somebody leaves: nothing of theirs is left lying, and they are out with the next click."""

import pytest
import time_machine

from practices.accounts.roles import Role
from practices.common.errors import Refused
from practices.tracking import services
from practices.tracking.models import Task
from tests.factories import MONDAY, give_role, make_person

from .cast import assert_sound, make_cast
from .test_dates_pages import said

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    cast = make_cast()
    for code in ("CUT-03", "POST-01", "CUT-02"):
        give(cast, code, cast.staff)
    services.tick_task(task=cast.task("CUT-02"), by=cast.staff, at=MONDAY)
    return cast


@pytest.fixture
def as_(client):
    def sign_in(person):
        client.force_login(person)
        return client

    with time_machine.travel(MONDAY, tick=False):
        yield sign_in


def give(cast, code, to):
    services.assign_task(task=cast.task(code), assignee=to, by=cast.manager, at=MONDAY)


def url(person):
    return f"/people/roles/{person.memberships.get().pk}/end/"


def assignees(*codes):
    return [Task.objects.get(code=code).assignee for code in codes]


def test_the_page_lists_what_is_still_to_do(cast, as_):
    page = said(as_(cast.manager).get(url(cast.staff)))
    assert "2 open tasks assigned to Bob Reception" in page
    assert "CUT-03 Check repeat templates" in page
    assert "CUT-02" not in page
    assert "reminders that have not been sent yet are not sent" in page


@pytest.mark.parametrize("to", ["clinician", "role"])
def test_the_tasks_are_handed_on_and_the_role_ends(cast, as_, to):
    person = None if to == "role" else cast.clinician
    chosen = to if person is None else person.pk
    client = as_(cast.manager)
    assert client.post(url(cast.staff)).status_code == 422
    page = client.post(url(cast.staff), {"hand_to": chosen}, follow=True)
    assert "2 tasks handed on" in said(page)
    assert assignees("CUT-03", "POST-01") == [person, person]
    assert assignees("CUT-02") == [cast.staff]
    assert cast.events()[-2:] == ["task.assigned", "task.assigned"]
    assert_sound(cast.migration)
    assert as_(cast.staff).get(cast.url()).status_code == 404


def test_access_ends_at_the_next_request(cast, as_):
    client = as_(cast.staff)
    assert client.get(cast.url()).status_code == 200
    services.leave(
        membership=cast.staff.memberships.get(),
        hand_to=None,
        keep=False,
        by=cast.manager,
        at=MONDAY,
    )
    assert client.get(cast.url()).status_code == 404


def test_who_keeps_another_role_there_may_keep_the_tasks(cast, as_):
    give_role(cast.staff, Role.CLINICIAN, cast.migration.practice)
    first = cast.staff.memberships.get(role=Role.PRACTICE_STAFF)
    page = f"/people/roles/{first.pk}/end/"
    client = as_(cast.manager)
    assert "keeps them, in another role here" in said(client.get(page))
    client.post(page, {"hand_to": "keep"})
    assert assignees("CUT-03") == [cast.staff]


def test_nothing_is_done_when_a_task_cannot_be_handed_on(cast):
    with pytest.raises(Refused):
        services.leave(
            membership=cast.staff.memberships.get(),
            hand_to=make_person(),
            keep=False,
            by=cast.manager,
            at=MONDAY,
        )
    assert assignees("CUT-03") == [cast.staff]
    assert cast.staff.memberships.get().valid_to is None


def test_a_project_manager_who_leaves_is_named_with_their_migrations(cast, as_):
    partner = cast.migration.run_by
    boss = make_person(Role.PROJECT_MANAGER, partner)
    page = said(as_(boss).get(url(cast.project_manager)))
    assert "Migrations without a project manager" in page
    assert cast.migration.name in page


def test_nobody_ends_a_role_of_another_practice(cast, as_):
    client = as_(cast.stranger)
    assert client.get(url(cast.staff)).status_code == 404
    assert client.post(url(cast.staff), {"hand_to": "role"}).status_code == 404
    assert as_(cast.project_manager).post(url(cast.staff)).status_code == 404
    assert cast.staff.memberships.get().valid_to is None
