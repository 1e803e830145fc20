"""The form of one part of a draft: from its fields to boxes, and back."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Div, Fieldset
from django import forms
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString

from practices.common.forms import NHSForm
from practices.plans.rules import Part, PlanTree, Unit

from .fields import AFTER, BEFORE, UNITS, LineField, NumberField

HOW_MANY = "Enter how many hours or days"
TIMING = "timing"  # the id of the boxes that the live date is made from


class Date:
    """The place in a form where the date of what is being edited stands."""

    def render(self, _form: Any, context: Any, **_: Any) -> SafeString:
        return render_to_string("plans/draft/_due_line.html", context.flatten())


class Note:
    """A sentence among the boxes of a form."""

    def __init__(self, text: str) -> None:
        self.text = text

    def render(self, *_: Any, **__: Any) -> SafeString:
        return format_html('<p class="nhsuk-hint">{}</p>', self.text)


class PartForm(NHSForm):
    """A part of a draft. ``part`` is what it says so far, None for one that is added.

    Every field of the form that has the name of a field of the part goes there as it is;
    what takes several boxes is put together by :meth:`composed` and taken apart by
    :meth:`taken_apart`. ``timed`` names the boxes that the live date is made from.
    """

    kind: ClassVar[str]
    timed: tuple[str, ...] = ()
    direct: ClassVar[tuple[str, ...]] = ()
    submit_text = "Save"

    def __init__(
        self, *args: Any, tree: PlanTree, part: Part | None, cancel_url: str = "", **kwargs: Any
    ) -> None:
        self.tree, self.part, self.cancel_url = tree, part, cancel_url
        said = part or self.blank()
        initial = {name: said[name] for name in self.direct if name in said}
        initial |= self.taken_apart(said)
        super().__init__(*args, initial=initial, **kwargs)
        self.prepare()
        self.say_plainly()

    @property
    def helper(self) -> FormHelper:
        """The page writes the form's tags, with what else it has to send."""
        helper = super().helper
        helper.form_tag = False
        helper.disable_csrf = True
        return helper

    def blank(self) -> Part:
        """What a part says that is about to be added."""
        return {}

    def prepare(self) -> None:
        """Give the fields the choices that this plan has."""

    def taken_apart(self, _part: Part) -> dict[str, Any]:
        """The boxes that hold a share of a field."""
        return {}

    def composed(self, _cleaned: Mapping[str, Any]) -> Part:
        """The fields that are put together from several boxes."""
        return {}

    def values(self) -> Part:
        """What the person says of the part: of an added one everything, with its key."""
        cleaned = self.cleaned_data
        said = {name: cleaned[name] for name in self.direct}
        said |= self.composed(cleaned)
        if self.part is None:
            said |= self.name_it()
        return said

    def name_it(self) -> Part:
        """The key of an added part: from its title, unless the form asks for it."""
        taken = {node.key for node in getattr(self.tree, f"{self.kind}s")}
        return {"key": key_from(self.cleaned_data["title"], taken)}

    def timing(self) -> Part | None:
        """The fields that its date follows from, as far as they can be read; None if not."""
        if any(name in self.errors for name in self.timed):
            return None
        return self.dated(self.cleaned_data)

    def dated(self, _cleaned: Mapping[str, Any]) -> Part | None:
        """The part's fields that its date follows from."""
        return None

    def timing_boxes(self, legend: str, *fields: Any) -> Div:
        """A group of boxes under which the date stands, made anew when one of them changes."""
        return Div(Fieldset(legend, *fields, css_id=TIMING), Date())


class OffsetBoxes(forms.Form):
    """Mix in: "28 calendar days before final data production", in four boxes."""

    by = NumberField(label="How many", error_messages={"required": HOW_MANY})
    unit = forms.ChoiceField(label="Unit", choices=UNITS, initial=Unit.DAYS)
    side = forms.ChoiceField(
        label="Before or after", choices=[(BEFORE, "before"), (AFTER, "after (or at)")]
    )
    anchor = forms.ChoiceField(label="Key date")


def signed(cleaned: Mapping[str, Any]) -> int:
    """The offset that the boxes say: before is less than nothing."""
    by: int = cleaned["by"]
    return -by if cleaned["side"] == BEFORE else by


def unsigned(offset: int) -> dict[str, Any]:
    return {"by": abs(offset), "side": BEFORE if offset < 0 else AFTER}


def anchors(tree: PlanTree, part: Part | None, field: str = "anchor") -> list[tuple[str, str]]:
    """The key dates of a plan, to choose from."""
    return kept([(node.key, node.title) for node in tree.key_dates], part, field)


def kept(choices: list[tuple[str, str]], part: Part | None, field: str) -> list[tuple[str, str]]:
    """Choices, with what the part says now even where the plan does not have it any more."""
    now = (part or {}).get(field, "")
    if now and now not in {value for value, _ in choices}:
        return [*choices, (now, f"{now} (not in this plan)")]
    return choices


def key_from(title: str, taken: set[str]) -> str:
    """A key that reads like the title and that no other part has."""
    words = re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")
    stem = (words if words[:1].isalpha() else f"part_{words}")[:36].strip("_")
    key, number = stem, 1
    while key in taken:
        number += 1
        key = f"{stem}_{number}"
    return key


class TitledForm(PartForm):
    """A part that has a title and says where it comes from."""

    title = LineField(label="Title", max_length=100)
    source = LineField(
        label="Source",
        required=False,
        max_length=300,
        help_text="Where it comes from, in short. Leave it empty if it is your own.",
    )
