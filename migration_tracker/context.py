"""What every page may use."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from .middleware import current_request_id


def site(request: HttpRequest) -> dict[str, Any]:
    """Template context: ``development`` and ``request_id`` (quoted on error pages)."""
    return {"development": settings.DEVELOPMENT, "request_id": current_request_id.get()}
