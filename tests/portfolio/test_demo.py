"""The demo of a person's own machine."""

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from practices.accounts.models import User
from practices.accounts.roles import Owner, Role
from practices.common.models import Event
from practices.common.services import event_hash
from practices.directory.models import Organisation, Practice
from practices.portfolio import queries
from practices.portfolio.demo import Outcome, is_seeded, seed
from practices.portfolio.demo.cast import accounts
from practices.portfolio.demo.stories import STORIES
from practices.portfolio.demo.walk import Walk
from practices.tracking.models import ClockRun, Migration
from practices.tracking.services.counters import wrong_counters
from tests.factories import GO_LIVE_AT, make_person
from tests.tracking.dependent import cast_with

pytestmark = pytest.mark.django_db

NOW = datetime(2027, 3, 10, 14, 20, tzinfo=UTC)  # a Wednesday
State = Migration.State


def run(command, *arguments):
    out = io.StringIO()
    call_command(command, *arguments, stdout=out)
    return out.getvalue()


def test_a_story_is_told_in_the_order_in_which_tasks_wait_for_each_other():
    told = cast_with(
        after={"CUT-03": [("CUT-02", 1, "hours")], "CUT-02": [("CUT-01",)], "GL-02": [("GL-01",)]},
        conditions={"dispensing": {}},
        applies={"POST-01": ["dispensing"]},
        answers={"dispensing": False},
        at=GO_LIVE_AT - timedelta(days=100),
    )
    acting = dict.fromkeys(Owner.values, told.manager)
    story = replace(STORIES[0], leave=frozenset(), blocked={}, bypassed={}, until=timedelta(0))
    Walk(told.migration, story, acting, now=GO_LIVE_AT + timedelta(days=20)).go()
    left = told.migration.tasks.exclude(state="done").values_list("code", "state")
    assert dict(left) == {"POST-01": "not_applicable", "POST-02": "open"}
    done = {task.code: task.settled_at for task in told.migration.tasks.filter(state="done")}
    assert done["CUT-01"] < done["CUT-02"] <= done["CUT-03"] - timedelta(hours=1)
    assert wrong_counters() == []


@pytest.mark.timeout(400)
def test_the_demo_stands_in_every_stage_and_is_true():
    call_command("load_shipped_plans", stdout=io.StringIO())
    assert seed(password="apple-berry-cherry", at=NOW) == Outcome.SEEDED

    migrations = Migration.objects.all()
    assert set(migrations.values_list("state", flat=True)) == set(State.values) - {State.DELETED}
    main = migrations.get(practice__organisation__code="Z91001")
    clock = main.clock_runs.running().get()
    assert clock.used(NOW) == timedelta(hours=50)
    assert clock.left(NOW) == timedelta(hours=22)

    found = queries.signals(migrations, NOW)
    named = {
        key: sorted(migrations.filter(pk__in=found.ids(key)).values_list("reference", flat=True))
        for key in queries.COUNTERS
    }
    assert named["cut_over"] == ["Z91001-1", "Z91006-1"]
    assert named["over_limit"] == ["Z91006-1"]
    assert named["access"] == ["Z91009-1"]
    assert {"Z91005-1", "Z91006-1"} <= set(named["sign_off"])
    assert "Z91003-1" in named["overdue"]
    access = ClockRun.objects.get(migration__reference="Z91009-1", state="running")
    assert access.days_left(NOW) == 3
    assert migrations.filter(blocked_count__gt=0).count() == 2

    assert wrong_counters() == []
    for migration in migrations:
        events = list(Event.objects.of(migration.stream).order_by("seq"))
        times = [event.at for event in events]
        assert times == sorted(times), migration.reference
        assert times[-1] <= NOW
        assert all(event.hash == event_hash(event) for event in events)

    assert not Practice.objects.exclude(organisation__code__startswith="Z91").exists()
    listed = User.objects.filter(email__in=[email for _, email, _ in accounts()])
    assert all(person.check_password("apple-berry-cherry") for person in listed)
    held = {role for person in listed for role in person.roles}
    assert held == set(Role)
    others = User.objects.exclude(pk__in=listed)
    assert not any(person.has_usable_password() for person in others)

    assert seed(password="another", at=NOW) == Outcome.ALREADY
    assert Migration.objects.count() == migrations.count()


def test_it_keeps_away_from_data_that_is_there_already():
    make_person()
    assert seed(password="apple-berry-cherry", at=NOW) == Outcome.IN_USE
    assert not is_seeded()
    assert not Organisation.objects.filter(code__startswith="Z91").exists()


def test_it_is_refused_where_real_people_work(settings, tmp_path):
    settings.DEVELOPMENT = False
    with pytest.raises(CommandError, match="never beside real practices"):
        run("seed_demo", f"--password-file={tmp_path / 'password'}")
    assert not list(tmp_path.iterdir())


def test_without_plans_nothing_is_left_behind(tmp_path):
    with pytest.raises(CommandError, match="load_shipped_plans"):
        run("seed_demo", f"--password-file={tmp_path / 'password'}")
    assert not User.objects.exists()


def test_the_password_is_made_once_and_only_its_owner_can_read_it(tmp_path, monkeypatch):
    used = []
    monkeypatch.setattr(
        "practices.portfolio.management.commands.seed_demo.seed",
        lambda **given: used.append(given["password"]) or Outcome.ALREADY,
    )
    file = Path(tmp_path) / "var" / "password"
    assert run("seed_demo", f"--password-file={file}") == "The demo is already there.\n"
    run("seed_demo", f"--password-file={file}")
    assert len(used[0]) == 19
    assert used[0] == used[1]
    assert file.stat().st_mode & 0o777 == 0o600


def test_the_accounts_are_listed_with_their_password(tmp_path, monkeypatch):
    file = tmp_path / "password"
    file.write_text("apple-berry-cherry\n")
    assert run("demo_accounts", f"--password-file={file}") == "There is no demo here.\n"
    monkeypatch.setattr(
        "practices.portfolio.management.commands.demo_accounts.is_seeded", lambda: True
    )
    listed = run("demo_accounts", f"--password-file={file}")
    assert "Practice manager" in listed
    assert "practice.manager@example.org" in listed
    assert "The password of all of them is apple-berry-cherry" in listed
    file.unlink()
    assert "Forgotten your password?" in run("demo_accounts", f"--password-file={file}")


def test_no_code_of_the_demo_is_a_real_practice():
    real = Path(__file__).parents[3] / "shared" / "data" / "epraccur-2025-05.csv"
    if not real.exists():
        pytest.skip("The real practice list is not here.")
    codes = {line.split(",")[0].strip('"') for line in real.read_text("cp1252").splitlines()}
    assert not [code for code in codes if code.startswith("Z91")]
