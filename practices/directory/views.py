"""Looking practices up, and importing them."""

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_safe

from practices.common import clock
from practices.common.access import Permission, SignedInRequest, requires
from practices.common.errors import Refused
from practices.common.files import serve_file
from practices.common.models import Job
from practices.common.time import london_date

from .forms import ImportForm
from .models import Organisation, Practice
from .practice_file import NAMES_OF_COLUMNS
from .queries import find_practices, report_of, search_practices
from .services import IMPORT, ask_for_import

PER_PAGE = 50
LONGEST_SEARCH = 100  # characters
IMPORTS_SHOWN = 10
SHOWN = [("open", "Open"), ("all", "All, with closed ones")]


def _words(request: SignedInRequest) -> str:
    return request.GET.get("q", "")[:LONGEST_SEARCH].replace("\x00", "").strip()


@require_safe
@requires(Permission.VIEW_DIRECTORY)
def practices(request: SignedInRequest) -> HttpResponse:
    words = _words(request)
    shown = "all" if request.GET.get("show") == "all" else "open"
    today = london_date(clock.now())
    found = search_practices(words, today=today, closed=shown == "all")
    return render(
        request,
        "directory/practices.html",
        {
            "q": words,
            "page_obj": Paginator(found, PER_PAGE).get_page(request.GET.get("page")),
            "choices": SHOWN,
            "hidden": [("show", shown)],
            "today": today,
            "may_import": request.user.may(Permission.IMPORT_PRACTICES),
        },
    )


@require_safe
@requires(Permission.VIEW_DIRECTORY)
def practice(request: SignedInRequest, code: str) -> HttpResponse:
    found = get_object_or_404(Practice.objects.for_lists(), organisation__code=code)
    links = found.links_newest_first
    successors = Organisation.objects.filter(
        origins__predecessor__in=[link.commissioner_id for link in links[:1]]
    ).order_by("name")
    return render(
        request,
        "directory/practice.html",
        {
            "practice": found,
            "address": found.address.split(", "),
            "links": links,
            "successors": successors,
            "today": london_date(clock.now()),
        },
    )


@require_safe
@requires(Permission.VIEW_DIRECTORY)
def find(request: SignedInRequest) -> HttpResponse:
    """Practices to choose from: a fragment for htmx, else a page that goes on to ``next``."""
    words = _words(request)
    found, more = find_practices(words, today=london_date(clock.now()))
    context = {"q": words, "practices": found, "more": more}
    if request.htmx:
        return render(request, "directory/_practice_options.html", context)
    onward = request.GET.get("next", "")
    if not url_has_allowed_host_and_scheme(
        onward, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        onward = ""
    return render(
        request,
        "directory/find.html",
        context
        | {"next": onward, "hidden": [("next", onward)], "errors": _find_problems(request, words)},
    )


def _find_problems(request: SignedInRequest, words: str) -> list[tuple[str, str]]:
    """What was pressed without anything to go on with."""
    if "problem" in request.GET:
        return [("Select a practice to continue", "#id_practice" if words else "#id_q")]
    if "q" in request.GET and not words:
        return [("Enter a name, ODS code, postcode or part of the address", "#id_q")]
    return []


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.IMPORT_PRACTICES)
def upload(request: SignedInRequest) -> HttpResponseBase:
    posted = request.method == "POST"
    form = ImportForm(request.POST, request.FILES) if posted else ImportForm()
    if posted and form.is_valid():
        try:
            job = ask_for_import(
                upload=form.cleaned_data["file"],
                all_settings=form.cleaned_data["all_settings"],
                by=request.user,
                at=clock.now(),
            )
        except Refused as refusal:
            form.add_error("file", str(refusal))
        else:
            return redirect("directory:import_job", job.pk)
    context = {
        "form": form,
        "columns": [(name, aliases.split()) for name, aliases in NAMES_OF_COLUMNS.items()],
        "recent": _imports().order_by("-pk")[:IMPORTS_SHOWN],
    }
    return render(request, "directory/import.html", context, status=422 if form.errors else 200)


@require_safe
@requires(Permission.IMPORT_PRACTICES)
def import_job(request: SignedInRequest, job_id: int) -> HttpResponse:
    job = get_object_or_404(_imports(), pk=job_id)
    template = "directory/_import_job.html" if request.htmx else "directory/import_job.html"
    return render(request, template, {"job": job, "report": report_of(job)})


@require_safe
@requires(Permission.IMPORT_PRACTICES)
def rejected(request: SignedInRequest, job_id: int) -> HttpResponseBase:
    job = get_object_or_404(_imports(), pk=job_id)
    if job.output is None:
        raise Http404("No line was rejected.")
    return serve_file(job.output)


def _imports() -> QuerySet[Job]:
    return Job.objects.filter(kind=IMPORT).select_related("file", "output", "asked_by")
