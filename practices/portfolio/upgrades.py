"""Moving many running migrations to a version of their plan: choosing, checking, the report."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from practices.accounts.models import User
from practices.common import clock
from practices.common.access import Permission, SignedInRequest, requires
from practices.common.csv_out import SafeCSV
from practices.common.errors import Refused
from practices.common.models import Job
from practices.common.services import clean_text
from practices.plans.models import PlanGate, PlanVersion
from practices.tracking.models import Migration, UpgradeItem, UpgradeRun
from practices.tracking.models.migration import MigrationQuerySet
from practices.tracking.queries.upgrades import movable_to
from practices.tracking.services import upgrading

from . import queries
from .forms import UpgradeFilters

PAGE = 50
CHECKED = 20  # previews a page: each is reckoned task by task
may = requires(Permission.UPGRADE_MIGRATIONS)
State = UpgradeItem.State


def move_to(version: PlanVersion, user: User) -> str:
    """Where this person moves running migrations to a published version, if any can be moved."""
    if version.state != PlanVersion.State.PUBLISHED:
        return ""
    return _choose_url(version) if movable_to(version, user).exists() else ""


def _version(slug: str, number: int) -> PlanVersion:
    published = PlanVersion.objects.published()
    return get_object_or_404(published, plan__slug=slug, number=number)


def _filtered(
    request: SignedInRequest, version: PlanVersion
) -> tuple[UpgradeFilters, MigrationQuerySet]:
    """The migrations that the filters of the dashboard leave of those that can be moved."""
    now = clock.now()
    movable = movable_to(version, request.user)
    form = UpgradeFilters(
        request.GET,
        options=queries.options(movable),
        manages=request.user.may(Permission.REPLAN),
        by=queries.run_by(movable),
    )
    form.is_valid()
    if manager := form.cleaned_data.get("manager"):
        movable = movable.filter(project_manager=manager)
    if runner := form.cleaned_data.get("runner"):
        movable = movable.filter(run_by=runner)
    chosen = queries.chosen(movable, form.cleaned_data, request.user)
    found = queries.signals(chosen, now)
    return form, queries.listed(chosen, form.cleaned_data, found, now)


def _chosen(request: SignedInRequest, version: PlanVersion) -> MigrationQuerySet:
    """Those that were ticked, or all that the filters leave."""
    _, listed = _filtered(request, version)
    if request.GET.get("all") == "yes":
        return listed
    references = map(clean_text, request.GET.getlist("migration"))
    return movable_to(version, request.user).filter(reference__in=references).order_by("reference")


@require_safe
@may
def choose(request: SignedInRequest, slug: str, number: int) -> HttpResponse:
    """The running migrations on older versions of this plan, to tick, or all that match."""
    version = _version(slug, number)
    form, listed = _filtered(request, version)
    page = Paginator(listed.with_people(), PAGE).get_page(request.GET.get("page"))
    query = request.GET.copy()
    query.pop("page", None)
    context = {
        "version": version,
        "form": form,
        "page_obj": page,
        "kept": [(name, value) for name, value in query.items() if name in form.fields],
        "recent": _runs(request).filter(version__plan=version.plan)[:5],
        "problem": "problem" in request.GET,
    }
    return render(request, "portfolio/upgrades/choose.html", context)


@dataclass(frozen=True)
class Checked:
    """A migration with what would change; ``problem`` where it cannot be moved.

    ``late`` are the codes of what would be overdue at once.
    """

    migration: Migration
    plan: upgrading.Proposal | None
    late: Collection[str] = ()
    problem: str = ""


@require_safe
@may
def check(request: SignedInRequest, slug: str, number: int) -> HttpResponse:
    """What would change in each of the chosen migrations; nothing is changed yet."""
    version = _version(slug, number)
    chosen = _chosen(request, version)
    page = Paginator(chosen.with_people(), CHECKED).get_page(request.GET.get("page"))
    if not page.paginator.count:
        return redirect(f"{_choose_url(version)}?problem=none")
    reopen = request.GET.get("reopen") == "yes"
    target, now = upgrading.target_of(version), clock.now()
    query = request.GET.copy()
    query.pop("page", None)
    context = {
        "version": version,
        "page_obj": page,
        "rows": [_checked(row, target, reopen=reopen, now=now) for row in page.object_list],
        "address": query.urlencode(),
        "reopen": reopen,
    }
    return render(request, "portfolio/upgrades/check.html", context)


def _checked(
    migration: Migration, target: upgrading.Target, *, reopen: bool, now: datetime
) -> Checked:
    try:
        plan = upgrading.preview_upgrade(migration, target, reopen=reopen)
    except Refused as refusal:  # it ended while the page was made
        return Checked(migration, None, problem=str(refusal))
    return Checked(migration, plan, plan.overdue_at_once(now))


@require_POST
@may
def begin(request: SignedInRequest, slug: str, number: int) -> HttpResponse:
    """Ask a worker to move the chosen migrations."""
    version = _version(slug, number)
    try:
        run = upgrading.ask_for_upgrades(
            migrations=_chosen(request, version),
            version=version,
            reopen=request.GET.get("reopen") == "yes",
            chosen="all that match" if request.GET.get("all") == "yes" else "one by one",
            by=request.user,
            at=clock.now(),
        )
    except Refused:
        return redirect(f"{_choose_url(version)}?problem=none")
    return redirect("portfolio:upgrade_run", run.pk)


def _choose_url(version: PlanVersion) -> str:
    return reverse("portfolio:upgrades", args=(version.plan.slug, version.number))


def _runs(request: SignedInRequest) -> QuerySet[UpgradeRun]:
    """Runs that this person asked for; of those who look after plans, all. Others find none."""
    runs = UpgradeRun.objects.select_related("version__plan", "by", "job", "undo_job")
    if not request.user.may(Permission.UPGRADE_MIGRATIONS):
        return runs.none()
    return runs if request.user.may(Permission.MANAGE_PLANS) else runs.filter(by=request.user)


@require_safe
def run(request: SignedInRequest, pk: int) -> HttpResponse:
    """How far it is, and in the end what became of each migration."""
    found = get_object_or_404(_runs(request), pk=pk)
    items = _items(found)
    counts = dict.fromkeys(State.values, 0)
    for state in items.values_list("state", flat=True):
        counts[state] += 1
    job = found.undo_job or found.job
    page = Paginator(items, PAGE).get_page(request.GET.get("page"))
    titles = _gate_titles(found)
    context = {
        "run": found,
        "job": job,
        "job_name": "Taking the moves back" if found.undo_job else "Moving migrations",
        "busy": job is not None and job.state in ("waiting", "running"),
        "page_obj": page,
        "rows": [(item, _withdrawn(item, titles)) for item in page],
        "counts": counts,
        # Where signatures were withdrawn nothing is kept to bring back.
        "may_undo": items.filter(state=State.DONE).exclude(undo={}).exists()
        and (not found.undo_job or found.undo_job.state == Job.State.FAILED),
        "may_go_on": found.job
        and found.job.state == Job.State.FAILED
        and counts[State.WAITING] > 0,
    }
    template = "portfolio/upgrades/_run.html" if request.htmx else "portfolio/upgrades/run.html"
    return render(request, template, context)


def _items(found: UpgradeRun) -> QuerySet[UpgradeItem]:
    return found.items.select_related("migration__practice__organisation", "from_version")


COLUMNS = (
    *("Reference", "Practice", "ODS code", "From version", "To version", "Outcome", "Problem"),
    *("New", "Removed", "No longer in plan", "Left out", "Other due date", "Running clocks"),
    "Withdrawn sign-offs",
)


@require_safe
def report(request: SignedInRequest, pk: int) -> HttpResponse:
    """The report of a run as CSV: a line for each migration."""
    found = get_object_or_404(_runs(request), pk=pk)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="upgrade-{found.pk}.csv"'
    titles = _gate_titles(found)
    out = SafeCSV(response)
    out.row(*COLUMNS)
    for item in _items(found):
        organisation = item.migration.practice.organisation
        out.row(
            item.migration.reference,
            organisation.name,
            organisation.code,
            item.from_version.number,
            found.version.number,
            item.get_state_display(),
            item.problem,
            *(_codes(item.report, name) for name in ("added", "removed", "kept")),
            *(_codes(item.report, name) for name in ("left_out", "due", "clocks")),
            "; ".join(_withdrawn(item, titles)),
        )
    return response


def _gate_titles(found: UpgradeRun) -> dict[str, str]:
    """What the gates of the plan are called, also those that its newest version has no more."""
    gates = PlanGate.objects.filter(version__plan=found.version.plan).order_by("version__number")
    return dict(gates.values_list("key", "title"))


def _withdrawn(item: UpgradeItem, titles: dict[str, str]) -> list[str]:
    """The sign-offs that a move withdrew, to be given again."""
    return [titles.get(key, key) for key in item.report.get("reopened", ())]


def _codes(said: dict[str, Any], name: str) -> str:
    return " ".join(said.get(name, ()))


@require_POST
def undo(request: SignedInRequest, pk: int, item: int) -> HttpResponse:
    """Take back what a run did to one migration."""
    found = get_object_or_404(_runs(request), pk=pk)
    chosen = get_object_or_404(_items(found), pk=item)
    if not chosen.migration.allows(request.user, Permission.UPGRADE_MIGRATIONS):
        raise PermissionDenied
    try:
        upgrading.undo_upgrade(item=chosen, by=request.user, at=clock.now())
    except Refused as refusal:
        messages.error(request, f"{chosen.migration.name}: {refusal}")
    else:
        number = chosen.from_version.number
        messages.success(request, f"{chosen.migration.name} has version {number} again.")
    return redirect("portfolio:upgrade_run", pk)


@require_POST
def go_on(request: SignedInRequest, pk: int) -> HttpResponse:
    """Ask a worker again for what a run that failed has left waiting."""
    found = get_object_or_404(_runs(request), pk=pk)
    try:
        upgrading.ask_to_go_on(run=found, by=request.user, at=clock.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
    return redirect("portfolio:upgrade_run", pk)


@require_POST
def undo_all(request: SignedInRequest, pk: int) -> HttpResponse:
    """Ask a worker to take back all of a run that nobody has worked on since."""
    found = get_object_or_404(_runs(request), pk=pk)
    try:
        upgrading.ask_to_undo(run=found, by=request.user, at=clock.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
    return redirect("portfolio:upgrade_run", pk)
