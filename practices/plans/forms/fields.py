"""Form fields for what a plan says: as clean as a plan file has to be."""

import re
from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from practices.accounts.roles import Owner
from practices.common.services import clean_text
from practices.plans.rules import HIGHEST, Unit, text_links

CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
BEFORE, AFTER = "before", "after"

ROLES = [(owner.value, owner.label) for owner in Owner]
UNITS = [(unit.value, unit.label) for unit in Unit]


def narrow(width: int) -> dict[str, str]:
    """The attributes of a box for so many characters."""
    return {"class": f"nhsuk-input--width-{width}"}


class LineField(forms.CharField):
    """Text of one line."""

    def to_python(self, value: Any) -> str:
        return _checked(" ".join(clean_text(super().to_python(value) or "").split()))


class ProseField(forms.CharField):
    """Text of several lines."""

    widget = forms.Textarea

    def to_python(self, value: Any) -> str:
        return _checked(clean_text(super().to_python(value) or ""))


class MarkdownField(ProseField):
    """Text of several lines in Markdown, whose links are followed."""

    def validate(self, value: Any) -> None:
        super().validate(value)
        for fault in text_links(value):
            raise ValidationError(fault)


def _checked(text: str) -> str:
    if odd := CONTROL.search(text):
        raise ValidationError(f"Take out the character U+{ord(odd[0]):04X}: it is no text")
    return text


class NumberField(forms.IntegerField):
    """A whole number as plans have them, in a short box."""

    def __init__(self, *, low: int = 0, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.NumberInput(attrs=narrow(4)))
        super().__init__(min_value=low, max_value=HIGHEST, **kwargs)


class NumbersField(forms.Field):
    """Whole numbers in one box, with commas between them; cleans to a list."""

    widget: Any = forms.TextInput(attrs=narrow(10))

    def __init__(self, *, low: int, **kwargs: Any) -> None:
        self.low = low
        super().__init__(**kwargs)

    def prepare_value(self, value: Any) -> Any:
        return (
            ", ".join(map(str, value))
            if isinstance(value, Sequence | set) and not isinstance(value, str)
            else value
        )

    def to_python(self, value: Any) -> list[int]:
        words = re.split(r"[\s,;]+", str(value or "").replace("\u2212", "-").strip())
        numbers = []
        for word in filter(None, words):
            if not re.fullmatch(r"[+-]?\d{1,6}", word) or not self.low <= int(word) <= HIGHEST:
                raise ValidationError(
                    f"{self.label} must be whole numbers from {self.low} to {HIGHEST} with "
                    f"commas between them, not “{word[:20]}”"
                )
            numbers.append(int(word))
        return list(dict.fromkeys(numbers))


class CodesField(NumbersField):
    """Codes of tasks in one box; cleans to a list. The form says which codes there are."""

    widget = forms.Textarea

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(low=0, **kwargs)
        self.known: set[str] = set()

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]
        words = re.split(r"[\s,;]+", str(value or "").upper().strip())
        codes = [word for word in words if word]
        for code in codes:
            if code not in self.known:
                raise ValidationError(f"{code[:20]} is no task of this plan")
        return list(dict.fromkeys(codes))


class SeveralField(forms.MultipleChoiceField):
    """Several of a list. Those chosen before keep their order, new ones come after them."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.before: list[str] = []

    def get_bound_field(self, form: Any, field_name: str) -> forms.BoundField:
        bound = super().get_bound_field(form, field_name)
        self.before = list(bound.initial or ())
        return bound

    def to_python(self, value: Any) -> list[str]:
        chosen = super().to_python(value)
        stay = [one for one in self.before if one in chosen]
        return list(dict.fromkeys([*stay, *chosen]))


class RolesField(SeveralField):
    """Several roles."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("choices", ROLES)
        super().__init__(**kwargs)


class RoleField(forms.ChoiceField):
    """One role, or none where it is not required."""

    def __init__(self, *, none: str = "Select a role", **kwargs: Any) -> None:
        super().__init__(choices=[("", none), *ROLES], **kwargs)
