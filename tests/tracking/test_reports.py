"""Patient data that somebody typed: hidden at once for all, then removed or shown again."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

import pytest
import time_machine
from django.db import IntegrityError, transaction

from practices.common.errors import Conflict, Refused
from practices.common.models import Event, StoredFile, Text
from practices.tracking import records, services
from practices.tracking.models import PatientDataReport, SignOff
from practices.tracking.places import place_of
from practices.tracking.services import ContactDetails
from practices.tracking.services.contacts import contact_mark
from tests.factories import MONDAY

from .cast import Cast, assert_sound, make_cast
from .steps import clear, gate_of, record, sign, withdraw
from .test_dates_pages import said
from .test_history import everything

pytestmark = pytest.mark.django_db
WORDS = "Mrs Rowena Blackthorn"
HIDDEN, REMOVED = "(hidden while it is checked)", "(removed)"
LATER = MONDAY + timedelta(hours=2, minutes=5)
HISTORY = "history"


@pytest.fixture
def cast():
    return make_cast()


@dataclass(frozen=True)
class Typed:
    """A kind of text: how it is typed, and the pages it stands on then."""

    type: Callable[[Cast], object]
    pages: set[str]


def note(cast):
    services.add_note(task=cast.task("GL-02"), body=WORDS, by=cast.manager, at=MONDAY)


def link(cast):
    link = f"https://example.test/?q={WORDS}"
    services.add_evidence(task=cast.task("GL-02"), link=link, by=cast.manager, at=MONDAY)


def blocked(cast):
    services.block_task(task=cast.task("GL-02"), reason=WORDS, by=cast.manager, at=MONDAY)


def set_aside(cast):
    services.set_task_aside(task=cast.task("GL-02"), reason=WORDS, by=cast.manager, at=MONDAY)


def reopened(cast):
    services.tick_task(task=cast.task("GL-02"), by=cast.manager, at=MONDAY)
    task = cast.task("GL-02")
    services.reopen_task(
        task=task, seen_version=task.version, reason=WORDS, by=cast.manager, at=MONDAY
    )


def own_task(cast, *, title="Bring cake", guidance=""):
    services.add_task(
        phase=cast.migration.phases.get(key="go_live"),
        title=title,
        guidance=guidance,
        owner="practice_staff",
        due_on=date(2027, 1, 12),
        assignee=None,
        by=cast.manager,
        at=MONDAY,
    )


def signed_over(cast):
    sign(cast, exceptions={"CUT-02": WORDS, "CUT-03": WORDS})


def withdrawn(cast):
    sign(cast)
    withdraw(cast, reason=WORDS)


def bypassed(cast):
    services.record_bypass(gate=gate_of(cast), reason=WORDS, by=cast.project_manager, at=MONDAY)


def contact_before(cast, name=WORDS, then="Pat Example"):
    details = ContactDetails(role="pcse", name=name, telephone="01632 960123")
    contact = services.add_contact(
        migration=cast.migration, details=details, by=cast.manager, at=MONDAY
    )
    services.change_contact(
        contact=contact,
        details=ContactDetails(role="pcse", name=then, telephone="01632 960124"),
        seen=contact_mark(contact),
        by=cast.manager,
        at=MONDAY,
    )


def cleared_date(cast):
    record(cast, "KO", date(2027, 2, 1))
    clear(cast, "KO", reason=WORDS)


def cancelled(cast):
    services.cancel_migration(
        migration=cast.migration, reason=WORDS, by=cast.project_manager, at=MONDAY
    )


GL_02, OWN_01 = "tasks/GL-02", "tasks/OWN-01"
LISTS = {"tasks", "phases/go_live"}
GATE = "sign-off/go_live_data"
TYPED = {
    "a note": Typed(note, {GL_02, HISTORY}),
    "a link": Typed(link, {GL_02, HISTORY}),
    "why it is blocked": Typed(blocked, {GL_02, HISTORY} | LISTS),
    "why it does not apply": Typed(set_aside, {GL_02, HISTORY} | LISTS),
    "why it was reopened": Typed(reopened, {GL_02, HISTORY}),
    "the title of a task": Typed(partial(own_task, title=WORDS), {OWN_01, HISTORY} | LISTS),
    "how to do a task": Typed(partial(own_task, guidance=WORDS), {OWN_01} | LISTS),
    "a reason to sign all the same": Typed(signed_over, {GATE}),
    "why it was withdrawn": Typed(withdrawn, {GATE, HISTORY, "tasks/CUT-04"}),
    "why it went ahead without": Typed(bypassed, {"", GATE, HISTORY}),
    "a contact as it was": Typed(contact_before, {HISTORY}),
    "why a date was taken back": Typed(cleared_date, {HISTORY}),
    "why it was cancelled": Typed(cancelled, {"", HISTORY}),
}
PAGES = {"", HISTORY, GATE, "dates", "people", "tasks/CUT-02", "tasks/CUT-04", GL_02} | LISTS


def read(client, cast, who, pages=frozenset()) -> dict[str, str]:
    """What stands on these pages of the migration, or on all of them, as somebody sees them."""
    own = {OWN_01} if cast.migration.tasks.filter(code="OWN-01") else set()
    seen = {}
    with time_machine.travel(MONDAY, tick=False):
        client.force_login(who)
        for page in pages or PAGES | own:
            answer = client.get(cast.url(*filter(None, [page])), {"show": "all"})
            assert answer.status_code == 200, page
            seen[page] = answer.content.decode()
    return seen


def pages_with(words: str, seen: dict[str, str]) -> set[str]:
    return {page for page, text in seen.items() if words in text}


def the_text(cast) -> Text:
    return Text.objects.filter(body__contains=WORDS).get()


def report(cast, what=None, **more) -> PatientDataReport:
    what = what or the_text(cast)
    held = {"file": what} if isinstance(what, StoredFile) else {"text": what}
    return services.report_patient_data(
        **{"migration": cast.migration, "by": cast.staff, "at": MONDAY, **held, **more}
    )


@pytest.mark.parametrize("who", ["manager", "new_supplier", "project_manager"])
@pytest.mark.parametrize("typed", TYPED.values(), ids=TYPED)
def test_what_is_reported_is_gone_from_every_page_and_comes_back(client, cast, typed, who):
    typed.type(cast)
    viewer = getattr(cast, who)
    assert pages_with(WORDS, read(client, cast, viewer, typed.pages)) == typed.pages
    hidden = report(cast)
    seen = read(client, cast, viewer)
    assert pages_with(WORDS, seen) == set()
    assert pages_with(HIDDEN, seen) >= typed.pages
    services.restore(report=hidden, by=cast.project_manager, at=LATER)
    assert pages_with(WORDS, read(client, cast, viewer, typed.pages)) == typed.pages
    services.redact(report=report(cast), by=cast.project_manager, at=LATER)
    seen = read(client, cast, viewer)
    assert pages_with(WORDS, seen) == set()
    assert pages_with(REMOVED, seen) >= typed.pages
    assert not Text.objects.filter(body__contains=WORDS).exists()
    assert_sound(cast.migration)


def test_a_title_that_is_hidden_is_in_no_list_of_the_portfolio(client, cast):
    own_task(cast, title=WORDS)
    report(cast)
    client.force_login(cast.project_manager)
    for address in ("/dashboard/", "/dashboard/export/"):
        assert WORDS not in client.get(address).content.decode()


def test_every_text_of_a_migration_can_be_found_in_it_and_in_no_other(cast):
    everything(cast)
    own_task(cast, title="Bring juice", guidance="With ice")
    sign(cast)
    other = make_cast()
    texts = list(Text.objects.all())
    assert len(texts) > 12
    for text in texts:
        assert place_of(cast.migration, text), text.body
        assert place_of(other.migration, text) is None


def test_what_was_reported_is_hidden_but_not_forgotten(cast):
    note(cast)
    text = the_text(cast)
    hidden = report(cast, text)
    text.refresh_from_db()
    assert (text.body, text.hidden_at, text.redacted_at) == (WORDS, MONDAY, None)
    assert (hidden.reported_by, hidden.reported_at, hidden.outcome) == (cast.staff, MONDAY, "")


def test_the_event_says_how_many_minutes_it_took_and_never_the_words(cast):
    note(cast)
    text = the_text(cast)
    services.redact(report=report(cast), by=cast.project_manager, at=LATER)
    events = Event.objects.of(cast.migration.stream).order_by("-seq")[:2]
    assert [(event.kind, event.subject) for event in events] == [
        ("patient_data.redacted", "task:GL-02"),
        ("patient_data.reported", "task:GL-02"),
    ]
    assert events[0].data["minutes"] == 125
    assert events[0].data["text"] == {"text": text.pk, "sha256": text.sha256}
    assert WORDS not in str([event.data for event in events])
    text.refresh_from_db()
    assert text.body == ""
    assert text.sha256 == events[0].data["text"]["sha256"]


def test_history_says_who_reported_and_how_long_it_took(client, cast):
    note(cast)
    services.redact(report=report(cast), by=cast.project_manager, at=LATER)
    client.force_login(cast.new_supplier)
    page = said(client.get(cast.url("history")))
    assert "Reported patient data in GL-02 “Tell the help desk”, which hid a text" in page
    assert "Removed patient data from GL-02 “Tell the help desk”, 2 hours 5 minutes after" in page


def test_a_signature_over_a_removed_reason_is_intact(client, cast):
    signed_over(cast)
    services.redact(report=report(cast), by=cast.project_manager, at=LATER)
    signed = SignOff.objects.get()
    texts = Text.objects.in_bulk()
    assert records.is_intact(signed, texts)
    client.force_login(cast.manager)
    page = said(client.get(cast.url(GATE)))
    assert "Record intact" in page
    assert "does not match" not in page


def test_of_a_migration_that_is_over_it_can_be_removed_too(cast):
    note(cast)
    cancelled_reason = "No money"
    services.cancel_migration(
        migration=cast.migration, reason=cancelled_reason, by=cast.project_manager, at=MONDAY
    )
    services.redact(report=report(cast), by=cast.project_manager, at=LATER)
    assert not Text.objects.filter(body=WORDS).exists()


class TestTwice:
    """The same act again, and two people at once."""

    def test_the_second_report_finds_the_first(self, cast):
        note(cast)
        first, second = report(cast), report(cast, by=cast.manager, at=LATER)
        assert first == second
        assert second.reported_by == cast.staff
        assert cast.events().count("patient_data.reported") == 1

    def test_what_was_shown_again_can_be_reported_again(self, cast):
        note(cast)
        services.restore(report=report(cast), by=cast.project_manager, at=LATER)
        again = report(cast, at=LATER)
        assert again.pk != PatientDataReport.objects.first().pk
        assert not the_text(cast).is_shown

    def test_what_is_removed_is_not_reported_again(self, cast):
        note(cast)
        text = the_text(cast)
        services.redact(report=report(cast), by=cast.project_manager, at=LATER)
        with pytest.raises(Refused, match="removed already"):
            report(cast, text)

    def test_whoever_decides_second_is_told(self, cast):
        note(cast)
        hidden = report(cast)
        services.restore(report=hidden, by=cast.project_manager, at=LATER)
        with pytest.raises(Conflict, match=r"Sam Example.*shown again"):
            services.redact(report=hidden, by=cast.project_manager, at=LATER)
        services.restore(report=hidden, by=cast.project_manager, at=LATER)
        assert the_text(cast).is_shown
        assert cast.events().count("patient_data.restored") == 1

    def test_a_removed_text_does_not_come_back(self, cast):
        note(cast)
        hidden = report(cast)
        services.redact(report=hidden, by=cast.project_manager, at=LATER)
        with pytest.raises(Conflict, match="removed for good"):
            services.restore(report=hidden, by=cast.project_manager, at=LATER)

    def test_the_database_holds_one_open_report_of_a_text(self, cast):
        note(cast)
        first = report(cast)
        with pytest.raises(IntegrityError, match="text_reported_once"), transaction.atomic():
            PatientDataReport.objects.create(
                migration=cast.migration,
                text=first.text,
                reported_by=cast.staff,
                reported_at=MONDAY,
            )


def test_a_text_of_another_migration_is_not_touched(cast):
    other = make_cast()
    note(other)
    with pytest.raises(Refused, match="no part of the migration"):
        report(cast)
    assert the_text(cast).is_shown
