"""Ends of clocks for every half hour of two years, against PostgreSQL's own time zones."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from practices.common.time import LONDON
from practices.plans.rules import clock_end

pytestmark = pytest.mark.django_db
STARTS = 35_040
HALF_HOUR = timedelta(minutes=30)
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
HOURS = "start + interval '{} hours'"
# Day 0 is the London day of the start; over as the day after the last one begins.
DAYS = (
    "(((start AT TIME ZONE 'Europe/London')::date + {} + 1)::timestamp "
    "AT TIME ZONE 'Europe/London')"
)


def of_postgresql(end: str) -> dict[datetime, datetime]:
    """The end of each start, as the database counts it."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT start, {end} FROM generate_series(%s, %s, interval '30 minutes') start",
            [FIRST, FIRST + (STARTS - 1) * HALF_HOUR],
        )
        return dict(cursor.fetchall())


@pytest.mark.parametrize(("limit", "unit"), [(72, "hours"), (45, "days"), (90, "days")])
def test_every_half_hour_of_two_years_ends_when_the_database_says(limit, unit):
    expected = of_postgresql((HOURS if unit == "hours" else DAYS).format(limit))
    assert len(expected) == STARTS
    wrong = {
        start: end
        for start, end in expected.items()
        if clock_end(started_at=start, limit=limit, unit=unit, is_working=lambda _: True).at != end
    }
    assert wrong == {}


def test_the_comparison_would_see_an_hour_by_the_clock_on_the_wall():
    """72 hours on a London clock are wrong near each change (reliability.md 2.3: 572 times)."""
    wrong = sum(
        (start.astimezone(LONDON) + timedelta(hours=72)).astimezone(UTC) != end
        for start, end in of_postgresql(HOURS.format(72)).items()
    )
    assert wrong == 572
