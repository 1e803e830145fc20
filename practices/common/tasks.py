"""What a worker is told to do, in three lines each; the work is in the services."""

from datetime import timedelta

from celery import shared_task
from django.contrib.sessions.backends.db import SessionStore

from . import clock, files, jobs


@shared_task
def run_job(job_id: int) -> None:
    jobs.run_job(job_id, at=clock.now())


@shared_task
def restart_jobs() -> None:
    jobs.restart_jobs()


@shared_task
def remove_orphans() -> None:
    files.remove_orphans(before=clock.now() - timedelta(days=1))


@shared_task
def remove_ended_sessions() -> None:
    """What was typed in one must not outlive it."""
    SessionStore.clear_expired()
