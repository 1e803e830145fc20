"""Sign-offs: read, sign, withdraw, or record that a step goes ahead without."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from practices.accounts.roles import Owner
from practices.common import clock
from practices.common.access import Permission, SignedInRequest
from practices.common.errors import Conflict, Refused
from practices.common.forms import NHSForm
from practices.plans.models import PlanSeat
from practices.plans.rules import inside
from practices.tracking import records, services
from practices.tracking.forms.gates import (
    BypassForm,
    ConfirmBypassForm,
    ExceptionsForm,
    SignForm,
    WithdrawForm,
)
from practices.tracking.models import Bypass, Gate, Migration, SignOff
from practices.tracking.services.gates import (
    SeatTaken,
    Stale,
    StillOpen,
    blocking,
    covered_tasks,
    may_withdraw,
    require_turn_of,
    seats_for,
    seen_mark,
    still_open,
    unread,
)
from practices.tracking.waiting import Waits

from .scope import migration_for, visible_migration

asks = require_http_methods(["GET", "HEAD", "POST"])


def _gate(migration: Migration, key: str) -> Gate:
    gate = get_object_or_404(
        migration.gates.with_needed()
        .select_related("plan_gate")
        .prefetch_related("plan_gate__seats"),
        key=key,
    )
    gate.migration = migration
    return gate


def _url(name: str, gate: Gate, *more: str) -> str:
    return reverse(f"tracking:{name}", args=(gate.migration.reference, gate.key, *more))


def _pending(gate: Gate) -> Bypass | None:
    """The record of going ahead without that waits for a second person."""
    if gate.state != Gate.State.WAITING:
        return None
    found = gate.bypasses.filter(round=gate.round, confirmation=None)
    return found.select_related("by", "reason").first()


@require_safe
def gate(request: SignedInRequest, reference: str, key: str) -> HttpResponse:
    """The statement, what is still open of what it covers, and everything that was signed."""
    migration = visible_migration(request, reference)
    gate = _gate(migration, key)
    user = request.user
    found = records.rounds(gate)
    pending = _pending(gate)
    active = migration.is_active
    signed_now = any(one.number == gate.round and one.signatures for one in found)
    may_pass = (
        active
        and gate.state == Gate.State.WAITING
        and gate.is_needed
        and bool(gate.plan_gate.blocks)
        and (pending is None or bool(pending.reason.redacted_at))
        and migration.allows(user, Permission.BYPASS_GATE)
    )
    may_confirm = (
        active
        and pending is not None
        and pending.by_id != user.pk
        and not unread(pending.reason)
        and migration.allows(user, Permission.CONFIRM_BYPASS)
    )
    return render(
        request,
        "tracking/gate.html",
        {
            "migration": migration,
            "gate": gate,
            "seats": records.seats(gate, found),
            "rounds": found,
            "items": still_open(gate),
            "covered": covered_tasks(gate).count(),
            "holds_up": records.holds_up(gate),
            "first": blocking(migration, f"gate:{gate.key}"),
            "confirm_to": Owner(gate.plan_gate.confirm_to).label
            if gate.plan_gate.confirm_to
            else "",
            "may_sign": seats_for(gate, user) if active else [],
            "may_withdraw": active and signed_now and may_withdraw(gate, user),
            "pending": pending,
            "unread": unread(pending.reason) if pending else "",
            "may_pass": may_pass,
            "may_confirm": may_confirm,
        },
    )


@asks
def sign(request: SignedInRequest, reference: str, key: str, seat: str) -> HttpResponse:
    """Read and give reasons; check; sign with one's name. Afterwards: the record's reference."""
    migration = migration_for(request, reference, Permission.SIGN)
    gate = _gate(migration, key)
    place = get_object_or_404(gate.plan_gate.seats, key=seat)
    taken = gate.sign_offs.filter(round=gate.round, seat=place).select_related("by").first()
    if taken and taken.by_id == request.user.pk:
        return _signed_page(request, gate, place, taken)
    if taken:
        messages.error(request, str(SeatTaken(taken)))
        return redirect(_url("gate", gate))
    if not migration.roles_of(request.user) & set(place.roles):
        raise PermissionDenied
    signing = Signing(request, gate, place)
    if problem := signing.hindrance():
        messages.error(request, problem)
        return redirect(_url("gate", gate))
    return signing.answer()


class Signing:
    """One person before one seat: the two pages of a signature, and what was typed on them."""

    def __init__(self, request: SignedInRequest, gate: Gate, seat: PlanSeat) -> None:
        self.request, self.gate, self.seat = request, gate, seat
        self.items: list[StillOpen] = still_open(gate)
        self.mark = seen_mark(gate, self.items)

    def hindrance(self) -> str:
        """Why this person cannot sign now, or nothing."""
        migration = self.gate.migration
        if not migration.is_active:
            return f"This migration is {migration.get_state_display().lower()}: nothing is signed."
        if self.seat not in seats_for(self.gate, self.request.user):
            return "You have signed another part of this. A different person has to sign this one."
        first = blocking(migration, f"gate:{self.gate.key}")
        if first:
            return f"“{first[0].title}” has to be signed first."
        try:
            require_turn_of(migration, self.seat, clock.now())
        except Waits as refusal:
            return str(refusal)
        return ""

    def answer(self) -> HttpResponse:
        post = self.request.POST
        if self.request.method != "POST":
            return self.first_page(ExceptionsForm(items=self.items))
        form = ExceptionsForm(post, items=self.items)
        if post.get("seen") != self.mark:
            return self.stale()
        if post.get("go") == "back" or not form.is_valid():
            return self.first_page(form)
        declaration = SignForm(
            post if post.get("go") == "sign" else None, full_name=self.request.user.name
        )
        if not declaration.is_bound or not declaration.is_valid():
            return self.second_page(form, declaration)
        return self.sign(form, declaration)

    def sign(self, form: ExceptionsForm, declaration: SignForm) -> HttpResponse:
        try:
            services.sign_off(
                gate=self.gate,
                seat=self.seat,
                name=declaration.cleaned_data["name"],
                seen=self.mark,
                exceptions=form.reasons,
                by=self.request.user,
                at=clock.now(),
            )
        except Conflict:
            self.items = still_open(self.gate)
            self.mark = seen_mark(self.gate, self.items)
            return self.stale()
        except SeatTaken as refusal:
            messages.error(self.request, str(refusal))
            return redirect(_url("gate", self.gate))
        except Refused as refusal:
            declaration.add_error(None, str(refusal))
            return self.second_page(form, declaration)
        return redirect(_url("sign", self.gate, self.seat.key))

    def stale(self) -> HttpResponse:
        """Something was done or reopened meanwhile: read again, with the reasons kept."""
        said = str(Stale(self.gate.migration))
        typed = {name: self.request.POST.get(name, "") for name in self.request.POST}
        form = ExceptionsForm(initial=typed, items=self.items)
        return self.first_page(form, errors=[said], status=409)

    def first_page(
        self, form: ExceptionsForm, *, errors: list[str] | None = None, status: int = 0
    ) -> HttpResponse:
        if form.is_bound and self.request.POST.get("go") == "back":
            form = ExceptionsForm(initial=self.request.POST.dict(), items=self.items)
        return self.page("sign", form, errors or [], status, items=self.items)

    def second_page(self, reasons: ExceptionsForm, declaration: SignForm) -> HttpResponse:
        typed = [(name, self.request.POST.get(name, "")) for name in reasons.fields]
        given = [(item, reasons.reasons[item.key]) for item in reasons.items]
        optional = [item for item in self.items if not item.mandatory]
        return self.page(
            "sign_check", declaration, [], 0, typed=typed, given=given, optional=optional
        )

    def page(
        self, name: str, form: NHSForm, errors: list[str], status: int, **more: object
    ) -> HttpResponse:
        context = {
            "migration": self.gate.migration,
            "gate": self.gate,
            "seat": self.seat,
            "form": form,
            "errors": errors,
            "mark": self.mark,
            "back": _url("gate", self.gate),
            **more,
        }
        status = status or (422 if form.errors else 200)
        return render(self.request, f"tracking/{name}.html", context, status=status)


def _signed_page(
    request: SignedInRequest, gate: Gate, seat: PlanSeat, signature: SignOff
) -> HttpResponse:
    places = records.seats(gate, records.rounds(gate))
    context = {
        "migration": gate.migration,
        "gate": gate,
        "signed_as": inside(seat.title),
        "signature": signature,
        "unreadable": "" if records.is_record(signature.snapshot) else records.UNREADABLE,
        "waiting": [one.seat for one in places if one.signature is None],
        "holds_up": records.holds_up(gate),
        "confirm_to": Owner(gate.plan_gate.confirm_to).label if gate.plan_gate.confirm_to else "",
    }
    return render(request, "tracking/signed.html", context)


@asks
def withdraw(request: SignedInRequest, reference: str, key: str) -> HttpResponse:
    """Take the signatures of the present round back, with a reason."""
    migration = migration_for(request, reference, Permission.SIGN)
    gate = _gate(migration, key)
    if not may_withdraw(gate, request.user):
        raise PermissionDenied
    form = WithdrawForm(
        request.POST if request.method == "POST" else None, initial={"round": gate.round}
    )
    status = 200
    if form.is_bound:
        status = 422
        if form.is_valid():
            try:
                services.withdraw_sign_off(
                    gate=gate,
                    reason=form.cleaned_data["reason"],
                    seen_round=form.cleaned_data["round"],
                    by=request.user,
                    at=clock.now(),
                )
            except Refused as refusal:
                status = 409 if isinstance(refusal, Conflict) else 422
                gate = _gate(migration, key)
                form.data = {**request.POST.dict(), "round": gate.round}
                form.add_error(None, str(refusal))
            else:
                messages.success(request, f"The sign-off “{gate.title}” is withdrawn.")
                return redirect(_url("gate", gate))
    form.cancel_url = _url("gate", gate)
    found = records.rounds(gate)
    context = {
        "migration": migration,
        "gate": gate,
        "form": form,
        "seats": records.seats(gate, found),
        "holds_up": records.holds_up(gate),
    }
    return render(request, "tracking/withdraw.html", context, status=status)


@asks
def bypass(request: SignedInRequest, reference: str, key: str) -> HttpResponse:
    """Record that a step goes ahead without its sign-off; a second person confirms."""
    migration = migration_for(request, reference, Permission.BYPASS_GATE)
    gate = _gate(migration, key)
    if not records.holds_up(gate) and request.method != "POST":
        messages.info(request, "This sign-off holds nothing up, so everything can go ahead.")
        return redirect(_url("gate", gate))
    form = BypassForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            services.record_bypass(
                gate=gate, reason=form.cleaned_data["reason"], by=request.user, at=clock.now()
            )
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(
                request, "It is recorded. Somebody of the practice or the commissioner confirms it."
            )
            return redirect(_url("gate", gate))
    form.cancel_url = _url("gate", gate)
    context = {
        "migration": migration,
        "gate": gate,
        "form": form,
        "items": still_open(gate),
        "holds_up": records.holds_up(gate),
    }
    status = 422 if form.is_bound else 200
    return render(request, "tracking/bypass.html", context, status=status)


@asks
def confirm_bypass(request: SignedInRequest, reference: str, key: str) -> HttpResponse:
    """The second person confirms; never the one who recorded it."""
    migration = migration_for(request, reference, Permission.CONFIRM_BYPASS)
    gate = _gate(migration, key)
    pending = _pending(gate)
    if pending is None:
        messages.error(request, "Nothing waits to be confirmed.")
        return redirect(_url("gate", gate))
    form = ConfirmBypassForm(
        request.POST if request.method == "POST" else None, initial={"bypass": pending.pk}
    )
    if form.is_bound and form.is_valid():
        seen = get_object_or_404(gate.bypasses, pk=form.cleaned_data["bypass"])
        seen.gate = gate
        try:
            services.confirm_bypass(bypass=seen, by=request.user, at=clock.now())
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"Confirmed: “{gate.title}” holds nothing up any more.")
            return redirect(_url("gate", gate))
    form.cancel_url = _url("gate", gate)
    pending.reason.refresh_from_db()
    context = {
        "migration": migration,
        "gate": gate,
        "form": form,
        "pending": pending,
        "unread": unread(pending.reason),
        "items": still_open(gate),
        "holds_up": records.holds_up(gate),
    }
    status = 422 if form.is_bound else 200
    return render(request, "tracking/bypass_confirm.html", context, status=status)
