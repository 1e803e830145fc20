"""Reading the environment: a value, or a file named by NAME_FILE, or a sentence that helps."""

import os
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

HINTS = {
    "SECRET_KEY": "Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(50))'",
    "HISTORY_KEY": "It seals the history and is kept for ever, apart from the database. "
    "Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(50))'",
    "DATABASE_URL": "It names the role the site runs as: postgres://app:password@host:5432/name",
    "REDIS_URL": "It names the worker's broker: redis://:password@host:6379/0",
    "ALLOWED_HOSTS": "The host names people type, separated by commas.",
    "SITE_URL": "The address people type, for links in mail: https://tracker.example.nhs.uk",
    "DEFAULT_FROM_EMAIL": "The sender of every mail.",
    "EMAIL_HOST": "The mail server that reminders are handed to.",
    "MEDIA_ROOT": "The folder for files people hand in, outside any web root.",
}


class Environment(environ.Env):
    """django-environ that also reads secrets from files and helps with a missing value."""

    def __init__(self) -> None:
        super().__init__()
        self.ENVIRON = dict(os.environ)

    def get_value(self, var: Any, *args: Any, **kwargs: Any) -> Any:
        """The value of ``var``, or the content of the file that ``{var}_FILE`` names.

        Raises ImproperlyConfigured, with a hint, when there is neither and no default.
        """
        path = self.ENVIRON.get(f"{var}_FILE")
        if path and var not in self.ENVIRON:
            try:
                self.ENVIRON[var] = Path(path).read_text(encoding="utf-8").strip()
            except OSError as problem:
                raise ImproperlyConfigured(
                    f"{var}_FILE names {path}, which cannot be read: {problem.strerror}."
                ) from problem
        try:
            return super().get_value(var, *args, **kwargs)
        except ImproperlyConfigured as problem:
            if var in self.ENVIRON:
                raise
            hint = HINTS.get(var, "")
            raise ImproperlyConfigured(
                f"Set the environment variable {var}, or {var}_FILE. {hint}".strip()
                + "\nOn your own machine `make run` sets everything."
            ) from problem
        except ValueError as problem:
            raise ImproperlyConfigured(
                f"The environment variable {var} is not understood: {problem}."
            ) from problem
