"""Roles people hold, and what each role may do: the one table of permissions.

Role keys are those of guide.md D.1. Plans only name them. A supplier's person
holds ``supplier`` and acts as the new or the old supplier of a migration,
whichever their organisation is for it.
"""

from django.db import models

from practices.common.access import Permission


class Role(models.TextChoices):
    """What a membership can be; every key but ``supplier`` is also an owner of tasks."""

    PRACTICE_MANAGER = "practice_manager", "Practice manager"
    PRACTICE_STAFF = "practice_staff", "Practice staff"
    CLINICIAN = "clinician", "Clinician"
    LEAD_GP = "lead_gp", "Lead GP"
    REGISTRATION_CLERK = "registration_clerk", "Registration clerk"
    DISPENSARY_LEAD = "dispensary_lead", "Dispensary lead"
    IT_LEAD = "it_lead", "Practice IT lead"
    IG_LEAD = "ig_lead", "Information governance lead"
    PROJECT_MANAGER = "project_manager", "Project manager"
    TRAINER = "trainer", "Trainer"
    DELIVERY_PARTNER = "delivery_partner", "GP IT delivery partner"
    SUPPLIER = "supplier", "Supplier"
    COMMISSIONER = "commissioner", "Commissioner"
    ADMINISTRATOR = "administrator", "Administrator"
    NATIONAL_VIEWER = "national_viewer", "National viewer"


class Owner(models.TextChoices):
    """Who a task, a seat or a warning can be for (guide.md 0.3 and D.1)."""

    PRACTICE_MANAGER = "practice_manager", "Practice manager"
    PRACTICE_STAFF = "practice_staff", "Practice staff"
    CLINICIAN = "clinician", "Clinician"
    LEAD_GP = "lead_gp", "Lead GP"
    REGISTRATION_CLERK = "registration_clerk", "Registration clerk"
    DISPENSARY_LEAD = "dispensary_lead", "Dispensary lead"
    IT_LEAD = "it_lead", "Practice IT lead"
    IG_LEAD = "ig_lead", "Information governance lead"
    PROJECT_MANAGER = "project_manager", "Project manager"
    TRAINER = "trainer", "Trainer"
    DELIVERY_PARTNER = "delivery_partner", "GP IT delivery partner"
    TARGET_SUPPLIER = "target_supplier", "New supplier"
    SOURCE_SUPPLIER = "source_supplier", "Old supplier"
    THIRD_PARTY_SUPPLIER = "third_party_supplier", "Third-party supplier"
    COMMISSIONER = "commissioner", "Commissioner"
    PCSE = "pcse", "PCSE"
    PATIENT_GROUP = "patient_group", "Patient group"
    ALL = "all", "Everybody"


PRACTICE_ROLES = frozenset(
    {
        Role.PRACTICE_MANAGER,
        Role.PRACTICE_STAFF,
        Role.CLINICIAN,
        Role.LEAD_GP,
        Role.REGISTRATION_CLERK,
        Role.DISPENSARY_LEAD,
        Role.IT_LEAD,
        Role.IG_LEAD,
    }
)
PORTFOLIO_ROLES = frozenset({Role.PROJECT_MANAGER, Role.TRAINER, Role.DELIVERY_PARTNER})
SEE_ALL_ROLES = frozenset({Role.ADMINISTRATOR, Role.NATIONAL_VIEWER})


P = Permission
_WORKER = frozenset({P.VIEW_MIGRATION, P.WORK_OWN_TASKS})

PERMISSIONS: dict[str, frozenset[Permission]] = {
    Role.PRACTICE_MANAGER: _WORKER
    | {
        P.WORK_ALL_TASKS,
        P.EDIT_TASKS,
        P.RECORD_DATES,
        P.SIGN,
        P.CONFIRM_BYPASS,
        P.MANAGE_CONTACTS,
        P.INVITE,
    },
    Role.PRACTICE_STAFF: _WORKER,
    Role.CLINICIAN: _WORKER,
    Role.LEAD_GP: _WORKER | {P.SIGN, P.CONFIRM_BYPASS},
    Role.REGISTRATION_CLERK: _WORKER,
    Role.DISPENSARY_LEAD: _WORKER,
    Role.IT_LEAD: _WORKER,
    Role.IG_LEAD: _WORKER,
    Role.PROJECT_MANAGER: _WORKER
    | {
        P.WORK_ALL_TASKS,
        P.EDIT_TASKS,
        P.RECORD_DATES,
        P.REPLAN,
        P.SIGN,
        P.BYPASS_GATE,
        P.MANAGE_CONTACTS,
        P.REDACT,
        P.END_MIGRATION,
        P.MUTE,
        P.START_MIGRATION,
        P.UPGRADE_MIGRATIONS,
        P.VIEW_PORTFOLIO,
        P.VIEW_PLANS,
        P.VIEW_DIRECTORY,
        P.INVITE,
        P.RESEND_MAIL,
    },
    Role.TRAINER: _WORKER | {P.SIGN, P.VIEW_PORTFOLIO},
    Role.DELIVERY_PARTNER: _WORKER | {P.SIGN, P.VIEW_PORTFOLIO},
    Role.SUPPLIER: _WORKER | {P.SIGN, P.VIEW_PORTFOLIO},
    Role.COMMISSIONER: _WORKER | {P.SIGN, P.CONFIRM_BYPASS, P.VIEW_PORTFOLIO},
    Role.ADMINISTRATOR: frozenset(
        {
            P.VIEW_MIGRATION,
            P.START_MIGRATION,
            P.UPGRADE_MIGRATIONS,
            P.VIEW_PORTFOLIO,
            P.VIEW_PLANS,
            P.MANAGE_PLANS,
            P.VIEW_DIRECTORY,
            P.MANAGE_HOLIDAYS,
            P.IMPORT_PRACTICES,
            P.INVITE,
            P.RESEND_MAIL,
            P.VIEW_DELIVERY,
            P.MANAGE_ACCOUNTS,
        }
    ),
    Role.NATIONAL_VIEWER: frozenset({P.VIEW_MIGRATION, P.VIEW_PORTFOLIO}),
}


# Whom a holder may look after, in the organisation they hold the role in: invite to which roles,
# end and stand in for. Administrators look after all; accounts/scope.py applies it.
LOOKS_AFTER: dict[str, frozenset[Role]] = {
    Role.PRACTICE_MANAGER: PRACTICE_ROLES,
    Role.PROJECT_MANAGER: PORTFOLIO_ROLES,
}


# Standing in for somebody is for a few days: it does not decide who belongs to an organisation.
NOT_FOR_DEPUTIES = frozenset({P.INVITE, P.MANAGE_ACCOUNTS})


def permissions_of(role: str, *, deputy: bool) -> frozenset[Permission]:
    """What somebody who holds this role may do, or somebody who stands in for them."""
    return PERMISSIONS[role] - NOT_FOR_DEPUTIES if deputy else PERMISSIONS[role]
