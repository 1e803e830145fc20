"""How the pages of plans say things: each in one word, and so that it can be acted upon."""

import pytest

from practices.plans import services
from practices.plans.models import PlanEdit
from tests.factories import MONDAY

from .test_workbench import CUT_02, HOME, ann, change, draft

__all__ = ["ann", "draft"]
pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"signs": "x"}, "Choose a seat of a gate of this plan, or nothing"),
        ({"records": "x"}, "Choose a key date of this plan, or no key date"),
        ({"by": ""}, "Enter how many hours or days"),
    ],
)
def test_an_error_says_what_is_to_be_entered(client, draft, typed, said):
    (errors,) = change(client, CUT_02, **typed).context["form"].errors.values()
    assert errors == [said]


def test_a_fault_names_the_box_where_it_is_mended(client, draft):
    change(client, CUT_02, mandatory="no")
    assert "under “When it applies, in words”" in client.get("/plans/small/1/check/").text


def test_the_form_of_a_task_says_which_of_two_tasks_is_named(client, draft):
    assert "Name the task that this waits for by its code." in client.get(CUT_02).text


def test_back_and_forth_is_said_once(client, draft):
    change(client, CUT_02, title="Other")
    for number in (1, 2, 3):
        client.post(f"{HOME}changes/{number}/take-back/")
    said = list(PlanEdit.objects.order_by("number").values_list("summary", flat=True))
    what = "Task CUT-02 Check the data changed"
    assert said == [what, f"Taken back: {what}", f"Put back: {what}", f"Taken back: {what}"]


def test_a_fold_with_two_wordings_is_called_so(client, draft):
    change(client, CUT_02, guidance="Look at each record twice. " * 5)
    assert "Guidance before and after" in client.get(HOME).text


def test_the_preview_says_its_time_and_names_its_upright_lines(client, draft):
    page = client.get("/plans/small/1/preview/").text
    assert "which is taken to be at 08:00." in page
    assert (
        "from left to right: Order, Final data production, Go-live, End of old-system access."
        in page
    )


def test_migrations_that_run_are_moved_everywhere(client, ann, draft):
    assert "until somebody moves them to this one" in client.get("/plans/small/1/publish/").text
    services.publish(version=draft, by=ann, at=MONDAY)
    page = client.get("/plans/").text
    assert "only when somebody moves it to the new version" in page
