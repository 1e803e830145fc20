"""A worker that dies in the middle of many upgrades: another one goes on, and nothing is twice."""

import threading

import pytest
from django.apps import apps

from practices.accounts.roles import Role
from practices.common import jobs
from practices.common.models import Job
from practices.tracking.services import upgrading
from practices.tracking.services.counters import wrong_counters
from practices.tracking.services.upgrading import running
from tests.factories import MONDAY, make_person, make_plan_version
from tests.tracking.cast import make_cast
from tests.tracking.versions import adding, next_version


def work(job: Job) -> str:
    jobs.run_job(job.pk, at=MONDAY)
    job.refresh_from_db()
    return job.state


def test_two_hands_share_a_run_and_each_migration_is_moved_once(committed_db, monkeypatch):
    monkeypatch.setattr(running, "MANY", 2)
    first = make_plan_version()
    casts = [make_cast(plan_version=first) for _ in range(6)]
    administrator = make_person(Role.ADMINISTRATOR)
    run = upgrading.ask_for_upgrades(
        migrations=[cast.migration for cast in casts],
        version=next_version(first, adding("go_live", "GL-03")),
        reopen=False,
        chosen="one by one",
        by=administrator,
        at=MONDAY,
    )
    real, hands, both = running.upgrade_migration, set(), threading.Barrier(2, timeout=30)

    def moves(**of):
        if threading.get_ident() not in hands:
            hands.add(threading.get_ident())
            both.wait()
        return real(**of)

    monkeypatch.setattr(running, "upgrade_migration", moves)
    assert run.job is not None
    assert work(run.job) == Job.State.DONE
    assert len(hands) == 2
    assert [cast.events().count("migration.upgraded") for cast in casts] == [1] * 6
    # The history of both hands says whose job it was.
    said = apps.get_model("tracking", "MigrationEvent").objects.filter(
        plan_version=run.version, pgh_context__job=run.job.pk, pgh_context__user=administrator.pk
    )
    assert said.count() == 6
    assert wrong_counters() == []


@pytest.mark.parametrize("many", [2, 20])
def test_a_worker_that_dies_half_way_is_followed_by_one_that_goes_on(
    committed_db, monkeypatch, many
):
    monkeypatch.setattr(running, "MANY", many)
    first = make_plan_version()
    casts = [make_cast(plan_version=first) for _ in range(3)]
    run = upgrading.ask_for_upgrades(
        migrations=[cast.migration for cast in casts],
        version=next_version(first, adding("go_live", "GL-03")),
        reopen=False,
        chosen="one by one",
        by=make_person(Role.ADMINISTRATOR),
        at=MONDAY,
    )
    real, calls = running.upgrade_migration, []

    def dies(**of):
        calls.append(of["migration"].pk)
        if len(calls) == 2:
            raise running.OperationalError("the server closed the connection")
        return real(**of)

    monkeypatch.setattr(running, "upgrade_migration", dies)
    assert run.job is not None
    assert work(run.job) == Job.State.WAITING
    after = sorted(run.items.values_list("state", flat=True))
    assert "waiting" in after
    # One hand alone stops at once; of two, the other finishes what it has begun.
    assert many == 2 or after == ["done", "waiting", "waiting"]
    assert work(run.job) == Job.State.DONE
    assert set(run.items.values_list("state", flat=True)) == {"done"}
    # Nothing twice.
    assert many == 2 or calls.count(casts[0].migration.pk) == 1
    assert [cast.events().count("migration.upgraded") for cast in casts] == [1, 1, 1]
