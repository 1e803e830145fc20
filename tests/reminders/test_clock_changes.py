"""Two whole cut-overs walked in ticks of half an hour, each across a clock change of 2027.

What is expected is written out in UTC, from guide.md and the calendar on the wall: nothing here
counts as the code does.
"""

from datetime import UTC, date, datetime, timedelta

import pytest

from practices.accounts.roles import Owner
from practices.plans.models import PlanReminder, PlanVersion
from practices.plans.rules import Delivery
from practices.reminders.models import Notification
from practices.reminders.services import plan_due
from tests import factories

from .worlds import World

pytestmark = pytest.mark.django_db
TICK = timedelta(minutes=30)
# No tick falls on a time at which something is due.
PHASE = timedelta(minutes=7)
Kind = Notification.Kind


def utc(text: str) -> datetime:
    return datetime.fromisoformat(f"2027-{text}").replace(tzinfo=UTC)


# Thursday 25 March, 18:30 GMT, into Easter; the clocks go forward on Sunday 28 March at 01:00.
SPRING = {
    "fdp": "03-25T18:30",
    "go_live": "03-29T02:30",
    "until": "03-30T09:00",
    # 18:30 GMT, then after 01:00 on Sunday an hour later by the clock on the wall.
    "clock": ["03-26T18:30", "03-27T18:30", "03-28T06:30", "03-28T12:30", "03-28T18:30"],
    # 08:00 GMT on Saturday, 08:00 BST from Sunday on.
    "overdue": ["03-27T08:00", "03-28T07:00", "03-29T07:00", "03-30T07:00"],
    # Half past midnight, and an hour later, when it is half past two.
    "hours": [54, 55],
    "reminder": ["03-28T00:30", "03-28T01:30"],
    # Go-live is on Easter Monday; the day after is a Tuesday, 08:00 BST.
    "morning": "03-30T07:00",
}
# Friday 29 October, 09:00 BST; the clocks go back on Sunday 31 October at 01:00 UTC.
AUTUMN = {
    "fdp": "10-29T08:00",
    "go_live": "11-01T16:00",
    "until": "11-02T10:00",
    "clock": ["10-30T08:00", "10-31T08:00", "10-31T20:00", "11-01T02:00", "11-01T08:00"],
    "overdue": ["10-31T08:00", "11-01T08:00", "11-02T08:00"],
    # One o'clock, and one o'clock again.
    "hours": [40, 41],
    "reminder": ["10-31T00:00", "10-31T01:00"],
    "morning": "11-02T08:00",
}


def make_plan(hours: list[int]) -> PlanVersion:
    """The small plan with a reminder at any hour of the cut-over and one for a working morning."""
    version = factories.make_plan_version(publish=False)
    both = {"version": version, "tell": [Owner.PRACTICE_MANAGER], "advice": "Look."}
    PlanReminder.objects.create(
        position=1,
        key="night",
        title="Look at the load",
        anchor="FDP",
        offsets=hours,
        unit="hours",
        deliver=Delivery.ANY_HOUR,
        **both,
    )
    PlanReminder.objects.create(
        position=2, key="desk", title="Help desk", anchor="GL", offsets=[1], unit="days", **both
    )
    return factories.publish_rows(version)


@pytest.mark.parametrize("season", [SPRING, AUTUMN], ids=["spring", "autumn"])
def test_each_reminder_comes_once_at_the_first_tick_from_its_time_on(season):
    fdp, go_live = utc(season["fdp"]), utc(season["go_live"])
    world = World(
        plan_version=make_plan(season["hours"]), go_live_at=fdp + timedelta(hours=61, minutes=30)
    )
    world.start_cut_over(fdp)
    rows: list[Notification] = []
    seen, before, now = 0, fdp, fdp + PHASE
    has_gone_live = False
    while now <= utc(season["until"]):
        if not has_gone_live and now >= go_live:
            world.go_live(go_live)
            has_gone_live = True
        plan_due(now=now)
        for row in Notification.objects.filter(pk__gt=seen).order_by("pk"):
            assert before < row.due_at <= now, f"{row} of {row.due_at} came at {now}"
            rows.append(row)
            seen = row.pk
        before, now = now, now + TICK

    def told(kind: str) -> list[tuple[int | None, datetime]]:
        return sorted((row.person_id, row.due_at) for row in rows if row.kind == kind)

    def expected(times: list[str], *people) -> list[tuple[int, datetime]]:
        return sorted((person.pk, utc(at)) for person in people for at in times)

    told_of_clock = (world.project_manager, world.manager, world.supplier)
    assert told(Kind.CLOCK) == expected(season["clock"], *told_of_clock)
    assert told(Kind.REMINDER) == expected([*season["reminder"], season["morning"]], world.manager)
    mornings = sorted({(row.day, row.due_at) for row in rows if row.kind == Kind.OVERDUE})
    assert mornings == [(date(2027, *_day(at)), utc(at)) for at in season["overdue"]]
    keys = [row.dedupe_key for row in rows]
    assert len(keys) == len(set(keys)) == Notification.objects.count()


def _day(text: str) -> tuple[int, int]:
    month, day = text.partition("T")[0].split("-")
    return int(month), int(day)
