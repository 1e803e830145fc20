"""The people of these tests: insiders with and without rights, and strangers."""

from dataclasses import dataclass
from functools import cached_property

import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from practices.accounts.models import User
from practices.accounts.roles import Role
from practices.common.models import Event
from practices.common.services import FIRST_HASH, event_hash
from practices.plans.models import PlanTask, PlanVersion
from practices.tracking.models import Migration, Task
from practices.tracking.services.counters import wrong_counters
from tests.factories import (
    MONDAY,
    make_commissioner,
    make_migration,
    make_person,
    make_plan_version,
    make_practice,
    publish_rows,
)


@dataclass
class Cast:
    """A migration and whoever meets it; each person is made when first asked for."""

    migration: Migration

    def _practice(self, role: str, name: str) -> User:
        return make_person(role, self.migration.practice, name=name)

    @cached_property
    def manager(self) -> User:
        return self._practice(Role.PRACTICE_MANAGER, "Alice Manager")

    @cached_property
    def staff(self) -> User:
        return self._practice(Role.PRACTICE_STAFF, "Bob Reception")

    @cached_property
    def clinician(self) -> User:
        return self._practice(Role.CLINICIAN, "Carol Clinician")

    @cached_property
    def project_manager(self) -> User:
        return self.migration.project_manager

    @cached_property
    def trainer(self) -> User:
        return make_person(Role.TRAINER, self.migration.run_by, name="Tom Trainer")

    @cached_property
    def old_supplier(self) -> User:
        return make_person(
            Role.SUPPLIER, self.migration.source_system.supplier, name="Olga Oldsupplier"
        )

    @cached_property
    def new_supplier(self) -> User:
        return make_person(
            Role.SUPPLIER, self.migration.target_system.supplier, name="Nina Newsupplier"
        )

    @cached_property
    def commissioner(self) -> User:
        link = self.migration.practice.commissioner_links.get()
        return make_person(Role.COMMISSIONER, link.commissioner, name="Conny Commissioner")

    @cached_property
    def national_viewer(self) -> User:
        return make_person(Role.NATIONAL_VIEWER, name="Nat Viewer")

    @cached_property
    def stranger(self) -> User:
        return make_person(Role.PRACTICE_MANAGER, make_practice("Other Surgery"), name="Charlie")

    def task(self, code: str) -> Task:
        """The task as the database has it now."""
        task = Task.objects.with_people().get(migration=self.migration, code=code)
        task.migration = Migration.objects.with_people().get(pk=self.migration.pk)
        return task

    def url(self, *parts: str) -> str:
        return "/".join(["/migrations", self.migration.reference, *parts, ""])

    def events(self, code: str = "") -> list[str]:
        """The kinds of events of this migration in order, or of one task."""
        events = Event.objects.of(self.migration.stream).order_by("seq")
        if code:
            events = events.filter(subject=f"task:{code}")
        return list(events.values_list("kind", flat=True))


def make_cast(**fields) -> Cast:
    practice = make_practice(commissioner=make_commissioner())
    return Cast(make_migration(practice=practice, **fields))


def count_queries(client, who: User, url: str) -> int:
    """How many statements a page takes, signing in left out."""
    with time_machine.travel(MONDAY, tick=False):
        client.force_login(who)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(url).status_code == 200
    return len(queries)


def make_big_plan(more: int, *, phase: str = "go_live") -> PlanVersion:
    """The small plan with ``more`` further tasks of the practice manager in one phase."""
    version = make_plan_version(publish=False)
    PlanTask.objects.bulk_create(
        PlanTask(
            version=version,
            phase=version.phases.get(key=phase),
            position=100 + number,
            code=f"MORE-{number}",
            title=f"Do the further task {number}",
            guidance="How it is done, in two sentences. This is the second one.",
            lesson="What somebody learnt." if number % 3 == 0 else "",
            owner="practice_manager",
            mandatory=number % 4 != 0,
            condition="" if number % 4 else "it applies",
            anchor="GL",
            offset=number % 60 - 70,
            unit="days",
            basis="suggested",
        )
        for number in range(1, more + 1)
    )
    return publish_rows(version)


def assert_sound(migration: Migration) -> None:
    """Counters are what the tasks say, and the chain of events is whole."""
    assert wrong_counters(migration) == []
    before = FIRST_HASH
    for number, event in enumerate(Event.objects.of(migration.stream).order_by("seq"), 1):
        assert (event.seq, event.prev_hash) == (number, before)
        assert event.hash == event_hash(event)
        before = event.hash
