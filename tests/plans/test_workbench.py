"""The workbench: an administrator edits a draft in the browser, one small POST at a time."""

import pytest
from django.forms import MultipleChoiceField

from practices.accounts.roles import Role
from practices.plans import services
from practices.plans.models import PlanVersion
from practices.plans.queries import tree_of
from practices.plans.shipping import load_shipped_plans
from practices.plans.yaml import read_plan, write_plan
from tests.factories import MONDAY, make_person

from .small import SMALL

pytestmark = pytest.mark.django_db
HOME = "/plans/small/draft/"
TASKS = f"{HOME}phases/cut_over/tasks/"
CUT_02 = f"{HOME}tasks/CUT-02/"


@pytest.fixture
def ann(client):
    person = make_person(Role.ADMINISTRATOR, name="Ann Admin")
    client.force_login(person)
    return person


@pytest.fixture
def draft(ann):
    tree = read_plan(SMALL, file="plan.yaml")
    return services.load_plan(tree=tree, by=None, at=MONDAY).version


def tree():
    return tree_of(PlanVersion.objects.get(state="draft"))


def codes():
    return [task.code for task in tree().tasks()]


def posted(answer):
    """What the boxes of a page would post if nobody touched them."""
    form = answer.context["form"]
    sent = {"seen": answer.context.get("seen", "")}
    for bound in form:
        value = bound.value()
        if hasattr(bound.field, "prepare_value"):
            value = bound.field.prepare_value(value)
        if isinstance(bound.field, MultipleChoiceField) and value:
            # A browser sends ticked boxes in the order in which they stand.
            value = [box.data["value"] for box in bound if box.data["value"] in value]
        if value is not None and value is not False:
            sent[bound.html_name] = "on" if value is True else value
    return sent


def change(client, url, **values):
    """Open a page, type something and save."""
    return client.post(url, posted(client.get(url)) | values)


class TestBeginning:
    def test_a_new_plan_is_made_blank_or_as_a_copy(self, client, ann, draft):
        services.publish(version=draft, by=ann, at=MONDAY)
        sent = {"title": "Ours", "slug": "ours", "copied": ""}
        assert client.post("/plans/new/", sent)["Location"] == "/plans/ours/draft/"
        sent = {"title": "Copy", "slug": "copy", "copied": str(draft.pk)}
        client.post("/plans/new/", sent)
        copy = PlanVersion.objects.get(plan__slug="copy")
        assert next(tree_of(copy).tasks()).code == "CUT-01"

    def test_a_short_name_that_is_taken_or_odd_is_refused_and_kept(self, client, draft):
        for slug, sentence in (("small", "There is a plan"), ("Not So", "small letters")):
            answer = client.post("/plans/new/", {"title": "X", "slug": slug, "copied": ""})
            assert answer.status_code == 422
            assert sentence in answer.content.decode()
            assert f'value="{slug}"' in answer.content.decode()

    def test_a_new_version_is_drafted_once(self, client, ann, draft):
        services.publish(version=draft, by=ann, at=MONDAY)
        for _ in range(2):
            assert client.post("/plans/small/1/draft/")["Location"] == HOME
        assert PlanVersion.objects.filter(state="draft").count() == 1

    def test_the_list_leads_to_the_workbench(self, client, draft):
        assert f'href="{HOME}"' in client.get("/plans/").content.decode()

    def test_a_draft_counts_its_clocks_as_the_page_of_a_version_does(self, client, draft):
        change(client, f"{HOME}clocks/access/", enabled="")
        for address in (HOME, "/plans/small/1/"):
            assert "1 clock (1 more switched off)" in client.get(address).content.decode()

    def test_the_home_of_a_draft_says_what_it_holds_and_what_is_wrong(self, client, ann, draft):
        page = client.get(HOME).content.decode()
        assert "1 phase, 4 tasks" in page
        assert "No faults" in page
        for name in ("preview", "check"):
            assert f'href="/plans/small/1/{name}/"' in page
        services.remove_part(version=draft, kind="key_date", key="FDP", by=ann, at=MONDAY)
        assert "must be mended" in client.get(HOME).content.decode()


class TestEveryForm:
    PLANS = ("nhs-full-migration", "nhs-cut-over-to-post-go-live")

    @pytest.mark.parametrize("slug", PLANS)
    def test_saving_without_a_change_changes_nothing_in_any_part(self, client, ann, slug):
        load_shipped_plans(at=MONDAY)
        version = PlanVersion.objects.get(plan__slug=slug)
        before = write_plan(tree_of(version))
        services.draft_from(version=version, by=ann, at=MONDAY)
        draft = PlanVersion.objects.get(plan__slug=slug, state="draft")
        home, said = f"/plans/{slug}/draft/", draft.content or {}
        addresses = [f"{home}details/"]
        for kind in ("key_date", "phase", "gate", "clock", "reminder", "condition"):
            path = f"{kind.replace('_', '-')}s"
            addresses += [f"{home}{path}/{part['key']}/" for part in said[kind]]
        addresses += [f"{home}tasks/{part['code']}/" for part in said["task"][::7]]
        for address in addresses:
            answer = change(client, address)
            assert answer.status_code == 302, (address, answer.context["form"].errors)
        draft.refresh_from_db()
        assert (draft.revision, write_plan(tree_of(draft))) == (0, before)


class TestEditing:
    def test_a_change_is_saved_and_said(self, client, draft):
        answer = change(client, CUT_02, title="Check every record", by="3")
        assert answer["Location"] == f"{TASKS}#row-CUT-02"
        task = next(task for task in tree().tasks() if task.code == "CUT-02")
        assert (task.title, task.offset, task.guidance[:7]) == ("Check every record", -3, "Compare")
        assert "“Check every record” is saved." in client.get(TASKS).content.decode()

    def test_texts_are_shown_as_they_will_read_and_nothing_is_saved(self, client, draft):
        answer = change(client, CUT_02, guidance="Do **this** <b>now</b>", reads="1")
        page = answer.content.decode()
        assert answer.status_code == 200
        assert "Do <strong>this</strong> &lt;b&gt;now&lt;/b&gt;" in page
        assert answer.context["form"]["guidance"].value() == "Do **this** <b>now</b>"
        assert PlanVersion.objects.get().revision == 0
        add = {"code": "CUT-50", "title": "New", "lesson": "*Early*", "reads": "1"}
        page = client.post(f"{HOME}add/tasks/?phase=cut_over", add).content.decode()
        assert "<em>Early</em>" in page
        assert "CUT-50" not in codes()

    def test_bad_input_is_said_kept_and_not_saved(self, client, draft):
        answer = change(client, CUT_02, title="", by="many", after_1_task="CUT-99")
        page = answer.content.decode()
        assert answer.status_code == 422
        for sentence in (
            "Enter title",
            "How many must be a number, such as 12",
            "CUT-99 is no task of this plan",
        ):
            assert sentence in page
        assert 'value="many"' in page
        assert PlanVersion.objects.get().revision == 0

    @pytest.mark.parametrize("box", ["guidance", "lesson"])
    @pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "/plans/"])
    def test_a_link_that_is_not_followed_is_refused_where_it_is_typed(
        self, client, draft, box, url
    ):
        text = f"See [this]({url})"
        sentence = f"The link {url} must start with https://, http:// or mailto:"
        for more in ({}, {"reads": "1"}):
            answer = change(client, CUT_02, **{box: text}, **more)
            assert answer.context["form"].errors == {box: [sentence]}
            assert sentence in answer.content.decode()
            assert answer.context["form"][box].value() == text
        assert PlanVersion.objects.get().revision == 0
        assert change(client, CUT_02, **{box: "[This](https://nhs.uk)"}).status_code == 302

    def test_everything_a_task_says_can_be_changed(self, client, draft):
        add = {"title": "Dispensing practice", "question": "Does the practice dispense?"}
        assert client.post(f"{HOME}add/conditions/", add).status_code == 302
        sent = {
            "owner": "lead_gp",
            "helps": ["clinician", "it_lead"],
            "anchor": "FDP",
            "side": "after",
            "by": "2",
            "unit": "working_days",
            "basis": "suggested",
            "guidance": "How\r\nto",
            "lesson": "Start early",
            "mandatory": "no",
            "condition": "Only if it dispenses",
            "if_dispensing_practice": "no",
            "after_1_task": "cut-01",
            "after_1_lag": "3",
            "after_1_unit": "hours",
            "evidence": "A note",
            "records": "ORDER",
            "source": "Us",
        }
        assert change(client, CUT_02, **sent).status_code == 302
        task = next(task for task in tree().tasks() if task.code == "CUT-02")
        assert (task.owner, task.helps) == ("lead_gp", ("clinician", "it_lead"))
        assert (task.anchor, task.offset, task.unit) == ("FDP", 2, "working_days")
        assert (task.guidance, task.lesson) == ("How\nto", "Start early")
        assert (task.mandatory, task.applies_if) == (False, ("not:dispensing_practice",))
        (link,) = task.after
        assert (link.task, link.lag, link.unit) == ("CUT-01", 3, "hours")
        assert (task.evidence, task.records, task.source) == ("A note", "ORDER", "Us")

    @pytest.mark.parametrize("lag", ["0", "3"])
    def test_how_long_after_no_task_is_asked_about(self, client, draft, lag):
        answer = change(client, CUT_02, after_1_lag=lag)
        said = "Enter the code of the task to wait for, or empty “How long after it”"
        assert answer.context["form"].errors == {"after_1_task": [said]}
        assert answer.context["form"]["after_1_lag"].value() == lag
        assert PlanVersion.objects.get().revision == 0
        change(client, CUT_02, after_1_task="CUT-01", after_1_lag=lag)
        assert change(client, CUT_02, after_1_task="").status_code == 302
        assert not next(task for task in tree().tasks() if task.code == "CUT-02").after

    def test_roles_keep_their_order_and_new_ones_come_last(self, client, draft, ann):
        helps = ["it_lead", "clinician"]
        services.set_fields(
            version=draft, kind="task", key="CUT-02", values={"helps": helps},
            seen=draft.revision, by=ann, at=MONDAY,
        )  # fmt: skip
        for sent, kept in (
            (["clinician", "it_lead"], ("it_lead", "clinician")),
            (["lead_gp", "clinician", "it_lead"], ("it_lead", "clinician", "lead_gp")),
            (["lead_gp", "clinician"], ("clinician", "lead_gp")),
        ):
            change(client, CUT_02, helps=sent)
            assert next(task for task in tree().tasks() if task.code == "CUT-02").helps == kept

    def test_the_limit_of_a_clock_is_changed_from_45_to_90(self, client, draft):
        change(client, f"{HOME}clocks/access/", limit="90", warn_before="28, 14, 0")
        clock = next(clock for clock in tree().clocks if clock.key == "access")
        assert (clock.limit, clock.warn_before) == (90, (28, 14, 0))
        page = client.get(f"{HOME}changes/").content.decode()
        assert "Clock Old-system access: limit from 45 days to 90 days" in page

    def test_a_clock_can_follow_a_breach_and_a_task(self, client, draft):
        sent = {
            "title": "Report",
            "starts": "breach:cut_over",
            "stops": "task",
            "stops_task": "CUT-03",
            "limit": "5",
            "unit": "working_days",
        }
        assert client.post(f"{HOME}add/clocks/", sent).status_code == 302
        assert tree().clocks[-1].stops == "task:CUT-03"
        answer = client.post(f"{HOME}add/clocks/", sent | {"stops_task": "CUT-98"})
        assert "CUT-98 is no task of this plan" in answer.content.decode()

    def test_seats_are_added_and_taken_out(self, client, draft):
        gate = f"{HOME}gates/go_live_data/"
        change(client, gate, seat_2_title="Second GP", seat_2_roles=["lead_gp"])
        seats = tree().gates[0].seats
        assert [(seat.key, seat.title) for seat in seats] == [
            ("practice", "The practice"),
            ("second_gp", "Second GP"),
        ]
        change(client, gate, seat_1_title="", seat_1_roles=[])
        assert [seat.key for seat in tree().gates[0].seats] == ["second_gp"]
        answer = change(client, gate, seat_2_title="Nobody")
        assert "Select at least one role" in answer.content.decode()

    def test_a_key_date_is_counted_or_named_or_a_clocks_end(self, client, draft):
        sent = {"key": "SURVEY", "title": "Survey", "precision": "day", "how": "offset"}
        answer = client.post(f"{HOME}add/key-dates/", sent)
        assert "Enter how many" in answer.content.decode()
        more = {"by": "40", "unit": "days", "side": "before"}
        client.post(f"{HOME}add/key-dates/", sent | more)
        assert (tree().key_dates[-1].offset, tree().key_dates[-1].unit) == (-40, "days")
        change(client, f"{HOME}key-dates/SURVEY/", how="same_as", same_as="ORDER")
        assert (tree().key_dates[-1].offset, tree().key_dates[-1].same_as) == (None, "ORDER")
        answer = client.post(f"{HOME}add/key-dates/", sent | more)
        assert "SURVEY is a key date already" in answer.content.decode()

    def test_a_condition_needs_both_halves_of_what_it_is_known_from(self, client, draft):
        sent = {"title": "From Old Record", "question": "Is it?", "system": "source"}
        answer = client.post(f"{HOME}add/conditions/", sent)
        assert answer.status_code == 422
        assert "Enter the name of the system" in answer.content.decode()
        client.post(f"{HOME}add/conditions/", sent | {"named": "Old Record"})
        (node,) = tree().conditions
        assert (node.key, node.named) == ("from_old_record", "Old Record")

    def test_a_reminder_says_when_with_a_minus_for_before(self, client, draft):
        sent = {
            "title": "Links off",
            "enabled": "on",
            "anchor": "FDP",
            "offsets": "-3, -1",
            "unit": "days",
            "deliver": "any_hour",
            "tell": ["practice_manager"],
            "advice": "Switch them off.",
            "until": "task",
            "until_task": "CUT-01",
        }
        assert client.post(f"{HOME}add/reminders/", sent).status_code == 302
        node = tree().reminders[-1]
        assert (node.key, node.offsets, node.until) == ("links_off", (-3, -1), "task:CUT-01")
        answer = client.post(f"{HOME}add/reminders/", sent | {"offsets": "three"})
        assert "not “three”" in answer.content.decode()

    def test_what_looks_like_an_nhs_number_is_asked_about(self, client, draft):
        answer = change(client, CUT_02, guidance="As for 943 476 5919")
        assert answer.status_code == 422
        assert "could be an NHS number" in answer.content.decode()


class TestArranging:
    def test_tasks_are_added_with_a_code_that_goes_on(self, client, draft):
        page = client.get(f"{HOME}add/tasks/?phase=cut_over")
        assert page.context["form"]["code"].value() == "GL-02"
        sent = {
            "code": "CUT-09",
            "title": "New",
            "owner": "lead_gp",
            "anchor": "GL",
            "by": "1",
            "side": "after",
            "unit": "days",
            "basis": "suggested",
            "mandatory": "yes",
        }
        answer = client.post(f"{HOME}add/tasks/?phase=cut_over", sent)
        assert answer["Location"] == f"{TASKS}#row-CUT-09"
        assert codes()[-1] == "CUT-09"
        answer = client.post(f"{HOME}add/tasks/?phase=cut_over", sent)
        assert "CUT-09 is a task already" in answer.content.decode()

    def test_a_task_is_moved_by_buttons_and_dropped_behind_another(self, client, draft):
        client.post(f"{CUT_02}move/", {"to": "up"})
        assert codes() == ["CUT-02", "CUT-01", "CUT-03", "GL-01"]
        client.post(f"{CUT_02}move/", {"to": "up"})
        assert codes() == ["CUT-02", "CUT-01", "CUT-03", "GL-01"]
        client.post(f"{CUT_02}move/", {"to": "down"})
        client.post(f"{CUT_02}move/", {"behind": "CUT-03"})
        assert codes() == ["CUT-01", "CUT-03", "CUT-02", "GL-01"]

    def test_a_phase_is_added_renamed_filled_merged_and_removed(self, client, draft):
        client.post(f"{HOME}add/phases/", {"title": "After go-live"})
        change(client, f"{HOME}phases/after_go_live/", title="Afterwards")
        answer = client.post(f"{HOME}tasks/CUT-03/move/", {"phase": "after_go_live"})
        assert answer["Location"] == f"{HOME}phases/after_go_live/tasks/#row-CUT-03"
        assert [(one.title, len(one.tasks)) for one in tree().phases] == [
            ("Cut-over", 3),
            ("Afterwards", 1),
        ]
        page = client.get(f"{HOME}phases/cut_over/remove/").content.decode()
        assert "3 tasks of this phase go with it" in page
        client.post(f"{HOME}phases/cut_over/merge/", {"phase": "after_go_live"})
        assert [one.key for one in tree().phases] == ["after_go_live"]
        client.post(f"{HOME}phases/after_go_live/remove/")
        assert codes() == []

    def test_the_ticked_tasks_are_changed_at_once(self, client, draft):
        sent = {"task": ["CUT-02", "CUT-03"], "bulk-owner": "lead_gp", "bulk-side": "after"}
        more = {"bulk-anchor": "FDP", "bulk-by": "5", "bulk-unit": "working_days"}
        assert client.post(TASKS, sent | more).status_code == 302
        chosen = [task for task in tree().tasks() if task.code in sent["task"]]
        assert {(t.owner, t.anchor, t.offset, t.unit) for t in chosen} == {
            ("lead_gp", "FDP", 5, "working_days")
        }
        client.post(TASKS, {"task": ["CUT-02"], "bulk-mandatory": "no"})
        assert [task.mandatory for task in tree().tasks()] == [True, False, True, True]

    @pytest.mark.parametrize(
        ("sent", "due"),
        [
            ({"by": "12"}, [("GL", -12, "days"), ("GL", 12, "days")]),
            ({"by": "12", "anchor": "FDP"}, [("FDP", -12, "days"), ("FDP", 12, "days")]),
            ({"anchor": "FDP"}, [("FDP", -1, "days"), ("FDP", 30, "days")]),
            ({"unit": "working_days"}, [("GL", -1, "working_days"), ("GL", 30, "working_days")]),
            ({"side": "before"}, [("GL", -1, "days"), ("GL", -30, "days")]),
            ({"by": "2", "side": "after"}, [("GL", 2, "days"), ("GL", 2, "days")]),
        ],
    )
    def test_what_a_bulk_change_leaves_alone_stays_with_each_task(self, client, draft, sent, due):
        form = client.get(TASKS).context["form"]
        untouched = {bound.html_name: bound.value() or "" for bound in form}
        boxes = untouched | {f"bulk-{name}": value for name, value in sent.items()}
        assert client.post(TASKS, boxes | {"task": ["CUT-02", "CUT-03"]}).status_code == 302
        tasks = [task for task in tree().tasks() if task.code in ("CUT-02", "CUT-03")]
        assert [(task.anchor, task.offset, task.unit) for task in tasks] == due

    def test_a_task_due_at_its_key_date_itself_needs_a_side(self, client, draft):
        sent = {"task": ["CUT-01", "CUT-02", "GL-01"], "bulk-by": "12"}
        answer = client.post(TASKS, sent)
        assert answer.status_code == 422
        sentence = "Select before or after: CUT-01 and GL-01 are due at their key date itself"
        assert sentence in answer.content.decode()
        assert PlanVersion.objects.get().revision == 0
        client.post(TASKS, sent | {"bulk-side": "before"})
        assert [task.offset for task in tree().tasks()] == [-12, -12, 30, -12]

    @pytest.mark.parametrize(
        ("sent", "sentence"),
        [
            ({"bulk-owner": "lead_gp"}, "Tick the tasks"),
            ({"task": ["CUT-02"]}, "Choose what to change"),
            ({"task": ["CUT-02"], "bulk-by": "many"}, "How many must be a number"),
        ],
    )
    def test_a_bulk_change_that_says_too_little_is_refused(self, client, draft, sent, sentence):
        answer = client.post(TASKS, sent)
        assert answer.status_code == 422
        assert sentence in answer.content.decode()
        assert PlanVersion.objects.get().revision == 0

    def test_what_was_removed_can_be_removed_twice_and_is_not_found_again(self, client, draft):
        for _ in range(2):
            assert client.post(f"{CUT_02}remove/").status_code == 302
        assert client.get(CUT_02).status_code == 404
        assert "CUT-02" not in codes()
