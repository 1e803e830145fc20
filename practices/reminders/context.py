"""What every page says of reminders: how much is unread, and that they are not being sent."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from practices.common import clock
from practices.common.access import Permission

from .health import late_since
from .queries import MOST_COUNTED, unread_of


def late_mail(request: HttpRequest) -> dict[str, Any]:
    """Template context: ``mail_late_since``, asked for only where a page writes it."""
    return {"mail_late_since": SimpleLazyObject(lambda: _late_since(request))}


def _late_since(request: HttpRequest) -> datetime | None:
    # An error page may come from before the middleware that knows who asks.
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated or not user.may(Permission.VIEW_DELIVERY):
        return None
    return late_since(clock.now())


def inbox(request: HttpRequest) -> dict[str, Any]:
    """Template context: ``unread``, such as "3" or "99+"; counted only where a page says it."""
    return {"unread": SimpleLazyObject(lambda: _unread(request))}


def _unread(request: HttpRequest) -> str:
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return ""
    number = unread_of(user, clock.now())
    return f"{MOST_COUNTED}+" if number > MOST_COUNTED else str(number or "")
