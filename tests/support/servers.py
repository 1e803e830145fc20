"""Where tests find PostgreSQL: the servers they were given, or throw-away ones of their own."""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psycopg
from environ import Env
from psycopg import sql

from migration_tracker.local.postgres import APP, OWNER, SUPERUSER, Passwords, Postgres

ROOT = Path(__file__).resolve().parent.parent.parent
KEPT = ROOT / "var" / "test"
# What decides the schema and the rights on it.
SCHEMA = ["practices/*/migrations/*.py", "practices/*/models*.py", "practices/*/models/*.py"]
SCHEMA += ["practices/common/*.py", "migration_tracker/migrations/*.py", "requirements/base.txt"]


@dataclass(frozen=True)
class Server:
    """A PostgreSQL server on which an owner may create databases and an app role may connect."""

    owner_url: str
    app_url: str

    def settings(self, database: str) -> dict[str, Any]:
        """What Django's default connection needs for ``database``, as the app role."""
        config = Env.db_url_config(self.app_url)
        given = {key: config[key] for key in ("USER", "PASSWORD", "HOST", "PORT")}
        return {**given, "NAME": database}

    def environment(self, database: str) -> dict[str, str]:
        """The environment of another process of the site that works on ``database``."""
        return {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "migration_tracker.settings",
            "DATABASE_URL": _renamed(self.app_url, database),
            "OWNER_DATABASE_URL": _renamed(self.owner_url, database),
        }

    def connect(self, role: str = OWNER, database: str = "") -> psycopg.Connection[Any]:
        """A plain connection, outside Django. Without a name: the database that was given."""
        config = Env.db_url_config(self.app_url if role == APP else self.owner_url)
        return psycopg.connect(
            host=config["HOST"],
            port=config["PORT"] or None,
            user=config["USER"],
            password=config["PASSWORD"],
            dbname=database or config["NAME"],
            autocommit=True,
            **config.get("OPTIONS", {}),
        )

    def create(self, database: str, template: str) -> None:
        """Make ``database`` as a copy of ``template``."""
        with self.connect() as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
                    sql.Identifier(database), sql.Identifier(template)
                )
            )

    def drop(self, database: str) -> None:
        """Remove ``database``, whoever of the app role is still connected."""
        name = sql.Identifier(database)
        with self.connect() as owner:
            found = owner.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database])
            if not found.fetchone():
                return
            # An owner may not end sessions of another role, but it can keep new ones out.
            owner.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
            with self.connect(APP) as app:
                app.execute(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                    "WHERE datname = %s AND usename = current_user",
                    [database],
                )
            owner.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))

    def template(self) -> str:
        """The name of a database with today's schema, migrated by the owner; made when missing."""
        name = f"template_{schema_digest()}"
        building = f"{name}_building"
        with self.connect() as connection:
            # Two test runs on one server: the second waits for the first one's template.
            connection.execute("SELECT pg_advisory_lock(hashtext(%s))", [name])
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
            if not found.fetchone():
                self.drop(building)
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(building)))
                self._migrate(building)
                connection.execute(
                    sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
                        sql.Identifier(building), sql.Identifier(name)
                    )
                )
        return name

    def _migrate(self, database: str) -> None:
        migrated = subprocess.run(
            [sys.executable, "manage.py", "migrate", "--database=owner", "-v0", "--skip-checks"],
            cwd=ROOT,
            env=self.environment(database),
            capture_output=True,
            text=True,
            check=False,
        )
        if migrated.returncode:
            raise RuntimeError(f"The schema migrations failed:\n{migrated.stderr}")


def _renamed(url: str, database: str) -> str:
    address, question, options = url.partition("?")
    return f"{address.rpartition('/')[0]}/{database}{question}{options}"


def schema_digest() -> str:
    digest = hashlib.sha256()
    for pattern in SCHEMA:
        for path in sorted(ROOT.glob(pattern)):
            digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def start(folder: Path, passwords: Passwords, *, careless: bool = True) -> Postgres:
    """A server in ``folder`` on which the owner may create databases."""
    cluster = Postgres(folder, passwords, log=folder / "postgres.log", careless=careless)
    cluster.start()
    with psycopg.connect(
        **cluster.parameters(SUPERUSER, "postgres"), autocommit=True
    ) as connection:
        connection.execute(f"ALTER ROLE {OWNER} CREATEDB")
    return cluster


def server(cluster: Postgres) -> Server:
    return Server(owner_url=cluster.url(OWNER), app_url=cluster.url(APP))


def migrated_once() -> Path:
    """The folder of a stopped cluster that holds the template of today's schema.

    Migrating takes ten seconds, copying a folder half a second, so the cluster is kept in
    var/test until something that decides the schema changes. Call it with the lock held.
    """
    kept = KEPT / schema_digest()
    if not kept.exists():
        for stale in KEPT.glob("*/"):
            shutil.rmtree(stale)
        building = KEPT / "building"
        passwords = Passwords.random()
        cluster = start(building, passwords)
        try:
            server(cluster).template()
        finally:
            cluster.stop()
        secret = building / "passwords.json"
        secret.touch(0o600)
        secret.write_text(json.dumps(asdict(passwords)), encoding="ascii")
        building.rename(kept)
    return kept


@contextmanager
def throw_away() -> Iterator[Server]:
    """A PostgreSQL server that lives as long as the block and already holds the template."""
    with throw_away_cluster() as cluster:
        yield server(cluster)


@contextmanager
def throw_away_cluster(*, careless: bool = True) -> Iterator[Postgres]:
    """The same, to be stopped and started on the way."""
    KEPT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="tracker-test-") as temporary:
        # Searchable, so that where root steps down to "nobody" the server finds its own folder.
        Path(temporary).chmod(0o711)
        folder = Path(temporary) / "postgres"
        with (KEPT / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            shutil.copytree(migrated_once(), folder, ignore=shutil.ignore_patterns("socket"))
        passwords = Passwords(**json.loads((folder / "passwords.json").read_text("ascii")))
        cluster = start(folder, passwords, careless=careless)
        try:
            yield cluster
        finally:
            cluster.stop()
