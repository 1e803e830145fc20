"""Beginning a draft, its home, and the changes made to it."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from practices.common import clock
from practices.common.access import Permission, SignedInRequest, requires
from practices.common.errors import Conflict, Refused
from practices.plans import services
from practices.plans.forms import NewPlanForm
from practices.plans.models import PlanVersion
from practices.plans.queries import (
    PartRow,
    draft_page,
    edits_of,
    part_rows,
    recent_edits,
)

from .common import find_version, with_draft
from .due_line import sample_go_live
from .kinds import KINDS, Kind


@require_http_methods(["GET", "POST"])
@requires(Permission.MANAGE_PLANS)
def new(request: SignedInRequest) -> HttpResponse:
    """A plan from nothing, or as a copy of another one."""
    versions = {
        str(version.pk): version
        for version in PlanVersion.objects.exclude(state=PlanVersion.State.RETIRED)
        .select_related("plan")
        .order_by("title", "-number")
    }
    choices = [
        (key, f"A copy of {version} ({version.get_state_display().lower()})")
        for key, version in versions.items()
    ]
    form = NewPlanForm(
        request.POST if request.method == "POST" else None,
        versions=choices,
        initial={"copied": request.GET.get("copied", "")},
    )
    if form.is_valid():
        said = form.cleaned_data
        try:
            draft = services.new_plan(
                slug=said["slug"],
                title=said["title"],
                copied=versions.get(said["copied"]),
                by=request.user,
                at=clock.now(),
            )
        except Refused as refusal:
            form.add_error("slug", str(refusal))
        else:
            messages.success(request, f"{draft} is there as a draft.")
            return redirect("plans:draft", draft.plan.slug)
    return render(request, "plans/new.html", {"form": form}, status=422 if form.is_bound else 200)


@require_POST
@requires(Permission.MANAGE_PLANS)
def start_draft(request: SignedInRequest, slug: str, number: int) -> HttpResponse:
    """Draft a new version from one that is published or retired."""
    draft = services.draft_from(version=find_version(slug, number), by=request.user, at=clock.now())
    if draft.revision:
        messages.info(request, f"{draft} is being drafted already: this is it.")
    return redirect("plans:draft", slug)


@require_GET
@with_draft
def draft(request: SignedInRequest, version: PlanVersion) -> HttpResponse:
    """The workbench: what a draft holds, what is wrong with it, what was changed last."""
    page = draft_page(version)
    sections = [
        (kind, _count(kind, part_rows(page.tree, kind.name), page.task_count))
        for kind in KINDS.values()
        if kind.name != "task"
    ]
    context = {
        "version": version,
        "page": page,
        "sections": sections,
        "edits": recent_edits(version),
        "go_live": sample_go_live(request, clock.now()),
    }
    return render(request, "plans/draft/home.html", context)


def _count(kind: Kind, rows: list[PartRow], tasks: int) -> str:
    off = sum(1 for row in rows if row.tag)
    count = len(rows) - off
    said = f"{count} {kind.noun if count == 1 else kind.noun + 's'}"
    if off:
        said += f" ({off} more switched off)"
    if kind.name != "phase":
        return said
    return f"{said}, {tasks} task{'' if tasks == 1 else 's'}"


@require_GET
@with_draft
def draft_changes(request: SignedInRequest, version: PlanVersion) -> HttpResponse:
    """Every change of a draft, each with a button to take it back."""
    page, edits = edits_of(version, request.GET.get("page"))
    context = {"version": version, "page_obj": page, "edits": edits}
    return render(request, "plans/draft/changes.html", context)


@require_POST
@with_draft
def draft_take_back(request: SignedInRequest, version: PlanVersion, number: int) -> HttpResponse:
    """Undo one change of a draft."""
    slug = version.plan.slug
    try:
        services.take_back(version=version, number=number, by=request.user, at=clock.now())
    except Conflict as conflict:
        messages.error(request, f"It was not taken back. {conflict}")
    else:
        messages.success(request, "The change is taken back.")
    return redirect("plans:draft_changes", slug)
