"""Old-system access: ends that are agreed anew, and the weekly look whether it is there."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from practices.accounts.roles import Owner
from practices.common.errors import Conflict, Refused
from practices.common.models import Event
from practices.tracking import sentences, services
from practices.tracking.models import AccessCheck, AccessExtension, ClockRun
from practices.tracking.services import Agreement
from tests.factories import FDP_AT, GO_LIVE_AT, make_plan_version, publish_rows

from .cast import assert_sound, make_cast
from .steps import clear, clock_run, correct, go_live, hours, key_date, record, replan

pytestmark = pytest.mark.django_db
State = ClockRun.State
LATER = GO_LIVE_AT + timedelta(days=30)
PLANNED = date(2027, 5, 27)  # 45 days after Monday 12 April
AGREED = date(2027, 6, 30)
WHO = {
    Owner.COMMISSIONER: ("Cora Commissioner, Z9 ICB", date(2027, 5, 3)),
    Owner.TARGET_SUPPLIER: ("Nils New", date(2027, 5, 4)),
    Owner.SOURCE_SUPPLIER: ("Olga Old", date(2027, 5, 5)),
}


@pytest.fixture
def cast():
    cast = make_cast()
    go_live(cast, FDP_AT, GO_LIVE_AT)
    return cast


def extend(cast, until: date = AGREED, *, at: datetime = LATER, **more):
    seen = more.pop("seen", None) or clock_run(cast, "access").attempt
    agreement = Agreement(
        **{
            "until": until,
            "reason": "Scanned letters are still to be compared",
            "cost": Decimal("1200.00"),
            "parties": WHO,
            **more,
        }
    )
    return services.extend_access(
        migration=cast.migration, agreement=agreement, seen=seen, by=cast.project_manager, at=at
    )


class TestExtending:
    def test_the_clock_counts_anew_to_the_agreed_end_and_what_hangs_on_it_moves(self, cast):
        assert clock_run(cast, "access").ends_on == PLANNED
        task = cast.task("POST-02")
        moved = extend(cast)
        run = clock_run(cast, "access")
        assert (run.attempt, run.started_at, run.ends_on) == (2, GO_LIVE_AT, AGREED)
        assert (run.limit, run.unit) == ((AGREED - GO_LIVE_AT.date()).days, "days")
        assert key_date(cast, "EOA").planned_on == AGREED
        assert (task.due_on, cast.task("POST-02").due_on) == (PLANNED, AGREED)
        assert moved == 1
        first = cast.migration.clock_runs.get(key="access", attempt=1)
        assert (first.state, first.ends_on) == (State.VOID, PLANNED)
        assert_sound(cast.migration)

    def test_who_agreed_is_kept_with_the_day_and_the_cost(self, cast):
        extend(cast)
        kept = AccessExtension.objects.get()
        assert [(party, str(who), on) for party, who, on in kept.agreed_with] == [
            ("Commissioner", *WHO[Owner.COMMISSIONER]),
            ("New supplier", *WHO[Owner.TARGET_SUPPLIER]),
            ("Old supplier", *WHO[Owner.SOURCE_SUPPLIER]),
        ]
        assert (kept.cost, str(kept.reason)[:15]) == (Decimal("1200.00"), "Scanned letters")

    def test_the_history_says_it_whole(self, cast):
        extend(cast)
        events = Event.objects.of(cast.migration.stream).order_by("seq")
        line = sentences.lines(cast.migration, events)[-1]
        assert line.said == (
            "Agreed on another end of Old-system access for £1200.00, with commissioner "
            "(Cora Commissioner, Z9 ICB, Monday 3 May 2027), new supplier (Nils New, Tuesday "
            "4 May 2027) and old supplier (Olga Old, Wednesday 5 May 2027)"
        )
        assert (line.before, line.after) == ("Thursday 27 May 2027", "Wednesday 30 June 2027")
        assert [str(text) for text in line.quotes] == ["Scanned letters are still to be compared"]

    def test_it_can_be_extended_again_and_brought_forward_to_today_at_the_earliest(self, cast):
        extend(cast)
        extend(cast, AGREED + timedelta(days=30))
        assert clock_run(cast, "access").attempt == 3
        extend(cast, LATER.date())
        assert clock_run(cast, "access").ends_on == LATER.date()
        with pytest.raises(Refused, match="a day that is over"):
            extend(cast, LATER.date() - timedelta(days=1))

    def test_access_that_has_run_out_can_still_be_extended(self, cast):
        extend(cast, at=datetime(2027, 6, 1, tzinfo=UTC))
        assert not clock_run(cast, "access").is_over(datetime(2027, 6, 30, 22, tzinfo=UTC))

    @pytest.mark.parametrize(
        ("wrong", "said"),
        [
            ({"until": PLANNED}, "already"),
            ({"until": date(2029, 6, 30)}, "Check the year"),
            ({"parties": {}}, "who agreed"),
            ({"parties": {Owner.COMMISSIONER: (" ", date(2027, 5, 3))}}, "who agreed"),
            ({"parties": {Owner.COMMISSIONER: ("Cora", date(2027, 6, 3))}}, "in the future"),
            ({"reason": ""}, "Enter a reason"),
        ],
    )
    def test_half_an_agreement_is_none(self, cast, wrong, said):
        with pytest.raises(Refused, match=said):
            extend(cast, **wrong)
        assert not AccessExtension.objects.exists()

    def test_two_people_at_once_do_not_extend_it_twice(self, cast):
        extend(cast, seen=1)
        with pytest.raises(Conflict, match="30 June 2027"):
            extend(cast, AGREED + timedelta(days=1), seen=1)

    def test_before_go_live_there_is_nothing_to_extend(self):
        cast = make_cast()
        with pytest.raises(Refused, match="not running"):
            extend(cast, seen=1)


def test_whatever_was_typed_can_be_reported_as_patient_data(cast):
    look(cast, days(3).date(), is_there=False, note="Mrs Example could not be found")
    extend(cast)
    extension, check = AccessExtension.objects.get(), AccessCheck.objects.get()
    for text in (extension.reason, extension.commissioner, extension.source_supplier, check.note):
        services.report_patient_data(migration=cast.migration, text=text, by=cast.staff, at=LATER)
        text.refresh_from_db()
        assert str(text) == "(hidden while it is checked)"
    events = Event.objects.of(cast.migration.stream).order_by("seq")
    told = "".join(line.said for line in sentences.lines(cast.migration, events))
    assert "Cora" not in told
    assert "Nils New" in told


class TestWhatWasAgreedHolds:
    def test_when_go_live_is_corrected(self, cast):
        extend(cast)
        correct(cast, "GL", GO_LIVE_AT - hours(24))
        assert clock_run(cast, "access").ends_on == AGREED
        assert key_date(cast, "EOA").planned_on == AGREED
        assert cast.task("POST-02").due_on == AGREED

    def test_when_the_end_is_recorded_and_taken_back(self, cast):
        extend(cast)
        record(cast, "EOA", AGREED)
        assert clock_run(cast, "access").state == State.MET
        clear(cast, "EOA")
        run = clock_run(cast, "access")
        assert (run.state, run.ends_on) == (State.RUNNING, AGREED)
        assert key_date(cast, "EOA").planned_on == AGREED

    def test_when_other_dates_are_planned_again(self, cast):
        extend(cast)
        replan(cast, "KO", date(2027, 2, 8), at=LATER)
        assert key_date(cast, "EOA").planned_on == AGREED

    def test_but_not_for_another_go_live(self, cast):
        extend(cast)
        clear(cast, "GL")
        assert key_date(cast, "EOA").planned_on == PLANNED
        record(cast, "GL", GO_LIVE_AT)
        assert clock_run(cast, "access").ends_on == PLANNED


def look(cast, on: date, *, is_there: bool = True, note: str = "", **more):
    return services.check_access(
        **{
            "migration": cast.migration,
            "checked_on": on,
            "is_there": is_there,
            "note": note,
            "by": cast.manager,
            "at": LATER,
            **more,
        }
    )


def days(number: int) -> datetime:
    return GO_LIVE_AT + timedelta(days=number)


class TestChecks:
    def due(self, cast, now: datetime) -> bool:
        due = ClockRun.objects.access_check_due(now)
        return due.filter(migration=cast.migration).exists()

    def test_one_is_due_each_seven_days_from_go_live_and_from_the_last(self, cast):
        assert [self.due(cast, days(n)) for n in (0, 6, 7, 8)] == [False, False, True, True]
        look(cast, days(8).date(), at=days(8))
        assert [self.due(cast, days(n)) for n in (8, 14, 15)] == [False, False, True]

    def test_none_is_due_before_go_live_or_once_access_has_ended(self, cast):
        assert not self.due(make_cast(), LATER)
        record(cast, "EOA", days(20).date())
        assert not self.due(cast, LATER)

    def test_it_is_an_act_of_its_own_in_the_history(self, cast):
        look(cast, days(3).date(), is_there=False, note="Sign-in refused")
        assert cast.events()[-1] == "access.checked"
        events = Event.objects.of(cast.migration.stream).order_by("seq")
        line = sentences.lines(cast.migration, events)[-1]
        assert line.said == "Checked Old-system access on Thursday 15 April 2027: it is not there"
        assert [str(text) for text in line.quotes] == ["Sign-in refused"]
        assert_sound(cast.migration)

    def test_no_is_remembered_until_somebody_says_yes(self, cast):
        def lost() -> bool:
            return ClockRun.objects.access_lost().filter(migration=cast.migration).exists()

        assert not lost()
        look(cast, days(3).date(), is_there=False)
        assert lost()
        look(cast, days(3).date(), is_there=True)
        assert not lost()
        look(cast, days(10).date(), is_there=False)
        assert lost()
        record(cast, "EOA", days(20).date())
        assert not lost()

    def test_the_same_answer_sent_twice_is_kept_once(self, cast):
        look(cast, days(3).date(), note="All well")
        look(cast, days(3).date(), note="All well")
        assert AccessCheck.objects.count() == 1
        look(cast, days(4).date())
        assert AccessCheck.objects.count() == 2

    @pytest.mark.parametrize(
        ("on", "said"), [(date(2027, 5, 13), "future"), (date(2027, 4, 11), "before go-live")]
    )
    def test_a_day_that_cannot_be_is_refused(self, cast, on, said):
        with pytest.raises(Refused, match=said):
            look(cast, on)

    def test_a_plan_whose_access_has_no_clock_asks_for_none(self):
        version = make_plan_version(publish=False)
        version.key_dates.filter(key="EOA").update(clock="", offset=45, unit="days")
        publish_rows(version)
        cast = make_cast(plan_version=version)
        go_live(cast, FDP_AT, GO_LIVE_AT)
        assert not self.due(cast, LATER)
