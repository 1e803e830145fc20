"""The workbench: an administrator edits a draft in the browser, one small POST at a time."""

import pytest

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

    def test_the_home_of_a_draft_says_what_it_holds_and_what_is_wrong(self, client, ann, draft):
        page = client.get(HOME).content.decode()
        assert "1 phase, 4 tasks" in page
        assert "No faults" in page
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
