"""What is known about the practice: which conditions of the plan hold, answered at any time."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from practices.common import clock
from practices.common.access import Permission, SignedInRequest
from practices.common.errors import Conflict, Refused
from practices.plans.rules import listed
from practices.tracking import queries, services
from practices.tracking.forms.conditions import WORDS, AnswerForm
from practices.tracking.models import MigrationCondition
from practices.tracking.services.conditions import Applied
from practices.tracking.services.tasks import SignedOver

from .scope import migration_for, visible_migration


@require_safe
def conditions(request: SignedInRequest, reference: str) -> HttpResponse:
    """Every question about the practice, with its answer and what that set aside."""
    migration = visible_migration(request, reference)
    context = {
        "migration": migration,
        "lines": queries.condition_lines(migration),
        "may_answer": migration.is_active
        and migration.allows(request.user, Permission.RECORD_DATES),
    }
    return render(request, "tracking/conditions.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def answer(request: SignedInRequest, reference: str, key: str) -> HttpResponse:
    """Answer one question, or change its answer, knowing what that does to the tasks."""
    migration = migration_for(request, reference, Permission.RECORD_DATES)
    condition = get_object_or_404(
        migration.conditions.select_related("plan_condition", "by"), key=key
    )
    form = _form(request, condition)
    status = 422 if form.is_bound else 200
    if form.is_bound and form.is_valid():
        given = form.cleaned_data
        try:
            applied = services.answer_condition(
                migration=migration, key=key, by=request.user, at=clock.now(), **given
            )
        except SignedOver as refusal:
            names = listed([f"“{gate.title}”" for gate in refusal.gates])
            form.add_error("reason", f"Enter a reason: the sign-off {names} will be withdrawn")
        except Conflict as conflict:
            # They see the answer as it is now, so the next press counts for that.
            condition.refresh_from_db()
            form.data = {**request.POST.dict(), "seen": WORDS[condition.answer]}
            form.add_error(None, str(conflict))
            status = 409
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            _tell(request, applied)
            return redirect("tracking:conditions", reference)
    form.cancel_url = reverse("tracking:conditions", args=(reference,))
    context = {
        "migration": migration,
        "condition": condition,
        "form": form,
        "consequences": queries.consequences(migration, key),
    }
    return render(request, "tracking/condition.html", context, status=status)


def _form(request: SignedInRequest, condition: MigrationCondition) -> AnswerForm:
    so_far = WORDS[condition.answer]
    return AnswerForm(
        request.POST if request.method == "POST" else None,
        initial={"seen": so_far, "answer": so_far},
        question=condition.plan_condition.question,
    )


def _tell(request: SignedInRequest, applied: Applied) -> None:
    if not applied.changed:
        messages.info(request, "It was answered so already. Nothing changed.")
        return
    said = ["The answer is saved."]
    if applied.set_aside:
        said.append(f"No longer to do: {listed(applied.set_aside)}.")
    if applied.reopened:
        said.append(f"To do again: {listed(applied.reopened)}.")
    if applied.kept:
        said.append(f"Left as they are: {listed(applied.kept)}.")
    messages.success(request, " ".join(said))
