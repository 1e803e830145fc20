"""Moving many migrations, each for itself, in a job that can be interrupted at any moment."""

import itertools
import logging
import uuid
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pghistory
from django.db import OperationalError, connection, transaction

from practices.accounts.models import User
from practices.accounts.roles import Permission
from practices.common import jobs
from practices.common.errors import Refused
from practices.common.models import Job
from practices.common.services import locked
from practices.plans.models import PlanVersion
from practices.tracking.models import Migration, UpgradeItem, UpgradeRun

from .target import Target, target_of
from .undoing import undo_upgrade
from .upgrade import upgrade_migration

logger = logging.getLogger(__name__)

UPGRADE, UNDO = "upgrade_migrations", "undo_upgrades"
MANY = 20  # items that two hands share
State = UpgradeItem.State


@transaction.atomic
def ask_for_upgrades(
    *,
    migrations: Iterable[Migration],
    version: PlanVersion,
    reopen: bool,
    chosen: str,
    by: User,
    at: datetime,
) -> UpgradeRun:
    """Ask a worker to move these running migrations to a published version of their plan.

    ``chosen`` says how they were chosen. Raises :class:`Refused` when there is none to move.
    """
    if version.state != PlanVersion.State.PUBLISHED:
        raise Refused("Choose the published version: drafts and older versions cannot be taken.")
    wanted = [
        (migration.pk, migration.plan_version_id)
        for migration in migrations
        if migration.plan_version_id != version.pk and migration.is_active
    ]
    if not wanted:
        raise Refused("Choose at least one migration that runs on an older version.")
    run = UpgradeRun.objects.create(version=version, reopen=reopen, chosen=chosen, by=by, at=at)
    UpgradeItem.objects.bulk_create(
        UpgradeItem(run=run, migration_id=pk, from_version_id=old) for pk, old in wanted
    )
    run.job = jobs.start_job(kind=UPGRADE, by=by, at=at, arguments={"run": run.pk})
    run.save(update_fields=["job"])
    return run


@transaction.atomic
def upgrade_one(
    *,
    migration: Migration,
    version: PlanVersion,
    seen: str,
    reopen: bool,
    by: User,
    at: datetime,
) -> UpgradeItem:
    """Move one migration at once, as somebody saw it in its preview.

    Raises what :func:`upgrade_migration` raises.
    """
    run = UpgradeRun.objects.create(
        version=version, reopen=reopen, chosen=migration.reference, by=by, at=at
    )
    item = UpgradeItem(run=run, migration=migration, from_version=migration.plan_version)
    _upgrade(item, target_of(version), by=by, at=at, seen=seen)
    return item


@transaction.atomic
def ask_to_undo(*, run: UpgradeRun, by: User, at: datetime) -> UpgradeRun:
    """Ask a worker to take back what a run moved, where nobody has worked on it since.

    Raises :class:`Refused` while it still runs, or where nothing of it can be undone.
    """
    run = locked(UpgradeRun.objects.select_related("job", "undo_job"), run.pk)
    if run.job and run.job.state in (Job.State.WAITING, Job.State.RUNNING):
        raise Refused("It is still running. Wait until it has finished.")
    if run.undo_job and run.undo_job.state != Job.State.FAILED:
        raise Refused("Somebody has asked for that already.")
    if not run.items.filter(state=State.DONE).exists():
        raise Refused("Nothing of it is left to undo.")
    run.undo_job = jobs.start_job(kind=UNDO, by=by, at=at, arguments={"run": run.pk})
    run.save(update_fields=["undo_job"])
    return run


@transaction.atomic
def ask_to_go_on(*, run: UpgradeRun, by: User, at: datetime) -> UpgradeRun:
    """Ask again for what a run whose work failed has left waiting.

    Raises :class:`Refused` where nothing waits, or where it has not failed.
    """
    run = locked(UpgradeRun.objects.select_related("job", "undo_job"), run.pk)
    waiting = run.items.filter(state=State.WAITING).exists()
    if not (waiting and run.job and run.job.state == Job.State.FAILED):
        raise Refused("Nothing of it is left to go on with.")
    run.job = jobs.start_job(kind=UPGRADE, by=by, at=at, arguments={"run": run.pk})
    run.save(update_fields=["job"])
    return run


def run_upgrades(*, job: Job, at: datetime, progress: jobs.Progress) -> dict[str, Any]:
    """Move each migration of a run that still waits, each in a transaction of its own."""
    run = UpgradeRun.objects.select_related("version", "by").get(pk=job.arguments["run"])
    target = target_of(run.version)

    def move(item: UpgradeItem) -> None:
        _require_allowed(item.migration, run.by)
        _upgrade(item, target, by=run.by, at=at)

    _each(run, job, State.WAITING, move, progress, failed=State.FAILED)
    return _counted(run)


def run_undo(*, job: Job, at: datetime, progress: jobs.Progress) -> dict[str, Any]:
    """Take back each migration of a run that nobody has worked on since."""
    run = UpgradeRun.objects.select_related("version").get(pk=job.arguments["run"])
    by = User.objects.get(pk=job.asked_by_id)

    def undo(item: UpgradeItem) -> None:
        _require_allowed(item.migration, by)
        undo_upgrade(item=item, by=by, at=at)

    _each(run, job, State.DONE, undo, progress, failed=State.DONE)
    return _counted(run)


def _require_allowed(migration: Migration, by: User) -> None:
    if not migration.allows(by, Permission.UPGRADE_MIGRATIONS):
        raise Refused(f"{by} may not do this in this migration any more.")


def _upgrade(item: UpgradeItem, target: Target, *, by: User, at: datetime, seen: str = "") -> None:
    done = upgrade_migration(
        migration=item.migration, target=target, by=by, at=at, seen=seen, reopen=item.run.reopen
    )
    item.state, item.report, item.undo, item.seq = State.DONE, done.told, done.undo, done.seq
    item.save()


def _each(
    run: UpgradeRun,
    job: Job,
    state: str,
    act: Callable[[UpgradeItem], None],
    progress: jobs.Progress,
    *,
    failed: str,
) -> None:
    """Do one thing to each item in a state, once, whatever becomes of the worker or of others.

    While one of two hands waits for the database the other one reckons. A few items are not
    worth a second one.
    """
    todo = deque(run.items.filter(state=state).values_list("pk", flat=True))
    total = run.items.count()
    numbers = itertools.count(total - len(todo) + 1)

    def work() -> None:
        while True:
            try:
                pk = todo.popleft()
            except IndexError:  # the other hand has taken the last
                return
            _one(run, pk, state, act, failed=failed)
            progress(next(numbers), total)

    def second_hand() -> None:
        try:
            with pghistory.context(user=job.asked_by_id, job=job.pk):
                work()
        finally:
            connection.close()

    if len(todo) < MANY:
        work()
        return
    with ThreadPoolExecutor(1) as threads:
        second = threads.submit(second_hand)
        try:
            work()
        finally:
            todo.clear()  # where one fails, the other starts nothing more
        second.result()


def _one(
    run: UpgradeRun, pk: int, state: str, act: Callable[[UpgradeItem], None], *, failed: str
) -> None:
    """Do one thing to an item; its own row says that it is done, in the same transaction.

    One that fails is told in a sentence, and the others go on.
    """
    problem = ""
    try:
        with transaction.atomic():
            item = _take(pk, state)
            if item is not None:
                item.run = run
                act(item)
    except Refused as refusal:
        problem = str(refusal)
    except OperationalError:
        raise  # the database is away: another worker goes on
    except Exception:
        reference = uuid.uuid4().hex[:8]
        logger.exception("Item %s of an upgrade failed, reference %s.", pk, reference)
        problem = (
            "Something went wrong that should not, and nothing was changed in this migration. "
            f"Tell the service team the reference {reference}."
        )
    if problem:
        UpgradeItem.objects.filter(pk=pk, state=state).update(state=failed, problem=problem)


def _take(pk: int, state: str) -> UpgradeItem | None:
    """The item, locked; None where another worker has it or has done it."""
    return (
        UpgradeItem.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("migration__source_system", "migration__target_system", "from_version")
        .filter(pk=pk, state=state)
        .first()
    )


def _counted(run: UpgradeRun) -> dict[str, Any]:
    counts: dict[str, Any] = {}
    for state in run.items.values_list("state", flat=True):
        counts[state] = counts.get(state, 0) + 1
    return counts
