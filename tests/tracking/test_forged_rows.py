"""A row that somebody wrote past the site stops no page and no mail about all the others."""

from typing import Any

import pytest

from practices.accounts.roles import Role
from practices.common.models import Event, Job
from practices.common.services import FIRST_HASH
from practices.common.verification import Chains, snapshot, verify
from practices.directory.services import IMPORT
from practices.reminders.composing import words_of
from practices.reminders.models import Notification
from practices.reminders.standing import Standing
from practices.tracking import services
from practices.tracking.models import PatientDataReport, SignOff
from tests.factories import MONDAY, make_person

from .cast import make_cast
from .steps import gate_of, sign
from .test_dates_pages import said
from .test_reports import note, report, the_text

pytestmark = pytest.mark.django_db

UNREADABLE = "This record cannot be read."
NOT_A_SNAPSHOT: list[Any] = [
    {},
    [],
    3,
    "x",
    {"events": "x"},
    {"events": {"seq": 1}},
    {"events": [1]},
    {"exceptions": 3, "events": None},
]


@pytest.fixture
def cast():
    return make_cast()


def forge(cast, kind: str, data: Any, *, seq: int = 1000) -> Event:
    return Event.objects.create(
        stream=cast.migration.stream,
        seq=seq,
        kind=kind,
        at=MONDAY,
        subject="task:GL-02",
        data=data,
        prev_hash=FIRST_HASH,
        hash=f"{seq:064}",
    )


def told_of(gate, person) -> tuple[Notification, Standing]:
    """The confirmation of a sign-off to one person."""
    row = Notification(
        kind="signed", gate=gate, round=gate.round, person=person, migration=gate.migration
    )
    return row, Standing([row], MONDAY)


def forge_signature(cast, record: Any) -> SignOff:
    gate = gate_of(cast)
    return SignOff.objects.create(
        gate=gate,
        round=gate.round,
        seat=gate.plan_gate.seats.get(),
        by=cast.manager,
        role="practice_manager",
        at=MONDAY,
        snapshot=record,
        digest="0" * 64,
    )


@pytest.mark.parametrize("record", NOT_A_SNAPSHOT, ids=str)
class TestForgedSignature:
    def test_the_page_of_who_is_said_to_have_signed_it_says_so(self, cast, client, record):
        forge_signature(cast, record)
        client.force_login(cast.manager)
        page = client.get(cast.url("sign-off", "go_live_data", "sign", "practice"))
        assert page.status_code == 200
        assert UNREADABLE in said(page)
        assert UNREADABLE in said(client.get(cast.url("sign-off", "go_live_data")))

    def test_the_mail_says_what_can_be_read(self, cast, record):
        forge_signature(cast, record)
        gate = gate_of(cast)
        words = words_of(*told_of(gate, cast.project_manager))
        assert "has signed off" in words.paragraphs[0]
        lines = [line for section in words.sections for line in section.lines]
        assert any(UNREADABLE in line.note for line in lines)


def test_the_mail_and_page_of_a_real_signature_say_no_such_thing(cast, client):
    sign(cast)
    gate = gate_of(cast)
    assert UNREADABLE not in str(words_of(*told_of(gate, cast.project_manager)))
    client.force_login(cast.manager)
    page = said(client.get(cast.url("sign-off", "go_live_data", "sign", "practice")))
    assert UNREADABLE not in page
    assert SignOff.objects.get().history_root in page


NOT_A_REPORT: list[Any] = [[], 3, "x", {}, {"report": [1]}, {"report": {"a": 1}}, {"report": True}]


@pytest.mark.parametrize("data", NOT_A_REPORT, ids=str)
def test_a_forged_report_event_stops_no_page_of_reports(cast, client, data):
    note(cast)
    report(cast)
    forge(cast, "patient_data.reported", data)
    client.force_login(cast.project_manager)
    page = client.get(cast.url("reports"))
    assert page.status_code == 200
    assert "Reported patient data in GL-02" in said(page)


def test_a_report_without_its_event_is_listed_all_the_same(cast, client):
    note(cast)
    PatientDataReport.objects.create(
        migration=cast.migration,
        text=the_text(cast),
        reported_by=cast.staff,
        reported_at=MONDAY,
    )
    client.force_login(cast.project_manager)
    assert UNREADABLE in said(client.get(cast.url("reports")))


@pytest.mark.parametrize(
    "data",
    [lambda pk: [{"text": pk}], lambda pk: {"a": {"text": pk}, "written_as": ["x" * 50]}],
    ids=["no object", "no side"],
)
def test_a_forged_event_about_a_text_keeps_nobody_from_reporting_it(cast, client, data):
    services.add_note(task=cast.task("GL-02"), body="Rang them", by=cast.manager, at=MONDAY)
    text = cast.task("GL-02").notes.get().text
    forge(cast, "task.noted", data(text.pk), seq=0)
    client.force_login(cast.staff)
    address = cast.url("texts", str(text.pk), "report")
    assert client.get(address).status_code == 200
    assert client.post(address).status_code == 302
    text.refresh_from_db()
    assert text.hidden_at


NOT_AN_IMPORT: list[Any] = [
    [],
    3,
    "x",
    {"rejections": 3},
    {"rejections": [1]},
    {"rejections": [[1, 2]]},
    {"unusual": 1, "unusual_codes": 3},
    {"new_commissioners": 3, "unused_columns": {}},
]


@pytest.mark.parametrize("result", NOT_AN_IMPORT, ids=str)
def test_a_forged_job_stops_no_page_of_imports(client, result):
    admin = make_person(Role.ADMINISTRATOR)
    job = Job.objects.create(
        kind=IMPORT, asked_by=admin, asked_at=MONDAY, state=Job.State.DONE, result=result
    )
    client.force_login(admin)
    page = client.get(f"/directory/import/{job.pk}/")
    assert page.status_code == 200
    assert UNREADABLE in said(page)
    assert client.get("/directory/import/").status_code == 200


def test_what_is_forged_here_is_found(cast):
    event = forge(cast, "patient_data.reported", [])
    with snapshot():
        assert ("common_event", event.pk) in {(one.table, one.row) for one in verify(Chains())}
