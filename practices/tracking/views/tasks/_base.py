"""What every act on a task answers with: its page, its row in a list, a form about it."""

from collections.abc import Callable
from typing import Any, cast

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode

from practices.accounts.roles import Owner, Permission
from practices.common import clock
from practices.common.access import SignedInRequest
from practices.common.errors import Conflict, Refused
from practices.common.forms import NHSForm
from practices.tracking import queries, sentences
from practices.tracking.forms.tasks import DueForm, EvidenceForm, NoteForm
from practices.tracking.models import Task
from practices.tracking.models.migration import COUNTERS
from practices.tracking.services.pinning import MovesOthers
from practices.tracking.services.tasks import Settled, SignedOver
from practices.tracking.views.scope import back
from practices.tracking.waiting import done_after


def task_url(name: str, task: Task) -> str:
    return reverse(f"tracking:{name}", args=(task.migration.reference, task.code))


def way_back(request: SignedInRequest, task: Task) -> str:
    return back(request, task_url("task", task))


def status_of(refusal: Refused) -> int:
    return 409 if isinstance(refusal, Conflict) else 422


def fresh(task: Task) -> Task:
    """The task as it is now, with what pages show of it."""
    now = Task.objects.with_people().get(pk=task.pk)
    now.migration = task.migration
    return now


def _answers_about(task: Task) -> Q:
    """The answers about the practice that set the task aside or brought it back."""
    touched = Q(data__set_aside__contains=[task.code]) | Q(data__reopened__contains=[task.code])
    return Q(kind="condition.answered") & touched


def task_page(
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
            "row": queries.row(task, viewer),
            "viewer": viewer,
            "done_after": done_after(task) if task.is_unfinished else [],
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
                .filter(Q(subject=subject) | _answers_about(task))
                .newest_first(),
            ),
            "note_form": form if isinstance(form, NoteForm) else NoteForm(),
            "evidence_form": form if isinstance(form, EvidenceForm) else EvidenceForm(),
            "form": form,
            "errors": errors,
            "back": task_url("task", task),
        },
        status=status,
    )


def _row(
    request: SignedInRequest, task: Task, *, said: str = "", problem: str = "", status: int = 200
) -> HttpResponse:
    """The task's row for the list it was pressed in, with that list's progress beside it."""
    task = fresh(task)
    now = clock.now()
    viewer = queries.Viewer(request.user, task.migration, now)
    place = request.POST.get("place", "")
    context = {
        "migration": task.migration,
        "row": queries.row(task, viewer),
        "place": place,
        "back": way_back(request, task).partition("#")[0],
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


def answer(
    request: SignedInRequest, task: Task, settled: Settled, *, done: str, already: str, undo: bool
) -> HttpResponse:
    """Say what came of a press, in place or on the page the person comes back to."""
    said = done if settled.changed else already
    if request.htmx:
        return _row(request, task, said=said)
    back = way_back(request, task)
    if undo and settled.changed:
        query = urlencode({"next": back})
        messages.success(
            request,
            format_html(
                '{} <a class="nhsuk-notification-banner__link" href="{}">Undo</a>',
                said,
                f"{task_url('reopen', task)}?{query}",
            ),
        )
    else:
        (messages.success if settled.changed else messages.info)(request, said)
    return redirect(back)


def refused(request: SignedInRequest, task: Task, refusal: Refused) -> HttpResponse:
    """The sentence, with how the task stands now."""
    if request.htmx:
        return _row(request, task, problem=str(refusal), status=status_of(refusal))
    return task_page(request, fresh(task), errors=(str(refusal),), status=status_of(refusal))


def ask(
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
                result = act(form.cleaned_data)
            except SignedOver as refusal:
                form.add_error("reason", "Enter a reason: the sign-off will be withdrawn")
                context["signed"] = refusal.gates
            except MovesOthers as question:
                cast("DueForm", form).ask(str(question), question.mark)
                context["moves"] = question.moves
            except Refused as refusal:
                form.add_error(None, str(refusal))
                status = status_of(refusal)
                task = fresh(task)
                if "version" in form.fields:
                    # They have now seen it as it is, so the next press counts for that.
                    form.data = {**dict(form.data.items()), "version": task.version}
            else:
                if isinstance(result, Settled) and not result.changed:
                    messages.info(request, f"{task.code} was so already. Nothing changed.")
                else:
                    messages.success(request, done)
                return redirect(way_back(request, task))
    form.cancel_url = way_back(request, task)
    viewer = queries.Viewer(request.user, task.migration, clock.now())
    context |= {
        "migration": task.migration,
        "task": task,
        "row": queries.row(task, viewer),
        "form": form,
        "heading": heading,
    }
    return render(request, "tracking/task_form.html", context, status=status)
