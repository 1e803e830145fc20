"""Pages of clocks that ran over and of old-system access: who may do what, and what is said."""

from datetime import date, timedelta

import pytest
import time_machine

from practices.tracking import services
from practices.tracking.models import AccessCheck, AccessExtension
from tests.factories import FDP_AT, GO_LIVE_AT, MONDAY

from .cast import make_cast
from .steps import clock_run, go_live, hours, record, sign
from .test_access import extend
from .test_home import words

pytestmark = pytest.mark.django_db
LATE = FDP_AT + hours(80)  # Tuesday 13 April 2027, 02:30 BST
LATER = GO_LIVE_AT + timedelta(days=8)
REASON, EXTEND, CHECK = "clocks/cut_over/reason", "old-system/extend", "old-system/check"


@pytest.fixture
def cast():
    """Gone live eight hours late."""
    cast = make_cast()
    go_live(cast, FDP_AT, LATE)
    return cast


@pytest.fixture
def as_(client):
    """Signed in as somebody, eight days after go-live."""
    with time_machine.travel(LATER, tick=False):

        def sign_in(person):
            client.force_login(person)
            return client

        yield sign_in


@pytest.mark.parametrize(
    ("page", "who", "status"),
    [
        (REASON, "manager", 200),
        (REASON, "project_manager", 200),
        (REASON, "staff", 403),
        (REASON, "stranger", 404),
        (EXTEND, "project_manager", 200),
        (EXTEND, "manager", 403),
        (EXTEND, "commissioner", 403),
        (EXTEND, "stranger", 404),
        (CHECK, "manager", 200),
        (CHECK, "project_manager", 200),
        (CHECK, "staff", 403),
        (CHECK, "stranger", 404),
        ("clocks/access/reason", "manager", 404),
        ("clocks/none/reason", "manager", 404),
    ],
)
def test_an_insider_does_what_their_role_may(cast, as_, page, who, status):
    client = as_(getattr(cast, who))
    assert client.get(cast.url(page)).status_code == status
    assert client.post(cast.url(page)).status_code == (422 if status == 200 else status)


class TestReason:
    def test_it_is_asked_for_until_it_is_given(self, cast, as_):
        home = words(as_(cast.manager).get(cast.url()))
        assert "Say why it took longer : Cut-over" in home
        assert "No reason has been given yet" in words(as_(cast.staff).get(cast.url()))
        assert "No reason has been given yet" in words(as_(cast.staff).get(cast.url("dates")))
        client = as_(cast.manager)
        assert "Cut-over took 8 hours longer than its limit" in words(client.get(cast.url(REASON)))
        client.post(cast.url(REASON), {"seen": "", "reason": "The extract came late"})
        home = words(client.get(cast.url()))
        assert "Say why" not in home
        assert "Reason: The extract came late" in home
        assert "Reason: The extract came late" in words(client.get(cast.url("dates")))

    def test_what_could_be_a_patient_is_asked_about(self, cast, as_):
        page = as_(cast.manager).post(cast.url(REASON), {"reason": "Letters of 943 476 5919"})
        assert page.status_code == 422
        assert "could be an NHS number" in words(page)
        assert clock_run(cast, "cut_over").reason is None

    def test_what_somebody_else_wrote_meanwhile_is_shown_and_nothing_typed_is_lost(self, cast, as_):
        client = as_(cast.manager)
        client.post(cast.url(REASON), {"seen": "", "reason": "The extract came late"})
        page = client.post(cast.url(REASON), {"seen": "", "reason": "The line was down"})
        assert page.status_code == 409
        assert "It reads: “The extract came late”" in words(page)
        assert "The line was down" in words(page)
        seen = clock_run(cast, "cut_over").reason_id
        client.post(cast.url(REASON), {"seen": seen, "reason": "The line was down"})
        assert str(clock_run(cast, "cut_over").reason) == "The line was down"


def test_core_hours_stand_beside_the_limit(cast, as_):
    """Friday 18:30 to Tuesday 02:30: the whole of Monday's."""
    assert "Core hours used: 10 hours 30 minutes" in words(as_(cast.staff).get(cast.url()))
    dates = words(as_(cast.staff).get(cast.url("dates")))
    assert "Took 3 days 8 hours of 72 hours 10 hours 30 minutes in core hours" in dates


def test_recording_go_live_says_how_much_was_in_core_hours(client):
    cast = make_cast()
    record(cast, "FDP", FDP_AT)
    sign(cast)
    typed = {"when_day": "12", "when_month": "4", "when_year": "2027", "when_time": "17:00"}
    with time_machine.travel(GO_LIVE_AT + hours(12), tick=False):
        client.force_login(cast.manager)
        page = client.post(cast.url("dates/GL/record"), typed, follow=True)
    said = " ".join(str(message) for message in page.context["messages"])
    assert "took 70 hours 30 minutes, within the limit of 72 hours" in said
    assert "9 hours of it in core hours" in said


def test_recording_final_data_production_warns_of_what_is_planned(client):
    cast = make_cast()
    typed = {"when_day": "25", "when_month": "3", "when_year": "2027", "when_time": "18:30"}
    with time_machine.travel(GO_LIVE_AT - timedelta(days=14), tick=False):
        client.force_login(cast.manager)
        page = client.post(
            cast.url("dates/FDP/record"),
            {**typed, "sure": "2027-03-25T18:30:00+00:00"},
            follow=True,
        )
    said = " ".join(str(message) for message in page.context["messages"])
    assert "Final data production is recorded" in said
    for name in ("over the limit of 72 hours", "Bank-holiday weekend", "QOF year", "Clock change"):
        assert name in said


def test_clocks_that_have_not_started_are_in_the_list(client):
    cast = make_cast()
    with time_machine.travel(MONDAY, tick=False):
        client.force_login(cast.staff)
        page = words(client.get(cast.url("dates")))
    assert "Old-system access Started Not yet Limit 45 calendar days State Not started" in page


TYPED = {
    "until_day": "30",
    "until_month": "6",
    "until_year": "2027",
    "reason": "Scanned letters are still to be compared",
    "cost": "£1,200.50",
    "commissioner": "Cora Commissioner",
    "commissioner_on_day": "19",
    "commissioner_on_month": "4",
    "commissioner_on_year": "2027",
}


class TestExtending:
    def test_it_is_offered_to_who_may_plan_again(self, cast, as_):
        assert "Extend old-system access" in words(as_(cast.project_manager).get(cast.url()))
        assert "Extend" in words(as_(cast.project_manager).get(cast.url("dates")))
        assert "Extend old-system access" not in words(as_(cast.manager).get(cast.url()))

    def test_what_was_agreed_is_kept_and_shown(self, cast, as_):
        client = as_(cast.project_manager)
        page = client.post(cast.url(EXTEND), {**TYPED, "seen": "1"}, follow=True)
        text = words(page)
        assert "Old-system access now lasts until Wednesday 30 June 2027. 1 open task moved" in text
        for shown in ("Cora Commissioner, Monday 19 April 2027", "£1,200.50", "Scanned letters"):
            assert shown in text
        assert "Extended Counted to another end below" in text
        home = words(client.get(cast.url()))
        assert "the end of Wednesday 30 June 2027 As agreed, instead of 45 calendar days" in home

    @pytest.mark.parametrize(
        ("wrong", "said"),
        [
            ({"until_day": ""}, "must include a day"),
            ({"until_month": "4", "until_day": "19"}, "on a day that is over"),
            ({"reason": ""}, "Enter a reason"),
            ({"cost": "a lot"}, "Cost must be a number"),
            ({"cost": "-1"}, "Cost must be 0 or more"),
            ({"commissioner": ""}, "Enter who agreed for the commissioner"),
            ({"target_supplier": "Nils New"}, "Enter the day Nils New agreed"),
            ({"commissioner_on_month": "6"}, "still in the future"),
            ({"reason": "For 943 476 5919"}, "could be an NHS number"),
        ],
    )
    def test_what_is_wrong_gets_a_sentence_and_nothing_is_lost(self, cast, as_, wrong, said):
        page = as_(cast.project_manager).post(cast.url(EXTEND), {**TYPED, "seen": "1", **wrong})
        assert page.status_code == 422
        assert said in words(page)
        assert 'value="2027"' in page.content.decode()
        assert not AccessExtension.objects.exists()

    def test_an_earlier_end_is_asked_about_once_more(self, cast, as_):
        client, earlier = as_(cast.project_manager), {**TYPED, "seen": "1", "until_month": "4"}
        page = client.post(cast.url(EXTEND), earlier)
        assert page.status_code == 422
        assert "Friday 30 April 2027 is 28 days earlier than Friday 28 May 2027" in words(page)
        assert 'type="checkbox" name="earlier"' in page.content.decode()
        assert not AccessExtension.objects.exists()
        client.post(cast.url(EXTEND), {**earlier, "earlier": "on"})
        assert AccessExtension.objects.get().until == date(2027, 4, 30)

    def test_nobody_agreed_is_no_agreement(self, cast, as_):
        nobody = {key: text for key, text in TYPED.items() if "commissioner" not in key}
        page = as_(cast.project_manager).post(cast.url(EXTEND), {**nobody, "seen": "1"})
        assert "at least one of the three" in words(page)

    def test_another_end_agreed_meanwhile_is_said_before_anything_is_written(self, cast, as_):
        client = as_(cast.project_manager)
        client.post(cast.url(EXTEND), {**TYPED, "seen": "1"})
        again = {**TYPED, "until_month": "7", "seen": "1"}
        page = client.post(cast.url(EXTEND), again)
        assert page.status_code == 409
        assert "it is Wednesday 30 June 2027 now" in words(page)
        assert 'name="seen" value="2"' in page.content.decode()


class TestChecks:
    def post(self, client, cast, answer: str, note: str = ""):
        day = {"checked_on_day": "20", "checked_on_month": "4", "checked_on_year": "2027"}
        data = {"is_there": answer, "note": note, **day}
        return client.post(cast.url(CHECK), data, follow=True)

    def test_a_check_is_asked_for_after_a_week_and_then_a_week_later(self, cast, as_):
        client = as_(cast.manager)
        home = words(client.get(cast.url()))
        assert "nobody has checked it since go-live" in home
        assert "Check due" in home
        page = words(self.post(client, cast, "yes"))
        assert "the old system is still there" in page
        assert "there on Tuesday 20 April 2027, says Alice Manager" in page
        assert "Next check by Tuesday 27 April 2027" in page

    def test_a_system_that_is_gone_is_shown_in_red_and_stops_nothing(self, cast, as_):
        client = as_(cast.manager)
        page = words(self.post(client, cast, "no", "Sign-in refused"))
        assert "Tell the old supplier and the project manager now" in page
        assert "Not there Alice Manager could not read the old system" in page
        assert "Sign-in refused" in page
        assert "Old system not there" in words(as_(cast.staff).get(cast.url()))
        services.tick_task(task=cast.task("GL-02"), by=cast.manager, at=LATER)

    def test_an_answer_is_needed(self, cast, as_):
        page = self.post(as_(cast.manager), cast, "")
        assert page.status_code == 422
        assert "Select yes or no" in words(page)
        assert not AccessCheck.objects.exists()

    def test_a_day_to_come_is_refused(self, cast, as_):
        data = {"is_there": "yes", "checked_on_day": "21", "checked_on_month": "4"}
        page = as_(cast.manager).post(cast.url(CHECK), {**data, "checked_on_year": "2027"})
        assert "still in the future" in words(page)


def test_an_end_on_a_weekend_says_the_last_working_day_before_it(client):
    cast = make_cast()
    go_live(cast, FDP_AT, GO_LIVE_AT)
    extend(cast, date(2027, 6, 27), at=LATER + timedelta(days=30))
    with time_machine.travel(LATER, tick=False):
        client.force_login(cast.staff)
        for page in ("", "dates"):
            text = words(client.get(cast.url(page) if page else cast.url()))
            assert "That is a Sunday: the last working day before it is Friday 25 June" in text
