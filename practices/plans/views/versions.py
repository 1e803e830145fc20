"""Pages of plans: look one up, upload a version, retire it, discard a draft."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET, require_http_methods

from practices.common import clock
from practices.common.access import Permission, SignedInRequest, requires
from practices.common.errors import Conflict, Refused
from practices.plans import panels, services
from practices.plans.forms import UploadForm
from practices.plans.queries import (
    all_plans,
    changed_since,
    newest_of,
    tree_of,
    version_before,
    version_page,
)
from practices.plans.yaml import write_plan

from .common import context_of, find_version, gone, look, to
from .sharing import compare


@require_GET
@requires(Permission.VIEW_PLANS)
def plans(request: SignedInRequest) -> HttpResponse:
    return render(request, "plans/plans.html", context_of(request, lines=all_plans()))


@require_http_methods(["GET", "POST"])
@requires(Permission.MANAGE_PLANS)
def upload(request: SignedInRequest) -> HttpResponse:
    """A plan file becomes a draft; where there is one, what it would change is shown first."""
    sent = (request.POST, request.FILES) if request.method == "POST" else ()
    form = UploadForm(*sent)
    if form.is_valid() and form.tree:
        try:
            loaded = services.load_plan(
                tree=form.tree, by=request.user, at=clock.now(), replaces_draft=False
            )
        except Conflict:
            newest = newest_of(form.tree.slug)
            if newest is None:  # the draft in the way has just been discarded, with its plan
                raise
            return compare(request, newest, form.tree, form.file_name)
        version = loaded.version
        if loaded.is_new:
            messages.success(request, f"{version} is loaded as a draft.")
        else:
            state = version.get_state_display().lower()
            messages.info(request, f"Nothing new: this is what {version} ({state}) says already.")
        return to(version)
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
    found = find_version(slug, number)
    before = version_before(found)
    context = context_of(
        request,
        page=version_page(found),
        before=before,
        changes=changed_since(before, found),
        move_to=panels.move_to(found, request.user),
    )
    return render(request, "plans/version.html", context)


@require_GET
@requires(Permission.VIEW_PLANS)
def export(request: SignedInRequest, slug: str, number: int) -> HttpResponse:
    """The canonical YAML: uploading it again changes nothing."""
    text = write_plan(tree_of(find_version(slug, number)))
    disposition = content_disposition_header(as_attachment=True, filename=f"{slug}-v{number}.yaml")
    return HttpResponse(
        text,
        content_type="application/yaml; charset=utf-8",
        headers={"Content-Disposition": disposition or "attachment"},
    )


@require_http_methods(["GET", "POST"])
@requires(Permission.MANAGE_PLANS)
def retire(request: SignedInRequest, slug: str, number: int) -> HttpResponse:
    found = find_version(slug, number)
    if request.method == "GET":
        return render(request, "plans/retire.html", {"version": found})
    try:
        services.retire(version=found, by=request.user, at=clock.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"{found} is retired: nothing new starts from it.")
    return to(found)


@require_http_methods(["GET", "POST"])
@requires(Permission.MANAGE_PLANS)
def discard(request: SignedInRequest, slug: str, number: int) -> HttpResponse:
    found = look(slug, number)
    if found is None:
        return gone(request)
    if request.method == "GET":
        return render(request, "plans/discard.html", {"version": found})
    try:
        services.discard(
            version=found, by=request.user, at=clock.now(), seen=request.POST.get("seen", "")
        )
    except Conflict as conflict:
        fresh = look(slug, number)
        if fresh is None:
            return gone(request)
        context = {"version": fresh, "errors": [(str(conflict), "")]}
        return render(request, "plans/discard.html", context, status=409)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return to(found)
    messages.success(request, f"The draft {found} is discarded.")
    return redirect("plans:plans")
