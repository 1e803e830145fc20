"""Moving running migrations in a browser: on a phone and a wide screen, and without scripts."""

import re

import pytest

from practices.accounts.roles import Role
from practices.common import clock, jobs
from practices.tracking.models import UpgradeRun
from tests.factories import make_person, make_plan_version
from tests.tracking.cast import make_cast
from tests.tracking.versions import adding, next_version, without

from .visitor import Visitor


@pytest.fixture
def administrator(live_app):
    return make_person(Role.ADMINISTRATOR, name="Ada Admin")


@pytest.fixture
def casts(live_app):
    version = make_plan_version()
    casts = [make_cast(plan_version=version) for _ in range(10)]
    next_version(
        version,
        adding("go_live", "GL-03", lesson="Two practices forgot it."),
        without("POST-01"),
    )
    return casts


def plan_page(casts) -> str:
    return f"/plans/{casts[0].migration.plan_version.plan.slug}/2/"


@pytest.mark.parametrize("scripts", [True, False])
def test_ten_running_migrations_are_moved_and_one_goes_back(
    new_visitor, administrator, casts, scripts
):
    v: Visitor = new_visitor(scripts=scripts)
    v.signs_in(administrator, at=plan_page(casts))
    v.follows("Move running migrations to this version")
    v.sees("Migrations on older versions: 10")
    v.presses("See what changes for all 10")
    v.sees("10 migrations would be moved")
    v.presses("Move 10 migrations")
    run = UpgradeRun.objects.get()
    assert run.job_id
    jobs.run_job(run.job_id, at=clock.now())
    v.opens(f"/portfolio/upgrades/{run.pk}/")
    v.sees("From version 1. New: 1, removed: 1")
    first = v.main.get_by_role("row").nth(1)
    v.presses(re.compile("Undo"), within=first)
    v.is_told("has version 1 again.")
    assert sorted(run.items.values_list("state", flat=True)) == ["done"] * 9 + ["undone"]


def test_every_page_of_upgrades_fits_and_has_no_fault(new_visitor, administrator, casts):
    v: Visitor = new_visitor()
    address = plan_page(casts).replace("/plans/", "/portfolio/upgrades/")
    reference = casts[0].migration.reference
    v.signs_in(administrator, at=address)
    for page in (address, f"{address}check/?all=yes", f"/migrations/{reference}/upgrade/"):
        v.looks_at(page)
    v.page.goto(f"{address}check/?all=yes")
    v.presses("Move 10 migrations")
    run = UpgradeRun.objects.get()
    v.looks_at(f"/portfolio/upgrades/{run.pk}/")
    assert run.job_id
    jobs.run_job(run.job_id, at=clock.now())
    v.looks_at(f"/portfolio/upgrades/{run.pk}/")
