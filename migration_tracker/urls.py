"""Addresses. Each room brings its own; this file only says where they start."""

from importlib.util import find_spec

from allauth.account import views as account
from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path, re_path

from . import views

handler500 = "migration_tracker.views.server_error"

ROOMS = ["common", "directory", "accounts", "plans", "tracking", "reminders", "portfolio"]

# Not the rest of allauth's: its pages for email addresses let people change their own, unrecorded.
ACCOUNT = [
    path("login/", account.login, name="account_login"),
    path("logout/", account.logout, name="account_logout"),
    path("inactive/", account.account_inactive, name="account_inactive"),
    # It says that nobody registers themselves; the mail to an unknown address needs its name.
    path("signup/", account.signup, name="account_signup"),
    path("password/change/", account.password_change, name="account_change_password"),
    path("password/reset/", account.password_reset, name="account_reset_password"),
    path("password/reset/done/", account.password_reset_done, name="account_reset_password_done"),
    path(
        "password/reset/key/done/",
        account.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        account.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz/", views.health, name="health"),
    # Whoever watches from outside may not follow a redirect to the other spelling.
    re_path(r"^healthz/reminders/?$", views.health_of_reminders, name="health_of_reminders"),
    path("accounts/", include(ACCOUNT)),
]
urlpatterns += [
    path("", include(f"practices.{room}.urls"))
    for room in ROOMS
    if find_spec(f"practices.{room}.urls")
]
if settings.DEVELOPMENT:
    urlpatterns.append(path("dev/", include("migration_tracker.local.urls")))
