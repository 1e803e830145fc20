"""Long work: asked for, done once, restarted when its worker dies, and failing in plain words."""

import os
import signal
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from celery import Celery
from django.apps import apps
from django.core.files.base import ContentFile
from django.db import connection, transaction
from django.db.models import F
from django.db.utils import OperationalError

from practices.common import jobs
from practices.common.errors import Refused
from practices.common.models import Event, Job
from practices.directory.models import Organisation, Practice
from practices.directory.services import ask_for_import
from tests import factories
from tests.directory.lists import epraccur, many

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
LONG = timedelta(minutes=3)


def make_one(*, job, at, progress):
    """A handler: writes a row and says how far it is."""
    organisation = factories.make_organisation("national", name=job.arguments.get("name", "Made"))
    progress(3, 7)
    return {"made": organisation.pk}


def refuse(*, job, at, progress):
    make_one(job=job, at=at, progress=progress)
    raise Refused("The file has no practices in it.")


def break_down(*, job, at, progress):
    make_one(job=job, at=at, progress=progress)
    raise KeyError("a secret")


def lose_the_database(*, job, at, progress):
    make_one(job=job, at=at, progress=progress)
    raise OperationalError("the server closed the connection")


def be_overtaken(*, job, at, progress):
    """Meanwhile another worker, on a connection of its own, has started the job again."""

    def take_over():
        Job.objects.filter(pk=job.pk).update(attempts=F("attempts") + 1)
        connection.close()

    thread = threading.Thread(target=take_over)
    thread.start()
    thread.join()
    return make_one(job=job, at=at, progress=progress)


def go_step_by_step(*, job, at, progress):
    """Makes what is not there yet, each in a transaction; in the middle the database is away."""
    for number, name in enumerate(job.arguments["names"], 1):
        with transaction.atomic():
            if not Organisation.objects.filter(name=name).exists():
                factories.make_organisation("national", name=name)
        progress(number, len(job.arguments["names"]))
        if job.attempts == 1 and number == 2:
            raise OperationalError("the server closed the connection")
    return {"made": len(job.arguments["names"])}


@pytest.fixture(autouse=True)
def handlers(monkeypatch):
    made = (make_one, refuse, break_down, lose_the_database, be_overtaken, go_step_by_step)
    for handler in made:
        path = f"{__name__}.{handler.__name__}"
        monkeypatch.setitem(jobs._handlers, handler.__name__, path)
    monkeypatch.setattr(jobs, "_in_steps", jobs._in_steps | {"go_step_by_step"})


def ask(kind: str, **arguments) -> Job:
    return jobs.start_job(kind=kind, by=None, at=AT, arguments=arguments)


def run(job: Job) -> Job:
    jobs.run_job(job.pk, at=AT)
    job.refresh_from_db()
    return job


def forget(job: Job) -> None:
    """As if nothing had been heard of the job for three minutes."""
    Job.objects.filter(pk=job.pk).update(seen_at=F("seen_at") - LONG)


def test_a_job_runs_and_keeps_its_result(committed_db):
    job = run(ask("make_one", name="Somebody"))
    assert job.state == Job.State.DONE
    assert (job.done, job.total, job.attempts) == (7, 7, 1)
    assert Organisation.objects.get(pk=job.result["made"]).name == "Somebody"
    assert job.finished_at is not None


def test_running_it_again_does_nothing(committed_db):
    job = run(ask("make_one"))
    run(job)
    assert Organisation.objects.count() == 1
    assert job.attempts == 1


def test_a_refusal_fails_the_job_with_its_sentence_and_changes_nothing(committed_db):
    job = run(ask("refuse"))
    assert (job.state, job.problem) == (Job.State.FAILED, "The file has no practices in it.")
    assert not Organisation.objects.exists()


def test_a_fault_fails_the_job_with_a_reference_that_is_in_the_log(committed_db, caplog):
    job = run(ask("break_down"))
    assert job.state == Job.State.FAILED
    assert "a secret" not in job.problem
    reference = job.problem.split()[-1].rstrip(".")
    assert any(reference in record.getMessage() for record in caplog.records)
    assert not Organisation.objects.exists()


def test_a_lost_database_gives_the_job_back_to_the_sweep(committed_db):
    job = run(ask("lose_the_database"))
    assert (job.state, job.attempts) == (Job.State.WAITING, 1)
    assert not Organisation.objects.exists()


def test_work_in_steps_goes_on_where_it_stopped(committed_db):
    job = run(ask("go_step_by_step", names=["One", "Two", "Three"]))
    assert job.state == Job.State.WAITING
    assert Organisation.objects.filter(name__in=["One", "Two", "Three"]).count() == 2
    job = run(job)
    assert (job.state, job.result) == (Job.State.DONE, {"made": 3})
    assert Organisation.objects.filter(name__in=["One", "Two", "Three"]).count() == 3


def test_a_worker_that_was_overtaken_leaves_nothing_behind(committed_db):
    job = run(ask("be_overtaken"))
    assert job.state == Job.State.RUNNING
    assert not Organisation.objects.exists()


def test_the_third_attempt_is_the_last(committed_db):
    job = ask("lose_the_database")
    for _ in range(4):
        run(job)
    assert (job.state, job.attempts) == (Job.State.FAILED, 3)
    assert "started 3 times" in job.problem


def test_a_running_job_is_left_alone_until_its_worker_counts_as_dead(committed_db):
    job = ask("make_one")
    Job.objects.filter(pk=job.pk).update(state=Job.State.RUNNING, attempts=1)
    assert run(job).state == Job.State.RUNNING
    forget(job)
    assert run(job).state == Job.State.DONE
    assert job.attempts == 2


def test_the_work_is_seen_only_when_it_is_done_but_progress_before(committed_db, monkeypatch):
    monkeypatch.setattr(jobs, "HEARTBEAT", 0.02)
    seen = []

    def watch(*, job, at, progress):
        make_one(job=job, at=at, progress=progress)
        before = Job.objects.get(pk=job.pk).seen_at
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            beating = Job.objects.get(pk=job.pk)
            if (beating.done, beating.total) == (3, 7) and beating.seen_at > before:
                seen.append(beating.state)
                break
        return {}

    monkeypatch.setattr(f"{__name__}.make_one_watched", watch, raising=False)
    monkeypatch.setitem(jobs._handlers, "watched", f"{__name__}.make_one_watched")
    run(ask("watched"))
    assert seen == [Job.State.RUNNING]


def test_row_history_knows_which_job_wrote(committed_db):
    job = run(ask("make_one"))
    event = apps.get_model("directory", "OrganisationEvent").objects.get()
    assert event.pgh_context["job"] == job.pk


def test_nothing_starts_when_the_asking_is_rolled_back(committed_db, monkeypatch):
    rung: list[int] = []
    monkeypatch.setattr(jobs, "_ring", rung.append)
    with transaction.atomic():
        ask("make_one")
        transaction.set_rollback(True)
    assert rung == []
    job = ask("make_one")
    assert rung == [job.pk]


def test_asking_works_while_the_broker_is_away(committed_db, caplog, monkeypatch):
    nobody = Celery("nobody", set_as_current=False)
    nobody.config_from_object("django.conf:settings", namespace="CELERY")
    nobody.conf.broker_url = "redis://127.0.0.1:1/0"
    monkeypatch.setattr(jobs, "current_app", nobody)
    before = time.monotonic()
    job = ask("make_one")
    assert time.monotonic() - before < 3, "somebody waits for this page"
    job.refresh_from_db()
    assert job.state == Job.State.WAITING
    assert any("refused" in record.getMessage() for record in caplog.records)


def test_the_sweep_rings_for_forgotten_jobs_only(committed_db, monkeypatch):
    monkeypatch.setattr(jobs, "_ring", id)
    _fresh, waiting, dead, alive, done = (ask("make_one") for _ in range(5))
    for job, state in ((dead, "running"), (alive, "running"), (done, "done")):
        Job.objects.filter(pk=job.pk).update(state=state)
    for job in (waiting, dead, done):
        forget(job)
    rung: list[int] = []
    monkeypatch.setattr(jobs, "_ring", rung.append)
    assert jobs.restart_jobs() == 2
    assert rung == [waiting.pk, dead.pk]


@pytest.fixture
def stored_on_disk(settings, media_root):
    """Files lie where the worker looks for them."""
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    }
    settings.MEDIA_ROOT = str(media_root)


def test_an_import_survives_its_worker(celery_worker, stored_on_disk, site_environment, tmp_path):
    """kill -9 in the middle: nothing of the list is there, and the next worker does all of it."""
    from migration_tracker.local import commands
    from migration_tracker.local.processes import Child

    lines = 6000
    job = ask_for_import(
        upload=ContentFile(epraccur(*many(lines)), name="list.csv"),
        all_settings=False,
        by=factories.make_person(),
        at=AT,
    )
    row = Job.objects.filter(pk=job.pk)
    celery_worker.wait_until(row.filter(done__gt=0).exists)
    os.killpg(celery_worker.pid, signal.SIGKILL)
    celery_worker.process.wait()
    assert not Practice.objects.exists()
    assert Event.objects.get().kind == "practices.import_asked"
    job.refresh_from_db()
    assert job.state == Job.State.RUNNING

    forget(job)
    second = Child(
        "worker", commands.WORKER, log=tmp_path / "second.log", env=site_environment, grace=10
    )
    try:
        assert jobs.restart_jobs() == 1
        second.wait_until(row.filter(state=Job.State.DONE).exists, seconds=100)
    finally:
        second.stop()
    job.refresh_from_db()
    assert (job.result["created"], job.attempts) == (lines, 2)
    assert Practice.objects.count() == lines
    assert Event.objects.filter(kind="practices.imported").count() == 1
