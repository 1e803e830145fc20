"""1,000 random edits by the owner with triggers off: 1,000 found, each by its row."""

import json
import random
import string
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import models
from psycopg import errors, sql

from practices.accounts.models import Invitation, User
from practices.common.models import Event, StoredFile, Text
from practices.common.privileges import append_only_models, history_models
from practices.common.verification import (
    Chains,
    altered,
    changed_files,
    changed_texts,
    unlike_history,
    unlike_seal,
)
from practices.plans.models import PlanEdit, PlanVersion
from practices.plans.verification import changed_drafts, changed_edits
from practices.tracking import services
from practices.tracking.models import Bypass, BypassConfirmation, Contact, SignOff, Withdrawal
from practices.tracking.verification import wrong_signatures
from tests.factories import MONDAY
from tests.support.servers import Server
from tests.tracking.steps import gate_of, sign, withdraw

from .history_world import fill, findings, make_world

EDITS = 1_000
LAST_SEEN = ("last_login", "used_at")  # conveniences, written at every look
SEED = 20_261_122
# Rows of these are few beside row history, and dearer.
OFTEN: list[type[models.Model]] = [Event, SignOff, Withdrawal, Bypass, BypassConfirmation]
OFTEN += [User, Invitation, Contact, Text, StoredFile, PlanVersion, PlanEdit]


@pytest.fixture
def world(committed_db):
    world = make_world()
    by = world.manager
    services.block_task(task=world.task("GL-02"), reason="No answer", by=by, at=MONDAY)
    sign(world, at=MONDAY)
    withdraw(world, at=MONDAY)
    bypass = services.record_bypass(
        gate=gate_of(world), reason="Called away", by=world.project_manager, at=MONDAY
    )
    services.confirm_bypass(bypass=bypass, by=by, at=MONDAY)
    withdraw(world, at=MONDAY)
    sign(world, at=MONDAY)
    fill(world)
    return world


def changed_text(text: str, rng: random.Random) -> str:
    place = rng.randrange(len(text)) if text else 0
    letters = set(string.ascii_letters + string.digits) - {text[place : place + 1]}
    return text[:place] + rng.choice(sorted(letters)) + text[place + 1 :]


def changed_json(value: Any, rng: random.Random) -> Any:
    """The same JSON with one byte of its text changed; None where that never is JSON again."""
    text = json.dumps(value)
    for _ in range(200):
        try:
            edited = json.loads(changed_text(text, rng))
        except ValueError:
            continue
        if edited != value:
            return edited
    return None


def edit(column: str, kind: str, value: Any, rng: random.Random) -> sql.Composable | None:
    """SQL for a value of the column that differs from the one that is there, if there is one."""
    name = sql.Identifier(column)
    if value is None:
        return None
    if kind in ("text", "varchar"):
        return sql.Literal(changed_text(value, rng))
    if kind == "jsonb":
        edited = changed_json(value, rng)
        return None if edited is None else literal(edited, kind)
    if kind == "uuid":
        return sql.Literal(uuid.UUID(int=value.int ^ 1 << rng.randrange(128)))
    if kind == "bool":
        return sql.SQL("NOT {}").format(name)
    if kind == "timestamptz":
        step = rng.choice(["1 microsecond", "1 second", "1 hour", "1 day", "1 year"])
        return sql.SQL("{} + {}::interval").format(name, step)
    if kind == "date":
        return sql.SQL("{} + {}").format(name, rng.randint(1, 400))
    return sql.SQL("{} + {}").format(name, rng.choice([1, 2, 4, 8, 16]))


def literal(value: Any, kind: str) -> sql.Composable:
    if kind == "jsonb":
        return sql.Literal(json.dumps(value)) + sql.SQL("::jsonb")
    return sql.Literal(value)


def tracked() -> dict[type[models.Model], Any]:
    """The tables that have row history, and that of each."""
    return {history.pgh_tracked_model: history for history in history_models()}


def proved(owner: Any, model: Any) -> dict[str, str]:
    """The columns of a table that something proves: not counters, nor when somebody came last."""
    shape = columns(owner, model._meta.db_table)
    if model not in tracked():
        return shape
    kept = {field.column for field in tracked()[model]._meta.fields}
    kept |= {"salt", "body", "content", *model.private_columns}
    left_out = shape.keys() - kept
    assert all(name in LAST_SEEN or name.endswith("_count") for name in left_out), left_out
    return {name: kind for name, kind in shape.items() if name in kept}


def columns(owner: Any, table: str) -> dict[str, str]:
    asked = "SELECT column_name, udt_name FROM information_schema.columns WHERE table_name = %s"
    return dict(owner.execute(asked, [table]).fetchall())


def found(model: type[models.Model], pk: int) -> set[str]:
    """What the functions of verify_history say of one row."""
    rows = model._default_manager.filter(pk=pk)
    checks: list[Iterator] = []
    if hasattr(model, "seal"):
        checks.append(altered(model, rows))
    if model is Event:
        checks.append(Chains(rows).broken())
    if model is SignOff:
        checks.append(wrong_signatures(rows))
    if model in tracked():
        checks += [unlike_history(tracked()[model], rows), unlike_seal(model, rows)]
    if model is Text:
        checks.append(changed_texts(rows))
    if model is StoredFile:
        checks.append(changed_files(rows))
    if model is PlanVersion:
        checks.append(changed_drafts(rows))
    if model is PlanEdit:
        checks.append(changed_edits(rows))
    said = [finding for check in checks for finding in check]
    return {one.problem for one in said if (one.table, one.row) == (model._meta.db_table, pk)}


def test_every_one_of_1000_random_edits_is_found(world, postgres: Server, committed_db):
    rng = random.Random(SEED)
    kept = [*append_only_models(), *history_models(), *tracked(), PlanEdit]
    made, tables = 0, set()
    with postgres.connect("owner", committed_db) as owner:
        shapes = {model: proved(owner, model) for model in kept}
        rows = {model: list(model._default_manager.values_list("pk", flat=True)) for model in kept}
        for model in kept:
            owner.execute(f"ALTER TABLE {model._meta.db_table} DISABLE TRIGGER USER")
        filled = [model for model in kept if rows[model]]
        assert set(OFTEN) <= set(filled)
        while made < EDITS:
            model = rng.choice(filled if rng.random() < 0.5 else OFTEN)
            pk = rng.choice(rows[model])
            if bend(owner, model, pk, shapes[model], rng):
                made += 1
                tables.add(model._meta.db_table)
    print(f"{made} of {EDITS} edits in {len(tables)} tables found, seed {SEED}")
    assert len(tables) == len(filled)
    assert findings() == []


def bend(owner: Any, model, pk: int, shape: dict[str, str], rng) -> bool:
    """Edit one column of one row, see it found, put it back. False where that cannot be."""
    table, key = sql.Identifier(model._meta.db_table), sql.Identifier(model._meta.pk.column)
    column = rng.choice(sorted(shape))
    name, kind = sql.Identifier(column), shape[column]
    read = sql.SQL("SELECT {} FROM {} WHERE {} = {}")
    write = sql.SQL("UPDATE {} SET {} = {} WHERE {} = {} RETURNING {}")
    value = owner.execute(read.format(name, table, key, pk)).fetchone()[0]
    other = edit(column, kind, value, rng)
    if other is None:
        return False
    try:
        edited = owner.execute(write.format(table, name, other, key, pk, key)).fetchone()[0]
    except (errors.IntegrityError, errors.DataError):
        return False
    problems = found(model, edited)
    assert problems, f"{model._meta.db_table} {pk}: {column} was {value!r}, and nobody noticed"
    owner.execute(write.format(table, name, literal(value, kind), key, edited, key))
    return True
