"""Proof that drafts say what their edits made of them, and edits what their events vouch for."""

from collections.abc import Iterator

from django.db import models

from practices.common.models import Event
from practices.common.services import SITE_STREAM
from practices.common.verification import Finding, Progress, nobody

from .models import PlanEdit, PlanVersion
from .services import draft_digest, edit_digest


def changed_drafts(
    within: models.QuerySet[PlanVersion] | None = None, progress: Progress = nobody
) -> Iterator[Finding]:
    """Drafts whose content does not match the digest that row history holds of it."""
    drafts = PlanVersion.objects.all() if within is None else within
    for done, draft in enumerate(drafts.filter(content__isnull=False), 1):
        if draft.digest != draft_digest(draft.content or {}):
            yield Finding(
                PlanVersion._meta.db_table, draft.pk, "its content does not match its digest"
            )
        progress("drafts", done)


def changed_edits(
    within: models.QuerySet[PlanEdit] | None = None, progress: Progress = nobody
) -> Iterator[Finding]:
    """Edits that no event of their time, writer and number vouches for."""
    edits = PlanEdit.objects.all() if within is None else within
    for done, edit in enumerate(edits.select_related("version__plan").iterator(), 1):
        vouched = Event.objects.of(SITE_STREAM).filter(
            kind="plan.edited",
            subject=f"plan:{edit.version.plan.slug}:{edit.version.number}",
            by=edit.by_id,
            at=edit.at,
            data__edit=edit.number,
            data__said=edit_digest(edit),
        )
        if not vouched.exists():
            yield Finding(PlanEdit._meta.db_table, edit.pk, "no event records that it was made")
        progress("edits of drafts", done)
