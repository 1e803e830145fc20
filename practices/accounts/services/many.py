"""Inviting many at once: each line by the rules of one invitation."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from practices.accounts.invitation_file import Line
from practices.accounts.models import ONE_DAY, Invitation, User
from practices.accounts.queries import offers
from practices.accounts.roles import Permission, Role
from practices.common.errors import Refused
from practices.directory.models import Organisation
from practices.directory.rules import BadLine, read_day

from ._base import lock_unanswered
from .invitations import invite

_ROLES = {name.casefold(): role for role in Role for name in (role.value, role.label)}


@dataclass(frozen=True)
class Judged:
    """What becomes of a line: who is invited to what, or why nobody is."""

    line: Line
    target: str = ""
    problem: str = ""


def preview_many(*, lines: Iterable[Line], by: User, at: datetime) -> list[Judged]:
    """What :func:`invite_many` would do. It does it, and takes it back."""
    with transaction.atomic():
        judged = invite_many(lines=lines, by=by, at=at)
        transaction.set_rollback(True)
    return judged


@transaction.atomic
def invite_many(*, lines: Iterable[Line], by: User, at: datetime) -> list[Judged]:
    """Invite whom each line names; one that is wrong is set aside and stops no other.

    Only to roles that ``by`` may give.
    """
    lines, allowed = list(lines), offers(by)
    _lock(lines, by, allowed)
    judged = []
    first: dict[tuple[str, int, str], int] = {}
    for line in lines:
        try:
            organisation, role = _target(line, by, allowed)
            same = (line.cells["email"].casefold(), organisation.pk, role)
            _only_once(first.get(same))
            until = read_day(line.cells.get("until", ""), "until")
            with transaction.atomic():
                invite(
                    email=line.cells["email"],
                    name=line.cells["name"][:150],
                    organisation=organisation,
                    role=role,
                    valid_to=until + ONE_DAY if until else None,
                    by=by,
                    at=at,
                )
        except (Refused, BadLine) as problem:
            judged.append(Judged(line, problem=str(problem)))
        else:
            first[same] = line.number
            judged.append(Judged(line, target=f"{role.label} of {organisation}"))
    return judged


def _lock(lines: list[Line], by: User, allowed: dict[Organisation, list[str]]) -> None:
    """All rows that the invitations lock one by one, before the first event: `lock_unanswered`."""
    organisations = set()
    for line in lines:
        with suppress(Refused):
            organisations.add(_target(line, by, allowed)[0].pk)
    rows = Organisation.objects.filter(pk__in=organisations).order_by("pk")
    list(rows.select_for_update(no_key=True))
    emails = {line.cells["email"].strip().lower() for line in lines}
    lock_unanswered(Invitation.objects.filter(organisation__in=organisations, email__in=emails))


def _target(
    line: Line, by: User, allowed: dict[Organisation, list[str]]
) -> tuple[Organisation, Role]:
    organisation, role = _organisation(line, by, list(allowed)), _role(line)
    if not by.may(Permission.MANAGE_ACCOUNTS) and role not in allowed[organisation]:
        raise Refused(f"You cannot give the role {role.label}.")
    return organisation, role


def _only_once(before: int | None) -> None:
    if before:
        raise Refused(f"Line {before} says the same.")


def _organisation(line: Line, by: User, allowed: list[Organisation]) -> Organisation:
    code = line.cells.get("organisation", "").upper()
    if by.may(Permission.MANAGE_ACCOUNTS):
        found = Organisation.objects.filter(code=code).first()
    elif not code and len(allowed) == 1:
        return allowed[0]
    else:
        found = next((one for one in allowed if one.code == code), None)
    if found is None:
        raise Refused(
            f"You can invite to no organisation with the code “{code}”."
            if code
            else "The code of the organisation is missing."
        )
    return found


def _role(line: Line) -> Role:
    word = " ".join(line.cells["role"].split())
    role = _ROLES.get(word.casefold())
    if role is None:
        raise Refused(f"There is no role “{word}”." if word else "The role is missing.")
    return role
