"""A plan laid out for one go-live: its dates, and what deserves a second look."""

from copy import deepcopy
from dataclasses import replace
from datetime import date, datetime

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
    tree_from,
)
from practices.plans.shipping import FOLDER, load_shipped_plans
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


def with_task(code, **values):
    phases = tuple(
        replace(
            phase,
            tasks=tuple(
                replace(task, **values) if task.code == code else task for task in phase.tasks
            ),
        )
        for phase in TREE.phases
    )
    return replace(TREE, phases=phases)


def said(tree, go_live_at=GO_LIVE):
    return [(doubt.kind, doubt.key, doubt.message) for doubt in preview(tree, go_live_at).doubts]


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
            "It waits for its own task GL-01, through CUT-02 that it covers.",
        ) in said(replace(tree, gates=(gate,)))

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
    assert isinstance(found.doubts, list)
    assert isinstance(check(tree), list)


@pytest.mark.parametrize("slug", ["nhs-full-migration", "nhs-full-migration-90-days"])
def test_of_the_shipped_plans_it_says_what_their_sources_leave_open(slug):
    """Some approvals stand before the last thing they speak for, and some seats have no task."""
    tree = read_plan((FOLDER / f"{slug}.yaml").read_bytes(), file="x")
    found = {doubt.key for doubt in preview(tree).doubts if "bank holiday" not in doubt.message}
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
            "For a go-live on Tuesday 30 March 2027.",
            "It is due on a bank holiday: Easter Monday.",
            "/plans/small/draft/tasks/CUT-02/",
            'class="app-timeline__span"',
        ):
            assert words in page

    def test_the_tasks_of_one_role_or_phase_are_listed(self, client, draft):
        answer = client.get(self.PAGE, self.day(owner="practice_manager"))
        assert [line.row.task.code for line in answer.context["lines"]] == ["GL-01"]

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
