"""Starting a migration from any published plan never fails, whatever the plan, day and answers."""

from datetime import UTC, date, datetime, timedelta

import hypothesis
import pytest
from django.db import transaction
from hypothesis import strategies as st

from practices.accounts.roles import Role
from practices.plans.models import PlanVersion
from practices.plans.rules import PlanTree
from practices.plans.services import load_plan, publish
from practices.tracking import services
from practices.tracking.models import Migration, Task
from practices.tracking.services.start import StartPreview
from tests.factories import (
    MONDAY,
    Kind,
    give_role,
    make_organisation,
    make_person,
    make_practice,
    make_system,
)
from tests.plans.strategies import plans

from .cast import assert_sound

# The clocks change at 01:00 UTC: before, at and after that, with the doubled hour of October.
CHANGES = [
    datetime(2027, month, day, hour, minute, tzinfo=UTC)
    for month, day in ((3, 28), (10, 31))
    for hour, minute in ((0, 0), (0, 59), (1, 0), (1, 30), (8, 0))
]
EDGES = [
    datetime(2028, 2, 29, 8, tzinfo=UTC),
    datetime(2000, 1, 1, tzinfo=UTC),
    datetime(2100, 12, 31, 23, 59, tzinfo=UTC),
]
YEARS = timedelta(days=6 * 365)
GO_LIVES = st.sampled_from([*CHANGES, *EDGES]) | st.integers(0, YEARS // timedelta(minutes=1)).map(
    lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
LASTING = st.none() | st.builds(timedelta, minutes=st.integers(1, 30 * 24 * 60))


@pytest.fixture
def surroundings(db):
    """All that starting needs apart from the plan and its dates."""
    partner = make_organisation(Kind.DELIVERY_PARTNER)
    project_manager = make_person()
    give_role(project_manager, Role.PROJECT_MANAGER, partner, since=date(1990, 1, 1))
    return {
        "practice": make_practice(),
        "source_system": make_system(),
        "target_system": make_system(),
        "project_manager": project_manager,
        "run_by": partner,
        "contacts": (),
        "by": project_manager,
    }


@hypothesis.settings(
    max_examples=60,
    phases=set(hypothesis.Phase) - {hypothesis.Phase.shrink},  # which would take minutes
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)
@hypothesis.given(tree=plans(), go_live_at=GO_LIVES, lasting=LASTING, data=st.data())
def test_starting_from_any_published_plan_never_fails(
    surroundings, tree, go_live_at, lasting, data
):
    keys = [node.key for node in tree.conditions]
    answers = data.draw(
        st.fixed_dictionaries(
            {}, optional=dict.fromkeys(keys, st.sampled_from([True, False, None]))
        ),
        label="answers",
    )
    chosen = {
        "go_live_at": go_live_at,
        "fdp_at": go_live_at - lasting if lasting else None,
        "answers": answers,
        "at": data.draw(st.sampled_from([MONDAY, go_live_at - timedelta(days=90)]), label="at"),
    }
    with transaction.atomic():
        draft = load_plan(tree=tree, by=None, at=MONDAY).version
        version = publish(version=draft, by=surroundings["by"], at=MONDAY)
        promised = services.preview_start(plan_version=version, **chosen)
        migration = services.start_migration(plan_version=version, **surroundings, **chosen)
        migration = Migration.objects.get(pk=migration.pk)
        assert_sound(migration)
        _is_as_promised(migration, promised)
        _holds_the_whole_plan(migration, version, tree, answers)
        transaction.set_rollback(True)


def _is_as_promised(migration: Migration, promised: StartPreview) -> None:
    dates = {row.key: row.planned for row in migration.key_dates.all()}
    assert dates == {row.key_date.key: row.moment for row in promised.dates}
    tasks = {
        task.code: (task.due_on, task.due_at, task.fell_away) for task in migration.tasks.all()
    }
    assert tasks == {
        row.task.code: (row.moment.on, row.moment.at, row.falls_away) for row in promised.tasks
    }
    assert migration.not_applicable_count == promised.falling_away


def _holds_the_whole_plan(
    migration: Migration,
    version: PlanVersion,
    tree: PlanTree,
    answers: dict[str, bool | None],
) -> None:
    assert migration.plan_version == version
    phases = {phase.key: [task.code for task in phase.tasks] for phase in tree.phases}
    written: dict[str, list[str]] = {}
    for task in migration.tasks.select_related("phase").order_by("phase__position", "position"):
        written.setdefault(task.phase.key, []).append(task.code)
        assert (task.state == Task.State.NOT_APPLICABLE) == task.fell_away, task.code
    assert list(written.items()) == list(phases.items())
    gates = migration.gates.order_by("position").values_list("key", flat=True)
    assert list(gates) == [gate.key for gate in tree.gates]
    conditions = dict(migration.conditions.values_list("key", "answer"))
    assert conditions == {node.key: answers.get(node.key) for node in tree.conditions}
