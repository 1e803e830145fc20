"""Two acts about the same people at once: one waits for what the other changes, and for no more."""

from threading import Event as Signal
from threading import Thread

import pytest
import time_machine
from django.db import OperationalError, connection

from practices.accounts import services
from practices.accounts.invitation_file import Line
from practices.accounts.models import Invitation
from practices.accounts.roles import Role
from practices.accounts.services import invitations, memberships, people
from practices.accounts.services.pseudonym import pseudonymise
from tests.factories import MONDAY, make_invitation, make_person, make_practice

PATIENCE = 10  # seconds, until something that waits for a lock counts as stuck


@pytest.fixture
def meanwhile(monkeypatch, committed_db):
    """Let an act run from start to end in the middle of another one, which holds its locks."""
    running = []

    def arrange(module, step, act):
        real = getattr(module, step)

        def stop(*args, **kwargs):
            monkeypatch.setattr(module, step, real)
            other = Thread(target=lambda: (act(), connection.close()))
            running.append(other)
            other.start()
            other.join(PATIENCE)
            assert not other.is_alive(), "it waits for a lock"
            return real(*args, **kwargs)

        monkeypatch.setattr(module, step, stop)

    yield arrange
    for other in running:
        other.join(PATIENCE)


def test_somebody_invites_while_their_account_is_closed(meanwhile):
    practice = make_practice().organisation
    manager, admin = make_person(Role.PRACTICE_MANAGER, practice), make_person()
    asked = {"name": "Nina", "organisation": practice, "role": Role.CLINICIAN, "at": MONDAY}
    meanwhile(people, "note", lambda: services.invite(email="n@example.test", by=manager, **asked))
    services.close_account(person=manager, by=admin, at=MONDAY)
    assert Invitation.objects.filter(invited_by=manager).exists()


def test_a_role_is_given_in_an_organisation_that_somebody_is_invited_to(meanwhile):
    practice = make_practice().organisation
    manager, doctor = make_person(Role.PRACTICE_MANAGER, practice), make_person()
    given = {"organisation": practice, "role": Role.LEAD_GP, "by": manager, "at": MONDAY}
    meanwhile(invitations, "_expiry", lambda: services.add_membership(person=doctor, **given))
    services.invite(email="n@example.test", name="Nina", **given)
    assert doctor.memberships.get().role == Role.LEAD_GP


def test_a_role_does_not_end_while_a_deputy_for_it_is_appointed(meanwhile):
    practice = make_practice().organisation
    manager = make_person(Role.PRACTICE_MANAGER, practice)
    membership, waited = manager.memberships.get(), []

    def end():
        connection.cursor().execute("SET lock_timeout = '50ms'")
        with pytest.raises(OperationalError, match="lock timeout"):
            services.end_membership(membership=membership, by=None, at=MONDAY)
        waited.append(True)

    meanwhile(memberships, "_note", end)
    services.appoint_deputy(
        membership=membership,
        deputy=make_person(Role.PRACTICE_STAFF, practice),
        first=MONDAY.date(),
        last=MONDAY.date(),
        by=manager,
        at=MONDAY,
    )
    assert waited


def wait_until_somebody_waits() -> None:
    """Until an act in another thread waits for a lock, or has come to its end without."""
    with connection.cursor() as cursor:
        for _ in range(500):
            cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted), pg_sleep(0.01)")
            if cursor.fetchone()[0]:
                return


@pytest.mark.parametrize("step", ["_must_keep_sides_apart", "add_membership", "note_invitation"])
@pytest.mark.parametrize("whose", ["invited", "inviting"])
def test_somebody_is_pseudonymised_while_an_invitation_is_accepted(
    monkeypatch, committed_db, step, whose
):
    """Whoever comes second waits, and neither waits for the other in a circle."""
    practice = make_practice().organisation
    manager = make_person(Role.PRACTICE_MANAGER, practice)
    nina = make_person(Role.CLINICIAN, make_practice(), email="nina@example.test")
    invitation = make_invitation(practice, email=nina.email, by=manager)
    make_invitation(practice, by=manager)
    forgotten = nina if whose == "invited" else manager
    ended, real = Signal(), getattr(invitations, step)

    def forget():
        pseudonymise(person=forgotten, by=None, at=MONDAY)
        ended.set()
        connection.close()

    other = Thread(target=forget)

    def stop(*args, **kwargs):
        if not other.ident:
            other.start()
            wait_until_somebody_waits()
        return real(*args, **kwargs)

    monkeypatch.setattr(invitations, step, stop)
    with time_machine.travel(MONDAY, tick=False):
        services.accept(invitation=invitation, by=nina, at=MONDAY)
    other.join(PATIENCE)
    assert ended.is_set()
    forgotten.refresh_from_db()
    assert forgotten.email.endswith(".invalid")
    assert not Invitation.objects.unanswered().filter(invited_by=forgotten).exists()
    assert not nina.memberships.filter(valid_to=None).exists() or whose == "inviting"


def test_many_are_invited_while_somebody_invites_to_the_last_of_their_organisations(
    monkeypatch, committed_db
):
    """The file's first event holds the chain: by then it must hold every organisation as well."""
    first, last = make_practice().organisation, make_practice().organisation
    admin = make_person(Role.ADMINISTRATOR)
    cells = {"name": "Nina", "role": "clinician"}
    lines = [
        Line(number, cells | {"email": f"n{number}@example.test", "organisation": practice.code})
        for number, practice in enumerate((first, last), 2)
    ]
    real, ended = invitations.note_invitation, Signal()

    def one():
        services.invite(
            email="n@example.test",
            name="Nina",
            organisation=last,
            role=Role.CLINICIAN,
            by=admin,
            at=MONDAY,
        )
        ended.set()
        connection.close()

    other = Thread(target=one)

    def stop(*args, **kwargs):
        real(*args, **kwargs)
        if not other.ident:
            other.start()
            wait_until_somebody_waits()

    monkeypatch.setattr(invitations, "note_invitation", stop)
    judged = services.invite_many(lines=lines, by=admin, at=MONDAY)
    other.join(PATIENCE)
    assert ended.is_set()
    assert [one.problem for one in judged] == ["", ""]
    assert Invitation.objects.count() == 3
