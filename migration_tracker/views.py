"""Pages of the site itself: is it alive, and what a person sees when it fails."""

from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from practices.common import clock
from practices.reminders import health as reminders_health

from .middleware import current_request_id


@login_not_required
@never_cache
@require_safe
def health(request: HttpRequest) -> HttpResponse:
    """Liveness: the process answers and so does its database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok\n", content_type="text/plain")


@login_not_required
@never_cache
@require_safe
def health_of_reminders(request: HttpRequest) -> HttpResponse:
    """A dead man's switch: 503 when reminders are not planned or not sent."""
    faults = reminders_health.faults(now=clock.now())
    words = "".join(f"{fault}\n" for fault in faults) or "ok\n"
    return HttpResponse(words, status=503 if faults else 200, content_type="text/plain")


def server_error(request: HttpRequest) -> HttpResponse:
    """The page for an unexpected failure. It asks nothing of the database or the session."""
    page = loader.render_to_string("500.html", {"request_id": current_request_id.get()})
    return HttpResponse(page, status=500)
