"""Who is who in a migration: roles, deputies, empty seats, and inviting who is missing."""

from datetime import timedelta

import pytest
import time_machine

from practices.accounts import services as accounts
from practices.accounts.models import Invitation
from practices.accounts.roles import Role
from practices.accounts.services import appoint_deputy, invite
from practices.common.errors import Refused
from practices.tracking import services
from tests.factories import MONDAY, give_role, make_invitation, make_person, make_practice

from .cast import count_queries, make_cast
from .test_dates_pages import said

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    return make_cast()


@pytest.fixture
def as_(client):
    def sign_in(person):
        client.force_login(person)
        return client

    with time_machine.travel(MONDAY, tick=False):
        yield sign_in


def rows(page):
    """Role and person of each line of the table."""
    return [" ".join(row.split()) for row in page.split('<tr class="nhsuk-table__row"')]


def row(page, *words):
    (found,) = [line for line in rows(page) if all(word in line for word in words)]
    return found


def test_each_person_with_role_end_deputyship_and_last_visit(cast, as_):
    give_role(
        cast.manager, Role.LEAD_GP, cast.migration.practice, until=MONDAY.date() + timedelta(9)
    )
    appoint_deputy(
        membership=cast.manager.memberships.get(role=Role.PRACTICE_MANAGER),
        deputy=cast.staff,
        first=MONDAY.date(),
        last=MONDAY.date(),
        by=cast.manager,
        at=MONDAY,
    )
    page = said(as_(cast.manager).get(cast.url("people")))
    assert "until and including Tuesday 9 February 2027" in row(page, "Lead GP", "Alice Manager")
    assert "Bob Reception, deputy of Alice Manager" in row(page, "Practice manager", "Bob")
    assert "Mon 1 Feb 2027" in row(page, "Practice manager", cast.manager.email)
    assert "Never" in row(page, "Project manager", cast.project_manager.name)


def test_empty_roles_that_the_plan_needs_stand_out(cast, as_):
    page = said(as_(cast.staff).get(cast.url("people")))
    assert "the plan needs them" in row(page, "Clinician", "Nobody yet")
    assert "the plan needs them" not in row(page, "Dispensary lead", "Nobody yet")
    assert "Invite somebody" not in page


@pytest.mark.parametrize(
    ("who", "may", "may_not"),
    [
        ("manager", ["clinician"], ["trainer", "target_supplier"]),
        ("project_manager", ["clinician", "trainer"], ["target_supplier", "commissioner"]),
        ("administrator", ["clinician", "trainer", "target_supplier", "commissioner"], []),
    ],
)
def test_each_may_invite_to_what_they_look_after(cast, as_, who, may, may_not):
    person = make_person(Role.ADMINISTRATOR) if who == "administrator" else getattr(cast, who)
    page = said(as_(person).get(cast.url("people")))
    for role in may:
        assert f"people/invite/?role={role}" in page
    for role in may_not:
        assert f"people/invite/?role={role}" not in page


def test_a_project_manager_invites_somebody_of_the_practice(cast, as_):
    client, practice = as_(cast.project_manager), cast.migration.practice.organisation
    url = cast.url("people/invite")
    assert f'value="{practice.pk}-clinician" selected' in said(client.get(url + "?role=clinician"))
    sent = {"email": "new@example.test", "name": "Nina", "role": f"{practice.pk}-clinician"}
    assert "new@example.test is invited" in said(client.post(url, sent, follow=True))
    invitation = Invitation.objects.get()
    assert (invitation.organisation, invitation.role) == (practice, "clinician")
    page = said(client.get(cast.url("people")))
    assert "Invitations without an answer" in page
    client.post(cast.url(f"people/invitations/{invitation.pk}/send-again"))
    client.post(cast.url(f"people/invitations/{invitation.pk}/withdraw"))
    assert Invitation.objects.get().withdrawn_at


def test_what_a_project_manager_sent_works_as_long_as_the_migration_does(cast):
    practice, by = cast.migration.practice, cast.project_manager
    first, second = (make_invitation(practice, by=by) for _ in range(2))
    accounts.join(invitation=first, name="Nina", password="a battery horse staple", at=MONDAY)
    services.cancel_migration(migration=cast.migration, reason="Merged", by=by, at=MONDAY)
    with pytest.raises(Refused, match="may not invite you to this role any more"):
        accounts.join(invitation=second, name="Nora", password="a battery horse staple", at=MONDAY)


def test_and_to_no_other_practice_role_or_ended_migration(cast, as_):
    client, url = as_(cast.project_manager), cast.url("people/invite")
    other = make_practice().organisation
    supplier = cast.migration.target_system.supplier
    for offer in (f"{other.pk}-clinician", f"{supplier.pk}-supplier"):
        sent = {"email": "new@example.test", "name": "Nina", "role": offer}
        assert client.post(url, sent).status_code == 422
    elsewhere = make_invitation(other)
    again = cast.url(f"people/invitations/{elsewhere.pk}/send-again")
    assert client.post(again).status_code == 404
    services.cancel_migration(
        migration=cast.migration, reason="Merged", by=cast.project_manager, at=MONDAY
    )
    assert client.get(url).status_code == 403
    assert Invitation.objects.count() == 1


def test_the_page_takes_the_same_queries_for_any_number_of_people(cast, client):
    def queries():
        return count_queries(client, cast.project_manager, cast.url("people"))

    def more(number):
        make_person(Role.CLINICIAN, cast.migration.practice)
        invite(
            email=f"new{number}@example.test",
            name="Nina",
            organisation=cast.migration.practice.organisation,
            role=Role.CLINICIAN,
            by=cast.project_manager,
            at=MONDAY,
        )

    more(0)
    one = queries()
    for number in range(1, 6):
        more(number)
    assert queries() == one
