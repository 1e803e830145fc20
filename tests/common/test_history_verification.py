"""Whatever the services do, verify_history finds nothing; and it reads in batches."""

import io
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection, transaction
from django.test import override_settings

from practices.accounts import services as accounts
from practices.accounts.models import User
from practices.accounts.roles import Role
from practices.common import clock
from practices.common.models import Event, StoredFile
from practices.common.services import SITE_STREAM, record_event
from practices.common.verification import Chains, chains, findings, verify
from practices.common.verification.unpaired import UNPAIRED
from practices.directory.models import Organisation
from practices.directory.practice_file import check_practice_file
from practices.directory.services import ask_for_import, import_practices, load_reference_data
from practices.plans import services as plans
from practices.plans.models import PlanVersion
from practices.plans.shipping import load_shipped_plans
from practices.tracking import services
from practices.tracking.models import Phase
from practices.tracking.services.counters import correct_counters
from tests.factories import MONDAY
from tests.tracking import test_history as tracking_history
from tests.tracking.dependent import answer, cast_with
from tests.tracking.steps import sign

from .history_world import findings as found
from .history_world import make_world, said

PRACTICES = b"ods_code,name\nA81001,THE DENSHAM SURGERY\nA81002,QUEENS PARK MEDICAL CENTRE\n"


@pytest.fixture
def world(committed_db):
    return make_world()


def test_every_act_in_a_migration_leaves_a_clean_history(world):
    tracking_history.everything(world)
    # Two rows of a person that a factory made, not a service.
    assert {one.table for one in found() if not one.table.startswith("accounts_")} == set()


def test_answers_about_a_practice_and_what_follows_a_date_leave_a_clean_history(committed_db):
    cast = cast_with(
        after={"GL-02": [("CUT-03",)]},
        conditions={"dispensing": {}},
        applies={"CUT-02": ["dispensing"], "CUT-03": ["not:dispensing"]},
        answers={"dispensing": False},
    )
    sign(cast)
    answer(cast, "dispensing", True, seen=False, reason="They do dispense")
    answer(cast, "dispensing", None, seen=True)
    task = cast.task("CUT-03")
    services.pin_task(
        task=task, due_on=date(2028, 1, 5), seen_version=task.version, by=cast.manager, at=MONDAY
    )
    # The rows of plan and practice were made by factories, not by services.
    assert [one for one in found() if one.table.startswith(("tracking_", "common_"))] == []


def test_counters_are_corrected_without_a_finding(world):
    Phase.objects.filter(migration=world.migration).update(done_count=3)
    assert correct_counters(migration=world.migration, by=None, at=MONDAY)
    assert found() == []


def test_directory_and_plans_leave_a_clean_history(committed_db):
    for _ in range(2):
        load_reference_data(at=MONDAY)
        import_practices(source=check_practice_file(io.BytesIO(PRACTICES)), by=None, at=MONDAY)
        load_shipped_plans(at=MONDAY)
    changed = PRACTICES.replace(b"DENSHAM", b"OLD DENSHAM")
    import_practices(source=check_practice_file(io.BytesIO(changed)), by=None, at=MONDAY)
    version = PlanVersion.objects.published().first()
    plans.retire(version=version, by=None, at=MONDAY)
    assert found() == []


def test_people_leave_a_clean_history(committed_db, settings):
    now = clock.now()
    boss = accounts.add_administrator(
        email="boss@example.test", name="Bo Boss", password=None, by=None, at=now
    )
    person = accounts.add_person(email="p@example.test", name="Pat", by=boss, at=now)
    team = Organisation.objects.get(code=accounts.SERVICE_TEAM)
    membership = accounts.add_membership(
        person=person, organisation=team, role=Role.ADMINISTRATOR, by=boss, at=now
    )
    accounts.end_membership(membership=membership, by=boss, at=now)
    accounts.close_account(person=person, by=boss, at=now)
    accounts.open_account(person=person, by=boss, at=now)
    accounts.start_viewing(person=person, by=boss, at=now)
    accounts.stop_viewing(person_id=person.pk, by=boss, at=now)
    accounts.change_password(person=person, password="staple horse battery", by=person, at=now)
    hashers = ["django.contrib.auth.hashers.PBKDF2PasswordHasher", *settings.PASSWORD_HASHERS]
    with override_settings(PASSWORD_HASHERS=hashers):
        accounts.renew_password_hash(person=person, password="staple horse battery", at=now)
    kinds = Event.objects.of(SITE_STREAM).order_by("-seq").values_list("kind", flat=True)
    assert list(kinds[:2]) == ["person.password_rehashed", "person.password_changed"]
    User.objects.filter(pk=person.pk).update(last_login=now)
    assert found() == []


def test_a_list_handed_in_leaves_a_clean_history(committed_db):
    boss = accounts.add_administrator(
        email="boss@example.test", name="Bo Boss", password=None, by=None, at=MONDAY
    )
    upload = SimpleUploadedFile("practices.csv", PRACTICES, content_type="text/csv")
    job = ask_for_import(upload=upload, all_settings=False, by=boss, at=MONDAY)
    event = Event.objects.get(kind="practices.import_asked")
    assert event.data["file"] == job.file_id
    assert found() == []


def test_a_file_is_looked_into(world, settings):
    upload = SimpleUploadedFile("minutes.txt", b"Agreed.\n", content_type="text/plain")
    services.add_evidence(task=world.task("GL-02"), upload=upload, by=world.manager, at=MONDAY)
    stored = StoredFile.objects.get()
    assert found() == []
    assert found_in_migration(world) == []
    storage, name = stored.content.storage, stored.content.name
    storage.delete(name)
    assert said("common_storedfile", stored.pk) == ["its file is missing"]
    storage.save(name, SimpleUploadedFile("x", b"Refused.\n"))
    assert said("common_storedfile", stored.pk) == ["its file does not match its digest"]


def found_in_migration(world) -> list[str]:
    out = io.StringIO()
    call_command("verify_history", migration=world.migration.reference, stdout=out)
    return [line for line in out.getvalue().splitlines() if "_" in line]


def test_it_reads_in_batches_and_finds_what_is_in_the_last(world, monkeypatch):
    with transaction.atomic():
        for number in range(45):
            record_event(
                stream=SITE_STREAM, kind="viewing.started", by=None, at=MONDAY, subject=str(number)
            )
    with transaction.atomic():  # nothing was changed for it, and it is the newest of all
        last = record_event(stream=SITE_STREAM, kind="plan.loaded", by=None, at=MONDAY)
    for module in (findings, chains):
        monkeypatch.setattr(module, "BATCH", 10)
    steps: dict[str, list[int]] = {}
    fetched = []

    def watch(execute, statement, parameters, many, context):
        result = execute(statement, parameters, many, context)
        if statement.startswith("WITH found"):
            fetched.append(context["cursor"].rowcount)
        return result

    def note(what: str, done: int) -> None:
        steps.setdefault(what, []).append(done)

    with transaction.atomic(), connection.execute_wrapper(watch):
        seen = list(verify(Chains(progress=note), progress=note))
    assert [(one.table, one.row) for one in seen] == [("common_event", last.pk)]
    assert max(later - earlier for earlier, later in pairwise(steps["common_event"])) == 10
    # The database hands over one row for each batch, whatever it looked at.
    assert set(fetched) == {1}
    assert len(fetched) > 20


def test_every_kind_that_needs_no_row_is_written_somewhere():
    rooms = Path(services.__file__).parent.parent.parent
    code = "\n".join(
        path.read_text(encoding="utf-8")
        for path in rooms.rglob("*.py")
        if "verification" not in path.parts
    )
    assert [kind for kind in UNPAIRED if f'"{kind}"' not in code] == []
