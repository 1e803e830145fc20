"""The forms of django-allauth in our words: labels, and errors that say what to do."""

from typing import Any

from allauth.account import forms as allauth
from django import forms

from practices.common.forms import PlainErrors

HOW_TO_CHOOSE = (
    "At least 12 characters. Do not use your name, your email address or a common password."
)


class _OurWords(forms.BaseForm):
    labels = {
        "login": "Email address",
        "email": "Email address",
        "oldpassword": "Current password",
        "password1": "New password",
        "password2": "New password again",
    }
    hints = {"password1": HOW_TO_CHOOSE}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.label = self.labels.get(name, field.label)
            field.help_text = self.hints.get(name, "")


class LoginForm(PlainErrors, _OurWords, allauth.LoginForm):
    """Sign in."""


class ResetPasswordForm(PlainErrors, _OurWords, allauth.ResetPasswordForm):
    """Ask for a link to choose a new password."""


class ResetPasswordKeyForm(PlainErrors, _OurWords, allauth.ResetPasswordKeyForm):
    """Choose a new password, from the link."""


class ChangePasswordForm(PlainErrors, _OurWords, allauth.ChangePasswordForm):
    """Choose a new password while signed in."""
