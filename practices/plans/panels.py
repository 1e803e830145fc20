"""What upper rooms tell the pages of plans: plans know nothing of running migrations."""

from collections.abc import Callable, Collection

Uses = Callable[[Collection[int]], dict[int, int]]
_uses: list[Uses] = []


def register_uses(uses: Uses) -> None:
    """Say how many use a version of a plan; called by an upper room's ``AppConfig.ready``.

    ``uses(ids)`` takes ids of versions and returns how many migrations run on each; a version
    with none may be left out.
    """
    _uses.append(uses)


def running(version_ids: Collection[int]) -> dict[int, int]:
    """How many migrations run on each of these versions."""
    told = [uses(version_ids) for uses in _uses]
    return {pk: sum(found.get(pk, 0) for found in told) for pk in version_ids}
