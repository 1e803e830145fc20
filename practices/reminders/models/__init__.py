"""The outbox and inbox, what people chose of it, and the links of calendars."""

from .calendar_link import CalendarLink
from .notification import MOST_ATTEMPTS, Acceptance, Heartbeat, Notification, NotificationQuerySet
from .wishes import Mute, NotificationPreference

__all__ = [
    "MOST_ATTEMPTS",
    "Acceptance",
    "CalendarLink",
    "Heartbeat",
    "Mute",
    "Notification",
    "NotificationPreference",
    "NotificationQuerySet",
]
