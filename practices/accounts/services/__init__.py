"""Every write of this room: accounts, roles, invitations."""

from .invitations import accept, invite, join, send_again, withdraw_invitation
from .many import Judged, invite_many, preview_many
from .memberships import add_membership, appoint_deputy, end_membership
from .passwords import change_password, renew_password_hash
from .people import (
    SERVICE_TEAM,
    add_administrator,
    add_person,
    close_account,
    open_account,
)
from .viewing import LONGEST_VIEW, may_be_viewed, start_viewing, stop_viewing

__all__ = [
    "LONGEST_VIEW",
    "SERVICE_TEAM",
    "Judged",
    "accept",
    "add_administrator",
    "add_membership",
    "add_person",
    "appoint_deputy",
    "change_password",
    "close_account",
    "end_membership",
    "invite",
    "invite_many",
    "join",
    "may_be_viewed",
    "open_account",
    "preview_many",
    "renew_password_hash",
    "send_again",
    "start_viewing",
    "stop_viewing",
    "withdraw_invitation",
]
