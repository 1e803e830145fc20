"""What is added to tasks, and tasks that are added: notes, evidence, tasks of one's own."""

from datetime import date, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from practices.common.errors import Refused
from practices.common.models import Event
from practices.common.time import end_of_london_day
from practices.tracking import services
from practices.tracking.models import Task
from tests.factories import MONDAY

from .cast import assert_sound, make_cast

pytestmark = pytest.mark.django_db
LATER = MONDAY + timedelta(hours=1)
State = Task.State


@pytest.fixture
def cast():
    return make_cast()


@pytest.fixture
def tick(cast):
    def tick(code, by=None, at=MONDAY):
        return services.tick_task(task=cast.task(code), by=by or cast.manager, at=at)

    return tick


def test_notes_are_added_once(cast):
    for words in ("Called them", "Called them", "Called again"):
        services.add_note(task=cast.task("GL-02"), body=words, by=cast.manager, at=MONDAY)
    with pytest.raises(Refused, match="Enter a note"):
        services.add_note(task=cast.task("GL-02"), body=" \n", by=cast.manager, at=MONDAY)
    assert [str(note.text) for note in cast.task("GL-02").notes.all()] == [
        "Called them",
        "Called again",
    ]


def test_events_hold_no_words_of_people(cast):
    services.add_note(task=cast.task("GL-02"), body="Secret words", by=cast.manager, at=MONDAY)
    services.block_task(task=cast.task("GL-02"), reason="Secret words", by=cast.manager, at=MONDAY)
    for event in Event.objects.of(cast.migration.stream):
        assert "Secret" not in str(event.data)
        assert "Alice" not in str(event.data)


def test_evidence_is_a_link_or_a_file_and_leaves_a_trace(cast):
    task = cast.task("GL-02")
    link = services.add_evidence(task=task, link="https://a.test/x", by=cast.manager, at=MONDAY)
    again = services.add_evidence(task=task, link="https://a.test/x", by=cast.manager, at=MONDAY)
    assert link == again
    upload = SimpleUploadedFile("list.csv", b"date,count\n2027-01-01,20\n")
    file = services.add_evidence(task=task, upload=upload, by=cast.manager, at=MONDAY)
    assert file.file.media_type == "text/csv"
    services.remove_evidence(evidence=link, by=cast.manager, at=LATER)
    services.remove_evidence(evidence=link, by=cast.manager, at=LATER)
    assert cast.events("GL-02") == [
        "task.evidence_added",
        "task.evidence_added",
        "task.evidence_removed",
    ]


@pytest.mark.parametrize(
    "link",
    [
        "",
        "javascript:alert(1)",
        "ftp://a.test/",
        "a.test",
        "https://alice:secret@a.test/",
        "https://alice@a.test/x",
    ],
)
def test_what_is_no_web_address_is_no_evidence(cast, link):
    with pytest.raises(Refused, match="web address"):
        services.add_evidence(task=cast.task("GL-02"), link=link, by=cast.manager, at=MONDAY)


def test_a_file_that_lies_about_its_kind_is_refused_and_nothing_is_kept(cast):
    upload = SimpleUploadedFile("photo.png", b"MZ\x90\x00 not a picture")
    with pytest.raises(Refused):
        services.add_evidence(task=cast.task("GL-02"), upload=upload, by=cast.manager, at=MONDAY)
    assert cast.events("GL-02") == []


def test_a_file_larger_than_the_setting_is_refused(cast, settings):
    settings.EVIDENCE_MAX_MB = 1
    upload = SimpleUploadedFile("receipt.txt", b"received in full\n" * 70_000)
    with pytest.raises(Refused, match="1 MB"):
        services.add_evidence(task=cast.task("GL-02"), upload=upload, by=cast.manager, at=MONDAY)


@pytest.fixture
def add(cast):
    def add(title="Move the fish tank", **changes):
        fields = {
            "guidance": "",
            "owner": "practice_manager",
            "due_on": date(2027, 3, 1),
            "assignee": None,
            **changes,
        }
        phase = cast.migration.phases.get(key="go_live")
        return services.add_task(phase=phase, title=title, by=cast.manager, at=MONDAY, **fields)

    return add


def test_a_task_of_ones_own_is_counted_and_keeps_its_date(cast, add):
    task = add(guidance="Two people.")
    assert (task.code, task.pinned, task.mandatory) == ("OWN-01", True, True)
    assert task.due_at == end_of_london_day(date(2027, 3, 1))
    assert add("Move the plants").code == "OWN-02"
    assert_sound(cast.migration)


def test_words_that_show_nothing_are_no_words(cast, add, tick):
    nothing = "\u202e \x00\u2069"
    task, who = cast.task("GL-02"), {"by": cast.manager, "at": MONDAY}
    for act in (services.set_task_aside, services.block_task):
        with pytest.raises(Refused, match="Enter a reason"):
            act(task=task, reason=nothing, **who)
    with pytest.raises(Refused, match="Enter a note"):
        services.add_note(task=task, body=nothing, **who)
    with pytest.raises(Refused, match="Enter what is to be done"):
        add(title=nothing)
    assert add(guidance=nothing).own_guidance is None
    tick("GL-02")
    task = cast.task("GL-02")
    services.reopen_task(task=task, seen_version=task.version, reason=nothing, **who)
    assert cast.task("GL-02").reason is None


def test_the_same_task_is_not_added_twice_while_it_is_to_do(cast, add, tick):
    add()
    with pytest.raises(Refused, match="as OWN-01"):
        add()
    tick("OWN-01")
    assert add().code == "OWN-02"


def test_a_code_the_plan_uses_is_left_to_the_plan(cast, add):
    Task.objects.filter(migration=cast.migration, code="GL-02").update(code="OWN-01")
    assert add().code == "OWN-02"


def test_a_stranger_is_not_given_a_new_task(cast, add):
    with pytest.raises(Refused, match="no part"):
        add(assignee=cast.stranger)
