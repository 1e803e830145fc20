"""The planner asks the database which clocks may have something new to say: it misses nothing."""

from datetime import timedelta

import pytest

from practices.common.calendar import working_calendar
from practices.plans.rules import clock_end
from practices.reminders.planning.clocks import _perhaps_due, clock_warnings
from practices.reminders.rules import newest_due
from practices.tracking.models import ClockRun
from tests import factories

from .worlds import FDP_AT, HOUR, World, planned

MINUTE = timedelta(minutes=1)
SHAPES = [
    {"limit": 72, "unit": "hours", "warn_after": [24, 72], "warn_before": [6]},
    {"limit": 10, "unit": "hours", "repeat_every": 5, "warn_after": [13]},
    {"limit": 45, "unit": "days", "warn_before": [14, 1, 0], "repeat_every": 7},
    {"limit": 5, "unit": "days", "warn_after": [1, 3, 5], "repeat_every": 1},
    {"limit": 4, "unit": "working_days", "warn_after": [1], "warn_before": [2, 0]},
]


@pytest.mark.django_db
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: f"{shape['limit']} {shape['unit']}")
@pytest.mark.parametrize("started_at", [FDP_AT, FDP_AT + timedelta(days=190, hours=4)])
def test_every_warning_is_planned_in_the_minute_it_falls_due(shape, started_at):
    """The second of them counts over the end of summer time."""
    version = factories.make_plan_version(publish=False)
    version.clocks.filter(key="cut_over").update(**{"warn_after": [], **shape})
    factories.publish_rows(version)
    run = World(plan_version=version).start_cut_over()
    is_working = working_calendar().is_working
    end = clock_end(
        started_at=started_at, limit=shape["limit"], unit=shape["unit"], is_working=is_working
    )
    ClockRun.objects.update(started_at=started_at, ends_at=end.at, ends_on=end.on)
    run = ClockRun.objects.select_related("plan_clock").get()
    due, now = set(), started_at
    while now < end.at + timedelta(days=15):
        if warn := newest_due(run, now, is_working):
            due.add(warn.due_at)
        now += HOUR / 2
    assert len(due) >= 3
    only_python_knows = shape["unit"] == "working_days"
    assert only_python_knows or not _perhaps_due(started_at)
    for at in sorted(due):
        clock_warnings(at - MINUTE)
        assert at not in {row.due_at for row in planned("clock")}
        clock_warnings(at)
        assert at in {row.due_at for row in planned("clock")}
        assert only_python_knows or not _perhaps_due(at)  # looked at no more until the next
    assert {row.due_at for row in planned("clock")} == due
