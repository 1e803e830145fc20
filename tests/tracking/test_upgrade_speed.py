"""How long moving many migrations to another version takes, and that it grows with their number.

Only in `make upgrades`: a thousand migrations of the full plan, 307 tasks each.
"""

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
import time_machine

from practices.accounts.roles import Role
from practices.common import jobs
from practices.plans.models import PlanVersion
from practices.plans.rules import PlanTree
from practices.plans.services import load_plan, publish
from practices.plans.shipping import FOLDER
from practices.plans.yaml import read_plan
from practices.tracking.models import Migration, UpgradeRun
from practices.tracking.services.counters import wrong_counters
from practices.tracking.services.upgrading import ask_for_upgrades, ask_to_undo
from tests.factories import (
    MONDAY,
    make_migration,
    make_organisation,
    make_person,
    make_system,
)

from .versions import adding, next_version, with_clock, with_task, without

LONG = os.environ.get("UPGRADES") == "long"
FILE = Path(__file__).parents[2] / "bench" / "upgrades.json"
pytestmark = [
    pytest.mark.skipif(not LONG, reason="make upgrades"),
    pytest.mark.timeout(3600),
]
MANY = (100, 300, 1000)
LIMIT = 120  # seconds for a thousand


def full_plan() -> PlanTree:
    file = FOLDER / "nhs-full-migration.yaml"
    return read_plan(file.read_bytes(), file=file.name)


def start_many(version: PlanVersion, number: int) -> list[Migration]:
    runner = make_organisation("delivery_partner")
    manager = make_person(Role.PROJECT_MANAGER, runner)
    old, new = make_system(), make_system()
    return [
        make_migration(
            plan_version=version,
            run_by=runner,
            project_manager=manager,
            source_system=old,
            target_system=new,
        )
        for _ in range(number)
    ]


def time_of(job: int, number: int) -> dict[str, float]:
    """What a job took: by the clock on the wall, and of the worker's own processor time."""
    begun, worked = time.monotonic(), time.process_time()
    jobs.run_job(job, at=MONDAY)
    took, worked = time.monotonic() - begun, time.process_time() - worked
    return {
        "seconds": round(took, 1),
        "milliseconds_each": round(took / number * 1000, 1),
        "worker_processor_milliseconds_each": round(worked / number * 1000, 1),
        "load_of_the_machine": round(os.getloadavg()[0], 1),
    }


def test_a_thousand_migrations_are_moved_within_two_minutes(committed_db):
    with time_machine.travel(MONDAY, tick=True):
        found = measure()
    FILE.write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    times = {int(number): one["seconds"] for number, one in found["moved"].items()}
    assert times[1000] < LIMIT
    # Ten times as many take about ten times as long, not more.
    assert times[1000] / times[100] < 15
    assert wrong_counters() == []


def measure() -> dict[str, Any]:
    by = make_person(Role.ADMINISTRATOR)
    draft = load_plan(tree=full_plan(), by=by, at=MONDAY).version
    first = publish(version=draft, by=by, at=MONDAY)
    migrations = start_many(first, max(MANY))
    tasks = first.tasks.count()
    phase, last = first.phases.first(), first.tasks.order_by("pk").last()
    shifted = first.tasks.filter(signs=None, records="").first()
    assert phase
    assert last
    assert shifted
    second = next_version(
        first,
        adding(phase.key, "NEW-01"),
        without(last.code),
        with_task(shifted.code, offset=shifted.offset - 1),
        with_clock("old_system_access", limit=90),
    )
    moved, undone = {}, {}
    for number in MANY:
        run = ask_for_upgrades(
            migrations=Migration.objects.filter(pk__in=[one.pk for one in migrations[:number]]),
            version=second,
            reopen=False,
            chosen="all",
            by=by,
            at=MONDAY,
        )
        assert run.job_id
        moved[str(number)] = time_of(run.job_id, number)
        assert run.items.filter(state="done").count() == number
        run = ask_to_undo(run=UpgradeRun.objects.get(pk=run.pk), by=by, at=MONDAY)
        assert run.undo_job_id
        undone[str(number)] = time_of(run.undo_job_id, number)
        assert run.items.filter(state="undone").count() == number
    return {"cores": os.cpu_count(), "tasks_each": tasks, "moved": moved, "undone": undone}
