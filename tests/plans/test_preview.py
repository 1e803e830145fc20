"""A plan laid out for one go-live: its dates, and what deserves a second look."""

from copy import deepcopy
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from practices.common.calendar import WorkingCalendar
from practices.common.time import local_to_utc
from practices.plans import services
from practices.plans.rules import (
    AfterNode,
    ConditionNode,
    Preview,
    check,
    content_of,
    doubts,
    tree_from,
)
from practices.plans.shipping import FOLDER, load_shipped_plans
from practices.plans.views.timeline import Timeline
from practices.plans.yaml import read_plan
from tests.factories import MONDAY

from .small import SMALL
from .test_workbench import ann, draft

__all__ = ["ann", "draft"]

GO_LIVE = local_to_utc(datetime(2027, 3, 9, 8))  # noqa: DTZ001
TREE = read_plan(SMALL, file="plan.yaml")
FULL = content_of(read_plan((FOLDER / "nhs-full-migration.yaml").read_bytes(), file="x"))
CALENDAR = WorkingCalendar()


def preview(tree, go_live_at=GO_LIVE):
    return Preview(tree, go_live_at, CALENDAR.is_working, CALENDAR.holiday_name)


def with_task(code, tree=TREE, /, **values):
    phases = tuple(
        replace(
            phase,
            tasks=tuple(
                replace(task, **values) if task.code == code else task for task in phase.tasks
            ),
        )
        for phase in tree.phases
    )
    return replace(tree, phases=phases)


AFTER_CUT_02 = (AfterNode("CUT-02"),)


def said(tree, go_live_at=GO_LIVE):
    return [(doubt.kind, doubt.key, doubt.message) for doubt in doubts(preview(tree, go_live_at))]


class TestDates:
    def test_everything_has_its_date_soonest_first(self):
        found = preview(TREE)
        assert [row.task.code for row in found.tasks] == ["CUT-01", "CUT-02", "GL-01", "CUT-03"]
        assert [node.key for node, _ in found.dated_key_dates] == ["ORDER", "FDP", "GL", "EOA"]
        (span,) = found.spans
        assert (span.first.on, span.last.on) == (date(2027, 3, 6), date(2027, 4, 8))

    def test_a_task_moves_with_what_it_waits_for(self):
        tree = with_task("CUT-02", after=(AfterNode("CUT-03", 2, "days"),))
        found = preview(tree)
        assert found.due["CUT-02"].on == date(2027, 4, 10)
        assert (
            "task",
            "CUT-02",
            "Its own offset comes before what it waits for (CUT-03), so it is due later.",
        ) in said(tree)

    def test_what_hangs_on_nothing_is_left_out(self):
        found = preview(with_task("CUT-02", anchor="NONE"))
        assert "CUT-02" not in found.due
        assert len(found.tasks) == 3


class TestGatesAndClocks:
    def test_a_gate_opens_when_the_last_that_it_covers_is_due(self):
        (gate,) = preview(TREE).gates
        assert (gate.last, gate.opens.on) == ("CUT-02", date(2027, 3, 8))
        assert gate.holds_up.at == GO_LIVE

    def test_a_gate_opens_no_sooner_than_the_one_before_it(self):
        (before,) = TREE.gates
        after = replace(before, key="after", cover_phases=(), blocks=())
        tree = replace(TREE, gates=(replace(before, blocks=("gate:after",)), after))
        assert [gate.last for gate in preview(tree).gates] == ["CUT-03", "CUT-03"]

    def test_a_clock_has_its_start_its_end_and_its_warnings(self):
        cut_over, access = preview(TREE).clocks
        assert (cut_over.end.at - cut_over.start.at) == timedelta(hours=72)
        assert [at.at - cut_over.start.at for at in cut_over.warnings] == [
            timedelta(hours=24),
            timedelta(hours=72),
        ]
        assert (access.start.on, access.end.on) == (date(2027, 3, 9), date(2027, 4, 23))
        assert [at.on for at in access.warnings] == [date(2027, 4, 9), date(2027, 4, 23)]

    def test_a_clock_after_a_breach_has_no_dates_and_one_that_is_off_is_left_out(self):
        cut_over, access = TREE.clocks
        late = replace(cut_over, key="late", starts="breach:access")
        tree = replace(TREE, clocks=(replace(cut_over, enabled=False), access, late))
        found = preview(tree)
        assert [one.clock.key for one in found.clocks] == ["access", "late"]
        assert (found.clocks[1].start, found.clocks[1].end, found.clocks[1].warnings) == (
            *(None, None),
            [],
        )
        row = Timeline(found, doubts(found)).clocks()[1]
        assert row.first == "Only if “Old-system access” is stopped too late"


HUGE = (40_000, 10**7, -(10**7), 10**12, 10**30)


class TestTooFarAway:
    @pytest.mark.parametrize("offset", HUGE)
    @pytest.mark.parametrize("unit", ["hours", "days", "working_days"])
    def test_a_task_that_no_calendar_reaches_is_a_fault_and_has_no_date(self, offset, unit):
        tree = with_task("CUT-02", offset=offset, unit=unit)
        found = preview(with_task("CUT-03", tree, after=AFTER_CUT_02))
        assert [row.task.code for row in found.tasks] == ["CUT-01", "GL-01"]
        assert isinstance(doubts(found), list)
        assert [fault.message for fault in check(tree)] == [
            f"Use a whole number from -3000 to 3000, not {offset}."
        ]

    @pytest.mark.parametrize("lag", [40_000, 10**30])
    def test_neither_is_what_waits_too_long(self, lag):
        found = preview(with_task("CUT-03", after=(AfterNode("CUT-02", lag, "working_days"),)))
        assert "CUT-03" not in found.due

    def test_waits_that_add_up_to_centuries_are_a_fault(self):
        """Each of them alone is none: 3,000 days, one after the other, leave the calendar."""
        more = [
            replace(node, code=f"MORE-{number}", after=(AfterNode(f"MORE-{number - 1}", 3_000),))
            for number, node in enumerate([next(TREE.tasks())] * 15, 2)
        ]
        first = replace(more[0], code="MORE-1", after=())
        plain = [replace(node, records="") for node in (first, *more)]
        phases = (replace(TREE.phases[0], tasks=(*TREE.phases[0].tasks, *plain)),)
        (fault,) = check(replace(TREE, phases=phases))
        assert fault.message == (
            "What tasks wait for adds up to 45000: use shorter waits, at most 40000."
        )

    @pytest.mark.parametrize("offset", HUGE[1:])
    def test_a_key_date_and_a_clock_out_of_reach_are_left_out(self, offset):
        dates = tuple(
            replace(node, offset=offset) if node.key == "ORDER" else node for node in TREE.key_dates
        )
        clocks = (replace(TREE.clocks[0], limit=abs(offset)), TREE.clocks[1])
        found = preview(replace(TREE, key_dates=dates, clocks=clocks))
        assert [node.key for node, _ in found.dated_key_dates] == ["FDP", "GL", "EOA"]
        assert found.clocks[0].end is None
        rows = Timeline(found, doubts(found)).clocks()
        assert rows[0].last == "No date"


class TestDoubts:
    def test_a_sound_plan_on_a_quiet_date_says_only_what_nobody_does(self):
        assert said(TREE) == [
            ("clock", "cut_over", "Nobody stops it: no task records GL."),
            ("clock", "access", "Nobody starts it: no task records GL."),
            ("clock", "access", "Nobody stops it: no task records EOA."),
        ]

    def test_work_on_a_bank_holiday_is_named(self):
        easter = local_to_utc(datetime(2027, 3, 30, 8))  # noqa: DTZ001
        assert ("task", "CUT-02", "It is due on a bank holiday: Easter Monday.") in said(
            TREE, easter
        )

    def test_key_dates_out_of_order_are_named(self):
        dates = tuple(
            replace(node, offset=5) if node.key == "FDP" else node for node in TREE.key_dates
        )
        assert ("key_date", "GL", "GL does not come after FDP.") in said(
            replace(TREE, key_dates=dates)
        )

    def test_a_signature_due_before_what_it_speaks_for_is_named(self):
        tree = with_task("GL-01", anchor="FDP")
        assert (
            "task",
            "GL-01",
            "It is due before “Go-live data” can open: CUT-02 is due later.",
        ) in said(tree)

    def test_a_gate_that_waits_for_its_own_task_is_named(self):
        tree = with_task("CUT-02", after=(AfterNode("GL-01"),))
        gate = replace(tree.gates[0], blocks=())
        assert (
            "gate",
            "go_live_data",
            "It waits for itself: GL-01 waits for CUT-02 and CUT-02 for GL-01.",
        ) in said(replace(tree, gates=(gate,)))

    def two_gates(self, tree):
        """The first holds FDP up and can only be signed after the other."""
        (gate,) = tree.gates
        first = replace(
            gate,
            key="first",
            title="First",
            seats=(replace(gate.seats[0], key="lead"),),
            cover_phases=(),
            blocks=("FDP",),
        )
        other = replace(gate, cover_phases=(), cover_tasks=("CUT-02",), blocks=("gate:first",))
        return replace(tree, gates=(first, other))

    def test_gates_that_wait_for_each_other_through_a_date_are_named(self):
        """The other is signed after FDP, which waits for the first, which waits for the other."""
        tree = self.two_gates(with_task("GL-01", after=(AfterNode("CUT-01"),)))
        message = (
            "It waits for itself: “First” waits for “Go-live data”, “Go-live data” for GL-01, "
            "GL-01 for CUT-01 and CUT-01 for “First”."
        )
        found = [one for one in said(tree) if "waits for itself" in one[2]]
        assert found == [("gate", "first", message)]
        assert "waits for itself" not in str(said(self.two_gates(TREE)))

    def test_also_where_what_they_cover_follows_the_date(self):
        tree = with_task("CUT-01", offset=-240)
        after = {"after": (AfterNode("CUT-01"),), "anchor": "FDP", "offset": -5}
        tree = self.two_gates(with_task("CUT-02", tree, **after))
        assert "“Go-live data” for CUT-02, CUT-02 for CUT-01" in str(said(tree))

    def test_a_task_that_waits_for_one_which_may_not_apply_is_named(self):
        asked = (ConditionNode("x", "X", "Is it so?"),)
        message = (
            "It waits for CUT-02, which does not always apply: where it does not, "
            "nothing holds this up."
        )
        tree = with_task("CUT-03", with_task("CUT-02", applies_if=("x",)), after=AFTER_CUT_02)
        assert ("task", "CUT-03", message) in said(replace(tree, conditions=asked))
        both = with_task("CUT-03", tree, applies_if=("x",))
        assert ("task", "CUT-03", message) not in said(replace(both, conditions=asked))

    def test_a_seat_that_nobody_is_asked_to_sign_is_named(self):
        tree = with_task("GL-01", gate="", seat="")
        message = "No task asks anybody to sign its seat “The practice”."
        assert ("gate", "go_live_data", message) in said(tree)

    def test_a_question_whose_answer_decides_nothing_is_named(self):
        tree = replace(TREE, conditions=(ConditionNode("x", "X", "Is it so?"),))
        assert ("condition", "x", "No task depends on its answer.") in said(tree)


PARTS = [(kind, place) for kind in FULL if kind != "plan" for place in range(len(FULL[kind]))]


@settings(max_examples=25, deadline=None)
@given(gone=st.sets(st.sampled_from(PARTS), min_size=1, max_size=40))
def test_any_broken_draft_is_laid_out_and_checked(gone):
    content = deepcopy(FULL)
    for kind, place in sorted(gone, reverse=True):
        del content[kind][place]
    tree = tree_from(content, slug="x")
    found = preview(tree)
    assert len(found.tasks) <= len(content["task"])
    assert isinstance(doubts(found), list)
    Timeline(found, doubts(found)).phases()
    assert isinstance(check(tree), list)


@pytest.mark.parametrize("slug", ["nhs-full-migration", "nhs-full-migration-90-days"])
def test_of_the_shipped_plans_it_says_what_their_sources_leave_open(slug):
    """Some approvals stand before the last thing they speak for, and some seats have no task."""
    tree = read_plan((FOLDER / f"{slug}.yaml").read_bytes(), file="x")
    found = {doubt.key for doubt in doubts(preview(tree)) if "bank holiday" not in doubt.message}
    early = {"DEC-04", "DEC-05", "RCK-06", "RCK-07", "COP-38"}
    assert found == early | {"readiness", "reentry_complete", "new_system"}


@pytest.mark.django_db
class TestPages:
    PAGE = "/plans/small/1/preview/"

    def day(self, **more):
        return {"go_live_day": "30", "go_live_month": "3", "go_live_year": "2027"} | more

    def test_the_timeline_of_a_draft_is_shown_for_the_day_that_is_asked(self, client, draft):
        page = client.get(self.PAGE, self.day()).content.decode()
        for words in (
            "For a go-live on Tuesday 30 March 2027, which is taken to be at 08:00.",
            "It is due on a bank holiday: Easter Monday.",
            "/plans/small/draft/tasks/CUT-02/",
            'class="app-timeline__span"',
        ):
            assert words in page

    def test_clashes_gates_and_clocks_stand_in_the_picture_too(self, client, draft):
        answer = client.get(self.PAGE, self.day())
        page = answer.content.decode()
        for words in (
            "▲ 1 to look at again",
            "Monday 29 March 2027, when CUT-02 is due",
            "Go-live: planned for Tuesday 30 March 2027 at 08:00",
            "Friday 14 May 2027, after 45 days",
            "Friday 30 April 2027 and Friday 14 May 2027",
        ):
            assert words in page
        (phase,), (gate,), (cut_over, access) = (
            answer.context[name] for name in ("phases", "gates", "clocks")
        )
        assert len(phase.picture.clashes) == 1
        assert phase.picture.x < phase.picture.clashes[0] < phase.picture.x + phase.picture.width
        assert gate.picture.clashes == []
        assert cut_over.picture.clashes == [cut_over.picture.x]
        assert len(access.picture.warnings) == 2
        triangles = sum(len(row.picture.clashes) for row in (phase, gate, cut_over, access))
        assert page.count('class="app-timeline__clash"') == triangles == 3

    def test_a_number_out_of_every_calendar_is_a_fault_on_each_page(self, client, ann, draft):
        values = {"offset": 10**12}
        services.set_fields(
            version=draft, kind="task", key="CUT-02", values=values, seen=0, by=ann, at=MONDAY
        )
        for page in ("preview", "check", "publish"):
            answer = client.get(f"/plans/small/1/{page}/")
            assert "Use a whole number from -3000 to 3000" in answer.content.decode(), page
        for page in ("/plans/small/1/", "/plans/small/draft/", "/plans/small/draft/tasks/CUT-02/"):
            assert client.get(page).status_code == 200, page

    def test_the_tasks_of_one_role_or_phase_are_listed(self, client, draft):
        answer = client.get(self.PAGE, self.day(owner="practice_manager"))
        assert [line.code for line in answer.context["lines"]] == ["GL-01"]

    def test_a_day_that_is_none_is_told_and_kept(self, client, draft):
        answer = client.get(self.PAGE, self.day(go_live_month="13"))
        assert answer.status_code == 422
        assert 'value="13"' in answer.content.decode()

    def test_faults_and_warnings_of_a_draft_lead_to_where_they_are_mended(self, client, ann, draft):
        services.remove_part(version=draft, kind="key_date", key="FDP", by=ann, at=MONDAY)
        page = client.get("/plans/small/1/check/").content.decode()
        for words in (
            "Every plan needs the key date FDP.",
            "/plans/small/draft/tasks/CUT-01/",
            "Nobody starts it: no task records GL.",
            "Clock Old-system access</a>",
        ):
            assert words in page
        assert client.get(self.PAGE, self.day()).status_code == 200

    def test_a_published_version_is_shown_too_and_leads_to_itself(self, client, ann, draft):
        services.publish(version=draft, by=ann, at=MONDAY)
        page = client.get(self.PAGE, self.day()).content.decode()
        assert 'href="/plans/small/1/"' in page
        assert "/plans/small/draft/" not in page

    def test_the_queries_are_the_same_however_long_the_plan_is(self, client, ann, draft):
        services.publish(version=draft, by=ann, at=MONDAY)
        load_shipped_plans(at=MONDAY)
        for name in ("preview", "check"):
            counts = []
            for slug in ("small", "nhs-full-migration"):
                with CaptureQueriesContext(connection) as queries:
                    assert client.get(f"/plans/{slug}/1/{name}/").status_code == 200
                counts.append(len(queries))
            assert counts[0] == counts[1] <= 22, name
