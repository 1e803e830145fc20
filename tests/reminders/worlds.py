"""Small situations that reminders are about, made through the services of tracking."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from practices.accounts.models import User
from practices.accounts.roles import Role
from practices.directory.models import ClinicalSystem, Organisation
from practices.plans.models import PlanVersion
from practices.plans.rules import Moment
from practices.reminders.models import Notification
from practices.tracking.models import ClockRun, Gate, Migration
from practices.tracking.services import record_actual, sign_off
from practices.tracking.services.gates import seen_mark, still_open
from tests import factories

HOUR = timedelta(hours=1)
FDP_AT = factories.FDP_AT


@dataclass
class World:
    """One migration with somebody in every role that the small plan tells."""

    commissioner: Organisation = field(default_factory=factories.make_commissioner)
    partner: Organisation = field(
        default_factory=lambda: factories.make_organisation("delivery_partner")
    )
    old: ClinicalSystem = field(default_factory=factories.make_system)
    new: ClinicalSystem = field(default_factory=factories.make_system)

    plan_version: PlanVersion | None = None
    go_live_at: datetime = factories.GO_LIVE_AT

    def __post_init__(self) -> None:
        self.practice = factories.make_practice(commissioner=self.commissioner)
        self.manager = factories.make_person(Role.PRACTICE_MANAGER, self.practice)
        self.clinician = factories.make_person(Role.CLINICIAN, self.practice)
        self.project_manager = factories.make_person(Role.PROJECT_MANAGER, self.partner)
        self.colleague = factories.make_person(Role.PROJECT_MANAGER, self.partner)
        self.supplier = factories.make_person(Role.SUPPLIER, self.new.supplier)
        self.old_supplier = factories.make_person(Role.SUPPLIER, self.old.supplier)
        self.buyer = factories.make_person(Role.COMMISSIONER, self.commissioner)
        self.migration: Migration = factories.make_migration(
            practice=self.practice,
            project_manager=self.project_manager,
            run_by=self.partner,
            source_system=self.old,
            target_system=self.new,
            plan_version=self.plan_version,
            go_live_at=self.go_live_at,
        )

    def start_cut_over(self, at: datetime = FDP_AT) -> ClockRun:
        self.record("FDP", at)
        return self.migration.clock_runs.get(key="cut_over", state="running")

    def go_live(self, at: datetime) -> ClockRun:
        self.sign(at)
        self.record("GL", at)
        return self.migration.clock_runs.get(key="access", state="running")

    def record(self, key: str, at: datetime) -> None:
        record_actual(
            migration=self.migration,
            key=key,
            when=Moment.of_instant(at),
            by=self.project_manager,
            at=at,
        )

    def sign(self, at: datetime) -> Gate:
        gate = self.migration.gates.get()
        items = still_open(gate)
        sign_off(
            gate=gate,
            seat=gate.plan_gate.seats.get(),
            name=self.manager.name,
            seen=seen_mark(gate, items),
            exceptions={item.key: "Done on paper" for item in items},
            by=self.manager,
            at=at,
        )
        return gate


def planned(kind: str, **more: Any) -> list[Notification]:
    return list(Notification.objects.filter(kind=kind, **more).order_by("pk"))


def told(kind: str, **more: Any) -> set[User | str]:
    """Who has a row of this kind: people, and the addresses of contacts."""
    return {row.person or str(row.contact and row.contact.email) for row in planned(kind, **more)}


def rows(**filters) -> list[Notification]:
    """Those of the outbox, oldest first."""
    return list(Notification.objects.filter(**filters).order_by("pk"))
