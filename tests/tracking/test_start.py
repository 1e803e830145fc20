"""Starting a migration: what is computed, what is refused, and the pages that lead there."""

from datetime import timedelta
from functools import partial

import pytest
import time_machine

from practices.accounts.models import Membership
from practices.accounts.roles import Owner, Role
from practices.common.errors import Refused
from practices.common.time import to_london
from practices.plans.models import PlanVersion
from practices.tracking import services
from practices.tracking.models import Contact, Migration
from practices.tracking.services import ContactDetails
from tests.factories import (
    FDP_AT,
    GO_LIVE_AT,
    MONDAY,
    Kind,
    make_commissioner,
    make_migration,
    make_organisation,
    make_person,
    make_plan_version,
    make_practice,
    make_system,
)

from .cast import assert_sound
from .steps import hours
from .test_dates_pages import messages, said
from .test_tasks_races import at_once

pytestmark = pytest.mark.usefixtures("db")
URL = "/migrations/start/"


class TestTheService:
    def test_it_copies_the_plan_and_counts_its_tasks(self):
        commissioner = make_commissioner()
        migration = make_migration(practice=make_practice(commissioner=commissioner))
        assert migration.reference == f"{migration.practice.organisation.code}-1"
        assert migration.commissioner_at_start == commissioner
        assert (migration.open_count, migration.tasks.count()) == (8, 8)
        assert [phase.open_count for phase in migration.phases.all()] == [4, 2, 2]
        assert migration.gates.get().state == "waiting"
        assert_sound(migration)

    def test_the_preview_is_what_is_written(self):
        plan = make_plan_version()
        preview = services.preview_start(
            plan_version=plan, go_live_at=GO_LIVE_AT, fdp_at=FDP_AT, at=MONDAY
        )
        migration = make_migration(plan_version=plan, fdp_at=FDP_AT)
        written = {d.key: d.planned for d in migration.key_dates.all()}
        assert written == {d.key_date.key: d.moment for d in preview.dates}
        due = {task.code: (task.due_on, task.due_at) for task in migration.tasks.all()}
        assert due == {t.task.code: (t.moment.on, t.moment.at) for t in preview.tasks}

    @pytest.mark.parametrize(
        ("fdp_at", "at", "warnings"),
        [
            (GO_LIVE_AT - hours(72), MONDAY, []),
            (
                GO_LIVE_AT - hours(85.5),
                MONDAY,
                ["lasts 85 hours 30 minutes, 13 hours 30 minutes over the limit of 72 hours"],
            ),
            (FDP_AT, FDP_AT, ["1 of 8 tasks would already be late today"]),
            (FDP_AT, GO_LIVE_AT, ["This go-live date is in the past"]),
        ],
    )
    def test_what_deserves_a_second_look_is_said(self, fdp_at, at, warnings):
        preview = services.preview_start(
            plan_version=make_plan_version(), go_live_at=GO_LIVE_AT, fdp_at=fdp_at, at=at
        )
        assert len(preview.warnings) == len(warnings)
        for said_, words in zip(preview.warnings, warnings, strict=True):
            assert words in said_

    def test_a_practice_has_one_at_a_time(self):
        practice = make_practice()
        first = make_migration(practice=practice)
        with pytest.raises(Refused, match=f"already has a migration under way: {first.reference}"):
            make_migration(practice=practice)
        services.cancel_migration(
            migration=first, reason="Merged", by=first.project_manager, at=MONDAY
        )
        assert make_migration(practice=practice).reference.endswith("-2")

    def test_only_from_a_published_plan(self):
        draft = make_plan_version(publish=False)
        with pytest.raises(Refused, match="Choose a published plan"):
            make_migration(plan_version=draft)
        retired = make_plan_version()
        PlanVersion.objects.filter(pk=retired.pk).update(state="retired")
        with pytest.raises(Refused, match="Choose a published plan"):
            make_migration(plan_version=retired)

    def test_only_between_two_systems_and_dates_in_order(self):
        system = make_system()
        with pytest.raises(Refused, match="two different systems"):
            make_migration(source_system=system, target_system=system)
        with pytest.raises(Refused, match="has to come before go-live"):
            make_migration(fdp_at=GO_LIVE_AT)

    def test_the_project_manager_holds_that_role_where_it_is_run(self):
        somebody = make_person(Role.PROJECT_MANAGER, make_organisation(Kind.DELIVERY_PARTNER))
        with pytest.raises(Refused, match="is not a project manager of"):
            make_migration(project_manager=somebody)

    def test_a_contact_nobody_can_reach_starts_nothing(self):
        with pytest.raises(Refused, match="Enter a telephone number"):
            make_migration(contacts=[ContactDetails(role=Owner.TARGET_SUPPLIER, name="Tess")])


def test_twenty_starts_at_once_make_one_migration(committed_db):
    practice, plan = make_practice(), make_plan_version()
    partner = make_organisation(Kind.DELIVERY_PARTNER)
    manager = make_person(Role.PROJECT_MANAGER, partner)
    systems = make_system(), make_system()
    start = partial(
        make_migration,
        practice=practice,
        plan_version=plan,
        run_by=partner,
        project_manager=manager,
        source_system=systems[0],
        target_system=systems[1],
    )
    results = at_once(start for _ in range(20))
    won = [result for result in results if isinstance(result, Migration)]
    assert len(won) == 1
    assert {str(r) for r in results if r not in won} == {
        f"{practice} already has a migration under way: {won[0].reference}."
    }
    assert_sound(won[0])


@pytest.fixture
def world():
    """Somebody who may start a migration, and what it takes."""
    partner = make_organisation(Kind.DELIVERY_PARTNER, "Northern GP IT")
    return {
        "partner": partner,
        "manager": make_person(Role.PROJECT_MANAGER, partner, name="Priya Shah"),
        "practice": make_practice("Oak Lane Medical Centre"),
        "plan": make_plan_version(),
        "old": make_system("Alpha Care"),
        "new": make_system("Beta Clinic"),
    }


def typed(world, **change) -> dict[str, str]:
    live = to_london(GO_LIVE_AT)
    return {
        "practice": world["practice"].organisation.code,
        "plan_version": world["plan"].pk,
        "source_system": world["old"].pk,
        "target_system": world["new"].pk,
        "project_manager": Membership.objects.get(person=world["manager"]).pk,
        "go_live_day": live.day,
        "go_live_month": live.month,
        "go_live_year": live.year,
        "go_live_time": "08:00",
        "new_name": "Tess Target",
        "new_telephone": "01632 960201",
        **change,
    }


@pytest.fixture
def at_work(client, world):
    with time_machine.travel(MONDAY, tick=False):
        client.force_login(world["manager"])
        yield client


class TestThePages:
    @pytest.mark.parametrize(
        ("day", "month", "year", "words"),
        [
            (28, 3, 2027, "01:30 on 28 March 2027 does not exist"),
            (31, 10, 2027, "01:30 on 31 October 2027 happens twice"),
        ],
    )
    def test_one_time_for_both_in_a_changing_hour_is_complained_of_once(
        self, at_work, world, day, month, year, words
    ):
        sent = typed(world)
        for name in ("go_live", "fdp"):
            sent |= {f"{name}_day": day, f"{name}_month": month, f"{name}_year": year}
            sent |= {f"{name}_time": "01:30"}
        form = at_work.post(URL, sent).context["form"]
        assert [words in error for error in form.errors["go_live"]] == [True]
        assert form.errors["fdp"] == ["Final data production has to come before go-live"]

    @pytest.mark.parametrize("role", [Role.PRACTICE_MANAGER, Role.TRAINER, Role.COMMISSIONER])
    def test_only_project_managers_and_administrators_start_one(self, client, role):
        client.force_login(make_person(role))
        assert client.get(URL).status_code == 403
        assert client.post(URL).status_code == 403

    def test_it_begins_with_finding_the_practice(self, at_work, world):
        page = at_work.get(URL, follow=True)
        assert page.redirect_chain == [
            (f"/directory/practices/find/?next={URL.replace('/', '%2F')}", 302)
        ]
        found = at_work.get(f"/directory/practices/find/?next={URL}&q=oak+lane")
        assert f'value="{world["practice"].organisation.code}"' in said(found)

    def test_a_code_that_no_open_practice_has_is_searched_for(self, at_work):
        page = at_work.get(f"{URL}?practice=NOPE", follow=True)
        assert 'value="NOPE"' in said(page)
        assert "No open practice was found for “NOPE”" in said(page)

    def test_the_only_plan_is_chosen_already_and_one_of_two_is_not(self, at_work, world):
        address = f"{URL}?practice={world['practice'].organisation.code}"
        chosen = f'value="{world["plan"].pk}" checked'
        assert chosen in said(at_work.get(address))
        make_plan_version()
        assert chosen not in said(at_work.get(address))

    def test_all_dates_are_shown_before_anything_is_written(self, at_work, world):
        page = at_work.post(URL, typed(world))
        for words in (
            "Nothing is started yet",
            "Mon 12 Apr 2027, 08:00 BST",
            "Fri 9 Apr 2027, 19:00 BST",
            "Thursday 27 May 2027",
            "CUT-02 Check the data",
        ):
            assert words in said(page), words
        assert not Migration.objects.exists()

    def test_confirming_starts_it(self, at_work, world):
        page = at_work.post(URL, typed(world, confirm="1"), follow=True)
        migration = Migration.objects.get()
        assert messages(page) == f"The migration {migration.reference} is started."
        assert migration.run_by == world["partner"]
        assert migration.key_dates.get(key="GL").planned_at == GO_LIVE_AT
        contact = Contact.objects.get()
        assert (contact.role, contact.name) == (Owner.TARGET_SUPPLIER, "Tess Target")

    def test_a_long_cut_over_is_warned_of_and_allowed(self, at_work, world):
        fdp = to_london(GO_LIVE_AT - hours(85.5))
        early = {
            "fdp_day": fdp.day,
            "fdp_month": fdp.month,
            "fdp_year": fdp.year,
            "fdp_time": "18:30",
        }
        page = at_work.post(URL, typed(world, **early))
        assert "13 hours 30 minutes over the limit of 72 hours" in said(page)
        at_work.post(URL, typed(world, **early, confirm="1"))
        assert Migration.objects.exists()

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"go_live_time": ""}, "must include a time"),
            (
                {"go_live_day": "28", "go_live_month": "3", "go_live_time": "01:30"},
                "does not exist",
            ),
            (
                {"go_live_day": "31", "go_live_month": "10", "go_live_time": "01:30"},
                "happens twice",
            ),
            ({"plan_version": ""}, "Select plan"),
            ({"new_telephone": ""}, "Enter a telephone number or an email address for Tess"),
            ({"new_telephone": "abc"}, "Enter a telephone number, such as 01632 960001"),
            ({"new_name": ""}, "Enter the name of the new supplier"),
            ({"new_email": "tess@"}, "Enter an email address like name@example.com"),
        ],
    )
    def test_what_is_wrong_gets_a_sentence_and_the_rest_stays(self, at_work, world, change, words):
        page = at_work.post(URL, typed(world, **change, confirm="1"))
        assert page.status_code == 422
        assert words in said(page)
        if "new_telephone" not in change:
            assert 'value="01632 960201"' in said(page)
        assert "Enter a telephone number or" not in said(page) or change == {"new_telephone": ""}
        assert not Migration.objects.exists()

    def test_the_two_systems_differ(self, at_work, world):
        page = at_work.post(URL, typed(world, target_system=world["old"].pk))
        assert "Choose a new system that is not the old one" in said(page)

    def test_going_back_keeps_what_was_typed(self, at_work, world):
        page = at_work.post(URL, typed(world, back="1"))
        assert page.status_code == 200
        assert 'value="Tess Target"' in said(page)

    def test_a_practice_with_one_under_way_says_which(self, at_work, world):
        running = make_migration(
            practice=world["practice"], run_by=world["partner"], project_manager=world["manager"]
        )
        code = world["practice"].organisation.code
        page = at_work.get(f"{URL}?practice={code}")
        assert f'href="/migrations/{running.reference}/"' in said(page)
        page = at_work.post(URL, typed(world, confirm="1"))
        assert page.status_code == 422
        assert "already has a migration under way" in said(page)
        assert 'value="Tess Target"' in said(page)

    def test_a_closed_practice_is_not_to_be_had(self, at_work, world):
        organisation = world["practice"].organisation
        organisation.valid_to = (MONDAY - timedelta(days=1)).date()
        organisation.save()
        page = at_work.get(f"{URL}?practice={organisation.code}")
        assert page.status_code == 302

    def test_a_project_manager_sees_those_of_their_own_organisations(self, at_work, world):
        other = make_person(Role.PROJECT_MANAGER, name="Olga Other")
        code = world["practice"].organisation.code
        assert "Olga Other" not in said(at_work.get(f"{URL}?practice={code}"))
        foreign = Membership.objects.get(person=other).pk
        page = at_work.post(URL, typed(world, project_manager=foreign, confirm="1"))
        assert page.status_code == 422
        assert not Migration.objects.exists()

    @pytest.mark.parametrize("chosen", ["²", "9" * 5000, "9" * 30, "\x00", "-1"])
    def test_what_is_no_project_manager_is_refused_among_many(self, at_work, world, chosen):
        for number in range(31):
            make_person(Role.PROJECT_MANAGER, world["partner"], name=f"Manager {number:02}")
        page = at_work.post(URL, typed(world, project_manager=chosen))
        assert page.status_code == 422

    def test_an_administrator_searches_among_many(self, at_work, world):
        for number in range(40):
            make_person(Role.PROJECT_MANAGER, world["partner"], name=f"Manager {number:02}")
        make_person(Role.PROJECT_MANAGER, world["partner"], name="Zelda Quick")
        at_work.force_login(make_person(Role.ADMINISTRATOR))
        code = world["practice"].organisation.code
        page = at_work.get(f"{URL}?practice={code}")
        assert len(page.context["form"].fields["project_manager"].choices) == 31
        page = at_work.post(
            URL, typed(world, find="1", manager_words="quick northern", new_name="Tess")
        )
        assert page.status_code == 200
        names = [label for _, label in page.context["form"].fields["project_manager"].choices]
        assert names == ["Select", "Priya Shah, Northern GP IT", "Zelda Quick, Northern GP IT"]
        assert 'value="Tess"' in said(page)
        assert "There is a problem" not in said(page)
