"""Long work as a row: asked for in a page, done by a worker, restarted by a sweep.

A job's work and its finish are one transaction. A worker may die at any moment:
either nothing of the job has happened, and the sweep starts it again, or all of
it has. Work of many parts that each stand for themselves may be done in steps: then
each part is a transaction of its own, and whoever starts it again goes on after the
last. The queue is only a doorbell: without it a job starts at the next sweep.
"""

import logging
import threading
import uuid
from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime, timedelta
from typing import Any, Self

import pghistory
from celery import current_app
from django.contrib.auth.models import AbstractBaseUser
from django.db import DatabaseError, OperationalError, connection, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils.module_loading import import_string
from kombu.exceptions import OperationalError as BrokerError

from .errors import Refused
from .models import Job, StoredFile

logger = logging.getLogger(__name__)

RUN_TASK = "practices.common.tasks.run_job"
MOST_ATTEMPTS = 3
RING_AGAIN_AFTER = timedelta(seconds=30)
DEAD_AFTER = timedelta(minutes=2)
HEARTBEAT = 1.0  # seconds

Progress = Callable[[int, int], None]
_handlers: dict[str, str] = {}
_in_steps: set[str] = set()


def register(kind: str, handler: str, *, steps: bool = False) -> None:
    """Say who does jobs of a kind; called by a room's ``AppConfig.ready``.

    ``handler`` is the dotted path of a function called in one transaction as
    ``handler(job=, at=, progress=)``, where ``progress(done, total)`` may be called
    as often as wanted. What it returns becomes ``job.result``, and a file it sets
    as ``job.output`` is kept. A :class:`Refused` that it raises ends the job with
    that sentence.

    With ``steps`` it is called outside a transaction and commits each step itself, with a mark
    that it is done: called again it goes on with what has no mark, and finds all done at the end.
    """
    _handlers[kind] = handler
    if steps:
        _in_steps.add(kind)


def start_job(
    *,
    kind: str,
    by: AbstractBaseUser | None,
    at: datetime,
    arguments: dict[str, Any] | None = None,
    file: StoredFile | None = None,
) -> Job:
    """Ask for long work. It starts when the transaction has been committed."""
    job = Job.objects.create(
        kind=kind,
        arguments=arguments or {},
        file=file,
        asked_by_id=by.pk if by else None,
        asked_at=at,
    )
    transaction.on_commit(lambda: _ring(job.pk), robust=True)
    return job


def run_job(job_id: int, *, at: datetime) -> None:
    """Do a job, unless it is done, another worker is at it or it was tried too often."""
    job = _claim(job_id)
    if job is None:
        return
    problem = ""
    with _Heartbeat(job) as heartbeat:
        try:
            whole = nullcontext() if job.kind in _in_steps else transaction.atomic()
            with whole, pghistory.context(user=job.asked_by_id, job=job.pk):
                handler = import_string(_handlers[job.kind])
                result = handler(job=job, at=at, progress=heartbeat.progress)
                _finish(job, heartbeat, result)
        except Refused as refusal:
            problem = str(refusal)
        except (OperationalError, _TakenOver):
            logger.warning("Job %s was interrupted.", job.pk, exc_info=True)
            _give_back(job)
            return
        except Exception:
            reference = uuid.uuid4().hex[:8]
            logger.exception("Job %s failed, reference %s.", job.pk, reference)
            problem = (
                f"Something went wrong that should not, and {_left(job)}. "
                f"Tell the service team the reference {reference}."
            )
    if problem:
        _mine(job).update(state=Job.State.FAILED, problem=problem, finished_at=Now())


def restart_jobs() -> int:
    """Ring for every job that nobody started or whose worker has died; returns how many."""
    now = Now()
    forgotten = Job.objects.filter(
        Q(state=Job.State.WAITING, seen_at__lt=now - RING_AGAIN_AFTER)
        | Q(state=Job.State.RUNNING, seen_at__lt=now - DEAD_AFTER)
    ).order_by("pk")
    ids = list(forgotten.values_list("pk", flat=True)[:100])
    for job_id in ids:
        _ring(job_id)
    return len(ids)


def _ring(job_id: int) -> None:
    try:
        current_app.send_task(RUN_TASK, args=[job_id])
    except BrokerError as fault:
        logger.warning("Nobody was told of job %s, the sweep will start it: %s", job_id, fault)


def _left(job: Job) -> str:
    """What a job that failed leaves behind, in words."""
    return "what was done so far stays" if job.kind in _in_steps else "nothing was changed"


class _TakenOver(Exception):
    """The job is no longer this worker's: its heartbeat stopped for too long."""


def _claim(job_id: int) -> Job | None:
    free = Q(state=Job.State.WAITING) | Q(state=Job.State.RUNNING, seen_at__lt=Now() - DEAD_AFTER)
    with transaction.atomic():
        job = (
            Job.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("file", "asked_by")
            .filter(free, pk=job_id)
            .first()
        )
        if job is None:
            return None
        if job.attempts >= MOST_ATTEMPTS:
            Job.objects.filter(pk=job.pk).update(
                state=Job.State.FAILED,
                problem=f"The work was started {job.attempts} times and never finished. "
                f"{_left(job).capitalize()}. Tell the service team.",
                finished_at=Now(),
            )
            return None
        job.attempts += 1
        Job.objects.filter(pk=job.pk).update(
            state=Job.State.RUNNING, attempts=F("attempts") + 1, done=0, seen_at=Now()
        )
    return job


def _mine(job: Job) -> QuerySet[Job]:
    """The job's row, as long as no other worker has taken it over."""
    return Job.objects.filter(pk=job.pk, state=Job.State.RUNNING, attempts=job.attempts)


def _give_back(job: Job) -> None:
    """The database was away or busy, so the next sweep starts the job again."""
    try:
        connection.close_if_unusable_or_obsolete()
        _mine(job).update(state=Job.State.WAITING, seen_at=Now())
    except DatabaseError:
        logger.warning("Job %s waits until its worker counts as dead.", job.pk, exc_info=True)


def _finish(job: Job, heartbeat: "_Heartbeat", result: dict[str, Any]) -> None:
    finished = _mine(job).update(
        state=Job.State.DONE,
        result=result,
        output=job.output,
        done=heartbeat.total,
        total=heartbeat.total,
        finished_at=Now(),
    )
    if not finished:
        raise _TakenOver(job.pk)


class _Heartbeat:
    """Tells the row that the worker lives and how far it is.

    It writes from a thread of its own, hence on a connection of its own, so the
    page sees it move while the work's transaction is still open.
    """

    def __init__(self, job: Job) -> None:
        self.done = self.total = 0
        self._job = job
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def progress(self, done: int, total: int) -> None:
        self.done, self.total = done, total

    def _beat(self) -> None:
        try:
            while not self._stopped.wait(HEARTBEAT):
                try:
                    _mine(self._job).update(seen_at=Now(), done=self.done, total=self.total)
                except DatabaseError:
                    logger.warning("No heartbeat for job %s.", self._job.pk, exc_info=True)
                    connection.close()
        finally:
            connection.close()
