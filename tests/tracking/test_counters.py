"""The stored counters, proved and corrected."""

import io

import pytest
from django.core.management import CommandError, call_command

from practices.common.models import Event
from practices.tracking.models import Migration, Phase
from practices.tracking.services import tick_task
from practices.tracking.services.counters import wrong_counters
from tests.factories import MONDAY, make_migration

pytestmark = pytest.mark.django_db


def run(*arguments):
    out = io.StringIO()
    call_command("check_counters", *arguments, stdout=out)
    return out.getvalue()


def test_counters_kept_by_the_services_are_right():
    migration = make_migration()
    make_migration()
    tick_task(task=migration.tasks.get(code="GL-02"), by=migration.project_manager, at=MONDAY)
    assert run() == "Every counter is right.\n"


def test_a_wrong_counter_is_named_and_left_alone():
    migration = make_migration()
    Phase.objects.filter(migration=migration, key="go_live").update(done_count=3)
    with pytest.raises(CommandError, match="1 wrong"):
        run()
    assert [str(wrong) for wrong in wrong_counters()] == [
        f"{migration.reference}, phase go_live: done 3, counted 0"
    ]


def test_with_fix_it_is_corrected_and_said_in_the_history():
    migration, right = make_migration(), make_migration()
    Phase.objects.filter(migration=migration, key="go_live").update(done_count=3, open_count=0)
    Migration.objects.filter(pk=migration.pk).update(open_count=7, blocked_count=1)
    out = run("--fix")
    assert f"{migration.reference}, as a whole: open 7, counted 8; blocked 1, counted 0" in out
    assert not wrong_counters()
    event = Event.objects.of(migration.stream).order_by("-seq").first()
    assert event.kind == "counters.corrected"
    assert event.data["corrected"] == {
        "migration": [[0, 7, 1, 0], [0, 8, 0, 0]],
        "go_live": [[3, 0, 0, 0], [0, 2, 0, 0]],
    }
    assert not Event.objects.of(right.stream).filter(kind="counters.corrected").exists()
