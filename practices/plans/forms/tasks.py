"""Forms of tasks: one of them with everything it says, or several at once."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from crispy_forms.layout import Div, Fieldset
from django import forms

from practices.common.forms import NHSForm
from practices.common.layout import ButtonGroup, Link, Submit
from practices.plans.rules import (
    CODE,
    NOT_PREFIX,
    Basis,
    Part,
    PlanTree,
    Unit,
    listed,
    next_code,
)

from .fields import (
    AFTER,
    BEFORE,
    UNITS,
    LineField,
    MarkdownField,
    NumberField,
    RoleField,
    RolesField,
    narrow,
)
from .parts import Note, OffsetBoxes, PartForm, anchors, kept, signed, unsigned

OFFSET = "app-fields app-fields--short app-fields--offset"
SPARE_ROWS = 2
MOST_ROWS = 100
MARKDOWN = "**Bold**, lists with - and [links](https://www.england.nhs.uk) are shown as such."
READS = "reads"  # the button that shows Markdown as it will be read, and saves nothing
YES, NO = "yes", "no"
LEAVE = ("", "Leave as it is")
MANDATORY = [("yes", "Every migration has to do it"), ("no", "Only some do it")]


class TaskForm(OffsetBoxes, PartForm):
    """Everything a task says. What it waits for are rows of boxes; an empty code takes one out."""

    kind = "task"
    direct = (
        *("title", "owner", "anchor", "unit", "basis", "guidance", "lesson", "helps"),
        *("condition", "evidence", "records", "source"),
    )

    code = LineField(
        label="Code",
        max_length=20,
        help_text="Capital letters, a hyphen and a number, for example CUT-16. It stays.",
        widget=forms.TextInput(attrs=narrow(10)),
    )
    title = LineField(label="Title", max_length=250)
    guidance = MarkdownField(label="Guidance", required=False, max_length=5_000, help_text=MARKDOWN)
    lesson = MarkdownField(label="What other practices learnt", required=False, max_length=5_000)
    owner = RoleField(label="Owner")
    helps = RolesField(label="Who helps", required=False)
    basis = forms.ChoiceField(
        label="Where the timing comes from", choices=Basis.choices, initial=Basis.SUGGESTED
    )
    mandatory = forms.ChoiceField(
        label="Who has to do it", choices=MANDATORY, widget=forms.RadioSelect, initial="yes"
    )
    condition = LineField(
        label="When it applies, in words",
        required=False,
        max_length=200,
        help_text="For a task that only some do, for example “Only if the practice dispenses”.",
    )
    evidence = LineField(
        label="Evidence to keep", required=False, max_length=200, help_text="In words."
    )
    records = forms.ChoiceField(
        label="Doing it records",
        required=False,
        error_messages={"invalid_choice": "Choose a key date of this plan, or no key date"},
    )
    signs = forms.ChoiceField(
        label="Doing it signs",
        required=False,
        error_messages={"invalid_choice": "Choose a seat of a gate of this plan, or nothing"},
    )
    source = LineField(label="Source", required=False, max_length=300)

    def __init__(self, *args: Any, phase: str = "", **kwargs: Any) -> None:
        self.phase = phase
        super().__init__(*args, **kwargs)

    def blank(self) -> Part:
        return {"code": next_code(self.tree, self.phase)}

    def prepare(self) -> None:
        fields: Any = self.fields
        fields["anchor"].choices = anchors(self.tree, self.part)
        records = kept([(n.key, n.title) for n in self.tree.key_dates], self.part, "records")
        fields["records"].choices = [("", "No key date"), *records]
        seats = [
            (f"{gate.key}:{seat.key}", f"{gate.title}: {seat.title}")
            for gate in self.tree.gates
            for seat in gate.seats
        ]
        now = _signature(self.part or {})
        if now and now not in dict(seats):
            seats.append((now, f"{now} (not in this plan)"))
        fields["signs"].choices = [("", "Nothing"), *seats]
        if self.part is not None:
            del fields["code"]
        self.waits = self._waits()
        self.conditions = self._conditions()
        self.timed = ("anchor", "by", "unit", "side", *(n for row in self.waits for n in row))

    def _waits(self) -> list[tuple[str, str, str]]:
        """Rows of boxes for what it waits for: those it has, and some to add."""
        # A page that was opened when it waited for more sends more rows.
        posted = sum(1 for name in self.data if name.startswith("after_") and name.endswith("_lag"))
        there = max(len((self.part or {}).get("after", ())) + SPARE_ROWS, min(posted, MOST_ROWS))
        rows = []
        for number in range(1, there + 1):
            names = (f"after_{number}_task", f"after_{number}_lag", f"after_{number}_unit")
            self.fields[names[0]] = LineField(
                label=f"Waits for task {number}",
                required=False,
                widget=forms.TextInput(attrs={**narrow(10), "list": "task-codes"}),
            )
            self.fields[names[1]] = NumberField(label="How long after it", required=False)
            self.fields[names[2]] = forms.ChoiceField(
                label="Unit", required=False, choices=UNITS, initial=Unit.DAYS
            )
            rows.append(names)
        return rows

    def _conditions(self) -> dict[str, str]:
        """A choice for each condition of the plan: its box by its key."""
        boxes = {}
        said = [name.removeprefix(NOT_PREFIX) for name in (self.part or {}).get("applies_if", ())]
        titles = {node.key: node.title for node in self.tree.conditions}
        for key in dict.fromkeys([*titles, *said]):
            boxes[key] = f"if_{key}"
            self.fields[boxes[key]] = forms.ChoiceField(
                label=titles.get(key, f"{key} (not in this plan)"),
                required=False,
                choices=[("", "Does not matter"), (YES, "Only if yes"), (NO, "Only if no")],
            )
        return boxes

    def taken_apart(self, part: Part) -> dict[str, Any]:
        boxes: dict[str, Any] = {"code": part.get("code", "")}
        if "offset" not in part:
            return boxes
        boxes |= unsigned(part["offset"])
        boxes["mandatory"] = YES if part["mandatory"] else NO
        boxes["signs"] = _signature(part)
        for number, link in enumerate(part["after"], 1):
            boxes[f"after_{number}_task"] = link["task"]
            boxes[f"after_{number}_lag"] = link["lag"]
            boxes[f"after_{number}_unit"] = link["unit"]
        for name in part["applies_if"]:
            boxes[f"if_{name.removeprefix(NOT_PREFIX)}"] = (
                NO if name.startswith(NOT_PREFIX) else YES
            )
        return boxes

    def clean_code(self) -> str:
        code = str(self.cleaned_data["code"]).upper()
        if not CODE.fullmatch(code):
            raise forms.ValidationError(
                "Code must be capital letters, a hyphen and a number, such as CUT-16"
            )
        if code in {task.code for task in self.tree.tasks()}:
            raise forms.ValidationError(f"{code} is a task already. Choose another code")
        return code

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        known = {task.code for task in self.tree.tasks()}
        own = (self.part or {}).get("code") or cleaned.get("code", "")
        met = Counter[str]()
        for name, lag, _ in self.waits:
            code = cleaned.get(name, "").upper()
            cleaned[name] = code
            met[code] += 1
            if code and code == own:
                self.add_error(name, "A task cannot wait for itself")
            elif code and code not in known:
                self.add_error(name, f"{code[:20]} is no task of this plan")
            elif code and met[code] > 1:
                self.add_error(name, f"{code} is there twice")
            elif not code and cleaned.get(lag) is not None and not self.initial.get(name):
                said = "Enter the code of the task to wait for, or empty “How long after it”"
                self.add_error(name, said)
        return cleaned

    def _after(self, cleaned: Mapping[str, Any]) -> list[Part]:
        return [
            {
                "task": cleaned[task],
                "lag": cleaned[lag] or 0,
                "unit": cleaned[unit] or Unit.DAYS.value,
            }
            for task, lag, unit in self.waits
            if cleaned[task]
        ]

    def composed(self, cleaned: Mapping[str, Any]) -> Part:
        gate, _, seat = cleaned["signs"].partition(":")
        chosen = {key: cleaned[box] for key, box in self.conditions.items()}
        return {
            "offset": signed(cleaned),
            "mandatory": cleaned["mandatory"] == YES,
            "gate": gate,
            "seat": seat,
            "after": self._after(cleaned),
            "applies_if": [
                key if said == YES else f"{NOT_PREFIX}{key}" for key, said in chosen.items() if said
            ],
        }

    def dated(self, cleaned: Mapping[str, Any]) -> Part | None:
        return {
            "anchor": cleaned["anchor"],
            "offset": signed(cleaned),
            "unit": cleaned["unit"],
            "after": self._after(cleaned),
        }

    def buttons(self) -> ButtonGroup:
        # Behind "Save": the Enter key presses the first button of a form.
        reads = Submit("See how the texts read", name=READS, value="1", variant="secondary")
        return ButtonGroup(Submit(self.submit_text), reads, Link("Cancel", self.cancel_url))

    def name_it(self) -> Part:
        return {"code": self.cleaned_data["code"], "phase": self.phase}

    def layout(self) -> list[Any]:
        first = ["code"] if "code" in self.fields else []
        conditions = (
            [Fieldset("Conditions", Div(*self.conditions.values(), css_class="app-fields"))]
            if self.conditions
            else []
        )
        return [
            *first,
            "title",
            "owner",
            self.timing_boxes(
                "When it is due",
                Div("by", "unit", "side", "anchor", css_class=OFFSET),
                *(Div(*row, css_class="app-fields app-fields--short") for row in self.waits),
                Note(
                    "Name the task that this waits for by its code. Empty the box to wait no more."
                ),
            ),
            "basis",
            "guidance",
            "lesson",
            Div("helps", css_class="app-choices"),
            "mandatory",
            "condition",
            *conditions,
            "evidence",
            "records",
            "signs",
            "source",
            self.buttons(),
        ]


def _signature(part: Part) -> str:
    return f"{part['gate']}:{part['seat']}" if part.get("gate") else ""


class BulkForm(NHSForm):
    """The same for several tasks: only what is filled in is changed."""

    submit_text = "Change the chosen tasks"

    owner = RoleField(none=LEAVE[1], label="Owner", required=False)
    by = NumberField(label="How many", required=False)
    unit = forms.ChoiceField(label="Unit", required=False, choices=[LEAVE, *UNITS])
    side = forms.ChoiceField(
        label="Before or after",
        required=False,
        choices=[LEAVE, (BEFORE, "before"), (AFTER, "after (or at)")],
    )
    anchor = forms.ChoiceField(label="Key date", required=False)
    mandatory = forms.ChoiceField(
        label="Who has to do it", required=False, choices=[LEAVE, *MANDATORY]
    )

    def __init__(self, *args: Any, tree: PlanTree, codes: list[str], **kwargs: Any) -> None:
        self.tree, self.codes = tree, codes
        super().__init__(*args, prefix="bulk", **kwargs)
        fields: Any = self.fields
        fields["anchor"].choices = [LEAVE, *anchors(tree, None)]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.codes:
            self.add_error(None, "Tick the tasks that you want to change")
        if cleaned.get("by") and not cleaned.get("side") and (codes := self._without_side()):
            are = "are due at their" if codes[1:] else "is due at its"
            self.add_error("side", f"Select before or after: {listed(codes)} {are} key date itself")
        if not self.errors and not any(cleaned.values()) and cleaned["by"] is None:
            self.add_error("owner", "Choose what to change: owner, due date or who has to do it")
        return cleaned

    def values(self) -> Part:
        """What all chosen tasks are to say; their offsets follow from their own."""
        cleaned = self.cleaned_data
        said: Part = {name: cleaned[name] for name in ("owner", "anchor", "unit") if cleaned[name]}
        if cleaned["mandatory"]:
            said["mandatory"] = cleaned["mandatory"] == YES
        return said

    def offset(self, own: int) -> int:
        """The offset of a chosen task, from its own: what is left alone stays."""
        by, side = self.cleaned_data["by"], self.cleaned_data["side"]
        boxes = unsigned(own)
        return signed({"by": boxes["by"] if by is None else by, "side": side or boxes["side"]})

    def _without_side(self) -> list[str]:
        """The chosen tasks that are neither before nor after anything."""
        return [t.code for t in self.tree.tasks() if t.code in self.codes and not t.offset]
