"""Lists of tasks: one phase as a checklist, and all phases."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from practices.accounts.roles import Permission
from practices.common import clock
from practices.common.access import SignedInRequest
from practices.common.errors import Refused
from practices.tracking import queries, services
from practices.tracking.forms.tasks import AddTaskForm
from practices.tracking.models import Migration, Phase
from practices.tracking.models.task import TaskQuerySet

from .scope import migration_for, visible_migration
from .tasks import already_done

PER_PAGE = 50
SORTS = [("plan", "In plan order"), ("due", "By due date")]


def _phase(migration: Migration, key: str) -> Phase:
    phase = get_object_or_404(migration.phases.select_related("plan_phase"), key=key)
    phase.migration = migration
    return phase


class Shown:
    """Which tasks of a list the address asks for: ``?show=`` and ``?sort=``."""

    def __init__(
        self, request: SignedInRequest, viewer: queries.Viewer, tasks: TaskQuerySet, *, default: str
    ) -> None:
        mine = tasks.open().belonging_to(viewer.user, viewer.migration, viewer.now)
        self.lists = {
            "mine": ("Mine", mine),
            "open": ("To do", tasks.open()),
            "overdue": ("Late", tasks.overdue(viewer.now)),
            "all": ("All", tasks),
        }
        if not viewer.has_tasks:
            del self.lists["mine"]
        self.default = default if default in self.lists else "open"
        self.show = request.GET.get("show", "")
        if self.show not in self.lists:
            self.show = self.default
        self.by_due = request.GET.get("sort") == "due"
        self.choices = [
            (key, f"{name} ({number})")
            for (key, (name, _)), number in zip(
                self.lists.items(), self._counts(tasks), strict=True
            )
        ]

    def _counts(self, tasks: TaskQuerySet) -> list[int]:
        counts = tasks.aggregate(
            **{
                key: Count("pk", filter=Q(pk__in=found.values("pk")))
                for key, (_, found) in self.lists.items()
            }
        )
        return [counts[key] for key in self.lists]

    def tasks(self) -> TaskQuerySet:
        found = self.lists[self.show][1].with_people()
        return found.soonest_first() if self.by_due else found.in_plan_order()


@require_safe
def phase(request: SignedInRequest, reference: str, key: str) -> HttpResponse:
    """A phase as a checklist, mandatory tasks first."""
    migration = visible_migration(request, reference)
    return _phase_page(request, _phase(migration, key))


def _phase_page(
    request: SignedInRequest, phase: Phase, *, errors: tuple[object, ...] = (), status: int = 200
) -> HttpResponse:
    now = clock.now()
    viewer = queries.Viewer(request.user, phase.migration, now)
    shown = Shown(request, viewer, phase.tasks.all(), default="all")
    rows = queries.rows(shown.tasks(), viewer)
    return render(
        request,
        "tracking/phase.html",
        {
            "migration": phase.migration,
            "viewer": viewer,
            "line": queries.phase_line(phase, now),
            "shown": shown,
            "sorts": SORTS,
            "groups": [
                ("Mandatory tasks", [row for row in rows if row.task.mandatory]),
                ("Optional tasks", [row for row in rows if not row.task.mandatory]),
            ],
            "can_tick": any(row.can_tick for row in rows),
            "can_add": viewer.may(Permission.EDIT_TASKS) and phase.migration.is_active,
            "place": "phase",
            "back": request.get_full_path(),
            "errors": errors,
        },
        status=status,
    )


@require_POST
def tick_several(request: SignedInRequest, reference: str, key: str) -> HttpResponse:
    """Tick every chosen task of a phase in one act."""
    migration = visible_migration(request, reference)
    phase = _phase(migration, key)
    viewer = queries.Viewer(request.user, migration, clock.now())
    if not viewer.has_tasks:
        raise PermissionDenied
    codes = [code for code in request.POST.getlist("code") if "\x00" not in code]
    chosen = list(phase.tasks.filter(code__in=codes).with_people())
    if not all(viewer.may_work(task) for task in chosen):
        raise PermissionDenied
    if not chosen:
        return _phase_page(request, phase, errors=("Select at least one task",), status=422)
    try:
        result = services.tick_tasks(
            migration=migration, tasks=chosen, by=request.user, at=clock.now()
        )
    except Refused as refusal:
        return _phase_page(request, phase, errors=(str(refusal),), status=422)
    if result.ticked:
        many = len(result.ticked)
        said = f"{many} tasks are done." if many > 1 else f"{result.ticked[0].code} is done."
        messages.success(request, said)
    for task in result.already:
        messages.info(request, already_done(task))
    for _, sentence in result.refused:
        messages.error(request, sentence)
    query = request.GET.urlencode()
    url = reverse("tracking:phase", args=(reference, key))
    return redirect(f"{url}?{query}" if query else url)


@require_http_methods(["GET", "HEAD", "POST"])
def add(request: SignedInRequest, reference: str, key: str) -> HttpResponse:
    """Add a task of this migration's own to a phase."""
    migration = migration_for(request, reference, Permission.EDIT_TASKS)
    phase = _phase(migration, key)
    now = clock.now()
    form = AddTaskForm(
        request.POST if request.method == "POST" else None,
        people=queries.assignable_people(migration, now),
    )
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                task = services.add_task(phase=phase, by=request.user, at=now, **form.cleaned_data)
            except Refused as refusal:
                form.add_error(None, str(refusal))
            else:
                messages.success(request, f"{task.code} is added to {phase.title}.")
                url = reverse("tracking:phase", args=(reference, key))
                return redirect(f"{url}#task-{task.code}")
    form.cancel_url = reverse("tracking:phase", args=(reference, key))
    context = {"migration": migration, "phase": phase, "form": form}
    return render(request, "tracking/add_task.html", context, status=status)


@require_safe
def all_tasks(request: SignedInRequest, reference: str) -> HttpResponse:
    """The tasks of every phase, some pages of them when there are many."""
    migration = visible_migration(request, reference)
    viewer = queries.Viewer(request.user, migration, clock.now())
    shown = Shown(request, viewer, migration.tasks.all(), default="mine")
    page = Paginator(shown.tasks(), PER_PAGE).get_page(request.GET.get("page"))
    rows = queries.rows(page.object_list, viewer)
    return render(
        request,
        "tracking/tasks.html",
        {
            "migration": migration,
            "viewer": viewer,
            "shown": shown,
            "sorts": SORTS,
            "page": page,
            "rows": rows,
            "place": "tasks",
            "back": request.get_full_path(),
        },
    )
