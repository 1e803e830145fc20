"""An installation of 23 November 2026 or before is upgraded: its history begins to prove more."""

import os
import subprocess
import sys

import pytest
from django.db import connection, transaction

from practices.common.models import Event, sha256
from practices.common.services import SITE_STREAM, record_event
from tests.factories import MONDAY
from tests.support.servers import ROOT, Server

from .history_world import findings, said

BEFORE = ["tracking.0005", "accounts.0003", "common.0003"]
# To several targets in one pass, which the command cannot do.
GO_BACK = """
import sys, django
django.setup()
from django.core.management.sql import emit_post_migrate_signal
from django.db import connections
from django.db.migrations.executor import MigrationExecutor
executor = MigrationExecutor(connections["owner"])
loader = executor.loader
targets = [loader.get_migration_by_prefix(*target.split(".")) for target in sys.argv[1:]]
state = executor.migrate([(target.app_label, target.name) for target in targets])
emit_post_migrate_signal(0, False, "owner", apps=state.apps)  # gives the app role its rights
"""
ROWS = [
    (
        "INSERT INTO accounts_user (email, name, password, is_active, joined_at) "
        "VALUES ('a@example.test', 'Ann', 'secret', true, now()), "
        "('b@example.test', 'Ben', 'secret', true, now())"
    ),
    (
        "INSERT INTO common_text (body, sha256, written_by_id, written_at) "
        f"SELECT 'No answer', '{sha256('No answer')}', min(id), now() FROM accounts_user"
    ),
    (
        "INSERT INTO common_storedfile (name, media_type, size, sha256, content, stored_by_id, "
        "stored_at, redacted_at) "
        "SELECT '', 'text/plain', 1, '', '', min(id), now(), now() FROM accounts_user"
    ),
]


def run_as_owner(postgres: Server, database: str, *arguments: str) -> None:
    subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**postgres.environment(database), "PATH": os.environ["PATH"]},
        check=True,
    )


def go_back(postgres: Server, database: str, *targets: str) -> None:
    run_as_owner(postgres, database, "-c", GO_BACK, *targets)


def migrate(postgres: Server, database: str) -> None:
    command = ["manage.py", "migrate", "--database=owner", "-v0", "--skip-checks"]
    run_as_owner(postgres, database, *command)


@pytest.fixture
def former(postgres: Server, committed_db):
    """A database as it was, with people, a text and a redacted file in it."""
    go_back(postgres, committed_db, *BEFORE)
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in ROWS:
            cursor.execute(statement)
        record_event(stream=SITE_STREAM, kind="test.rows_made", by=None, at=MONDAY)
    return committed_db


def test_what_was_there_is_proved_from_now_on(postgres: Server, former):
    migrate(postgres, former)
    event = Event.objects.order_by("seq").last()
    assert event.kind == "history.extended"
    assert event.data["rows"] == {
        "accounts_user": 2,
        "accounts_invitation": 0,
        "common_storedfile": 1,
        "tracking_contact": 0,
        "common_text": 1,
    }
    # A file that is redacted needs a report, which this one never had.
    (found,) = findings()
    assert found.problem == "it is marked as redacted, and no report says why"
    with postgres.connect("owner", former) as owner:
        asked = "SELECT count(DISTINCT salt), count(DISTINCT private_seal) FROM accounts_user"
        assert owner.execute(asked).fetchall() == [(2, 2)]
        owner.execute("ALTER TABLE accounts_user DISABLE TRIGGER USER")
        owner.execute("ALTER TABLE common_text DISABLE TRIGGER USER")
        ((ann,),) = owner.execute(
            "UPDATE accounts_user SET password = 'mine' WHERE name = 'Ann' RETURNING id"
        ).fetchall()
        ((text,),) = owner.execute(
            "UPDATE common_text SET written_by_id = NULL RETURNING id"
        ).fetchall()
    assert said("accounts_user", ann) == ["its private columns do not match their seal"]
    assert said("common_text", text) == ["it differs from its newest row of history: written_by_id"]


def test_an_empty_database_has_nothing_to_record(committed_db):
    assert not Event.objects.exists()
