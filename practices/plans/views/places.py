"""Where a fault of a draft is mended."""

from django.urls import reverse

from practices.plans.models import PlanVersion
from practices.plans.rules import PlanTree, Problem


def place_of(version: PlanVersion, tree: PlanTree, problem: Problem) -> tuple[str, str]:
    """What a fault is about, and the address of the page on which it is mended."""
    slug, path = version.plan.slug, problem.path
    section = str(path[0])
    if section == "phases" and "tasks" in path[2:3] and len(path) > 3:
        task = tree.phases[int(path[1])].tasks[int(path[3])]
        return f"Task {task.code}", reverse("plans:draft_edit", args=[slug, "tasks", task.code])
    if section == "title":
        return "Title", reverse("plans:draft_details", args=[slug])
    kind = section.replace("_", "-")
    if len(path) < 2:
        return section.replace("_", " ").capitalize(), _list(slug, kind)
    part = getattr(tree, section)[int(path[1])]
    name = f"{section[:-1].replace('_', ' ').capitalize()} {part.title}"
    if section == "phases" and path[2:3] == ("tasks",):
        return name, reverse("plans:draft_tasks", args=[slug, part.key])
    return name, reverse("plans:draft_edit", args=[slug, kind, part.key])


def place_of_part(version: PlanVersion, kind: str, key: str) -> str:
    """The page of a part: where a draft's is edited; of another version, that of the whole."""
    slug = version.plan.slug
    if version.content is None:
        return reverse("plans:version", args=[slug, version.number])
    return reverse("plans:draft_edit", args=[slug, f"{kind.replace('_', '-')}s", key])


def _list(slug: str, kind: str) -> str:
    return reverse("plans:draft_parts", args=[slug, kind])
