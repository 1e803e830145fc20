"""System checks that refuse a configuration which would harm people quietly."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured


@register()
def production(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """What must hold wherever real people work; DEVELOPMENT is somebody's own machine."""
    if settings.DEVELOPMENT:
        return []
    faults = [
        (
            settings.DEBUG,
            "DEBUG is on, so error pages show settings and code to everybody.",
            "Unset DEBUG.",
            "E001",
        ),
        (
            len(settings.SECRET_KEY) < 40 or settings.SECRET_KEY.startswith("django-insecure"),
            "SECRET_KEY is short or a sample, so sessions can be forged.",
            "Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(50))'",
            "E002",
        ),
        (
            not settings.EMAIL_TIMEOUT or settings.EMAIL_TIMEOUT < 0,
            "EMAIL_TIMEOUT is not set, so a stalled mail server stops every reminder.",
            "Set EMAIL_TIMEOUT to a number of seconds, for example 15.",
            "E003",
        ),
        (
            "*" in settings.ALLOWED_HOSTS,
            "ALLOWED_HOSTS allows every name, so links in mail can be forged.",
            "List the host names people type.",
            "E004",
        ),
        (
            urlsplit(settings.SITE_URL).scheme != "https",
            "SITE_URL is not an https address, so links in mail would not be private.",
            "Set SITE_URL to the address people type, for example https://tracker.example.nhs.uk",
            "E005",
        ),
        (
            settings.DATABASES.get("owner", {}).get("USER") == settings.APP_ROLE,
            "DATABASE_URL and OWNER_DATABASE_URL name one role, so history could be rewritten.",
            "Give the site a role of its own; docs/operations.md says how.",
            "E006",
        ),
        (
            len(settings.HISTORY_KEY) < 40 or settings.HISTORY_KEY == settings.SECRET_KEY,
            "HISTORY_KEY is short or the same as SECRET_KEY, which is changed now and then.",
            "Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(50))'",
            "E007",
        ),
    ]
    return [
        Error(message, hint=hint, id=f"site.{code}")
        for wrong, message, hint, code in faults
        if wrong
    ]


def refuse_unsafe() -> None:
    """For what starts without manage.py, which checks by itself. Raises ImproperlyConfigured."""
    if faults := production(None):
        lines = [f"{fault.id}: {fault.msg} {fault.hint}" for fault in faults]
        raise ImproperlyConfigured("\n".join(lines))
