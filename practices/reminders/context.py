"""What every page shows administrators of reminders: that they are not being sent."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from practices.common import clock
from practices.common.access import Permission

from .health import late_since


def late_mail(request: HttpRequest) -> dict[str, Any]:
    """Template context: ``mail_late_since``, asked for only where a page writes it."""
    return {"mail_late_since": SimpleLazyObject(lambda: _late_since(request))}


def _late_since(request: HttpRequest) -> datetime | None:
    # An error page may come from before the middleware that knows who asks.
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated or not user.may(Permission.VIEW_DELIVERY):
        return None
    return late_since(clock.now())
