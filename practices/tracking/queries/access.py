"""Old-system access as it stands: what was agreed, and when somebody last looked."""

from dataclasses import dataclass
from datetime import date, datetime

from practices.common.time import london_date
from practices.tracking.models import AccessCheck, AccessExtension, ClockRun, Migration
from practices.tracking.models.clock import CHECK_EVERY


@dataclass(frozen=True)
class AccessNow:
    """The running access clock with its agreement and the newest check since go-live."""

    run: ClockRun
    check: AccessCheck | None
    now: datetime

    @property
    def check_due_on(self) -> date:
        """A week after somebody last looked, or after go-live."""
        last = self.check.checked_on if self.check else london_date(self.run.started_at)
        return last + CHECK_EVERY

    @property
    def is_check_due(self) -> bool:
        return self.check_due_on <= london_date(self.now)

    @property
    def is_lost(self) -> bool:
        """Whether it was not there when somebody last looked."""
        return self.check is not None and not self.check.is_there


def access_now(migration: Migration, now: datetime) -> AccessNow | None:
    """Access while its clock runs, in two statements."""
    if migration.state != Migration.State.POST_GO_LIVE:
        return None
    run = migration.clock_runs.running().of_access().select_related("extension").first()
    if run is None:
        return None
    checks = migration.access_checks.filter(at__gte=run.started_at)
    return AccessNow(run, checks.select_related("by", "note").last(), now)


def extensions(migration: Migration) -> list[AccessExtension]:
    """Everything that was agreed about the end of access, oldest first."""
    return list(
        migration.access_extensions.select_related(
            "by", "reason", "commissioner", "target_supplier", "source_supplier"
        )
    )
