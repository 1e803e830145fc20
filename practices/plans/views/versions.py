"""Pages of plans: look one up, upload a version, publish it, retire it."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from practices.common import clock
from practices.common.access import Permission, SignedInRequest, requires
from practices.common.errors import Conflict, Refused
from practices.plans import services
from practices.plans.forms import PublishForm, UploadForm
from practices.plans.models import PlanVersion
from practices.plans.queries import (
    all_plans,
    changed_since_published,
    tree_of,
    version_page,
    with_parts,
)
from practices.plans.yaml import write_plan

State = PlanVersion.State


@require_GET
@requires(Permission.VIEW_PLANS)
def plans(request: SignedInRequest) -> HttpResponse:
    return render(request, "plans/plans.html", _context(request, lines=all_plans()))


@require_http_methods(["GET", "POST"])
@requires(Permission.MANAGE_PLANS)
def upload(request: SignedInRequest) -> HttpResponse:
    sent = (request.POST, request.FILES) if request.method == "POST" else ()
    form = UploadForm(*sent)
    if form.is_valid() and form.tree:
        loaded = services.load_plan(tree=form.tree, by=request.user, at=clock.now())
        version = loaded.version
        if loaded.is_new:
            messages.success(request, f"{version} is loaded as a draft.")
        else:
            state = version.get_state_display().lower()
            messages.info(request, f"Nothing new: this is what {version} ({state}) says already.")
        return _to(version)
    context = {"form": form, "errors": [(said, f"#line-{line}") for line, said in form.faults]}
    context["lines"] = _lines(form)
    return render(request, "plans/upload.html", context, status=422 if form.is_bound else 200)


def _lines(form: UploadForm) -> list[tuple[int, str]]:
    """Each line that has a fault, with what stands there."""
    text = str(form.data.get("text", "")).splitlines()
    numbers = sorted({line for line, _ in form.faults})
    return [(number, text[number - 1].strip()) for number in numbers if number <= len(text)]


@require_GET
@requires(Permission.VIEW_PLANS)
def version(request: SignedInRequest, slug: str, number: int) -> HttpResponse:
    return _version_page(request, _find(slug, number), PublishForm())


def _version_page(
    request: SignedInRequest, found: PlanVersion, form: PublishForm, status: int = 200
) -> HttpResponse:
    changes = changed_since_published(found) if found.state == State.DRAFT else None
    context = _context(request, page=version_page(found), form=form, changes=changes)
    return render(request, "plans/version.html", context, status=status)


@require_GET
@requires(Permission.VIEW_PLANS)
def export(request: SignedInRequest, slug: str, number: int) -> HttpResponse:
    """The canonical YAML: uploading it again changes nothing."""
    text = write_plan(tree_of(_find(slug, number)))
    disposition = content_disposition_header(as_attachment=True, filename=f"{slug}-v{number}.yaml")
    return HttpResponse(
        text,
        content_type="application/yaml; charset=utf-8",
        headers={"Content-Disposition": disposition or "attachment"},
    )


@require_POST
@requires(Permission.MANAGE_PLANS)
def publish(request: SignedInRequest, slug: str, number: int) -> HttpResponse:
    found = _look(slug, number)
    if found is None:
        return _gone(request)
    form = PublishForm(request.POST)
    if not form.is_valid():
        return _version_page(request, found, form, status=422)
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
        fresh = _look(slug, number)
        return _version_page(request, fresh, form, status=409) if fresh else _gone(request)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"{found} is published: new migrations start from it.")
    return redirect("plans:version", slug, number)


@require_http_methods(["GET", "POST"])
@requires(Permission.MANAGE_PLANS)
def retire(request: SignedInRequest, slug: str, number: int) -> HttpResponse:
    found = _find(slug, number)
    if request.method == "GET":
        return render(request, "plans/retire.html", {"version": found})
    try:
        services.retire(version=found, by=request.user, at=clock.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"{found} is retired: nothing new starts from it.")
    return _to(found)


@require_http_methods(["GET", "POST"])
@requires(Permission.MANAGE_PLANS)
def discard(request: SignedInRequest, slug: str, number: int) -> HttpResponse:
    found = _look(slug, number)
    if found is None:
        return _gone(request)
    if request.method == "GET":
        return render(request, "plans/discard.html", {"version": found})
    try:
        services.discard(
            version=found, by=request.user, at=clock.now(), seen=request.POST.get("seen", "")
        )
    except Conflict as conflict:
        fresh = _look(slug, number)
        if fresh is None:
            return _gone(request)
        context = {"version": fresh, "errors": [(str(conflict), "")]}
        return render(request, "plans/discard.html", context, status=409)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return _to(found)
    messages.success(request, f"The draft {found} is discarded.")
    return redirect("plans:plans")


def _gone(request: SignedInRequest) -> HttpResponse:
    """What a second press meets: the first took the draft away."""
    messages.info(request, "This draft has been discarded already.")
    return redirect("plans:plans")


def _look(slug: str, number: int) -> PlanVersion | None:
    return with_parts().filter(plan__slug=slug, number=number).first()


def _find(slug: str, number: int) -> PlanVersion:
    """Plans hold nothing of any practice: whoever may see plans may see every one."""
    return get_object_or_404(with_parts(), plan__slug=slug, number=number)


def _to(version: PlanVersion) -> HttpResponse:
    return redirect("plans:version", version.plan.slug, version.number)


def _context(request: SignedInRequest, **context: Any) -> dict[str, Any]:
    """What pages show of actions depends on what this person may do."""
    return context | {"may_manage": request.user.may(Permission.MANAGE_PLANS)}
