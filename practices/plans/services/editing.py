"""Changes of a draft: each one small, on record, and possible to take back."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from practices.accounts.models import User
from practices.common.errors import Conflict, Refused
from practices.common.templatetags.uk import uk_datetime
from practices.plans.models import PlanEdit, PlanVersion
from practices.plans.queries import part_seen
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
    take,
    tied,
)

from .drafts import draft_locked, keep_edit, made, named

TAKEN_BACK, PUT_BACK = "Taken back: ", "Put back: "


class Clashing(Conflict):
    """Somebody else has changed the same fields since the page was opened.

    ``mine`` is all that this person changed, also where nobody else did.
    """

    def __init__(self, clashes: list[Clash], mine: Part, edit: PlanEdit) -> None:
        self.clashes, self.mine, self.edit = clashes, mine, edit
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
    it was then is left as it is now, unless it says one thing with what they changed: an offset
    and its unit. Nothing changed makes no edit and returns None. Raises
    :class:`Clashing` where somebody else changed the same field to something else since,
    Conflict when the part is gone.
    """
    version = draft_locked(version)
    content = version.content or {}
    part = find(content, kind, key)
    if part is None:
        raise Conflict(_gone(version, kind, key, seen))
    since = list(version.edits.filter(number__gt=seen).select_related("by"))
    then = part_seen(version, kind, key, seen) or {}
    changed = {
        name: value
        for name, value in values.items()
        if value not in (then.get(name), part.get(name))
    }
    together = {other for name in changed for other in tied(kind, name)}
    mine = {name: value for name, value in values.items() if name in together}
    clashes = {
        name: edit
        for name, value in mine.items()
        if value != part.get(name) and (edit := _newest(since, kind, key, name))
    }
    if clashes:
        found = [Clash(name, mine=values[name], theirs=part.get(name)) for name in clashes]
        raise Clashing(found, mine, max(clashes.values(), key=lambda edit: edit.number))

    def change(content: Content) -> None:
        there = find(content, kind, key)
        if there is not None:
            there.update(changed)

    return keep_edit(version, change, f"{named(kind, part)} changed", by=by, at=at)


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
    version = draft_locked(version)
    key = key_of(kind, part)
    if find(version.content or {}, kind, key) is not None:
        raise Refused(f"{key} is there already. Choose another.")

    def change(content: Content) -> None:
        keys = [key_of(kind, one) for one in content[kind]]
        content[kind].insert(keys.index(behind) + 1 if behind in keys else len(keys), dict(part))

    return made(keep_edit(version, change, f"{named(kind, part)} added", by=by, at=at))


@transaction.atomic
def remove_part(
    *, version: PlanVersion, kind: str, key: str, by: User, at: datetime
) -> PlanEdit | None:
    """Take a part out of a draft, a phase with its tasks. One that is gone already: None."""
    version = draft_locked(version)
    part = find(version.content or {}, kind, key)
    if part is None:
        return None

    def change(content: Content) -> None:
        content[kind] = [one for one in content[kind] if key_of(kind, one) != key]
        if kind == "phase":
            content["task"] = [one for one in content["task"] if one["phase"] != key]

    return keep_edit(version, change, f"{named(kind, part)} removed", by=by, at=at)


@transaction.atomic
def replace_content(
    *, version: PlanVersion, tree: PlanTree, seen: str, source: str, by: User, at: datetime
) -> PlanEdit | None:
    """Make a draft say what a file says, as one edit. ``source`` names the file.

    Raises Conflict when the draft does not say what the person compared the file with:
    ``seen`` is its digest.
    """
    version = draft_locked(version)
    if version.digest != seen:
        raise Conflict("The draft has changed since you compared. Compare again, then decide.")

    def change(content: Content) -> None:
        content.clear()
        content.update(content_of(tree))

    return keep_edit(version, change, f"Taken from {source}"[:300], by=by, at=at)


@transaction.atomic
def take_back(*, version: PlanVersion, number: int, by: User, at: datetime) -> PlanEdit:
    """Undo one edit of a draft, whatever came after it, as far as that let it be.

    Taking back what is taken back already changes nothing. Raises Conflict when somebody has
    changed the same thing since, and says what and who.
    """
    version = draft_locked(version)
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

    # Back and forth, it is said once which of the two it is.
    what = edit.summary.removeprefix(TAKEN_BACK).removeprefix(PUT_BACK)
    verb = PUT_BACK if edit.summary.startswith(TAKEN_BACK) else TAKEN_BACK
    summary = f"{verb}{what}"[:300]
    return made(keep_edit(version, change, summary, by=by, at=at, takes_back=edit))


def _newest(since: list[PlanEdit], kind: str, key: str, name: str) -> PlanEdit | None:
    """The last edit that changed a field."""
    for edit in reversed(since):
        if any(_touches(step, kind, key) and step.get("field") == name for step in edit.steps):
            return edit
    return None


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
