"""Fictional people, organisations, a small plan and migrations, made as the product makes them.

What has a service is made through it; what has none yet is a row. Codes start with Z9, which no
real organisation has.
"""

import itertools
from datetime import UTC, date, datetime, timedelta
from typing import Any

from practices.accounts.models import Invitation, Membership, User
from practices.accounts.roles import Owner, Role
from practices.accounts.services import invite
from practices.common.models import Event
from practices.directory.models import ClinicalSystem, CommissionerLink, Organisation, Practice
from practices.plans.models import (
    Plan,
    PlanClock,
    PlanCover,
    PlanGate,
    PlanKeyDate,
    PlanPhase,
    PlanSeat,
    PlanTask,
    PlanVersion,
)
from practices.plans.services import draft_from
from practices.reminders.models import Notification
from practices.tracking.models import Migration
from practices.tracking.services import start_migration

MONDAY = datetime(2027, 2, 1, 9, tzinfo=UTC)  # when migrations of these tests are started
FDP_AT = datetime(2027, 4, 9, 17, 30, tzinfo=UTC)  # a Friday, 18:30 BST
GO_LIVE_AT = datetime(2027, 4, 12, 7, tzinfo=UTC)  # the Monday after, 08:00 BST, 61.5 hours on

_numbers = itertools.count(1)
Kind = Organisation.Kind


def make_organisation(kind: str, name: str = "", **fields: Any) -> Organisation:
    number = next(_numbers)
    fields.setdefault("code", f"Z9{number:04}")
    return Organisation.objects.create(
        kind=kind, name=name or f"{Kind(kind).label} {number}", **fields
    )


def make_commissioner(name: str = "") -> Organisation:
    return make_organisation(Kind.COMMISSIONER, name)


def make_practice(
    name: str = "Elm Tree Surgery", *, commissioner: Organisation | None = None, **fields: Any
) -> Practice:
    """An open practice, commissioned by ``commissioner`` when there is one."""
    practice = Practice.objects.create(
        organisation=make_organisation(Kind.PRACTICE, name), **fields
    )
    if commissioner:
        CommissionerLink.objects.create(practice=practice, commissioner=commissioner)
    return practice


def make_system(name: str = "", *, supplier: Organisation | None = None) -> ClinicalSystem:
    supplier = supplier or make_organisation(Kind.SUPPLIER)
    return ClinicalSystem.objects.create(name=name or f"{supplier.name} system", supplier=supplier)


def make_person(
    role: str = "", organisation: Organisation | Practice | None = None, **fields: Any
) -> User:
    """Somebody who may sign in, with at most one role; more come from :func:`give_role`."""
    number = next(_numbers)
    fields.setdefault("name", f"Sam Example {number}")
    fields.setdefault("email", f"person{number}@example.test")
    person = User.objects.create_user(password="correct horse battery", **fields)
    if role:
        give_role(person, role, organisation or make_organisation(Kind.OPERATOR))
    return person


def give_role(
    person: User,
    role: str,
    organisation: Organisation | Practice,
    *,
    since: date = date(2020, 1, 1),
    until: date | None = None,
) -> Membership:
    if isinstance(organisation, Practice):
        organisation = organisation.organisation
    return Membership.objects.create(
        person=person, organisation=organisation, role=role, valid_from=since, valid_to=until
    )


def make_invitation(
    organisation: Organisation | Practice, role: str = Role.PRACTICE_STAFF, **fields: Any
) -> Invitation:
    """Somebody new is invited, by an administrator unless said."""
    if isinstance(organisation, Practice):
        organisation = organisation.organisation
    fields.setdefault("email", f"new{next(_numbers)}@example.test")
    return invite(
        name=fields.pop("name", "Nina Newcomer"),
        organisation=organisation,
        role=role,
        by=fields.pop("by", None) or make_person(Role.ADMINISTRATOR),
        at=fields.pop("at", MONDAY),
        **fields,
    )


def make_plan_version(
    slug: str = "", *, access_days: int = 45, publish: bool = True
) -> PlanVersion:
    """A small published plan: three phases, eight tasks, one gate, the two clocks."""
    plan = Plan.objects.create(slug=slug or f"small-plan-{next(_numbers)}", title="Small plan")
    version = PlanVersion.objects.create(
        plan=plan,
        number=1,
        title="Small plan",
        created_at=MONDAY,
        digest=f"{next(_numbers):064}",
        content={},
    )
    _key_dates(version)
    _clocks(version, access_days)
    gate = PlanGate.objects.create(
        version=version,
        position=1,
        key="go_live_data",
        title="Go-live data",
        statement="The practice is satisfied that all its data is in the new system.",
        cover_phases=["cut_over"],
        blocks=["GL"],
        confirm_to=Owner.TARGET_SUPPLIER,
    )
    seat = PlanSeat.objects.create(
        version=version,
        gate=gate,
        position=1,
        key="practice",
        title="The practice",
        roles=[Owner.PRACTICE_MANAGER, Owner.LEAD_GP],
    )
    _tasks(version, seat)
    PlanCover.objects.bulk_create(
        PlanCover(version=version, gate=gate, task=task)
        for task in version.tasks.filter(code__in=["CUT-02", "CUT-03"])
    )
    return publish_rows(version) if publish else version


def publish_rows(version: PlanVersion) -> PlanVersion:
    """Freeze a version whose rows a test has made by hand."""
    version.state, version.content = PlanVersion.State.PUBLISHED, None
    version.published_at = MONDAY
    version.save()
    return version


def make_draft(slug: str = "") -> PlanVersion:
    """A draft that says what the small published plan says."""
    published = make_plan_version(slug)
    return draft_from(version=published, by=make_person(), at=MONDAY)


def _key_dates(version: PlanVersion) -> None:
    minute, day = PlanKeyDate.Precision.MINUTE, PlanKeyDate.Precision.DAY
    rows: list[dict[str, Any]] = [
        {"key": "KO", "title": "Kick-off", "precision": day, "offset": -70, "unit": "days"},
        {
            "key": "FDP",
            "title": "Final data production",
            "precision": minute,
            "offset": -61,
            "unit": "hours",
        },
        {"key": "GL", "title": "Go-live", "precision": minute},
        {"key": "CE", "title": "Cut-over end", "precision": minute, "same_as": "GL"},
        {"key": "EOA", "title": "End of old-system access", "precision": day, "clock": "access"},
    ]
    PlanKeyDate.objects.bulk_create(
        PlanKeyDate(version=version, position=position, **row)
        for position, row in enumerate(rows, 1)
    )


def _clocks(version: PlanVersion, access_days: int) -> None:
    cut_over = PlanClock(
        version=version,
        position=1,
        key="cut_over",
        title="Cut-over",
        starts="FDP",
        stops="GL",
        limit=72,
        unit="hours",
        warn_after=[24, 48, 60, 66, 72],
        tell=[Owner.PROJECT_MANAGER, Owner.PRACTICE_MANAGER, Owner.TARGET_SUPPLIER],
    )
    access = PlanClock(
        version=version,
        position=2,
        key="access",
        title="Old-system access",
        starts="GL",
        stops="EOA",
        limit=access_days,
        unit="days",
        warn_before=[14, 7, 3, 1, 0],
        tell=[Owner.PROJECT_MANAGER, Owner.PRACTICE_MANAGER, Owner.COMMISSIONER],
    )
    PlanClock.objects.bulk_create([cut_over, access])


def _tasks(version: PlanVersion, seat: PlanSeat) -> None:
    phases = {
        "cut_over": [
            ("CUT-01", "Record the final extract", "source_supplier", "FDP", 0, "hours", "FDP"),
            ("CUT-02", "Check the data that came over", "practice_manager", "FDP", 48, "hours", ""),
            ("CUT-03", "Check repeat templates", "clinician", "FDP", 1, "days", ""),
            ("CUT-04", "Sign off the go-live data", "practice_manager", "GL", 0, "hours", ""),
        ],
        "go_live": [
            ("GL-01", "Go live", "practice_manager", "GL", 0, "hours", "GL"),
            ("GL-02", "Tell the help desk", "project_manager", "GL", 1, "working_days", ""),
        ],
        "post_go_live": [
            ("POST-01", "Enter what was written down", "practice_staff", "GL", 14, "days", ""),
            (
                "POST-02",
                "Record that access has ended",
                "practice_manager",
                "EOA",
                0,
                "days",
                "EOA",
            ),
        ],
    }
    made = PlanPhase.objects.bulk_create(
        PlanPhase(
            version=version, position=place, key=key, title=key.replace("_", " ").capitalize()
        )
        for place, key in enumerate(phases, 1)
    )
    PlanTask.objects.bulk_create(
        PlanTask(
            version=version,
            phase=phase,
            position=position,
            code=code,
            title=title,
            owner=owner,
            anchor=anchor,
            offset=offset,
            unit=unit,
            basis="suggested",
            records=records,
            signs=seat if code == "CUT-04" else None,
        )
        for phase in made
        for position, (code, title, owner, anchor, offset, unit, records) in enumerate(
            phases[phase.key], 1
        )
    )


def make_migration(
    *,
    practice: Practice | None = None,
    plan_version: PlanVersion | None = None,
    project_manager: User | None = None,
    run_by: Organisation | None = None,
    go_live_at: datetime = GO_LIVE_AT,
    fdp_at: datetime | None = None,
    at: datetime = MONDAY,
    **fields: Any,
) -> Migration:
    """A migration in planning, with whatever of its surroundings was not given."""
    if run_by is None:
        run_by = make_organisation(Kind.DELIVERY_PARTNER)
    if project_manager is None:
        project_manager = make_person(Role.PROJECT_MANAGER, run_by)
    return start_migration(
        practice=practice or make_practice(),
        plan_version=plan_version or make_plan_version(),
        source_system=fields.pop("source_system", None) or make_system(),
        target_system=fields.pop("target_system", None) or make_system(),
        project_manager=project_manager,
        run_by=run_by,
        go_live_at=go_live_at,
        fdp_at=fdp_at or go_live_at - timedelta(hours=61, minutes=30),
        contacts=fields.pop("contacts", ()),
        by=fields.pop("by", project_manager),
        at=at,
        **fields,
    )


def make_notice(person: User, migration: Migration, **fields: Any) -> Notification:
    """A row of somebody's inbox: a task of theirs is blocked, unless said."""
    number = next(_numbers)
    fields.setdefault("kind", Notification.Kind.BLOCKED)
    fields.setdefault("status", Notification.Status.IN_APP)
    fields.setdefault("headline", "A task is blocked")
    fields.setdefault("path", f"/migrations/{migration.reference}/tasks/")
    fields.setdefault("due_at", MONDAY)
    return Notification.objects.create(
        dedupe_key=f"notice:{number}",
        message_id=f"<notice-{number}@example.test>",
        person=person,
        migration=migration,
        event=Event.objects.of(migration.stream).first(),
        next_attempt_at=fields["due_at"],
        **fields,
    )
