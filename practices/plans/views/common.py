"""What the pages of plans share: finding a version, and what a person may do with it."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from practices.common.access import Permission, SignedInRequest
from practices.plans.models import PlanVersion
from practices.plans.queries import draft_of, with_parts


def find_version(slug: str, number: int) -> PlanVersion:
    """Plans hold nothing of any practice: whoever may see plans may see every one."""
    return get_object_or_404(with_parts(), plan__slug=slug, number=number)


def look(slug: str, number: int) -> PlanVersion | None:
    return with_parts().filter(plan__slug=slug, number=number).first()


def find_draft(slug: str) -> PlanVersion:
    """The draft of a plan. Raises Http404 where it has none."""
    draft = draft_of(slug)
    if draft is None:
        raise Http404
    return draft


def gone(request: SignedInRequest) -> HttpResponse:
    """What a second press meets: the first took the draft away."""
    messages.info(request, "This draft has been discarded already.")
    return redirect("plans:plans")


def to(version: PlanVersion) -> HttpResponse:
    return redirect("plans:version", version.plan.slug, version.number)


def context_of(request: SignedInRequest, **context: Any) -> dict[str, Any]:
    """What pages show of actions depends on what this person may do."""
    return context | {"may_manage": request.user.may(Permission.MANAGE_PLANS)}
