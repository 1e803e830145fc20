"""How many running migrations use each version, on the list of plans."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from practices.accounts.roles import Role
from practices.tracking.models import Migration
from practices.tracking.queries.uses import running_on
from tests.factories import MONDAY, make_migration, make_person, make_plan_version

pytestmark = pytest.mark.django_db


def finish(migration):
    Migration.objects.filter(pk=migration.pk).update(state="finished", ended_at=MONDAY)


@pytest.fixture
def version():
    """A version with two migrations that run and one that is finished."""
    version = make_plan_version()
    made = [make_migration(plan_version=version) for _ in range(3)]
    finish(made[0])
    return version


def test_what_is_finished_no_longer_counts(version):
    assert running_on([version.pk]) == {version.pk: 2}


def test_versions_are_counted_in_one_statement(version):
    other = make_plan_version()
    make_migration(plan_version=other)
    with CaptureQueriesContext(connection) as queries:
        assert running_on([version.pk, other.pk]) == {version.pk: 2, other.pk: 1}
    assert len(queries) == 1


def test_the_list_of_plans_says_it_to_administrators(client, version):
    client.force_login(make_person(Role.ADMINISTRATOR))
    assert "2 on version 1" in client.get("/plans/").content.decode()


def test_project_managers_do_not_learn_what_runs_elsewhere(client, version):
    client.force_login(make_person(Role.PROJECT_MANAGER))
    answer = client.get("/plans/")
    assert answer.status_code == 200
    assert "Running migrations" not in answer.content.decode()
