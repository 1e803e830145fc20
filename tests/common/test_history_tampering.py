"""The ways to bend history with the app role's password alone: refused, or found by name."""

import hashlib
import json
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import InternalError, connection, transaction
from django.db.models import Model
from psycopg import errors, sql

from practices.common.models import Event, Text, sha256
from practices.common.privileges import problems
from practices.common.services import canonical, record_event
from practices.common.verification import snapshot
from practices.tracking import services
from practices.tracking.models import SignOff
from tests.factories import MONDAY
from tests.support.servers import Server
from tests.tracking.steps import sign

from .history_world import add_file, fill, findings, forged, make_world, said

REFUSED = [
    "UPDATE common_event SET data = '{}'",
    "UPDATE common_event SET seal = seal",
    "DELETE FROM common_event",
    "TRUNCATE common_event",
    "TRUNCATE common_event, tracking_signoff CASCADE",
    "UPDATE tracking_signoff SET role = role",
    "DELETE FROM tracking_signoff",
    "DELETE FROM tracking_withdrawal",
    "UPDATE tracking_bypass SET round = 2",
    "UPDATE tracking_taskevent SET state = 'done'",
    "DELETE FROM tracking_taskevent",
    "TRUNCATE tracking_taskevent",
    "INSERT INTO tracking_taskevent SELECT * FROM tracking_taskevent",
    "SELECT * FROM common_event FOR UPDATE",
    "ALTER TABLE common_event DISABLE TRIGGER USER",
    "ALTER TABLE common_event DISABLE TRIGGER ALL",
    "ALTER TABLE tracking_task DISABLE TRIGGER USER",
    "ALTER TABLE common_event ALTER COLUMN xid SET DEFAULT 1",
    "DROP TRIGGER pgtrigger_append_only_15f2f ON common_event",
    (
        "CREATE OR REPLACE FUNCTION history_seal(sealed anyelement) RETURNS text "
        "LANGUAGE sql AS 'SELECT 1::text'"
    ),
    (
        "CREATE OR REPLACE FUNCTION _pgtrigger_should_ignore(trigger_name name) RETURNS boolean "
        "LANGUAGE sql AS 'SELECT true'"
    ),
    "CREATE RULE silent AS ON INSERT TO tracking_taskevent DO INSTEAD NOTHING",
    "SET session_replication_role = replica",
    "SET ROLE owner",
    "SET SESSION AUTHORIZATION owner",
    "DROP TABLE common_event",
    "CREATE SCHEMA mine",
    "COPY common_event TO PROGRAM 'true'",
]


def test_the_app_role_can_grant_itself_nothing(app):
    app.execute("GRANT UPDATE ON common_event TO app")
    assert list(problems()) == []


@pytest.fixture
def world(committed_db):
    return make_world()


@pytest.fixture
def app(postgres: Server, committed_db):
    """The app role at a terminal, without the site."""
    with postgres.connect("app", committed_db) as opened:
        yield opened


@pytest.mark.parametrize("statement", REFUSED, ids=lambda statement: statement[:50])
def test_the_database_refuses(app, statement):
    refusals = (errors.InsufficientPrivilege, errors.WrongObjectType)
    with pytest.raises(refusals), app.transaction():
        app.execute(statement)


def test_nothing_is_found_where_nothing_was_bent(world, capsys):
    services.tick_task(task=world.task("CUT-02"), by=world.manager, at=MONDAY)
    sign(world)
    assert findings() == []
    call_command("verify_history")
    out = capsys.readouterr().out
    newest = Event.objects.of(world.migration.stream).order_by("seq").last()
    assert f"{world.migration.stream}: {newest.seq} events, root {newest.hash}" in out
    assert "Everything is as it was written." in out


def test_a_change_without_an_event_is_found(world, app):
    task = world.task("GL-02")
    app.execute("UPDATE tracking_task SET pinned = true WHERE id = %s", [task.pk])
    row = app.execute(
        "SELECT max(pgh_id) FROM tracking_taskevent WHERE pgh_obj_id = %s", [task.pk]
    ).fetchone()
    (found,) = findings()
    assert (found.table, found.row) == ("tracking_taskevent", row[0])
    assert "no event records" in found.problem


@pytest.mark.parametrize(
    "silence",
    [
        (
            "SELECT set_config('pgtrigger.ignore', "
            "'{tracking_task:pgtrigger_update_update_4001f,pgtrigger_update_update_4001f}', false)"
        ),
        "SET search_path = pg_temp, public",
        "CREATE TEMPORARY TABLE tracking_taskevent (LIKE public.tracking_taskevent)",
    ],
)
def test_a_session_cannot_silence_row_history(world, app, silence):
    app.execute(silence)
    task = world.task("GL-02")
    app.execute("UPDATE public.tracking_task SET pinned = true WHERE id = %s", [task.pk])
    (found,) = findings()
    assert found.table == "tracking_taskevent"


def test_a_forged_time_zone_changes_no_seal(world, app):
    app.execute("SET timezone = 'Asia/Kathmandu'")
    app.execute("SET extra_float_digits = -15")
    app.execute("UPDATE tracking_task SET due_at = due_at + interval '1s'")
    assert {found.problem for found in findings()} == {"no event records the act that wrote it"}


@contextmanager
def as_site(app: Any):
    with app.transaction():
        yield


def insert(app: Any, event: dict) -> int:
    statement = sql.SQL("INSERT INTO common_event ({}) VALUES ({}) RETURNING id").format(
        sql.SQL(", ").join(map(sql.Identifier, event)),
        sql.SQL(", ").join(map(sql.Placeholder, event)),
    )
    return app.execute(statement, event).fetchone()[0]


def plain_hash(event: dict) -> str:
    """How the chain would be computed by somebody who takes it for a plain digest."""
    content = {name: event[name] for name in ("stream", "seq", "kind", "subject")}
    content |= {"by": None, "at": event["at"].isoformat(), "data": json.loads(event["data"])}
    return hashlib.sha256((event["prev_hash"] + canonical(content)).encode()).hexdigest()


@pytest.mark.parametrize("with_a_change", [True, False])
@pytest.mark.parametrize("own_seal", [True, False])
def test_a_forged_event_is_found(world, app, with_a_change, own_seal):
    event = forged(world.migration.stream)
    event["hash"] = plain_hash(event)
    if own_seal:
        event |= {"xid": 1, "seal": "mine"}
    with as_site(app):
        pk = insert(app, event)
        if with_a_change:
            app.execute("UPDATE tracking_task SET pinned = true WHERE code = 'GL-02'")
    assert any("not sealed with the history key" in problem for problem in said("common_event", pk))
    assert ("nothing was changed" in " ".join(said("common_event", pk))) is not with_a_change
    stored = Event.objects.get(pk=pk)
    assert stored.xid > 1
    assert stored.seal != "mine"


def test_an_event_of_nothing_is_found_even_when_it_is_sealed(world):
    with transaction.atomic():
        event = record_event(
            stream=world.migration.stream, kind="task.done", by=world.manager, at=MONDAY
        )
    assert said("common_event", event.pk) == ["nothing was changed in the act it records"]


def test_a_chain_of_its_own_is_found(world, app):
    event = forged("migration:999")
    event["hash"] = plain_hash(event)
    pk = insert(app, event)
    assert said("common_event", pk)


def test_a_forged_signature_is_found(world, app):
    gate = world.migration.gates.get()
    seat = gate.plan_gate.seats.get()
    signed = {"covers": [], "exceptions": {}, "events": None}
    app.execute(
        "INSERT INTO tracking_signoff (gate_id, round, seat_id, by_id, role, at, snapshot, digest) "
        "VALUES (%s, 1, %s, %s, 'practice_manager', %s, %s, %s)",
        [
            gate.pk,
            seat.pk,
            world.manager.pk,
            MONDAY,
            json.dumps(signed),
            hashlib.sha256(canonical(signed).encode()).hexdigest(),
        ],
    )
    pk = SignOff.objects.get().pk
    problems = said("tracking_signoff", pk)
    assert "no event records the act that wrote it" in problems
    assert "its snapshot is not that of a signature" in problems


def test_changed_words_are_found(world, app):
    services.block_task(task=world.task("GL-02"), reason="No answer", by=world.manager, at=MONDAY)
    text = Text.objects.get(body="No answer")
    app.execute("UPDATE common_text SET body = 'Answered' WHERE id = %s", [text.pk])
    assert said("common_text", text.pk) == ["its words do not match its digest"]
    digest = hashlib.sha256(b"Answered").hexdigest()
    app.execute("UPDATE common_text SET sha256 = %s WHERE id = %s", [digest, text.pk])
    assert "that event" in said("common_text", text.pk)[0]


def test_a_redacted_text_is_no_finding(world):
    services.block_task(task=world.task("GL-02"), reason="Mrs Smith", by=world.manager, at=MONDAY)
    report = services.report_patient_data(
        migration=world.migration,
        text=Text.objects.get(body="Mrs Smith"),
        by=world.manager,
        at=MONDAY,
    )
    services.redact(report=report, by=world.project_manager, at=MONDAY)
    assert findings() == []


def test_words_taken_out_beside_the_site_are_found(world, app):
    services.block_task(task=world.task("GL-02"), reason="No answer", by=world.manager, at=MONDAY)
    pk = Text.objects.get(body="No answer").pk
    app.execute("UPDATE common_text SET body = '', redacted_at = now() WHERE id = %s", [pk])
    assert said("common_text", pk) == ["it is marked as redacted, and no report says why"]


def bend(app: Any, row: Model, change: str) -> list[str]:
    """Change a row with the app role, and see what is found of it. The change is taken back.

    Both are found in row history as well.
    """
    table, pk = row._meta.db_table, row.pk
    app.execute(f"UPDATE {table} SET {change} WHERE id = %s", [pk])
    found = said(table, pk)
    row.save(force_update=True)
    return found


def test_texts_are_hidden_and_redacted_as_their_reports_say(world, app):
    services.block_task(task=world.task("GL-02"), reason="Mrs Smith", by=world.manager, at=MONDAY)
    text = Text.objects.get(body="Mrs Smith")
    assert bend(app, text, "hidden_at = now()") == ["it is hidden, and no report says why"]
    report = services.report_patient_data(
        migration=world.migration, text=text, by=world.manager, at=MONDAY
    )
    text.refresh_from_db()
    assert bend(app, text, "hidden_at = NULL") == [
        "it was reported as patient data, and is shown all the same"
    ]
    services.redact(report=report, by=world.project_manager, at=MONDAY)
    text.refresh_from_db()
    assert bend(app, text, "body = 'Mrs Jones'") == ["it was redacted, and has content again"]
    undone = "body = 'Mrs Smith', redacted_at = NULL, hidden_at = NULL"
    assert bend(app, text, undone) == ["it was redacted, and is not marked as that any more"]
    assert {found.table for found in findings()} == {"common_textevent"}


def test_a_text_shown_again_may_be_reported_again(world):
    services.block_task(task=world.task("GL-02"), reason="Smith Ltd", by=world.manager, at=MONDAY)
    about = {"text": Text.objects.get(body="Smith Ltd"), "migration": world.migration}
    for _ in range(2):
        report = services.report_patient_data(**about, by=world.manager, at=MONDAY)
        assert findings() == []
        services.restore(report=report, by=world.project_manager, at=MONDAY)
        assert findings() == []
    report = services.report_patient_data(**about, by=world.manager, at=MONDAY)
    services.redact(report=report, by=world.project_manager, at=MONDAY)
    assert findings() == []


OF_PEOPLE = [
    ("accounts_user", "password = 'another'"),
    ("accounts_user", "email = 'mine@example.test'"),
    ("accounts_user", "name = 'Alice Manage'"),
    ("accounts_invitation", "email = 'mine@example.test'"),
    ("accounts_invitation", "nonce = 'mine'"),
    ("tracking_contact", "telephone = '07700 900999'"),
    ("common_text", "written_by_id = NULL"),
    ("common_text", "written_at = written_at - interval '1 day'"),
    ("common_storedfile", "name = 'refused.txt'"),
    ("common_storedfile", "stored_at = now()"),
    ("common_storedfile", "media_type = 'text/html'"),
]


@pytest.mark.parametrize(("table", "change"), OF_PEOPLE, ids=str)
def test_names_addresses_and_passwords_cannot_be_exchanged(
    world, app, postgres: Server, committed_db, table, change
):
    fill(world)
    column = change.partition(" = ")[0]
    (pk,) = app.execute(f"SELECT max(id) FROM {table}").fetchall()[0]
    if table != "common_text":
        change += ", private_seal = private_seal, salt = salt"
    with postgres.connect("owner", committed_db) as owner:
        owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        (before,) = owner.execute(f"SELECT {column} FROM {table} WHERE id = %s", [pk]).fetchall()[0]
        owner.execute(f"UPDATE {table} SET {change} WHERE id = %s", [pk])
        (problem,) = said(table, pk)
        sealed = "its private columns do not match their seal"
        assert problem in (sealed, f"it differs from its newest row of history: {column}")
        owner.execute(f"UPDATE {table} SET {column} = %s WHERE id = %s", [before, pk])
        owner.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    assert findings() == []
    app.execute(f"UPDATE {table} SET {change} WHERE id = %s", [pk])
    newest = f"SELECT max(pgh_id) FROM {table}event WHERE pgh_obj_id = %s"
    (row,) = app.execute(newest, [pk]).fetchall()[0]
    assert [(found.table, found.row, found.problem) for found in findings()] == [
        (f"{table}event", row, "no event records the act that wrote it")
    ]


def test_a_seal_that_is_reckoned_anew_is_found(world, postgres: Server, committed_db):
    """Whoever owns the tables can make a seal that fits; history holds the former one."""
    pk = world.manager.pk
    keeping = (
        "SELECT tgname FROM pg_trigger WHERE tgrelid = 'accounts_user'::regclass "
        "AND tgname LIKE 'pgtrigger_update%'"
    )
    with postgres.connect("owner", committed_db) as owner:
        ((trigger,),) = owner.execute(keeping).fetchall()
        owner.execute(f"ALTER TABLE accounts_user DISABLE TRIGGER {trigger}")
        owner.execute("UPDATE accounts_user SET email = 'mine@example.test' WHERE id = %s", [pk])
    assert said("accounts_user", pk) == ["it differs from its newest row of history: private_seal"]


def test_a_file_in_place_of_another_is_found(world, app):
    stored, other = add_file(world, b"We agree"), add_file(world, b"We do not")
    event = Event.objects.filter(kind="task.evidence_added").order_by("seq")[0]
    exchanged = f"content = '{other.content.name}', sha256 = '{other.sha256}', size = {other.size}"
    assert bend(app, stored, exchanged) == [
        f"its digest is not the one that event {event.pk} holds"
    ]
    for name in ("", "../../etc/passwd", "files"):
        assert bend(app, stored, f"content = '{name}'") == ["its file is missing"]
    assert bend(app, stored, "size = 1") == ["its file has another size than it says"]
    assert bend(app, stored, "hidden_at = now()") == ["it is hidden, and no report says why"]
    assert {found.table for found in findings()} == {"common_storedfileevent"}
    app.execute("UPDATE tracking_evidence SET file_id = %s", [other.pk])
    app.execute("DELETE FROM common_storedfile WHERE id = %s", [stored.pk])
    assert f"file {stored.pk}, which it speaks of, is gone" in said("common_event", event.pk)[0]


def test_a_redacted_file_is_no_finding(world, app):
    stored = add_file(world, b"Mrs Smith")
    report = services.report_patient_data(
        migration=world.migration, file=stored, by=world.manager, at=MONDAY
    )
    services.redact(report=report, by=world.project_manager, at=MONDAY)
    assert findings() == []
    stored.refresh_from_db()
    assert bend(app, stored, "redacted_at = NULL") == [
        "its file is missing",
        "it was redacted, and is not marked as that any more",
    ]


HUGE = 10**30
NOT_OF_A_SIGNATURE = [
    *({"events": events} for events in ({"foo": 1}, {"hash__regex": "("}, {"seq": HUGE}, "x")),
    {"events": {"seq": {"a": 1}, "hash": "x"}},
    *({"exceptions": {"X": {"text": pk, "sha256": "x"}}} for pk in ([1], "abc", HUGE, True)),
    *({"exceptions": value} for value in (3, {"X": None}, {"X": 3})),
    *({"covers": covers} for covers in (None, 3, [3])),
    *({key: 3} for key in ("conditions", "signed_at", "migration")),
]


@pytest.mark.parametrize("change", NOT_OF_A_SIGNATURE, ids=str)
def test_a_forged_signature_stops_neither_verification_nor_page(world, app, client, change):
    one = sign(world)
    snapshot = one.snapshot | {"round": 2} | change
    app.execute(
        "INSERT INTO tracking_signoff (gate_id, round, seat_id, by_id, role, at, snapshot, digest) "
        "SELECT gate_id, 2, seat_id, by_id, role, at, %s, %s FROM tracking_signoff",
        [json.dumps(snapshot), sha256(canonical(snapshot))],
    )
    pk = SignOff.objects.get(round=2).pk
    assert "its snapshot is not that of a signature" in said("tracking_signoff", pk)
    client.force_login(world.manager)
    page = client.get(world.url("sign-off/go_live_data"))
    assert page.status_code == 200
    assert "This record cannot be read." in page.text
    assert "Record intact" in page.text


FORGED = [
    ("task.done", {"reason": {"text": [1], "sha256": 1}}),
    ("task.done", {"reason": {"text": "abc", "sha256": "x"}}),
    ("task.done", {"reason": {"text": HUGE, "sha256": "x"}}),
    ("task.evidence_added", {"file": {"a": 1}, "sha256": 1}),
    ("task.assigned", {"before": [1], "after": {}}),
    ("task.assigned", {"before": HUGE, "after": HUGE}),
    ("task.due_moved", {"before": "x", "after": 3}),
    ("dates.replanned", {}),
    ("clock.started", {"unit": "hours", "limit": 1, "ends_at": HUGE}),
    ("patient_data.redacted", {"minutes": HUGE}),
    ("task.done", []),
    ("no.such_kind", {}),
]


@pytest.mark.parametrize(("kind", "data"), FORGED, ids=str)
def test_a_forged_event_stops_neither_verification_nor_page(world, app, client, kind, data):
    pk = insert(app, forged(world.migration.stream, kind=kind, data=json.dumps(data)))
    assert any("not sealed with the history key" in one for one in said("common_event", pk))
    client.force_login(world.manager)
    for path in ("history", "tasks/GL-02"):
        assert client.get(world.url(path)).status_code == 200


def test_who_wrote_a_note_cannot_be_changed(world, app):
    services.add_note(task=world.task("GL-02"), body="Rang them", by=world.manager, at=MONDAY)
    with pytest.raises(errors.InsufficientPrivilege):
        app.execute("UPDATE tracking_tasknote SET by_id = %s", [world.staff.pk])


def test_what_only_the_owner_can_do_is_found_too(world, postgres: Server, committed_db):
    """Triggers off, rows changed or gone, triggers on again."""
    services.tick_task(task=world.task("CUT-02"), by=world.manager, at=MONDAY)
    sign(world)
    task = world.task("GL-02")
    stream = world.migration.stream
    newest = Event.objects.of(stream).order_by("seq").last()
    third = Event.objects.of(stream).get(seq=3)
    with postgres.connect("owner", committed_db) as owner:
        for table in ("common_event", "tracking_task", "tracking_taskevent", "tracking_phase"):
            owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")

        def bend(statement: str, *values: object) -> list[str]:
            owner.execute(statement, values)
            return [str(one) for one in findings()]

        found = bend("UPDATE tracking_task SET pinned = true WHERE id = %s", task.pk)
        assert found == [
            f"tracking_task {task.pk}: it differs from its newest row of history: pinned"
        ]
        owner.execute("UPDATE tracking_task SET pinned = false")
        found = bend("DELETE FROM tracking_taskevent WHERE pgh_obj_id = %s", task.pk)
        assert found == [f"tracking_task {task.pk}: it has no row of history"]
        owner.execute("DELETE FROM tracking_task WHERE id = %s", [world.task("GL-01").pk])
        found = [str(one) for one in findings()]
        assert any("is gone, and history does not say it was deleted" in one for one in found)
        found = bend("DELETE FROM common_event WHERE id = %s", third.pk)
        assert any("number 3 should stand here" in one for one in found)
        # The whole last act goes: its rows tell.
        found = bend("DELETE FROM common_event WHERE xid = %s", newest.xid)
        assert any(
            one.startswith("tracking_signoff") and "no event records" in one for one in found
        )


def test_one_migration_can_be_looked_at_alone(world, app, capsys):
    other = make_world()
    app.execute("UPDATE tracking_task SET pinned = true WHERE id = %s", [world.task("GL-02").pk])
    call_command("verify_history", migration=other.migration.reference)
    out = capsys.readouterr().out
    assert "in 1 chains" in out
    with pytest.raises(CommandError, match="1 findings"):
        call_command("verify_history", migration=world.migration.reference)
    assert "tracking_taskevent" in capsys.readouterr().out
    with pytest.raises(CommandError, match="no migration X1"):
        call_command("verify_history", migration="X1")


def test_it_looks_at_one_moment_and_writes_nothing(world):
    with (
        pytest.raises(InternalError, match="read-only"),
        snapshot(),
        connection.cursor() as cursor,
    ):
        cursor.execute("DELETE FROM django_session")
