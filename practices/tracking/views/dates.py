"""Key dates: planned again with everything that moves shown first, recorded, taken back."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_safe

from practices.common import clock
from practices.common.access import Permission, SignedInRequest
from practices.common.calendar import WorkingCalendar, working_calendar
from practices.common.errors import Conflict, Refused
from practices.tracking import queries, services
from practices.tracking.forms.dates import (
    ClearDateForm,
    CorrectDateForm,
    MomentForm,
    PlanDateForm,
    RecordDateForm,
)
from practices.tracking.models import KeyDate, Migration
from practices.tracking.rules import EOA, FDP, GL, STAGE_DATES, end_note
from practices.tracking.services.dates import (
    FarFromPlan,
    GateClosed,
    Recorded,
    recording_task,
    tasks_that_follow,
)
from practices.tracking.services.gates import blocking, unsigned_before
from practices.tracking.services.replanning import RePlan, cut_over_warnings, preview_replan
from practices.tracking.waiting import WaitsFor, waiting

from .scope import migration_for, visible_migration

asks = require_http_methods(["GET", "HEAD", "POST"])
State = Migration.State
# The stages in which the three dates that change the stage are recorded, and taken back.
RECORDED_IN = {FDP: State.PLANNING, GL: State.CUT_OVER, EOA: State.POST_GO_LIVE}
TAKEN_BACK_IN = {FDP: State.CUT_OVER, GL: State.POST_GO_LIVE, EOA: State.ACCESS_ENDED}


@dataclass(frozen=True)
class DateRow:
    """A key date as one person sees it, with what they may do about it now."""

    key_date: KeyDate
    viewer: queries.Viewer
    names: dict[str, str]
    calendar: WorkingCalendar

    @property
    def follows(self) -> str:
        """What it follows, in words, when nobody plans it by hand."""
        plan = self.key_date.plan_key_date
        if plan.same_as:
            return f"Same as “{self.names[plan.same_as]}”"
        return "Set by its clock" if plan.clock else ""

    @property
    def end_note(self) -> str:
        """The last working day before an end that a clock sets, where nobody works on it."""
        d = self.key_date
        return "" if d.actual or not self.follows or d.has_time else end_note(d.on, self.calendar)

    def _may(self, permission: Permission) -> bool:
        return self.viewer.migration.is_active and self.viewer.may(permission)

    def _in_stage(self, stages: dict[str, State]) -> bool:
        stage = stages.get(self.key_date.key)
        return stage is None or stage == self.viewer.migration.state

    @property
    def can_plan(self) -> bool:
        return (
            not self.key_date.actual and not self.key_date.follows and self._may(Permission.REPLAN)
        )

    @property
    def can_record(self) -> bool:
        """Record, or correct."""
        return (
            not self.key_date.plan_key_date.same_as
            and (bool(self.key_date.actual) or self._in_stage(RECORDED_IN))
            and self._may(Permission.RECORD_DATES)
        )

    @property
    def can_extend(self) -> bool:
        """Agree on another end: of old-system access while its clock runs."""
        return (
            bool(self.key_date.plan_key_date.clock)
            and self.key_date.key == EOA
            and not self.key_date.actual
            and self._in_stage(RECORDED_IN)
            and self._may(Permission.REPLAN)
        )

    @property
    def can_clear(self) -> bool:
        aborts = self.key_date.key == FDP
        return (
            bool(self.key_date.actual)
            and not self.key_date.plan_key_date.same_as
            and self._in_stage(TAKEN_BACK_IN)
            and self._may(Permission.END_MIGRATION if aborts else Permission.RECORD_DATES)
        )


def _key_date(migration: Migration, key: str) -> KeyDate:
    """A key date of its own, not another name of one."""
    key_date = (
        migration.key_dates.select_related("plan_key_date", "recorded_by").filter(key=key).first()
    )
    if key_date is None or key_date.plan_key_date.same_as:
        raise Http404("No such key date.")
    return key_date


def _back(migration: Migration) -> str:
    return reverse("tracking:dates", args=(migration.reference,))


@require_safe
def dates(request: SignedInRequest, reference: str) -> HttpResponse:
    """Every key date: planned, actual, what can be done about it; and every clock run."""
    migration = visible_migration(request, reference)
    now = clock.now()
    viewer = queries.Viewer(request.user, migration, now)
    found = list(migration.key_dates.select_related("plan_key_date", "recorded_by").in_order())
    names = {d.key: d.title for d in found}
    calendar = working_calendar()
    return render(
        request,
        "tracking/dates.html",
        {
            "migration": migration,
            "rows": [DateRow(d, viewer, names, calendar) for d in found],
            "clocks": queries.clock_lines(migration, now),
            "not_started": queries.not_started(migration) if migration.is_active else [],
            "extensions": queries.extensions(migration),
            "now": now,
        },
    )


@asks
def replan(request: SignedInRequest, reference: str, key: str) -> HttpResponse:
    """Ask for the new date, show everything that moves, then move it.

    What was asked stands in the address, so that going back and forward asks nobody to
    send a form again; only the move itself is posted.
    """
    migration = migration_for(request, reference, Permission.REPLAN)
    key_date = _key_date(migration, key)
    posted = request.method == "POST"
    asked = request.POST if posted else request.GET
    if not posted and not asked:
        initial = {"when": key_date.planned_at if key_date.has_time else key_date.planned_on}
        return _plan_page(request, migration, PlanDateForm(key_date=key_date, initial=initial))
    form = PlanDateForm(asked, key_date=key_date)
    if not form.is_valid() or asked.get("go") == "back":
        return _plan_page(request, migration, form)
    if not posted:
        return _preview_page(request, migration, form)
    try:
        plan = services.replan(
            migration=migration,
            key=key,
            to=form.moment,
            seen=request.POST.get("seen", ""),
            by=request.user,
            at=clock.now(),
        )
    except Conflict as conflict:
        return _preview_page(request, migration, form, problem=str(conflict))
    except Refused as refusal:
        form.add_error(None, str(refusal))
        return _plan_page(request, migration, form)
    messages.success(request, _replanned(key_date, plan))
    return redirect("tracking:dates", reference)


def _plan_page(request: SignedInRequest, migration: Migration, form: PlanDateForm) -> HttpResponse:
    form.cancel_url = _back(migration)
    status = 422 if form.errors else 200
    context = {"migration": migration, "key_date": form.key_date, "form": form}
    return render(request, "tracking/date_plan.html", context, status=status)


def _preview_page(
    request: SignedInRequest, migration: Migration, form: PlanDateForm, *, problem: str = ""
) -> HttpResponse:
    try:
        plan = preview_replan(
            migration=migration, key=form.key_date.key, to=form.moment, at=clock.now()
        )
    except Refused as refusal:
        form.add_error(None, str(refusal))
        return _plan_page(request, migration, form)
    if not plan.dates:
        form.add_error("when", f"{form.key_date.title} is already planned for then.")
        return _plan_page(request, migration, form)
    typed = [item for item in form.data.items() if item[0].startswith("when_")]
    context = {
        "migration": migration,
        "key_date": form.key_date,
        "plan": plan,
        "typed": typed,
        "address": reverse("tracking:replan", args=(migration.reference, form.key_date.key)),
        "again": urlencode([*typed, ("go", "back")]),
        "errors": [problem] if problem else [],
        "back": _back(migration),
    }
    return render(request, "tracking/date_preview.html", context, status=409 if problem else 200)


def _replanned(key_date: KeyDate, plan: RePlan) -> str:
    return f"{key_date.title} is planned again. {_tasks(len(plan.tasks))} with it."


def _tasks(many: int) -> str:
    return f"{many} open task{'' if many == 1 else 's'} moved"


@asks
def record(request: SignedInRequest, reference: str, key: str) -> HttpResponse:
    """Record when it happened, or correct that with a reason."""
    migration = migration_for(request, reference, Permission.RECORD_DATES)
    key_date = _key_date(migration, key)
    if request.method != "POST":
        return _record_page(request, migration, _record_form(key_date))
    form = _record_form(key_date, request.POST.dict())
    if not form.is_valid():
        return _record_page(request, migration, form)
    try:
        recorded = services.record_actual(
            migration=migration,
            key=key,
            when=form.moment,
            reason=form.cleaned_data.get("reason", ""),
            seen=form.cleaned_data.get("seen"),
            sure=form.is_sure,
            by=request.user,
            at=clock.now(),
        )
    except Conflict as conflict:
        # Shown as it is now: pressing again is a decision taken knowing that.
        key_date = _key_date(migration, key)
        typed = request.POST.dict()
        typed.pop("seen", None)
        if key_date.actual:
            typed["seen"] = key_date.actual.at.isoformat()
        form = _record_form(key_date, typed)
        form.add_error(None, str(conflict))
        return _record_page(request, migration, form, status=409)
    except GateClosed as refusal:
        # What is missing stands above the form, with links.
        form.add_error(None, str(refusal))
        return _record_page(request, migration, form)
    except FarFromPlan as question:
        form.ask(str(question))
        return _record_page(request, migration, form)
    except Refused as refusal:
        form.add_error("when", str(refusal))
        return _record_page(request, migration, form)
    _tell(request, migration, recorded)
    return redirect("tracking:dates", reference)


def _record_form(key_date: KeyDate, data: dict[str, str] | None = None) -> RecordDateForm:
    """The form for the date as the person saw it: not recorded, or recorded as ``seen``."""
    if data is not None:
        form = CorrectDateForm if "seen" in data else RecordDateForm
        return form(data, key_date=key_date)
    if key_date.actual is None:
        return RecordDateForm(key_date=key_date)
    initial = {
        "when": key_date.actual.at if key_date.has_time else key_date.actual.on,
        "seen": key_date.actual.at.isoformat(),
    }
    return CorrectDateForm(key_date=key_date, initial=initial)


def _record_page(
    request: SignedInRequest, migration: Migration, form: MomentForm, *, status: int = 0
) -> HttpResponse:
    key_date = form.key_date
    form.cancel_url = _back(migration)
    warns = key_date.key in STAGE_DATES and not key_date.actual
    context = {
        "migration": migration,
        "key_date": key_date,
        "form": form,
        "closed": [] if key_date.actual else blocking(migration, key_date.key),
        "unsigned": unsigned_before(migration, key_date) if warns else [],
        "waits": _waits(migration, key_date),
        "following": tasks_that_follow(migration, key_date.key).count(),
        "may_pass": migration.allows(request.user, Permission.BYPASS_GATE),
        "starts": migration.plan_version.clocks.filter(enabled=True, starts=key_date.key),
        "stops": migration.plan_version.clocks.filter(enabled=True, stops=key_date.key),
    }
    status = status or (422 if form.is_bound else 200)
    return render(request, "tracking/date_record.html", context, status=status)


def _waits(migration: Migration, key_date: KeyDate) -> list[WaitsFor]:
    """What has to be done before a date can be recorded, where a task records it."""
    if key_date.actual:
        return []
    tasks = recording_task(migration, key_date.key)
    return [one for found in waiting(tasks, clock.now()).values() for one in found]


def _tell(request: SignedInRequest, migration: Migration, recorded: Recorded) -> None:
    key_date = recorded.key_date
    if not recorded.changed:
        messages.info(request, f"{key_date.title} was already recorded so. Nothing changed.")
        return
    said = [f"{key_date.title} is recorded.", *_clocks_say(migration, key_date.key, clock.now())]
    if recorded.moved:
        said.append(f"{_tasks(recorded.moved)} because of it.")
    messages.success(request, " ".join(said))
    if key_date.key == FDP:
        for warning in cut_over_warnings(migration):
            messages.warning(request, warning)


def _clocks_say(migration: Migration, key: str, now: datetime) -> Iterator[str]:
    """What the clocks that hang on a date do now, with their exact ends in UK time."""
    for card in queries.clocks_now(migration, now):
        if card.run.is_running and card.run.plan_clock.starts == key:
            yield card.begins()
        elif card.run.plan_clock.stops == key and card.run.counts_hours and card.run.stopped_at:
            yield card.ends()


@asks
def clear(request: SignedInRequest, reference: str, key: str) -> HttpResponse:
    """Take a recorded date back. For final data production that is aborting the cut-over."""
    if key == FDP:
        return redirect("tracking:abort_cut_over", reference)
    migration = migration_for(request, reference, Permission.RECORD_DATES)
    key_date = _key_date(migration, key)
    form = ClearDateForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            moved = services.clear_actual(
                migration=migration,
                key=key,
                reason=form.cleaned_data["reason"],
                by=request.user,
                at=clock.now(),
            )
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            more = f" {_tasks(moved)} because of it." if moved else ""
            messages.success(request, f"{key_date.title} is no longer recorded.{more}")
            return redirect("tracking:dates", reference)
    form.cancel_url = _back(migration)
    runs = migration.clock_runs.counting()
    context = {
        "migration": migration,
        "key_date": key_date,
        "form": form,
        "started": runs.filter(plan_clock__starts=key),
        "stopped": runs.filter(plan_clock__stops=key).exclude(stopped_at=None),
        "goes_back": key in TAKEN_BACK_IN,
    }
    status = 422 if form.is_bound else 200
    return render(request, "tracking/date_clear.html", context, status=status)
