"""What ties tasks to each other and to conditions must be."""

from collections.abc import Iterator

from practices.common.markdown import bad_links

from .known import Known, Problem, circle, twice
from .tree import NOT_PREFIX, PlanTree, TaskNode


def conditions(tree: PlanTree) -> Iterator[Problem]:
    """Faults of the closed list of conditions."""
    yield from twice(("conditions",), "key", (node.key for node in tree.conditions))
    for index, node in enumerate(tree.conditions):
        if not node.question:
            message = "Write the question that is asked when a migration starts."
            yield Problem(("conditions", index, "question"), message)
        if bool(node.system) != bool(node.named):
            message = "Say both which system answers it and how that is named, or neither."
            yield Problem(("conditions", index, "known_from"), message)


def task_links(task: TaskNode, known: Known) -> Iterator[tuple[str, str]]:
    """Faults of what one task waits for, and of the conditions under which it applies."""
    keys = [name.removeprefix(NOT_PREFIX) for name in task.applies_if]
    for key in keys:
        if key not in known.conditions:
            yield "applies_if", f"{key} is no condition of this plan."
    if len(set(keys)) < len(keys):
        yield "applies_if", "A condition is there twice."
    codes = [before.task for before in task.after]
    for code in codes:
        if code == task.code:
            yield "after", "A task cannot wait for itself."
        elif code not in known.tasks:
            yield "after", f"{code} is no task of this plan."
    if len(set(codes)) < len(codes):
        yield "after", "A task is there twice."
    for field, text in (("guidance", task.guidance), ("lesson", task.lesson)):
        for fault in text_links(text):
            yield field, f"{fault}."


def text_links(text: str) -> Iterator[str]:
    """Faults of the links in Markdown, without the full stop."""
    for url in bad_links(text):
        yield f"The link {url} must start with https://, http:// or mailto:"


LONGEST = 40_000  # units of waiting in a plan: a century, so that every date can be counted


def dependencies(tree: PlanTree) -> Iterator[Problem]:
    """Tasks that could never be done: those that wait in a circle, or for centuries."""
    links = {
        task.code: [before.task for before in task.after if before.task != task.code]
        for task in tree.tasks()
    }
    waiting = circle(links)
    places = {
        task.code: ("phases", place, "tasks", index, "after")
        for place, phase in enumerate(tree.phases)
        for index, task in enumerate(phase.tasks)
    }
    if waiting:
        message = f"These tasks wait for each other: {', '.join(waiting)}."
        yield Problem(places[waiting[0]], message)
    waited = sum(link.lag for task in tree.tasks() for link in task.after)
    if waited > LONGEST:
        message = f"What tasks wait for adds up to {waited}: use shorter waits, at most {LONGEST}."
        yield Problem(("phases",), message)
