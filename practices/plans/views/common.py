"""What the pages of plans share: finding a version, and what a person may do with it."""

from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render

from practices.common.access import Permission, SignedInRequest, View, requires
from practices.plans.models import PlanVersion
from practices.plans.queries import draft_of, with_parts


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
        return view(request, draft, **kwargs) if draft else _without_draft(request, slug)

    return found


def _without_draft(request: SignedInRequest, slug: str) -> HttpResponse:
    newest = PlanVersion.objects.filter(plan__slug=slug).select_related("plan").first()
    if newest is None:
        raise Http404
    if request.method == "GET":
        messages.info(request, f"{newest.title} has no draft now.")
        return to(newest)
    typed = [
        (name.replace("_", " ").capitalize(), ", ".join(values))
        for name, values in request.POST.lists()
        if name not in ("csrfmiddlewaretoken", "seen") and any(values)
    ]
    context = {"version": newest, "typed": typed}
    return render(request, "plans/draft/gone.html", context, status=409)


def gone(request: SignedInRequest) -> HttpResponse:
    """What a second press meets: the first took the draft away."""
    messages.info(request, "This draft has been discarded already.")
    return redirect("plans:plans")


def to(version: PlanVersion) -> HttpResponse:
    return redirect("plans:version", version.plan.slug, version.number)


def context_of(request: SignedInRequest, **context: Any) -> dict[str, Any]:
    """What pages show of actions depends on what this person may do."""
    return context | {"may_manage": request.user.may(Permission.MANAGE_PLANS)}
