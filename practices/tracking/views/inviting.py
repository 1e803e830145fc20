"""Inviting people of a migration.

The room of accounts knows no migrations: which practices a project manager may invite to
is decided here, from a migration that they may see, and the invitation itself is made there.
"""

from functools import reduce
from operator import or_

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from practices.accounts import services as accounts
from practices.accounts.forms import InviteForm
from practices.accounts.models import Invitation
from practices.accounts.views.inviting import SENT
from practices.common import clock
from practices.common.access import SignedInRequest
from practices.common.errors import Refused
from practices.directory.models import Organisation
from practices.tracking.models import Migration
from practices.tracking.team import invitable

from .scope import visible_migration

Places = dict[str, tuple[Organisation, str]]


def open_invitations(places: Places) -> QuerySet[Invitation]:
    """Invitations nobody has answered, to what this person may invite to."""
    if not places:
        return Invitation.objects.none()
    roles = {Q(organisation=organisation, role=role) for organisation, role in places.values()}
    found = Invitation.objects.unanswered().filter(reduce(or_, roles))
    return found.select_related("organisation").order_by("-mail_asked_at", "-pk")


def _places(request: SignedInRequest, reference: str) -> tuple[Migration, Places]:
    """The migration, and where this person may invite people of it; who may nowhere gets 403."""
    migration = visible_migration(request, reference)
    places = invitable(migration, request.user)
    if not places:
        raise PermissionDenied
    return migration, places


@require_http_methods(["GET", "HEAD", "POST"])
def invite(request: SignedInRequest, reference: str) -> HttpResponse:
    """Offer somebody a role of this migration."""
    migration, places = _places(request, reference)
    offers: dict[Organisation, list[str]] = {}
    for organisation, role in places.values():
        if role not in offers.setdefault(organisation, []):
            offers[organisation].append(role)
    wanted = places.get(request.GET.get("role", ""))
    form = InviteForm(
        request.POST if request.method == "POST" else None,
        offers=offers,
        initial={"role": f"{wanted[0].pk}-{wanted[1]}" if wanted else ""},
    )
    if form.is_bound and form.is_valid():
        organisation, role = form.target()
        try:
            invitation = accounts.invite(
                email=form.cleaned_data["email"],
                name=form.cleaned_data["name"],
                organisation=organisation,
                role=role,
                valid_to=form.valid_to(),
                by=request.user,
                at=clock.now(),
            )
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, SENT.format(email=invitation.email))
            return redirect("tracking:people", reference)
    form.cancel_url = reverse("tracking:people", args=(reference,))
    return render(
        request,
        "tracking/person_form.html",
        {"migration": migration, "form": form, "heading": "Invite somebody"},
        status=422 if form.errors else 200,
    )


@require_POST
def send_again(request: SignedInRequest, reference: str, pk: int) -> HttpResponse:
    """A new mail with a new link."""
    invitation = _invitation(request, reference, pk)
    try:
        accounts.send_again(invitation=invitation, by=request.user, at=clock.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"A new mail goes to {invitation.email}.")
    return redirect("tracking:people", reference)


@require_POST
def withdraw(request: SignedInRequest, reference: str, pk: int) -> HttpResponse:
    """Take an invitation back."""
    invitation = _invitation(request, reference, pk)
    try:
        accounts.withdraw_invitation(invitation=invitation, by=request.user, at=clock.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"The invitation of {invitation.email} is withdrawn.")
    return redirect("tracking:people", reference)


def _invitation(request: SignedInRequest, reference: str, pk: int) -> Invitation:
    _, places = _places(request, reference)
    return get_object_or_404(open_invitations(places), pk=pk)
