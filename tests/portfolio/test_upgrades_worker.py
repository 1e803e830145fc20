"""A worker that dies in the middle of many upgrades: another one goes on, and nothing is twice."""

from practices.accounts.roles import Role
from practices.common import jobs
from practices.common.models import Job
from practices.tracking.services import upgrading
from practices.tracking.services.upgrading import running
from tests.factories import MONDAY, make_person, make_plan_version
from tests.tracking.cast import make_cast
from tests.tracking.versions import adding, next_version


def work(job: Job) -> str:
    jobs.run_job(job.pk, at=MONDAY)
    job.refresh_from_db()
    return job.state


def test_a_worker_that_dies_half_way_is_followed_by_one_that_goes_on(committed_db, monkeypatch):
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
    assert sorted(run.items.values_list("state", flat=True)) == ["done", "waiting", "waiting"]
    assert work(run.job) == Job.State.DONE
    assert set(run.items.values_list("state", flat=True)) == {"done"}
    # Nothing twice.
    assert calls.count(casts[0].migration.pk) == 1
    assert [cast.events().count("migration.upgraded") for cast in casts] == [1, 1, 1]
