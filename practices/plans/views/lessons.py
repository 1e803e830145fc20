"""What finished migrations tell about a plan, and a button that takes it into the draft."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from practices.common import clock
from practices.common.access import SignedInRequest
from practices.common.errors import Refused
from practices.plans import panels, services
from practices.plans.models import PlanEdit, PlanVersion
from practices.plans.queries import (
    PhaseEntry,
    TaskEntry,
    lessons_page,
    phase_entry,
    task_entry,
)

from .common import with_draft
from .kinds import Kind

ALL = 50  # texts on a page that has all of a task or phase


@require_GET
@with_draft
def draft_lessons(request: SignedInRequest, version: PlanVersion) -> HttpResponse:
    """Every task with something learnt, those with most first, and what practices added."""
    page = lessons_page(version, request.user, request.GET.get("page"))
    return render(request, "plans/draft/lessons.html", {"version": version, "page": page})


@require_GET
@with_draft
def draft_lessons_of(
    request: SignedInRequest, version: PlanVersion, kind: Kind, key: str
) -> HttpResponse:
    """All that was learnt from one task, or all tasks that were added to one phase."""
    _must_tell(kind)
    entry: TaskEntry | PhaseEntry | None
    if kind.name == "task":
        entry = task_entry(version, key, request.user, most=None)
    else:
        entry = phase_entry(version, key, request.user)
    page = Paginator(entry.lines if entry else [], ALL).get_page(request.GET.get("page"))
    context = {"version": version, "kind": kind, "key": key, "entry": entry, "page_obj": page}
    return render(request, "plans/draft/lessons_of.html", context)


@require_POST
@with_draft
def draft_adopt(
    request: SignedInRequest, version: PlanVersion, kind: Kind, key: str
) -> HttpResponse:
    """Take one text into the task that it is about, or one added task into its phase."""
    _must_tell(kind)
    slug = version.plan.slug
    said = request.POST.get("said", "")
    try:
        if kind.name == "task":
            edit, code = _adopt_lesson(request, version, key, said), key
        else:
            edit = _adopt_task(request, version, key, said)
            code = edit.steps[0]["key"] if edit else ""
    except Refused as refusal:
        messages.error(request, f"Nothing was adopted. {refusal}")
    else:
        if edit is None:
            messages.info(request, "The draft says that already: nothing was changed.")
        else:
            _say(request, slug, code, kind)
    back = request.POST.get("next", "")
    inside = url_has_allowed_host_and_scheme(back, allowed_hosts=None)
    return redirect(back if inside else reverse("plans:draft_lessons", args=[slug]))


def _must_tell(kind: Kind) -> None:
    """Migrations tell of tasks, and of phases what was added to them. Raises Http404 for others."""
    if kind.name not in ("task", "phase"):
        raise Http404


def _say(request: SignedInRequest, slug: str, code: str, kind: Kind) -> None:
    done = "The lesson is added to" if kind.name == "task" else "The task is added to the plan as"
    messages.success(
        request,
        format_html(
            '{} <a class="nhsuk-notification-banner__link" href="{}">{}</a>. '
            '<a class="nhsuk-notification-banner__link" href="{}">Changes</a> can take it back.',
            done,
            reverse("plans:draft_edit", args=[slug, "tasks", code]),
            code,
            reverse("plans:draft_changes", args=[slug]),
        ),
    )


def _adopt_lesson(
    request: SignedInRequest, version: PlanVersion, code: str, key: str
) -> PlanEdit | None:
    told = panels.lessons(version.plan_id, reader=request.user, most=None, code=code)
    about = told.tasks.get(code, panels.TaskLessons())
    for said in (*about.lessons.newest, *about.reasons.newest):
        if said.key == key and said.is_shown:
            return services.adopt_lesson(
                version=version, code=code, text=said.text, by=request.user, at=clock.now()
            )
    raise Refused("This lesson is no longer there.")


def _adopt_task(
    request: SignedInRequest, version: PlanVersion, phase: str, key: str
) -> PlanEdit | None:
    told = panels.lessons(version.plan_id, reader=request.user, most=None, phase=phase)
    for added in told.added.get(phase, panels.AddedTasks()).newest:
        if added.said.key == key and added.said.is_shown:
            return services.adopt_task(
                version=version, phase=phase, added=added, by=request.user, at=clock.now()
            )
    raise Refused("This task is no longer there.")
