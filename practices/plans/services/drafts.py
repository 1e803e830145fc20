"""What every change of a draft does: lock it, change its content, keep what was changed."""

from collections.abc import Callable
from copy import deepcopy
from datetime import datetime

from practices.accounts.models import User
from practices.common.errors import Conflict, Refused
from practices.common.models import sha256
from practices.common.services import canonical
from practices.plans.models import PlanEdit, PlanVersion
from practices.plans.rules import Content, Part, find, steps_between

from .versions import draft_digest, locked, note


def draft_locked(version: PlanVersion) -> PlanVersion:
    version = locked(version)
    if version.content is None:
        raise Refused(
            f"Version {version.number} is published, so it cannot be changed. Draft a new version."
        )
    return version


def part_there(version: PlanVersion, kind: str, key: str) -> Part:
    part = find(version.content or {}, kind, key)
    if part is None:
        raise Conflict(f"{key} has been removed since you opened the page.")
    return part


def keep_edit(
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


def made(edit: PlanEdit | None) -> PlanEdit:
    if edit is None:
        raise Conflict("Nothing is left to change here.")
    return edit


def named(kind: str, part: Part) -> str:
    noun = kind.replace("_", " ").capitalize()
    name = f"{part['code']} {part['title']}" if kind == "task" else part.get("title", "")
    return f"{noun} {name}"[:200]
