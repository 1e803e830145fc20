"""Forms of clocks and reminders."""

from collections.abc import Mapping
from typing import Any

from crispy_forms.layout import Div
from django import forms

from practices.plans.rules import (
    ANY_GATE,
    BREACH_PREFIX,
    CODE,
    GATE_PREFIX,
    TASK_PREFIX,
    Delivery,
    Part,
    PlanTree,
    Unit,
)

from .fields import UNITS, LineField, NumberField, NumbersField, RolesField, narrow
from .parts import TitledForm, anchors, kept

TASK = "task"  # chosen instead of a key date, with the task's code in a box beside it


def code_box(label: str) -> LineField:
    return LineField(
        label=label,
        required=False,
        max_length=20,
        widget=forms.TextInput(attrs={**narrow(10), "list": "task-codes"}),
    )


def fact_boxes(fact: str, name: str) -> dict[str, str]:
    """A key date, or a task with its code, as two boxes hold it."""
    if fact.startswith(TASK_PREFIX):
        return {name: TASK, f"{name}_task": fact.removeprefix(TASK_PREFIX)}
    return {name: fact}


def fact_said(cleaned: Mapping[str, Any], name: str) -> str:
    """What two boxes say of a fact."""
    chosen = str(cleaned[name])
    return f"{TASK_PREFIX}{cleaned[f'{name}_task'].upper()}" if chosen == TASK else chosen


class FactForm(TitledForm):
    """A form that names facts: key dates, or tasks that are done."""

    def check_task(self, name: str, cleaned: dict[str, Any]) -> None:
        """A chosen task has to be one of the plan."""
        code = cleaned.get(f"{name}_task", "").upper()
        if cleaned.get(name) != TASK:
            return
        if not CODE.fullmatch(code) or code not in {task.code for task in self.tree.tasks()}:
            said = f"{code[:20]} is no task of this plan" if code else "Enter the code of the task"
            self.add_error(f"{name}_task", said)


class ClockForm(FactForm):
    kind = "clock"
    direct = (
        *("title", "limit", "unit", "enabled", "warn_after", "warn_before"),
        *("tell", "source"),
    )
    timed = ("starts", "starts_task", "stops", "stops_task", "limit", "unit")

    enabled = forms.BooleanField(label="It runs in new migrations", required=False, initial=True)
    starts = forms.ChoiceField(label="Starts at")
    starts_task = code_box("Code of the task that starts it")
    stops = forms.ChoiceField(label="Stops at")
    stops_task = code_box("Code of the task that stops it")
    limit = NumberField(low=1, label="Limit")
    unit = forms.ChoiceField(label="Hours or days", choices=UNITS, initial=Unit.DAYS)
    warn_after = NumbersField(
        low=1,
        label="Warnings after the start",
        required=False,
        help_text="In the unit of the limit, with commas between them, for example 24, 48.",
    )
    warn_before = NumbersField(
        low=0,
        label="Warnings before the end",
        required=False,
        help_text="For example 14, 7, 0. With 0 it is said on the last day.",
    )
    repeat_every = NumberField(
        low=1,
        label="Said again after the end, every",
        required=False,
        help_text="In the unit of the limit. Leave it empty for never.",
    )
    tell = RolesField(label="Who is warned", required=False)
    field_order = ("title", "enabled")

    def prepare(self) -> None:
        fields: Any = self.fields
        own = (self.part or {}).get("key")
        dates = [(node.key, node.title) for node in self.tree.key_dates]
        late = [
            (f"{BREACH_PREFIX}{clock.key}", f"The late end of “{clock.title}”")
            for clock in self.tree.clocks
            if clock.key != own and not clock.starts.startswith(BREACH_PREFIX)
        ]
        task = (TASK, "A task that is done:")
        boxes = fact_boxes((self.part or {}).get("starts", ""), "starts")
        fields["starts"].choices = kept([*dates, task, *late], boxes, "starts")
        boxes = fact_boxes((self.part or {}).get("stops", ""), "stops")
        fields["stops"].choices = kept([*dates, task], boxes, "stops")

    def taken_apart(self, part: Part) -> dict[str, Any]:
        if "starts" not in part:
            return {}
        return {
            **fact_boxes(part["starts"], "starts"),
            **fact_boxes(part["stops"], "stops"),
            "repeat_every": part["repeat_every"] or None,
        }

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        self.check_task("starts", cleaned)
        self.check_task("stops", cleaned)
        return cleaned

    def composed(self, cleaned: Mapping[str, Any]) -> Part:
        return {
            "starts": fact_said(cleaned, "starts"),
            "stops": fact_said(cleaned, "stops"),
            "repeat_every": cleaned["repeat_every"] or 0,
        }

    def dated(self, cleaned: Mapping[str, Any]) -> Part | None:
        return {
            "starts": fact_said(cleaned, "starts"),
            "stops": fact_said(cleaned, "stops"),
            "limit": cleaned["limit"],
            "unit": cleaned["unit"],
        }

    def layout(self) -> list[Any]:
        def pair(*names: str) -> Div:
            return Div(*names, css_class="app-fields")

        boxes = [pair("starts", "starts_task"), pair("stops", "stops_task"), pair("limit", "unit")]
        warnings = ["warn_after", "warn_before", "repeat_every"]
        timing = self.timing_boxes("When it runs", *boxes)
        tell = Div("tell", css_class="app-choices")
        return ["title", "enabled", timing, *warnings, tell, "source", self.buttons()]


class ReminderForm(FactForm):
    kind = "reminder"
    direct = (
        *("title", "enabled", "anchor", "offsets", "unit", "deliver", "tell", "advice"),
        "source",
    )
    timed = ("anchor", "offsets", "unit")

    enabled = forms.BooleanField(label="It is given", required=False, initial=True)
    anchor = forms.ChoiceField(label="Counted from")
    offsets = NumbersField(
        low=-3_000,
        label="Given at",
        help_text=(
            "Whole numbers with commas between them; before the date with a minus, for example "
            "-14, -7, 0."
        ),
    )
    unit = forms.ChoiceField(label="Hours or days", choices=UNITS, initial=Unit.DAYS)
    repeat_every = NumberField(
        low=1,
        label="Said again after the last of them, every how many days",
        required=False,
        help_text="Leave it empty for never.",
    )
    until = forms.ChoiceField(label="Until", required=False)
    until_task = code_box("Code of the task that ends it")
    deliver = forms.ChoiceField(
        label="Sent", choices=Delivery.choices, initial=Delivery.WORKING_MORNING
    )
    tell = RolesField(label="Who is told")
    escalate_after = NumberField(
        low=1,
        label="Times told in vain before the project manager is told too",
        required=False,
        help_text="Leave it empty for never.",
    )
    advice = LineField(label="What to do, in a sentence", max_length=300)

    def prepare(self) -> None:
        fields: Any = self.fields
        gates = [
            (ANY_GATE, "Any gate is ready to sign"),
            *(
                (f"{GATE_PREFIX}{gate.key}", f"“{gate.title}” is ready to sign")
                for gate in self.tree.gates
            ),
        ]
        fields["anchor"].choices = [*anchors(self.tree, None), *gates]
        fields["anchor"].choices = kept(fields["anchor"].choices, self.part, "anchor")
        dates = [(node.key, node.title) for node in self.tree.key_dates]
        boxes = fact_boxes((self.part or {}).get("until", ""), "until")
        ends = [("", "No end"), *dates, (TASK, "A task that is done:")]
        fields["until"].choices = kept(ends, boxes, "until")

    def taken_apart(self, part: Part) -> dict[str, Any]:
        if "until" not in part:
            return {}
        return {
            **fact_boxes(part["until"], "until"),
            "repeat_every": part["repeat_every"] or None,
            "escalate_after": part["escalate_after"] or None,
        }

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        self.check_task("until", cleaned)
        return cleaned

    def composed(self, cleaned: Mapping[str, Any]) -> Part:
        return {
            "until": fact_said(cleaned, "until"),
            "repeat_every": cleaned["repeat_every"] or 0,
            "escalate_after": cleaned["escalate_after"] or 0,
        }

    def dated(self, cleaned: Mapping[str, Any]) -> Part | None:
        return {name: cleaned[name] for name in self.timed}

    def layout(self) -> list[Any]:
        short = "app-fields app-fields--short"
        when = self.timing_boxes(
            "When it is given", Div("offsets", "unit", "anchor", css_class=short)
        )
        more = ["repeat_every", Div("until", "until_task", css_class=short), "deliver"]
        return [
            *("title", "enabled", when, *more, Div("tell", css_class="app-choices")),
            *("escalate_after", "advice", "source"),
            self.buttons(),
        ]


def known_codes(tree: PlanTree) -> list[tuple[str, str]]:
    """Tasks to complete a code by."""
    return [(task.code, task.title) for task in tree.tasks()]
