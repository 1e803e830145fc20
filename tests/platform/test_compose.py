"""docker-compose.yml is valid, and its start commands start the site."""

import os
import subprocess
import sys

import pytest
import yaml

from migration_tracker.alive import alive
from migration_tracker.local import commands
from migration_tracker.local.processes import Child, free_port
from tests.support.servers import ROOT

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES = COMPOSE["services"]


def test_it_follows_the_compose_schema():
    done = subprocess.run(
        [
            *(sys.executable, "-m", "check_jsonschema"),
            *("--builtin-schema", "vendor.compose-spec", str(ROOT / "docker-compose.yml")),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_it_holds_the_production_shape():
    assert {"web", "worker", "beat", "postgres", "redis", "migrate"} == set(SERVICES)
    for name in ("web", "worker", "beat", "migrate"):
        assert SERVICES[name]["build"] == "."
        assert "media:/media" in SERVICES[name]["volumes"]
    for name in ("web", "worker", "beat", "postgres", "redis"):
        assert SERVICES[name]["healthcheck"]["test"]


def test_the_image_runs_as_a_user_who_can_read_what_root_collected():
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert "\nUSER site\n" in dockerfile
    collected = ROOT / "var" / "static" / "staticfiles.json"
    umask = os.umask(0)
    os.umask(umask)
    assert collected.stat().st_mode & 0o777 == 0o666 & ~umask


def test_only_the_migration_knows_the_owner():
    for name in ("web", "worker", "beat"):
        assert "OWNER_DATABASE_URL" not in SERVICES[name]["environment"]
    assert "OWNER_DATABASE_URL" in SERVICES["migrate"]["environment"]


def test_it_starts_what_make_run_starts():
    assert SERVICES["web"]["command"] == commands.WEB
    assert SERVICES["worker"]["command"] == commands.WORKER
    assert SERVICES["beat"]["command"] == commands.BEAT


@pytest.mark.timeout(120)
def test_its_start_commands_come_up_healthy(committed_db, site_environment, tmp_path):
    """The very commands of the file, outside containers, against real servers."""
    address = f"127.0.0.1:{free_port()}"
    schedule = tmp_path / "beat-schedule"
    env = {**site_environment, "BIND": address, "BEAT_SCHEDULE_FILE": str(schedule)}
    started = {
        name: Child(name, SERVICES[name]["command"], log=tmp_path / f"{name}.log", env=env)
        for name in ("web", "worker", "beat")
    }

    def pings() -> bool:
        ping = SERVICES["worker"]["healthcheck"]["test"][1].split(" --destination")[0]
        done = subprocess.run(ping.split(), env=env, cwd=ROOT, capture_output=True, check=False)
        return done.returncode == 0

    try:
        started["web"].wait_until(lambda: alive(address, "localhost"))
        started["worker"].wait_until(pings)
        started["beat"].wait_until(lambda: any(tmp_path.glob("beat-schedule*")))
        assert all(child.running() for child in started.values())
    finally:
        for child in started.values():
            child.stop()
