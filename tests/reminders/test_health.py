"""The dead man's switch that whoever runs the site watches from outside."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from practices.common import clock
from practices.reminders.models import Heartbeat, Notification
from practices.reminders.planning import plan_due

from .conftest import NOW
from .worlds import World

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)
ADDRESS = "/healthz/reminders"


@pytest.fixture
def swept(db) -> Heartbeat:
    return Heartbeat.objects.create(swept_at=clock.now())


def answer(client) -> tuple[int, str]:
    response = client.get(ADDRESS)
    return response.status_code, response.content.decode()


def test_it_is_well_while_sweeps_run_and_nothing_is_late(client, swept):
    assert answer(client) == (200, "ok\n")
    assert client.get(f"{ADDRESS}/").status_code == 200, "either spelling"
    assert "no-store" in client.get(ADDRESS)["Cache-Control"]


def test_it_is_not_before_the_first_sweep(client):
    status, words = answer(client)
    assert status == 503
    assert "never" in words


def test_it_is_not_when_sweeps_have_stopped(client, swept):
    Heartbeat.objects.update(swept_at=clock.now() - 4 * MINUTE)
    status, words = answer(client)
    assert status == 503
    assert "not being planned" in words


class TestLate:
    @pytest.fixture
    def row(self, world: World, swept) -> Notification:
        world.start_cut_over()
        plan_due(now=NOW)
        Heartbeat.objects.update(swept_at=clock.now())
        Notification.objects.exclude(person=world.manager).delete()
        Notification.objects.update(next_attempt_at=clock.now() - 4 * MINUTE)
        return Notification.objects.get()

    def test_four_minutes_are_not_late_and_six_are(self, client, row):
        assert answer(client)[0] == 200
        Notification.objects.update(next_attempt_at=clock.now() - 6 * MINUTE)
        status, words = answer(client)
        assert status == 503
        assert "not being sent" in words

    def test_what_waits_for_its_next_attempt_is_not_late(self, client, row):
        later = clock.now() + 10 * MINUTE
        Notification.objects.update(attempts=3, next_attempt_at=later)
        assert answer(client)[0] == 200

    def test_what_a_dead_worker_left_and_nobody_took_over_is_late(self, client, row):
        leased = {"status": "sending", "lease_token": "0" * 32}
        Notification.objects.update(**leased, lease_until=clock.now() + MINUTE)
        assert answer(client)[0] == 200
        Notification.objects.update(lease_until=clock.now() - 6 * MINUTE)
        assert answer(client)[0] == 503


def test_it_takes_two_statements(client, swept):
    with CaptureQueriesContext(connection) as queries:
        client.get(ADDRESS)
    assert len(queries) == 2
