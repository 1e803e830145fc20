"""What can be asked of a person, and asking for it at a page's door.

The keys stand here, below every room, because every room has pages. Which role
may do what is the table in practices/accounts/roles.py.
"""

from collections.abc import Callable
from enum import StrEnum
from functools import wraps
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase

if TYPE_CHECKING:
    from django.contrib.auth.models import _User
    from django_htmx.middleware import HtmxDetails

View = Callable[..., HttpResponseBase]


class SignedInRequest(HttpRequest):
    """What a view gets behind the sign-in middleware; for type checking only."""

    user: "_User"
    htmx: "HtmxDetails"


class Permission(StrEnum):
    """What can be asked of a person; views ask for one of these, never for a role."""

    VIEW_MIGRATION = "see the migration"
    WORK_OWN_TASKS = "tick the tasks of their own role, or assigned to them"
    WORK_ALL_TASKS = "tick any task of the migration"
    EDIT_TASKS = "assign tasks and add tasks of the migration's own"
    RECORD_DATES = "record actual dates, which start and stop clocks"
    REPLAN = "move planned dates"
    SIGN = "sign where a seat names their role"
    BYPASS_GATE = "record that a step happened without its sign-off"
    CONFIRM_BYPASS = "confirm, as a second person, that it happened without"
    MANAGE_CONTACTS = "change the people and contacts of a migration"
    REDACT = "remove what was reported as patient data, or show it again"
    END_MIGRATION = "abort a cut-over, cancel, delete or close a migration"
    MUTE = "have no mails about a migration for a while"
    START_MIGRATION = "start a migration"
    UPGRADE_MIGRATIONS = "move running migrations to another version of their plan"
    VIEW_PORTFOLIO = "see the dashboard across migrations"
    VIEW_PLANS = "see plans"
    MANAGE_PLANS = "upload, publish and retire plans"
    MANAGE_HOLIDAYS = "add and remove one-off bank holidays"
    VIEW_DIRECTORY = "look practices up"
    IMPORT_PRACTICES = "import practices"
    INVITE = "invite people, end roles and appoint deputies where they look after people"
    RESEND_MAIL = "see mail about what they run that could not be delivered, and send it again"
    VIEW_DELIVERY = "see how all mail is delivered"
    MANAGE_ACCOUNTS = "find anybody, close and open accounts, give roles, and see pages as they do"


def requires(permission: Permission) -> Callable[[View], View]:
    """Answer 403 to a signed-in person none of whose roles has ``permission``."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: SignedInRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.may(permission):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return guarded

    return decorate
