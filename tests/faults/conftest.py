"""The servers of a fault run: ones that may be stopped, filled with rubbish and started again."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from django.conf import settings
from pytest_django import DjangoDbBlocker

from migration_tracker.local import commands
from migration_tracker.local.postgres import Postgres
from migration_tracker.local.processes import free_port
from tests.reminders.conftest import celery_unreachable  # noqa: F401
from tests.support.databases import use
from tests.support.servers import Server, server, throw_away_cluster

from .mail import FaultyMail
from .report import LONG
from .storm import Broker

DATABASE = "faults"


@pytest.fixture
def cluster(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Postgres]:
    """A PostgreSQL server of its own, which this process uses too.

    In the long run it is as careful as a real one, so that it may be killed as well.
    """
    with throw_away_cluster(careless=not LONG) as own:
        there = server(own)
        there.create(DATABASE, there.template())
        given = there.settings(DATABASE)
        before = {key: settings.DATABASES["default"][key] for key in given}
        use(given)
        try:
            with django_db_blocker.unblock():
                yield own
        finally:
            use(before)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    own = Broker(tmp_path / "broker")
    yield own
    own.go_on()
    own.stop()


@pytest.fixture
def faulty_mail(settings) -> Iterator[FaultyMail]:
    mail = FaultyMail()
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    controller = Controller(mail, hostname="127.0.0.1", port=settings.EMAIL_PORT)
    controller.start()
    logging.getLogger("mail.log").setLevel(logging.WARNING)
    yield mail
    controller.stop()


def environment_of(there: Server, database: str) -> dict[str, str]:
    """What a process of a fault run is told; whom to ring comes beside it."""
    return {
        **os.environ,
        **there.environment(database),
        "DJANGO_SETTINGS_MODULE": "tests.faults.rig",
        "EMAIL_HOST": "127.0.0.1",
        "EMAIL_PORT": str(settings.EMAIL_PORT),
        "PATH": commands.PATH,
        "LOG_LEVEL": "WARNING",
    }


@pytest.fixture
def environment(cluster: Postgres, broker: Broker, faulty_mail: FaultyMail) -> dict[str, str]:
    """What every process of a storm is told."""
    return {**environment_of(server(cluster), DATABASE), "REDIS_URL": broker.url}


@pytest.fixture
def environment_of_committed(
    postgres: Server, committed_db: str, faulty_mail: FaultyMail
) -> dict[str, str]:
    """The same for processes that work on the database of a committed test; nobody to ring."""
    return {**environment_of(postgres, committed_db), "REDIS_URL": "redis://127.0.0.1:1/0"}
