"""Starting a migration: the plan is copied into dates, phases, tasks and gates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from django.db import transaction

from practices.accounts.models import User
from practices.common.calendar import WorkingCalendar, working_calendar
from practices.common.errors import Refused
from practices.common.time import london_date
from practices.directory.models import ClinicalSystem, CommissionerLink, Organisation, Practice
from practices.plans.models import PlanDependency, PlanKeyDate, PlanTask, PlanVersion
from practices.plans.rules import AfterNode, Moment, PlanDates, key_dates_for, schedule
from practices.tracking.models import Gate, KeyDate, Migration, Phase, Task
from practices.tracking.rules import FDP, GL, cannot_hold, offset_from_go_live, planning_warnings
from practices.tracking.team import project_managers

from ._base import note_event
from .conditions import Answers, apply_conditions, ask_conditions
from .contacts import ContactDetails, add_contact
from .tasks import is_indispensable


@dataclass(frozen=True)
class PlannedDate:
    key_date: PlanKeyDate
    moment: Moment


@dataclass(frozen=True)
class PlannedTask:
    """``falls_away``: the answers about the practice say that it does not apply."""

    task: PlanTask
    moment: Moment
    falls_away: bool


@dataclass(frozen=True)
class StartPreview:
    """What would be written, and what deserves a second look; nothing is written yet."""

    dates: list[PlannedDate]
    tasks: list[PlannedTask]
    warnings: list[str]

    @property
    def falling_away(self) -> int:
        return sum(1 for planned in self.tasks if planned.falls_away)


def preview_start(
    *,
    plan_version: PlanVersion,
    go_live_at: datetime,
    fdp_at: datetime | None,
    answers: Answers = MappingProxyType({}),
    at: datetime,
) -> StartPreview:
    """Every key date and due time of a migration that goes live at ``go_live_at``.

    ``fdp_at`` plans final data production by hand; without it the plan's own
    offset counts. ``answers`` are to the conditions of the plan. Raises
    :class:`Refused` when final data production does not come before go-live.
    """
    key_dates = list(plan_version.key_dates.all())
    clocks = list(plan_version.clocks.all())
    if fdp_at is not None and fdp_at >= go_live_at:
        raise Refused("Final data production has to come before go-live.")
    moments = key_dates_for(
        PlanDates(key_dates, clocks),
        go_live_at=go_live_at,
        fixed={FDP: Moment.of_instant(fdp_at)} if fdp_at else {},
    )
    calendar = working_calendar()
    tasks = _planned_tasks(plan_version, moments, answers, calendar)
    late = sum(1 for planned in tasks if planned.moment.at <= at and not planned.falls_away)
    warnings = planning_warnings([clock for clock in clocks if clock.enabled], moments, calendar)
    if go_live_at <= at:
        warnings.append("This go-live date is in the past.")
    elif late:
        warnings.append(
            f"{late} of {len(tasks)} tasks would already be late today: "
            "there is less time than the plan expects."
        )
    dates = sorted(
        (PlannedDate(row, moments[row.key]) for row in key_dates), key=lambda d: d.moment.at
    )
    return StartPreview(dates=dates, tasks=tasks, warnings=warnings)


def _planned_tasks(
    plan_version: PlanVersion,
    moments: Mapping[str, Moment],
    answers: Answers,
    calendar: WorkingCalendar,
) -> list[PlannedTask]:
    """The plan's tasks with their due times; what falls away holds nothing up."""
    tasks = list(
        plan_version.tasks.select_related("phase", "signs__gate").order_by(
            "phase__position", "position"
        )
    )
    after: dict[str, list[AfterNode]] = {}
    for code, before, lag, unit in PlanDependency.objects.filter(version=plan_version).values_list(
        "task__code", "before__code", "lag", "unit"
    ):
        after.setdefault(code, []).append(AfterNode(before, lag, unit))
    away = {
        task.code
        for task in tasks
        if cannot_hold(task.applies_if, answers) and not is_indispensable(task)
    }
    times = schedule(tasks, after, moments, is_working=calendar.is_working)
    if away and after:
        applying = [task for task in tasks if task.code not in away]
        times |= schedule(applying, after, moments, is_working=calendar.is_working)
    return [PlannedTask(task, times[task.code], task.code in away) for task in tasks]


@transaction.atomic
def start_migration(
    *,
    practice: Practice,
    plan_version: PlanVersion,
    source_system: ClinicalSystem,
    target_system: ClinicalSystem,
    project_manager: User,
    run_by: Organisation,
    go_live_at: datetime,
    fdp_at: datetime | None,
    contacts: Sequence[ContactDetails],
    answers: Answers = MappingProxyType({}),
    by: User,
    at: datetime,
) -> Migration:
    """Start a practice's migration from a published plan version.

    ``go_live_at`` and ``fdp_at`` are instants; ``answers`` are those known to the
    conditions of the plan, by key: they set aside the tasks that do not apply.
    ``run_by`` is the organisation whose people see it in their portfolio. The
    database allows one active migration per practice. Raises :class:`Refused` in
    words when there is one, or the plan is not published, or the systems are the
    same, or the project manager does not hold that role in ``run_by``.
    """
    practice = Practice.objects.select_for_update(of=("self",)).get(pk=practice.pk)
    running = practice.migrations.active().first()
    if running:
        raise Refused(f"{practice} already has a migration under way: {running.reference}.")
    plan_version = PlanVersion.objects.select_related("plan").get(pk=plan_version.pk)
    if plan_version.state != PlanVersion.State.PUBLISHED:
        raise Refused("Choose a published plan: drafts and retired versions cannot be started.")
    if source_system == target_system:
        raise Refused("Choose two different systems: the old and the new are the same.")
    if project_manager not in project_managers(run_by, london_date(at)):
        raise Refused(f"{project_manager} is not a project manager of {run_by}. Choose another.")
    preview = preview_start(
        plan_version=plan_version, go_live_at=go_live_at, fdp_at=fdp_at, answers=answers, at=at
    )
    link = CommissionerLink.objects.filter(practice=practice, valid_to=None).first()
    migration = Migration.objects.create(
        reference=f"{practice.organisation.code}-{practice.migrations.count() + 1}",
        practice=practice,
        plan_version=plan_version,
        source_system=source_system,
        target_system=target_system,
        commissioner_at_start=link.commissioner if link else None,
        run_by=run_by,
        project_manager=project_manager,
        started_by=by,
        started_at=at,
        open_count=len(preview.tasks),
    )
    _copy_plan(migration, preview)
    note_event(
        migration,
        "migration.started",
        by=by,
        at=at,
        plan=plan_version.plan.slug,
        plan_version=plan_version.number,
        plan_digest=plan_version.digest,
        go_live=go_live_at.isoformat(),
        tasks=len(preview.tasks),
    )
    asked = ask_conditions(migration, answers, by=by, at=at)
    before = {row.key: None for row in asked if row.answer is not None}
    if before:
        apply_conditions(migration, by=by, at=at, keys=before, before=before)
    for details in contacts:
        add_contact(migration=migration, details=details, by=by, at=at)
    return migration


def _copy_plan(migration: Migration, preview: StartPreview) -> None:
    """Bulk inserts: a plan of 307 tasks is a handful of statements."""
    moments = {planned.key_date.key: planned.moment for planned in preview.dates}
    KeyDate.objects.bulk_create(
        KeyDate(
            migration=migration,
            plan_key_date=planned.key_date,
            key=planned.key_date.key,
            planned_on=planned.moment.on,
            planned_at=planned.moment.at,
            offset=_offset(planned, moments[GL]),
        )
        for planned in preview.dates
    )
    counts: dict[int, int] = {}
    for planned in preview.tasks:
        counts[planned.task.phase_id] = counts.get(planned.task.phase_id, 0) + 1
    phases = Phase.objects.bulk_create(
        Phase(
            migration=migration,
            plan_phase=plan_phase,
            key=plan_phase.key,
            position=plan_phase.position,
            open_count=counts.get(plan_phase.pk, 0),
        )
        for plan_phase in migration.plan_version.phases.all()
    )
    phase_of = {phase.plan_phase_id: phase for phase in phases}
    Task.objects.bulk_create(
        Task(
            migration=migration,
            phase=phase_of[planned.task.phase_id],
            plan_task=planned.task,
            code=planned.task.code,
            position=planned.task.position,
            owner=planned.task.owner,
            mandatory=planned.task.mandatory,
            anchor=planned.task.anchor,
            offset=planned.task.offset,
            unit=planned.task.unit,
            due_on=planned.moment.on,
            due_at=planned.moment.at,
        )
        for planned in preview.tasks
    )
    Gate.objects.bulk_create(
        Gate(migration=migration, plan_gate=gate, key=gate.key, position=gate.position)
        for gate in migration.plan_version.gates.all()
    )


def _offset(planned: PlannedDate, go_live: Moment) -> int | None:
    row = planned.key_date
    if row.key == GL or row.same_as or row.clock:
        return None
    has_time = row.precision == PlanKeyDate.Precision.MINUTE
    return offset_from_go_live(planned.moment, go_live, has_time=has_time)
