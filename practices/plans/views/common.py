"""What the pages of plans share: finding a version, and what a person may do with it."""

from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render

from practices.common.access import Permission, SignedInRequest, View, requires
from practices.plans.forms import FORMS, BulkForm
from practices.plans.models import PlanVersion
from practices.plans.queries import draft_of, tree_of, with_parts
from practices.plans.rules import content_of, find

from .kinds import Kind

NOT_TYPED = ("csrfmiddlewaretoken", "seen", "to")  # what a page sends of its own


def find_version(slug: str, number: int) -> PlanVersion:
    """Plans hold nothing of any practice: whoever may see plans may see every one."""
    return get_object_or_404(with_parts(), plan__slug=slug, number=number)


def look(slug: str, number: int) -> PlanVersion | None:
    return with_parts().filter(plan__slug=slug, number=number).first()


def with_draft(view: View) -> View:
    """Give a page of administrators the draft of the plan that its address names.

    Where there is none any more a look is led to the plan's newest version, and a POST gets
    back what was typed.
    """

    @requires(Permission.MANAGE_PLANS)
    @wraps(view)
    def found(request: SignedInRequest, slug: str, **kwargs: Any) -> HttpResponseBase:
        draft = draft_of(slug)
        if draft:
            return view(request, draft, **kwargs)
        return _without_draft(request, slug, kwargs.get("kind"), kwargs.get("key", ""))

    return found


def _without_draft(
    request: SignedInRequest, slug: str, kind: Kind | None, key: str
) -> HttpResponse:
    newest = PlanVersion.objects.filter(plan__slug=slug).select_related("plan").first()
    if newest is None:
        raise Http404
    if request.method == "GET":
        messages.info(request, f"{newest.title} has no draft now.")
        return to(newest)
    labels = _labels(newest, kind, key)
    typed = [
        (labels.get(name) or name.replace("_", " ").capitalize(), ", ".join(values))
        for name, values in request.POST.lists()
        if name not in NOT_TYPED and any(values)
    ]
    context = {"version": newest, "typed": typed}
    return render(request, "plans/draft/gone.html", context, status=409)


def _labels(version: PlanVersion, kind: Kind | None, key: str) -> dict[str, Any]:
    """What the boxes of a form are called, by the names that it sends."""
    if kind is None:
        return {f"bulk-{name}": field.label for name, field in BulkForm.base_fields.items()}
    tree = tree_of(version)
    form = FORMS[kind.name](tree=tree, part=find(content_of(tree), kind.name, key) or {})
    return {name: field.label for name, field in form.fields.items()}


def gone(request: SignedInRequest) -> HttpResponse:
    """What a second press meets: the first took the draft away."""
    messages.info(request, "This draft has been discarded already.")
    return redirect("plans:plans")


def to(version: PlanVersion) -> HttpResponse:
    return redirect("plans:version", version.plan.slug, version.number)


def context_of(request: SignedInRequest, **context: Any) -> dict[str, Any]:
    """What pages show of actions depends on what this person may do."""
    return context | {"may_manage": request.user.may(Permission.MANAGE_PLANS)}
