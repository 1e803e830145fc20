"""A tick is neither failed nor slowed by a broker that refuses, hangs or has lost everything.

The site rings only for what people wait for; here every act is made to ring (rigging.py).
"""

import json
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from migration_tracker.local import commands
from migration_tracker.local.processes import Child, free_port
from practices.accounts.roles import Role
from practices.plans.models import PlanVersion
from practices.tracking.models import Task
from tests.factories import make_migration, make_person
from tests.support.site import _serves
from tests.tracking.cast import Cast, make_big_plan
from tests.tracking.test_everybody_at_once import Browser

from .report import LONG, keep

PEOPLE = 4  # who tick at once, each in a migration of their own
TICKS = 1000 if LONG else 24  # while the broker refuses, and again while it hangs


@pytest.fixture
def site(environment_of_committed, broker, tmp_path: Path):
    """The web server as in production, but that every act rings."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    env = {
        **environment_of_committed,
        "REDIS_URL": broker.url,
        "SITE_URL": url,
        "BIND": f"127.0.0.1:{port}",
        "RIG": json.dumps({"ring": True}),
    }
    web = Child("web server", commands.WEB, log=tmp_path / "web.log", env=env, grace=5)
    try:
        web.wait_until(lambda: _serves(f"{url}/static/build/app.css"))
        yield url
    finally:
        web.stop()


class Ticker:
    """Somebody who ticks one task after another in a migration of their own."""

    def __init__(self, site: str, version: PlanVersion) -> None:
        self.cast = Cast(make_migration(plan_version=version))
        person = make_person(Role.PRACTICE_MANAGER, self.cast.migration.practice)
        self.browser = Browser(site, person)
        codes = self.cast.migration.tasks.filter(code__startswith="MORE-").values_list("code")
        self.codes = [code for (code,) in codes]

    def tick(self, number: int) -> list[tuple[int, float]]:
        """The status and the seconds of each of ``number`` ticks."""
        found = []
        for _ in range(number):
            begun = time.monotonic()
            path = self.cast.url("tasks", self.codes.pop(), "tick")
            reply = self.browser.post(path, {}, **{"HX-Request": "true"})
            found.append((reply.status, time.monotonic() - begun))
        return found


@pytest.mark.timeout(1800)
def test_ticks_while_the_broker_is_away(site, broker, tmp_path: Path):
    each = TICKS // PEOPLE
    version = make_big_plan(3 * each)
    tickers = [Ticker(site, version) for _ in range(PEOPLE)]

    def all_tick() -> list[tuple[int, float]]:
        with ThreadPoolExecutor(PEOPLE) as pool:
            replies = list(pool.map(lambda ticker: ticker.tick(each), tickers))
        return [reply for one in replies for reply in one]

    well = all_tick()
    broker.hang()
    hung = all_tick()
    broker.go_on()
    broker.stop()
    refused = all_tick()
    failed = [status for status, _ in well + hung + refused if status != 200]
    assert not failed
    done = Task.objects.filter(code__startswith="MORE-", state=Task.State.DONE).count()
    assert done == 3 * each * PEOPLE
    assert "Error calling" in (tmp_path / "web.log").read_text("utf-8"), "they did ring"
    if not LONG:
        return
    p95 = {
        name: round(1000 * statistics.quantiles((seconds for _, seconds in some), n=20)[-1])
        for name, some in (("well", well), ("hung", hung), ("refused", refused))
    }
    slowest = round(1000 * max(seconds for _, seconds in hung + refused))
    keep(
        ticks={"refused": len(refused), "hung": len(hung), "p95_ms": p95, "slowest_ms": slowest},
        ticks_failed=len(failed),
        tick_p95_ms=max(p95["hung"], p95["refused"]),
    )
    assert max(p95["hung"], p95["refused"]) < 1500
