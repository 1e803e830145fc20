"""Changes of a draft that move parts about, or change several at once."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from datetime import datetime
from typing import Any

from django.db import transaction

from practices.accounts.models import User
from practices.common.errors import Conflict, Refused
from practices.plans.models import PlanEdit, PlanVersion
from practices.plans.rules import Content, find, key_of

from .drafts import draft_locked, keep_edit, named, part_there


@transaction.atomic
def move_part(
    *, version: PlanVersion, kind: str, key: str, behind: str, by: User, at: datetime
) -> PlanEdit | None:
    """Put a part behind another one of its list; with an empty ``behind`` first of all.

    A task goes to the phase of the task that it is put behind.
    """
    version = draft_locked(version)
    part = part_there(version, kind, key)
    before = find(version.content or {}, kind, behind) if behind else None
    if behind and before is None:
        raise Conflict(f"{behind} has been removed since you opened the page.")
    if key == behind:
        return None

    def change(content: Content) -> None:
        parts = [one for one in content[kind] if key_of(kind, one) != key]
        keys = [key_of(kind, one) for one in parts]
        moved = dict(part)
        if kind == "task" and before:
            moved["phase"] = before["phase"]
        parts.insert(keys.index(behind) + 1 if behind else 0, moved)
        content[kind] = parts

    return keep_edit(version, change, f"{named(kind, part)} moved", by=by, at=at)


@transaction.atomic
def shift_part(
    *, version: PlanVersion, kind: str, key: str, up: bool, by: User, at: datetime
) -> PlanEdit | None:
    """Move a part by one place, a task within its phase; at the end of its way it stays."""
    version = draft_locked(version)
    part = part_there(version, kind, key)
    beside = [
        key_of(kind, one)
        for one in (version.content or {})[kind]
        if kind != "task" or one["phase"] == part["phase"]
    ]
    place = beside.index(key) + (-1 if up else 1)
    if place not in range(len(beside)):
        return None
    other = beside[place]

    def change(content: Content) -> None:
        parts = [one for one in content[kind] if key_of(kind, one) != key]
        there = [key_of(kind, one) for one in parts].index(other)
        parts.insert(there if up else there + 1, part)
        content[kind] = parts

    return keep_edit(version, change, f"{named(kind, part)} moved", by=by, at=at)


@transaction.atomic
def move_to_phase(
    *, version: PlanVersion, code: str, phase: str, by: User, at: datetime
) -> PlanEdit | None:
    """Put a task at the end of another phase."""
    version = draft_locked(version)
    part = part_there(version, "task", code)
    there = part_there(version, "phase", phase)
    if part["phase"] == phase:
        return None

    def change(content: Content) -> None:
        content["task"] = [one for one in content["task"] if one["code"] != code]
        content["task"].append({**part, "phase": phase})

    summary = f"{named('task', part)} moved to the phase “{there['title']}”"
    return keep_edit(version, change, summary, by=by, at=at)


@transaction.atomic
def merge_phases(
    *, version: PlanVersion, key: str, into: str, by: User, at: datetime
) -> PlanEdit | None:
    """Move all tasks of a phase to the end of another one, and remove it.

    Gates that covered it cover the other one instead.
    """
    version = draft_locked(version)
    part, there = part_there(version, "phase", key), part_there(version, "phase", into)
    if key == into:
        raise Refused("Choose another phase to merge this one into.")

    def change(content: Content) -> None:
        stay = [one for one in content["task"] if one["phase"] != key]
        go = [{**one, "phase": into} for one in content["task"] if one["phase"] == key]
        content["task"] = stay + go
        content["phase"] = [one for one in content["phase"] if one["key"] != key]
        for gate in content["gate"]:
            covers = [into if one == key else one for one in gate["cover_phases"]]
            gate["cover_phases"] = list(dict.fromkeys(covers))

    summary = f"{named('phase', part)} merged into “{there['title']}”"
    return keep_edit(version, change, summary, by=by, at=at)


@transaction.atomic
def set_tasks(
    *,
    version: PlanVersion,
    codes: list[str],
    values: Mapping[str, Any],
    offset: Callable[[int], int] | None = None,
    by: User,
    at: datetime,
) -> PlanEdit | None:
    """Give the same values to several tasks at once; those that are gone are left out.

    ``offset`` makes the new offset of a task from its own.
    """
    version = draft_locked(version)
    chosen = set(codes)

    def change(content: Content) -> None:
        for part in content["task"]:
            if part["code"] in chosen:
                part.update(deepcopy(dict(values)))
                if offset:
                    part["offset"] = offset(part["offset"])

    count = sum(1 for part in (version.content or {})["task"] if part["code"] in chosen)
    summary = f"{count} task{'' if count == 1 else 's'} changed at once"
    return keep_edit(version, change, summary, by=by, at=at)
