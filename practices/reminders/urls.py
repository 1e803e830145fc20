"""Addresses of the inbox, of what somebody wants to be told, of calendars and delivery."""

from django.urls import path

from .views import calendar, delivery, inbox, wishes

app_name = "reminders"
urlpatterns = [
    path("calendar/", calendar.calendar, name="calendar"),
    path("calendar/make/", calendar.make, name="make_calendar"),
    path("calendar/revoke/", calendar.revoke, name="revoke_calendar"),
    path("calendar/feed.ics", calendar.read, name="calendar_feed"),
    path(
        "migrations/<slug:reference>/calendar/",
        calendar.migration_calendar,
        name="migration_calendar",
    ),
    path(
        "migrations/<slug:reference>/calendar/make/", calendar.make, name="make_migration_calendar"
    ),
    path(
        "migrations/<slug:reference>/calendar/revoke/",
        calendar.revoke,
        name="revoke_migration_calendar",
    ),
    path("reminders/delivery/", delivery.delivery, name="delivery"),
    path("reminders/delivery/<int:pk>/send-again/", delivery.resend, name="resend"),
    path("inbox/", inbox.inbox, name="inbox"),
    path("inbox/<int:pk>/", inbox.read, name="read"),
    path("inbox/read/", inbox.read_all, name="read_all"),
    path("account/mails/", wishes.preferences, name="preferences"),
    path("migrations/<slug:reference>/mute/", wishes.mute, name="mute"),
    path("migrations/<slug:reference>/mute/lift/", wishes.lift_mute, name="lift_mute"),
]
