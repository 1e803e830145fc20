"""Moving one migration on its own page: what is said before, and the way back afterwards."""

import re
from dataclasses import replace

import pytest
import time_machine

from practices.accounts.roles import Role
from practices.plans.rules import ConditionNode
from practices.tracking.models import Migration
from practices.tracking.services.upgrading import preview_upgrade
from tests.factories import FDP_AT, MONDAY, make_person

from .cast import make_cast
from .dependent import tick
from .steps import record, sign
from .versions import adding, next_version, with_task, without

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def monday():
    with time_machine.travel(MONDAY, tick=False):
        yield


@pytest.fixture
def cast(client):
    cast = make_cast()
    client.force_login(cast.project_manager)
    return cast


def version_of(cast):
    return Migration.objects.get(pk=cast.migration.pk).plan_version


def move(client, cast, version, *, reopen=False):
    """Confirm the move as its page shows it; gives the page that follows."""
    seen = preview_upgrade(cast.migration, version, reopen=reopen).mark
    sent = {"seen": seen} | ({"reopen": "yes"} if reopen else {})
    return client.post(cast.url("upgrade"), sent, follow=True)


class TestTheWayBack:
    def test_the_page_after_the_move_undoes_it(self, client, cast):
        first = version_of(cast)
        second = next_version(first, adding("go_live", "GL-03"), without("POST-01"))
        page = move(client, cast, second)
        assert "You can undo it as long as nobody works on the migration." in page.text
        item = cast.migration.upgrades.get()
        address = cast.url("upgrade", str(item.pk), "undo")
        assert f'action="{address}"' in page.text
        answer = client.post(address, follow=True)
        assert "has version 1 of the plan again" in answer.text
        assert version_of(cast) == first
        assert f'action="{address}"' not in answer.text

    def test_history_and_home_lead_to_it(self, client, cast):
        move(client, cast, next_version(version_of(cast), without("POST-01")))
        link = f'href="{cast.url("upgrade")}"'
        for page in (client.get(cast.url("history")), client.get(cast.url())):
            assert link in page.text
        client.force_login(cast.manager)
        for page in (client.get(cast.url("history")), client.get(cast.url())):
            assert link not in page.text

    def test_what_somebody_has_worked_on_since_says_who_and_what(self, client, cast):
        page = move(client, cast, next_version(version_of(cast), without("POST-01")))
        tick(cast, "CUT-03")
        page = client.get(cast.url("upgrade"))
        assert "Somebody has worked on it since, so it cannot be undone." in page.text
        assert "Did CUT-03" in page.text
        item = cast.migration.upgrades.get()
        address = cast.url("upgrade", str(item.pk), "undo")
        assert f'action="{address}"' not in page.text
        assert "worked on it since" in client.post(address, follow=True).text
        assert version_of(cast).number == 2

    def test_what_withdrew_sign_offs_says_that_it_cannot_be_undone(self, client, cast):
        record(cast, "FDP", FDP_AT)
        sign(cast)
        second = next_version(
            version_of(cast), adding("cut_over", "CUT-09", anchor="FDP", offset=1, unit="hours")
        )
        page = move(client, cast, second, reopen=True)
        assert "It withdrew sign-offs" in page.text
        assert "undo/" not in page.text
        assert "as long as nobody works" not in page.text


def test_both_wordings_of_a_text_are_shown(client, cast):
    words = "Look at each template twice, with a colleague. " * 5
    next_version(version_of(cast), with_task("CUT-03", guidance=words))
    page = client.get(cast.url("upgrade")).text
    assert "Guidance before and after" in page
    assert words.strip() in page


class TestOverdueAtOnce:
    LATE = "Would be overdue at once"

    def test_new_and_earlier_tasks_that_are_past_are_called_so(self, client, cast):
        second = next_version(
            version_of(cast),
            adding("go_live", "GL-03", offset=-900),
            adding("go_live", "GL-04"),
            with_task("CUT-03", offset=-900),
        )
        page = client.get(cast.url("upgrade"))
        late = re.findall(rf"<li>(\S+) [^<]*<[^>]*>\s*{self.LATE}", page.text)
        assert late == ["GL-03", "CUT-03"]
        assert page.context["late"] == {"GL-03", "CUT-03"}
        client.force_login(make_person(Role.ADMINISTRATOR))
        check = client.get(f"/portfolio/upgrades/{second.plan.slug}/2/check/?all=yes")
        assert "Overdue at once" in check.text
        assert [len(row.late) for row in check.context["rows"]] == [2]

    def test_nothing_is_called_so_where_nothing_is_past(self, client, cast):
        next_version(version_of(cast), adding("go_live", "GL-03"))
        assert self.LATE not in client.get(cast.url("upgrade")).text

    def test_new_tasks_that_do_not_apply_are_not_called_so(self, client, cast):
        next_version(
            version_of(cast),
            lambda tree: replace(
                tree, conditions=(ConditionNode("old", "Old", "Is it?", "source", "No system"),)
            ),
            adding("go_live", "GL-03", offset=-900, applies_if=("old",)),
        )
        assert self.LATE not in client.get(cast.url("upgrade")).text
