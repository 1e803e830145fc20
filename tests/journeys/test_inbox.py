"""Being told something: it stands in the inbox, is read there, and its mails can be chosen."""

from datetime import timedelta

import pytest

from practices.accounts.roles import Role
from practices.common import clock
from practices.common.time import london_date
from practices.reminders.models import Mute, NotificationPreference
from tests.factories import make_migration, make_notice, make_person, make_practice


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_from_a_new_message_to_choosing_the_mails(new_visitor, scripts):
    migration = make_migration(practice=make_practice("Elm Tree Surgery"))
    boss = migration.project_manager
    task = migration.tasks.get(code="CUT-03")
    make_notice(boss, migration, task=task, due_at=clock.now())
    make_notice(make_person(Role.PRACTICE_STAFF, migration.practice), migration)

    visitor = new_visitor(scripts=scripts)
    visitor.signs_in(boss, at="/inbox/")
    visitor.is_on("Inbox")
    visitor.sees("New", "1 message, newest first", "Elm Tree Surgery", "Task blocked")
    visitor.follows("A task is blocked: CUT-03 Check repeat templates")
    visitor.is_on("Tasks")
    visitor.opens("/inbox/")
    visitor.does_not_see("Mark all as read")

    visitor.follows("Choose which mails you get")
    visitor.is_on("Which mails you get")
    question = visitor.main.get_by_role("group", name="Go-live is moved")
    question.get_by_label("With the daily mail").check()
    visitor.presses("Save and continue")
    visitor.is_told("Your choices are saved.")
    assert NotificationPreference.objects.get().kind == "moved"

    visitor.opens(f"/migrations/{migration.reference}/mute/")
    visitor.presses("Mute")
    visitor.sees("Enter a reason")
    visitor.enters("A colleague looks after it", "Reason")
    visitor.enters_day(london_date(clock.now()) + timedelta(days=7))
    visitor.presses("Mute")
    visitor.is_told("No mails about Elm Tree Surgery come to you for now.")
    visitor.presses("Have mails again Elm Tree Surgery")
    visitor.is_told("Mails about Elm Tree Surgery come to you again.")
    assert Mute.objects.get().lifted_at
