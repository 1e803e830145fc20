"""A wrong configuration is refused at the start, in words that help."""

import os
import re
import subprocess
import sys

import pytest
from django.test import override_settings

from migration_tracker.checks import production
from tests.support.servers import ROOT

GOOD = {
    "SECRET_KEY": "kD3-vT8_xQ1.zN6" * 4,
    "HISTORY_KEY": "pW7+hB2_mL9.cR5" * 4,
    "ALLOWED_HOSTS": "tracker.example.test",
    "SITE_URL": "https://tracker.example.test",
    "DATABASE_URL": "postgres://app:a@localhost/tracker",
    "OWNER_DATABASE_URL": "postgres://owner:o@localhost/tracker",
    "REDIS_URL": "redis://localhost/0",
    "DEFAULT_FROM_EMAIL": "tracker@example.test",
}


def check(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`manage.py check` with exactly this environment."""
    return subprocess.run(
        [sys.executable, "manage.py", "check", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_production_configuration_passes_also_the_deployment_checks():
    done = check("--deploy", "--fail-level", "WARNING", **GOOD)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("SECRET_KEY", "Make one with"),
        ("HISTORY_KEY", "kept for ever"),
        ("DATABASE_URL", "postgres://app:password@host:5432/name"),
        ("REDIS_URL", "redis://"),
        ("SITE_URL", "https://tracker.example.nhs.uk"),
    ],
)
def test_a_missing_variable_is_named_with_a_hint(name, hint):
    done = check(**{key: value for key, value in GOOD.items() if key != name})
    assert done.returncode != 0
    assert f"Set the environment variable {name}" in done.stderr
    assert hint in done.stderr


def test_a_secret_may_come_from_a_file(tmp_path):
    secret = tmp_path / "key"
    secret.write_text(GOOD["SECRET_KEY"] + "\n", encoding="ascii")
    rest = {key: value for key, value in GOOD.items() if key != "SECRET_KEY"}
    assert check(SECRET_KEY_FILE=str(secret), **rest).returncode == 0
    done = check(SECRET_KEY_FILE=str(tmp_path / "missing"), **rest)
    assert re.search(r"SECRET_KEY_FILE names .*missing, which cannot be read", done.stderr)


def test_a_number_that_is_none_is_refused():
    done = check(EMAIL_TIMEOUT="soon", **GOOD)
    assert "The environment variable EMAIL_TIMEOUT is not understood" in done.stderr


PRODUCTION = {
    "DEVELOPMENT": False,
    "DEBUG": False,
    "SECRET_KEY": GOOD["SECRET_KEY"],
    "HISTORY_KEY": GOOD["HISTORY_KEY"],
    "ALLOWED_HOSTS": ["tracker.example.test"],
    "SITE_URL": GOOD["SITE_URL"],
    "EMAIL_TIMEOUT": 15,
}


def faults(**changes: object) -> list[str]:
    with override_settings(**{**PRODUCTION, **changes}):
        return [str(fault.id) for fault in production(None)]


def test_a_good_configuration_has_no_fault():
    assert faults() == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"DEBUG": True}, "site.E001"),
        ({"SECRET_KEY": "short"}, "site.E002"),
        ({"EMAIL_TIMEOUT": None}, "site.E003"),
        ({"EMAIL_TIMEOUT": 0}, "site.E003"),
        ({"EMAIL_TIMEOUT": -1}, "site.E003"),
        ({"ALLOWED_HOSTS": ["*"]}, "site.E004"),
        ({"SITE_URL": "http://tracker.example.test"}, "site.E005"),
        ({"HISTORY_KEY": "short"}, "site.E007"),
        ({"HISTORY_KEY": GOOD["SECRET_KEY"]}, "site.E007"),
    ],
)
def test_what_would_harm_people_is_refused(change, code):
    assert faults(**change) == [code]


def test_one_role_for_owner_and_site_is_refused():
    done = check(**{**GOOD, "OWNER_DATABASE_URL": GOOD["DATABASE_URL"]})
    assert "site.E006" in done.stderr


def test_a_persons_own_machine_may_differ():
    assert faults(DEVELOPMENT=True, DEBUG=True, SITE_URL="http://localhost:8000") == []


@pytest.mark.parametrize(
    "program",
    [
        [sys.executable, "-c", "import migration_tracker.wsgi"],
        [sys.executable, "-m", "celery", "--app=migration_tracker", "worker", "--concurrency=1"],
        [sys.executable, "-m", "celery", "--app=migration_tracker", "beat"],
        [sys.executable, "manage.py", "run_reminders", "--once"],
    ],
    ids=["web", "worker", "beat", "run_reminders"],
)
def test_nothing_starts_that_a_stalled_mail_server_would_stop(program):
    done = subprocess.run(
        program,
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **GOOD, "EMAIL_TIMEOUT": "0"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode != 0
    assert "EMAIL_TIMEOUT is not set" in done.stderr
