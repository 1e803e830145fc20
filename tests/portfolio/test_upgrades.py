"""Moving many migrations: chosen, checked, moved by a job, reported, undone."""

import re
from collections import Counter

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from practices.accounts.roles import Role
from practices.common import jobs
from practices.common.models import Job
from practices.tracking.models import Migration, UpgradeItem, UpgradeRun
from practices.tracking.services import upgrading
from practices.tracking.services.lifecycle import cancel_migration
from practices.tracking.services.upgrading import running
from tests.factories import FDP_AT, MONDAY, make_person, make_plan_version
from tests.tracking.cast import assert_sound, make_cast
from tests.tracking.dependent import tick
from tests.tracking.steps import record, sign
from tests.tracking.versions import adding, next_version, state_of, without

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def monday():
    with time_machine.travel(MONDAY, tick=False):
        yield


@pytest.fixture
def first():
    return make_plan_version()


@pytest.fixture
def casts(first):
    return [make_cast(plan_version=first) for _ in range(3)]


@pytest.fixture
def second(first, casts):
    return next_version(first, adding("go_live", "GL-03"), without("POST-01"))


@pytest.fixture
def administrator():
    return make_person(Role.ADMINISTRATOR, name="Ada Admin")


def ask(casts, version, by) -> UpgradeRun:
    return upgrading.ask_for_upgrades(
        migrations=[cast.migration for cast in casts],
        version=version,
        reopen=False,
        chosen="one by one",
        by=by,
        at=MONDAY,
    )


def work(job: Job) -> Job:
    jobs.run_job(job.pk, at=MONDAY)
    job.refresh_from_db()
    return job


def states(run: UpgradeRun) -> list[str]:
    return list(run.items.order_by("pk").values_list("state", flat=True))


def test_all_are_moved_and_the_one_that_ended_meanwhile_is_named(casts, second, administrator):
    run = ask(casts, second, administrator)
    over = casts[1]
    cancel_migration(migration=over.migration, reason="Not now", by=over.project_manager, at=MONDAY)
    job = work(run.job)
    assert (job.state, job.done, job.total) == (Job.State.DONE, 3, 3)
    assert states(run) == ["done", "failed", "done"]
    assert "cancelled" in run.items.get(migration=over.migration).problem
    for cast in (casts[0], casts[2]):
        assert Migration.objects.get(pk=cast.migration.pk).plan_version == second
        assert_sound(cast.migration)


def test_a_fault_in_one_is_told_with_a_reference_and_stops_no_other(
    casts, second, administrator, monkeypatch, caplog
):
    run = ask(casts, second, administrator)
    real = running.upgrade_migration

    def breaks(**of):
        if of["migration"].pk == casts[0].migration.pk:
            raise KeyError("a secret")
        return real(**of)

    monkeypatch.setattr(running, "upgrade_migration", breaks)
    work(run.job)
    assert states(run) == ["failed", "done", "done"]
    problem = run.items.first().problem
    assert "a secret" not in problem
    assert problem.split()[-1].rstrip(".") in caplog.text


def test_undoing_all_leaves_what_somebody_worked_on_and_names_it(casts, second, administrator):
    before = [state_of(cast.migration) for cast in casts]
    run = ask(casts, second, administrator)
    work(run.job)
    tick(casts[1], "GL-03")
    worked_on = state_of(casts[1].migration)
    run = upgrading.ask_to_undo(run=run, by=administrator, at=MONDAY)
    work(run.undo_job)
    assert states(run) == ["undone", "done", "undone"]
    assert "Alice Manager" in run.items.get(migration=casts[1].migration).problem
    assert state_of(casts[0].migration) == before[0]
    assert state_of(casts[2].migration) == before[2]
    assert state_of(casts[1].migration) == worked_on


def test_an_administrator_goes_from_the_plan_to_the_report(client, casts, second, administrator):
    client.force_login(administrator)
    slug = second.plan.slug
    address = f"/portfolio/upgrades/{slug}/2/"
    assert address in client.get(f"/plans/{slug}/2/").text
    page = client.get(address).text
    assert all(cast.migration.reference in page for cast in casts)
    chosen = f"migration={casts[0].migration.reference}"
    assert "1 migration would be moved" in client.get(f"{address}check/?{chosen}").text
    assert "3 migrations would be moved" in client.get(f"{address}check/?all=yes").text
    answer = client.post(f"{address}start/?{chosen}")
    run = UpgradeRun.objects.get()
    assert answer.url == f"/portfolio/upgrades/{run.pk}/"
    assert "Refresh" in client.get(answer.url).text
    work(run.job)
    report = client.get(answer.url).text
    assert "New: 1, removed: 1" in report
    assert '"GL-03","POST-01"' in client.get(f"{answer.url}report.csv").text
    item = run.items.get()
    client.post(f"{answer.url}undo/{item.pk}/")
    item.refresh_from_db()
    assert item.state == UpgradeItem.State.UNDONE
    assert f"{casts[0].migration.name} has version 1 again." in client.get(answer.url).text


def test_a_forged_choice_chooses_none(client, second, administrator):
    client.force_login(administrator)
    for page in ("check", "start"):
        address = f"/portfolio/upgrades/{second.plan.slug}/2/{page}/?migration=%00"
        answer = client.post(address) if page == "start" else client.get(address)
        assert answer.status_code == 302
    assert not UpgradeRun.objects.exists()


def test_choosing_none_is_said(client, casts, second, administrator):
    client.force_login(administrator)
    address = f"/portfolio/upgrades/{second.plan.slug}/2/"
    answer = client.get(f"{address}check/", follow=True)
    assert "Choose at least one migration" in answer.text


def test_a_project_manager_moves_only_what_their_organisation_runs(client, casts, second):
    mine, other = casts[0], casts[1]
    client.force_login(mine.project_manager)
    address = f"/portfolio/upgrades/{second.plan.slug}/2/"
    page = client.get(address).text
    assert mine.migration.reference in page
    assert other.migration.reference not in page
    client.post(f"{address}start/?migration={other.migration.reference}")
    assert not UpgradeRun.objects.exists()


def test_one_migration_is_moved_on_its_own_page(client, casts, second):
    cast = casts[0]
    client.force_login(cast.project_manager)
    assert "A newer version of the plan is there" in client.get(cast.url()).text
    page = client.get(cast.url("upgrade"))
    assert "GL-03 New task GL-03" in page.text
    seen = upgrading.preview_upgrade(cast.migration, second).mark
    tick(cast, "POST-01")
    stale = client.post(cast.url("upgrade"), {"seen": seen})
    assert stale.status_code == 409
    assert "changed since you looked" in stale.text
    seen = upgrading.preview_upgrade(cast.migration, second).mark
    client.post(cast.url("upgrade"), {"seen": seen})
    assert Migration.objects.get(pk=cast.migration.pk).plan_version == second
    assert "No longer in plan" in client.get(cast.url("tasks", "POST-01")).text
    assert "A newer version of the plan is there" not in client.get(cast.url()).text


def test_of_one_migration_nobody_is_asked_to_choose_all(client, first, administrator):
    make_cast(plan_version=first)
    version = next_version(first, without("POST-01"))
    client.force_login(administrator)
    page = client.get(f"/portfolio/upgrades/{version.plan.slug}/2/").text
    assert "See what changes for those chosen" in page
    assert "for all" not in page


def test_a_practice_is_not_asked(client, casts, second):
    client.force_login(casts[0].manager)
    assert "A newer version of the plan is there" not in client.get(casts[0].url()).text
    assert client.get(casts[0].url("upgrade")).status_code == 403


def test_migrations_are_chosen_by_who_manages_and_who_runs_them(
    client, casts, second, administrator
):
    client.force_login(administrator)
    address = f"/portfolio/upgrades/{second.plan.slug}/2/"
    mine, others = casts[0].migration, [cast.migration for cast in casts[1:]]
    for chosen in (f"manager={mine.project_manager_id}", f"runner={mine.run_by_id}"):
        page = client.get(f"{address}?{chosen}").context["page_obj"]
        assert [one.reference for one in page] == [mine.reference]
        assert "1 migration would be moved" in client.get(f"{address}check/?all=yes&{chosen}").text
    nobody = f"manager={mine.project_manager_id}&runner={others[0].run_by_id}"
    assert "No running migration that fits" in client.get(f"{address}?{nobody}").text


def test_a_run_that_failed_says_what_still_waits_and_goes_on(client, casts, second, administrator):
    client.force_login(administrator)
    run = ask(casts, second, administrator)
    address = f"/portfolio/upgrades/{run.pk}/"
    assert "Go on with those that wait" not in client.get(address).text
    Job.objects.filter(pk=run.job.pk).update(attempts=jobs.MOST_ATTEMPTS)
    assert work(run.job).state == Job.State.FAILED
    page = client.get(address).text
    assert "3 migrations still wait and nothing in them was changed" in page
    assert client.post(f"{address}go-on/").url == address
    run.refresh_from_db()
    assert work(run.job).state == Job.State.DONE
    assert states(run) == ["done"] * 3
    answer = client.post(f"{address}go-on/", follow=True)
    assert "Nothing of it is left to go on with" in answer.text


def test_undoing_that_failed_can_be_asked_for_again(casts, second, administrator):
    run = ask(casts, second, administrator)
    work(run.job)
    run = upgrading.ask_to_undo(run=run, by=administrator, at=MONDAY)
    Job.objects.filter(pk=run.undo_job.pk).update(attempts=jobs.MOST_ATTEMPTS)
    work(run.undo_job)
    run = upgrading.ask_to_undo(run=run, by=administrator, at=MONDAY)
    work(run.undo_job)
    assert states(run) == ["undone"] * 3


def test_what_withdrew_sign_offs_says_before_and_after_that_it_cannot_be_undone(
    client, administrator
):
    cast = make_cast()
    record(cast, "FDP", FDP_AT)
    sign(cast)
    version = next_version(
        cast.migration.plan_version,
        adding("cut_over", "CUT-09", anchor="FDP", offset=1, unit="hours"),
    )
    client.force_login(administrator)
    address = f"/portfolio/upgrades/{version.plan.slug}/2/"
    assert "cannot be undone" in client.get(f"{address}check/?all=yes").text
    assert "That cannot be undone" in client.get(f"{address}check/?all=yes&reopen=yes").text
    client.post(f"{address}start/?all=yes&reopen=yes")
    run = UpgradeRun.objects.get()
    work(run.job)
    page = client.get(f"/portfolio/upgrades/{run.pk}/").text
    assert "Cannot be undone: sign-offs were withdrawn" in page
    assert "Withdrawn sign-offs: “Go-live data”" in page
    report = client.get(f"/portfolio/upgrades/{run.pk}/report.csv").text.splitlines()
    assert "Withdrawn sign-offs" in report[0]
    assert "Go-live data" in report[1]
    assert f"/undo/{run.items.get().pk}/" not in page
    assert "Undo all that nobody has worked on since" not in page


def test_no_list_or_report_reads_more_statements_for_twenty_migrations_than_for_one(
    client, first, administrator
):
    casts = [make_cast(plan_version=first) for _ in range(20)]
    second = next_version(first, adding("go_live", "GL-03"), without("POST-01"))
    client.force_login(administrator)
    address = f"/portfolio/upgrades/{second.plan.slug}/2/"
    runs = [ask(some, second, administrator) for some in (casts[:1], casts)]

    def counted(page: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(page).status_code == 200
        return len(queries)

    one = casts[0].migration.practice.organisation.code
    assert counted(f"{address}?practice={one}") == counted(address)
    # The same run, with one item and with twenty, while it waits and when it is over.
    for _ in range(2):
        for page in ("", "report.csv"):
            few, many = (counted(f"/portfolio/upgrades/{run.pk}/{page}") for run in runs)
            assert few == many, page
        work(runs[0].job)
        work(runs[1].job)


def test_a_preview_of_twenty_reads_the_plan_once(client, first, administrator):
    casts = [make_cast(plan_version=first) for _ in range(20)]
    second = next_version(first, adding("go_live", "GL-03"), without("POST-01"))
    client.force_login(administrator)
    address = f"/portfolio/upgrades/{second.plan.slug}/2/check/"

    def read(query: str) -> Counter[str]:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(f"{address}?{query}").status_code == 200
        return Counter(re.findall(r'FROM "(plans_\w+)"', " ".join(q["sql"] for q in queries)))

    assert read(f"migration={casts[0].migration.reference}") == read("all=yes")
