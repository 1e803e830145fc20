"""The administrator's table of one-off days: bank holidays that are proclaimed at short notice."""

from datetime import date, datetime

from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction

from .calendar import working_calendar
from .errors import Refused
from .models import BankHolidayOverride
from .services import SITE_STREAM, clean_text, record_event
from .templatetags.uk import uk_date


@transaction.atomic
def add_one_off_day(
    *, day: date, name: str, is_working: bool, by: AbstractBaseUser, at: datetime
) -> BankHolidayOverride:
    """Make a day a bank holiday, or a bank holiday a working day, from now on.

    What was counted before stays as it was counted. Raises :class:`Refused` where the
    calendar says so already, or the day has no name.
    """
    name = " ".join(clean_text(name).split())
    if not name:
        raise Refused("Enter what the day is called.")
    if working_calendar().is_working(day) == is_working:
        what = "a working day" if is_working else "a day off"
        raise Refused(f"{uk_date(day)} is {what} already.")
    try:
        with transaction.atomic():
            added = BankHolidayOverride.objects.create(day=day, name=name, is_working=is_working)
    except IntegrityError as taken:
        raise Refused(f"{uk_date(day)} is in the list already: remove it first.") from taken
    _note("holiday.added", added, by=by, at=at)
    return added


@transaction.atomic
def remove_one_off_day(*, day: date, by: AbstractBaseUser, at: datetime) -> None:
    """Let a day be again what the calendar of England says; nothing when it is already."""
    override = BankHolidayOverride.objects.select_for_update().filter(day=day).first()
    if override is None:
        return
    _note("holiday.removed", override, by=by, at=at)
    override.delete()


def _note(kind: str, override: BankHolidayOverride, *, by: AbstractBaseUser, at: datetime) -> None:
    record_event(
        stream=SITE_STREAM,
        kind=kind,
        by=by,
        at=at,
        subject=f"day:{override.day.isoformat()}",
        data={"name": override.name, "is_working": override.is_working},
    )
