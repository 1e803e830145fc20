"""A plan and its versions: what is drafted, published and retired, and the edits of a draft."""

from typing import Any, ClassVar

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from practices.common.history import tracked
from practices.common.models import Text


class Plan(models.Model):
    """One way of working, known by its slug; its content lives in versions."""

    slug = models.SlugField(max_length=60, unique=True)
    title = models.CharField(max_length=150)

    class Meta:
        ordering: ClassVar[list[str]] = ["title"]

    def __str__(self) -> str:
        return self.title


class PlanVersionQuerySet(models.QuerySet["PlanVersion"]):
    def published(self) -> "PlanVersionQuerySet":
        """The versions a migration may be started from: one for each plan."""
        return self.filter(state=PlanVersion.State.PUBLISHED).select_related("plan")


@tracked(exclude=("content",))
class PlanVersion(models.Model):
    """One state of a plan: being drafted, published, or retired by its successor.

    A draft is kept whole in ``content``, as far as people have come with it; its edits say
    who changed what. Publishing writes it out as the rows that migrations are started from.
    """

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        PUBLISHED = "published", "Published"
        RETIRED = "retired", "Retired"

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    title = models.CharField(max_length=150)
    summary = models.TextField(blank=True)
    source = models.TextField(blank=True)
    digest = models.CharField(
        max_length=64,
        blank=True,
        help_text="sha256 of its YAML form, of a draft of its content: same content, same digest",
    )
    content = models.JSONField(null=True, help_text="what a draft says; its rows are not there yet")
    revision = models.PositiveIntegerField(default=0, help_text="the number of its newest edit")
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    published_at = models.DateTimeField(null=True)
    shipped = models.BooleanField(
        default=False, help_text="came with the software, so a newer release may replace it"
    )
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    release_notes = models.ForeignKey(Text, null=True, on_delete=models.PROTECT, related_name="+")

    objects = PlanVersionQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["plan", "-number"]
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["plan", "number"], name="plan_version_number_once"),
            models.UniqueConstraint(
                fields=["plan"], condition=Q(state="draft"), name="one_draft_per_plan"
            ),
            models.UniqueConstraint(
                fields=["plan"], condition=Q(state="published"), name="one_published_per_plan"
            ),
            models.CheckConstraint(
                condition=Q(state="draft") | Q(published_at__isnull=False),
                name="published_plan_has_its_time",
            ),
            models.CheckConstraint(
                condition=Q(state="draft", content__isnull=False)
                | (~Q(state="draft") & Q(content=None)),
                name="draft_has_its_content",
            ),
        ]
        triggers: ClassVar[list[Any]] = [
            pgtrigger.Trigger(
                name="published_content_frozen",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__state__in=["published", "retired"]),
                func="""
                    IF NEW.state = 'draft'
                       OR (NEW.plan_id, NEW.number, NEW.title, NEW.summary, NEW.source, NEW.digest,
                           NEW.content)
                          IS DISTINCT FROM
                          (OLD.plan_id, OLD.number, OLD.title, OLD.summary, OLD.source, OLD.digest,
                           OLD.content)
                    THEN
                        RAISE EXCEPTION 'plan version % is published: its content is frozen', OLD.id
                            USING ERRCODE = 'restrict_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Protect(
                name="published_kept",
                operation=pgtrigger.Delete,
                condition=pgtrigger.Q(old__state__in=["published", "retired"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title}, version {self.number}"


class PlanEdit(models.Model):
    """One change of a draft, small enough to be taken back.

    ``steps`` say for each field, part or order what was there before and what is there
    after (rules/content.py). Goes with its draft when that is discarded; the event of each
    edit stays.
    """

    version = models.ForeignKey(PlanVersion, on_delete=models.CASCADE, related_name="edits")
    number = models.PositiveIntegerField()
    summary = models.CharField(max_length=300)
    steps = models.JSONField()
    takes_back = models.OneToOneField(
        "self", null=True, on_delete=models.CASCADE, related_name="taken_back_by"
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering: ClassVar[list[str]] = ["number"]
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["version", "number"], name="plan_edit_number_once")
        ]

    def __str__(self) -> str:
        return self.summary
