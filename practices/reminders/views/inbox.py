"""The inbox: what this person was told, whether a mail went out or not."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from practices.common import clock
from practices.common.access import SignedInRequest
from practices.reminders import choosing, queries
from practices.reminders.models import Notification

PER_PAGE = 50


@require_safe
def inbox(request: SignedInRequest) -> HttpResponse:
    """Everything this person was told, newest first."""
    rows = queries.inbox_rows(request.user, clock.now())
    page_obj = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "reminders/inbox.html", {"page_obj": page_obj})


@require_safe
def read(request: SignedInRequest, pk: int) -> HttpResponse:
    """To the page that a row is about; from then on it counts as read.

    An administrator who looks as this person reads nothing in their place.
    """
    now = clock.now()
    row = get_object_or_404(Notification.objects.inbox_of(request.user, now), pk=pk)
    if not getattr(request, "viewing", None):
        choosing.mark_read(row=row, at=now)
    # The address was made by this site when the row was planned.
    return redirect(row.path)


@require_POST
def read_all(request: SignedInRequest) -> HttpResponse:
    """Nothing in the inbox is new any more."""
    number = choosing.mark_all_read(by=request.user, at=clock.now())
    if number:
        messages.success(request, "Everything in your inbox is marked as read.")
    return redirect("reminders:inbox")
