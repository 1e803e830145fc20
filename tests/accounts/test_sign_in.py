"""Signing in, signing out, and a forgotten password."""

import re

import pytest
from django.test import Client

from practices.accounts.models import User
from practices.common.models import Event

pytestmark = pytest.mark.django_db

SIGN_IN, RESET = "/accounts/login/", "/accounts/password/reset/"
PASSWORD, NEW = "correct horse battery", "staple horse battery"


@pytest.fixture
def ann() -> User:
    return User.objects.create_user("ann@example.test", PASSWORD, name="Ann Archer")


def text(answer) -> str:
    return answer.content.decode()


def test_empty_boxes_are_named(client: Client):
    html = text(client.post(SIGN_IN, {}))
    assert "<title>Error: Sign in - Migration Tracker</title>" in html
    assert '<a href="#id_login">Enter email address</a>' in html
    assert '<a href="#id_password">Enter password</a>' in html


def test_a_wrong_password_says_so_without_telling_which_of_the_two_is_wrong(client: Client, ann):
    sentence = "The email address or the password is wrong. Check both and try again."
    known = text(client.post(SIGN_IN, {"login": ann.email, "password": "not it at all"}))
    unknown = text(client.post(SIGN_IN, {"login": "no@example.test", "password": "not it at all"}))
    assert sentence in known
    assert sentence in unknown
    assert 'value="ann@example.test"' in known
    assert "not it at all" not in known


def test_five_wrong_passwords_close_the_door_for_a_while(client: Client, ann):
    for _ in range(5):
        client.post(SIGN_IN, {"login": ann.email, "password": "not it at all"})
    html = text(client.post(SIGN_IN, {"login": ann.email, "password": PASSWORD}))
    assert "Too many failed attempts. Wait 5 minutes, then try again." in html


def test_signing_out_takes_a_press_and_not_a_look(client: Client, ann):
    client.force_login(ann)
    page = text(client.get("/accounts/logout/"))
    assert "Do you want to sign out?" in page
    assert "Ann Archer" in page
    assert "_auth_user_id" in client.session
    client.post("/accounts/logout/")
    assert "_auth_user_id" not in client.session


def test_a_forgotten_password_is_replaced_by_a_link_that_works_once(
    client: Client, ann, mailoutbox
):
    answer = client.post(RESET, {"email": "Ann@Example.test"}, follow=True)
    assert "Check your email" in text(answer)
    (mail,) = mailoutbox
    assert mail.subject == "Reset your Migration Tracker password"
    assert mail.to == ["ann@example.test"]
    (link,) = re.findall(r"http://testserver(/\S+)", mail.body)

    page = client.get(link, follow=True)
    assert "Choose a new password" in text(page)
    form = page.redirect_chain[-1][0]
    short = text(client.post(form, {"password1": "short", "password2": "short"}))
    assert "at least 12 characters" in short
    unequal = text(client.post(form, {"password1": NEW, "password2": NEW + "x"}))
    assert '<a href="#id_password2">' in unequal
    done = client.post(form, {"password1": NEW, "password2": NEW}, follow=True)
    assert "Your password is changed" in text(done)

    ann.refresh_from_db()
    assert ann.check_password(NEW)
    assert acts() == [("person.password_changed", f"person:{ann.pk}", ann.pk)]
    assert "This link does not work any more" in text(Client().get(link, follow=True))


def test_an_unknown_address_learns_nothing_on_the_page(client: Client, mailoutbox):
    answer = client.post(RESET, {"email": "nobody@example.test"}, follow=True)
    assert "If there is an account for the address you entered" in text(answer)
    (mail,) = mailoutbox
    assert "There is no account for this address" in mail.body
    assert "signup" not in mail.body


def test_a_password_is_changed_with_the_current_one(client: Client, ann):
    client.force_login(ann)
    address = "/accounts/password/change/"
    typed = {"oldpassword": "wrong", "password1": NEW, "password2": NEW}
    wrong = text(client.post(address, typed))
    assert "The current password is wrong." in wrong
    assert acts() == []
    client.post(address, typed | {"oldpassword": PASSWORD})
    ann.refresh_from_db()
    assert ann.check_password(NEW)
    assert acts() == [("person.password_changed", f"person:{ann.pk}", ann.pk)]
    assert client.get(address).status_code == 200  # still signed in


def test_a_newer_way_of_hashing_is_taken_up_at_sign_in_and_recorded(client: Client, ann, settings):
    client.post(SIGN_IN, {"login": ann.email, "password": PASSWORD})
    assert acts() == []
    client.post("/accounts/logout/")
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
        *settings.PASSWORD_HASHERS,
    ]
    for _ in range(2):
        client.post(SIGN_IN, {"login": ann.email, "password": PASSWORD})
        assert client.get("/").status_code == 200
        client.post("/accounts/logout/")
    ann.refresh_from_db()
    assert ann.password.startswith("pbkdf2_sha256$")
    assert acts() == [("person.password_rehashed", f"person:{ann.pk}", ann.pk)]


def acts() -> list[tuple]:
    return list(Event.objects.order_by("seq").values_list("kind", "subject", "by"))


def test_nobody_registers_themselves(client: Client):
    assert "You need to be invited" in text(client.get("/accounts/signup/"))


@pytest.mark.parametrize("page", ["email", "confirm-email", "password/set", "login/code/confirm"])
def test_nobody_changes_their_address_by_themselves(client: Client, ann, page):
    client.force_login(ann)
    other = {"email": "other@example.test", "action_add": ""}
    assert client.get(f"/accounts/{page}/").status_code == 404
    assert client.post(f"/accounts/{page}/", other).status_code == 404
    ann.refresh_from_db()
    assert ann.email == "ann@example.test"
