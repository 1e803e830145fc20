"""The database itself keeps published versions as they are: raw SQL is refused too."""

import re

import psycopg
import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from practices.plans import services
from practices.plans.models import PlanPhase, PlanVersion
from practices.plans.yaml import read_plan
from tests.factories import MONDAY

from .small import SMALL, changed


def load(text=SMALL):
    tree = read_plan(text, file="plan.yaml")
    return services.load_plan(tree=tree, by=None, at=MONDAY).version


TIED = f"""{SMALL}\
conditions:
  - key: dispensing
    title: Dispensing practice
    question: Does the practice dispense?
""".replace(
    "guidance: Compare",
    "applies_if: [dispensing]\n        after: [{task: CUT-01}]\n        guidance: Compare",
)


def publish(text=TIED):
    return services.publish(version=load(text), by=None, at=MONDAY)


REFUSAL = r"its content is frozen|Cannot delete rows"
FROZEN = [
    "UPDATE plans_planclock SET \"limit\" = 90",
    "UPDATE plans_planreminder SET offsets = '{1}'",
    "UPDATE plans_plantask SET title = 'other' WHERE code = 'CUT-01'",
    "UPDATE plans_plangate SET statement = 'less'",
    "UPDATE plans_planseat SET roles = '{practice_staff}'",
    "UPDATE plans_plankeydate SET \"offset\" = -1 WHERE key = 'FDP'",
    "UPDATE plans_planphase SET title = 'other'",
    "DELETE FROM plans_plancover",
    "DELETE FROM plans_plantask WHERE code = 'CUT-03'",
    """INSERT INTO plans_planphase (version_id, position, source, key, title, duration)
       SELECT id, 9, '', 'more', 'More', '' FROM plans_planversion""",
    "UPDATE plans_planversion SET state = 'draft'",
    "UPDATE plans_planversion SET title = 'other'",
    "UPDATE plans_planversion SET digest = repeat('0', 64)",
    "UPDATE plans_planversion SET content = '{}'",
    "UPDATE plans_plancondition SET question = 'Other?'",
    "UPDATE plans_plandependency SET lag = 9",
    "DELETE FROM plans_planversion",
]  # fmt: skip


@pytest.mark.django_db
class TestFrozen:
    @pytest.mark.parametrize("statement", FROZEN)
    @pytest.mark.parametrize("state", ["published", "retired"])
    def test_the_app_role_cannot_change_a_published_version(self, statement, state):
        version = publish()
        if state == "retired":
            services.retire(version=version, by=None, at=MONDAY)
        refused = pytest.raises(DatabaseError, match=REFUSAL)
        with refused, transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)

    def test_a_draft_may_still_change(self):
        version = load()
        assert PlanVersion.objects.filter(pk=version.pk).update(content={"plan": {}}) == 1

    def test_a_part_cannot_be_moved_into_a_published_version(self):
        published = publish()
        draft = load(changed("limit: 45", "limit: 90"))
        phase = PlanPhase.objects.create(version=draft, position=1, key="more", title="More")
        with pytest.raises(DatabaseError, match=REFUSAL), transaction.atomic():
            PlanPhase.objects.filter(pk=phase.pk).update(version=published)

    def test_one_draft_and_one_published_version_are_all_the_database_takes(self):
        version = publish()
        for state, published_at in (("draft", None), ("published", MONDAY)):
            PlanVersion.objects.filter(state="draft").delete()
            fields = {"plan": version.plan, "title": "x", "state": state, "created_at": MONDAY}
            fields |= {"published_at": published_at}
            if state == "draft":
                fields["content"] = {}
                PlanVersion.objects.create(number=2, **fields)
            with pytest.raises(IntegrityError), transaction.atomic():
                PlanVersion.objects.create(number=3, **fields)

    def test_a_published_version_needs_the_time_it_was_published(self):
        version = load()
        with pytest.raises(IntegrityError), transaction.atomic():
            PlanVersion.objects.filter(pk=version.pk).update(state="published")


def test_the_owner_of_the_tables_cannot_either(committed_db, postgres):
    publish()
    refused = {}
    with postgres.connect(database=committed_db) as owner:
        for statement in FROZEN:
            try:
                owner.execute(statement)
            except psycopg.Error as error:
                refused[statement] = str(error)
    assert list(refused) == FROZEN
    assert all(re.search(REFUSAL, words) for words in refused.values()), refused
