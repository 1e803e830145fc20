"""What every write of this room ends with: its event. Events hold ids, never names or addresses."""

from datetime import datetime

from practices.accounts.models import User
from practices.common.services import SITE_STREAM, record_event


def note(kind: str, *, by: User | None, at: datetime, subject: str, **data: object) -> None:
    """One act in the site's chain of events."""
    record_event(stream=SITE_STREAM, kind=kind, by=by, at=at, subject=subject, data=data)
