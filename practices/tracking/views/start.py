"""Starting a migration: the practice, the particulars, what the plan asks about the practice,
the dates they give, then the start.

What was typed travels from page to page in the form, not in the session, so that
two tabs work and nothing is lost on the way.
"""

from itertools import groupby

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from practices.common import clock
from practices.common.access import Permission, SignedInRequest, requires
from practices.common.errors import Refused
from practices.common.time import london_date
from practices.directory.models import Practice
from practices.tracking import queries, services
from practices.tracking.forms.conditions import PREFIX, VALUES, QuestionsForm
from practices.tracking.forms.start import StartForm
from practices.tracking.models import Migration
from practices.tracking.services.conditions import known_answers


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.START_MIGRATION)
def start(request: SignedInRequest) -> HttpResponse:
    """Without a practice, find one; with one, ask; then show the dates; then start."""
    asked = (request.POST if request.method == "POST" else request.GET).get("practice", "")
    now = clock.now()
    practice = (
        Practice.objects.open_on(london_date(now))
        .select_related("organisation")
        .filter(organisation__code=asked.replace("\x00", "").strip().upper())
        .first()
    )
    if practice is None:
        query = {"next": reverse("tracking:start")}
        if asked:
            query["q"] = asked  # no practice that is open, as the search then says
        elif "go" in request.GET:
            # The search is shown again, and says what is missing.
            query |= {"q": request.GET.get("q", ""), "problem": "none"}
        return redirect(f"{reverse('directory:find')}?{urlencode(query)}")
    form = StartForm(
        request.POST if request.method == "POST" else None,
        starter=request.user,
        today=london_date(now),
        initial={"practice": practice.organisation.code},
    )
    if request.method != "POST":
        return _form_page(request, practice, form)
    if "back" in request.POST or "find" in request.POST:
        return _form_page(request, practice, form.without_errors())
    if form.is_valid():
        try:
            return _ask_or_go(request, practice, form)
        except Refused as refusal:
            form.add_error(None, str(refusal))
    return _form_page(request, practice, form, status=422)


def _form_page(
    request: SignedInRequest, practice: Practice, form: StartForm, status: int = 200
) -> HttpResponse:
    running = practice.migrations.active().first()
    visible = running and Migration.objects.visible_to(request.user).filter(pk=running.pk).exists()
    return render(
        request,
        "tracking/start.html",
        {"practice": practice, "form": form, "running": running, "visible": visible},
        status=status,
    )


def _ask_or_go(request: SignedInRequest, practice: Practice, form: StartForm) -> HttpResponse:
    """What the plan asks about the practice comes before the dates."""
    chosen = form.cleaned_data
    conditions = list(chosen["plan_version"].conditions.all())
    known = known_answers(
        chosen["plan_version"], source=chosen["source_system"], target=chosen["target_system"]
    )
    typed = {row.key: request.POST.get(f"{PREFIX}{row.key}", "") for row in conditions}
    known |= {key: VALUES[value] for key, value in typed.items() if value in VALUES}
    questions = QuestionsForm(
        request.POST if "answered" in request.POST else None, conditions=conditions, known=known
    )
    if conditions and not questions.is_valid():
        return _questions_page(request, practice, form, questions)
    answers = questions.answers if conditions else {}
    if "confirm" in request.POST:
        return _start(request, practice, form, answers)
    asked = [(row.question, queries.ANSWERS[answers[row.key]]) for row in conditions]
    return _preview_page(request, practice, form, answers, asked)


def _typed(request: SignedInRequest) -> list[tuple[str, str]]:
    """What travels on in the form."""
    typed = request.POST.dict()
    return [(name, str(value)) for name, value in typed.items() if name != "csrfmiddlewaretoken"]


def _questions_page(
    request: SignedInRequest, practice: Practice, form: StartForm, questions: QuestionsForm
) -> HttpResponse:
    context = {
        "practice": practice,
        "chosen": form.cleaned_data,
        "form": questions,
        "typed": [item for item in _typed(request) if item[0] not in questions.fields],
    }
    status = 422 if questions.is_bound else 200
    return render(request, "tracking/start_questions.html", context, status=status)


def _preview_page(
    request: SignedInRequest,
    practice: Practice,
    form: StartForm,
    answers: dict[str, bool | None],
    asked: list[tuple[str, str]],
) -> HttpResponse:
    chosen = form.cleaned_data
    preview = services.preview_start(
        plan_version=chosen["plan_version"],
        go_live_at=chosen["go_live"],
        fdp_at=chosen["fdp"],
        answers=answers,
        at=clock.now(),
    )
    phases = groupby(preview.tasks, key=lambda planned: planned.task.phase)
    return render(
        request,
        "tracking/start_check.html",
        {
            "practice": practice,
            "chosen": chosen,
            "contacts": form.contacts(),
            "preview": preview,
            "phases": [(phase, list(tasks)) for phase, tasks in phases],
            "asked": asked,
            "typed": _typed(request),
        },
    )


def _start(
    request: SignedInRequest,
    practice: Practice,
    form: StartForm,
    answers: dict[str, bool | None],
) -> HttpResponse:
    chosen = form.cleaned_data
    migration = services.start_migration(
        practice=practice,
        plan_version=chosen["plan_version"],
        source_system=chosen["source_system"],
        target_system=chosen["target_system"],
        project_manager=chosen["project_manager"].person,
        run_by=chosen["project_manager"].organisation,
        go_live_at=chosen["go_live"],
        fdp_at=chosen["fdp"],
        contacts=form.contacts(),
        answers=answers,
        by=request.user,
        at=clock.now(),
    )
    messages.success(request, f"The migration {migration.reference} is started.")
    return redirect("tracking:overview", migration.reference)
