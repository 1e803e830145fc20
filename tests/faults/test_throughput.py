"""How fast reminders are planned and sent, beside what no program could do without.

Only in `make faults`. It keeps ratios, which a busy machine shifts less than times.
"""

import smtplib
import statistics
import sys
import time
from collections.abc import Callable
from copy import copy
from datetime import date, datetime, timedelta
from email.utils import parseaddr
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.db.models.base import ModelState

from migration_tracker.celery import app
from migration_tracker.local import commands
from migration_tracker.local.processes import Child, free_port, listens
from practices.accounts.models import Membership, User
from practices.common import clock
from practices.common.time import london_date
from practices.directory.models import Organisation, Practice
from practices.reminders.models import Heartbeat, Notification
from practices.reminders.post import Letter, Post
from practices.reminders.services import deliver, plan_due
from practices.tracking.models import ClockRun, Migration
from tests.reminders.worlds import HOUR, World
from tests.support.servers import Server

from .conftest import environment_of
from .report import LONG, keep
from .scenarios import NOW
from .storm import Crowd

pytestmark = [
    pytest.mark.skipif(not LONG, reason="make faults"),
    pytest.mark.timeout(1800),
]
ROUNDS = 3
SINCE = date(2020, 1, 1)


@pytest.fixture
def sink(settings, tmp_path: Path):
    """A mail server in a process of its own, so that it does not share this one's processor."""
    port = free_port()
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    command = [sys.executable, "-m", "tests.faults.sink", str(port)]
    child = Child("sink", command, log=tmp_path / "sink.log")
    child.wait_until(lambda: listens(port))
    yield
    child.stop()


def _clean_up(postgres: Server, database: str) -> None:
    """The owner's work, which a real server does by itself."""
    with postgres.connect(database=database) as owner:
        owner.execute("VACUUM ANALYZE")


def _seconds(act: Callable[[], object]) -> float:
    begun = time.monotonic()
    act()
    return time.monotonic() - begun


def _send_bare(letters: list[Letter]) -> None:
    sender = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    with smtplib.SMTP(settings.EMAIL_HOST, settings.EMAIL_PORT) as smtp:
        for letter in letters:
            smtp.sendmail(sender, [letter.address], letter.content)


def _send_all() -> None:
    while deliver(now=clock.now()):
        pass


def _rung(url: str) -> None:
    """One ring, as a sweep's, and the worker's two processes send until nothing is left."""
    with app.connection_for_write(url=url) as to:
        app.send_task("practices.reminders.tasks.deliver", connection=to)
    status = Notification.Status
    while Notification.objects.filter(status__in=(status.PENDING, status.SENDING)).exists():
        time.sleep(0.01)


@pytest.fixture
def worker(postgres, committed_db, sink, broker, tmp_path: Path):
    """A worker as the site starts it. What it is told before it is ready waits in the broker."""
    env = {**environment_of(postgres, committed_db), "REDIS_URL": broker.url}
    child = Child("worker", commands.WORKER, log=tmp_path / "worker.log", env=env)
    yield broker.url
    child.stop()


def test_sending_beside_a_bare_loop(committed_db, postgres, worker, monkeypatch):
    """Checked, written, sent and recorded, against nothing but sent, on one connection.

    By a worker with its two processes, as every site has one; and by one process alone.
    """
    crowd = Crowd.make(migrations=240, people=10)  # a dozen are told the same, as in life
    for world in crowd.worlds:
        world.start_cut_over(clock.now() - timedelta(hours=24, minutes=5))
    plan_due(now=clock.now())
    rows = Notification.objects.filter(kind="clock")
    Notification.objects.exclude(kind="clock").delete()
    letters: list[Letter] = []
    send = Post.send

    def noted(post: Post, letter: Letter):
        letters.append(letter)
        return send(post, letter)

    with monkeypatch.context() as patch:
        patch.setattr(Post, "send", noted)
        _send_all()
    again: dict[str, Any] = {"status": "pending", "sent_at": None, "content": None, "address": ""}
    again |= {"attempts": 0, "reports_known": 0, "smtp_reply": ""}
    found: dict[str, list[float]] = {"bare": []}
    for _ in range(ROUNDS + 1):
        for name, act in (("sending", partial(_rung, worker)), ("sending alone", _send_all)):
            rows.update(**again)
            _clean_up(postgres, committed_db)
            found.setdefault(name, []).append(_seconds(act))
            assert not rows.exclude(status="sent").exists()
        found["bare"].append(_seconds(lambda: _send_bare(letters)))
    # The first round warms the worker up.
    bare, *ours = (statistics.median(seconds[1:]) for seconds in found.values())
    for name, seconds in zip(("sending", "sending alone"), ours, strict=True):
        per_second = {"ours": round(len(letters) / seconds), "bare": round(len(letters) / bare)}
        ratio = round(bare / seconds, 2)
        keep(ratios={name: {"mails": len(letters), "per_second": per_second, "ratio": ratio}})
        print(name, per_second, ratio)


MIGRATIONS = 6200  # every practice in England at once
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


def _a_country() -> None:
    """6,200 running cut-overs, each with a practice and a practice manager of its own."""
    world = World()
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


def _rows(now: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(DUE, [now])
        return len(cursor.fetchall())


def _insert_bare(now: datetime) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(INSERT, [now])
        transaction.set_rollback(True)


def test_planning_beside_the_bare_sql(committed_db, postgres):
    """Sweeps that find everything due, nothing, and a little, against the SQL that finds it.

    Where rows are due, also against SQL that finds and inserts them: what the database needs.
    """
    _a_country()
    Heartbeat.objects.update_or_create(id=1, defaults={"overdue_told_on": london_date(NOW)})
    found = {}
    for name, now, due, rounds in (
        ("nothing to say yet", NOW - 5 * HOUR, 0, ROUNDS),
        ("all due", NOW, 3 * MIGRATIONS, 1),  # what is planned is not due again
        ("nothing due", NOW, 0, ROUNDS),
        ("one in a hundred due", NOW, 3 * MIGRATIONS // 100, ROUNDS),
    ):
        bare, writing, ours = [], [], []
        said = Notification.objects.filter(kind="clock")
        for _ in range(rounds):
            if due and said.exists():
                _forget_some()
            _clean_up(postgres, committed_db)
            bare.append(_seconds(partial(_count_due, due, now)))
            writing.append(_seconds(partial(_insert_bare, now)))
            _clean_up(postgres, committed_db)
            before = said.count()
            ours.append(_seconds(partial(plan_due, now=now)))
            assert said.count() == before + due
        found[name] = _beside(due, *map(statistics.median, (ours, bare, writing)))
    keep(ratios={"planning": {"migrations": MIGRATIONS, **found}})


def _beside(due: int, ours: float, bare: float, writing: float) -> dict[str, float]:
    beside = {
        "rows": due,
        "seconds": round(ours, 3),
        "bare_seconds": round(bare, 3),
        "ratio": round(ours / bare, 1),
    }
    if not due:
        return beside
    return beside | {
        "bare_insert_seconds": round(writing, 3),
        "ratio_to_insert": round(ours / writing, 1),
    }


def _forget_some() -> None:
    some = list(ClockRun.objects.order_by("pk").values_list("pk", flat=True)[::100])
    Notification.objects.filter(clock_run__in=some).delete()


def _count_due(expected: int, now: datetime) -> None:
    assert _rows(now) == expected
