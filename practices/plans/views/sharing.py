"""Plans taken elsewhere and back: as a spreadsheet, and the schema of their files."""

from django.contrib import messages
from django.core import signing
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET, require_http_methods

from practices.common import clock
from practices.common.access import Permission, SignedInRequest, requires
from practices.common.errors import Conflict
from practices.common.files import MEDIA_TYPES
from practices.plans import services
from practices.plans.forms import WorkbookForm
from practices.plans.models import PlanVersion
from practices.plans.queries import newest_of, tree_of
from practices.plans.rules import PlanTree, changes, content_of
from practices.plans.xlsx import write_workbook
from practices.plans.yaml import plan_schema, read_plan, write_plan

from .common import find_version

KEPT_FOR = 60 * 60  # seconds between looking and confirming
_SALT = "practices.plans.import"


@require_GET
@requires(Permission.VIEW_PLANS)
def schema(request: SignedInRequest) -> HttpResponse:
    """For editors, which complete and check a plan file with it."""
    return JsonResponse(
        plan_schema(), content_type="application/schema+json", json_dumps_params={"indent": 2}
    )


@require_GET
@requires(Permission.VIEW_PLANS)
def export_workbook(request: SignedInRequest, slug: str, number: int) -> HttpResponse:
    """The plan as a spreadsheet: importing it again changes nothing."""
    content = write_workbook(tree_of(find_version(slug, number)))
    disposition = content_disposition_header(as_attachment=True, filename=f"{slug}-v{number}.xlsx")
    return HttpResponse(
        content,
        content_type=MEDIA_TYPES["xlsx"],
        headers={"Content-Disposition": disposition or "attachment"},
    )


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.MANAGE_PLANS)
def import_workbook(request: SignedInRequest, slug: str) -> HttpResponse:
    """Nothing is kept between the steps: the page that was looked at sends the plan back."""
    newest = newest_of(slug)
    if newest is None:
        raise Http404
    if "plan" in request.POST:
        return _take(request, newest)
    sent = (request.POST, request.FILES) if request.method == "POST" else ()
    form = WorkbookForm(*sent, slug=slug)
    form.cancel_url = reverse("plans:version", args=[slug, newest.number])
    if form.is_valid() and form.tree:
        return compare(request, newest, form.tree, form.file_name)
    context = {"form": form, "newest": newest}
    context["errors"] = [(said, "#id_file") for said in form.faults]
    status = 422 if form.is_bound else 200
    return render(request, "plans/import.html", context, status=status)


def compare(
    request: SignedInRequest,
    newest: PlanVersion,
    tree: PlanTree,
    file: str,
    conflict: Conflict | None = None,
) -> HttpResponse:
    """What a file would change of a plan, before anything is written.

    The page sends the plan back to :func:`import_workbook`, whatever kind of file it came in.
    """
    there = tree_of(newest)
    is_draft = newest.content is not None
    # Of a draft, what it holds: edits leave parts in another order than a file has them.
    seen = newest.digest if is_draft else services.draft_digest(content_of(there))
    kept = [request.user.pk, seen, file, write_plan(tree)]
    context = {
        "newest": newest,
        "file": file,
        "again": _another(file, newest.plan.slug),
        "changes": changes(there, tree),
        "plan": signing.dumps(kept, salt=_SALT, compress=True),
        "errors": [(str(conflict), "")] if conflict else [],
    }
    return render(request, "plans/import_check.html", context, status=409 if conflict else 200)


def _another(file: str, slug: str) -> str:
    """The page on which a file of this kind is chosen."""
    is_workbook = file.lower().endswith(".xlsx")
    return reverse("plans:import", args=[slug]) if is_workbook else reverse("plans:upload")


def _take(request: SignedInRequest, newest: PlanVersion) -> HttpResponse:
    slug = newest.plan.slug
    try:
        kept = signing.loads(request.POST["plan"], salt=_SALT, max_age=KEPT_FOR)
    except signing.BadSignature:
        kept = [None, "", "", ""]
    whose, seen, file, text = kept
    if whose != request.user.pk:
        messages.error(request, "That was too long ago, and nothing was changed. Choose it again.")
        return redirect("plans:import", slug)
    tree = read_plan(text, file=file)
    try:
        edit = services.import_plan(
            tree=tree, seen=seen, source=file, by=request.user, at=clock.now()
        )
    except Conflict as conflict:
        return compare(request, newest, tree, file, conflict)
    if edit:
        messages.success(request, f"The draft says what {file} says. You can take it back.")
    else:
        messages.info(request, f"Nothing new: the draft says what {file} says already.")
    return redirect("plans:draft", slug)
