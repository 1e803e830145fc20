"""Key dates: planned again with what hangs on them, recorded, corrected, taken back."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from practices.common.errors import Conflict, Refused
from practices.common.models import Event
from practices.plans.models import PlanKeyDate
from practices.plans.rules import Moment, key_dates_for
from practices.tracking import services
from practices.tracking.models import Migration, Task
from practices.tracking.services import _base
from practices.tracking.services.dates import GateClosed
from practices.tracking.services.replanning import preview_replan
from tests.factories import FDP_AT, GO_LIVE_AT, MONDAY, make_plan_version, publish_rows

from .cast import assert_sound, make_cast
from .steps import (
    clear,
    correct,
    dates,
    due_times,
    go_live,
    hours,
    key_date,
    moment,
    record,
    replan,
    sign,
    withdraw,
)

pytestmark = pytest.mark.django_db
State = Migration.State
WEEK = timedelta(days=7)


@pytest.fixture
def cast():
    return make_cast()


def state_of(cast) -> str:
    return Migration.objects.get(pk=cast.migration.pk).state


def preview(cast, key, to, at=MONDAY):
    return preview_replan(migration=cast.migration, key=key, to=moment(to), at=at)


class TestPlanningAgain:
    def test_go_live_takes_every_date_and_open_task_with_it(self, cast):
        before_dates, before_due = dates(cast), due_times(cast)
        plan = replan(cast, "GL", GO_LIVE_AT + WEEK, at=MONDAY)
        assert {m.key_date.key for m in plan.dates} == {"KO", "FDP", "GL", "CE", "EOA"}
        assert len(plan.tasks) == 8
        for key, was in before_dates.items():
            assert dates(cast)[key].at == was.at + WEEK
        for code, (on, at) in before_due.items():
            assert due_times(cast)[code] == (on + WEEK, at + WEEK)
        assert_sound(cast.migration)

    def test_nothing_is_written_by_looking(self, cast):
        before = due_times(cast), dates(cast), cast.events()
        preview(cast, "GL", GO_LIVE_AT + WEEK)
        assert (due_times(cast), dates(cast), cast.events()) == before

    def test_a_date_moved_by_hand_keeps_its_new_distance_from_go_live(self, cast):
        replan(cast, "FDP", FDP_AT - hours(5), at=MONDAY)
        replan(cast, "GL", GO_LIVE_AT + WEEK, at=MONDAY)
        assert dates(cast)["FDP"].at == FDP_AT - hours(5) + WEEK

    def test_another_date_moves_only_what_hangs_on_it(self, cast):
        plan = preview(cast, "FDP", FDP_AT - hours(24))
        assert [m.key_date.key for m in plan.dates] == ["FDP"]
        assert [m.task.code for m in plan.tasks] == ["CUT-01", "CUT-02", "CUT-03"]

    def test_done_and_pinned_tasks_and_what_has_happened_stay_and_are_counted(self, cast):
        by, at = cast.manager, MONDAY
        services.tick_task(task=cast.task("GL-02"), by=by, at=at)
        task = cast.task("POST-01")
        services.pin_task(
            task=task, due_on=date(2027, 6, 1), seen_version=task.version, by=by, at=at
        )
        record(cast, "KO", date(2027, 2, 1))
        plan = replan(cast, "GL", GO_LIVE_AT + WEEK, at=MONDAY)
        assert (plan.settled, plan.pinned) == (1, 1)
        assert "KO" not in {m.key_date.key for m in plan.dates}
        assert {"GL-02", "POST-01"}.isdisjoint(m.task.code for m in plan.tasks)
        assert cast.task("POST-01").due_on == date(2027, 6, 1)

    def test_the_history_holds_before_and_after_of_every_date_and_task(self, cast):
        before = due_times(cast)
        replan(cast, "GL", GO_LIVE_AT + WEEK, at=MONDAY)
        data = Event.objects.of(cast.migration.stream).newest_first()[0].data
        assert data["dates"]["GL"] == [
            GO_LIVE_AT.isoformat(),
            (GO_LIVE_AT + WEEK).isoformat(),
        ]
        assert data["tasks"] == 8
        assert data["due"]["CUT-02"] == [
            before["CUT-02"][1].isoformat(),
            due_times(cast)["CUT-02"][1].isoformat(),
        ]

    def test_more_than_the_limit_of_hours_is_said_beforehand(self, cast):
        plan = preview(cast, "FDP", FDP_AT - hours(24))
        said = "lasts 85 hours 30 minutes, 13 hours 30 minutes over the limit of 72 hours."
        assert plan.warnings == [f"The planned cut-over {said}"]

    def test_a_date_in_the_past_and_tasks_late_at_once_are_said_beforehand(self, cast):
        plan = preview(cast, "GL", MONDAY - hours(1))
        assert plan.warnings[0].startswith("This date is in the past.")
        assert "more tasks would be late at once" in plan.warnings[1]

    def test_confirming_something_else_than_was_shown_is_refused(self, cast):
        seen = preview(cast, "GL", GO_LIVE_AT + WEEK).mark
        services.tick_task(task=cast.task("GL-02"), by=cast.manager, at=MONDAY)
        before = due_times(cast)
        with pytest.raises(Conflict):
            services.replan(
                migration=cast.migration,
                key="GL",
                to=moment(GO_LIVE_AT + WEEK),
                seen=seen,
                by=cast.project_manager,
                at=MONDAY,
            )
        assert due_times(cast) == before

    @pytest.mark.parametrize(
        ("key", "to", "said"),
        [
            ("GL", FDP_AT - 3 * WEEK, None),
            ("FDP", GO_LIVE_AT, "Go-live has to come after final data production"),
            ("EOA", date(2027, 7, 1), "follows another date"),
            ("CE", GO_LIVE_AT, "follows another date"),
        ],
    )
    def test_the_order_of_dates_holds(self, cast, key, to, said):
        if said is None:
            preview(cast, key, to)
        else:
            with pytest.raises(Refused, match=said):
                preview(cast, key, to)

    def test_go_live_cannot_be_planned_before_an_extract_that_was_taken(self, cast):
        record(cast, "FDP", FDP_AT)
        with pytest.raises(Refused, match="has to come after"):
            preview(cast, "GL", FDP_AT)
        with pytest.raises(Refused, match="has happened"):
            preview(cast, "FDP", FDP_AT + hours(1))

    def test_a_date_with_another_name_takes_that_along(self):
        version = make_plan_version(publish=False)
        minute = PlanKeyDate.Precision.MINUTE
        PlanKeyDate.objects.create(
            version=version, position=9, key="CS", title="Start", precision=minute, same_as="FDP"
        )
        cast = make_cast(plan_version=publish_rows(version))
        replan(cast, "FDP", FDP_AT - hours(2), at=MONDAY)
        assert dates(cast)["CS"].at == FDP_AT - hours(2)
        replan(cast, "GL", GO_LIVE_AT + WEEK, at=MONDAY)
        assert dates(cast)["CS"] == dates(cast)["FDP"]
        record(cast, "FDP", FDP_AT)
        assert key_date(cast, "CS").actual_at == FDP_AT
        with pytest.raises(Refused, match="is recorded as"):
            record(cast, "CS", FDP_AT)


@settings(max_examples=15, deadline=None)
@given(
    st.sampled_from(["GL", "FDP", "KO"]),
    st.integers(-40 * 24 * 60, 200 * 24 * 60),
)
def test_planning_there_and_back_restores_every_date_and_counter(key, minutes):
    with transaction.atomic():
        cast = make_cast()
        before = dates(cast), due_times(cast)
        counts = Migration.objects.values_list("open_count", "done_count").get(pk=cast.migration.pk)
        was = key_date(cast, key)
        there = (
            was.planned_at + timedelta(minutes=minutes)
            if was.has_time
            else was.planned_on + timedelta(days=minutes // 1440)
        )
        back = was.planned_at if was.has_time else was.planned_on
        if key != "FDP" or there < GO_LIVE_AT:
            replan(cast, key, there, at=MONDAY)
            replan(cast, key, back, at=MONDAY)
        assert (dates(cast), due_times(cast)) == before
        assert (
            Migration.objects.values_list("open_count", "done_count").get(pk=cast.migration.pk)
            == counts
        )
        assert_sound(cast.migration)
        transaction.set_rollback(True)


class TestRecording:
    def test_it_moves_the_migration_on_and_does_the_task(self, cast):
        record(cast, "FDP", FDP_AT)
        assert (state_of(cast), cast.task("CUT-01").state) == (State.CUT_OVER, Task.State.DONE)
        sign(cast)
        record(cast, "GL", GO_LIVE_AT)
        assert (state_of(cast), cast.task("GL-01").state) == (State.POST_GO_LIVE, Task.State.DONE)
        assert key_date(cast, "CE").actual_at == GO_LIVE_AT
        record(cast, "EOA", date(2027, 5, 27))
        assert (state_of(cast), cast.task("POST-02").state) == (
            State.ACCESS_ENDED,
            Task.State.DONE,
        )
        assert_sound(cast.migration)

    def test_open_tasks_follow_the_actual_date_and_are_counted(self, cast):
        recorded = record(cast, "FDP", FDP_AT + hours(2))
        # CUT-01 is done by it, and CUT-03 still falls due on the same day.
        assert recorded.moved == 1
        assert cast.task("CUT-01").due_at == FDP_AT
        assert cast.task("CUT-02").due_at == FDP_AT + hours(50)
        assert record(cast, "FDP", FDP_AT + hours(2)).changed is False

    def test_the_end_of_access_is_planned_from_the_actual_go_live(self, cast):
        go_live(cast, FDP_AT, GO_LIVE_AT + timedelta(days=2))
        assert key_date(cast, "EOA").planned_on == date(2027, 5, 29)
        assert cast.task("POST-02").due_on == date(2027, 5, 29)
        clear(cast, "GL")
        assert key_date(cast, "EOA").planned_on == date(2027, 5, 27)
        assert cast.task("POST-02").due_on == date(2027, 5, 27)

    def test_the_plan_stays_what_it_was(self, cast):
        record(cast, "FDP", FDP_AT + hours(2))
        assert key_date(cast, "FDP").planned_at == FDP_AT

    @pytest.mark.parametrize(
        ("before", "key", "when", "said"),
        [
            ([], "GL", GO_LIVE_AT, "Record final data production first"),
            ([], "EOA", date(2027, 6, 1), "record go-live first"),
            (["FDP"], "GL", FDP_AT, "has to come after final data production"),
            (["FDP", "GL"], "EOA", date(2027, 4, 11), "ends after go-live"),
        ],
    )
    def test_what_happened_happened_in_order(self, cast, before, key, when, said):
        sign(cast)
        for one in before:
            record(cast, one, {"FDP": FDP_AT, "GL": GO_LIVE_AT}[one])
        events = cast.events()
        with pytest.raises(Refused, match=said):
            record(cast, key, when)
        assert cast.events() == events

    def test_the_future_is_refused_and_today_is_not(self, cast):
        with pytest.raises(Refused, match="still in the future"):
            record(cast, "FDP", FDP_AT, at=FDP_AT - hours(1))
        record(cast, "FDP", FDP_AT, at=FDP_AT)
        with pytest.raises(Refused, match="still in the future"):
            record(cast, "KO", date(2027, 4, 10), at=FDP_AT)
        record(cast, "KO", date(2027, 4, 9), at=FDP_AT)

    def test_it_waits_for_its_sign_off_and_names_it(self, cast):
        record(cast, "FDP", FDP_AT)
        with pytest.raises(GateClosed, match="“Go-live data”") as refused:
            record(cast, "GL", GO_LIVE_AT)
        assert [gate.key for gate in refused.value.gates] == ["go_live_data"]
        assert state_of(cast) == State.CUT_OVER

    def test_somebody_else_was_first(self, cast):
        record(cast, "FDP", FDP_AT)
        with pytest.raises(Conflict, match=r"Alice Manager has recorded .* as Fri 9 Apr 2027"):
            record(cast, "FDP", FDP_AT - hours(1), by=cast.project_manager)
        assert key_date(cast, "FDP").actual_at == FDP_AT


class TestCorrecting:
    def test_it_needs_a_reason_and_keeps_both_dates_in_the_history(self, cast):
        record(cast, "FDP", FDP_AT)
        with pytest.raises(Refused, match="Enter a reason"):
            record(cast, "FDP", FDP_AT - hours(1), seen=FDP_AT)
        correct(cast, "FDP", FDP_AT - hours(1))
        event = Event.objects.get(stream=cast.migration.stream, kind="date.corrected")
        assert event.data["before"] == FDP_AT.isoformat()
        assert event.data["after"] == (FDP_AT - hours(1)).isoformat()
        assert event.data["reason"]["text"]
        assert state_of(cast) == State.CUT_OVER

    @pytest.mark.parametrize(
        ("key", "when", "said"),
        [
            ("FDP", GO_LIVE_AT, "has to come before go-live"),
            ("GL", FDP_AT - hours(1), "has to come after final data production"),
            ("GL", datetime(2027, 6, 1, tzinfo=UTC), "before the end of old-system access"),
            ("EOA", date(2027, 4, 1), "ends after go-live"),
        ],
    )
    def test_the_order_holds(self, cast, key, when, said):
        go_live(cast, FDP_AT, GO_LIVE_AT)
        record(cast, "EOA", date(2027, 5, 20))
        with pytest.raises(Refused, match=said):
            correct(cast, key, when)

    def test_it_does_not_ask_for_the_sign_off_again(self, cast):
        go_live(cast, FDP_AT, GO_LIVE_AT)
        withdraw(cast)
        correct(cast, "GL", GO_LIVE_AT + hours(1))
        clear(cast, "GL")
        with pytest.raises(GateClosed):
            record(cast, "GL", GO_LIVE_AT)


class TestTakingBack:
    def test_each_stage_is_taken_back_the_last_one_first(self, cast):
        go_live(cast, FDP_AT, GO_LIVE_AT)
        record(cast, "EOA", date(2027, 5, 20))
        with pytest.raises(Refused, match="“End of old-system access” is recorded"):
            clear(cast, "GL")
        with pytest.raises(Refused, match="“Go-live” is recorded"):
            clear(cast, "FDP")
        for key, state in (
            ("EOA", State.POST_GO_LIVE),
            ("GL", State.CUT_OVER),
            ("FDP", State.PLANNING),
        ):
            clear(cast, key)
            assert state_of(cast) == state
        assert not cast.migration.key_dates.exclude(actual_at=None).exists()
        assert cast.task("GL-01").state == Task.State.OPEN
        assert_sound(cast.migration)

    def test_the_due_times_are_those_of_the_plan_again(self, cast):
        before = dates(cast), due_times(cast)
        go_live(cast, FDP_AT + hours(3), GO_LIVE_AT + timedelta(days=1))
        clear(cast, "GL")
        clear(cast, "FDP")
        assert (dates(cast), due_times(cast)) == before

    def test_it_needs_a_reason_and_something_to_take_back(self, cast):
        with pytest.raises(Refused, match="is not recorded"):
            clear(cast, "KO")
        record(cast, "KO", date(2027, 2, 1))
        with pytest.raises(Refused, match="Enter a reason"):
            clear(cast, "KO", reason=" ")
        clear(cast, "KO")
        assert state_of(cast) == State.PLANNING


class TestDatesAfterGoLive:
    """A plan may set a date some days after go-live."""

    @pytest.fixture
    def cast(self):
        version = make_plan_version(publish=False)
        PlanKeyDate.objects.create(
            version=version,
            position=9,
            key="REVIEW",
            title="Review",
            precision=PlanKeyDate.Precision.DAY,
            offset=14,
            unit="days",
        )
        return make_cast(plan_version=publish_rows(version))

    def test_they_follow_the_actual_go_live_and_those_before_it_stay(self, cast):
        before = dates(cast)
        go_live(cast, FDP_AT, GO_LIVE_AT + timedelta(days=3))
        assert dates(cast)["REVIEW"].on == before["REVIEW"].on + timedelta(days=3)
        assert dates(cast)["KO"] == before["KO"]
        clear(cast, "GL")
        assert dates(cast) == before


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2 * 365 * 24 * 60))
def test_starting_at_any_minute_gives_the_dates_of_the_plan(minute):
    at = datetime(2027, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
    with transaction.atomic():
        cast = make_cast(go_live_at=at)
        plan = cast.migration.plan_version
        fdp = Moment.of_instant(at - timedelta(hours=61, minutes=30))
        expected = key_dates_for(
            type("Plan", (), {"key_dates": plan.key_dates.all(), "clocks": plan.clocks.all()}),
            go_live_at=at,
            fixed={"FDP": fdp},
        )
        assert dates(cast) == expected
        transaction.set_rollback(True)


@pytest.mark.parametrize(
    "act",
    [
        lambda cast: record(cast, "FDP", FDP_AT),
        lambda cast: replan(cast, "GL", GO_LIVE_AT + WEEK, at=MONDAY),
        sign,
    ],
    ids=["record", "replan", "sign"],
)
def test_an_act_without_its_event_does_not_happen(cast, act, monkeypatch):
    def broken(**_):
        raise RuntimeError("no event")

    def everything():
        return (
            dates(cast),
            due_times(cast),
            state_of(cast),
            cast.events(),
            cast.migration.clock_runs.count(),
            list(cast.migration.gates.values_list("state", "round")),
            list(cast.migration.tasks.values_list("code", "state")),
        )

    before = everything()
    monkeypatch.setattr(_base, "record_event", broken)
    with pytest.raises(RuntimeError, match="no event"), transaction.atomic():
        act(cast)
    assert everything() == before


def test_a_task_done_before_dates_moved_falls_due_by_the_new_ones_when_it_is_reopened(cast):
    services.tick_task(task=cast.task("GL-02"), by=cast.manager, at=MONDAY)
    before = cast.task("GL-02").due_on
    replan(cast, "GL", GO_LIVE_AT + WEEK, at=MONDAY)
    task = cast.task("GL-02")
    assert task.due_on == before
    services.reopen_task(task=task, seen_version=task.version, by=cast.manager, at=MONDAY)
    assert cast.task("GL-02").due_on == before + WEEK
