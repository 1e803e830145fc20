"""Making the demo: organisations and people first, then one story after the other."""

import io
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.contrib.auth.hashers import make_password
from django.db import transaction

from practices.accounts.models import User
from practices.accounts.roles import PRACTICE_ROLES, Owner, Role
from practices.accounts.services import (
    SERVICE_TEAM,
    add_administrator,
    add_membership,
    add_person,
    appoint_deputy,
    invite,
)
from practices.common.models import Event
from practices.common.services import SITE_STREAM, record_event
from practices.common.time import london_date
from practices.directory.models import ClinicalSystem, Organisation, Practice
from practices.directory.practice_file import check_practice_file
from practices.directory.services import import_practices, load_reference_data
from practices.plans.models import PlanVersion
from practices.tracking.models import Migration
from practices.tracking.services import ContactDetails, start_migration
from practices.tracking.services.conditions import known_answers

from . import cast
from .stories import DAY, STORIES, Story
from .walk import Walk, finishing_touches

SEEDED = "demo.seeded"
LONG_AGO = timedelta(days=400)


class Outcome(StrEnum):
    """What came of seeding, as the command says it."""

    SEEDED = "The demo is ready."
    ALREADY = "The demo is already there."
    IN_USE = "There is other data here, so the demo was left out."


def is_seeded() -> bool:
    """Whether this database holds the demo."""
    return Event.objects.of(SITE_STREAM).filter(kind=SEEDED).exists()


@transaction.atomic
def seed(*, password: str, at: datetime) -> Outcome:
    """Make the demo in an empty database, as it would stand at the instant ``at``.

    ``password`` is that of every listed account. Does nothing where the demo
    or anything else has been started already.
    """
    if is_seeded():
        return Outcome.ALREADY
    if User.objects.exists() or Migration.objects.exists():
        return Outcome.IN_USE
    load_reference_data(at=at - LONG_AGO)
    _organisations(at=at - LONG_AGO)
    people = _people(password, at=at - LONG_AGO)
    for story in STORIES:
        _tell(story, people, now=at)
    _coming_and_going(people, at=at)
    record_event(stream=SITE_STREAM, kind=SEEDED, by=None, at=at)
    return Outcome.SEEDED


def _organisations(*, at: datetime) -> None:
    for code, (kind, name) in cast.ORGANISATIONS.items():
        Organisation.objects.create(code=code, kind=kind, name=name)
    source = check_practice_file(io.BytesIO(cast.PRACTICES.encode()))
    import_practices(source=source, by=None, at=at)


@dataclass(frozen=True)
class People:
    """Finding who acts: by role and organisation, or by address."""

    by_place: dict[tuple[str, str], User]
    by_email: dict[str, User]

    def for_migration(self, story: Story) -> dict[str, User]:
        """Who does the work of each owner key; what nobody holds falls to the practice manager."""
        manager = self.by_place[Role.PRACTICE_MANAGER, story.practice]
        acting: dict[str, User] = dict.fromkeys(Owner.values, manager)
        for role in PRACTICE_ROLES:
            acting[role] = self.by_place.get((role, story.practice), manager)
        for role in (Role.TRAINER, Role.DELIVERY_PARTNER):
            acting[role] = self.by_place[role, story.partner]
        acting[Owner.PROJECT_MANAGER] = self.by_email[cast.PROJECT_MANAGERS[story.partner]]
        commissioner = Organisation.objects.get(
            practice_links__practice__organisation__code=story.practice
        )
        acting[Owner.COMMISSIONER] = self.by_place[Role.COMMISSIONER, commissioner.code]
        source, target = _systems(story)
        acting[Owner.SOURCE_SUPPLIER] = self.by_place[Role.SUPPLIER, source.supplier.code]
        acting[Owner.TARGET_SUPPLIER] = self.by_place[Role.SUPPLIER, target.supplier.code]
        return acting


def _people(password: str, *, at: datetime) -> People:
    email, name = cast.ADMINISTRATOR
    administrator = add_administrator(email=email, name=name, password=None, by=None, at=at)
    organisations = {row.code: row for row in Organisation.objects.all()}
    people = People({(Role.ADMINISTRATOR, SERVICE_TEAM): administrator}, {email: administrator})
    for one in (*cast.LISTED, *cast.OTHERS):
        person = add_person(email=one.email, name=one.name, by=administrator, at=at)
        add_membership(
            person=person,
            organisation=organisations[one.at],
            role=one.role,
            by=administrator,
            at=at,
        )
        people.by_place.setdefault((one.role, one.at), person)
        people.by_email[one.email] = person
    # Hashed once: doing it for each of them takes longer than all the rest.
    listed = [email, *(one.email for one in cast.LISTED)]
    User.objects.filter(email__in=listed).update(password=make_password(password))
    return people


def _coming_and_going(people: People, *, at: datetime) -> None:
    """In the first practice somebody is invited, and somebody stands in for the manager soon."""
    code, today = cast.LISTED[0].at, london_date(at)
    manager = people.by_place[Role.PRACTICE_MANAGER, code]
    invite(
        email="new.starter@example.org",
        name="Nora Penrose",
        organisation=Organisation.objects.get(code=code),
        role=Role.PRACTICE_STAFF,
        by=manager,
        at=at,
    )
    appoint_deputy(
        membership=manager.memberships.get(),
        deputy=people.by_place[Role.PRACTICE_STAFF, code],
        first=today + DAY,
        last=today + 3 * DAY,
        by=manager,
        at=at,
    )


def _systems(story: Story) -> tuple[ClinicalSystem, ClinicalSystem]:
    systems = ClinicalSystem.objects.select_related("supplier")
    source, target = story.systems
    return systems.get(name=source), systems.get(name=target)


def _tell(story: Story, people: People, *, now: datetime) -> None:
    acting = people.for_migration(story)
    source, target = _systems(story)
    go_live = story.go_live(now)
    started = min(go_live - story.started_before_go_live, now - DAY)
    plan = PlanVersion.objects.published().get(plan__slug=story.plan)
    migration = start_migration(
        practice=Practice.objects.select_related("organisation").get(
            organisation__code=story.practice
        ),
        plan_version=plan,
        source_system=source,
        target_system=target,
        project_manager=acting[Owner.PROJECT_MANAGER],
        run_by=Organisation.objects.get(code=story.partner),
        go_live_at=go_live,
        fdp_at=go_live - story.cut_over,
        contacts=_contacts(acting, source, target),
        answers=known_answers(plan, source=source, target=target),
        by=acting[Owner.PROJECT_MANAGER],
        at=started,
    )
    Walk(migration, story, acting, now=now).go()
    if story is STORIES[0]:
        finishing_touches(migration, acting, now=now)


def _contacts(
    acting: dict[str, User], source: ClinicalSystem, target: ClinicalSystem
) -> list[ContactDetails]:
    """Numbers are from the ranges kept free for drama: they ring nowhere."""
    return [
        ContactDetails(
            role=Owner.TARGET_SUPPLIER,
            name=acting[Owner.TARGET_SUPPLIER].name,
            organisation=target.supplier.name,
            telephone="01632 960201",
            email=acting[Owner.TARGET_SUPPLIER].email,
        ),
        ContactDetails(
            role=Owner.SOURCE_SUPPLIER,
            name=acting[Owner.SOURCE_SUPPLIER].name,
            organisation=source.supplier.name,
            telephone="01632 960202",
            email=acting[Owner.SOURCE_SUPPLIER].email,
        ),
        ContactDetails(
            role=Owner.PROJECT_MANAGER,
            name=acting[Owner.PROJECT_MANAGER].name,
            organisation="out of hours",
            telephone="07700 900123",
        ),
        ContactDetails(
            role=Owner.THIRD_PARTY_SUPPLIER,
            name="Service desk",
            organisation="Vale Pathology Laboratory",
            telephone="01632 960203",
            email="pathology.desk@example.org",
        ),
    ]
