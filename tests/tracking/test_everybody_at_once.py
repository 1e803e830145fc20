"""Twenty people do the same thing in the same moment, at the real web server.

`make test` plays a few rounds; `make races` plays fifty and keeps what came of them in
bench/races.json.
"""

import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from html import unescape
from threading import Barrier

import pytest
from django.conf import settings
from django.test import Client
from django.utils.html import strip_tags

from practices.accounts.models import User
from practices.accounts.roles import Role
from practices.common.time import local_to_utc
from practices.plans.rules import Moment
from practices.tracking import services
from practices.tracking.services.gates import seen_mark, still_open
from practices.tracking.services.replanning import preview_replan
from tests.factories import make_person
from tests.support.servers import ROOT

from .cast import Cast, assert_sound, make_cast
from .steps import gate_of

PEOPLE = 20
ROUNDS = int(os.environ.get("RACE_ROUNDS", "3"))
TOKEN = "a" * 32


@dataclass
class Reply:
    """What one person was told."""

    person: User
    status: int
    text: str
    page: str


class Browser:
    """Somebody's signed-in browser, as far as a race needs one: cookies and redirects."""

    def __init__(self, base: str, person: User) -> None:
        client = Client()
        client.force_login(person)
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        self.base, self.person = base, person
        self.cookies = (
            f"{settings.SESSION_COOKIE_NAME}={session}; {settings.CSRF_COOKIE_NAME}={TOKEN}"
        )
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())

    def post(self, path: str, data: dict[str, str], **headers: str) -> Reply:
        request = urllib.request.Request(
            self.base + path,
            urllib.parse.urlencode(data).encode(),
            {"Cookie": self.cookies, "X-CSRFToken": TOKEN, **headers},
        )
        try:
            with self.opener.open(request, timeout=60) as answer:
                return self._reply(answer.status, answer.read())
        except urllib.error.HTTPError as problem:
            return self._reply(problem.code, problem.read())

    def _reply(self, status: int, body: bytes) -> Reply:
        page = unescape(body.decode())
        return Reply(self.person, status, " ".join(strip_tags(page).split()), page)


class Race:
    """The crowd, and what came of every round."""

    def __init__(self, base: str, people: list[User]) -> None:
        self.crowd = [Browser(base, person) for person in people]
        self.pool = ThreadPoolExecutor(len(people))
        self.statuses: Counter[int] = Counter()

    def run(self, path: str, data: list[dict[str, str]], **headers: str) -> list[Reply]:
        ready = Barrier(len(self.crowd))

        def press(who: Browser, typed: dict[str, str]) -> Reply:
            ready.wait(timeout=30)
            return who.post(path, typed, **headers)

        replies = list(self.pool.map(press, self.crowd, data))
        self.statuses.update(reply.status for reply in replies)
        return replies


@pytest.fixture
def cast(committed_db):
    return make_cast()


def run_race(live_app, people: list[User], title: str, play) -> None:
    race = Race(live_app.url, people)
    started = time.monotonic()
    with race.pool:
        for number in range(ROUNDS):
            play(race, number)
    assert not [status for status in race.statuses if status >= 500], race.statuses
    if ROUNDS >= 50:
        _keep(title, race, time.monotonic() - started)


def _keep(title: str, race: Race, seconds: float) -> None:
    file = ROOT / "bench" / "races.json"
    kept = json.loads(file.read_text("utf-8")) if file.exists() else {}
    kept[title] = {
        "people": PEOPLE,
        "rounds": ROUNDS,
        "winners": ROUNDS,
        "answers": dict(sorted(race.statuses.items())),
        "error_pages": 0,
        "lost_updates": 0,
        "seconds": round(seconds, 1),
    }
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(kept, indent=2) + "\n", "utf-8")


def told_who_and_when(replies: list[Reply], winner: User) -> None:
    """Everybody but the winner reads the winner's name, and a time of today in London."""
    for reply in replies:
        if reply.person != winner:
            assert winner.name in reply.text, reply
            after = reply.text.split(winner.name)[1][:60]
            assert " at " in after or ":" in after, reply


def everybody(cast: Cast, role: str, place) -> list[User]:
    return [make_person(role, place, name=f"Person {number:02}") for number in range(PEOPLE)]


@pytest.mark.timeout(600)
def test_one_of_twenty_ticks(cast, live_app):
    people = everybody(cast, Role.PRACTICE_MANAGER, cast.migration.practice)

    def play(race: Race, number: int) -> None:
        replies = race.run(
            cast.url("tasks", "GL-02", "tick"), [{}] * PEOPLE, **{"HX-Request": "true"}
        )
        task = cast.task("GL-02")
        winners = [reply for reply in replies if "already done" not in reply.page]
        assert [reply.person for reply in winners] == [task.settled_by]
        told_who_and_when(replies, task.settled_by)
        assert cast.events("GL-02").count("task.done") == number + 1
        services.reopen_task(
            task=task, seen_version=task.version, by=people[0], at=datetime.now(UTC)
        )

    run_race(live_app, people, "tick", play)
    assert_sound(cast.migration)


@pytest.mark.timeout(600)
def test_one_of_twenty_signs(cast, live_app):
    people = everybody(cast, Role.PRACTICE_MANAGER, cast.migration.practice)
    seat = gate_of(cast).plan_gate.seats.get()
    path = cast.url("sign-off", "go_live_data", "sign", seat.key)

    def play(race: Race, number: int) -> None:
        gate = gate_of(cast)
        items = still_open(gate)
        typed = {"seen": seen_mark(gate, items), "go": "sign", "declared": "on"}
        typed |= {f"reason_{item.key}": "It can wait" for item in items}
        replies = race.run(path, [{**typed, "name": person.name} for person in people])
        signed = gate.sign_offs.get(round=gate.round)
        told_who_and_when(replies, signed.by)
        assert cast.events().count("gate.signed") == number + 1
        services.withdraw_sign_off(
            gate=gate_of(cast), reason="Again", by=signed.by, at=datetime.now(UTC)
        )

    run_race(live_app, people, "sign", play)
    assert_sound(cast.migration)


@pytest.mark.timeout(600)
def test_one_of_twenty_plans_again(cast, live_app):
    people = everybody(cast, Role.PROJECT_MANAGER, cast.migration.run_by)
    path = cast.url("dates", "GL", "plan")

    def play(race: Race, number: int) -> None:
        first = date(2028, 1, 3) + timedelta(days=30 * number)
        days = [first + timedelta(days=place) for place in range(PEOPLE)]
        typed = []
        for day in days:
            nine = local_to_utc(datetime.combine(day, time_of_day(9)), fold=None)
            to = Moment.of_instant(nine)
            plan = preview_replan(migration=cast.migration, key="GL", to=to, at=datetime.now(UTC))
            when = {"day": day.day, "month": day.month, "year": day.year, "time": "09:00"}
            when = {f"when_{part}": str(value) for part, value in when.items()}
            typed.append({**when, "seen": plan.mark})
        before = cast.events().count("dates.replanned")
        replies = race.run(path, typed)
        winners = [reply for reply in replies if reply.status == 200]
        assert len(winners) == 1, Counter(reply.status for reply in replies)
        planned = cast.migration.key_dates.get(key="GL").planned_on
        assert planned == days[people.index(winners[0].person)]
        told_who_and_when(replies, winners[0].person)
        assert cast.events().count("dates.replanned") == before + 1

    run_race(live_app, people, "re-plan", play)
    assert_sound(cast.migration)
