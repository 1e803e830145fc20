"""History in words: every kind of event has a sentence, and every change is there."""

import ast
from datetime import date, timedelta
from pathlib import Path

import pytest
import time_machine

from practices.accounts.roles import Owner, Role
from practices.common.models import Event, Text
from practices.tracking import sentences, services
from practices.tracking.models import Migration
from practices.tracking.services import ContactDetails
from practices.tracking.services.contacts import contact_mark
from tests.factories import FDP_AT, GO_LIVE_AT, MONDAY, make_person

from .cast import make_cast
from .steps import YEARS_LATER, clear, correct, gate_of, go_live, record, replan, sign, withdraw
from .test_dates_pages import said

pytestmark = pytest.mark.django_db
SERVICES = Path(services.__file__).parent


@pytest.fixture
def cast():
    return make_cast()


def lines(cast):
    events = Event.objects.of(cast.migration.stream).order_by("seq")
    return sentences.lines(cast.migration, events)


def kinds_written() -> set[str]:
    """Every kind of event that a service of this room can write, read from the code."""
    rooms = {"migration", "dates", "date", "cut_over", "clock", "gate", "contact", "task"}
    rooms |= {"counters", "access"}
    found = set()
    for path in SERVICES.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                room, dot, act = node.value.partition(".")
                if dot and room in rooms and act.isidentifier():
                    found.add(node.value)
    ends = (Migration.State.FINISHED, Migration.State.CANCELLED, Migration.State.DELETED)
    return found | {f"migration.{state}" for state in ends}


def test_every_kind_of_event_has_a_sentence():
    kinds = kinds_written()
    assert len(kinds) > 25
    assert kinds - sentences.SENTENCES.keys() == set()


def everything(cast) -> None:
    """Each act that people have, once."""
    by, at = cast.manager, MONDAY
    task = cast.task("GL-02")
    services.assign_task(task=task, assignee=cast.staff, by=by, at=at)
    services.add_note(task=task, body="Asked the help desk", by=by, at=at)
    evidence = services.add_evidence(task=task, link="https://example.test/", by=by, at=at)
    services.remove_evidence(evidence=evidence, by=by, at=at)
    task = cast.task("GL-02")
    services.pin_task(task=task, due_on=date(2027, 4, 20), seen_version=task.version, by=by, at=at)
    services.block_task(task=task, reason="No answer", by=by, at=at)
    services.tick_tasks(migration=cast.migration, tasks=[cast.task("CUT-02")], by=by, at=at)
    services.set_task_aside(task=cast.task("CUT-03"), reason="Not here", by=by, at=at)
    services.add_task(
        phase=cast.migration.phases.get(key="go_live"),
        title="Bring cake",
        guidance="",
        owner="practice_staff",
        due_on=date(2027, 4, 12),
        assignee=None,
        by=by,
        at=at,
    )
    details = ContactDetails(role="pcse", name="Pat Example", telephone="01632 960123")
    contact = services.add_contact(migration=cast.migration, details=details, by=by, at=at)
    changed = ContactDetails(role="pcse", name="Pat Example", telephone="01632 960124")
    services.change_contact(
        contact=contact, details=changed, seen=contact_mark(contact), by=by, at=at
    )
    services.remove_contact(contact=contact, by=by, at=at)
    services.change_project_manager(
        migration=cast.migration,
        to=make_person(Role.PROJECT_MANAGER, cast.migration.run_by, name="Nora Next"),
        seen=cast.project_manager.pk,
        by=cast.project_manager,
        at=at,
    )
    replan(cast, "GL", GO_LIVE_AT + timedelta(days=7), at=MONDAY)
    record(cast, "KO", date(2027, 2, 1))
    correct(cast, "KO", date(2027, 1, 31))
    clear(cast, "KO")
    record(cast, "FDP", FDP_AT)
    clear(cast, "FDP")
    sign(cast)
    withdraw(cast)
    bypass = services.record_bypass(
        gate=gate_of(cast), reason="Called away", by=cast.project_manager, at=at
    )
    services.confirm_bypass(bypass=bypass, by=by, at=at)
    record(cast, "FDP", FDP_AT)
    record(cast, "GL", GO_LIVE_AT)
    about_access(cast)


def about_access(cast) -> None:
    """What people say of the old system once the practice has gone live."""
    acts = {"migration": cast.migration, "by": cast.manager}
    day = GO_LIVE_AT.date() + timedelta(days=1)
    services.check_access(
        checked_on=day, is_there=False, note="Refused", at=GO_LIVE_AT + timedelta(days=1), **acts
    )
    agreement = services.Agreement(
        until=date(2027, 6, 30),
        reason="Letters are missing",
        cost=None,
        parties={Owner.SOURCE_SUPPLIER: ("Olga Old", day)},
    )
    services.extend_access(agreement=agreement, seen=1, at=GO_LIVE_AT + timedelta(days=2), **acts)
    services.explain_breach(key="access", reason="Unnoticed", seen=None, at=YEARS_LATER, **acts)


def test_whatever_people_do_is_told_in_words(cast, client):
    everything(cast)
    told = lines(cast)
    text = "\n".join(f"{line.by}: {line.said} [{line.before} > {line.after}]" for line in told)
    assert "{" not in text
    assert "None" not in text
    for words in (
        "Alice Manager: Gave GL-02 “Tell the help desk” to Bob Reception",
        "Checked Old-system access on Tuesday 13 April 2027: it is not there",
        "Agreed on another end of Old-system access, with old supplier (Olga Old, Tuesday 13",
        "Old-system access is counted to another end",
        "Gave the reason why Old-system access ran over its limit",
        "Moved the due date of GL-02",
        "Marked GL-02 “Tell the help desk” as blocked",
        "Made Nora Next the project manager, in place of Sam Example",
        "Planned “Go-live” again",
        "Mon 12 Apr 2027, 08:00 BST > Mon 19 Apr 2027, 08:00 BST",
        "Monday 1 February 2027 > Sunday 31 January 2027",
        "Aborted the cut-over",
        "72 hours, until Mon 12 Apr 2027, 18:30 BST",
        "Signed “Go-live data” as the practice",
        "Confirmed going ahead without “Go-live data”",
    ):
        assert words in text, words
    with time_machine.travel(MONDAY, tick=False):
        client.force_login(cast.staff)
        page = client.get(cast.url("history"))
    assert page.status_code == 200
    for words in (
        "Called away",
        "9 others moved with it",
        "Kick-off: Monday 1 February 2027 to Monday 8 February 2027",
        "POST-01: Monday 26 April 2027 to Monday 3 May 2027",
    ):
        assert words in said(page), words


def test_a_hidden_text_is_hidden_here_too(cast, client):
    services.block_task(
        task=cast.task("GL-02"), reason="Mrs Smith called", by=cast.manager, at=MONDAY
    )
    Text.objects.update(body="", redacted_at=MONDAY)
    client.force_login(cast.staff)
    assert "Mrs Smith" not in said(client.get(cast.url("history")))


def test_a_stranger_finds_nothing(cast, client):
    client.force_login(cast.stranger)
    assert client.get(cast.url("history")).status_code == 404


@pytest.mark.parametrize(
    ("show", "there", "gone"),
    [
        ("task", "Did CUT-01", "Recorded “Final data production”"),
        ("date", "Recorded “Final data production”", "Did CUT-01"),
        ("gate", "Signed “Go-live data”", "Did CUT-01"),
        ("clock", "Cut-over started", "Did CUT-01"),
    ],
)
def test_it_can_be_narrowed(cast, client, show, there, gone):
    go_live(cast, FDP_AT, GO_LIVE_AT)
    client.force_login(cast.staff)
    page = said(client.get(cast.url("history"), {"show": show}))
    assert there in page
    assert gone not in page
