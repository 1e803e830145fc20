"""Everybody who asks for an address, and two migrations with something of everything."""

from datetime import timedelta
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from practices.accounts.models import Membership, User
from practices.accounts.roles import Role
from practices.accounts.services import close_account
from practices.common.jobs import start_job
from practices.directory.models import Organisation
from practices.directory.services import IMPORT
from practices.plans.rules import Moment
from practices.reminders.models import Notification
from practices.tracking import services
from practices.tracking.models import UpgradeItem, UpgradeRun
from practices.tracking.services import ContactDetails
from tests.factories import (
    MONDAY,
    give_role,
    make_commissioner,
    make_draft,
    make_invitation,
    make_migration,
    make_notice,
    make_organisation,
    make_person,
    make_practice,
    make_system,
)
from tests.tracking.dependent import plan_with


def make_side(mark: str) -> dict[str, Any]:
    """A migration in cut-over with something of everything; ``mark`` is in each name and text."""
    commissioner = make_commissioner(f"Commissioner {mark}")
    practice = make_practice(f"Surgery {mark}", commissioner=commissioner)
    migration = make_migration(
        practice=practice,
        plan_version=plan_with(conditions={"dispensing": {}}, applies={"CUT-03": ["dispensing"]}),
        source_system=make_system(f"Old {mark}"),
        target_system=make_system(f"New {mark}"),
        run_by=make_organisation(Organisation.Kind.DELIVERY_PARTNER, f"Partner {mark}"),
    )

    def person(role: str, organisation: Any) -> User:
        return make_person(role, organisation, name=f"{mark} {role}")

    boss = migration.project_manager
    User.objects.filter(pk=boss.pk).update(name=f"{mark} boss")
    manager = person(Role.PRACTICE_MANAGER, practice)
    for key, when in (
        ("KO", Moment.of_day(MONDAY.date())),
        ("FDP", Moment.of_instant(MONDAY)),
    ):
        services.record_actual(migration=migration, key=key, when=when, by=boss, at=MONDAY)
    gate = migration.gates.get()
    services.record_bypass(gate=gate, reason=f"No time, {mark}.", by=boss, at=MONDAY)
    task = migration.tasks.get(code="CUT-02")
    upload = SimpleUploadedFile(f"{mark}.txt", f"received in full {mark}".encode())
    evidence = services.add_evidence(task=task, upload=upload, by=manager, at=MONDAY)
    note = services.add_note(task=task, body=f"Checked twice, {mark}", by=manager, at=MONDAY)
    hidden = services.add_note(task=task, body=f"Of Mrs {mark}", by=manager, at=MONDAY)
    report = services.report_patient_data(
        migration=migration, text=hidden.text, by=manager, at=MONDAY
    )
    details = ContactDetails(role="pcse", name=f"Desk {mark}", telephone="01632 960999")
    contact = services.add_contact(migration=migration, details=details, by=manager, at=MONDAY)
    mail = Notification.objects.create(
        kind=Notification.Kind.CLOCK,
        status=Notification.Status.DEAD,
        dedupe_key=f"mail {mark}",
        message_id=f"<{mark}@example.test>",
        person=manager,
        migration=migration,
        clock_run=migration.clock_runs.get(),
        due_at=MONDAY,
        next_attempt_at=MONDAY,
    )
    return {
        "migration": migration,
        "practice": practice,
        "manager": manager,
        "project_manager": boss,
        "new_supplier": person(Role.SUPPLIER, migration.target_system.supplier),
        "commissioner": person(Role.COMMISSIONER, commissioner),
        "invitation": make_invitation(practice, by=manager, name=f"{mark} Newcomer"),
        "role": manager.memberships.get(),
        "file": evidence,
        "note": note,
        "report": report,
        "contact": contact,
        "mail": mail,
        "notice": make_notice(manager, migration, headline=f"About {mark}"),
        "code": practice.organisation.code,
    }


def make_world() -> dict[str, Any]:
    """Two migrations that have nothing to do with each other, and everybody who asks.

    The names of the addresses are filled from one of them; ``other`` holds the other one.
    """
    side, other = make_side("Applebee"), make_side("Quillon")
    practice = side["practice"]
    today = MONDAY.date()
    disabled = make_person(Role.PRACTICE_MANAGER, practice)
    expired, deputy = make_person(), make_person()
    give_role(expired, Role.PRACTICE_MANAGER, practice, until=today)
    standing_in = give_role(
        deputy, Role.PRACTICE_MANAGER, practice, since=today, until=today + timedelta(days=1)
    )
    Membership.objects.filter(pk=standing_in.pk).update(deputy_for=side["manager"])
    administrator, staff = (
        make_person(Role.ADMINISTRATOR),
        make_person(Role.PRACTICE_STAFF, practice),
    )
    close_account(person=disabled, by=administrator, at=MONDAY)
    version = side["migration"].plan_version
    for one in (side, other):
        by = one["project_manager"]
        one["run"] = UpgradeRun.objects.create(version=version, by=by, at=MONDAY)
        one["item"] = UpgradeItem.objects.create(
            run=one["run"],
            migration=one["migration"],
            from_version=version,
            state="done",
            seq=1,
        )
    return {
        **side,
        "other": other,
        "disabled": disabled,
        "expired": expired,
        "deputy": deputy,
        "staff": staff,
        "role": staff.memberships.get(),
        "old_supplier": make_person(Role.SUPPLIER, side["migration"].source_system.supplier),
        "viewer": make_person(Role.NATIONAL_VIEWER),
        "administrator": administrator,
        "other_manager": other["manager"],
        "other_project_manager": other["project_manager"],
        "other_supplier": other["new_supplier"],
        "other_commissioner": other["commissioner"],
        "version": version,
        "draft": make_draft(),
        "job": start_job(kind=IMPORT, by=administrator, at=MONDAY),
    }
