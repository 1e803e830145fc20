"""Inviting people, and what becomes of an invitation."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from practices.accounts import queries, services
from practices.accounts.forms import CODES, InviteAnywhereForm, InviteForm
from practices.accounts.models import Invitation
from practices.common import clock
from practices.common.access import Permission, SignedInRequest, requires
from practices.common.errors import Refused
from practices.common.time import london_date
from practices.directory.models import Organisation

SENT = "{email} is invited. The mail goes out within two minutes, and its link works for 14 days."


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.INVITE)
def invite(request: SignedInRequest) -> HttpResponse:
    """Offer somebody a role in an organisation that this person looks after."""
    form = _form(request)
    if form.is_bound and form.is_valid():
        organisation, role = form.target()
        try:
            invitation = services.invite(
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
            return redirect("accounts:people")
    form.cancel_url = reverse("accounts:people")
    status = 422 if form.errors else 200
    listed = Organisation.objects.besides_practices().open_on(london_date(clock.now()))
    context = {"form": form, "codes": CODES, "organisations": listed}
    return render(request, "accounts/invite.html", context, status=status)


def _form(request: SignedInRequest) -> InviteAnywhereForm:
    data = request.POST if request.method == "POST" else None
    if request.user.may(Permission.MANAGE_ACCOUNTS):
        return InviteAnywhereForm(data)
    offers = queries.offers(request.user)
    if not offers:
        raise PermissionDenied
    return InviteForm(data, offers=offers)


@require_POST
def send_again(request: SignedInRequest, pk: int) -> HttpResponse:
    """A new mail with a new link."""
    invitation = _invitation(request, pk)
    try:
        services.send_again(invitation=invitation, by=request.user, at=clock.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(
            request, f"A new mail goes to {invitation.email}. The link before it no longer works."
        )
    return redirect("accounts:people")


@require_POST
def withdraw(request: SignedInRequest, pk: int) -> HttpResponse:
    """Take an invitation back."""
    invitation = _invitation(request, pk)
    try:
        services.withdraw_invitation(invitation=invitation, by=request.user, at=clock.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"The invitation of {invitation.email} is withdrawn.")
    return redirect("accounts:people")


def _invitation(request: SignedInRequest, pk: int) -> Invitation:
    return get_object_or_404(Invitation.objects.looked_after_by(request.user), pk=pk)
