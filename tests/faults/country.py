"""Every practice in England at once, and the least that any planner has to ask of them."""

from copy import copy
from datetime import date, datetime
from typing import Any

from django.db import connection
from django.db.models.base import ModelState

from practices.accounts.models import Membership, User
from practices.common.time import london_date
from practices.directory.models import Organisation, Practice
from practices.plans.models import PlanVersion
from practices.tracking.models import ClockRun, Migration
from tests.reminders.worlds import World
from tests.support.servers import Server

SINCE = date(2020, 1, 1)
MIGRATIONS = 6200
# What falls due, and who is told of it: the least that any planner has to find out.
TOLD = """
WITH due AS (
    SELECT DISTINCT ON (run.id) run.id, run.migration_id, n,
        run.started_at + n * interval '1 hour' AS due_at
    FROM tracking_clockrun run
    JOIN plans_planclock clock ON clock.id = run.plan_clock_id
    CROSS JOIN LATERAL unnest(clock.warn_after) n
    WHERE run.state = 'running' AND run.started_at + n * interval '1 hour' <= %s
    ORDER BY run.id, n DESC
), told AS (
    SELECT due.*, migration.project_manager_id AS person_id
    FROM due JOIN tracking_migration migration ON migration.id = due.migration_id
    UNION ALL
    SELECT due.*, held.person_id
    FROM due JOIN tracking_migration migration ON migration.id = due.migration_id
    JOIN accounts_membership held ON held.organisation_id = migration.practice_id
        AND held.role = 'practice_manager' AND held.valid_to IS NULL
    UNION ALL
    SELECT due.*, held.person_id
    FROM due JOIN tracking_migration migration ON migration.id = due.migration_id
    JOIN directory_clinicalsystem system ON system.id = migration.target_system_id
    JOIN accounts_membership held ON held.organisation_id = system.supplier_id
        AND held.role = 'supplier' AND held.valid_to IS NULL
)
"""
UNSAID = """
FROM told WHERE NOT EXISTS (
    SELECT 1 FROM reminders_notification said
    WHERE said.clock_run_id = told.id AND said.person_id = told.person_id
        AND said.due_at >= told.due_at
)
"""
DUE = f"{TOLD} SELECT * {UNSAID}"
# And the rows themselves, by the same database with the same indexes and constraints.
INSERT = f"""
INSERT INTO reminders_notification (dedupe_key, message_id, kind, status, person_id, migration_id,
    clock_run_id, basis, headline, path, due_at, next_attempt_at, events, attempts, address,
    reports_known, smtp_reply, last_error)
{TOLD} SELECT 'bare:' || id || ':' || person_id, 'bare:' || id || ':' || person_id, 'clock',
    'pending', person_id, migration_id, id, '', 'Cut-over', '/', due_at, due_at, '{{}}', 0, '', 0,
    '', '' {UNSAID}
"""

REMINDED = """
SELECT migration.id, reminder.id, occasion.day
FROM plans_planreminder reminder
JOIN tracking_migration migration ON migration.plan_version_id = reminder.version_id
JOIN tracking_keydate anchor
    ON anchor.migration_id = migration.id AND anchor.key = reminder.anchor
CROSS JOIN LATERAL (
    SELECT max(coalesce(anchor.actual_on, anchor.planned_on) + n) AS day
    FROM unnest(reminder.offsets) n WHERE n <= 0 OR anchor.actual_on IS NOT NULL
) occasion
WHERE reminder.enabled AND occasion.day <= %s
    AND migration.state IN ('planning', 'cut_over', 'post_go_live', 'access_ended')
    AND (reminder.until = '' OR EXISTS (
        SELECT 1 FROM tracking_task task
        WHERE task.migration_id = migration.id AND 'task:' || task.code = reminder.until
            AND task.state IN ('open', 'blocked')
    ) OR EXISTS (
        SELECT 1 FROM tracking_keydate awaited
        WHERE awaited.migration_id = migration.id AND awaited.key = reminder.until
            AND awaited.actual_at IS NULL
    ))
    AND NOT EXISTS (
        SELECT 1 FROM reminders_notification said
        WHERE said.migration_id = migration.id AND said.plan_reminder_id = reminder.id
            AND said.due_at >= occasion.day
    )
"""
OWN = {"id", "migration_id"}  # columns


def a_country(plan_version: PlanVersion | None = None) -> None:
    """6,200 running cut-overs, each with a practice and a practice manager of its own."""
    world = World(plan_version=plan_version)
    run = world.start_cut_over()
    numbers = range(1, MIGRATIONS)
    organisations = Organisation.objects.bulk_create(
        Organisation(kind="practice", code=f"P{number:05}", name=f"Practice {number}")
        for number in numbers
    )
    practices = Practice.objects.bulk_create(
        Practice(organisation=organisation) for organisation in organisations
    )
    people = User.objects.bulk_create(
        User(email=f"manager{number}@example.test", name=f"Manager {number}", password="!")
        for number in numbers
    )
    Membership.objects.bulk_create(
        Membership(person=person, organisation=place, role="practice_manager", valid_from=SINCE)
        for person, place in zip(people, organisations, strict=True)
    )
    migrations = Migration.objects.bulk_create(
        _copy(world.migration, reference=place.code, practice=practice)
        for place, practice in zip(organisations, practices, strict=True)
    )
    ClockRun.objects.bulk_create(_copy(run, migration=each) for each in migrations)


def _copy(row: Any, **changes: object) -> Any:
    other = copy(row)
    other._state = ModelState()
    other.pk = None
    for name, value in changes.items():
        setattr(other, name, value)
    return other


# The rows that copies have as well, as far as reminders of the plan look at them.
COPIED = {
    "tracking_keydate": "true",
    "tracking_task": "'task:' || row.code IN (SELECT until FROM plans_planreminder)",
}


def dates_for_all(postgres: Server, database: str) -> None:
    """What the first migration has around key dates, for every other one; the owner's work."""
    with postgres.connect(database=database) as owner:
        for table, which in COPIED.items():
            named = owner.execute(
                "SELECT column_name FROM information_schema.columns WHERE table_name = %s", [table]
            ).fetchall()
            columns = ", ".join(f'"{name}"' for (name,) in named if name not in OWN)
            owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            owner.execute(
                f"INSERT INTO {table} (migration_id, {columns}) "
                f"SELECT other.id, {columns} FROM {table} row "
                "JOIN (SELECT min(id) AS id FROM tracking_migration) one "
                "ON one.id = row.migration_id "
                "CROSS JOIN (SELECT id FROM tracking_migration OFFSET 1) other "
                f"WHERE {which}"
            )
            owner.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def find(now: datetime) -> int:
    """What is due of clocks, found by nothing but SQL. How many rows."""
    with connection.cursor() as cursor:
        cursor.execute(DUE, [now])
        return len(cursor.fetchall())


def find_reminders(now: datetime) -> None:
    """What is due around key dates, found by nothing but SQL, which knows no working mornings."""
    with connection.cursor() as cursor:
        cursor.execute(REMINDED, [london_date(now)])
        cursor.fetchall()


def insert(now: datetime) -> None:
    """Found and inserted by nothing but SQL, and committed: references are checked then."""
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [now])
