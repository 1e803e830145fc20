"""Roles, and the page about them that is written from the table."""

import io
from pathlib import Path

from django.conf import settings
from django.core.management import call_command

from practices.accounts.roles import PERMISSIONS, Role


def test_docs_roles_is_what_the_table_says():
    out = io.StringIO()
    call_command("roles_table", stdout=out)
    written = Path(settings.BASE_DIR, "docs", "roles.md").read_text("utf-8")
    assert out.getvalue() == written, "write it again: manage.py roles_table > docs/roles.md"


def test_every_role_has_a_row():
    assert PERMISSIONS.keys() == set(Role)
