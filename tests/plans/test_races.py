"""Two administrators, one draft: real threads, real commits."""

from functools import partial

from practices.plans import services
from practices.plans.models import PlanVersion
from practices.plans.yaml import read_plan
from tests.factories import MONDAY
from tests.tracking.test_tasks_races import at_once

from .small import SMALL


def test_loading_and_discarding_at_once_ends_in_a_draft_or_a_refusal(committed_db):
    load = partial(services.load_plan, tree=read_plan(SMALL, file="plan.yaml"), by=None, at=MONDAY)
    for _ in range(5):
        draft = load().version
        discard = partial(services.discard, by=None, at=MONDAY)
        copies = [PlanVersion.objects.get(pk=draft.pk) for _ in range(4)]
        at_once([load] * 4 + [partial(discard, version=copy) for copy in copies])
        assert PlanVersion.objects.count() <= 1
