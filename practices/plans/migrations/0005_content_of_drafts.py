"""A draft is kept as its content from now on; what drafts had as rows is taken over."""

from django.db import migrations, models

LISTS = {
    "key_date": ("key_dates", "key title precision offset unit same_as clock source"),
    "phase": ("phases", "key title duration source"),
    "task": (
        "tasks",
        (
            "code title owner anchor offset unit basis guidance lesson helps mandatory condition "
            "evidence records source"
        ),
    ),
    "gate": (
        "gates",
        (
            "key title statement different_people cover_phases cover_tasks blocks confirm_to "
            "condition source"
        ),
    ),
    "clock": (
        "clocks",
        "key title starts stops limit unit enabled warn_after warn_before repeat_every tell source",
    ),
    "reminder": (
        "reminders",
        (
            "key title anchor offsets unit tell advice enabled until repeat_every deliver "
            "escalate_after source"
        ),
    ),
}


def take_over(apps, schema_editor):
    versions = apps.get_model("plans", "PlanVersion").objects.using(schema_editor.connection.alias)
    for version in versions.filter(state="draft"):
        content = {
            "plan": {name: getattr(version, name) for name in ("title", "summary", "source")},
            "condition": [],
        }
        for kind, (related, names) in LISTS.items():
            rows = getattr(version, related)
            order = ("phase__position", "position") if kind == "task" else ("position",)
            content[kind] = [_part(kind, row, names) for row in rows.order_by(*order)]
        version.content = content
        version.save(update_fields=["content"])
        for related in ("tasks", "gates", "phases", "key_dates", "clocks", "reminders"):
            getattr(version, related).all().delete()


def _part(kind, row, names):
    part = {name: getattr(row, name) for name in names.split()}
    if kind == "task":
        seat = row.signs
        part |= {
            "phase": row.phase.key,
            "gate": seat.gate.key if seat else "",
            "seat": seat.key if seat else "",
            "applies_if": [],
            "after": [],
        }
    if kind == "gate":
        part["seats"] = [
            {"key": seat.key, "title": seat.title, "roles": seat.roles}
            for seat in row.seats.order_by("position")
        ]
    return part


class Migration(migrations.Migration):
    dependencies = [("plans", "0004_drafts")]

    operations = [
        migrations.RunPython(take_over, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="planversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("content__isnull", False), ("state", "draft")),
                    models.Q(models.Q(("state", "draft"), _negated=True), ("content", None)),
                    _connector="OR",
                ),
                name="draft_has_its_content",
            ),
        ),
    ]
