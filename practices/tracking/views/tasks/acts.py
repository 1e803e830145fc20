"""The page of a task, and every act that changes how it stands."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from practices.accounts.roles import Permission
from practices.common import clock
from practices.common.access import SignedInRequest
from practices.common.errors import Refused
from practices.common.templatetags.uk import uk_datetime
from practices.plans.rules import listed
from practices.tracking import queries, services
from practices.tracking.forms.tasks import (
    AssignForm,
    BlockForm,
    DueForm,
    ReopenForm,
    SetAsideForm,
    VersionForm,
)
from practices.tracking.models import Task
from practices.tracking.services.tasks import SignedOver, signed_gates_over
from practices.tracking.views.scope import task_for, visible_task, workable_task
from practices.tracking.waiting import done_after

from ._base import answer, ask, refused, task_page, task_url, way_back

asks = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
def task(request: SignedInRequest, reference: str, code: str) -> HttpResponse:
    """Everything about one task."""
    return task_page(request, visible_task(request, reference, code))


@require_POST
def tick(request: SignedInRequest, reference: str, code: str) -> HttpResponse:
    """Mark a task done; pressing again, or after somebody else, changes nothing."""
    task = workable_task(request, reference, code)
    try:
        settled = services.tick_task(task=task, by=request.user, at=clock.now())
    except Refused as refusal:
        return refused(request, task, refusal)
    return answer(
        request,
        task,
        settled,
        done=f"{code} is done.",
        already=already_done(settled.task),
        undo=True,
    )


def already_done(task: Task) -> str:
    """For whoever comes second: who did it, and when."""
    return f"{task.code} was already done, by {task.settled_by} on {uk_datetime(task.settled_at)}."


@asks
def reopen(request: SignedInRequest, reference: str, code: str) -> HttpResponse:
    """Undo. A list's button does it at once; where a sign-off covers the task a page asks why."""
    task = workable_task(request, reference, code)
    if request.method == "POST" and "reason" not in request.POST:
        return _undo(request, task)
    signed = list(signed_gates_over(task))
    form = ReopenForm(
        request.POST if request.method == "POST" else None,
        initial={"version": task.version},
        signed=bool(signed),
    )

    def act(data: dict[str, Any]) -> object:
        return services.reopen_task(
            task=task,
            seen_version=data["version"],
            reason=data["reason"],
            by=request.user,
            at=clock.now(),
        )

    return ask(
        request,
        task,
        form,
        act,
        heading="Reopen task",
        done=_to_do_again(task),
        signed=signed,
        done_after=done_after(task),
    )


def _undo(request: SignedInRequest, task: Task) -> HttpResponse:
    seen = VersionForm(request.POST)
    version = seen.cleaned_data["version"] if seen.is_valid() else -1
    try:
        settled = services.reopen_task(
            task=task, seen_version=version, by=request.user, at=clock.now()
        )
    except SignedOver:
        back = urlencode({"next": way_back(request, task)})
        page = f"{task_url('reopen', task)}?{back}"
        return HttpResponseClientRedirect(page) if request.htmx else redirect(page)
    except Refused as refusal:
        return refused(request, task, refusal)
    already = f"{task.code} was already to do."
    done = _to_do_again(task)
    return answer(request, task, settled, done=done, already=already, undo=False)


def _to_do_again(task: Task) -> str:
    """What is said after reopening: also that what was done after it stays done."""
    later = [one.code for one in done_after(task)]
    stays = f" {listed(later)}, done after it, stay{'s' if len(later) == 1 else ''} done."
    return f"{task.code} is to do again.{stays if later else ''}"


def _settled_already(request: SignedInRequest, task: Task) -> HttpResponse | None:
    """The way back for whoever opens a page about a task that is not to do any more."""
    if request.method == "POST" or task.is_unfinished:
        return None
    state = task.get_state_display().lower()
    messages.info(
        request,
        f"{task.code} is {state}, by {task.settled_by} on {uk_datetime(task.settled_at)}. "
        "Reopen it first.",
    )
    return redirect(way_back(request, task))


@asks
def set_aside(request: SignedInRequest, reference: str, code: str) -> HttpResponse:
    """Mark a task not applicable, with a reason."""
    task = workable_task(request, reference, code)
    if back := _settled_already(request, task):
        return back
    form = SetAsideForm(request.POST if request.method == "POST" else None)

    def act(data: dict[str, Any]) -> object:
        return services.set_task_aside(
            task=task, reason=data["reason"], by=request.user, at=clock.now()
        )

    done = f"{code} is marked as not applicable."
    return ask(request, task, form, act, heading="Mark task as not applicable", done=done)


@asks
def block(request: SignedInRequest, reference: str, code: str) -> HttpResponse:
    """Say that a task cannot be done now."""
    task = workable_task(request, reference, code)
    if back := _settled_already(request, task):
        return back
    form = BlockForm(request.POST if request.method == "POST" else None)

    def act(data: dict[str, Any]) -> object:
        return services.block_task(
            task=task, reason=data["reason"], by=request.user, at=clock.now()
        )

    return ask(
        request,
        task,
        form,
        act,
        heading="Mark task as blocked",
        done=f"{code} is marked as blocked.",
    )


@asks
def assign(request: SignedInRequest, reference: str, code: str) -> HttpResponse:
    """Give a task to one person, or back to everybody of its role."""
    task = task_for(request, reference, code, Permission.EDIT_TASKS)
    now = clock.now()
    people = queries.assignable_people(task.migration, now)
    here = not queries.Viewer(request.user, task.migration, now).has_left(task)
    if task.assignee and here and not any(task.assignee in group for group in people.values()):
        people["Now"] = [task.assignee]
    form = AssignForm(
        request.POST if request.method == "POST" else None,
        initial={"assignee": task.assignee, "version": task.version},
        people=people,
        nobody=f"Anybody who is: {task.get_owner_display().lower()}",
    )

    def act(data: dict[str, Any]) -> object:
        return services.assign_task(
            task=task,
            assignee=data["assignee"],
            seen_version=data["version"],
            by=request.user,
            at=clock.now(),
        )

    return ask(
        request, task, form, act, heading="Change who does the task", done=f"{code} is assigned."
    )


@asks
def due(request: SignedInRequest, reference: str, code: str) -> HttpResponse:
    """Give a task a date by hand."""
    task = task_for(request, reference, code, Permission.EDIT_TASKS)
    if back := _settled_already(request, task):
        return back
    form = DueForm(
        request.POST if request.method == "POST" else None,
        initial={"version": task.version, "due_on": task.due_on},
    )

    def act(data: dict[str, Any]) -> object:
        return services.pin_task(
            task=task,
            due_on=data["due_on"],
            seen_version=data["version"],
            agreed=data["agreed"],
            by=request.user,
            at=clock.now(),
        )

    done = f"{code} has a new due date."
    return ask(request, task, form, act, heading="Change the due date", done=done)
