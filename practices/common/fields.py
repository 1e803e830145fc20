"""Form fields for UK dates and times, in the NHS pattern: day, month and year typed, never picked.

What was typed is shown again as it was typed. An error's ``code`` names the parts it is about
("month year"), so that the page marks those boxes and the error summary leads to the first of them.
"""

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from .time import DoubledHour, MissingHour, local_to_utc, to_london

Typed = Sequence[str | None]

# No migration has a day outside them, and reckoning with days near the year 9999 overflows.
YEARS = range(2000, 2101)


class UKDateWidget(forms.MultiWidget):
    """Three text boxes. Posted as ``<name>_day``, ``<name>_month`` and ``<name>_year``."""

    parts: tuple[str, ...] = ("day", "month", "year")

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({part: forms.TextInput() for part in self.parts}, attrs)

    def decompress(self, value: Any) -> list[str]:
        if not value:
            return [""] * len(self.parts)
        return [str(value.day), str(value.month), str(value.year)]


class UKDateTimeWidget(UKDateWidget):
    """Date and ``<name>_time``; ``<name>_fold`` answers which of the two, in the doubled hour."""

    parts = ("day", "month", "year", "time", "fold")

    def decompress(self, value: datetime | None) -> list[str]:
        if not value:
            return [""] * len(self.parts)
        local = to_london(value)
        return [*super().decompress(local), f"{local:%H:%M}", str(local.fold)]


def in_a_sentence(label: str) -> str:
    """A label as an error begins with it: without "(optional)", and a question in quotes."""
    bare = label.removesuffix("(optional)").rstrip()
    return f"“{bare[:-1]}”" if bare.endswith("?") else bare


class UKDateField(forms.Field):
    """A calendar date. Cleans to a ``date``, or ``None`` when every box is empty."""

    widget = UKDateWidget

    def to_python(self, value: Any) -> date | None:
        if value is None or isinstance(value, date):
            return value
        typed = [(part or "").strip() for part in value]
        return self._date(typed) if any(typed) else None

    def _date(self, typed: Sequence[str]) -> date:
        label = in_a_sentence(str(self.label or "The date"))
        numbers = dict(zip(("day", "month", "year"), typed, strict=False))
        missing = [part for part, number in numbers.items() if not number]
        if missing:
            raise ValidationError(
                f"{label} must include a {' and '.join(missing)}", code=" ".join(missing)
            )
        wrong = [
            part for part, number in numbers.items() if not (number.isascii() and number.isdigit())
        ]
        if wrong:
            raise ValidationError(
                f"{label} must be numbers, such as 6 2 2027", code=" ".join(wrong)
            )
        if len(numbers["year"]) != 4:
            raise ValidationError(
                f"{label} must have a year of 4 numbers, such as 2027", code="year"
            )
        if int(numbers["year"]) not in YEARS:
            raise ValidationError(
                f"{label} must have a year from {YEARS[0]} to {YEARS[-1]}", code="year"
            )
        long = [part for part in ("day", "month") if len(numbers[part]) > 2]
        if long:
            raise ValidationError(f"{label} must be a real date", code=" ".join(long))
        try:
            return date(int(numbers["year"]), int(numbers["month"]), int(numbers["day"]))
        except ValueError:
            raise ValidationError(f"{label} must be a real date", code="day month year") from None


class UKDateTimeField(UKDateField):
    """A date and a time on a London clock. Cleans to an aware ``datetime`` in UTC.

    The hour that the clocks skip in March is refused with a sentence. In the hour that happens
    twice in October the form comes back with a choice of the first and the second.
    """

    widget = UKDateTimeWidget

    def to_python(self, value: Any) -> datetime | None:
        if value is None or isinstance(value, datetime):
            return value
        typed = [(part or "").strip() for part in value]
        if not any(typed[:4]):
            return None
        wall = self._wall_clock(typed)
        day = f"{wall.day} {wall:%B %Y}"
        try:
            return local_to_utc(wall, fold=int(typed[4]) if typed[4] in ("0", "1") else None)
        except MissingHour:
            raise ValidationError(
                f"{wall:%H:%M} on {day} does not exist: the clocks go forward at 1am. "
                "Enter a time before 01:00 or from 02:00.",
                code="time",
            ) from None
        except DoubledHour:
            raise ValidationError(
                f"{wall:%H:%M} on {day} happens twice: the clocks go back at 2am. "
                "Select which one you mean.",
                code="fold",
            ) from None

    def doubled_time(self, value: Typed) -> time | None:
        """The typed time of day when it is one that happens twice, else None."""
        typed = [(part or "").strip() for part in value]
        try:
            wall = self._wall_clock(typed)
            local_to_utc(wall, fold=None)
        except (ValidationError, MissingHour):
            return None
        except DoubledHour:
            return wall.time()
        return None

    def _wall_clock(self, typed: Sequence[str]) -> datetime:
        day = self._date(typed[:3])
        label = in_a_sentence(str(self.label or "The date"))
        if not typed[3]:
            raise ValidationError(f"{label} must include a time, such as 18:30", code="time")
        digits = typed[3].replace(":", "").replace(".", "")
        if digits.isascii() and digits.isdigit() and 3 <= len(digits) <= 4:
            hour, minute = int(digits[:-2]), int(digits[-2:])
            if hour < 24 and minute < 60:
                return datetime.combine(day, time(hour, minute))
        raise ValidationError(
            f"{label} must have a time in the 24-hour clock, such as 18:30", code="time"
        )
