"""An import into tables that PostgreSQL believes to be empty."""

import io
from datetime import UTC, datetime

from django.db import connection, transaction

from practices.directory.practice_file import check_practice_file
from practices.directory.services import import_practices

from .lists import epraccur, many

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
TABLES = "directory_practice, directory_organisation, directory_commissionerlink"


def test_the_import_after_one_that_failed_is_no_slower(postgres, committed_db):
    content = epraccur(*many(8000))

    def bring_in():
        source = check_practice_file(io.BytesIO(content))
        return import_practices(source=source, by=None, at=AT)

    with transaction.atomic():
        bring_in()
        transaction.set_rollback(True)
    with postgres.connect("owner", committed_db) as owner:
        owner.execute(f"ANALYZE {TABLES}")
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = '5s'")  # it took minutes
    assert bring_in().created == 8000
