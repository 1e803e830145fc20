"""What the app role may do: set by the owner after every schema migration, and verified.

Append-only tables are held so by privileges, because a role can silence the
triggers of tables it owns (house.md law 4; reliability.md 3.4). Row history is
written by triggers that run as the owner, so the app role cannot write it at
all, and what a session could set to silence them is without effect (ADR 9).
"""

from collections.abc import Iterator
from typing import Any

import pghistory.models
import pghistory.trigger
import pgtrigger
import pgtrigger.registry
from django.apps import apps
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections, models, transaction
from psycopg import sql

from .history import CREATE_SEAL, SEAL_BODY, SEAL_FUNCTION, SEAL_SETTINGS

OWNER = "owner"
READ, ADD, WRITE = (
    ("SELECT",),
    ("SELECT", "INSERT"),
    ("SELECT", "INSERT", "UPDATE", "DELETE"),
)
EVERY = (*WRITE, "TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN")
MAINTAIN_SINCE = 170_000  # server_version_num
OF_COLUMNS = ("SELECT", "INSERT", "UPDATE", "REFERENCES")
SEQUENCE = ("USAGE", "SELECT")
SEARCH_PATH = "pg_catalog, public, pg_temp"
# pgtrigger asks this function whether the session wants a trigger left out. It never does.
IGNORE_FUNCTION = "_pgtrigger_should_ignore"
IGNORE_BODY = "SELECT false"
CREATE_IGNORE = (
    f"CREATE OR REPLACE FUNCTION public.{IGNORE_FUNCTION}(trigger_name name) RETURNS boolean "
    f"LANGUAGE sql IMMUTABLE AS '{IGNORE_BODY}'"
)


def append_only_models() -> list[type[models.Model]]:
    """Tables the app role may read and add to, never change: events, signatures."""
    return [model for model in _models() if getattr(model, "append_only", False)]


def history_models() -> list[Any]:
    """Row history, as pghistory's models: only triggers write it."""
    return [model for model in _models() if issubclass(model, pghistory.models.Event)]


def _models() -> list[type[models.Model]]:
    found = [m for m in apps.get_models(include_auto_created=True) if not m._meta.proxy]
    return sorted(found, key=lambda model: model._meta.db_table)


def allowed(table: str) -> tuple[str, ...]:
    """What the app role may do with a table."""
    if table == "django_migrations" or table in {m._meta.db_table for m in history_models()}:
        return READ
    if table in {m._meta.db_table for m in append_only_models()}:
        return ADD
    return WRITE


def _triggers() -> list[tuple[type[models.Model], pgtrigger.Trigger]]:
    return list(pgtrigger.registry.registered())


def _runs_as_owner(trigger: pgtrigger.Trigger) -> bool:
    return isinstance(trigger, pghistory.trigger.Event)


def _body(model: type[models.Model], trigger: pgtrigger.Trigger) -> str:
    """What the trigger's function must say, cut out of the statement that makes it."""
    statement: str = trigger.compile(model).install_sql
    return statement.partition(f"FUNCTION {trigger.get_pgid(model)}()")[2].split("$$")[1]


def grant(using: str = OWNER) -> None:
    """Give the app role exactly its rights, and the triggers theirs; safe to run again."""
    role = sql.Identifier(settings.APP_ROLE)
    with transaction.atomic(using=using), connections[using].cursor() as cursor:

        def run(statement: str, **names: sql.Composable) -> None:
            cursor.execute(sql.SQL(statement).format(role=role, **names))

        run("REVOKE CREATE ON SCHEMA public FROM PUBLIC, {role}")
        run("GRANT USAGE ON SCHEMA public TO {role}")
        run("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, {role}")
        run("REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM PUBLIC, {role}")
        run("GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}")
        for table in connections[using].introspection.table_names(cursor):
            rights = sql.SQL(", ").join(map(sql.SQL, allowed(table)))
            run("GRANT {rights} ON {table} TO {role}", rights=rights, table=sql.Identifier(table))
        cursor.execute(CREATE_SEAL)
        cursor.execute(CREATE_IGNORE)
        cursor.execute("SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace")
        existing = {name for (name,) in cursor.fetchall()}
        for model, trigger in _triggers():
            name = trigger.get_pgid(model)
            if name not in existing:
                continue
            # Nobody may hang it on a table of their own and have it write what they like.
            run("REVOKE ALL ON FUNCTION public.{name}() FROM PUBLIC", name=sql.Identifier(name))
            run(
                "ALTER FUNCTION public.{name}() {security} SET search_path = {path}",
                name=sql.Identifier(name),
                security=sql.SQL(f"SECURITY {'DEFINER' if _runs_as_owner(trigger) else 'INVOKER'}"),
                path=sql.SQL(SEARCH_PATH),
            )


def grant_after_migrate(*, using: str, app_config: Any, **_: Any) -> None:
    """Grant once, when the last app has migrated."""
    last = [config for config in apps.get_app_configs() if config.models_module][-1]
    if using == OWNER and app_config.label == last.label:
        grant(using)


def problems(using: str = DEFAULT_DB_ALIAS) -> Iterator[str]:
    """Every way in which the app role's rights are not what they must be, in words."""
    for question in (_role, _tables, _sequences, _functions, _trigger_problems):
        yield from question(using)


def _ask(using: str, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with connections[using].cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()


def _role(using: str) -> Iterator[str]:
    role = settings.APP_ROLE
    found = _ask(
        using,
        "SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls "
        "FROM pg_roles WHERE rolname = %s",
        role,
    )
    if not found:
        yield f"The role {role} does not exist."
        return
    words = (
        "is a superuser",
        "may make roles",
        "may make databases",
        "may replicate",
        "passes by row level security",
    )
    yield from (f"{role} {said}." for said, has in zip(words, found[0], strict=True) if has)
    for (other,) in _ask(
        using,
        "SELECT r.rolname FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid "
        "WHERE m.member = %s::regrole",
        role,
    ):
        yield f"{role} is a member of {other}, so it may do what {other} may."
    for (thing,) in _ask(
        using,
        "SELECT pg_describe_object(classid, objid, objsubid) FROM pg_shdepend "
        "WHERE refclassid = 'pg_authid'::regclass AND refobjid = %s::regrole AND deptype = 'o' "
        "AND dbid IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))",
        role,
    ):
        yield f"{role} owns {thing}, so it may change or remove it."
    for kind, name in (("SCHEMA", "public"), ("DATABASE", "current_database()")):
        target = "'public'" if kind == "SCHEMA" else name
        if _ask(using, f"SELECT has_{kind}_privilege(%s, {target}, 'CREATE')", role)[0][0]:
            yield f"{role} may create things in the {kind.lower()}."
    if _ask(using, "SELECT has_parameter_privilege(%s, 'session_replication_role', 'SET')", role)[
        0
    ][0]:
        yield f"{role} may set session_replication_role, so it can silence every trigger."


def _tables(using: str) -> Iterator[str]:
    """Rights on tables and on single columns, however they came about."""
    version = _ask(using, "SELECT current_setting('server_version_num')::int")[0][0]
    rights = [r for r in EVERY if r != "MAINTAIN" or version >= MAINTAIN_SINCE]
    found = _ask(
        using,
        "SELECT c.relname, r.name, has_table_privilege(%s, c.oid, r.name) OR "
        "CASE WHEN r.name = ANY(%s::text[]) THEN has_any_column_privilege(%s, c.oid, r.name) "
        "ELSE false END "
        "FROM pg_class c CROSS JOIN unnest(%s::text[]) r(name) "
        "WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm') "
        "ORDER BY c.relname, r.name",
        settings.APP_ROLE,
        list(OF_COLUMNS),
        settings.APP_ROLE,
        rights,
    )
    for table, right, has in found:
        yield from _difference(table, right, has=has, due=right in allowed(table))


def _sequences(using: str) -> Iterator[str]:
    found = _ask(
        using,
        "SELECT c.relname, r.name, has_sequence_privilege(%s, c.oid, r.name) "
        "FROM pg_class c CROSS JOIN unnest(%s::text[]) r(name) "
        "WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'S' "
        "ORDER BY c.relname, r.name",
        settings.APP_ROLE,
        [*SEQUENCE, "UPDATE"],
    )
    for name, right, has in found:
        yield from _difference(name, right, has=has, due=right in SEQUENCE)


def _difference(name: str, right: str, *, has: bool, due: bool) -> Iterator[str]:
    if has and not due:
        yield f"{name}: {settings.APP_ROLE} has {right} and must not."
    elif due and not has:
        yield f"{name}: {settings.APP_ROLE} lacks {right}."


def _functions(using: str) -> Iterator[str]:
    """The functions behind the triggers: what they say, and as whom they run."""
    role = settings.APP_ROLE
    found = {
        name: rest
        for name, *rest in _ask(
            using,
            "SELECT p.proname, p.prosrc, p.prosecdef, coalesce(p.proconfig, '{}'), "
            "has_function_privilege(%s, p.oid, 'EXECUTE') "
            "FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace",
            role,
        )
    }
    expected = {
        SEAL_FUNCTION: (SEAL_BODY, False, SEAL_SETTINGS, True),
        IGNORE_FUNCTION: (IGNORE_BODY, False, {}, True),
    } | {
        trigger.get_pgid(model): (
            _body(model, trigger),
            _runs_as_owner(trigger),
            {"search_path": SEARCH_PATH},
            False,
        )
        for model, trigger in _triggers()
    }
    for name, (body, as_owner, said, may_call) in sorted(expected.items()):
        if name not in found:
            yield f"The function {name} is missing."
            continue
        has_body, has_owner, has_said, has_call = found.pop(name)
        if has_body != body:
            yield f"The function {name} does not say what it should."
        if has_owner != as_owner:
            yield f"The function {name} runs as {'the caller' if as_owner else 'the owner'}."
        if dict(one.lower().split("=", 1) for one in has_said) != {
            key: value.lower() for key, value in said.items()
        }:
            yield f"The function {name} does not fix its settings: {', '.join(has_said) or 'none'}."
        if has_call and not may_call:
            yield f"The function {name} may be hung on other tables by {role}."
    for name, (_, runs_as_owner, *_) in sorted(found.items()):
        if runs_as_owner:
            yield f"The function {name} runs as its owner, and nobody knows why."


def _trigger_problems(using: str) -> Iterator[str]:
    found = {
        (table, name): enabled
        for table, name, enabled in _ask(
            using,
            "SELECT c.relname, t.tgname, t.tgenabled::text FROM pg_trigger t "
            "JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal",
        )
    }
    for model, trigger in _triggers():
        table, name = model._meta.db_table, trigger.get_pgid(model)
        enabled = found.get((table, name))
        if enabled is None:
            yield f"{table}: the trigger {name} is missing."
        elif enabled not in ("O", "A"):
            yield f"{table}: the trigger {name} is disabled."
