"""The dashboard: each number opens what it counts, and nobody sees what is not theirs."""

import csv
import io
from datetime import timedelta

import pytest

from practices.accounts.roles import Role
from practices.common import clock
from practices.directory.models import Organisation
from practices.plans.rules import Moment
from practices.portfolio import queries
from practices.tracking import services
from practices.tracking.models import Migration
from practices.tracking.services.gates import seen_mark, still_open
from tests.factories import (
    FDP_AT,
    GO_LIVE_AT,
    MONDAY,
    make_commissioner,
    make_migration,
    make_organisation,
    make_person,
    make_plan_version,
    make_practice,
    make_system,
)

pytestmark = pytest.mark.django_db

URL = "/portfolio/"
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def at(monkeypatch):
    """Set the clock that views read."""

    def set_clock(now):
        monkeypatch.setattr(clock, "now", lambda: now)

    set_clock(MONDAY)
    return set_clock


@pytest.fixture
def partner():
    return make_organisation(Organisation.Kind.DELIVERY_PARTNER)


@pytest.fixture
def manager(partner, at):
    return make_person(Role.PROJECT_MANAGER, partner)


@pytest.fixture
def plan():
    return make_plan_version()


@pytest.fixture
def start(partner, manager, plan):
    def start_one(name, **fields):
        fields.setdefault("practice", make_practice(name))
        return make_migration(project_manager=manager, run_by=partner, plan_version=plan, **fields)

    return start_one


@pytest.fixture
def look(client, manager):
    client.force_login(manager)

    def get(query="", **asked):
        return client.get(f"{URL}{query}", asked or None)

    return get


def names(response):
    return [row.practice for row in response.context["rows"]]


def record(migration, key, instant):
    services.record_actual(
        migration=migration,
        key=key,
        when=Moment.of_instant(instant),
        by=migration.project_manager,
        at=instant,
    )


def sign(migration, at):
    gate = migration.gates.select_related("plan_gate").get()
    gate.migration = migration
    signer = make_person(Role.PRACTICE_MANAGER, migration.practice)
    items = still_open(gate)
    services.sign_off(
        gate=gate,
        seat=gate.plan_gate.seats.get(),
        name=signer.name,
        seen=seen_mark(gate, items),
        exceptions={item.key: "Agreed." for item in items},
        by=signer,
        at=at,
    )


def go_live(migration):
    record(migration, "FDP", FDP_AT)
    sign(migration, GO_LIVE_AT - HOUR)
    record(migration, "GL", GO_LIVE_AT)


def tick(migration, *codes, at):
    services.tick_tasks(
        migration=migration,
        tasks=migration.tasks.filter(code__in=codes),
        by=migration.project_manager,
        at=at,
    )


@pytest.fixture
def stages(start):
    """One migration of each kind that a counter counts, and some that none counts."""
    made = {name: start(name) for name in ("Ash", "Beech", "Cedar", "Elder", "Fir")}
    record(made["Ash"], "FDP", FDP_AT)
    go_live(made["Beech"])
    # All that its gate covers is done.
    tick(made["Cedar"], "CUT-02", "CUT-03", at=MONDAY)
    made["Fir"] = services.cancel_migration(
        migration=made["Fir"], reason="Off", by=made["Fir"].project_manager, at=MONDAY
    )
    return made


def test_every_counter_opens_exactly_the_list_it_counts(stages, look, at):
    cannot_read(stages["Beech"])
    seen = {}
    for now in (MONDAY, FDP_AT + 73 * HOUR, GO_LIVE_AT + 32 * DAY, GO_LIVE_AT + 60 * DAY):
        at(now)
        for counter in look().context["counters"]:
            listed = look(counter.url)
            assert listed.context["page_obj"].paginator.count == counter.number
            assert len(listed.context["rows"]) == counter.number
            seen.setdefault(counter.text, set()).add(counter.number)
    # Each counter was something else than nothing at one of these times.
    assert all(max(numbers) > 0 for numbers in seen.values()), seen


def cannot_read(migration: Migration, *, is_there: bool = False) -> None:
    """Somebody looked for the old system, two days after go-live."""
    at = GO_LIVE_AT + 2 * DAY
    services.check_access(
        migration=migration,
        checked_on=at.date(),
        is_there=is_there,
        note="",
        by=migration.project_manager,
        at=at,
    )


def test_an_old_system_that_is_not_there_is_counted_and_shown_until_it_is(stages, look, at):
    at(GO_LIVE_AT + 3 * DAY)
    assert names(look(show="access_lost")) == []
    cannot_read(stages["Beech"])
    page = look(show="access_lost")
    assert names(page) == ["Beech"]
    assert ">Old system not there</strong>" in page.content.decode()
    cannot_read(stages["Beech"], is_there=True)
    assert names(look(show="access_lost")) == []


def test_what_the_counters_count(stages, look, at):
    def counted(now):
        at(now)
        found = queries.signals(Migration.objects.all(), now)
        return {
            key: {name for name, migration in stages.items() if migration.pk in found.ids(key)}
            for key in queries.COUNTERS
        }

    assert counted(GO_LIVE_AT - 8 * DAY)["sign_off"] == set()
    assert counted(GO_LIVE_AT - 7 * DAY)["sign_off"] == {"Cedar"}
    during = counted(FDP_AT + 71 * HOUR)
    assert during["cut_over"] == {"Ash"}
    assert during["over_limit"] == set()
    assert during["sign_off"] == {"Cedar"}
    assert during["access"] == set()
    assert counted(FDP_AT + 72 * HOUR)["over_limit"] == {"Ash"}
    # 45 days from 12 April 2027 is 27 May, the last day; 14 days before that is 13 May.
    assert counted(GO_LIVE_AT + 30 * DAY)["access"] == set()
    assert counted(GO_LIVE_AT + 31 * DAY)["access"] == {"Beech"}
    assert counted(GO_LIVE_AT + 45 * DAY)["access"] == {"Beech"}
    assert counted(GO_LIVE_AT + 46 * DAY)["access"] == set()
    assert counted(GO_LIVE_AT + 60 * DAY)["overdue"] == {"Ash", "Beech", "Cedar", "Elder"}


def test_a_bypass_that_waits_to_be_confirmed_waits_for_sign_off(start, look):
    migration = start("Ash")
    gate = migration.gates.get()
    services.record_bypass(gate=gate, reason="Because", by=migration.project_manager, at=MONDAY)
    page = look(show="sign_off", state="cut_over").content.decode()
    assert "Only shown: <strong>Waiting for sign-off</strong>" in page
    assert 'href="?state=cut_over">Show the others too' in page
    assert names(look(show="sign_off")) == ["Ash"]
    services.confirm_bypass(
        bypass=gate.bypasses.get(),
        by=make_person(Role.LEAD_GP, migration.practice),
        at=MONDAY,
    )
    assert names(look(show="sign_off")) == []


def test_counters_count_within_the_filters_and_their_links_keep_them(stages, look, at):
    at(GO_LIVE_AT + 60 * DAY)
    page = look(practice="ash", state="cancelled", sort="-late")
    overdue = page.context["counters"][0]
    assert (overdue.text, overdue.number) == ("With overdue tasks", 1)
    assert "practice=ash" in overdue.url
    assert "sort=-late" in overdue.url
    assert names(look(overdue.url)) == ["Ash"]


def test_a_row_says_how_a_migration_stands(start, look, at):
    migration = start("Ash")
    record(migration, "FDP", FDP_AT)
    services.block_task(
        task=migration.tasks.get(code="CUT-02"),
        reason="No list",
        by=migration.project_manager,
        at=FDP_AT,
    )
    at(FDP_AT + 50 * HOUR)
    (row,) = look().context["rows"]
    assert (row.state, row.phase) == ("Cut-over", "Cut over")
    assert (row.done, row.needed, row.percent) == (1, 8, 12)
    assert (row.overdue, row.blocked) == (2, 1)
    assert (row.clock.title, row.clock.left) == ("Cut-over", "22 hours left of 72")
    assert (row.next_date.title, row.next_date.late) == ("Go-live", False)
    at(FDP_AT + 74 * HOUR)
    (row,) = look().context["rows"]
    assert (row.clock.left, row.clock.colour) == ("2 hours over 72 hours", "red")
    assert (row.next_date.title, row.next_date.late) == ("Go-live", True)


@pytest.mark.parametrize(
    ("days", "left"),
    [
        (44, "1 day left of 45"),
        (45, "Last day of 45"),
        (46, "1 day over 45 days"),
    ],
)
def test_access_is_counted_in_days_and_the_last_one_counts(start, look, at, days, left):
    go_live(start("Ash"))
    at(GO_LIVE_AT + days * DAY)
    (row,) = look().context["rows"]
    assert row.clock.left == left


def test_the_phase_is_the_furthest_that_is_half_done(start, look, at):
    migration = start("Ash")
    phase = lambda: look().context["rows"][0].phase  # noqa: E731
    assert phase() == "Cut over"
    tick(migration, "CUT-02", at=MONDAY)
    assert phase() == "Cut over"
    tick(migration, "GL-02", at=MONDAY)
    assert phase() == "Go live"
    assert names(look(phase="go_live")) == ["Ash"]
    assert names(look(phase="cut_over")) == []
    tick(migration, "POST-01", at=MONDAY)
    assert phase() == "Post go live"


def test_filters_narrow_the_list(start, look, at):
    north, south = make_commissioner("North ICB"), make_commissioner("South ICB")
    old, new = make_system("Old"), make_system("New")
    start("Ash", practice=make_practice("Ash", commissioner=north), source_system=old)
    start("Beech", practice=make_practice("Beech", commissioner=south))
    both = start("Cedar", practice=make_practice("Cedar"), source_system=old, target_system=new)
    assert names(look(commissioner=north.pk)) == ["Ash"]
    assert names(look(systems=f"{old.pk}-{new.pk}")) == ["Cedar"]
    assert names(look(practice="ee")) == ["Beech"]
    assert names(look(practice=both.practice.organisation.code.lower())) == ["Cedar"]
    assert names(look(practice="nowhere")) == []
    assert sorted(names(look(mine="on"))) == ["Ash", "Beech", "Cedar"]
    services.cancel_migration(migration=both, reason="Off", by=both.project_manager, at=MONDAY)
    assert sorted(names(look())) == ["Ash", "Beech"]
    assert names(look(state="cancelled")) == ["Cedar"]
    assert sorted(names(look(state="all"))) == ["Ash", "Beech", "Cedar"]
    assert names(look(state="cut_over")) == []


def test_mine_are_those_i_manage(start, look, partner, plan):
    start("Ash")
    make_migration(practice=make_practice("Beech"), run_by=partner, plan_version=plan)
    assert sorted(names(look())) == ["Ash", "Beech"]
    assert names(look(mine="on")) == ["Ash"]


def test_the_filters_offer_only_what_is_in_view(start, look, at):
    ours, theirs = make_commissioner("Our ICB"), make_commissioner("Their ICB")
    start("Ash", practice=make_practice("Ash", commissioner=ours))
    make_migration(practice=make_practice("Elsewhere", commissioner=theirs))
    form = look().context["form"]
    assert [text for _, text in form.fields["commissioner"].choices] == [
        "All commissioners",
        "Our ICB",
    ]
    assert len(form.fields["systems"].choices) == 2


@pytest.mark.parametrize(
    "wrong", [{"commissioner": "12345"}, {"systems": "x"}, {"sort": "name; DROP"}, {"show": "all"}]
)
def test_a_filter_nobody_offered_is_said_and_left_out(start, look, wrong):
    start("Ash")
    response = look(**wrong)
    assert response.status_code == 422
    assert names(response) == ["Ash"]
    assert "There is a problem" in response.content.decode()


@pytest.mark.parametrize("page", ["0", "-1", "99", "x"])
def test_a_page_that_is_not_there_shows_one_that_is(start, look, page):
    start("Ash")
    assert names(look(page=page)) == ["Ash"]


def test_every_column_sorts_both_ways(start, look, at):
    first = start("Ash", go_live_at=GO_LIVE_AT + DAY)
    start("Beech", go_live_at=GO_LIVE_AT + 2 * DAY)
    third = start("Cedar")
    record(third, "FDP", FDP_AT)
    tick(first, "CUT-02", at=FDP_AT)
    services.block_task(
        task=first.tasks.get(code="GL-02"), reason="x", by=first.project_manager, at=FDP_AT
    )
    at(FDP_AT + HOUR)
    expected = {
        "practice": ["Ash", "Beech", "Cedar"],
        "go_live": ["Cedar", "Ash", "Beech"],
        "stage": ["Ash", "Beech", "Cedar"],
        "-progress": ["Ash", "Cedar", "Beech"],
        "-blocked": ["Ash", "Beech", "Cedar"],
        "clock": ["Cedar", "Ash", "Beech"],
        "-late": ["Ash", "Beech", "Cedar"],
    }
    for sort, order in expected.items():
        assert names(look(sort=sort)) == order, sort
    at(GO_LIVE_AT + 3 * DAY)
    assert names(look(sort="-late"))[-1] == "Ash"
    assert names(look(sort="late"))[0] == "Ash"
    for key in queries.SORTS:
        for sort in (key, f"-{key}"):
            assert sorted(names(look(sort=sort))) == ["Ash", "Beech", "Cedar"]


def test_another_partners_migrations_are_neither_listed_nor_counted(start, look, at):
    start("Ash")
    other = make_migration(practice=make_practice("Elsewhere"))
    record(other, "FDP", FDP_AT)
    at(FDP_AT + 80 * HOUR)
    response = look(state="all")
    assert names(response) == ["Ash"]
    assert response.context["counters"][1].number == 0
    assert "Elsewhere" not in response.content.decode()


def test_the_csv_holds_the_same_list(stages, look, client, at):
    at(FDP_AT + 50 * HOUR)
    query = {"practice": "a", "sort": "practice"}
    response = client.get("/portfolio/migrations.csv", query)
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == ('attachment; filename="migrations-2027-04-11.csv"')
    content = response.content.decode()
    assert content.startswith("\ufeff")
    rows = list(csv.DictReader(io.StringIO(content.removeprefix("\ufeff"))))
    assert [row["Practice"] for row in rows] == names(look(**query)) == ["Ash", "Cedar"]
    assert rows[0]["Clock"] == "Cut-over: 22 hours left of 72"
    assert rows[0]["Go-live on"] == "2027-04-12"
    assert rows[0]["Go-live at, UK time"] == "08:00"
    assert rows[0]["Go-live, ISO 8601"] == "2027-04-12T08:00+01:00"


def test_no_cell_of_the_csv_runs_as_a_formula(start, client, manager):
    start("=cmd|' /C calc'!A0")
    client.force_login(manager)
    assert "\"'=cmd|" in client.get("/portfolio/migrations.csv").content.decode()


def test_who_has_no_portfolio_is_refused(client):
    migration = make_migration()
    client.force_login(make_person(Role.PRACTICE_MANAGER, migration.practice))
    assert client.get(URL).status_code == 403
    assert client.get("/portfolio/migrations.csv").status_code == 403


def test_the_number_of_queries_does_not_grow(
    start, look, plan, manager, partner, django_assert_num_queries
):
    start("Ash")
    with django_assert_num_queries(QUERIES):
        look()
    systems = make_system("Old"), make_system("New")
    for number in range(199):
        start(f"Practice {number}", source_system=systems[0], target_system=systems[1])
    with django_assert_num_queries(QUERIES):
        assert len(look().context["rows"]) == 50
    with django_assert_num_queries(QUERIES):
        look(page=2, sort="-late")


QUERIES = 19  # session, person, roles and the number unread among them
