"""What the service knows of whoever asks."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from practices.accounts import queries
from practices.common import clock
from practices.common.access import SignedInRequest
from practices.common.time import london_date


@require_safe
def account(request: SignedInRequest) -> HttpResponse:
    """One's roles, for whom one stands in, and who stands in for oneself, each with its days."""
    today = london_date(clock.now())
    roles = queries.own_roles(request.user, today)
    return render(
        request,
        "accounts/own.html",
        {
            "own": [role for role in roles if role.deputy_for_id is None],
            "stands_in": [role for role in roles if role.deputy_for_id is not None],
            "deputies": queries.deputies_of(request.user, today),
            "today": today,
        },
    )
