"""The two ways a test meets the database."""

import threading

import pytest
from django.core.cache import cache
from django.db import connection, connections
from psycopg import errors

from tests.support.servers import Server


@pytest.mark.django_db
@pytest.mark.parametrize("time", ["first", "second"])
def test_a_test_is_rolled_back(time):
    assert cache.get("left-behind") is None
    cache.set("left-behind", time)


@pytest.mark.parametrize("time", ["first", "second"])
def test_a_committed_test_has_a_database_of_its_own(committed_db, time):
    assert cache.get("left-behind") is None
    cache.set("left-behind", time)
    seen = []

    def look():
        seen.append(cache.get("left-behind"))
        connections.close_all()

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [time]


def test_tests_run_as_the_role_that_owns_nothing(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_class WHERE relowner = current_user::regrole")
        assert cursor.fetchone() == (0,)


def test_the_app_role_changes_no_schema(postgres: Server, committed_db):
    with (
        postgres.connect("app", committed_db) as app,
        pytest.raises(errors.InsufficientPrivilege),
    ):
        app.execute("CREATE TABLE mine (id integer)")
