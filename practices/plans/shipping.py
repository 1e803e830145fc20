"""The plans that come with the software."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db import transaction

from .models import PlanVersion
from .rules import PlanTree
from .services import load_plan, publish
from .yaml import plan_digest, read_plan

FOLDER = Path(__file__).parent / "shipped"
State = PlanVersion.State


@dataclass(frozen=True)
class Shipment:
    """What became of one shipped plan, in a sentence."""

    slug: str
    outcome: str


def load_shipped_plans(*, at: datetime) -> list[Shipment]:
    """Load and publish each shipped plan that is new or has changed since the last release.

    A plan that an administrator has changed, drafted or retired is left alone:
    their wording counts, and a release must not undo it.
    """
    trees = (read_plan(file.read_bytes(), file=file.name) for file in sorted(FOLDER.glob("*.yaml")))
    return [Shipment(tree.slug, _load(tree, at=at)) for tree in trees]


@transaction.atomic
def _load(tree: PlanTree, *, at: datetime) -> str:
    newest = PlanVersion.objects.filter(plan__slug=tree.slug).order_by("-number").first()
    if newest and newest.state == State.PUBLISHED and newest.digest == plan_digest(tree):
        return f"unchanged: version {newest.number} is published."
    if newest and (newest.state != State.PUBLISHED or not newest.shipped):
        state = newest.get_state_display().lower()
        return (
            f"left alone: its version {newest.number} ({state}) was made here. "
            "Upload the shipped file to see what it would change."
        )
    loaded = load_plan(tree=tree, by=None, at=at, shipped=True)
    publish(version=loaded.version, by=None, at=at)
    return f"version {loaded.version.number} is published."
