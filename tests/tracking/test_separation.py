"""A supplier never sees the other supplier's notes and evidence (guide.md D.1)."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from practices.accounts.roles import Role
from practices.common.models import Event
from practices.tracking import services
from practices.tracking.models import TaskNote
from tests.factories import MONDAY, give_role, make_organisation, make_person, make_system

from .cast import assert_sound, count_queries, make_cast
from .test_dates_pages import said

pytestmark = pytest.mark.django_db
WORDS = "The price of the second extract"
LINK = "https://supplier.test/price"
SIDES = {"old_supplier": "new_supplier", "new_supplier": "old_supplier"}
OTHERS = ("manager", "staff", "project_manager", "commissioner", "national_viewer")


@pytest.fixture
def cast():
    return make_cast()


def write(cast, by):
    """A note, a link and a file of one person on a task."""
    task = cast.task("CUT-01")
    note = services.add_note(task=task, body=WORDS, by=by, at=MONDAY)
    link = services.add_evidence(task=task, link=LINK, by=by, at=MONDAY)
    upload = SimpleUploadedFile("offer.txt", b"9 pounds")
    file = services.add_evidence(task=task, upload=upload, by=by, at=MONDAY)
    return note, link, file


def pages(client, cast, who) -> str:
    """All that tells of notes and evidence."""
    client.force_login(who)
    found = ""
    for page in (["tasks", "CUT-01"], ["history"], []):
        answer = client.get(cast.url(*page))
        assert answer.status_code == 200
        found += said(answer)
    return found


TELLS = (WORDS, LINK, "offer.txt", "Added a note to CUT-01", "Added evidence to CUT-01")


@pytest.mark.parametrize("side", SIDES)
def test_the_other_supplier_sees_nothing_of_it(client, cast, side):
    write(cast, getattr(cast, side))
    seen = pages(client, cast, getattr(cast, SIDES[side]))
    assert [words for words in TELLS if words in seen] == []
    assert "Started the migration" in seen, "the rest of the history is there"


@pytest.mark.parametrize("side", SIDES)
def test_everybody_else_and_the_writers_colleagues_see_all(client, cast, side):
    writer = getattr(cast, side)
    write(cast, writer)
    colleague = make_person(Role.SUPPLIER, writer.memberships.get().organisation)
    for who in [*(getattr(cast, name) for name in OTHERS), writer, colleague]:
        seen = pages(client, cast, who)
        assert [words for words in TELLS if words not in seen] == [], who


@pytest.mark.parametrize("side", SIDES)
def test_notes_of_everybody_else_are_seen_by_both(client, cast, side):
    write(cast, cast.manager)
    seen = pages(client, cast, getattr(cast, side))
    assert [words for words in TELLS if words not in seen] == []


def test_who_also_runs_the_migration_sees_all(client, cast):
    write(cast, cast.old_supplier)
    give_role(cast.new_supplier, Role.TRAINER, cast.migration.run_by)
    assert WORDS in pages(client, cast, cast.new_supplier)


def test_a_supplier_of_both_systems_reads_and_writes_its_own(client):
    supplier = make_organisation("supplier")
    cast = make_cast(
        source_system=make_system("Old", supplier=supplier),
        target_system=make_system("New", supplier=supplier),
    )
    note, *_ = write(cast, cast.new_supplier)
    assert note.written_as == ""
    assert WORDS in pages(client, cast, cast.old_supplier)


def test_who_changes_to_the_other_supplier_takes_no_notes_with_them(client, cast):
    writer = cast.old_supplier
    write(cast, writer)
    writer.memberships.all().delete()
    give_role(writer, Role.SUPPLIER, cast.migration.target_system.supplier)
    del writer.current_memberships
    assert WORDS not in pages(client, cast, writer)
    assert WORDS not in pages(client, cast, cast.new_supplier)


class TestFile:
    @pytest.mark.parametrize("act", ["", "remove"])
    def test_the_other_supplier_finds_no_file(self, client, cast, act):
        *_, file = write(cast, cast.old_supplier)
        url = cast.url(*filter(None, ["tasks", "CUT-01", "evidence", str(file.pk), act]))
        ask = client.post if act else client.get
        services.assign_task(
            task=cast.task("CUT-01"), assignee=cast.new_supplier, by=cast.manager, at=MONDAY
        )
        client.force_login(cast.new_supplier)
        assert ask(url).status_code == 404
        client.force_login(cast.manager)
        assert ask(url).status_code == (302 if act else 200)

    def test_the_same_link_of_the_other_supplier_is_evidence_of_its_own(self, cast):
        first = services.add_evidence(
            task=cast.task("CUT-01"), link=LINK, by=cast.old_supplier, at=MONDAY
        )
        second = services.add_evidence(
            task=cast.task("CUT-01"), link=LINK, by=cast.new_supplier, at=MONDAY
        )
        assert first != second

    def test_taking_it_off_is_not_told_to_the_other_supplier(self, client, cast):
        _, link, _ = write(cast, cast.old_supplier)
        services.remove_evidence(evidence=link, by=cast.manager, at=MONDAY)
        assert "Removed evidence" not in pages(client, cast, cast.new_supplier)
        assert "Removed evidence" in pages(client, cast, cast.old_supplier)


class TestReport:
    """Reporting patient data is no way round."""

    @pytest.mark.parametrize("method", ["get", "post"])
    def test_the_other_supplier_cannot_look_at_it_there(self, client, cast, method):
        note, link, file = write(cast, cast.old_supplier)
        client.force_login(cast.new_supplier)
        for url in (
            cast.url("texts", str(note.text_id), "report"),
            cast.url("texts", str(link.link_id), "report"),
            cast.url("files", str(file.file_id), "report"),
        ):
            assert getattr(client, method)(url).status_code == 404
        client.force_login(cast.old_supplier)
        assert client.get(cast.url("texts", str(note.text_id), "report")).status_code == 200

    def test_nor_hears_that_it_was_reported(self, client, cast):
        note, *_ = write(cast, cast.old_supplier)
        report = services.report_patient_data(
            migration=cast.migration, text=note.text, by=cast.manager, at=MONDAY
        )
        for words in ("Reported patient data", "is hidden while"):
            assert words not in pages(client, cast, cast.new_supplier)
            assert words in pages(client, cast, cast.old_supplier)
        services.redact(report=report, by=cast.project_manager, at=MONDAY)
        assert "Removed patient data" not in pages(client, cast, cast.new_supplier)
        assert "Removed patient data" in pages(client, cast, cast.old_supplier)


def test_the_chain_and_the_pages_of_history_hold(client, cast):
    for _ in range(30):
        write(cast, cast.old_supplier)
        services.add_note(task=cast.task("CUT-01"), body="Thanks", by=cast.manager, at=MONDAY)
    assert_sound(cast.migration)
    client.force_login(cast.new_supplier)
    shown = client.get(cast.url("history")).context["page"].paginator.count
    hidden = Event.objects.of(cast.migration.stream).filter(data__written_as="source_supplier")
    assert shown == len(cast.events()) - hidden.count()


def test_it_takes_the_same_queries_for_a_supplier_however_many_there_are(client, cast):
    def queries():
        return [
            count_queries(client, cast.new_supplier, cast.url(*page))
            for page in (["tasks", "CUT-01"], ["history"], [])
        ]

    write(cast, cast.old_supplier)
    write(cast, cast.new_supplier)
    few = queries()
    for _ in range(6):
        write(cast, cast.old_supplier)
        write(cast, cast.new_supplier)
    assert TaskNote.objects.count() > 6
    assert queries() == few
