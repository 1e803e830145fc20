"""`make run`: the whole site on one machine, from nothing, until Ctrl-C."""

import fcntl
import json
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from types import FrameType

from migration_tracker.alive import alive

from . import assets, commands
from .postgres import APP, OWNER, Passwords, Postgres
from .processes import ROOT, Child, LocalError, free_port, listens, step, stop_all
from .valkey import Valkey

VAR = ROOT / "var"
LOGS = VAR / "log"
ACCOUNTS = VAR / "demo-accounts.txt"
# What a database is prepared with: the code of the rooms, the plans that ship, the libraries.
PREPARED = ["practices/**/*", "migration_tracker/**/*.py", "requirements/base.txt"]
LAST_PORT = 65535
SERVERS = ("DATABASE_URL", "OWNER_DATABASE_URL", "REDIS_URL")


class Stopped(BaseException):
    """Somebody asked the launcher to stop."""


def say(line: str = "") -> None:
    """Tell the person at the terminal; a closed terminal is no reason to fail."""
    with suppress(OSError):
        print(line, flush=True)


def chosen_port() -> int:
    """The port in the environment, 8000 without one. Raises LocalError."""
    text = os.environ.get("PORT") or "8000"
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= LAST_PORT):
        raise LocalError(
            f"PORT is {text!r}. It must be a number from 1 to {LAST_PORT}: make run PORT=8001"
        )
    return int(text)


def refuse_used(port: int) -> None:
    """Raise LocalError when this machine's ``port`` cannot be listened on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError as problem:
            raise LocalError(
                f"Port {port} needs an administrator. Choose another one: make run PORT=8001"
            ) from problem
        except OSError as problem:
            raise LocalError(
                f"Port {port} is in use by another program. Choose another one: "
                f"make run PORT={port + 1 if port < LAST_PORT else 8000}"
            ) from problem


@contextmanager
def alone(port: int) -> Iterator[None]:
    """Hold the right to run here. Raises LocalError when another launcher holds it."""
    VAR.mkdir(exist_ok=True)
    # The kernel lets go of the lock when its holder dies, however it dies.
    with (VAR / "run.lock").open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as problem:
            lock.seek(0)
            raise LocalError(
                f"Migration Tracker is already running in this folder: {lock.read().strip()}. "
                "Use that one, or stop it with Ctrl-C where it was started."
            ) from problem
        lock.truncate(0)
        lock.write(f"http://localhost:{port}/ (process {os.getpid()})")
        lock.flush()
        yield


@contextmanager
def stoppable() -> Iterator[None]:
    """Turn Ctrl-C, kill and a closed terminal into Stopped, once."""

    def stop(number: int, frame: FrameType | None) -> None:
        for each in caught:
            signal.signal(each, signal.SIG_IGN)
        raise Stopped

    caught = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup asks to stay
        caught.append(signal.SIGHUP)
    for each in caught:
        signal.signal(each, stop)
    yield


def kept_secrets() -> dict[str, str]:
    """The secrets of this checkout, made once and readable by nobody else."""
    path = VAR / "secrets.json"
    if not path.exists():
        keys = {name: secrets.token_urlsafe(50) for name in ("secret_key", "history_key")}
        made = {**keys, **asdict(Passwords.random())}
        unfinished = path.with_suffix(".part")
        unfinished.unlink(missing_ok=True)
        unfinished.touch(0o600)
        unfinished.write_text(json.dumps(made), encoding="ascii")
        unfinished.rename(path)
    return dict(json.loads(path.read_text(encoding="ascii")))


def given_servers() -> dict[str, str]:
    """The servers named in the environment. Raises LocalError when only some of them are."""
    given = {name: os.environ[name] for name in SERVERS if os.environ.get(name)}
    if given and len(given) < len(SERVERS):
        missing = " and ".join(name for name in SERVERS if name not in given)
        raise LocalError(
            f"{' and '.join(given)} set, {missing} not. Set all three to use servers of your own, "
            "or none to have local ones started."
        )
    return given


def environment(port: int, keys: dict[str, str], mail_port: int) -> dict[str, str]:
    """What every process of the site is told, but for its servers."""
    return {
        **os.environ,
        "PATH": commands.PATH,
        "PYTHONUNBUFFERED": "1",
        "DJANGO_SETTINGS_MODULE": "migration_tracker.settings",
        "DEVELOPMENT": "true",
        "DEBUG": "false",
        "BIND": f"127.0.0.1:{port}",
        **keys,
        "ALLOWED_HOSTS": "localhost,127.0.0.1,[::1]",
        "SITE_URL": f"http://localhost:{port}",
        "DEFAULT_FROM_EMAIL": "Migration Tracker <tracker@example.test>",
        # Always the local mail server: a demo must never write to real people.
        "EMAIL_HOST": "127.0.0.1",
        "EMAIL_PORT": str(mail_port),
        "EMAIL_HOST_USER": "",
        "EMAIL_HOST_PASSWORD": "",
        "EMAIL_USE_TLS": "false",
        "DEV_MAIL_DIR": str(VAR / "mail"),
        "MEDIA_ROOT": str(VAR / "media"),
        "BEAT_SCHEDULE_FILE": str(VAR / "beat-schedule"),
    }


class Site:
    """Everything that runs. ``stop`` ends all of it, whatever has been started."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.children: list[Child] = []
        self.postgres: Postgres | None = None
        self.valkey: Valkey | None = None

    def start(self) -> None:
        """Start every part in order. Raises LocalError."""
        kept = kept_secrets()
        mail_port = free_port()
        # A checkout made before there was a history key does without one of its own.
        keys = {n.upper(): kept.pop(n) for n in ("secret_key", "history_key") if n in kept}
        env = environment(self.port, keys, mail_port)
        env |= given_servers() or self._start_servers(Passwords(**kept))
        assets.build(VAR, env, say)
        mail = self._child("mail server", [*_module("mail"), VAR / "mail", str(mail_port)], env)
        # It loads its code while the database is made ready.
        web = self._child("web server", commands.WEB, env)
        self._prepare(env)
        say("Starting the web server, the worker and its clock")
        mail.wait_until(lambda: listens(mail_port))
        web.wait_until(lambda: alive(f"127.0.0.1:{self.port}", "localhost"))
        self._child("worker", commands.WORKER, env)
        self._child("clock", commands.BEAT, env)
        self._greet()

    def _prepare(self, env: dict[str, str]) -> None:
        """Bring the database up to date, unless this code did so with this local database."""
        now = assets.digest(PREPARED)
        # Inside the server's own folder: whoever removes the data removes the stamp.
        stamp = VAR / "postgres" / "prepared.stamp"
        if self.postgres and ACCOUNTS.exists() and not assets.changed(stamp, now):
            return
        say("Bringing the database up to date (a minute the first time, to make the demo)")
        log = LOGS / "prepare.log"
        step([*_module("prepare"), ACCOUNTS], log=log, env=env, what="Preparing the database")
        if self.postgres:
            stamp.write_text(now, encoding="ascii")

    def _start_servers(self, passwords: Passwords) -> dict[str, str]:
        say("Starting PostgreSQL and Valkey")
        self.postgres = Postgres(VAR / "postgres", passwords, log=LOGS / "postgres.log")
        self.postgres.start()
        self.valkey = Valkey(VAR / "valkey", log=LOGS / "valkey.log")
        self.valkey.start()
        return {
            "DATABASE_URL": self.postgres.url(APP),
            "OWNER_DATABASE_URL": self.postgres.url(OWNER),
            "REDIS_URL": self.valkey.url,
        }

    def _child(self, name: str, command: Sequence[str | Path], env: dict[str, str]) -> Child:
        log = LOGS / f"{name.replace(' ', '-')}.log"
        child = Child(name, command, log=log, env=env)
        self.children.append(child)
        return child

    def _greet(self) -> None:
        say()
        say(f"Migration Tracker is at http://localhost:{self.port}/")
        say(f"The mail it would have sent is at http://localhost:{self.port}/dev/mail/")
        if ACCOUNTS.exists():
            say()
            say(ACCOUNTS.read_text(encoding="utf-8").rstrip())
        say()
        say("Press Ctrl-C to stop. What you do is kept in var/, logs are in var/log/.")

    def watch(self) -> None:
        """Return never; raise LocalError when a part ends by itself."""
        parts = [*self.children]
        parts += [s.child for s in (self.postgres, self.valkey) if s and s.child]
        while True:
            for child in parts:
                if not child.running():
                    raise LocalError(f"The {child.name} stopped by itself; see {child.log}.")
            time.sleep(0.5)

    def stop(self) -> None:
        """Stop the site first, then the servers it leans on."""
        stop_all(self.children)
        if self.valkey:
            self.valkey.stop()
        if self.postgres:
            self.postgres.stop()


def _module(name: str) -> list[str | Path]:
    return [sys.executable, "-m", f"migration_tracker.local.{name}"]


def run() -> int:
    """Run until asked to stop. Returns the exit code; raises LocalError when it cannot run."""
    port = chosen_port()
    began = time.monotonic()
    with alone(port), stoppable():
        refuse_used(port)
        site = Site(port)
        try:
            site.start()
            say(f"(started in {time.monotonic() - began:.1f} seconds)")
            site.watch()
        except Stopped:
            say()
            say("Stopping")
        finally:
            for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(each, signal.SIG_IGN)
            site.stop()
        say("Everything has stopped. Nothing is lost: `make run` continues here.")
    return 0
