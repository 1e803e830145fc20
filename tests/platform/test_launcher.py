"""`make run`: from nothing to a site, and nothing left behind however it ends.

The launcher runs in a copy of this checkout, so that a developer's own site and its data are
out of reach.
"""

import fcntl
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from migration_tracker.alive import alive
from migration_tracker.local.processes import free_port
from tests.support.servers import ROOT

COPIED = ["migration_tracker", "practices", "templates"]
LINKED = ["static", "node_modules", "requirements", "package.json", "package-lock.json", ".npmrc"]


class Launcher:
    """One `python -m migration_tracker.local run` in the folder ``checkout``."""

    def __init__(self, checkout: Path, **more: str) -> None:
        self.checkout = checkout
        self.port = int(more.setdefault("PORT", str(free_port())))
        self.output = checkout / f"output-{self.port}"
        env = {k: v for k, v in os.environ.items() if not k.endswith(("_URL", "_SETTINGS_MODULE"))}
        # Where nohup keeps these tests running, the launcher would be asked to stay as well.
        before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "migration_tracker.local", "run"],
                cwd=checkout,
                env={**env, **more},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        signal.signal(signal.SIGHUP, before)

    def said(self) -> str:
        return self.output.read_text(encoding="utf-8")

    def wait_until_it_serves(self) -> None:
        deadline = time.monotonic() + 100
        while "Press Ctrl-C" not in self.said():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.1)
        assert alive(f"127.0.0.1:{self.port}", "localhost")

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(90)


def left_in(checkout: Path) -> list[str]:
    """The processes that work in ``checkout``."""
    found = []
    for process in psutil.process_iter(["cwd", "cmdline", "status"]):
        cwd = process.info["cwd"] or ""
        if cwd.startswith(str(checkout)) and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(" ".join(process.info["cmdline"] or []))
    return found


def wait_until_nothing_is_left_in(checkout: Path) -> None:
    deadline = time.monotonic() + 60
    while left_in(checkout) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left_in(checkout) == []


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the product with the front end already built."""
    folder = tmp_path / "checkout"
    for part in COPIED:
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "manage.py", folder)
    for part in LINKED:
        (folder / part).symlink_to(ROOT / part)
    (folder / "var").mkdir()
    (folder / "var" / "static").symlink_to(ROOT / "var" / "static")
    for stamp in ("front-end.stamp", "node-modules.stamp"):
        shutil.copy(ROOT / "var" / stamp, folder / "var" / stamp)
    # Making the demo takes longer than all the rest, and tests/portfolio/ proves it.
    prepare = folder / "migration_tracker" / "local" / "prepare.py"
    with_demo = prepare.read_text(encoding="utf-8")
    without = with_demo.replace(', "seed_demo"', "")
    assert without != with_demo
    prepare.write_text(without, encoding="utf-8")
    return folder


@pytest.fixture
def launch(checkout: Path) -> Iterator[Callable[..., Launcher]]:
    """Start a launcher in ``checkout``: launch(PORT="8001")."""
    started: list[Launcher] = []

    def start(**more: str) -> Launcher:
        started.append(Launcher(checkout, **more))
        return started[-1]

    yield start
    for launcher in started:
        if launcher.process.poll() is None:
            launcher.end(signal.SIGTERM)
    for process in psutil.process_iter(["cwd"]):
        if (process.info["cwd"] or "").startswith(str(checkout)):
            process.kill()


@pytest.mark.timeout(300)
def test_it_survives_being_killed_and_leaves_nothing_behind(checkout, launch):
    first = launch()
    first.wait_until_it_serves()
    assert len(left_in(checkout)) > 5
    second = launch()
    assert second.process.wait(30) == 1
    assert "already running in this folder" in second.said()
    assert f"http://localhost:{first.port}/" in second.said()
    assert alive(f"127.0.0.1:{first.port}", "localhost"), "the second start did harm"

    first.end(signal.SIGKILL)
    wait_until_nothing_is_left_in(checkout)

    again = launch(PORT=str(first.port))
    again.wait_until_it_serves()
    assert "Installing" not in again.said(), "a second start builds nothing"
    assert "Building" not in again.said(), "a second start builds nothing"
    assert again.end(signal.SIGINT) == 0
    assert left_in(checkout) == []
    applied = (checkout / "var/log/prepare.log").read_text(encoding="utf-8")
    assert applied.count("Applying accounts.0001_initial") == 1, "the data was lost"


@pytest.mark.timeout(200)
def test_it_uses_the_servers_it_is_given(checkout, launch, committed_db, postgres, valkey):
    given = {**postgres.environment(committed_db), "REDIS_URL": valkey}
    urls = {name: given[name] for name in ("DATABASE_URL", "OWNER_DATABASE_URL", "REDIS_URL")}
    home = checkout / "home"
    home.mkdir()
    launcher = launch(**urls, HOME=str(home), XDG_RUNTIME_DIR=str(home))
    launcher.wait_until_it_serves()
    # npm keeps its cache there, as it does for everybody; nothing of ours lies beside it.
    assert {entry.name for entry in home.iterdir()} <= {".npm"}
    running = "\n".join(left_in(checkout))
    assert "gunicorn" in running
    assert not re.search(r"bin/postgres|valkey-server", running)
    assert launcher.end(signal.SIGHUP) == 0
    assert left_in(checkout) == []


def test_some_servers_but_not_all_is_a_mistake(launch):
    launcher = launch(REDIS_URL="redis://localhost/0")
    assert launcher.process.wait(30) == 1
    assert "REDIS_URL set, DATABASE_URL and OWNER_DATABASE_URL not" in launcher.said()


def test_a_used_port_is_named_with_a_way_out(checkout, launch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        launcher = launch(PORT=str(port))
        assert launcher.process.wait(30) == 1
    assert f"Port {port} is in use" in launcher.said()
    assert f"make run PORT={port + 1}" in launcher.said()
    assert "Traceback" not in launcher.said()
    assert left_in(checkout) == []


@pytest.mark.parametrize("port", ["eighty", "0", "70000", "-1", "٣"])
def test_a_port_that_is_none_is_refused_in_words(monkeypatch, port):
    from migration_tracker.local import run
    from migration_tracker.local.processes import LocalError

    monkeypatch.setenv("PORT", port)
    with pytest.raises(LocalError, match="must be a number from 1 to 65535"):
        run.chosen_port()


def test_the_lock_goes_with_its_holder(checkout, launch):
    with (checkout / "var" / "run.lock").open("w") as lock:
        lock.write("left by a launcher that was killed")
    with (checkout / "var" / "run.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        held = launch()
        assert held.process.wait(30) == 1
        assert "already running" in held.said()


def test_its_secrets_are_for_nobody_else(checkout, monkeypatch):
    from migration_tracker.local import run

    monkeypatch.setattr(run, "VAR", checkout / "var")
    secrets = run.kept_secrets()
    path = checkout / "var" / "secrets.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert run.kept_secrets() == secrets
    assert len(set(secrets.values())) == len(secrets) == 5
