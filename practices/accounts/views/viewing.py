"""Seeing pages as another person does: start and stop. What it forbids is in middleware.py."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from practices.accounts import services
from practices.accounts.middleware import forget, remember
from practices.accounts.models import User
from practices.common import clock
from practices.common.access import Permission, SignedInRequest, requires
from practices.common.errors import Refused


@require_POST
@requires(Permission.MANAGE_ACCOUNTS)
def start(request: SignedInRequest, pk: int) -> HttpResponse:
    """From here on this administrator sees what that person sees."""
    person = get_object_or_404(User, pk=pk)
    now = clock.now()
    try:
        services.start_viewing(person=person, by=request.user, at=now)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("accounts:person", pk)
    remember(request, person, at=now)
    return redirect("home")


@require_POST
@requires(Permission.MANAGE_ACCOUNTS)
def stop(request: SignedInRequest) -> HttpResponse:
    """Back to one's own pages."""
    viewed = forget(request)
    if viewed is None:
        return redirect("home")
    services.stop_viewing(person_id=viewed, by=request.user, at=clock.now())
    return redirect("accounts:person", viewed)
