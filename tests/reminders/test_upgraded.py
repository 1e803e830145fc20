"""Reminders of the plan after a migration was moved to another version of it."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from practices.plans.rules import PlanTree
from practices.reminders.services import deliver, plan_due
from practices.tracking.services.upgrading import preview_upgrade, upgrade_one
from tests.tracking.versions import adding, next_version

from .test_plan_reminders import at, make_world
from .worlds import World, planned

pytestmark = pytest.mark.django_db


def move(world: World, *changes: Callable[[PlanTree], PlanTree]) -> None:
    version = next_version(world.migration.plan_version, *changes)
    upgrade_one(
        migration=world.migration,
        version=version,
        seen=preview_upgrade(world.migration, version).mark,
        reopen=False,
        by=world.project_manager,
        at=at(4, 5, 8),
    )


def test_what_was_said_before_is_not_said_again():
    world = make_world()
    plan_due(now=at(4, 5))
    assert len(planned("reminder")) == 1
    move(world, adding("go_live", "GL-03"))
    plan_due(now=at(4, 5, 9))
    assert len(planned("reminder")) == 1
    plan_due(now=at(4, 9))
    assert len(planned("reminder")) == 2


def test_a_mail_of_a_reminder_that_the_plan_gives_no_longer_is_not_sent(mailoutbox):
    world = make_world()
    plan_due(now=at(4, 5))
    move(world, lambda tree: replace(tree, reminders=()))
    deliver(now=at(4, 5, 9))
    (row,) = planned("reminder")
    assert row.status == "superseded"
    assert not mailoutbox
