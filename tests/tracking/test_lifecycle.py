"""How a migration ends: finished, cancelled, deleted; and its cut-over aborted."""

from datetime import date, timedelta

import pytest
import time_machine

from practices.common.errors import Refused
from practices.common.models import Event
from practices.tracking import services
from practices.tracking.models import Migration, Task
from practices.tracking.services import ContactDetails
from tests.factories import FDP_AT, GO_LIVE_AT, MONDAY

from .cast import assert_sound, make_cast
from .steps import clock_run, gate_of, go_live, record, replan, sign
from .test_dates_pages import messages, said
from .test_gates import make_plan

pytestmark = pytest.mark.django_db
State = Migration.State
PAGES = ["abort-cut-over", "cancel", "delete", "close"]


@pytest.fixture
def cast():
    return make_cast()


@pytest.fixture
def as_(client):
    def sign_in(person):
        client.force_login(person)
        return client

    with time_machine.travel(GO_LIVE_AT, tick=False):
        yield sign_in


def end(cast, act, **more):
    """Cancel, delete or finish, as the project manager."""
    act(migration=cast.migration, by=cast.project_manager, at=MONDAY, **more)


def stage(cast, to: str) -> None:
    """Bring a migration to a stage."""
    if to != State.PLANNING:
        record(cast, "FDP", FDP_AT)
    if to in (State.POST_GO_LIVE, State.ACCESS_ENDED):
        sign(cast)
        record(cast, "GL", GO_LIVE_AT)
    if to == State.ACCESS_ENDED:
        record(cast, "EOA", date(2027, 5, 27))


class TestCancelling:
    def test_it_stays_readable_and_nothing_changes_any_more(self, cast):
        end(cast, services.cancel_migration, reason="The practice merges")
        migration = Migration.objects.get()
        assert (migration.state, str(migration.end_reason)) == (
            State.CANCELLED,
            "The practice merges",
        )
        for act in (
            lambda: services.tick_task(task=cast.task("GL-02"), by=cast.manager, at=MONDAY),
            lambda: record(cast, "KO", date(2027, 2, 1)),
            lambda: replan(cast, "GL", GO_LIVE_AT + timedelta(days=7), at=MONDAY),
            lambda: sign(cast),
            lambda: end(cast, services.cancel_migration, reason="Again"),
            lambda: services.add_contact(
                migration=cast.migration,
                details=ContactDetails(role="pcse", name="Pat", telephone="1"),
                by=cast.manager,
                at=MONDAY,
            ),
        ):
            with pytest.raises(Refused, match="cancelled, so nothing in it can be changed"):
                act()
        assert_sound(migration)

    @pytest.mark.parametrize("to", [State.CUT_OVER, State.POST_GO_LIVE, State.ACCESS_ENDED])
    def test_only_while_it_is_planned(self, cast, to):
        stage(cast, to)
        with pytest.raises(Refused):
            end(cast, services.cancel_migration, reason="Too late")

    def test_it_needs_a_reason(self, cast):
        with pytest.raises(Refused, match="Enter a reason"):
            end(cast, services.cancel_migration, reason=" ")


class TestDeleting:
    def test_it_disappears_and_its_record_stays(self, cast):
        end(cast, services.delete_migration, reason="The wrong practice")
        assert not Migration.objects.visible_to(cast.project_manager).exists()
        assert Migration.objects.get().state == State.DELETED
        assert cast.events()[-1] == "migration.deleted"

    def test_planning_its_dates_and_contacts_is_no_work(self, cast):
        replan(cast, "GL", GO_LIVE_AT + timedelta(days=7), at=MONDAY)
        services.add_contact(
            migration=cast.migration,
            details=ContactDetails(role="pcse", name="Pat", telephone="1"),
            by=cast.manager,
            at=MONDAY,
        )
        end(cast, services.delete_migration, reason="The wrong practice")

    @pytest.mark.parametrize(
        "work",
        [
            lambda cast: services.tick_task(task=cast.task("GL-02"), by=cast.manager, at=MONDAY),
            lambda cast: services.add_note(
                task=cast.task("GL-02"), body="Asked them", by=cast.manager, at=MONDAY
            ),
            lambda cast: record(cast, "KO", date(2027, 2, 1)),
            sign,
            lambda cast: services.record_bypass(
                gate=gate_of(cast), reason="x", by=cast.project_manager, at=MONDAY
            ),
        ],
        ids=["tick", "note", "date", "signature", "bypass"],
    )
    def test_after_work_it_is_cancelled_instead(self, cast, work):
        work(cast)
        with pytest.raises(Refused, match="cancel it instead"):
            end(cast, services.delete_migration, reason="Oh")

    def test_work_that_was_undone_is_work(self, cast):
        services.tick_task(task=cast.task("GL-02"), by=cast.manager, at=MONDAY)
        task = cast.task("GL-02")
        services.reopen_task(task=task, seen_version=task.version, by=cast.manager, at=MONDAY)
        with pytest.raises(Refused, match="cancel it instead"):
            end(cast, services.delete_migration, reason="Oh")


class TestFinishing:
    def done(self, cast):
        for task in cast.migration.tasks.open().with_people():
            if not (task.records or task.seat):
                services.tick_task(task=task, by=cast.manager, at=MONDAY)

    def test_when_everything_is_done_it_is_closed(self, cast):
        stage(cast, State.ACCESS_ENDED)
        self.done(cast)
        end(cast, services.finish_migration)
        assert Migration.objects.get().state == State.FINISHED

    def test_what_is_missing_is_said(self, cast):
        with pytest.raises(Refused, match="Record the end of old-system access first"):
            end(cast, services.finish_migration)
        stage(cast, State.ACCESS_ENDED)
        with pytest.raises(Refused, match="4 mandatory tasks are not finished"):
            end(cast, services.finish_migration)

    def test_a_sign_off_may_hold_it_open(self):
        cast = make_cast(plan_version=make_plan(blocks=["finish"]))
        stage(cast, State.ACCESS_ENDED)
        self.done(cast)
        with pytest.raises(Refused, match="“Data quality”"):
            end(cast, services.finish_migration)

    def test_what_went_ahead_without_its_sign_off_does_not(self, cast):
        record(cast, "FDP", FDP_AT)
        bypass = services.record_bypass(
            gate=gate_of(cast), reason="x", by=cast.project_manager, at=MONDAY
        )
        services.confirm_bypass(bypass=bypass, by=cast.manager, at=MONDAY)
        record(cast, "GL", GO_LIVE_AT)
        record(cast, "EOA", date(2027, 5, 27))
        self.done(cast)
        assert cast.task("CUT-04").state == Task.State.OPEN
        end(cast, services.finish_migration)
        assert Migration.objects.get().state == State.FINISHED


class TestThePages:
    @pytest.mark.parametrize("page", PAGES)
    def test_who_may_not_end_it_is_refused(self, cast, as_, page):
        for person, status in ((cast.stranger, 404), (cast.manager, 403), (cast.trainer, 403)):
            client = as_(person)
            assert client.get(cast.url(page)).status_code == status
            assert client.post(cast.url(page), {"reason": "x"}).status_code == status
        assert Migration.objects.get().state == State.PLANNING

    @pytest.mark.parametrize(
        ("page", "state"), [("cancel", State.CANCELLED), ("delete", State.DELETED)]
    )
    def test_it_says_what_it_means_asks_why_and_does_it(self, cast, as_, page, state):
        client, url = as_(cast.project_manager), cast.url(page)
        assert client.get(url).status_code == 200
        empty = client.post(url, {"reason": ""})
        assert empty.status_code == 422
        assert "Enter a reason" in said(empty)
        client.post(url, {"reason": "The practice merges"}, follow=True)
        assert Migration.objects.get().state == state

    def test_aborting_the_cut_over_leads_to_planning_again(self, cast, as_):
        record(cast, "FDP", FDP_AT)
        client = as_(cast.project_manager)
        page = client.post(cast.url("abort-cut-over"), {"reason": "Power cut"}, follow=True)
        assert "Plan the new dates" in messages(page)
        assert Migration.objects.get().state == State.PLANNING
        assert clock_run(cast, "cut_over") is None
        event = Event.objects.of(cast.migration.stream).get(kind="cut_over.aborted")
        assert event.data["before"] == FDP_AT.isoformat()

    def test_a_refusal_keeps_the_reason(self, cast, as_):
        go_live(cast, FDP_AT, GO_LIVE_AT)
        page = as_(cast.project_manager).post(cast.url("cancel"), {"reason": "The wrong week"})
        assert page.status_code == 422
        assert "The wrong week" in said(page)

    @pytest.mark.parametrize(
        ("page", "to", "words"),
        [
            ("close", State.PLANNING, "Record the end of old-system access first"),
            ("close", State.ACCESS_ENDED, "4 mandatory tasks are not finished"),
            ("abort-cut-over", State.PLANNING, "after final data production is recorded"),
            ("abort-cut-over", State.POST_GO_LIVE, "before go-live is"),
            ("cancel", State.CUT_OVER, "before final data production is recorded"),
            ("delete", State.CUT_OVER, "before final data production is recorded"),
        ],
    )
    def test_what_cannot_be_done_yet_is_said_and_not_offered(self, cast, as_, page, to, words):
        stage(cast, to)
        client, url = as_(cast.project_manager), cast.url(page)
        for answer, status in ((client.get(url), 200), (client.post(url, {"reason": "x"}), 422)):
            shown = said(answer)
            assert answer.status_code == status
            assert words in shown
            assert "nhsuk-button" not in shown.partition("<main")[2].partition("</main")[0]
        assert Migration.objects.get().state == to

    def test_closing_says_everything_that_is_missing(self, as_):
        cast = make_cast(plan_version=make_plan(blocks=["finish"]))
        shown = said(as_(cast.project_manager).get(cast.url("close")))
        for words in ("end of old-system access first", "“Data quality”", "are not finished"):
            assert words in shown
        assert "Every mandatory task is done" not in shown

    def test_after_work_deleting_is_not_offered(self, cast, as_):
        services.tick_task(task=cast.task("GL-02"), by=cast.manager, at=MONDAY)
        shown = said(as_(cast.project_manager).get(cast.url("delete")))
        assert "cancel it instead" in shown
        assert "<textarea" not in shown

    def test_of_a_migration_that_is_over_the_page_says_so(self, cast, as_):
        end(cast, services.cancel_migration, reason="The practice merges")
        shown = said(as_(cast.project_manager).get(cast.url("cancel")))
        assert "This migration is cancelled" in shown
        assert "<textarea" not in shown

    def test_closing_is_offered_when_nothing_is_missing(self, cast, as_):
        stage(cast, State.ACCESS_ENDED)
        TestFinishing().done(cast)
        client = as_(cast.project_manager)
        assert "Every mandatory task is done" in said(client.get(cast.url("close")))
        assert "The migration is closed" in messages(client.post(cast.url("close"), follow=True))
