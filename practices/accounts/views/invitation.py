"""The way in for somebody who was invited: from the link of the mail to being signed in.

The secret of the link goes into the session at once and out of the address, so that it
stands in no history, log or referrer. Whether the address has an account is said only to
who holds the secret, which was sent to that address.
"""

from allauth.core import ratelimit
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from practices.accounts import queries, services
from practices.accounts.forms import JoinForm
from practices.accounts.models import Invitation, User
from practices.accounts.tokens import is_token_of
from practices.common import clock
from practices.common.errors import Refused

KEPT = "invitation"  # key of the session
LONGEST_TOKEN = 64


@login_not_required
@never_cache
@require_safe
def invited(request: HttpRequest, pk: int, token: str) -> HttpResponse:
    """The address in the mail: keeps the secret and goes on to an address without it."""
    if refusal := ratelimit.consume_or_429(request, action="invitation", limit_get=True):
        return refusal
    request.session[KEPT] = [pk, token[:LONGEST_TOKEN]]
    return redirect("accounts:invitation", pk)


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, pk: int) -> HttpResponse:
    """What is offered, and what this person has to do to take it."""
    found = _found(request, pk)
    now = clock.now()
    if found is None:
        return _no_way(request, "wrong", status=404)
    if not found.is_open(now):
        why = "used" if found.accepted_at else "withdrawn" if found.withdrawn_at else "expired"
        return _no_way(request, why, status=410)
    if not queries.may_still_invite(found):
        return _no_way(request, "lapsed", status=410, inviter=found.invited_by)
    if isinstance(request.user, User):
        return _confirm(request, found, request.user)
    if User.objects.filter(email=found.email).exists():
        return render(request, "accounts/invitation_sign_in.html", {"invitation": found})
    return _join(request, found)


def _found(request: HttpRequest, pk: int) -> Invitation | None:
    """The invitation, if this browser came with its secret."""
    kept, token = request.session.get(KEPT, (None, ""))
    if kept != pk:
        return None
    invitation = (
        Invitation.objects.select_related("organisation", "invited_by").filter(pk=pk).first()
    )
    return invitation if invitation and is_token_of(token, invitation) else None


def _no_way(request: HttpRequest, why: str, *, status: int, **more: object) -> HttpResponse:
    return render(request, "accounts/invitation_over.html", {"why": why, **more}, status=status)


def _confirm(request: HttpRequest, found: Invitation, person: User) -> HttpResponse:
    """Somebody is signed in: the right person takes the role with one button."""
    if person.email != found.email:
        context = {"invitation": found}
        return render(request, "accounts/invitation_other.html", context, status=403)
    if request.method == "POST":
        try:
            services.accept(invitation=found, by=person, at=clock.now())
        except Refused as refusal:
            messages.error(request, str(refusal))
            return redirect("accounts:invitation", found.pk)
        return _welcome(request, found)
    return render(request, "accounts/invitation_confirm.html", {"invitation": found})


def _join(request: HttpRequest, found: Invitation) -> HttpResponse:
    """Somebody new: name and password, then they are signed in."""
    posted = request.method == "POST"
    form = JoinForm(
        request.POST if posted else None, initial={"name": found.name}, email=found.email
    )
    if posted and form.is_valid():
        try:
            person = services.join(
                invitation=found,
                name=form.cleaned_data["name"],
                password=form.cleaned_data["password1"],
                at=clock.now(),
            )
        except Refused as refusal:
            messages.error(request, str(refusal))
            return redirect("accounts:invitation", found.pk)
        login(request, person, backend=settings.AUTHENTICATION_BACKENDS[0])
        return _welcome(request, found)
    context = {"invitation": found, "form": form}
    return render(
        request, "accounts/invitation_join.html", context, status=422 if form.errors else 200
    )


def _welcome(request: HttpRequest, found: Invitation) -> HttpResponse:
    request.session.pop(KEPT, None)
    role = f"{found.get_role_display()} of {found.organisation}"
    messages.success(request, f"You are signed in. Your role: {role}.")
    return redirect("home")
