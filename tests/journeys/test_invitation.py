"""The way of somebody new: invited by their manager, a mail, a link, and they are in."""

import pytest

from practices.accounts.models import User
from practices.accounts.roles import Role
from practices.reminders import tasks
from tests.factories import make_person, make_practice

from .visitor import first_address, mail

GOOD = "a battery horse staple"


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_from_the_mail_to_being_signed_in(celery_worker, new_visitor, smtp_server, scripts):
    practice = make_practice("Elm Tree Surgery")
    manager, nina = new_visitor(scripts=scripts), new_visitor(scripts=scripts)
    manager.signs_in(make_person(Role.PRACTICE_MANAGER, practice, name="Alice Manager"))
    manager.chooses("People")
    manager.presses("Invite somebody")
    manager.enters("nina@example.test", "Email address")
    manager.enters("Nina Newcomer", "Full name")
    manager.main.get_by_label("Role").select_option("Practice staff")
    manager.presses("Send the invitation")
    manager.is_told("nina@example.test is invited")

    tasks.sweep.delay()
    invitation = mail(smtp_server, to="nina@example.test", about="Invitation")
    nina.opens(first_address(invitation))
    secret = first_address(invitation).rstrip("/").rpartition("/")[2]
    assert secret not in nina.page.url
    nina.is_on("You are invited to Migration Tracker")
    nina.sees("Practice staff", "Elm Tree Surgery", "Alice Manager")
    nina.enters("short", "Password")
    nina.enters("short", "Password again")
    nina.presses("Save and sign in")
    nina.sees("at least 12 characters")
    nina.enters(GOOD, "Password")
    nina.enters(GOOD, "Password again")
    nina.presses("Save and sign in")
    nina.is_told("You are signed in. Your role: Practice staff of Elm Tree Surgery.")
    assert User.objects.get(email="nina@example.test").name == "Nina Newcomer"

    late = new_visitor(scripts=scripts)
    late.opens(first_address(invitation))
    late.is_on("This invitation has been used")
    manager.chooses("People")
    manager.sees("Nina Newcomer")
