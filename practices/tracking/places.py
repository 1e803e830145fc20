"""Where in a migration a text or a file stands: the reverse of what events refer to."""

from dataclasses import dataclass
from typing import Any

from django.db.models import BooleanField, F, Func, JSONField, Value

from practices.accounts.models import User
from practices.accounts.roles import Owner
from practices.common.models import Event, StoredFile, Text

from .models import Evidence, Migration, SignOff

REPORTS = "patient_data."  # events that speak of a text or file, and do not hold it


@dataclass(frozen=True)
class Place:
    """``subject`` as events have it, such as ``task:CUT-16``; empty for the migration itself.

    ``written_as`` is the supplier it is of, as in ``OneSided``.
    """

    subject: str
    written_as: str = ""

    def is_open_to(self, user: User, migration: Migration) -> bool:
        return not self.written_as or self.written_as != migration.closed_to(user)


def place_of(migration: Migration, what: Text | StoredFile) -> Place | None:
    """Where it stands; None when it belongs to something else.

    Each text of a migration is named by an event of it or, for what was accepted
    with a signature, by the signature.
    """
    if isinstance(what, StoredFile):
        evidence = Evidence.objects.filter(task__migration=migration, file=what)
        found = evidence.select_related("task").first()
        return Place(f"task:{found.task.code}", found.written_as) if found else None
    event = (
        Event.objects.of(migration.stream)
        .exclude(kind__startswith=REPORTS)
        .filter(_refers("data", what))
        .order_by("seq")
        .first()
    )
    if event:
        # Whoever forged an event may have put anything in.
        side = event.data.get("written_as") if isinstance(event.data, dict) else ""
        return Place(event.subject, side if side in Owner.values else "")
    signed = SignOff.objects.filter(_refers("snapshot", what), gate__migration=migration)
    signature = signed.select_related("gate").first()
    return Place(f"gate:{signature.gate.key}") if signature else None


def _refers(column: str, text: Text) -> Any:
    """Whether a JSON column holds a reference to a text, at any depth."""
    return Func(
        F(column),
        Value("$.**.text ? (@ == $id)"),
        Value({"id": text.pk}, JSONField()),
        function="jsonb_path_exists",
        output_field=BooleanField(),
    )
