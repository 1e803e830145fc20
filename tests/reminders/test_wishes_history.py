"""What people choose leaves a history that verifies; committed, as the verifier reads it."""

from datetime import timedelta

from django.core.management import call_command
from django.db import transaction

from practices.common.services import SITE_STREAM, record_event
from practices.reminders import choosing
from tests.factories import MONDAY

from .worlds import World


def test_what_people_choose_leaves_a_clean_history(committed_db):
    with transaction.atomic():
        world = World()
        record_event(stream=SITE_STREAM, kind="test.world_made", by=None, at=MONDAY)
    boss = world.project_manager
    for how in ("daily", "in_app"):
        choosing.set_preferences(wanted={"clock": how}, by=boss, at=MONDAY)
    for days in (3, 5):
        until = MONDAY.date() + timedelta(days=days)
        choosing.mute(migration=world.migration, reason="Leave", until=until, by=boss, at=MONDAY)
    choosing.lift_mute(migration=world.migration, by=boss, at=MONDAY)
    call_command("verify_history")
