"""Who belongs to the organisations that somebody looks after, and what they hold there."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from practices.accounts import queries, services
from practices.accounts.forms import CODES, DeputyForm, RoleForm
from practices.accounts.models import Membership, User
from practices.common import clock
from practices.common.access import Permission, SignedInRequest, requires
from practices.common.errors import Refused
from practices.common.forms import NHSForm
from practices.common.templatetags.uk import uk_date
from practices.common.time import london_date
from practices.directory.models import Organisation

PER_PAGE = 50
INVITATIONS_SHOWN = 100
LONGEST_SEARCH = 100  # characters
asks = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
@requires(Permission.INVITE)
def people(request: SignedInRequest) -> HttpResponse:
    """Everybody this person looks after, and the invitations that wait for an answer."""
    words = request.GET.get("q", "")[:LONGEST_SEARCH].replace("\x00", "").strip()
    now = clock.now()
    found = queries.people_of(request.user, words=words, now=now)
    invitations = queries.invitations_of(request.user)
    return render(
        request,
        "accounts/people.html",
        {
            "q": words,
            "page_obj": Paginator(found, PER_PAGE).get_page(request.GET.get("page")),
            "invitations": invitations[:INVITATIONS_SHOWN],
            "waiting": invitations.count(),
            "now": now,
            "today": london_date(now),
        },
    )


@require_safe
def person(request: SignedInRequest, pk: int) -> HttpResponse:
    """One person: the roles that whoever asks decides about, and what can be done."""
    today = london_date(clock.now())
    found = _person(request, pk)
    administers = request.user.may(Permission.MANAGE_ACCOUNTS)
    return render(
        request,
        "accounts/person.html",
        {
            "person": found,
            "today": today,
            "administers": administers,
            "may_be_viewed": administers and services.may_be_viewed(found, request.user),
        },
    )


@asks
def deputy(request: SignedInRequest, pk: int) -> HttpResponse:
    """Appoint somebody to hold a role in its holder's place for some days."""
    now = clock.now()
    membership = get_object_or_404(
        Membership.objects.looked_after_by(request.user)
        .not_over(london_date(now))
        .filter(deputy_for=None)
        .select_related("person", "organisation"),
        pk=pk,
    )
    form = DeputyForm(
        request.POST if request.method == "POST" else None,
        people=queries.colleagues(membership, london_date(now)),
    )
    if form.is_bound and form.is_valid():
        try:
            standing_in = services.appoint_deputy(
                membership=membership, by=request.user, at=now, **form.cleaned_data
            )
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            first, last = uk_date(standing_in.valid_from), uk_date(standing_in.until)
            messages.success(
                request,
                f"{standing_in.person} stands in for {membership.person} from {first} until and "
                f"including {last}. Tell them: no mail is sent about it.",
            )
            return redirect("accounts:person", membership.person_id)
    heading = f"Appoint a deputy for {membership.person}"
    return _form_page(request, form, heading, membership.person, membership=membership)


@asks
@requires(Permission.MANAGE_ACCOUNTS)
def give_role(request: SignedInRequest, pk: int) -> HttpResponse:
    """Give somebody a role without an invitation."""
    found = _person(request, pk)
    form = RoleForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        organisation, role = form.target()
        try:
            given = services.add_membership(
                person=found,
                organisation=organisation,
                role=role,
                valid_to=form.valid_to(),
                by=request.user,
                at=clock.now(),
            )
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"{given}.")
            return redirect("accounts:person", pk)
    listed = Organisation.objects.besides_practices().open_on(london_date(clock.now()))
    heading = f"Give {found} a role"
    return _form_page(request, form, heading, found, codes=CODES, organisations=listed)


@require_POST
@requires(Permission.MANAGE_ACCOUNTS)
def close(request: SignedInRequest, pk: int) -> HttpResponse:
    """Let nobody sign in with this account any more."""
    found = _person(request, pk)
    try:
        services.close_account(person=found, by=request.user, at=clock.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"The account of {found} is closed. They are signed out.")
    return redirect("accounts:person", pk)


@require_POST
@requires(Permission.MANAGE_ACCOUNTS)
def reopen(request: SignedInRequest, pk: int) -> HttpResponse:
    """Let this person sign in again."""
    found = _person(request, pk)
    services.open_account(person=found, by=request.user, at=clock.now())
    messages.success(request, f"{found} can sign in again.")
    return redirect("accounts:person", pk)


def _person(request: SignedInRequest, pk: int) -> User:
    today = london_date(clock.now())
    found = User.objects.looked_after_by(request.user, today)
    return get_object_or_404(
        found.prefetch_related(queries.memberships_of(request.user, today)), pk=pk
    )


def _form_page(
    request: SignedInRequest, form: NHSForm, heading: str, about: User, **context: object
) -> HttpResponse:
    form.cancel_url = reverse("accounts:person", args=(about.pk,))
    return render(
        request,
        "accounts/person_form.html",
        {"form": form, "heading": heading, "person": about, **context},
        status=422 if form.errors else 200,
    )
