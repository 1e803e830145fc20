"""Which days are working days in England.

Bank holidays come from the ``holidays`` library (subdivision ENG: without it
Easter Monday and the August holiday are missing); the administrator's table of
one-off days has the last word (reliability.md 2.2).
"""

from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

import holidays

from .models import BankHolidayOverride

SATURDAY = 5


@lru_cache(maxsize=64)
def _bank_holidays(year: int) -> dict[date, str]:
    return dict(holidays.country_holidays("GB", subdiv="ENG", years=year))


@dataclass(frozen=True)
class WorkingCalendar:
    """Weekdays that are not bank holidays; ``overrides`` are the administrator's one-off days."""

    overrides: dict[date, BankHolidayOverride] = field(default_factory=dict)

    def is_working(self, day: date) -> bool:
        if override := self.overrides.get(day):
            return override.is_working
        return day.weekday() < SATURDAY and day not in _bank_holidays(day.year)

    def holiday_name(self, day: date) -> str:
        """The name of a bank holiday that is one here, or an empty text."""
        if override := self.overrides.get(day):
            return "" if override.is_working else override.name
        return _bank_holidays(day.year).get(day, "")


def working_calendar() -> WorkingCalendar:
    """The calendar of England with the administrator's one-off days."""
    return WorkingCalendar({one.day: one for one in BankHolidayOverride.objects.all()})
