"""Who acts as what in a migration today: its team, and whom its plan means by a role."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol, TypeVar

from django.db.models import Q, QuerySet

from practices.accounts.models import Membership, User
from practices.accounts.roles import PORTFOLIO_ROLES, PRACTICE_ROLES, Owner, Permission, Role
from practices.common.time import london_date
from practices.directory.models import CommissionerLink, Organisation
from practices.plans.models import PlanSeat

from .models import Migration
from .models.task import TaskQuerySet, assignee_is_here


def project_managers(organisation: Organisation, day: date) -> QuerySet[User]:
    """Who can run migrations for an organisation on a day."""
    holds = Membership.objects.held_on(day).filter(
        organisation=organisation, role=Role.PROJECT_MANAGER
    )
    return User.objects.filter(is_active=True, pk__in=holds.values("person"))


class Audience(defaultdict[tuple[int, str], set[int]]):
    """People by (migration, owner key).

    ``deputies`` are those who stand in for somebody, by (migration, absent person).
    """

    def __init__(self) -> None:
        super().__init__(set)
        self.deputies: defaultdict[tuple[int, int], set[int]] = defaultdict(set)

    def only(self, person: int) -> "Audience":
        """The same for one person."""
        for people in (*self.values(), *self.deputies.values()):
            people &= {person}
        return self


Place = tuple[int, str]  # organisation and role
_Key = TypeVar("_Key")


class Placed(Protocol):
    """Whose a migration is: the migration itself, or what was read of it."""

    @property
    def pk(self) -> int: ...
    @property
    def practice_id(self) -> int: ...
    @property
    def run_by_id(self) -> int: ...
    @property
    def project_manager_id(self) -> int: ...
    @property
    def target_supplier_id(self) -> int: ...
    @property
    def source_supplier_id(self) -> int: ...


def audience(
    migrations: Iterable[Placed], *, now: datetime, person: User | None = None
) -> Audience:
    """Who acts as which owner in each of these migrations today, or only ``person`` of them.

    This is the rule of ``Migration.roles_of`` for many at once, in two queries,
    with one difference: of an organisation's project managers only the one the
    migration names is told, with their deputies, and all of them once that one has left
    the role.
    Migrations themselves come with their systems.
    """
    migrations = list(migrations)
    commissioners = defaultdict(set)
    for practice, commissioner in CommissionerLink.objects.filter(
        practice__among={m.practice_id for m in migrations}, valid_to=None
    ).values_list("practice", "commissioner"):
        commissioners[practice].add(commissioner)
    held = _held(migrations, commissioners, now=now, person=person)
    found = Audience()
    for migration in migrations:
        key = migration.pk
        for owner, place in _places(migration, commissioners[migration.practice_id]):
            if place not in held:
                continue
            found[key, owner] |= held[place].keys()
            for deputy, absent in held[place].items():
                for somebody in absent:
                    found.deputies[key, somebody].add(deputy)
        managers = found[key, Owner.PROJECT_MANAGER]
        named = migration.project_manager_id
        found[key, Owner.PROJECT_MANAGER] = (
            managers & ({named} | found.deputies[key, named]) or managers
        )
    return found if person is None else found.only(person.pk)


def _where(found: Mapping[tuple[int, _Key], set[int]]) -> dict[_Key, list[int]]:
    """The migrations in which there is anybody, by the other half of the key."""
    migrations = defaultdict(list)
    for (migration, key), people in found.items():
        if people:
            migrations[key].append(migration)
    return migrations


def _places(migration: Placed, commissioners: set[int]) -> Iterator[tuple[str, Place]]:
    """Which role of which organisation acts as what in a migration."""
    for role in PRACTICE_ROLES:
        yield role, (migration.practice_id, role)
        # A third party is a contact, not a user: the practice acts for it (tracking.Task).
        yield Owner.THIRD_PARTY_SUPPLIER, (migration.practice_id, role)
    for role in PORTFOLIO_ROLES:
        yield role, (migration.run_by_id, role)
    yield Owner.TARGET_SUPPLIER, (migration.target_supplier_id, Role.SUPPLIER)
    yield Owner.SOURCE_SUPPLIER, (migration.source_supplier_id, Role.SUPPLIER)
    for commissioner in commissioners:
        yield Owner.COMMISSIONER, (commissioner, Role.COMMISSIONER)


def _held(
    migrations: list[Placed],
    commissioners: dict[int, set[int]],
    *,
    now: datetime,
    person: User | None,
) -> defaultdict[Place, dict[int, set[int]]]:
    """Who holds what in the organisations of these migrations, each with whom they stand in for."""
    organisations = set().union(*commissioners.values()) if commissioners else set()
    for m in migrations:
        organisations |= {m.practice_id, m.run_by_id}
        organisations |= {m.target_supplier_id, m.source_supplier_id}
    rows = Membership.objects.held_on(london_date(now)).filter(
        organisation__among=organisations, person__is_active=True
    )
    if person is not None:
        # Whether colleagues step in depends on what the named managers hold.
        named = Q(role=Role.PROJECT_MANAGER, person__in={m.project_manager_id for m in migrations})
        rows = rows.filter(Q(person=person) | named)
    held: defaultdict[Place, dict[int, set[int]]] = defaultdict(dict)
    for organisation, role, member, absent in rows.values_list(
        "organisation", "role", "person", "deputy_for"
    ):
        held[organisation, role].setdefault(member, set()).update({absent} - {None})
    return held


def tasks_of(person: User, tasks: TaskQuerySet, acting: Audience, now: datetime) -> TaskQuerySet:
    """Those of ``tasks`` that are this person's: ``TaskQuerySet.belonging_to`` for many migrations.

    ``acting`` is what ``audience`` says of the person in the migrations that ``tasks`` are of.
    ``with_somebody`` of each says whether its assignee still has a part in its migration.
    """
    assigned, of_role = Q(assignee=person), Q(pk__in=[])
    for absent, migrations in _where(acting.deputies).items():
        assigned |= Q(assignee=absent, migration__in=migrations)
    for owner, migrations in _where(acting).items():
        of_role |= Q(owner=owner, migration__in=migrations)
    with_nobody = Q(assignee=None) | Q(with_somebody=False)
    return tasks.annotate(with_somebody=assignee_is_here(london_date(now))).filter(
        assigned | (with_nobody & of_role)
    )


@dataclass(frozen=True)
class TeamRole:
    """A role of a migration with those who hold it today; none is worth knowing too."""

    owner: Owner
    members: list[Membership]

    @property
    def title(self) -> str:
        return self.owner.label

    @property
    def people(self) -> list[User]:
        """Each once, also who holds it twice: by their own right and for somebody."""
        return list(dict.fromkeys(member.person for member in self.members))


# Contacts, not users (guide.md D.1).
NOT_USERS = {Owner.THIRD_PARTY_SUPPLIER, Owner.PCSE, Owner.PATIENT_GROUP, Owner.ALL}


def team(migration: Migration, now: datetime) -> list[TeamRole]:
    """Every role of a migration in the order people read them, empty ones included."""
    found = audience([migration], now=now)
    places: defaultdict[str, set[Place]] = defaultdict(set)
    for owner, place in _places(migration, migration.commissioner_ids):
        places[owner].add(place)
    held = (
        Membership.objects.held_on(london_date(now))
        .filter(
            organisation__in={
                organisation for all_of in places.values() for organisation, _ in all_of
            },
            person__in=set().union(*found.values()),
        )
        .select_related("person", "deputy_for")
        .order_by("person__name", "person", "deputy_for")
    )
    memberships = list(held)
    return [
        TeamRole(
            owner,
            [
                membership
                for membership in memberships
                if (membership.organisation_id, membership.role) in places[owner]
                and membership.person_id in found[migration.pk, owner]
            ],
        )
        for owner in Owner
        if owner not in NOT_USERS
    ]


def needed_roles(migration: Migration) -> set[str]:
    """Owner keys that tasks still to do, or signatures of the plan, wait for."""
    tasks = migration.tasks.open().order_by().values_list("owner", flat=True).distinct()
    seats = PlanSeat.objects.filter(gate__version=migration.plan_version_id)
    return set(tasks).union(*seats.values_list("roles", flat=True))


def invitable(migration: Migration, user: User) -> dict[str, tuple[Organisation, str]]:
    """Where and to what this person may invite people of a migration, by owner key.

    The rule of docs/roles.md: of a practice whose active migration their organisation
    runs, a project manager may invite too.
    """
    if not migration.is_active:
        return {}
    roles = {
        m.role for m, _ in migration.memberships_of(user) if Permission.INVITE in m.permissions
    }
    owners: set[str] = set()
    if Role.PRACTICE_MANAGER in roles:
        owners |= PRACTICE_ROLES
    if Role.PROJECT_MANAGER in roles:
        owners |= PRACTICE_ROLES | PORTFOLIO_ROLES
    if Role.ADMINISTRATOR in roles:
        owners |= set(Owner) - NOT_USERS
    places = {
        owner: place
        for owner, place in _places(migration, migration.commissioner_ids)
        if owner in owners
    }
    organisations = Organisation.objects.in_bulk({place[0] for place in places.values()})
    return {owner: (organisations[pk], role) for owner, (pk, role) in places.items()}


def may_invite(person: User, organisation: Organisation, role: str) -> bool:
    """Whether a migration lets this person invite to a role of its practice: see `invitable`."""
    found = Migration.objects.visible_to(person).active().filter(practice=organisation.pk)
    return any((organisation, role) in invitable(one, person).values() for one in found)
