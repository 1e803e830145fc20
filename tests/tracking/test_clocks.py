"""Clocks follow facts, in elapsed hours and London days, whatever order the facts come in."""

import zoneinfo
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from practices.common.errors import Conflict, Refused
from practices.common.templatetags.uk import uk_date, uk_datetime
from practices.common.time import TZDATA, to_london
from practices.plans.models import PlanClock, PlanVersion
from practices.plans.rules import Moment, clock_end
from practices.tracking import services
from practices.tracking.models import ClockRun, Migration
from tests.factories import FDP_AT, GO_LIVE_AT, MONDAY, make_plan_version, publish_rows

from .cast import assert_sound, make_cast
from .steps import (
    YEARS_LATER,
    clear,
    clock_run,
    correct,
    go_live,
    hours,
    key_date,
    record,
    replan,
    sign,
    withdraw,
)

pytestmark = pytest.mark.django_db
State = ClockRun.State
NEW_YEAR = datetime(2027, 1, 1, tzinfo=UTC)


@pytest.fixture
def cast():
    return make_cast()


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("started", "said", "ends"),
    [
        ("2026-03-27T18:30", "Fri 27 Mar 2026, 18:30 GMT", "Mon 30 Mar 2026, 19:30 BST"),
        ("2026-10-23T17:30", "Fri 23 Oct 2026, 18:30 BST", "Mon 26 Oct 2026, 17:30 GMT"),
        ("2027-03-25T18:30", "Thu 25 Mar 2027, 18:30 GMT", "Sun 28 Mar 2027, 19:30 BST"),
        ("2027-03-26T09:00", "Fri 26 Mar 2027, 09:00 GMT", "Mon 29 Mar 2027, 10:00 BST"),
        ("2027-10-29T08:00", "Fri 29 Oct 2027, 09:00 BST", "Mon 1 Nov 2027, 08:00 GMT"),
    ],
)
def test_seventy_two_hours_are_elapsed_hours_across_a_clock_change(started, said, ends):
    cast = make_cast(go_live_at=utc(started) + hours(72))
    record(cast, "FDP", utc(started))
    run = clock_run(cast, "cut_over")
    assert (uk_datetime(run.started_at), uk_datetime(run.ends_at)) == (said, ends)


@pytest.mark.parametrize(
    ("go_live_at", "last_day"),
    [
        ("2026-06-08T07:00", "Thursday 23 July 2026"),
        # 00:30 on 1 July in London.
        ("2026-06-30T23:30", "Saturday 15 August 2026"),
        ("2027-10-28T07:00", "Sunday 12 December 2027"),
        ("2028-01-31T08:00", "Thursday 16 March 2028"),
    ],
)
def test_forty_five_days_count_from_the_london_day_of_go_live(go_live_at, last_day):
    at = utc(go_live_at)
    cast = make_cast(go_live_at=at)
    go_live(cast, at - hours(60), at)
    run = clock_run(cast, "access")
    end = key_date(cast, "EOA")
    assert uk_date(run.ends_on) == uk_date(end.planned_on) == last_day
    assert run.ends_at == end.planned_at
    # Access lasts through the last day: it is over as the next London day begins.
    assert to_london(run.ends_at).time().isoformat() == "00:00:00"
    assert to_london(run.ends_at).date() == run.ends_on + timedelta(days=1)


@given(st.integers(0, 365 * 24 * 60 - 1).map(lambda minute: NEW_YEAR + timedelta(minutes=minute)))
def test_seventy_two_hours_after_any_instant_of_a_year_is_seventy_two_hours_later(started):
    end = clock_end(started_at=started, limit=72, unit="hours", is_working=lambda _: True)
    assert end.at - started == hours(72)


class TestCutOver:
    def test_recording_final_data_production_starts_it(self, cast):
        assert clock_run(cast, "cut_over") is None
        record(cast, "FDP", FDP_AT)
        run = clock_run(cast, "cut_over")
        assert (run.state, run.attempt, run.started_at) == (State.RUNNING, 1, FDP_AT)
        assert run.ends_at == FDP_AT + hours(72)

    @pytest.mark.parametrize(
        ("took", "state"),
        [(hours(61.5), State.MET), (hours(72), State.MET), (hours(72.5), State.BREACHED)],
    )
    def test_go_live_stops_it_and_judges_it(self, cast, took, state):
        go_live(cast, FDP_AT, FDP_AT + took)
        run = clock_run(cast, "cut_over")
        assert (run.state, run.stopped_at - run.started_at) == (state, took)

    def test_correcting_the_start_after_go_live_judges_it_again(self, cast):
        go_live(cast, FDP_AT, FDP_AT + hours(70))
        correct(cast, "FDP", FDP_AT - hours(3))
        run = clock_run(cast, "cut_over")
        assert (run.state, run.attempt) == (State.BREACHED, 2)
        assert run.stopped_at - run.started_at == hours(73)
        correct(cast, "FDP", FDP_AT)
        runs = cast.migration.clock_runs.filter(key="cut_over").order_by("attempt")
        assert [run.state for run in runs] == [State.VOID, State.VOID, State.MET]

    def test_correcting_go_live_judges_it_again_and_moves_the_end_of_access(self, cast):
        go_live(cast, FDP_AT, FDP_AT + hours(70))
        correct(cast, "GL", FDP_AT + hours(100))
        assert clock_run(cast, "cut_over").state == State.BREACHED
        run = clock_run(cast, "access")
        assert (run.attempt, run.started_at) == (2, FDP_AT + hours(100))
        assert key_date(cast, "EOA").planned_at == run.ends_at

    def test_taking_go_live_back_lets_it_run_on(self, cast):
        go_live(cast, FDP_AT, GO_LIVE_AT)
        clear(cast, "GL")
        run = clock_run(cast, "cut_over")
        assert (run.state, run.started_at, run.ends_at) == (
            State.RUNNING,
            FDP_AT,
            FDP_AT + hours(72),
        )
        assert clock_run(cast, "access") is None

    def test_aborting_it_leaves_no_run_that_counts(self, cast):
        record(cast, "FDP", FDP_AT)
        clear(cast, "FDP")
        assert clock_run(cast, "cut_over") is None
        record(cast, "FDP", FDP_AT + timedelta(days=7))
        assert clock_run(cast, "cut_over").attempt == 2

    def test_withdrawing_the_sign_off_after_go_live_leaves_it_stopped(self, cast):
        go_live(cast, FDP_AT, GO_LIVE_AT)
        withdraw(cast)
        assert clock_run(cast, "cut_over").state == State.MET
        assert Migration.objects.get().state == Migration.State.POST_GO_LIVE

    def test_moving_a_planned_date_while_it_runs_does_not_touch_it(self, cast):
        record(cast, "FDP", FDP_AT)
        before = clock_run(cast, "cut_over")
        replan(cast, "GL", GO_LIVE_AT + timedelta(days=1), at=FDP_AT)
        after = clock_run(cast, "cut_over")
        assert (before.pk, before.ends_at) == (after.pk, after.ends_at)


class TestAccess:
    def test_the_last_usable_day_is_within_the_limit_and_the_next_is_not(self, cast):
        go_live(cast, FDP_AT, GO_LIVE_AT)
        last = clock_run(cast, "access").ends_on
        record(cast, "EOA", last)
        run = clock_run(cast, "access")
        assert (run.state, run.stopped_on) == (State.MET, last)
        correct(cast, "EOA", last + timedelta(days=1))
        assert clock_run(cast, "access").state == State.BREACHED

    def test_it_is_judged_again_when_go_live_is_corrected_after_the_end(self, cast):
        go_live(cast, FDP_AT, GO_LIVE_AT)
        record(cast, "EOA", clock_run(cast, "access").ends_on)
        correct(cast, "GL", GO_LIVE_AT - timedelta(days=1))
        run = clock_run(cast, "access")
        assert (run.state, run.attempt) == (State.BREACHED, 2)

    def test_taking_the_end_back_lets_it_run_on(self, cast):
        go_live(cast, FDP_AT, GO_LIVE_AT)
        ends = clock_run(cast, "access").ends_at
        record(cast, "EOA", date(2027, 5, 20))
        clear(cast, "EOA")
        run = clock_run(cast, "access")
        assert (run.state, run.ends_at) == (State.RUNNING, ends)
        assert Migration.objects.get().state == Migration.State.POST_GO_LIVE


def make_plan_with(**clock) -> PlanVersion:
    """The small plan with one more clock."""
    version = make_plan_version(publish=False)
    PlanClock.objects.create(
        version=version, position=3, key="more", title="One more", limit=5, unit="days", **clock
    )
    return publish_rows(version)


class TestOtherClocks:
    def test_a_day_starts_one_as_it_begins(self):
        cast = make_cast(plan_version=make_plan_with(starts="KO", stops="task:GL-02"))
        record(cast, "KO", date(2027, 2, 1))
        run = clock_run(cast, "more")
        assert (run.started_at, run.ends_on) == (utc("2027-02-01T00:00"), date(2027, 2, 6))

    def test_a_task_stops_one_and_undoing_it_lets_it_run_on(self):
        cast = make_cast(plan_version=make_plan_with(starts="KO", stops="task:GL-02"))
        record(cast, "KO", date(2027, 2, 1))
        done = utc("2027-02-06T23:30")
        services.tick_task(task=cast.task("GL-02"), by=cast.manager, at=done)
        assert clock_run(cast, "more").state == State.MET
        task = cast.task("GL-02")
        services.reopen_task(task=task, seen_version=task.version, by=cast.manager, at=done)
        assert clock_run(cast, "more").is_running

    def test_one_that_is_stopped_before_it_starts_needs_no_time(self):
        cast = make_cast(plan_version=make_plan_with(starts="FDP", stops="task:GL-02"))
        services.tick_task(task=cast.task("GL-02"), by=cast.manager, at=MONDAY)
        assert clock_run(cast, "more") is None
        record(cast, "FDP", FDP_AT)
        run = clock_run(cast, "more")
        assert (run.state, run.stopped_at) == (State.MET, run.started_at)

    def test_the_facts_may_come_in_the_wrong_order(self):
        cast = make_cast(plan_version=make_plan_with(starts="KO", stops="FDP"))
        record(cast, "FDP", utc("2027-02-05T18:00"))
        record(cast, "KO", date(2027, 2, 1))
        assert clock_run(cast, "more").state == State.MET
        correct(cast, "KO", date(2027, 1, 1))
        assert clock_run(cast, "more").state == State.BREACHED

    def test_another_name_of_go_live_starts_one_too(self):
        cast = make_cast(plan_version=make_plan_with(starts="CE", stops="task:POST-01"))
        go_live(cast, FDP_AT, GO_LIVE_AT)
        assert clock_run(cast, "more").started_at == GO_LIVE_AT

    def test_one_that_is_switched_off_never_runs(self):
        version = make_plan_with(starts="FDP", stops="GL", enabled=False)
        cast = make_cast(plan_version=version)
        record(cast, "FDP", FDP_AT)
        assert clock_run(cast, "more") is None

    def test_cancelling_ends_those_that_run(self):
        cast = make_cast(plan_version=make_plan_with(starts="KO", stops="task:GL-02"))
        record(cast, "KO", date(2027, 2, 1))
        services.cancel_migration(
            migration=cast.migration, reason="Merged", by=cast.project_manager, at=MONDAY
        )
        assert not cast.migration.clock_runs.running().exists()


class TestFollowUp:
    """The report of an overrun: due from the end of a cut-over that took too long."""

    @pytest.fixture
    def cast(self):
        return make_cast(plan_version=make_plan_with(starts="breach:cut_over", stops="task:GL-02"))

    def test_a_breach_opens_it_as_the_cut_over_ends_and_its_task_stops_it(self, cast):
        end = FDP_AT + hours(80)
        go_live(cast, FDP_AT, end)
        run = clock_run(cast, "more")
        assert (run.started_at, run.ends_on) == (end, to_london(end).date() + timedelta(days=5))
        services.tick_task(task=cast.task("GL-02"), by=cast.manager, at=end + hours(24))
        assert clock_run(cast, "more").state == State.MET
        assert_sound(cast.migration)

    def test_within_the_limit_nothing_opens(self, cast):
        go_live(cast, FDP_AT, FDP_AT + hours(72))
        assert clock_run(cast, "more") is None

    def test_running_late_does_not_open_it_before_the_end(self, cast):
        record(cast, "FDP", FDP_AT)
        assert clock_run(cast, "cut_over").is_breach(FDP_AT + hours(73))
        assert clock_run(cast, "more") is None

    def test_it_goes_when_a_correction_takes_the_breach_away(self, cast):
        go_live(cast, FDP_AT, FDP_AT + hours(80))
        correct(cast, "FDP", FDP_AT + hours(20))
        assert clock_run(cast, "more") is None
        correct(cast, "FDP", FDP_AT)
        assert clock_run(cast, "more").attempt == 2

    def test_one_in_days_opens_on_the_day_the_other_ended(self):
        version = make_plan_with(starts="breach:access", stops="task:GL-02")
        cast = make_cast(plan_version=version)
        go_live(cast, FDP_AT, GO_LIVE_AT)
        ended = clock_run(cast, "access").ends_on + timedelta(days=3)
        record(cast, "EOA", ended)
        assert clock_run(cast, "more").ends_on == ended + timedelta(days=5)


class TestBasis:
    def test_a_run_holds_what_it_was_counted_from(self, cast):
        record(cast, "FDP", FDP_AT)
        run = clock_run(cast, "cut_over")
        assert (run.limit, run.unit, run.zone) == (72, "hours", "Europe/London")
        assert run.plan_clock.version == cast.migration.plan_version
        assert run.tzdata == TZDATA
        assert TZDATA >= "2026"

    def test_the_rules_of_the_zone_are_those_of_the_package(self):
        assert zoneinfo.TZPATH == ()


class TestReason:
    @pytest.fixture
    def late(self, cast):
        go_live(cast, FDP_AT, FDP_AT + hours(80))
        return cast

    def explain(self, cast, reason="The extract came late", **more):
        return services.explain_breach(
            **{
                "migration": cast.migration,
                "key": "cut_over",
                "reason": reason,
                "seen": clock_run(cast, "cut_over").reason_id,
                "by": cast.manager,
                "at": YEARS_LATER,
                **more,
            }
        )

    def test_it_is_kept_with_the_run_and_in_the_history(self, late):
        self.explain(late)
        assert str(clock_run(late, "cut_over").reason) == "The extract came late"
        assert late.events()[-1] == "clock.explained"
        assert_sound(late.migration)

    def test_a_clock_that_runs_on_past_its_end_can_be_explained_already(self, cast):
        record(cast, "FDP", FDP_AT)
        with pytest.raises(Refused, match="has not run over"):
            self.explain(cast, at=FDP_AT + hours(71))
        self.explain(cast, at=FDP_AT + hours(73))
        go_live_at = FDP_AT + hours(80)
        sign(cast)
        record(cast, "GL", go_live_at)
        assert str(clock_run(cast, "cut_over").reason) == "The extract came late"

    def test_one_within_its_limit_asks_for_none(self, cast):
        go_live(cast, FDP_AT, GO_LIVE_AT)
        with pytest.raises(Refused):
            self.explain(cast)

    def test_an_empty_reason_is_none(self, late):
        with pytest.raises(Refused, match="Enter a reason"):
            self.explain(late, reason=" ")

    def test_the_same_words_twice_are_one_act(self, late):
        self.explain(late)
        before = late.events()
        self.explain(late, seen=None)
        assert late.events() == before

    def test_somebody_elses_reason_is_not_lost(self, late):
        self.explain(late)
        with pytest.raises(Conflict):
            self.explain(late, reason="Something else", seen=None)
        self.explain(late, reason="The extract came a day late")
        assert str(clock_run(late, "cut_over").reason) == "The extract came a day late"

    def test_it_stays_when_the_dates_are_corrected_and_it_ran_over_all_the_same(self, late):
        self.explain(late)
        correct(late, "FDP", FDP_AT - hours(1))
        assert str(clock_run(late, "cut_over").reason) == "The extract came late"


ACTS = {"record": record, "correct": correct}


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["record", "correct", "clear"]),
            st.sampled_from(["FDP", "GL", "EOA"]),
            st.integers(0, 96),
        ),
        max_size=8,
    )
)
def test_in_any_order_the_runs_that_count_say_what_the_dates_say(acts):
    with transaction.atomic():
        cast = make_cast()
        sign(cast)
        for act, key, later in acts:
            when = FDP_AT + hours(later)
            value = (when + timedelta(days=30)).date() if key == "EOA" else when
            try:
                clear(cast, key) if act == "clear" else ACTS[act](cast, key, value)
            except Refused:
                continue
            actual = {d.key: d.actual for d in cast.migration.key_dates.all()}
            assert_run(cast, "cut_over", actual["FDP"], actual["GL"])
            assert_run(cast, "access", actual["GL"], actual["EOA"])
        assert_sound(cast.migration)
        transaction.set_rollback(True)


def assert_run(cast, key: str, started: Moment | None, stopped: Moment | None) -> None:
    run = clock_run(cast, key)
    if started is None:
        assert run is None
        return
    assert run.started_at == started.at
    assert run.stopped_at == (stopped.at if stopped else None)
    assert run.is_running == (stopped is None)
    if stopped:
        assert (run.state == State.MET) == (run.stopped_at <= run.ends_at)
