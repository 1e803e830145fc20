"""The database of a test: rolled back by default, a fresh copy for what really commits.

Nothing is ever flushed: the app role may not TRUNCATE, and no test may need it to.
"""

import os
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.db import connections
from pytest_django import DjangoDbBlocker

from .servers import Server, throw_away
from .settings import GIVEN

FLUSHING = {"transactional_db", "live_server", "django_db_reset_sequences"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse the ways of pytest-django that would flush the database."""
    for item in items:
        marker = item.get_closest_marker("django_db")
        flushing = FLUSHING.intersection(getattr(item, "fixturenames", ()))
        if flushing or (marker and (marker.kwargs.get("transaction") or marker.args)):
            raise pytest.UsageError(
                f"{item.nodeid} would flush the database. For a test that really commits use the "
                "fixture committed_db (or live_app, celery_worker), without a django_db mark."
            )


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """The PostgreSQL server of this run."""
    if "OWNER_DATABASE_URL" in GIVEN:
        yield Server(owner_url=GIVEN["OWNER_DATABASE_URL"], app_url=GIVEN["DATABASE_URL"])
    else:
        with throw_away() as server:
            yield server


@pytest.fixture(scope="session")
def template_database(postgres: Server) -> str:
    """The name of the database that every test database is a copy of."""
    return postgres.template()


def use(values: dict[str, object]) -> None:
    """Point Django's default connection, in every thread, somewhere else."""
    connections["default"].close()
    # Every thread's connection reads this one dictionary.
    connections.settings["default"].update(values)


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, postgres: Server, template_database: str
) -> Iterator[None]:
    """pytest-django's hook: a copy of the template, in which every test is rolled back."""
    name = f"test_{os.getpid()}"
    postgres.create(name, template_database)
    use(postgres.settings(name))
    yield
    connections["default"].close()
    postgres.drop(name)


def committed_name() -> str:
    """The database of the committed test that runs now; there is one at a time."""
    return f"test_{os.getpid()}_committed"


@pytest.fixture
def committed_db(
    request: pytest.FixtureRequest,
    postgres: Server,
    template_database: str,
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[str]:
    """A fresh copy of the database for one test that really commits. Gives its name."""
    if request.node.get_closest_marker("django_db"):
        pytest.fail("A committed test has no django_db mark: that would wrap it in a transaction.")
    name = committed_name()
    rolled_back = settings.DATABASES["default"]["NAME"]
    postgres.create(name, template_database)
    use({"NAME": name})
    try:
        with django_db_blocker.unblock():
            yield name
    finally:
        use({"NAME": rolled_back})
        postgres.drop(name)


@pytest.fixture
def db(request: pytest.FixtureRequest) -> None:
    """Database access, so that one factory fixture serves both kinds of test."""
    committed = "committed_db" in request.fixturenames
    request.getfixturevalue("committed_db" if committed else "_django_db_helper")
