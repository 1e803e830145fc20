"""What is added to a task: notes and evidence."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from practices.accounts.roles import Permission
from practices.common import clock
from practices.common.access import SignedInRequest
from practices.common.errors import Refused
from practices.common.files import serve_file
from practices.common.forms import NHSForm
from practices.tracking import services
from practices.tracking.forms.tasks import EvidenceForm, NoteForm
from practices.tracking.models import Task
from practices.tracking.views.scope import task_for, visible_task, workable_task

from ._base import refused, task_page, task_url


@require_POST
def note(request: SignedInRequest, reference: str, code: str) -> HttpResponse:
    """Add a remark; anybody with a part in the migration may."""
    task = task_for(request, reference, code, Permission.WORK_OWN_TASKS)
    form = NoteForm(request.POST)

    def act(data: dict[str, Any]) -> object:
        return services.add_note(
            task=task,
            body=data["note"],
            is_lesson=data["is_lesson"],
            by=request.user,
            at=clock.now(),
        )

    return _add(request, task, form, act, done="Your note is added.", anchor="notes")


@require_POST
def evidence(request: SignedInRequest, reference: str, code: str) -> HttpResponse:
    """Add a link or a file that shows the task was done."""
    task = workable_task(request, reference, code)
    form = EvidenceForm(request.POST, request.FILES)

    def act(data: dict[str, Any]) -> object:
        return services.add_evidence(
            task=task, link=data["link"], upload=data["upload"], by=request.user, at=clock.now()
        )

    return _add(request, task, form, act, done="The evidence is added.", anchor="evidence")


def _add(
    request: SignedInRequest,
    task: Task,
    form: NHSForm,
    act: Callable[[dict[str, Any]], object],
    *,
    done: str,
    anchor: str,
) -> HttpResponse:
    """Something added on the task's own page, which keeps what was typed when it is refused."""
    if form.is_valid():
        try:
            act(form.cleaned_data)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, done)
            return redirect(f"{task_url('task', task)}#{anchor}")
    return task_page(request, task, form=form, status=422)


@require_safe
def evidence_file(request: SignedInRequest, reference: str, code: str, pk: int) -> HttpResponseBase:
    """Hand a file out, as an attachment."""
    task = visible_task(request, reference, code)
    evidence = get_object_or_404(
        task.evidence.readable_by(request.user, task.migration).select_related("file"),
        pk=pk,
        removed_at=None,
    )
    if evidence.file is None:
        raise Http404("This evidence is a link.")
    if not evidence.file.is_shown:
        context = {"migration": task.migration, "task": task, "file": evidence.file}
        return render(request, "tracking/file_hidden.html", context, status=404)
    return serve_file(evidence.file)


@require_POST
def evidence_remove(request: SignedInRequest, reference: str, code: str, pk: int) -> HttpResponse:
    """Take evidence off the task; it stays in the record."""
    task = workable_task(request, reference, code)
    readable = task.evidence.readable_by(request.user, task.migration)
    evidence = get_object_or_404(readable, pk=pk)
    evidence.task = task
    try:
        services.remove_evidence(evidence=evidence, by=request.user, at=clock.now())
    except Refused as refusal:
        return refused(request, task, refusal)
    messages.success(request, "The evidence is removed.")
    return redirect(f"{task_url('task', task)}#evidence")
