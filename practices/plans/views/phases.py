"""The tasks of a phase: listed, and several changed at once; and phases that are merged."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from practices.common import clock
from practices.common.access import SignedInRequest
from practices.common.errors import Refused
from practices.plans import services
from practices.plans.forms import BulkForm, PhaseChoice
from practices.plans.models import PlanVersion
from practices.plans.queries import task_rows, tree_of
from practices.plans.rules import Part, PlanTree, find

from .common import with_draft
from .kinds import BY_NAME


@require_http_methods(["GET", "POST"])
@with_draft
def draft_tasks(request: SignedInRequest, version: PlanVersion, key: str) -> HttpResponse:
    """The tasks of a phase, with a form that changes those that are ticked."""
    slug = version.plan.slug
    tree, phase = tree_of(version), _phase(version, key)
    codes = request.POST.getlist("task")
    posted = request.POST if request.method == "POST" else None
    form = BulkForm(posted, tree=tree, codes=codes)
    if form.is_valid():
        edit = services.set_tasks(
            version=version,
            codes=codes,
            values=form.values(),
            offset=form.offset,
            by=request.user,
            at=clock.now(),
        )
        said = edit.summary if edit else "They say that already: nothing was changed"
        messages.success(request, f"{said}.")
        return redirect("plans:draft_tasks", slug, key)
    context: dict[str, Any] = {
        "version": version,
        "phase": phase,
        "others": [one for one in tree.phases if one.key != key],
        "kind": BY_NAME["task"],
        "rows": task_rows(tree, key),
        "form": form,
        "chosen": codes,
    }
    status = 422 if form.is_bound else 200
    return render(request, "plans/draft/tasks.html", context, status=status)


@require_http_methods(["GET", "POST"])
@with_draft
def draft_merge(request: SignedInRequest, version: PlanVersion, key: str) -> HttpResponse:
    """Move all tasks of a phase to another one, and remove it."""
    slug = version.plan.slug
    tree, phase = tree_of(version), _phase(version, key)
    form = _choice(request, tree, key)
    status = 422 if form.is_bound else 200
    if form.is_valid():
        into = form.cleaned_data["phase"]
        try:
            services.merge_phases(
                version=version, key=key, into=into, by=request.user, at=clock.now()
            )
        except Refused as refusal:
            form.add_error(None, str(refusal))
            status = 409
        else:
            messages.success(request, f"“{phase['title']}” is merged into this phase.")
            return redirect("plans:draft_tasks", slug, into)
    context = {"version": version, "phase": phase, "form": form, "key": key}
    return render(request, "plans/draft/merge.html", context, status=status)


def _choice(request: SignedInRequest, tree: PlanTree, key: str) -> PhaseChoice:
    posted = request.POST if request.method == "POST" else None
    return PhaseChoice(
        posted, tree=tree, without=key, label="Phase that takes its tasks", submit="Merge"
    )


def _phase(version: PlanVersion, key: str) -> Part:
    phase = find(version.content or {}, "phase", key)
    if phase is None:
        raise Http404
    return phase
