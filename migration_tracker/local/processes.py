"""Starting and stopping programs so that nothing is left behind."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

GUARD = Path(__file__).with_name("guard.py")
ROOT = Path(__file__).resolve().parent.parent.parent


class LocalError(Exception):
    """Something on this machine stands in the way. The message says what, and what to do."""


def guarded(command: Sequence[str | Path], *, stop: signal.Signals, identity: str) -> list[str]:
    """``command`` such that it gets ``stop`` when this process dies, also by SIGKILL."""
    # Isolated and without site-packages: it starts in a few milliseconds.
    python = [sys.executable, "-I", "-S", str(GUARD)]
    return [*python, str(os.getpid()), str(int(stop)), identity, *map(str, command)]


def tail(log: Path, lines: int = 12) -> str:
    """The last lines of a log, for a person who has to find out why."""
    if not log.exists():
        return ""
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


class Child:
    """A long-running program in a session of its own, logging to a file.

    ``stop_signal`` asks it to finish in its own way; after ``grace`` seconds it and everything
    it started are killed.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        grace: float = 40,
        identity: str = "same",
    ) -> None:
        self.name = name
        self.log = log
        self.stop_signal = stop_signal
        self.grace = grace
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                guarded(command, stop=stop_signal, identity=identity),
                cwd=ROOT,
                env=dict(env) if env is not None else None,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    def running(self) -> bool:
        return self.process.poll() is None

    def wait_until(self, ready: Callable[[], bool], *, seconds: float = 60) -> None:
        """Wait until ``ready()``. Raises LocalError when the program ends first, or time does."""
        deadline = time.monotonic() + seconds
        while not ready():
            if not self.running():
                raise LocalError(
                    f"The {self.name} stopped while starting. "
                    f"The end of {self.log}:\n{tail(self.log)}"
                )
            if time.monotonic() > deadline:
                raise LocalError(
                    f"The {self.name} did not answer within {seconds:.0f} seconds. "
                    f"The end of {self.log}:\n{tail(self.log)}"
                )
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop it and everything it started."""
        if self.running():
            self.process.send_signal(self.stop_signal)
        try:
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(self.grace)
        finally:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def stop_all(children: Sequence[Child]) -> None:
    """Ask all to stop at once, then wait for each, last started first."""
    for child in reversed(children):
        if child.running():
            child.process.send_signal(child.stop_signal)
    for child in reversed(children):
        child.stop()


def step(
    command: Sequence[str | Path],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path = ROOT,
    what: str,
) -> None:
    """Run a program to its end. Raises LocalError with the end of its log when it fails."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            guarded(command, stop=signal.SIGTERM, identity="same"),
            cwd=cwd,
            env=dict(env) if env is not None else None,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = process.wait()
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
    if code:
        raise LocalError(f"{what} failed. The end of {log}:\n{tail(log)}")


def free_port() -> int:
    """A loopback port that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    """Whether something accepts connections on this loopback port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
