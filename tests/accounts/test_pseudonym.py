"""Somebody is forgotten: their name is nowhere, what they did stays, and it still verifies."""

import io

import pytest
from allauth.account.models import EmailAddress
from django.apps import apps
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from practices.accounts.models import Invitation, Membership, User
from practices.accounts.roles import Role
from practices.accounts.services import add_administrator, invite
from practices.accounts.services.pseudonym import pseudonymise
from practices.common import clock
from practices.common.errors import Refused
from practices.common.history import private_digest
from practices.common.models import Event
from practices.tracking import records
from practices.tracking.models import SignOff
from tests.common.history_world import findings, make_world
from tests.tracking.steps import gate_of, sign


@pytest.fixture
def world(committed_db):
    return make_world()


@pytest.fixture
def forgotten(world, client):
    """The practice manager after signing, having signed in, invited somebody and left."""
    sign(world)
    client.force_login(world.manager)
    EmailAddress.objects.create(user=world.manager, email=world.manager.email, primary=True)
    now = clock.now()
    invite(
        email="colleague@example.test",
        name="Cleo Colleague",
        organisation=world.migration.practice.organisation,
        role=Role.PRACTICE_STAFF,
        by=world.manager,
        at=now,
    )
    with transaction.atomic():
        ended = pseudonymise(person=world.manager, by=None, at=now)
    assert [membership.role for membership in ended] == [Role.PRACTICE_MANAGER]
    return User.objects.get(pk=world.manager.pk)


def test_nothing_tells_who_it_was(forgotten):
    assert forgotten.name == f"Former user {forgotten.pk}"
    assert forgotten.email == f"former-user-{forgotten.pk}@former.invalid"
    assert not forgotten.has_usable_password()
    assert not forgotten.is_active
    assert not EmailAddress.objects.exists()
    assert not Session.objects.exists()
    assert not Membership.objects.filter(person=forgotten).not_over(clock.now().date()).exists()
    assert Invitation.objects.get().withdrawn_at


def test_events_and_history_never_held_the_name(forgotten):
    data = " ".join(str(event.data) for event in Event.objects.all())
    assert "Alice" not in data
    assert "example.test" not in data
    event = Event.objects.get(kind="person.pseudonymised")
    assert event.subject == f"person:{forgotten.pk}"
    assert event.data.keys() == {"memberships"}


def test_nobody_can_guess_a_name_from_what_history_keeps(world):
    """History holds digests of names. Their salt goes with the name, so none can be tried."""

    def digest(row) -> str:
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {private_digest(columns, 'r')} FROM (SELECT %s::uuid AS salt, "
                "%s AS password, %s AS email, %s AS name) r",
                [row.salt, row.password, row.email, row.name],
            )
            return cursor.fetchone()[0]

    columns = ("password", "email", "name")
    known = User.objects.get(pk=world.manager.pk)
    history = apps.get_model("accounts", "UserEvent").objects.filter(pgh_obj=known)
    seals = set(history.values_list("private_seal", flat=True))
    assert digest(known) in seals
    pseudonymise(person=known, by=None, at=clock.now())
    for salt in User.objects.values_list("salt", flat=True):
        known.salt = salt
        assert digest(known) not in seals
    assert findings() == []


def test_what_they_signed_stays_and_verifies(world, forgotten, client):
    assert findings() == []
    (a_round,) = records.rounds(gate_of(world))
    assert a_round.signatures[0].intact
    assert SignOff.objects.get().by == forgotten
    client.force_login(world.project_manager)
    page = client.get(world.url("sign-off", "go_live_data")).content.decode()
    assert f"Former user {forgotten.pk}" in page
    assert "Alice Manager" not in page


def test_whoever_is_signed_in_is_out_at_once(forgotten, client):
    assert client.get("/").status_code == 302


def test_it_is_done_once_and_never_to_oneself(forgotten):
    with pytest.raises(Refused, match="before"):
        pseudonymise(person=forgotten, by=None, at=clock.now())
    boss = add_administrator(
        email="boss@example.test", name="Bo Boss", password=None, by=None, at=clock.now()
    )
    with pytest.raises(Refused, match="last administrator"):
        pseudonymise(person=boss, by=boss, at=clock.now())
    boss.refresh_from_db()
    assert boss.name == "Bo Boss"


def test_the_command_says_which_roles_ended(world):
    out = io.StringIO()
    call_command("pseudonymise_person", world.staff.email.upper(), stdout=out)
    assert "No longer practice staff of Elm Tree Surgery." in out.getvalue()
    assert f"Former user {world.staff.pk}" in out.getvalue()
    with pytest.raises(CommandError, match="no account for"):
        call_command("pseudonymise_person", world.staff.email)
    assert findings() == []
