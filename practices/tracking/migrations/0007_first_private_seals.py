"""History begins for what had none: names and addresses are sealed, texts and files have a row."""

from django.db import migrations
from django.utils import timezone

from practices.common.services import FIRST_HASH, SITE_STREAM, event_hash

SEALED = ("accounts_user", "accounts_invitation", "common_storedfile", "tracking_contact")
# The triggers write salt and seal, and as the seal is another one, a row of history.
SEAL = "UPDATE {table} SET private_seal = '' WHERE private_seal = ''"
KEEP_TEXTS = """
    INSERT INTO common_textevent (pgh_created_at, pgh_label, pgh_obj_id, id, sha256,
        written_by_id, written_at, hidden_at, redacted_at)
    SELECT now(), 'update', id, id, sha256, written_by_id, written_at, hidden_at, redacted_at
    FROM common_text
"""


def begin(apps, schema_editor):
    """One act with one event, so that verify_history finds nothing amiss afterwards."""
    rows = {}
    with schema_editor.connection.cursor() as cursor:
        for table in SEALED:
            cursor.execute(SEAL.format(table=table))
            rows[table] = cursor.rowcount
        cursor.execute(KEEP_TEXTS)
        rows["common_text"] = cursor.rowcount
        if any(rows.values()):
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('site events'))")
            _record(apps, schema_editor.connection.alias, rows)


def _record(apps, using, rows):
    events = apps.get_model("common", "Event").objects.using(using)
    last = events.filter(stream=SITE_STREAM).order_by("-seq").first()
    event = events.model(
        stream=SITE_STREAM,
        seq=last.seq + 1 if last else 1,
        kind="history.extended",
        at=timezone.now(),
        data={"rows": rows},
        prev_hash=last.hash if last else FIRST_HASH,
    )
    event.hash = event_hash(event)
    event.save(using=using, force_insert=True)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_private_seals"),
        ("common", "0004_text_and_file_history"),
        ("tracking", "0006_private_seals"),
    ]

    operations = [migrations.RunPython(begin, migrations.RunPython.noop)]
