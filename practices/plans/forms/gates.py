"""The form of a gate, with its seats as rows of boxes."""

from collections.abc import Mapping
from typing import Any

from crispy_forms.layout import Div, Fieldset
from django import forms

from practices.accounts.roles import Owner
from practices.plans.rules import FINISH, GATE_PREFIX, SIGNERS, Part

from .fields import CodesField, LineField, ProseField, RoleField, RolesField, SeveralField
from .parts import TitledForm, key_from

SPARE_SEATS = 1


class GateForm(TitledForm):
    """A decision: its statement, who signs, what that speaks for and what waits for it."""

    kind = "gate"
    direct = (
        *("title", "statement", "different_people", "cover_phases", "cover_tasks", "blocks"),
        *("confirm_to", "condition", "source"),
    )

    title = LineField(label="Title", max_length=150)
    statement = ProseField(
        label="Statement", max_length=5_000, help_text="What the signer declares."
    )
    different_people = forms.BooleanField(
        label="Different people take the seats", required=False, initial=True
    )
    cover_phases = SeveralField(label="Phases it speaks for", required=False)
    cover_tasks = CodesField(
        label="Single tasks it speaks for",
        required=False,
        help_text="Codes with commas between them, for example FDP-07, CUT-16.",
    )
    blocks = SeveralField(label="What cannot happen before it is signed", required=False)
    confirm_to = RoleField(none="Nobody", label="Who is sent the confirmation", required=False)
    condition = LineField(label="When it applies, in words", required=False, max_length=200)

    def prepare(self) -> None:
        fields: Any = self.fields
        part = self.part or {}
        phases = [(node.key, node.title) for node in self.tree.phases]
        fields["cover_phases"].choices = _with(phases, part.get("cover_phases", ()))
        gates = [
            (f"{GATE_PREFIX}{gate.key}", f"Signing “{gate.title}”")
            for gate in self.tree.gates
            if gate.key != part.get("key")
        ]
        dates = [(node.key, node.title) for node in self.tree.key_dates]
        last = [(FINISH, "Finishing the migration")]
        fields["blocks"].choices = _with([*dates, *gates, *last], part.get("blocks", ()))
        fields["cover_tasks"].known = {task.code for task in self.tree.tasks()} | set(
            part.get("cover_tasks", ())
        )
        self.seats = self._seats()

    def _seats(self) -> list[tuple[str, str, str]]:
        """Rows of boxes: title, roles, and the key that a seat keeps."""
        posted = sum(1 for name in self.data if name.startswith("seat_") and name.endswith("_key"))
        there = max(len((self.part or {}).get("seats", ())) + SPARE_SEATS, min(posted, 20))
        signers = [(key, Owner(key).label) for key in SIGNERS]
        rows = []
        for number in range(1, there + 1):
            names = (f"seat_{number}_title", f"seat_{number}_roles", f"seat_{number}_key")
            self.fields[names[0]] = LineField(
                label=f"Seat {number}",
                required=False,
                max_length=150,
                help_text="Empty this box and untick the roles to take the seat out.",
            )
            self.fields[names[1]] = RolesField(
                label=f"Who may take seat {number}", required=False, choices=signers
            )
            self.fields[names[2]] = forms.CharField(
                required=False, max_length=40, widget=forms.HiddenInput
            )
            rows.append(names)
        return rows

    def taken_apart(self, part: Part) -> dict[str, Any]:
        boxes: dict[str, Any] = {}
        for number, seat in enumerate(part.get("seats", ()), 1):
            for name in ("title", "roles", "key"):
                boxes[f"seat_{number}_{name}"] = seat[name]
        return boxes

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for title, roles, _ in self.seats:
            if cleaned.get(title) and not cleaned.get(roles) and not self.has_error(roles):
                self.add_error(roles, "Select at least one role that may take this seat")
            if cleaned.get(roles) and not cleaned.get(title) and not self.has_error(title):
                self.add_error(title, "Enter what the seat is called, or untick its roles too")
        return cleaned

    def composed(self, cleaned: Mapping[str, Any]) -> Part:
        had = {seat["key"] for seat in (self.part or {}).get("seats", ())}
        keys = {cleaned[key] for *_, key in self.seats} & had
        seats: list[Part] = []
        for title, roles, key in self.seats:
            if not cleaned[title]:
                continue
            name = cleaned[key] if cleaned[key] in had else key_from(cleaned[title], keys)
            keys.add(name)
            seats.append({"key": name, "title": cleaned[title], "roles": cleaned[roles]})
        return {"seats": seats}

    def layout(self) -> list[Any]:
        return [
            "title",
            "statement",
            Fieldset(
                "Who signs",
                *(Div(*row, css_class="app-choices") for row in self.seats),
                "different_people",
            ),
            "cover_phases",
            "cover_tasks",
            "blocks",
            "confirm_to",
            "condition",
            "source",
            self.buttons(),
        ]


def _with(choices: list[tuple[str, str]], said: Any) -> list[tuple[str, str]]:
    """Choices, and what the gate says now that the plan does not have any more."""
    known = {value for value, _ in choices}
    return [*choices, *((one, f"{one} (not in this plan)") for one in said if one not in known)]
