"""The page on which a draft becomes the version that migrations start from."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from practices.common import clock
from practices.common.access import Permission, SignedInRequest, requires
from practices.common.errors import Conflict, Refused
from practices.plans import services
from practices.plans.forms import PublishForm
from practices.plans.models import PlanVersion
from practices.plans.queries import changed_since, tree_of, version_before
from practices.plans.rules import check

from .common import gone, look, to
from .places import place_of


@require_http_methods(["GET", "POST"])
@requires(Permission.MANAGE_PLANS)
def publish(request: SignedInRequest, slug: str, number: int) -> HttpResponse:
    """What is new and what is wrong, the notes, and the button."""
    found = look(slug, number)
    if found is None:
        return gone(request)
    if request.method == "GET":
        if found.state != PlanVersion.State.DRAFT:
            return to(found)
        return _page(request, found, PublishForm())
    form = PublishForm(request.POST)
    if not form.is_valid():
        return _page(request, found, form, status=422)
    try:
        found = services.publish(
            version=found,
            by=request.user,
            at=clock.now(),
            notes=form.cleaned_data["notes"],
            seen=request.POST.get("seen", ""),
        )
    except Conflict as conflict:
        form.add_error(None, str(conflict))
        fresh = look(slug, number)
        return _page(request, fresh, form, status=409) if fresh else gone(request)
    except Refused as refusal:
        if found.state != PlanVersion.State.DRAFT:
            messages.error(request, str(refusal))
            return to(found)
        form.add_error(None, str(refusal))
        return _page(request, found, form, status=422)
    messages.success(request, f"{found} is published: new migrations start from it.")
    return redirect("plans:version", slug, number)


def _page(
    request: SignedInRequest, found: PlanVersion, form: PublishForm, status: int = 200
) -> HttpResponse:
    tree = tree_of(found)
    faults = [(fault.message, *place_of(found, tree, fault)) for fault in check(tree)]
    context = {
        "version": found,
        "changes": changed_since(version_before(found), found),
        "faults": faults,
        "form": form,
    }
    return render(request, "plans/publish.html", context, status=status)
