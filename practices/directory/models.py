"""Organisations of every kind, practices, and the clinical systems suppliers make.

Codes and kinds follow guide.md D.2 and H. Organisations close and merge, so
links between them carry dates and history is never keyed on a name.
"""

from datetime import date, timedelta
from typing import Any, ClassVar

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q

from practices.common.history import tracked

ods_code_validator = RegexValidator(
    r"^[A-Z0-9]{3,9}\Z", "Enter an ODS code of 3 to 9 letters or digits, for example A12345."
)


class OrganisationQuerySet(models.QuerySet["Organisation"]):
    def of_kind(self, *kinds: str) -> "OrganisationQuerySet":
        return self.filter(kind__in=kinds)

    def open_on(self, day: date) -> "OrganisationQuerySet":
        return self.filter(
            Q(valid_from=None) | Q(valid_from__lte=day), Q(valid_to=None) | Q(valid_to__gt=day)
        )

    def named(self, words: str) -> "OrganisationQuerySet":
        """Those with every one of ``words`` in their name; only the first eight count."""
        found = self
        for word in words.replace("\x00", "").split()[:8]:
            found = found.filter(name__icontains=word)
        return found.order_by("name", "code")

    def besides_practices(self) -> "OrganisationQuerySet":
        """The few whose codes nobody knows by heart, by kind."""
        return self.exclude(kind=Organisation.Kind.PRACTICE).order_by("kind", "name")


@tracked()
class Organisation(models.Model):
    """Anything with a name that people belong to; ``valid_to`` is the first day it is closed."""

    class Kind(models.TextChoices):
        PRACTICE = "practice", "GP practice"
        PCN = "pcn", "Primary care network"
        COMMISSIONER = "commissioner", "Commissioner"
        SUB_ICB = "sub_icb", "Sub-ICB location"
        DELIVERY_PARTNER = "delivery_partner", "GP IT delivery partner"
        SUPPLIER = "supplier", "Clinical system supplier"
        THIRD_PARTY = "third_party", "Third-party supplier"
        NATIONAL = "national", "National body"
        OPERATOR = "operator", "Migration Tracker service team"

    kind = models.CharField(max_length=20, choices=Kind)
    code = models.CharField(max_length=9, unique=True, validators=[ods_code_validator])
    name = models.CharField(max_length=200)
    valid_from = models.DateField(null=True, blank=True)
    valid_to = models.DateField(null=True, blank=True)

    objects = OrganisationQuerySet.as_manager()

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.CheckConstraint(
                condition=Q(code__regex=r"^[A-Z0-9]{3,9}$"), name="organisation_code_form"
            ),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_from=None) | Q(valid_to__gte=F("valid_from")),
                name="organisation_dates_in_order",
            ),
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["kind", "name"], name="organisation_kind_name")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def last_day(self) -> date | None:
        """The last day it is open; ``valid_to`` is the day after."""
        return self.valid_to and self.valid_to - timedelta(days=1)


@tracked()
class Succession(models.Model):
    """Which organisation took over from another: ICBs merge and split (guide.md H)."""

    predecessor = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="successions"
    )
    successor = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="origins")
    day = models.DateField(help_text="the first day of the successor")

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["predecessor", "successor"], name="succession_once_per_pair"
            )
        ]

    def __str__(self) -> str:
        return f"{self.successor_id} follows {self.predecessor_id}"


class PracticeQuerySet(models.QuerySet["Practice"]):
    def open_on(self, day: date) -> "PracticeQuerySet":
        """Practices that work on ``day``: neither closed, nor not yet open, nor dormant."""
        return self.filter(
            Q(organisation__valid_from=None) | Q(organisation__valid_from__lte=day),
            Q(organisation__valid_to=None) | Q(organisation__valid_to__gt=day),
            dormant=False,
        )

    def commissioned_by(self, organisations: Any) -> "PracticeQuerySet":
        """Practices whose present commissioner is one of ``organisations``."""
        return self.filter(
            commissioner_links__commissioner__in=organisations,
            commissioner_links__valid_to=None,
        )

    def commissioner_closed_by(self, day: date) -> "PracticeQuerySet":
        """Practices whose present commissioner has closed by ``day``: their list is old."""
        return self.filter(
            commissioner_links__valid_to=None,
            commissioner_links__commissioner__valid_to__lte=day,
        )

    def search(self, words: str) -> "PracticeQuerySet":
        """Practices that every one of ``words`` finds.

        A word finds the start of an ODS code or postcode, or any part of the name
        or address. Only the first eight words count.
        """
        found = self
        whole_postcode = Q(postcode__iexact=words.strip())
        for word in words.replace("\x00", "").split()[:8]:
            found = found.filter(
                Q(organisation__code__startswith=word.upper())
                | Q(organisation__name__icontains=word)
                | Q(postcode__istartswith=word)
                | Q(address__icontains=word)
                | whole_postcode
            )
        return found

    def for_lists(self) -> "PracticeQuerySet":
        """With organisation and commissioners, in order of name."""
        return (
            self.select_related("organisation")
            .prefetch_related("commissioner_links__commissioner")
            .order_by("organisation__name", "organisation__code")
        )


@tracked()
class Practice(models.Model):
    """What a GP practice has beyond any organisation."""

    organisation = models.OneToOneField(
        Organisation, primary_key=True, on_delete=models.PROTECT, related_name="practice"
    )
    address = models.CharField(max_length=300, blank=True, help_text="lines parted by commas")
    postcode = models.CharField(max_length=10, blank=True)
    telephone = models.CharField(max_length=30, blank=True)
    sub_icb_code = models.CharField(max_length=9, blank=True)
    prescribing_setting = models.PositiveSmallIntegerField(
        default=4, help_text="epraccur column 26; 4 is a GP practice"
    )
    dormant = models.BooleanField(
        default=False, help_text="in ODS without a closing date, yet not working: status D or P"
    )
    dispensing = models.BooleanField(null=True, help_text="unknown until somebody says so")
    list_size = models.PositiveIntegerField(null=True, help_text="registered patients, a count")

    objects = PracticeQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.organisation.name} ({self.organisation.code})"

    @property
    def links_newest_first(self) -> "list[CommissionerLink]":
        """Its commissioners, the present one first."""
        return sorted(
            self.commissioner_links.all(),
            key=lambda link: (link.valid_to or date.max, link.valid_from or date.min),
            reverse=True,
        )

    @property
    def commissioner(self) -> Organisation | None:
        """Who commissions it now, or did last."""
        links = self.links_newest_first
        return links[0].commissioner if links else None


@tracked()
class CommissionerLink(models.Model):
    """Which ICB commissions a practice, from ``valid_from`` until before ``valid_to``.

    ICBs merge and split (guide.md H), so the past is kept. ``valid_from`` is
    empty where nobody knows.
    """

    practice = models.ForeignKey(
        Practice, on_delete=models.PROTECT, related_name="commissioner_links"
    )
    commissioner = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="practice_links"
    )
    valid_from = models.DateField(null=True)
    valid_to = models.DateField(null=True)

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["practice"], condition=Q(valid_to=None), name="one_commissioner_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_from=None) | Q(valid_to__gte=F("valid_from")),
                name="commissioner_link_dates_in_order",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.practice_id} is commissioned by {self.commissioner_id}"

    @property
    def last_day(self) -> date | None:
        return self.valid_to and self.valid_to - timedelta(days=1)


@tracked()
class ClinicalSystem(models.Model):
    """A principal clinical system, as practices name it."""

    name = models.CharField(max_length=100, unique=True)
    supplier = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="systems")

    class Meta:
        ordering: ClassVar[list[str]] = ["name"]

    def __str__(self) -> str:
        return self.name
