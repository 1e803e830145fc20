"""One task: its page, and every act of a person on it."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from practices.accounts.roles import Owner, Permission
from practices.common import clock
from practices.common.access import SignedInRequest
from practices.common.errors import Conflict, Refused
from practices.common.files import serve_file
from practices.common.forms import NHSForm
from practices.common.templatetags.uk import uk_datetime
from practices.tracking import queries, sentences, services
from practices.tracking.forms.tasks import (
    AssignForm,
    BlockForm,
    DueForm,
    EvidenceForm,
    NoteForm,
    ReopenForm,
    SetAsideForm,
    VersionForm,
)
from practices.tracking.models import Task
from practices.tracking.models.migration import COUNTERS
from practices.tracking.services.tasks import Settled, SignedOver, signed_gates_over

from .scope import back, task_for, visible_task, workable_task

asks = require_http_methods(["GET", "HEAD", "POST"])


def _url(name: str, task: Task) -> str:
    return reverse(f"tracking:{name}", args=(task.migration.reference, task.code))


def _back(request: SignedInRequest, task: Task) -> str:
    return back(request, _url("task", task))


def _status(refusal: Refused) -> int:
    return 409 if isinstance(refusal, Conflict) else 422


def _fresh(task: Task) -> Task:
    """The task as it is now, with what pages show of it."""
    fresh = Task.objects.with_people().get(pk=task.pk)
    fresh.migration = task.migration
    return fresh


@require_safe
def task(request: SignedInRequest, reference: str, code: str) -> HttpResponse:
    """Everything about one task."""
    return _task_page(request, visible_task(request, reference, code))


def _task_page(
    request: SignedInRequest,
    task: Task,
    *,
    form: NHSForm | None = None,
    errors: tuple[str, ...] = (),
    status: int = 200,
) -> HttpResponse:
    """The page; ``form`` is a note or evidence that could not be kept, with what was typed."""
    viewer = queries.Viewer(request.user, task.migration, clock.now())
    subject = f"task:{task.code}"
    helps = task.plan_task.helps if task.plan_task else []
    return render(
        request,
        "tracking/task.html",
        {
            "migration": task.migration,
            "task": task,
            "row": queries.TaskRow(task, viewer),
            "viewer": viewer,
            "helps": [Owner(owner).label for owner in helps],
            "can_edit": viewer.may(Permission.EDIT_TASKS) and task.migration.is_active,
            "can_note": viewer.has_tasks and task.migration.is_active,
            "evidence": task.evidence.readable_by(request.user, task.migration)
            .filter(removed_at=None)
            .select_related("link", "file", "by"),
            "notes": task.notes.readable_by(request.user, task.migration).select_related(
                "text", "by"
            ),
            "lines": sentences.lines(
                task.migration,
                sentences.readable(task.migration, request.user)
                .filter(subject=subject)
                .newest_first(),
            ),
            "note_form": form if isinstance(form, NoteForm) else NoteForm(),
            "evidence_form": form if isinstance(form, EvidenceForm) else EvidenceForm(),
            "form": form,
            "errors": errors,
            "back": _url("task", task),
        },
        status=status,
    )


def _row(
    request: SignedInRequest, task: Task, *, said: str = "", problem: str = "", status: int = 200
) -> HttpResponse:
    """The task's row for the list it was pressed in, with that list's progress beside it."""
    task = _fresh(task)
    now = clock.now()
    viewer = queries.Viewer(request.user, task.migration, now)
    place = request.POST.get("place", "")
    context = {
        "migration": task.migration,
        "row": queries.TaskRow(task, viewer),
        "place": place,
        "back": _back(request, task).partition("#")[0],
        "said": said or problem,
        "problem": problem,
        "in_place": True,
    }
    if place == "phase":
        context["line"] = queries.phase_line(task.phase, now)
    elif place == "next":
        task.migration.refresh_from_db(fields=COUNTERS)
        context["phases"] = queries.phase_lines(task.migration, now)
        context["late"] = queries.late(viewer)
    return render(request, "tracking/_task_answer.html", context, status=status)


def _answer(
    request: SignedInRequest, task: Task, settled: Settled, *, done: str, already: str, undo: bool
) -> HttpResponse:
    """Say what came of a press, in place or on the page the person comes back to."""
    said = done if settled.changed else already
    if request.htmx:
        return _row(request, task, said=said)
    back = _back(request, task)
    if undo and settled.changed:
        query = urlencode({"next": back})
        messages.success(
            request,
            format_html(
                '{} <a class="nhsuk-notification-banner__link" href="{}">Undo</a>',
                said,
                f"{_url('reopen', task)}?{query}",
            ),
        )
    else:
        (messages.success if settled.changed else messages.info)(request, said)
    return redirect(back)


def _refused(request: SignedInRequest, task: Task, refusal: Refused) -> HttpResponse:
    """The sentence, with how the task stands now."""
    if request.htmx:
        return _row(request, task, problem=str(refusal), status=_status(refusal))
    return _task_page(request, _fresh(task), errors=(str(refusal),), status=_status(refusal))


@require_POST
def tick(request: SignedInRequest, reference: str, code: str) -> HttpResponse:
    """Mark a task done; pressing again, or after somebody else, changes nothing."""
    task = workable_task(request, reference, code)
    try:
        settled = services.tick_task(task=task, by=request.user, at=clock.now())
    except Refused as refusal:
        return _refused(request, task, refusal)
    return _answer(
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
    signed = list(signed_gates_over(task)) if task.state != Task.State.BLOCKED else []
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

    return _ask(
        request,
        task,
        form,
        act,
        heading="Reopen task",
        done=f"{code} is to do again.",
        signed=signed,
    )


def _undo(request: SignedInRequest, task: Task) -> HttpResponse:
    seen = VersionForm(request.POST)
    version = seen.cleaned_data["version"] if seen.is_valid() else -1
    try:
        settled = services.reopen_task(
            task=task, seen_version=version, by=request.user, at=clock.now()
        )
    except SignedOver:
        back = urlencode({"next": _back(request, task)})
        page = f"{_url('reopen', task)}?{back}"
        return HttpResponseClientRedirect(page) if request.htmx else redirect(page)
    except Refused as refusal:
        return _refused(request, task, refusal)
    already = f"{task.code} was already to do."
    done = f"{task.code} is to do again."
    return _answer(request, task, settled, done=done, already=already, undo=False)


def _ask(
    request: SignedInRequest,
    task: Task,
    form: NHSForm,
    act: Callable[[dict[str, Any]], object],
    *,
    heading: str,
    done: str,
    **context: Any,
) -> HttpResponse:
    """A page with one form about a task: show it, or do the act and go back.

    What was typed stays in a form that was refused, and its page shows how the task stands now.
    """
    status = 200
    if form.is_bound:
        status = 422
        if form.is_valid():
            try:
                act(form.cleaned_data)
            except SignedOver as refusal:
                form.add_error("reason", "Enter a reason: the sign-off will be withdrawn")
                context["signed"] = refusal.gates
            except Refused as refusal:
                form.add_error(None, str(refusal))
                status = _status(refusal)
                task = _fresh(task)
                if "version" in form.fields:
                    # They have now seen it as it is, so the next press counts for that.
                    form.data = {**dict(form.data.items()), "version": task.version}
            else:
                messages.success(request, done)
                return redirect(_back(request, task))
    form.cancel_url = _back(request, task)
    viewer = queries.Viewer(request.user, task.migration, clock.now())
    context |= {
        "migration": task.migration,
        "task": task,
        "row": queries.TaskRow(task, viewer),
        "form": form,
        "heading": heading,
    }
    return render(request, "tracking/task_form.html", context, status=status)


@asks
def set_aside(request: SignedInRequest, reference: str, code: str) -> HttpResponse:
    """Mark a task not applicable, with a reason."""
    task = workable_task(request, reference, code)
    form = SetAsideForm(request.POST if request.method == "POST" else None)

    def act(data: dict[str, Any]) -> object:
        return services.set_task_aside(
            task=task, reason=data["reason"], by=request.user, at=clock.now()
        )

    done = f"{code} is marked as not applicable."
    return _ask(request, task, form, act, heading="Mark task as not applicable", done=done)


@asks
def block(request: SignedInRequest, reference: str, code: str) -> HttpResponse:
    """Say that a task cannot be done now."""
    task = workable_task(request, reference, code)
    form = BlockForm(request.POST if request.method == "POST" else None)

    def act(data: dict[str, Any]) -> object:
        return services.block_task(
            task=task, reason=data["reason"], by=request.user, at=clock.now()
        )

    return _ask(
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

    return _ask(
        request, task, form, act, heading="Change who does the task", done=f"{code} is assigned."
    )


@asks
def due(request: SignedInRequest, reference: str, code: str) -> HttpResponse:
    """Give a task a date by hand."""
    task = task_for(request, reference, code, Permission.EDIT_TASKS)
    form = DueForm(
        request.POST if request.method == "POST" else None,
        initial={"version": task.version, "due_on": task.due_on},
    )

    def act(data: dict[str, Any]) -> object:
        return services.pin_task(
            task=task,
            due_on=data["due_on"],
            seen_version=data["version"],
            by=request.user,
            at=clock.now(),
        )

    done = f"{code} has a new due date."
    return _ask(request, task, form, act, heading="Change the due date", done=done)


@require_POST
def note(request: SignedInRequest, reference: str, code: str) -> HttpResponse:
    """Add a remark; anybody with a part in the migration may."""
    task = task_for(request, reference, code, Permission.WORK_OWN_TASKS)
    form = NoteForm(request.POST)

    def act(data: dict[str, Any]) -> object:
        return services.add_note(task=task, body=data["note"], by=request.user, at=clock.now())

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
            return redirect(f"{_url('task', task)}#{anchor}")
    return _task_page(request, task, form=form, status=422)


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
        return _refused(request, task, refusal)
    messages.success(request, "The evidence is removed.")
    return redirect(f"{_url('task', task)}#evidence")
