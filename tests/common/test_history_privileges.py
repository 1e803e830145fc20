"""What the app role may do is verified line by line, and set again by the owner."""

import os
import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command
from psycopg import errors

from practices.common.privileges import problems
from tests.support.servers import ROOT, Server


def check_privileges(postgres: Server, database: str, *arguments: str):
    environment = postgres.environment(database)
    if "--set" not in arguments:
        del environment["OWNER_DATABASE_URL"]
    return subprocess.run(
        [sys.executable, "manage.py", "check_privileges", *arguments],
        cwd=ROOT,
        env={**environment, "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.django_db
def test_a_migrated_database_has_no_fault(capsys):
    call_command("check_privileges")
    assert "as they must be" in capsys.readouterr().out


WRONG = [
    ("GRANT UPDATE ON common_event TO app", "common_event: app has UPDATE and must not."),
    ("GRANT UPDATE (data) ON common_event TO app", "common_event: app has UPDATE and must not."),
    (
        "GRANT INSERT ON tracking_taskevent TO app",
        "tracking_taskevent: app has INSERT and must not.",
    ),
    ("GRANT TRUNCATE ON tracking_task TO PUBLIC", "tracking_task: app has TRUNCATE and must not."),
    ("GRANT TRIGGER ON tracking_task TO app", "tracking_task: app has TRIGGER and must not."),
    ("GRANT DELETE ON django_migrations TO app", "django_migrations: app has DELETE and must not."),
    ("REVOKE INSERT ON common_text FROM app", "common_text: app lacks INSERT."),
    ("GRANT UPDATE ON SEQUENCE common_event_id_seq TO app", "common_event_id_seq: app has UPDATE"),
    ("GRANT CREATE ON SCHEMA public TO app", "app may create things in the schema."),
    ("ALTER TABLE common_event DISABLE TRIGGER USER", "common_event: the trigger pgtrigger_seal"),
    (
        "DROP TRIGGER pgtrigger_update_update_4001f ON tracking_task",
        "tracking_task: the trigger pgtrigger_update_update_4001f is missing.",
    ),
    (
        "ALTER FUNCTION pgtrigger_update_update_4001f() SECURITY INVOKER",
        "The function pgtrigger_update_update_4001f runs as the caller.",
    ),
    (
        "ALTER FUNCTION pgtrigger_update_update_4001f() RESET search_path",
        "The function pgtrigger_update_update_4001f does not fix its settings: none.",
    ),
    (
        "GRANT EXECUTE ON FUNCTION pgtrigger_update_update_4001f() TO PUBLIC",
        "The function pgtrigger_update_update_4001f may be hung on other tables by app.",
    ),
    (
        (
            "CREATE OR REPLACE FUNCTION pgtrigger_update_update_4001f() RETURNS trigger "
            "LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"
        ),
        "The function pgtrigger_update_update_4001f does not say what it should.",
    ),
    (
        (
            "CREATE OR REPLACE FUNCTION _pgtrigger_should_ignore(trigger_name name) "
            "RETURNS boolean LANGUAGE sql AS 'SELECT true'"
        ),
        "The function _pgtrigger_should_ignore does not say what it should.",
    ),
    (
        (
            "CREATE FUNCTION back_door() RETURNS void LANGUAGE sql SECURITY DEFINER "
            "AS 'DELETE FROM django_session'"
        ),
        "The function back_door runs as its owner, and nobody knows why.",
    ),
    (
        "CREATE TABLE common_extra (id int); GRANT SELECT ON common_extra TO app",
        "common_extra: app lacks INSERT.",
    ),
]


@pytest.mark.parametrize(("damage", "said"), WRONG)
def test_every_fault_is_named(postgres: Server, committed_db, damage, said):
    assert list(problems()) == []
    with postgres.connect("owner", committed_db) as owner:
        owner.execute(damage)
    found = list(problems())
    assert any(line.startswith(said) for line in found), found


def test_what_the_owner_can_mend_is_mended(postgres: Server, committed_db):
    with postgres.connect("owner", committed_db) as owner:
        for damage in (
            "GRANT ALL ON ALL TABLES IN SCHEMA public TO app",
            "GRANT UPDATE (data) ON common_event TO PUBLIC",
            "REVOKE ALL ON common_text FROM app",
            "ALTER FUNCTION pgtrigger_update_update_4001f() SECURITY INVOKER",
        ):
            owner.execute(damage)
    wrong = check_privileges(postgres, committed_db)
    assert wrong.returncode == 1
    assert "common_text: app lacks SELECT." in wrong.stdout
    assert "common_event: app has TRUNCATE and must not." in wrong.stdout
    assert "check_privileges --set` mends" in wrong.stderr
    for _ in range(2):
        mended = check_privileges(postgres, committed_db, "--set")
        assert mended.returncode == 0, mended.stdout + mended.stderr
        assert check_privileges(postgres, committed_db).returncode == 0


@pytest.mark.django_db
def test_setting_needs_the_owners_address():
    with pytest.raises(CommandError, match="set OWNER_DATABASE_URL"):
        call_command("check_privileges", "--set")


def test_a_trigger_function_cannot_be_borrowed(postgres: Server, committed_db):
    """Hung on a table of one's own, it would write history as the owner."""
    with postgres.connect("app", committed_db) as app:
        app.execute("CREATE TEMPORARY TABLE tracking_task (LIKE public.tracking_task)")
        with pytest.raises(errors.InsufficientPrivilege):
            app.execute(
                "CREATE TRIGGER mine AFTER INSERT ON pg_temp.tracking_task FOR EACH ROW "
                "EXECUTE FUNCTION public.pgtrigger_insert_insert_aa363()"
            )
