"""How sign-in differs from django-allauth's defaults."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

from practices.accounts.services import change_password, renew_password_hash
from practices.common import clock


class AccountAdapter(DefaultAccountAdapter):
    """Nobody registers themselves: accounts are made for people."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": (
            "The email address or the password is wrong. Check both and try again."
        ),
        "enter_current_password": (
            "The current password is wrong. Enter the password you sign in with."
        ),
        "too_many_login_attempts": "Too many failed attempts. Wait 5 minutes, then try again.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002
        return False

    def set_password(self, user: Any, password: str) -> None:
        """Where allauth's change and reset of a password both end."""
        change_password(person=user, password=password, by=user, at=clock.now())

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        user = super().authenticate(request, **credentials)
        if user:
            renew_password_hash(person=user, password=credentials["password"], at=clock.now())
        return user

    def populate_username(self, request: HttpRequest, user: Any) -> None:
        """There are no user names here, only email addresses."""
