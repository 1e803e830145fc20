"""The first account of a real installation."""

import io
from urllib.parse import urlsplit

import pytest
from django.core.management import CommandError, call_command

from practices.accounts.models import User
from practices.accounts.roles import Permission
from practices.directory.models import Organisation

pytestmark = pytest.mark.django_db

GOOD = "a battery horse staple"


def run(*arguments, email="Ada@Example.test"):
    out = io.StringIO()
    call_command("create_administrator", email, "--name=Ada Example", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def password_file(tmp_path):
    def write(password=GOOD):
        path = tmp_path / "password"
        path.write_text(f"{password}\nsecond line\n", encoding="utf-8")
        return f"--password-file={path}"

    return write


def test_it_makes_the_team_and_an_account_that_may_configure(password_file):
    assert "ada@example.test" in run(password_file())
    person = User.objects.get()
    assert person.check_password(GOOD)
    assert person.may(Permission.IMPORT_PRACTICES)
    assert person.may(Permission.MANAGE_PLANS)
    assert Organisation.objects.get(code="SERVICE").kind == Organisation.Kind.OPERATOR


def test_the_second_administrator_joins_the_same_team(password_file):
    run(password_file())
    run(password_file(), email="grace@example.test")
    assert Organisation.objects.of_kind("operator").count() == 1
    assert User.objects.count() == 2


def test_again_for_the_same_address_it_says_so_and_changes_nothing(password_file):
    run(password_file())
    with pytest.raises(CommandError, match="already an account for ada"):
        run(password_file("another long password"), email="ada@example.test")
    assert User.objects.get().check_password(GOOD)


def test_a_weak_password_is_refused_with_the_reason(password_file):
    with pytest.raises(CommandError, match="at least 12 characters"):
        run(password_file("short"))
    assert not User.objects.exists()


def test_a_missing_password_file_is_named(tmp_path):
    with pytest.raises(CommandError, match="nothing-here"):
        run(f"--password-file={tmp_path / 'nothing-here'}")


def test_without_a_terminal_it_says_how_to_go_on(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(CommandError, match="--password-file or --link"):
        run()


def test_it_asks_twice_at_a_terminal(monkeypatch):
    answers = iter([GOOD, GOOD, GOOD, "a slip of the finger"])
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("getpass.getpass", lambda _: next(answers))
    run()
    with pytest.raises(CommandError, match="differ"):
        run(email="grace@example.test")
    assert [person.check_password(GOOD) for person in User.objects.all()] == [True]


def test_the_link_sets_a_password_once(client):
    address = run("--link").split()[-1]
    assert not User.objects.get().has_usable_password()
    page = client.get(urlsplit(address).path, follow=True)
    form = page.redirect_chain[-1][0]
    client.post(form, {"password1": GOOD, "password2": GOOD})
    assert User.objects.get().check_password(GOOD)
    client.logout()
    again = client.get(urlsplit(address).path, follow=True)
    assert "form" not in again.context or again.context.get("token_fail")


def test_a_name_is_needed(password_file):
    with pytest.raises(CommandError, match="full name"):
        call_command("create_administrator", "a@example.test", "--name= ", password_file())
