"""Drafts that were rows, in an installation of 28 November 2026 or before, become content."""

from practices.plans import services
from practices.plans.models import PlanTask, PlanVersion
from practices.plans.queries import tree_of
from practices.plans.yaml import read_plan
from tests.common.test_history_upgrade import go_back, migrate
from tests.factories import MONDAY

from .small import SMALL


def test_a_draft_says_the_same_after_the_upgrade(committed_db, postgres):
    tree = read_plan(SMALL, file="plan.yaml")
    version = services.load_plan(tree=tree, by=None, at=MONDAY).version
    services.publish(version=version, by=None, at=MONDAY)
    go_back(postgres, committed_db, "plans.0003")
    with postgres.connect(database=committed_db) as owner:
        owner.execute("ALTER TABLE plans_planversion DISABLE TRIGGER USER")
        owner.execute("UPDATE plans_planversion SET state = 'draft', published_at = NULL")
        owner.execute("ALTER TABLE plans_planversion ENABLE TRIGGER USER")
    migrate(postgres, committed_db)
    draft = PlanVersion.objects.get()
    assert tree_of(draft) == tree
    assert not PlanTask.objects.exists()
    services.publish(version=draft, by=None, at=MONDAY)
    assert PlanTask.objects.count() == 4
