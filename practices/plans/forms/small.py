"""Forms of the small parts: the plan itself, its phases, key dates and conditions."""

from collections.abc import Mapping
from typing import Any

from crispy_forms.layout import Div
from django import forms

from practices.plans.rules import ANCHOR, GO_LIVE, Part, Precision, System, Unit

from .fields import AFTER, BEFORE, UNITS, LineField, NumberField, ProseField, narrow
from .parts import HOW_MANY, PartForm, TitledForm, anchors, kept, signed, unsigned

OFFSET, SAME_AS, CLOCK = "offset", "same_as", "clock"


class DetailsForm(PartForm):
    """What a plan is called, what it is for and where it comes from."""

    kind = "plan"
    direct = ("title", "summary", "source")

    title = LineField(label="Title", max_length=150)
    summary = ProseField(label="What it is for", required=False, max_length=5_000)
    source = ProseField(
        label="Sources",
        required=False,
        max_length=5_000,
        help_text="Where the plan comes from, and what the short names of sources mean.",
    )


class PhaseForm(TitledForm):
    kind = "phase"
    direct = ("title", "duration", "source")

    title = LineField(label="Title", max_length=150)
    duration = LineField(
        label="Published duration",
        required=False,
        max_length=150,
        help_text="In words, for example “72 hours at most”.",
    )
    field_order = ("title", "duration", "source")


class ConditionForm(TitledForm):
    """A question about a practice that decides which tasks apply."""

    kind = "condition"
    direct = ("title", "question", "system", "named", "source")

    title = LineField(label="Title", max_length=100, help_text="For example “Dispensing practice”.")
    question = LineField(
        label="Question",
        max_length=200,
        help_text="Asked when a migration starts, to be answered with yes or no.",
    )
    system = forms.ChoiceField(
        label="Known from",
        required=False,
        choices=[("", "Nothing: it is asked"), *((one.value, one.label) for one in System)],
        help_text="A system's name can answer the question by itself.",
    )
    named = LineField(
        label="Name of that system",
        required=False,
        max_length=150,
        help_text="The answer is yes when the system is called so.",
    )
    field_order = ("title", "question", "system", "named", "source")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("system") and not cleaned.get("named"):
            self.add_error("named", "Enter the name of the system that makes the answer yes")
        if not cleaned.get("system") and cleaned.get("named"):
            self.add_error("system", "Select which system is called so, or take the name out")
        return cleaned


class KeyDateForm(TitledForm):
    """A date that others count from: go-live and an offset, another one, or a clock's end."""

    kind = "key_date"
    direct = ("title", "precision", "source")
    timed = ("precision", "how", "by", "unit", "side", "same_as", "clock")

    key = LineField(
        label="Short name",
        max_length=20,
        help_text="Capital letters, numbers and underscores, for example SURVEY. It stays.",
        widget=forms.TextInput(attrs=narrow(10)),
    )
    precision = forms.ChoiceField(
        label="Given as", choices=Precision.choices, widget=forms.RadioSelect, initial=Precision.DAY
    )
    how = forms.ChoiceField(
        label="How it is found",
        choices=[
            (OFFSET, "Counted from go-live"),
            (SAME_AS, "The same as another key date"),
            (CLOCK, "The end of a clock"),
        ],
        widget=forms.RadioSelect,
        initial=OFFSET,
    )
    by = NumberField(label="How many", required=False)
    unit = forms.ChoiceField(
        label="Hours or days",
        required=False,
        choices=[pair for pair in UNITS if pair[0] != Unit.WORKING_DAYS],
        initial=Unit.DAYS,
    )
    side = forms.ChoiceField(
        label="Before or after go-live",
        required=False,
        choices=[(BEFORE, "before"), (AFTER, "after (or at)")],
    )
    same_as = forms.ChoiceField(label="Other key date", required=False)
    clock = forms.ChoiceField(label="Clock", required=False)

    def prepare(self) -> None:
        others = [one for one in anchors(self.tree, self.part, "same_as") if one[0] != self.own]
        self.fields["same_as"].choices = [("", "Select a key date"), *others]  # type: ignore[attr-defined]
        clocks = kept([(one.key, one.title) for one in self.tree.clocks], self.part, "clock")
        self.fields["clock"].choices = [("", "Select a clock"), *clocks]  # type: ignore[attr-defined]
        if self.part is not None:
            del self.fields["key"]
        if self.own == GO_LIVE:
            for name in ("how", "by", "unit", "side", "same_as", "clock"):
                del self.fields[name]

    @property
    def own(self) -> str:
        return str((self.part or {}).get("key", ""))

    def taken_apart(self, part: Part) -> dict[str, Any]:
        if part.get("same_as"):
            return {"how": SAME_AS, "same_as": part["same_as"]}
        if part.get("clock"):
            return {"how": CLOCK, "clock": part["clock"]}
        if part.get("offset") is None:
            return {}
        return {"how": OFFSET, "unit": part["unit"], **unsigned(part["offset"])}

    def clean_key(self) -> str:
        key = str(self.cleaned_data["key"])
        if not ANCHOR.fullmatch(key):
            raise forms.ValidationError(
                "Short name must start with a capital letter and hold only capital letters, "
                "numbers and underscores, such as SURVEY"
            )
        if key in {node.key for node in self.tree.key_dates}:
            raise forms.ValidationError(f"{key} is a key date already. Choose another short name")
        return key

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        how = cleaned.get("how")
        needed = {OFFSET: ("by", HOW_MANY), SAME_AS: ("same_as", "Select the key date"),
                  CLOCK: ("clock", "Select the clock")}  # fmt: skip
        if how in needed:
            name, sentence = needed[how]
            if cleaned.get(name) in (None, "") and not self.has_error(name):
                self.add_error(name, sentence)
        return cleaned

    def composed(self, cleaned: Mapping[str, Any]) -> Part:
        none: Part = {"offset": None, "unit": "", "same_as": "", "clock": ""}
        how = cleaned.get("how")
        if how == SAME_AS:
            return none | {"same_as": cleaned["same_as"]}
        if how == CLOCK:
            return none | {"clock": cleaned["clock"]}
        if how == OFFSET:
            return none | {"offset": signed(cleaned), "unit": cleaned["unit"] or Unit.DAYS.value}
        return none

    def dated(self, cleaned: Mapping[str, Any]) -> Part | None:
        return {"precision": cleaned["precision"], **self.composed(cleaned)}

    def name_it(self) -> Part:
        return {"key": self.cleaned_data["key"]}

    def layout(self) -> list[Any]:
        boxes: list[Any] = ["precision"]
        if "how" in self.fields:
            short = "app-fields app-fields--short"
            boxes += ["how", Div("by", "unit", "side", css_class=short)]
            boxes.append(Div("same_as", "clock", css_class="app-fields"))
        first = ["key"] if "key" in self.fields else []
        return [*first, "title", self.timing_boxes("When", *boxes), "source", self.buttons()]
