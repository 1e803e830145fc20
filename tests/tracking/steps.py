"""What the people of a cast do, in one line each."""

from datetime import date, datetime, timedelta

from practices.plans.rules import Moment
from practices.tracking import services
from practices.tracking.models import ClockRun, Gate, KeyDate
from practices.tracking.services.gates import seen_mark, still_open
from practices.tracking.services.replanning import preview_replan

from .cast import Cast

YEARS_LATER = datetime.fromisoformat("2040-01-01T00:00:00+00:00")


def moment(when: date | datetime) -> Moment:
    return Moment.of_instant(when) if isinstance(when, datetime) else Moment.of_day(when)


def record(cast: Cast, key: str, when: date | datetime, **more):
    """Record a key date; unless told otherwise, long after it happened."""
    return services.record_actual(
        **{
            "migration": cast.migration,
            "key": key,
            "when": moment(when),
            "by": cast.manager,
            "at": YEARS_LATER,
            **more,
        }
    )


def correct(cast: Cast, key: str, when: date | datetime, **more):
    seen = key_date(cast, key).actual_at
    return record(cast, key, when, reason="Mistyped", seen=seen, **more)


def clear(cast: Cast, key: str, **more):
    return services.clear_actual(
        **{
            "migration": cast.migration,
            "key": key,
            "reason": "It did not happen",
            "by": cast.manager,
            "at": YEARS_LATER,
            **more,
        }
    )


def replan(cast: Cast, key: str, to: date | datetime, *, at: datetime):
    plan = preview_replan(migration=cast.migration, key=key, to=moment(to), at=at)
    return services.replan(
        migration=cast.migration,
        key=key,
        to=moment(to),
        seen=plan.mark,
        by=cast.project_manager,
        at=at,
    )


def gate_of(cast: Cast, key: str = "go_live_data") -> Gate:
    gate = cast.migration.gates.select_related("plan_gate").get(key=key)
    gate.migration.refresh_from_db()
    return gate


def sign(cast: Cast, key: str = "go_live_data", *, seat: str = "", by=None, at=YEARS_LATER, **more):
    """Sign with a reason for whatever is open."""
    gate = gate_of(cast, key)
    items = still_open(gate)
    seats = gate.plan_gate.seats
    by = by or cast.manager
    return services.sign_off(
        **{
            "gate": gate,
            "seat": seats.get(key=seat) if seat else seats.get(),
            "name": by.name,
            "seen": seen_mark(gate, items),
            "exceptions": {item.key: f"Accepted {item.key}" for item in items},
            "by": by,
            "at": at,
            **more,
        }
    )


def withdraw(cast: Cast, key: str = "go_live_data", **more):
    return services.withdraw_sign_off(
        **{
            "gate": gate_of(cast, key),
            "reason": "A letter is missing",
            "by": cast.manager,
            "at": YEARS_LATER,
            **more,
        }
    )


def go_live(cast: Cast, fdp_at: datetime, go_live_at: datetime) -> None:
    """From planning to live."""
    record(cast, "FDP", fdp_at)
    sign(cast)
    record(cast, "GL", go_live_at)


def key_date(cast: Cast, key: str) -> KeyDate:
    return cast.migration.key_dates.select_related("plan_key_date").get(key=key)


def clock_run(cast: Cast, key: str) -> ClockRun | None:
    """The run of a clock that counts."""
    return cast.migration.clock_runs.counting().filter(key=key).first()


def dates(cast: Cast) -> dict[str, Moment]:
    return {d.key: d.planned for d in cast.migration.key_dates.all()}


def due_times(cast: Cast) -> dict[str, tuple[date, datetime]]:
    return {
        code: (on, at)
        for code, on, at in cast.migration.tasks.values_list("code", "due_on", "due_at")
    }


def hours(number: float) -> timedelta:
    return timedelta(hours=number)
