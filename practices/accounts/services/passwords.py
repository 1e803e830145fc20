"""Passwords: chosen anew, and hashed anew. Events tell that, and nothing of the password."""

from datetime import datetime

from django.contrib.auth.hashers import get_hasher, identify_hasher
from django.db import transaction

from practices.accounts.models import User

from ._base import note


@transaction.atomic
def change_password(*, person: User, password: str, by: User, at: datetime) -> None:
    """Give an account another password, which the caller has checked, and ``person`` with it.

    ``by`` is the person themselves: who knows the old one, or opened the link in the mail.
    """
    _locked(person)
    _write(person, password)
    note("person.password_changed", by=by, at=at, subject=f"person:{person.pk}")


@transaction.atomic
def renew_password_hash(*, person: User, password: str, at: datetime) -> None:
    """Hash the password somebody just signed in with again, when the way it is done has changed."""
    if not _is_outdated(person.password) or _locked(person).password != person.password:
        return  # as it should be, or changed meanwhile
    _write(person, password)
    note("person.password_rehashed", by=person, at=at, subject=f"person:{person.pk}")


def _is_outdated(encoded: str) -> bool:
    preferred = get_hasher()
    return identify_hasher(encoded).algorithm != preferred.algorithm or preferred.must_update(
        encoded
    )


def _locked(person: User) -> User:
    return User.objects.select_for_update(no_key=True).get(pk=person.pk)


def _write(person: User, password: str) -> None:
    # On the row that was given: its session goes on with the new password.
    person.set_password(password)
    person.save(update_fields=["password"])
