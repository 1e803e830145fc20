"""What the app role may do, granted by the owner after every schema migration.

Append-only tables are held so by privileges, because a role can silence the
triggers of tables it owns (house.md law 4; reliability.md 3.4).
"""

from typing import Any

import pghistory.models
from django.apps import apps
from django.conf import settings
from django.db import connections
from psycopg import sql

OWNER = "owner"


def append_only_tables() -> list[str]:
    """Tables the app role may read and add to, never change: events, signatures, row history."""
    return sorted(
        model._meta.db_table
        for model in apps.get_models(include_auto_created=True)
        if getattr(model, "append_only", False) or issubclass(model, pghistory.models.Event)
    )


def grant(using: str = OWNER) -> None:
    """Give the app role read and write on every table, and only add on append-only ones."""
    role = sql.Identifier(settings.APP_ROLE)
    with connections[using].cursor() as cursor:
        existing = set(connections[using].introspection.table_names(cursor))
        statements = [
            "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
            "GRANT USAGE ON SCHEMA public TO {role}",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
            "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}",
            "REVOKE ALL ON TABLE django_migrations FROM {role}",
            "GRANT SELECT ON TABLE django_migrations TO {role}",
        ]
        for statement in statements:
            cursor.execute(sql.SQL(statement).format(role=role))
        for table in append_only_tables():
            if table in existing:
                cursor.execute(
                    sql.SQL("REVOKE UPDATE, DELETE, TRUNCATE ON TABLE {table} FROM {role}").format(
                        table=sql.Identifier(table), role=role
                    )
                )


def grant_after_migrate(*, using: str, app_config: Any, **_: Any) -> None:
    """Grant once, when the last app has migrated."""
    last = [config for config in apps.get_app_configs() if config.models_module][-1]
    if using == OWNER and app_config.label == last.label:
        grant(using)
