"""Inviting many from a CSV file: upload, look at what would happen, confirm."""

from typing import Any

from django.contrib import messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from practices.accounts import queries, services
from practices.accounts.forms import InviteManyForm
from practices.accounts.invitation_file import MOST_LINES, NAMES_OF_COLUMNS, Line
from practices.accounts.roles import Role
from practices.accounts.services import Judged
from practices.common import clock
from practices.common.access import Permission, SignedInRequest, requires
from practices.common.csv_out import SafeCSV

KEPT_FOR = 60 * 60  # seconds between looking and confirming
_SALT = "practices.accounts.many"


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.INVITE)
def invite_many(request: SignedInRequest) -> HttpResponse:
    """Nothing is kept between the steps: the page that was looked at sends its lines back."""
    everywhere = request.user.may(Permission.MANAGE_ACCOUNTS)
    allowed = queries.offers(request.user)
    if not everywhere and not allowed:
        raise PermissionDenied
    if "lines" in request.POST:
        return _send(request)
    posted = request.method == "POST"
    form = InviteManyForm(request.POST, request.FILES) if posted else InviteManyForm()
    form.cancel_url = reverse("accounts:people")
    if posted and form.is_valid():
        lines = form.cleaned_data["file"]
        judged = services.preview_many(lines=lines, by=request.user, at=clock.now())
        return _check_page(request, judged)
    roles = dict.fromkeys(role for found in allowed.values() for role in found)
    context = {
        "form": form,
        "columns": [(name, aliases.split()) for name, aliases in NAMES_OF_COLUMNS.items()],
        "roles": [(role.value, role.label) for role in Role if everywhere or role in roles],
        "organisations": None if everywhere else list(allowed),
        "most": MOST_LINES,
    }
    status = 422 if form.errors else 200
    return render(request, "accounts/invite_many.html", context, status=status)


def _send(request: SignedInRequest) -> HttpResponse:
    lines = _sent_back(request)
    if lines is None:
        messages.error(
            request, "That was too long ago, and nobody was invited. Use the file again."
        )
        return redirect("accounts:invite_many")
    judged = services.invite_many(lines=lines, by=request.user, at=clock.now())
    sent = sum(not one.problem for one in judged)
    refused = len(judged) - sent
    messages.success(
        request,
        f"{sent} {'person is' if sent == 1 else 'people are'} invited. The mails go out within two "
        "minutes."
        + (f" {refused} line{' was' if refused == 1 else 's were'} left out." if refused else ""),
    )
    return redirect("accounts:people")


@require_POST
@requires(Permission.INVITE)
def rejected(request: SignedInRequest) -> HttpResponse:
    """The lines that invite nobody, with the reason: mended, they can be used again."""
    lines = _sent_back(request)
    if lines is None:
        messages.error(request, "That was too long ago. Use the file again.")
        return redirect("accounts:invite_many")
    judged = services.preview_many(lines=lines, by=request.user, at=clock.now())
    response = HttpResponse(
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="rejected-lines.csv"'},
    )
    out = SafeCSV(response)
    out.row("line", "reason", *NAMES_OF_COLUMNS)
    for one in judged:
        if one.problem:
            cells = [one.line.cells.get(column, "") for column in NAMES_OF_COLUMNS]
            out.row(one.line.number, one.problem, *cells)
    return response


def _check_page(request: SignedInRequest, judged: list[Judged]) -> HttpResponse:
    sent = sum(not one.problem for one in judged)
    rows: list[Any] = [[one.line.number, dict(one.line.cells)] for one in judged]
    context = {
        "judged": judged,
        "sent": sent,
        "refused": len(judged) - sent,
        "lines": signing.dumps([request.user.pk, rows], salt=_SALT, compress=True),
    }
    return render(request, "accounts/invite_many_check.html", context)


def _sent_back(request: SignedInRequest) -> list[Line] | None:
    """The lines that this person looked at; None when they are too old or not theirs."""
    try:
        whose, rows = signing.loads(request.POST.get("lines", ""), salt=_SALT, max_age=KEPT_FOR)
    except signing.BadSignature:
        return None
    return [Line(number, cells) for number, cells in rows] if whose == request.user.pk else None
