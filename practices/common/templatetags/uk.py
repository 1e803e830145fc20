"""How times and dates are written: NHS style, 24 hours, always London, zone named."""

import re
from datetime import date, datetime

from django import template
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString

from practices.common.markdown import render
from practices.common.time import to_london

register = template.Library()
SHORTEST = 3  # digits of a number to dial, such as 111
_DIALLED = re.compile(r"\+?[0-9()\s.-]+")
_NOT_DIALLED = re.compile(r"[^0-9+]")


@register.filter
def uk_datetime(instant: datetime | None) -> str:
    """``Fri 6 Feb 2026, 18:30 GMT``."""
    if instant is None:
        return ""
    local = to_london(instant)
    return f"{local:%a} {local.day} {local:%b %Y, %H:%M %Z}"


@register.filter
def uk_date(day: date | None) -> str:
    """``Friday 6 February 2026``."""
    return f"{day:%A} {day.day} {day:%B %Y}" if day else ""


@register.filter
def uk_short_date(day: date | None) -> str:
    """``Fri 6 Feb``."""
    return f"{day:%a} {day.day} {day:%b}" if day else ""


@register.filter
def uk_time(instant: datetime | None) -> str:
    """``18:30``."""
    return f"{to_london(instant):%H:%M}" if instant else ""


@register.simple_tag
def telephone(typed: str) -> SafeString:
    """A number as it was typed, as a link that dials it where it is plain what to dial.

    The 0 of "+44 (0)20" is left out; what follows another sign, such as an extension, too.
    """
    dialled = _DIALLED.match(typed.replace("(0)", "") if typed.startswith("+") else typed)
    number = _NOT_DIALLED.sub("", dialled[0]) if dialled else ""
    if len(number) < SHORTEST:
        return escape(typed)
    return format_html('<a href="tel:{}">{}</a>', number, typed)


@register.filter
def markdown(text: str) -> SafeString:
    """Guidance or a lesson of a plan as HTML."""
    return render(text)
