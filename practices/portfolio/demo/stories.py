"""What has happened in each migration of the demo, counted from the present."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from practices.common.time import london_date, london_time

FULL, SHORT = "nhs-full-migration", "nhs-cut-over-to-post-go-live"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True)
class Story:
    """One migration: when it goes live, and how far its people have got.

    ``go_live`` and ``until`` are reckoned from the present instant; what falls
    due up to ``until`` is done, but for ``leave``, ``blocked`` (with why) and
    sign-offs of gates that are ``bypassed`` (with why).
    """

    practice: str
    partner: str
    systems: tuple[str, str]
    go_live: Callable[[datetime], datetime]
    plan: str = FULL
    cut_over: timedelta = 62 * HOUR
    started_before_go_live: timedelta = 130 * DAY
    until: timedelta = timedelta(0)
    leave: frozenset[str] = frozenset()
    blocked: dict[str, str] = field(default_factory=dict)
    bypassed: dict[str, str] = field(default_factory=dict)
    confirmed: bool = True
    cancelled: str = ""
    finished: bool = False


def _in(span: timedelta) -> Callable[[datetime], datetime]:
    return lambda now: now + span


def _on(days: int) -> Callable[[datetime], datetime]:
    """At 08:00 in London, so many days from today."""
    return lambda now: london_time(london_date(now) + days * DAY, time(8))


def _monday_after(days: int) -> Callable[[datetime], datetime]:
    def go_live(now: datetime) -> datetime:
        day = london_date(now) + days * DAY
        return london_time(day + (-day.weekday() % 7) * DAY, time(8))

    return go_live


EMIS_TPP = ("EMIS Web", "SystmOne")
TPP_EMIS = ("SystmOne", "EMIS Web")
VISION_TPP = ("Vision 3", "SystmOne")
EMIS_MEDICUS = ("EMIS Web", "Medicus")
A, B = "Z91P1", "Z91P2"

STORIES = [
    # The one that most demo accounts belong to: 50 hours into its cut-over.
    Story("Z91001", A, EMIS_TPP, _in(12 * HOUR), leave=frozenset({"CUT-20", "CUT-24", "CUT-28"})),
    # Planning has just begun.
    Story("Z91002", A, TPP_EMIS, _monday_after(84), started_before_go_live=104 * DAY),
    # Planning, and late.
    Story(
        "Z91003",
        A,
        EMIS_TPP,
        _monday_after(45),
        until=-12 * DAY,
        blocked={
            "KO-28": "The makers of the telephones and the check-in screen have not answered.",
            "PRE-02": "The document management supplier has not named a date yet.",
        },
    ),
    # Checking the first copy of the data.
    Story("Z91004", A, VISION_TPP, _on(48)),
    # All checked: the data quality sign-off is missing.
    Story("Z91005", A, EMIS_TPP, _on(36), leave=frozenset({"RCK-06", "RCK-07"})),
    # Over 72 hours; going live without the sign-off is recorded, not yet confirmed.
    Story(
        "Z91006",
        A,
        EMIS_TPP,
        _in(-18 * HOUR),
        plan=SHORT,
        until=-24 * HOUR,
        bypassed={"go_live_data": "Counts of repeat templates still differ; agreed by telephone."},
        confirmed=False,
    ),
    # Went live yesterday.
    Story("Z91007", B, TPP_EMIS, _on(-1), plan=SHORT),
    # Two weeks after go-live, with tasks that are stuck.
    Story(
        "Z91008",
        B,
        EMIS_TPP,
        _on(-15),
        plan=SHORT,
        until=-3 * DAY,
        blocked={
            "PGL-05": "The laboratory has not yet sent the paper results of three days.",
            "PGL-17": "Waiting for the list from the old supplier.",
        },
    ),
    # The last three days of the old system.
    Story("Z91009", B, EMIS_MEDICUS, _on(-42), plan=SHORT, leave=frozenset({"END-03"})),
    # Access has ended; the paperwork goes on.
    Story("Z91010", B, VISION_TPP, _on(-49), plan=SHORT),
    # Over and closed.
    Story("Z91011", B, TPP_EMIS, _on(-80), plan=SHORT, finished=True),
    # Called off.
    Story(
        "Z91012",
        B,
        EMIS_MEDICUS,
        _monday_after(60),
        until=-25 * DAY,
        cancelled="The practice merges with a neighbour in the spring and will move with it.",
    ),
    # Went live without its data sign-off: recorded, confirmed, shown for ever.
    Story(
        "Z91013",
        A,
        VISION_TPP,
        _on(-6),
        plan=SHORT,
        bypassed={"go_live_data": "The lead GP was called away; all checks had passed."},
    ),
]
