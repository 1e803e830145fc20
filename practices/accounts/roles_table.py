"""The table of permissions in words: docs/roles.md is this text, and a test holds it so."""

from practices.common.access import Permission

from .roles import LOOKS_AFTER, PERMISSIONS, PORTFOLIO_ROLES, PRACTICE_ROLES, SEE_ALL_ROLES, Role

INTRODUCTION = """\
# Who may do what

Written by `manage.py roles_table` from the table in `practices/accounts/roles.py`; a test fails
when the two differ. A person has no rights of their own. Every right comes from a role they hold
in an organisation on the day, and the role counts only where that organisation has a part.
"""

INVITING = """\
## Who may invite whom

The rule is `looked_after_by` in `practices/accounts/models.py`. Who may invite to a role in an
organisation may also end it there and appoint a deputy for it.

- A practice manager: every role of their own practice, also another practice manager.
- A project manager: project managers, trainers and delivery partners of their own organisation.
  From the people page of an active migration that their organisation runs, also every role of its
  practice. Which migrations those are is known to the room above (`practices/tracking`), so that
  page takes the organisation from `Migration.objects.visible_to`.
- An administrator: every role of every organisation.

Only administrators invite suppliers and commissioners: these see what they supply and all that
they commission, which reaches beyond one project manager's migrations, so no one project manager
can decide that they may.

Nobody invites themselves, or accepts an invitation that they sent. Practice sign-offs are given by
the practice only: who is project manager, trainer or delivery partner today is invited to a role
of a practice by an administrator and by nobody else. This is asked again when they accept. When a
role that lets somebody invite ends, what they sent and nobody has answered is withdrawn, but for
what another role of theirs, as listed above without the migrations, lets them send. A role that
runs out by its date withdraws nothing at that moment: whether who sent an invitation may still
invite there is asked whenever it is opened or accepted. Whoever sends it again answers for it.

Nobody ends the role of the last administrator, and nobody closes their own account.

## Deputies

A deputy holds the role of an absent person for a range of days, and is marked as their deputy. On
those days the tasks assigned to the absent person are theirs too, they may sign the seats of the
role, and reminders come to them as well. The absent person keeps the role, and the reminders:
somebody who is away one day may be back for an hour, and nothing must depend on one of the two
reading mail. Both find each other, with the days, on their account page. History and sign-off say
that a deputy signed. Nothing of this holds the day before or after. A deputy does not invite, end
roles or appoint deputies: who belongs to an organisation is not decided in passing. Nobody appoints
themselves, and nobody stands in for more than 92 days at a time. The deputy's role ends with that
of the person they stand in for.
"""

SUPPLIERS = """\
## What suppliers see of each other

Notes and evidence written for the old supplier are not shown to people who see the migration only
as the new supplier, and the other way round: not on the task, not in the history, not as a
download, not in a report of patient data. What counts is whom the writer acted for as they wrote
it. Everybody else sees all, and a supplier that is both, old and new, sees its own.

The plan is shared. Titles of tasks, who does them, dates, and the reasons given when a task is
blocked, set aside or reopened or a sign-off is given or withdrawn are seen by both suppliers.

## Patient data

Everybody who sees a text may report that it holds patient data, which hides it for all at once.
Only the project managers of the organisation that runs the migration then see it: they remove the
words for good, or show them again. Administrators do not see them.
"""

_SEES = {
    **dict.fromkeys(PRACTICE_ROLES, "their own practice"),
    **dict.fromkeys(PORTFOLIO_ROLES, "what their organisation runs"),
    Role.SUPPLIER: "what they supply, as the new or the old supplier",
    Role.COMMISSIONER: "the practices they commission now",
    **dict.fromkeys(SEE_ALL_ROLES, "everything"),
}


def roles_table() -> str:
    """The whole page, in Markdown."""
    parts = [INTRODUCTION, "## Roles\n"]
    for role in Role:
        parts.append(f"### {role.label}\n")
        parts.append(f"Key `{role.value}`. Sees {_SEES[role]}. May:\n")
        allowed = PERMISSIONS[role]
        parts.append("".join(f"- {p.value}\n" for p in Permission if p in allowed))
        if role in LOOKS_AFTER:
            cared_for = ", ".join(r.label for r in Role if r in LOOKS_AFTER[role])
            parts.append(f"Looks after people of their organisation who are: {cared_for}.\n")
    return "\n".join([*parts, INVITING, SUPPLIERS])
