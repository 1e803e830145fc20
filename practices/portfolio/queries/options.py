"""What the filters of the dashboard offer."""

from dataclasses import dataclass
from operator import itemgetter

from practices.directory.models import CommissionerLink
from practices.plans.models import PlanPhase
from practices.tracking.models.migration import MigrationQuerySet

Choices = list[tuple[str, str]]


@dataclass(frozen=True)
class Options:
    """What the filters offer: only what occurs among the migrations in view."""

    commissioners: Choices
    systems: Choices
    phases: Choices


@dataclass(frozen=True)
class RunBy:
    """Who manages the migrations in view, and which organisations run them."""

    managers: Choices
    organisations: Choices


def run_by(migrations: MigrationQuerySet) -> RunBy:
    """The people and organisations that these migrations are run by, by name."""
    managers: dict[str, str] = {}
    organisations: dict[str, str] = {}
    for person, name, organisation, called in (
        migrations.order_by("project_manager__name", "run_by__name")
        .values_list("project_manager", "project_manager__name", "run_by", "run_by__name")
        .distinct()
    ):
        managers[str(person)] = name
        organisations[str(organisation)] = called
    by_name = sorted(organisations.items(), key=itemgetter(1))
    return RunBy(managers=list(managers.items()), organisations=by_name)


def options(migrations: MigrationQuerySet) -> Options:
    """The choices of the filters for these migrations, each list in alphabetical or plan order."""
    commissioners = (
        CommissionerLink.objects.filter(practice__migrations__in=migrations, valid_to=None)
        .order_by("commissioner__name")
        .values_list("commissioner", "commissioner__name")
        .distinct()
    )
    systems = (
        migrations.order_by("source_system__name", "target_system__name")
        .values_list("source_system", "target_system", "source_system__name", "target_system__name")
        .distinct()
    )
    phases: dict[str, str] = {}
    for key, title in (
        PlanPhase.objects.filter(version__in=migrations.order_by().values("plan_version"))
        .order_by("position")
        .values_list("key", "title")
    ):
        # Versions of a plan may word a phase differently; its key is what it is.
        phases.setdefault(key, title)
    return Options(
        commissioners=[(str(pk), name) for pk, name in commissioners],
        systems=[(f"{s}-{t}", f"{source} to {target}") for s, t, source, target in systems],
        phases=list(phases.items()),
    )
