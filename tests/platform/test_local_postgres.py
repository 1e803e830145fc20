"""The local PostgreSQL: private, with passwords, and careful with the folders around it."""

import os
import stat
import tempfile
from pathlib import Path

import psycopg
import pytest

from migration_tracker.local.postgres import APP, OWNER, Passwords, Postgres
from migration_tracker.local.processes import LocalError


def modes(path: Path) -> list[int]:
    return [stat.S_IMODE(parent.stat().st_mode) for parent in path.parents]


@pytest.fixture
def cluster(tmp_path: Path):
    made = Postgres(tmp_path / "pg", Passwords.random(), log=tmp_path / "log", careless=True)
    before = modes(made.folder)
    made.start()
    assert modes(made.folder) == before, "permissions of parent folders changed"
    yield made
    made.stop()


def test_it_asks_every_role_for_its_password_and_listens_on_no_port(cluster, tmp_path):
    with psycopg.connect(**cluster.parameters(APP)) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
        connection.execute("SELECT 1")
    for role in (OWNER, APP, "postgres"):
        wrong = {**cluster.parameters(role), "password": "guess"}
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(**wrong)
    assert stat.S_IMODE(cluster.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(cluster.sockets.stat().st_mode) == 0o700
    assert not (cluster.folder / "password").exists()


def test_it_comes_back_after_a_kill_with_what_was_committed(cluster):
    cluster.stop()
    cluster.careless = False
    cluster.start()
    with psycopg.connect(**cluster.parameters(OWNER), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
    cluster.child.process.kill()
    cluster.child.process.wait()
    cluster.start()
    with psycopg.connect(**cluster.parameters(OWNER)) as connection:
        assert connection.execute("SELECT one FROM kept").fetchone() == (1,)


def test_passwords_that_do_not_fit_the_data_are_explained(cluster, tmp_path):
    cluster.stop()
    other = Postgres(cluster.folder, Passwords.random(), log=tmp_path / "log", careless=True)
    with pytest.raises(LocalError, match="do not fit the data"):
        other.start()
    assert other.child is None


def test_a_deep_checkout_gets_a_short_socket_path(tmp_path):
    deep = tmp_path.joinpath(*["a-folder-with-a-long-name"] * 5)
    cluster = Postgres(deep, Passwords.random(), log=tmp_path / "log", careless=True)
    assert len(os.fsencode(cluster.sockets / ".s.PGSQL.5432.lock")) <= 107
    cluster.start()
    try:
        psycopg.connect(**cluster.parameters(APP)).close()
        assert stat.S_IMODE(cluster.sockets.stat().st_mode) == 0o700
    finally:
        cluster.stop()
    assert not cluster.sockets.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to step down")
class TestWithoutUserNamespaces:
    def test_root_becomes_nobody(self):
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            folder.chmod(0o711)
            made = Postgres(
                folder / "pg",
                Passwords.random(),
                log=folder / "log",
                careless=True,
                run_as="65534:65534",
            )
            made.start()
            try:
                psycopg.connect(**made.parameters(APP)).close()
                assert (made.data / "PG_VERSION").stat().st_uid == 65534
            finally:
                made.stop()

    def test_a_closed_parent_folder_is_explained_not_opened(self, tmp_path):
        closed = tmp_path / "closed"
        closed.mkdir(mode=0o700)
        made = Postgres(
            closed / "pg", Passwords.random(), log=tmp_path / "log", run_as="65534:65534"
        )
        with pytest.raises(LocalError, match="Run this as an ordinary user"):
            made.start()
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
