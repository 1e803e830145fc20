"""What there is before a journey begins: fictional people, a practice, the shipped plans."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from practices.accounts.models import User
from practices.accounts.roles import Owner, Role
from practices.common import clock
from practices.common.time import london_date, london_time
from practices.directory.models import Organisation
from practices.plans.models import PlanVersion
from practices.plans.services import load_plan, publish
from practices.plans.shipping import FOLDER
from practices.plans.yaml import read_plan
from practices.tracking.models import Migration
from practices.tracking.services import ContactDetails
from tests.factories import (
    make_commissioner,
    make_migration,
    make_organisation,
    make_person,
    make_practice,
    make_system,
)

Kind = Organisation.Kind
CUT_OVER_PLAN = "nhs-cut-over-to-post-go-live"
NEW_SUPPLIER = "tess.target@newsystems.example"


def the_day(number: int, at: time) -> datetime:
    """A time of day, ``number`` days from today, never in an hour in which the clocks change."""
    return london_time(london_date(clock.now()) + timedelta(days=number), at)


def shipped_plan(slug: str = CUT_OVER_PLAN) -> PlanVersion:
    """A plan as it comes with the software."""
    at = clock.now() - timedelta(days=100)
    file = FOLDER / f"{slug}.yaml"
    tree = read_plan(file.read_bytes(), file=file.name)
    loaded = load_plan(tree=tree, by=None, at=at, shipped=True)
    return publish(version=loaded.version, by=None, at=at)


@dataclass(frozen=True)
class Place:
    """A practice on its way, and the people who work on it."""

    migration: Migration
    manager: User
    project_manager: User


def a_project_manager() -> tuple[User, Organisation]:
    """Priya Shah and the delivery partner she works for."""
    partner = make_organisation(Kind.DELIVERY_PARTNER, "Example Delivery Partner")
    name, email = "Priya Shah", "priya.shah@example.test"
    return make_person(Role.PROJECT_MANAGER, partner, name=name, email=email), partner


def a_practice_whose_cut_over_begins() -> Place:
    """Prepared for two months; the final extract was planned for two days ago at 18:30."""
    project_manager, partner = a_project_manager()
    practice = make_practice("Elm Tree Surgery", commissioner=make_commissioner("NHS Example ICB"))
    manager = make_person(
        Role.PRACTICE_MANAGER, practice, name="Alice Manager", email="alice@example.test"
    )
    migration = make_migration(
        practice=practice,
        plan_version=shipped_plan(),
        run_by=partner,
        project_manager=project_manager,
        source_system=make_system("Old Record"),
        target_system=make_system("New Record"),
        go_live_at=the_day(1, time(8)),
        fdp_at=the_day(-2, time(18, 30)),
        contacts=[
            ContactDetails(
                role=Owner.TARGET_SUPPLIER,
                name="Tess Target",
                organisation="New Systems Ltd",
                telephone="01632 960101",
                email=NEW_SUPPLIER,
            )
        ],
        at=clock.now() - timedelta(days=60),
    )
    return Place(migration, manager, project_manager)
