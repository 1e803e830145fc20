"""What practices learnt and added, taken into a draft: a change like any other."""

from datetime import datetime

from django.db import transaction

from practices.accounts.models import User
from practices.common.errors import Refused
from practices.common.patient_data import holds_nhs_number
from practices.common.services import clean_text
from practices.plans.models import PlanEdit, PlanVersion
from practices.plans.panels import Added
from practices.plans.rules import (
    GO_LIVE,
    Basis,
    Content,
    Part,
    TaskNode,
    Unit,
    appended,
    find,
    is_called,
    next_code,
    part_of,
    says,
    tree_from,
)
from practices.plans.yaml import MAX_NUMBER, PROSE

from .drafts import draft_locked, keep_edit, named, part_there

ADDED_BY = "Added by a practice to its own migration"


@transaction.atomic
def adopt_lesson(
    *, version: PlanVersion, code: str, text: str, by: User, at: datetime
) -> PlanEdit | None:
    """Append what a practice learnt to what a task of a draft says. Said already: None.

    Whatever else is being changed meanwhile stays. Raises Conflict when the task is gone,
    Refused when the text could hold an NHS number or makes what the task says too long.
    """
    version = draft_locked(version)
    part = part_there(version, "task", code)
    text = clean_text(text)
    _about_nobody(text)
    if says(part["lesson"], text):
        return None
    lesson = appended(part["lesson"], text)
    if len(lesson) > PROSE:
        raise Refused(
            f"With this, what other practices learnt would be {len(lesson):,} characters long. "
            f"{PROSE:,} is the most: shorten it first, or write this lesson in your own words."
        )

    def change(content: Content) -> None:
        there = find(content, "task", code)
        if there is not None:
            there["lesson"] = lesson

    return keep_edit(version, change, f"{named('task', part)}: lesson adopted", by=by, at=at)


@transaction.atomic
def adopt_task(
    *, version: PlanVersion, phase: str, added: Added, by: User, at: datetime
) -> PlanEdit | None:
    """Make what a practice added itself a task of a draft, at the end of a phase.

    It is due as many days from go-live as it was there. A task of that title: None. Raises
    Conflict when the phase is gone, Refused when a text could hold an NHS number.
    """
    version = draft_locked(version)
    part_there(version, "phase", phase)
    tree = tree_from(version.content or {}, slug=version.plan.slug)
    title = clean_text(added.said.text)
    if is_called((task.title for task in tree.tasks()), title):
        return None
    lesson = ""
    for text in map(clean_text, added.lessons):
        if len(appended(lesson, text)) <= PROSE:
            lesson = appended(lesson, text)
    for text in (title, added.guidance, lesson):
        _about_nobody(text)
    task = TaskNode(
        code=next_code(tree, phase),
        title=title,
        owner=added.owner,
        anchor=GO_LIVE,
        offset=max(-MAX_NUMBER, min(added.days or 0, MAX_NUMBER)),
        unit=Unit.DAYS,
        basis=Basis.SUGGESTED,
        guidance=clean_text(added.guidance),
        lesson=lesson,
        source=ADDED_BY,
    )
    part: Part = {**part_of(task), "phase": phase}

    def change(content: Content) -> None:
        content["task"].append(part)

    return keep_edit(version, change, f"{named('task', part)}: adopted", by=by, at=at)


def _about_nobody(text: str) -> None:
    if holds_nhs_number(text):
        raise Refused(
            "This text has a number in it that could be an NHS number, so it is not adopted. "
            "Write the lesson in your own words, without the number."
        )
