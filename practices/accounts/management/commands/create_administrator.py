"""The first account of a real installation."""

import getpass
import sys
from pathlib import Path
from typing import Any

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from practices.accounts.models import User
from practices.accounts.services import add_administrator
from practices.common import clock
from practices.common.errors import Refused


class Command(BaseCommand):
    help = "Makes an account that can import practices, upload plans and start migrations."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="the address to sign in with")
        parser.add_argument("--name", required=True, help="full name, as signatures will show it")
        password = parser.add_mutually_exclusive_group()
        password.add_argument(
            "--password-file", type=Path, help="file whose first line is the password"
        )
        password.add_argument(
            "--link",
            action="store_true",
            help="ask for no password: print a link, good for three days, to set one",
        )

    def handle(
        self, *, email: str, name: str, password_file: Path | None, link: bool, **_: Any
    ) -> None:
        if User.objects.filter(email=email.strip().lower()).exists():
            raise CommandError(f"There is already an account for {email}. Nothing was changed.")
        password = None if link else self._password(User(email=email, name=name), password_file)
        try:
            person = add_administrator(
                email=email, name=name, password=password, by=None, at=clock.now()
            )
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{person.name} can sign in with {person.email} at {settings.SITE_URL}/")
        if link:
            self.stdout.write(f"Password to be set at {self._link(person)}")

    def _password(self, person: User, file: Path | None) -> str:
        if file is not None:
            try:
                password = file.read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
            except (OSError, UnicodeDecodeError) as problem:
                raise CommandError(f"{file} cannot be read as text: {problem}") from problem
        elif not sys.stdin.isatty():
            raise CommandError("There is no terminal to ask at: use --password-file or --link.")
        else:
            password = getpass.getpass("Password: ")
            if getpass.getpass("The same again: ") != password:
                raise CommandError("The two passwords differ. Nothing was changed.")
        try:
            validate_password(password, person)
        except ValidationError as weak:
            raise CommandError(" ".join(weak.messages)) from weak
        return password

    @staticmethod
    def _link(person: User) -> str:
        key = default_token_generator.make_token(person)
        path = reverse(
            "account_reset_password_from_key",
            kwargs={"uidb36": user_pk_to_url_str(person), "key": key},
        )
        return f"{settings.SITE_URL}{path}"
