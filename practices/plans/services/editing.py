"""Changes of a draft: each one small, on record, and possible to take back."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from datetime import datetime
from typing import Any

from django.db import transaction

from practices.accounts.models import User
from practices.common.errors import Conflict, Refused
from practices.common.models import sha256
from practices.common.services import canonical
from practices.common.templatetags.uk import uk_datetime
from practices.plans.models import PlanEdit, PlanVersion
from practices.plans.rules import (
    Clash,
    Content,
    Overtaken,
    Part,
    PlanTree,
    Step,
    content_of,
    find,
    inverse,
    key_of,
    steps_between,
    take,
)

from .versions import draft_digest, locked, note


class Clashing(Conflict):
    """Somebody else has changed the same fields since the page was opened."""

    def __init__(self, clashes: list[Clash], edit: PlanEdit) -> None:
        self.clashes, self.edit = clashes, edit
        super().__init__(
            f"{edit.by} changed this too, on {uk_datetime(edit.at)}. Compare both, then save again."
        )


@transaction.atomic
def set_fields(
    *,
    version: PlanVersion,
    kind: str,
    key: str,
    values: Mapping[str, Any],
    seen: int,
    by: User,
    at: datetime,
) -> PlanEdit | None:
    """Change fields of one part of a draft, or of the plan itself (``kind`` plan, no key).

    ``seen`` is the revision of the draft that the person had before them. What they left as
    it was then is left as it is now. Nothing changed makes no edit and returns None. Raises
    :class:`Clashing` where somebody else changed the same field to something else since,
    Conflict when the part is gone.
    """
    version = _draft(version)
    content = version.content or {}
    part = find(content, kind, key)
    if part is None:
        raise Conflict(_gone(version, kind, key, seen))
    since = list(version.edits.filter(number__gt=seen).select_related("by"))
    clashes, changed, newest = [], {}, None
    for name, value in values.items():
        then, edit = _as_seen(part, kind, key, name, since)
        if value in (then, part.get(name)):
            continue
        if edit is not None:
            clashes.append(Clash(name, mine=value, theirs=part.get(name)))
            newest = edit
        changed[name] = value
    if clashes and newest:
        raise Clashing(clashes, newest)

    def change(content: Content) -> None:
        there = find(content, kind, key)
        if there is not None:
            there.update(changed)

    return _edit(version, change, f"{_named(kind, part)} changed", by=by, at=at)


@transaction.atomic
def add_part(
    *,
    version: PlanVersion,
    kind: str,
    part: Part,
    behind: str = "",
    by: User,
    at: datetime,
) -> PlanEdit:
    """Add a part to a draft, behind another one or as the last of its list.

    Raises Refused when there is one of that key.
    """
    version = _draft(version)
    key = key_of(kind, part)
    if find(version.content or {}, kind, key) is not None:
        raise Refused(f"{key} is there already. Choose another.")

    def change(content: Content) -> None:
        keys = [key_of(kind, one) for one in content[kind]]
        content[kind].insert(keys.index(behind) + 1 if behind in keys else len(keys), dict(part))

    return _made(_edit(version, change, f"{_named(kind, part)} added", by=by, at=at))


@transaction.atomic
def remove_part(
    *, version: PlanVersion, kind: str, key: str, by: User, at: datetime
) -> PlanEdit | None:
    """Take a part out of a draft, a phase with its tasks. One that is gone already: None."""
    version = _draft(version)
    part = find(version.content or {}, kind, key)
    if part is None:
        return None

    def change(content: Content) -> None:
        content[kind] = [one for one in content[kind] if key_of(kind, one) != key]
        if kind == "phase":
            content["task"] = [one for one in content["task"] if one["phase"] != key]

    return _edit(version, change, f"{_named(kind, part)} removed", by=by, at=at)


@transaction.atomic
def move_part(
    *, version: PlanVersion, kind: str, key: str, behind: str, by: User, at: datetime
) -> PlanEdit | None:
    """Put a part behind another one of its list; with an empty ``behind`` first of all.

    A task goes to the phase of the task that it is put behind.
    """
    version = _draft(version)
    part = _there(version, kind, key)
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

    return _edit(version, change, f"{_named(kind, part)} moved", by=by, at=at)


@transaction.atomic
def move_to_phase(
    *, version: PlanVersion, code: str, phase: str, by: User, at: datetime
) -> PlanEdit | None:
    """Put a task at the end of another phase."""
    version = _draft(version)
    part = _there(version, "task", code)
    there = _there(version, "phase", phase)
    if part["phase"] == phase:
        return None

    def change(content: Content) -> None:
        content["task"] = [one for one in content["task"] if one["code"] != code]
        content["task"].append({**part, "phase": phase})

    summary = f"{_named('task', part)} moved to the phase “{there['title']}”"
    return _edit(version, change, summary, by=by, at=at)


@transaction.atomic
def merge_phases(
    *, version: PlanVersion, key: str, into: str, by: User, at: datetime
) -> PlanEdit | None:
    """Move all tasks of a phase to the end of another one, and remove it.

    Gates that covered it cover the other one instead.
    """
    version = _draft(version)
    part, there = _there(version, "phase", key), _there(version, "phase", into)
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

    summary = f"{_named('phase', part)} merged into “{there['title']}”"
    return _edit(version, change, summary, by=by, at=at)


@transaction.atomic
def set_tasks(
    *,
    version: PlanVersion,
    codes: list[str],
    values: Mapping[str, Any],
    by: User,
    at: datetime,
) -> PlanEdit | None:
    """Give the same values to several tasks at once; those that are gone are left out."""
    version = _draft(version)
    chosen = set(codes)

    def change(content: Content) -> None:
        for part in content["task"]:
            if part["code"] in chosen:
                part.update(deepcopy(dict(values)))

    count = sum(1 for part in (version.content or {})["task"] if part["code"] in chosen)
    summary = f"{count} task{'' if count == 1 else 's'} changed at once"
    return _edit(version, change, summary, by=by, at=at)


@transaction.atomic
def replace_content(
    *, version: PlanVersion, tree: PlanTree, seen: str, source: str, by: User, at: datetime
) -> PlanEdit | None:
    """Make a draft say what a file says, as one edit. ``source`` names the file.

    Raises Conflict when the draft does not say what the person compared the file with:
    ``seen`` is its digest.
    """
    version = _draft(version)
    if version.digest != seen:
        raise Conflict("The draft has changed since you compared. Compare again, then decide.")

    def change(content: Content) -> None:
        content.clear()
        content.update(content_of(tree))

    return _edit(version, change, f"Taken from {source}"[:300], by=by, at=at)


@transaction.atomic
def take_back(*, version: PlanVersion, number: int, by: User, at: datetime) -> PlanEdit:
    """Undo one edit of a draft, whatever came after it, as far as that let it be.

    Taking back what is taken back already changes nothing. Raises Conflict when somebody has
    changed the same thing since, and says what and who.
    """
    version = _draft(version)
    edit = version.edits.select_related("by").filter(number=number).first()
    if edit is None:
        raise Conflict("This draft has been discarded or replaced since you opened the page.")
    back = PlanEdit.objects.filter(takes_back=edit).first()
    if back:
        return back
    try:
        content = take(version.content or {}, inverse(edit.steps))
    except Overtaken as fault:
        raise Conflict(_overtaken(version, edit, fault.step)) from fault

    def change(there: Content) -> None:
        there.clear()
        there.update(content)

    summary = f"Taken back: {edit.summary}"[:300]
    return _made(_edit(version, change, summary, by=by, at=at, takes_back=edit))


def _draft(version: PlanVersion) -> PlanVersion:
    version = locked(version)
    if version.content is None:
        raise Refused(
            f"Version {version.number} is published, so it cannot be changed. Draft a new version."
        )
    return version


def _there(version: PlanVersion, kind: str, key: str) -> Part:
    part = find(version.content or {}, kind, key)
    if part is None:
        raise Conflict(f"{key} has been removed since you opened the page.")
    return part


def _edit(
    version: PlanVersion,
    change: Callable[[Content], None],
    summary: str,
    *,
    by: User,
    at: datetime,
    takes_back: PlanEdit | None = None,
) -> PlanEdit | None:
    """Apply a change, with its steps and its event; nothing at all where it changes nothing."""
    before = version.content or {}
    after = deepcopy(before)
    change(after)
    steps = steps_between(before, after)
    if not steps:
        return None
    version.content, version.digest = after, draft_digest(after)
    version.revision += 1
    for name in ("title", "summary", "source"):
        setattr(version, name, after["plan"][name])
    version.save(update_fields=["content", "digest", "revision", "title", "summary", "source"])
    edit = PlanEdit.objects.create(
        version=version,
        number=version.revision,
        summary=summary[:300],
        steps=steps,
        takes_back=takes_back,
        by=by,
        at=at,
    )
    note(
        version,
        "plan.edited",
        by=by,
        at=at,
        edit=edit.number,
        said=edit_digest(edit),
    )
    return edit


def edit_digest(edit: PlanEdit) -> str:
    """What the event of an edit holds of it: words stay out of events."""
    said = {"row": edit.pk, "summary": edit.summary, "steps": edit.steps}
    return sha256(canonical({**said, "takes_back": edit.takes_back_id}))


def _made(edit: PlanEdit | None) -> PlanEdit:
    if edit is None:
        raise Conflict("Nothing is left to change here.")
    return edit


def _named(kind: str, part: Part) -> str:
    noun = kind.replace("_", " ").capitalize()
    name = f"{part['code']} {part['title']}" if kind == "task" else part.get("title", "")
    return f"{noun} {name}"[:200]


def _as_seen(
    part: Part, kind: str, key: str, name: str, since: list[PlanEdit]
) -> tuple[Any, PlanEdit | None]:
    """What a field said when the page was opened, and the newest edit that changed it since."""
    then, newest = part.get(name), None
    for edit in reversed(since):
        for step in reversed(edit.steps):
            if _touches(step, kind, key) and step.get("field") == name:
                then, newest = step["before"], newest or edit
    return then, newest


def _touches(step: Step, kind: str, key: str) -> bool:
    return bool(step["kind"] == kind and step.get("key") == key)


def _gone(version: PlanVersion, kind: str, key: str, seen: int) -> str:
    for edit in version.edits.filter(number__gt=seen).select_related("by").order_by("-number"):
        if any(_touches(step, kind, key) and step["do"] == "remove" for step in edit.steps):
            return f"{edit.by} removed this on {uk_datetime(edit.at)}. Nothing was saved."
    return "This has been removed since you opened the page. Nothing was saved."


def _overtaken(version: PlanVersion, edit: PlanEdit, step: Step) -> str:
    what = f"“{step.get('field') or step['kind']}”".replace("_", " ")
    where = f" of {step['key']}" if step.get("key") else ""
    later = version.edits.filter(number__gt=edit.number).select_related("by").order_by("-number")
    for other in later:
        if any(_touches(one, step["kind"], step.get("key", "")) for one in other.steps):
            return (
                f"{what}{where} was changed again by {other.by} on {uk_datetime(other.at)} "
                f"(“{other.summary}”). Take that back first."
            )
    return f"{what}{where} is not as this change left it. Change it by hand instead."
