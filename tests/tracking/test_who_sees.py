"""One rule says who sees a migration, whether it is asked of one or of all."""

from datetime import date, timedelta

import pytest

from practices.accounts.models import User
from practices.accounts.roles import Role
from practices.tracking.models import Migration
from practices.tracking.services import delete_migration
from tests.factories import MONDAY, make_organisation, make_person
from tests.reminders.worlds import World

pytestmark = pytest.mark.django_db


def test_asked_of_one_migration_it_is_the_answer_for_all():
    worlds = [World(), World()]
    worlds.append(World(partner=worlds[0].partner, new=worlds[1].old))
    make_person(Role.ADMINISTRATOR, make_organisation("operator"))
    make_person(Role.TRAINER, worlds[1].partner)
    ended = date(2020, 1, 1)
    left, gone, deleted = worlds[0].clinician, worlds[1].manager, worlds[1].migration
    delete_migration(
        migration=deleted, reason="The wrong one", by=worlds[1].project_manager, at=MONDAY
    )
    left.memberships.update(valid_from=ended - timedelta(days=9), valid_to=ended)
    User.objects.filter(pk=gone.pk).update(is_active=False)
    worlds[1].practice.commissioner_links.update(valid_from=ended, valid_to=ended)
    answers = set()
    for person in User.objects.all():
        for migration in Migration.objects.all():
            one = migration.is_visible_to(person)
            assert one == Migration.objects.visible_to(person).contains(migration), (
                person,
                migration,
            )
            answers.add((one, migration == deleted))
    assert answers == {(True, False), (False, False), (False, True)}
