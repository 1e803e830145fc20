"""Pages of key dates: who may do what, what is shown before it happens, what is said after."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from practices.common.models import Event
from practices.common.time import to_london
from practices.tracking import sentences
from practices.tracking.models import Migration
from tests.factories import FDP_AT, GO_LIVE_AT

from .cast import count_queries, make_big_plan, make_cast
from .steps import clear, clock_run, correct, dates, go_live, hours, key_date, record, sign

pytestmark = pytest.mark.django_db
WEEK = timedelta(days=7)
NEVER = {"when_day": "", "when_month": "", "when_year": "", "when_time": ""}


@pytest.fixture
def cast():
    return make_cast()


@pytest.fixture
def as_(client):
    def sign_in(person) -> Client:
        client.force_login(person)
        return client

    return sign_in


@pytest.fixture
def after_go_live():
    with time_machine.travel(GO_LIVE_AT + hours(2), tick=False):
        yield


def typed(when) -> dict[str, str]:
    """How a person types an instant into the boxes of a date and time."""
    local = to_london(when)
    return {
        "when_day": str(local.day),
        "when_month": str(local.month),
        "when_year": str(local.year),
        "when_time": f"{local:%H:%M}",
    }


def said(response) -> str:
    return " ".join(response.content.decode().split())


def messages(response) -> str:
    return " ".join(str(message) for message in response.context["messages"])


def history(cast) -> str:
    events = Event.objects.of(cast.migration.stream)
    return "\n".join(line.said for line in sentences.lines(cast.migration, events))


PAGES = {
    "dates": None,
    "dates/GL/plan": "project_manager",
    "dates/FDP/record": "manager",
    "dates/KO/clear": "manager",
}


@pytest.mark.parametrize("page", PAGES)
def test_a_stranger_finds_nothing(cast, as_, page):
    client = as_(cast.stranger)
    assert client.get(cast.url(page)).status_code == 404
    assert client.post(cast.url(page)).status_code in ({404, 405} if page == "dates" else {404})


@pytest.mark.parametrize(
    ("page", "who", "status"),
    [
        ("dates", "staff", 200),
        ("dates/GL/plan", "manager", 403),
        ("dates/GL/plan", "project_manager", 200),
        ("dates/FDP/record", "staff", 403),
        ("dates/FDP/record", "trainer", 403),
        ("dates/FDP/record", "manager", 200),
        ("dates/KO/clear", "commissioner", 403),
        ("dates/NONE/record", "manager", 404),
        ("dates/CE/record", "manager", 404),
    ],
)
def test_an_insider_does_what_their_role_may(cast, as_, page, who, status):
    client = as_(getattr(cast, who))
    assert client.get(cast.url(page)).status_code == status
    if status == 403:
        assert client.post(cast.url(page)).status_code == 403


def test_nobody_is_offered_what_they_may_not_do(cast, as_):
    assert "Change the plan" not in said(as_(cast.staff).get(cast.url("dates")))
    page = said(as_(cast.manager).get(cast.url("dates")))
    assert "Record that it happened" in page
    assert "Change the plan" not in page
    assert "Change the plan" in said(as_(cast.project_manager).get(cast.url("dates")))


class TestPlanning:
    def test_everything_that_moves_is_shown_before_it_moves(self, cast, as_):
        client = as_(cast.project_manager)
        url = cast.url("dates/GL/plan")
        before = dates(cast)
        page = client.get(url, typed(GO_LIVE_AT + WEEK))
        text = said(page)
        for words in (
            "Nothing is changed yet",
            "Mon 12 Apr 2027, 08:00 BST",
            "Mon 19 Apr 2027, 08:00 BST",
            "Thu 27 May 2027",
            "Thu 3 Jun 2027",
            "8 open tasks that move",
        ):
            assert words in text, words
        assert dates(cast) == before
        mark = page.context["plan"].mark
        sent = {**typed(GO_LIVE_AT + WEEK), "seen": mark}
        done = client.post(url, sent, follow=True)
        assert messages(done) == "Go-live is planned again. 8 open tasks moved with it."
        assert dates(cast)["GL"].at == GO_LIVE_AT + WEEK

    def test_a_cut_over_that_is_too_long_says_how_far(self, cast, as_):
        page = as_(cast.project_manager).get(cast.url("dates/FDP/plan"), typed(FDP_AT - hours(24)))
        assert "85 hours 30 minutes, 13 hours 30 minutes over the limit of 72 hours" in said(page)

    def test_going_back_keeps_what_was_typed(self, cast, as_):
        page = as_(cast.project_manager).get(
            cast.url("dates/GL/plan"), {**typed(GO_LIVE_AT + WEEK), "go": "back"}
        )
        assert page.status_code == 200
        assert 'value="19"' in said(page)

    def test_what_changed_meanwhile_is_shown_again(self, cast, as_):
        page = as_(cast.project_manager).post(
            cast.url("dates/GL/plan"),
            {**typed(GO_LIVE_AT + WEEK), "seen": "0" * 16},
        )
        assert page.status_code == 409
        assert "Dates or tasks changed since you looked" in said(page)
        assert page.context["plan"].dates
        assert dates(cast)["GL"].at == GO_LIVE_AT

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            (NEVER, "Enter the date and time"),
            ({"when_month": "13"}, "must be a real date"),
            ({"when_day": "28", "when_month": "3", "when_time": "01:30"}, "does not exist"),
            ({"when_day": "31", "when_month": "10", "when_time": "01:30"}, "happens twice"),
            (typed(GO_LIVE_AT), "is already planned for then"),
        ],
    )
    def test_a_wrong_date_gets_a_sentence_and_stays_typed(self, cast, as_, change, words):
        sent = {**typed(GO_LIVE_AT + WEEK), **change}
        page = as_(cast.project_manager).get(cast.url("dates/GL/plan"), sent)
        assert page.status_code == 422
        assert words in said(page)
        assert "<title>Error: " in said(page)
        if sent["when_time"]:
            assert f'value="{sent["when_time"]}"' in said(page)

    def test_the_doubled_hour_means_what_was_chosen(self, cast, as_):
        sent = {**typed(GO_LIVE_AT), "when_day": "31", "when_month": "10", "when_time": "01:30"}
        for fold, words in (("0", "01:30 BST"), ("1", "01:30 GMT")):
            page = as_(cast.project_manager).get(
                cast.url("dates/GL/plan"), {**sent, "when_fold": fold}
            )
            assert f"Sun 31 Oct 2027, {words}" in said(page)


@pytest.mark.usefixtures("after_go_live")
class TestRecording:
    def test_final_data_production_says_until_when_the_clock_runs(self, cast, as_):
        done = as_(cast.manager).post(
            cast.url("dates/FDP/record"), typed(FDP_AT + hours(2)), follow=True
        )
        assert messages(done) == (
            "Final data production is recorded. Cut-over: the limit of 72 hours ends "
            "Mon 12 Apr 2027, 20:30 BST. 1 open task moved because of it."
        )

    def test_go_live_says_how_long_it_took_and_how_long_access_lasts(self, cast, as_):
        record(cast, "FDP", FDP_AT)
        sign(cast)
        done = as_(cast.manager).post(cast.url("dates/GL/record"), typed(GO_LIVE_AT), follow=True)
        assert messages(done) == (
            "Go-live is recorded. Old-system access: lasts until the end of Thursday 27 May 2027. "
            "Cut-over: took 61 hours 30 minutes, within the limit of 72 hours; none of it in "
            "core hours."
        )

    def test_without_its_sign_off_it_leads_there(self, cast, as_):
        record(cast, "FDP", FDP_AT)
        client = as_(cast.manager)
        page = client.get(cast.url("dates/GL/record"))
        assert cast.url("sign-off/go_live_data") in said(page)
        refused = client.post(cast.url("dates/GL/record"), typed(GO_LIVE_AT))
        assert refused.status_code == 422
        assert "before the sign-off “Go-live data”" in said(refused)
        assert 'value="08:00"' in said(refused)

    def test_the_future_and_the_missing_hour_are_refused(self, cast, as_):
        client = as_(cast.manager)
        page = client.post(cast.url("dates/FDP/record"), typed(GO_LIVE_AT + hours(3)))
        assert page.status_code == 422
        assert "That is still in the future" in said(page)
        gap = {**typed(GO_LIVE_AT), "when_day": "28", "when_month": "3", "when_time": "01:30"}
        page = client.post(cast.url("dates/FDP/record"), gap)
        assert "01:30 on 28 March 2027 does not exist" in said(page)
        assert clock_run(cast, "cut_over") is None

    def test_correcting_asks_why(self, cast, as_):
        record(cast, "FDP", FDP_AT)
        client, url = as_(cast.manager), cast.url("dates/FDP/record")
        page = client.get(url)
        assert 'value="18:30"' in said(page)
        sent = {**typed(FDP_AT - hours(1)), "seen": FDP_AT.isoformat()}
        assert "Enter a reason" in said(client.post(url, sent))
        client.post(url, {**sent, "reason": "Typed in a hurry"})
        assert key_date(cast, "FDP").actual_at == FDP_AT - hours(1)

    def test_who_was_first_is_said_and_the_second_may_correct_it(self, cast, as_):
        client, url = as_(cast.project_manager), cast.url("dates/FDP/record")
        record(cast, "FDP", FDP_AT)
        page = client.post(url, typed(FDP_AT - hours(1)))
        assert page.status_code == 409
        assert "Alice Manager has recorded “Final data production” as Fri 9 Apr" in said(page)
        assert 'value="17:30"' in said(page)
        assert key_date(cast, "FDP").actual_at == FDP_AT
        again = {**typed(FDP_AT - hours(1)), "seen": FDP_AT.isoformat(), "reason": "It was sooner"}
        client.post(url, again)
        assert key_date(cast, "FDP").actual_at == FDP_AT - hours(1)

    def test_it_was_corrected_meanwhile(self, cast, as_):
        record(cast, "FDP", FDP_AT)
        sent = {
            **typed(FDP_AT - hours(2)),
            "seen": (FDP_AT - hours(1)).isoformat(),
            "reason": "Mistyped",
        }
        page = as_(cast.manager).post(cast.url("dates/FDP/record"), sent)
        assert page.status_code == 409
        assert "while you looked" in said(page)
        assert FDP_AT.isoformat() in said(page)
        assert key_date(cast, "FDP").actual_at == FDP_AT


class TestADateFarFromItsPlan:
    """Access is planned to end on 27 May 2027."""

    @pytest.fixture(autouse=True)
    def live(self, cast):
        go_live(cast, FDP_AT, GO_LIVE_AT)
        with time_machine.travel(GO_LIVE_AT + 10 * WEEK, tick=False):
            yield

    @staticmethod
    def typed_day(day: int, month: int) -> dict[str, str]:
        return {"when_day": str(day), "when_month": str(month), "when_year": "2027"}

    @pytest.mark.parametrize(
        ("day", "words"),
        [
            ((12, 4), "That is 45 days before the planned date, Thursday 27 May 2027."),
            ((19, 5), "That is 8 days before the planned date, Thursday 27 May 2027."),
            ((4, 6), "That is 8 days after the planned date, Thursday 27 May 2027."),
        ],
    )
    def test_the_person_is_asked_and_says_yes(self, cast, as_, day, words):
        client, url = as_(cast.manager), cast.url("dates/EOA/record")
        page = client.post(url, self.typed_day(*day))
        assert page.status_code == 422
        assert words in said(page)
        assert "Yes, record it" in said(page)
        assert key_date(cast, "EOA").actual is None
        assert clock_run(cast, "access").is_running
        sure = page.context["form"].asked_about
        done = client.post(url, {**self.typed_day(*day), "sure": sure}, follow=True)
        assert "End of old-system access is recorded" in messages(done)
        assert (key_date(cast, "EOA").actual_on.day, key_date(cast, "EOA").actual_on.month) == day

    @pytest.mark.parametrize("day", [(20, 5), (27, 5), (3, 6)])
    def test_within_a_week_nobody_is_asked(self, cast, as_, day):
        client = as_(cast.manager)
        assert client.post(cast.url("dates/EOA/record"), self.typed_day(*day)).status_code == 302

    def test_yes_to_one_date_is_not_yes_to_another(self, cast, as_):
        client, url = as_(cast.manager), cast.url("dates/EOA/record")
        sure = client.post(url, self.typed_day(12, 4)).context["form"].asked_about
        page = client.post(url, {**self.typed_day(13, 4), "sure": sure})
        assert "That is 44 days before" in said(page)
        assert key_date(cast, "EOA").actual is None

    def test_what_cannot_be_is_refused_and_not_asked_about(self, cast, as_):
        page = as_(cast.manager).post(cast.url("dates/EOA/record"), self.typed_day(11, 4))
        assert "Old-system access ends after go-live" in said(page)
        assert "Yes, record it" not in said(page)

    def test_correcting_asks_as_well_and_keeps_the_reason(self, cast, as_):
        record(cast, "EOA", key_date(cast, "EOA").planned_on)
        sent = {
            **self.typed_day(12, 4),
            "seen": key_date(cast, "EOA").actual_at.isoformat(),
            "reason": "Switched off early",
        }
        client, url = as_(cast.manager), cast.url("dates/EOA/record")
        page = client.post(url, sent)
        assert "That is 45 days before" in said(page)
        assert "Switched off early</textarea>" in said(page)
        client.post(url, {**sent, "sure": page.context["form"].asked_about})
        assert key_date(cast, "EOA").actual_on.month == 4


@pytest.mark.usefixtures("after_go_live")
class TestTheListOfClocks:
    @pytest.fixture
    def clocks(self, cast, as_):
        """The list of clocks on the page: what each is called, and its state."""

        def look() -> list[tuple[str, str]]:
            page = said(as_(cast.manager).get(cast.url("dates")))
            table = page.partition("Clocks</caption>")[2]
            found = re.findall(r'<th class="nhsuk-table__header" scope="row".*?</tr>', table)
            words = [" ".join(re.sub("<[^>]+>", " ", row).split()) for row in found]
            return [
                (row.partition(" Started")[0].removeprefix("Clock "), row.partition(" State ")[2])
                for row in words
            ]

        return look

    def test_a_corrected_date_is_no_further_attempt(self, cast, clocks):
        go_live(cast, FDP_AT, GO_LIVE_AT)
        correct(cast, "FDP", FDP_AT - hours(1))
        assert clocks() == [
            ("Old-system access", "Running 45 days left of 45"),
            ("Cut-over", "Corrected Counted again below"),
            (
                "Cut-over",
                "Within the limit Took 62 hours 30 minutes of 72 hours 1 hour in core hours",
            ),
        ]
        assert "attempt" not in history(cast)
        assert "Cut-over is counted again from corrected dates" in history(cast)

    def test_a_cut_over_that_began_anew_is(self, cast, clocks):
        record(cast, "FDP", FDP_AT - hours(1))
        correct(cast, "FDP", FDP_AT)
        clear(cast, "FDP")
        record(cast, "FDP", FDP_AT + hours(2))
        correct(cast, "FDP", FDP_AT + hours(3))
        assert clocks() == [
            ("Cut-over", "Corrected Counted again below"),
            ("Cut-over", "Does not count"),
            ("Cut-over, attempt 2", "Corrected Counted again below"),
            (
                "Cut-over, attempt 2",
                "Ending soon 11 hours 30 minutes left of 72 2 hours in core hours",
            ),
            ("Old-system access", "Not started"),
        ]
        assert "Cut-over no longer counts" in history(cast)


@pytest.mark.usefixtures("after_go_live")
class TestTakingBack:
    def test_it_says_what_follows_and_asks_why(self, cast, as_):
        go_live(cast, FDP_AT, GO_LIVE_AT)
        client, url = as_(cast.manager), cast.url("dates/GL/clear")
        page = said(client.get(url))
        assert "Cut-over: its clock runs on from Fri 9 Apr 2027, 18:30 BST" in page
        assert "Old-system access: its clock no longer counts" in page
        assert client.post(url, {"reason": ""}).status_code == 422
        done = client.post(url, {"reason": "They did not"}, follow=True)
        assert "Go-live is no longer recorded." in messages(done)
        assert Migration.objects.get().state == Migration.State.CUT_OVER

    def test_for_final_data_production_it_is_aborting_the_cut_over(self, cast, as_):
        record(cast, "FDP", FDP_AT)
        response = as_(cast.project_manager).get(cast.url("dates/FDP/clear"))
        assert response.url == cast.url("abort-cut-over")


@pytest.mark.parametrize("page", ["dates", "sign-off/go_live_data", "history", "people"])
def test_pages_take_as_many_statements_for_a_big_plan_as_for_a_small_one(client, page):
    small = make_cast()
    big = make_cast(plan_version=make_big_plan(120))
    counts = [count_queries(client, cast.project_manager, cast.url(page)) for cast in (small, big)]
    assert counts[0] == counts[1]
    assert counts[0] <= 22


def test_the_preview_takes_as_many_statements_for_a_big_plan_as_for_a_small_one(
    client, django_assert_max_num_queries
):
    for cast in (make_cast(), make_cast(plan_version=make_big_plan(120))):
        client.force_login(cast.project_manager)
        with django_assert_max_num_queries(24):
            page = client.get(cast.url("dates/GL/plan"), typed(GO_LIVE_AT + WEEK))
        assert page.context["plan"].dates
