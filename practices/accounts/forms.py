"""What people type on the pages about people."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from practices.common.forms import NHSForm

from .models import User
from .sign_in import HOW_TO_CHOOSE


class JoinForm(NHSForm):
    """Somebody new says who they are and chooses a password."""

    submit_text = "Save and sign in"
    name = forms.CharField(
        label="Full name",
        max_length=150,
        help_text="As colleagues know you. It stands beside what you tick and sign.",
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        error_messages={"required": "Enter your full name"},
    )
    password1 = forms.CharField(
        label="Password",
        help_text=HOW_TO_CHOOSE,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    password2 = forms.CharField(
        label="Password again",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email

    def typed(self) -> Iterator[tuple[str, str]]:
        """A password is nobody's business: only the name is looked at."""
        yield "name", self.cleaned_data.get("name", "")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        first, second = cleaned.get("password1"), cleaned.get("password2")
        if first and second and first != second:
            self.add_error("password2", "The two passwords differ. Enter the same one twice")
        elif first:
            try:
                validate_password(first, User(email=self.email, name=cleaned.get("name", "")))
            except ValidationError as weak:
                self.add_error("password1", weak)
        return cleaned
