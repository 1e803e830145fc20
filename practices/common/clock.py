"""The one reading of the wall clock.

Views, Celery tasks and commands call :func:`now` once and pass the instant on;
rules and services take time as an argument, so tests and the reminder sweep can
walk through any hour of any year.
"""

from datetime import datetime

from django.utils import timezone


def now() -> datetime:
    """The present instant, aware and in UTC."""
    return timezone.now()
