from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("reminders", "0009_fewer_indexes")]

    operations = [
        # To squeeze a mail takes PostgreSQL longer than to write it, and it is dropped soon.
        migrations.RunSQL(
            "ALTER TABLE reminders_notification ALTER COLUMN content SET STORAGE EXTERNAL",
            "ALTER TABLE reminders_notification ALTER COLUMN content SET STORAGE EXTENDED",
        ),
    ]
