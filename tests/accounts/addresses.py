"""Who gets what at every address of the site: one row for each name of the URL resolver.

A room that adds an address adds a row here; tests/accounts/test_every_address.py fails until it
does. ``page``, ``form`` and ``act`` are the usual kinds of row; ``replace`` a code where an address
differs. The four people are

    anonymous   nobody signed in
    stranger    the practice manager of another practice
    without     somebody inside who may not do this: ``but`` names them in the world
    within      somebody who may: ``by`` names them (:func:`make_world`)

and codes are (GET, POST). ``SIGN_IN`` is the redirect of strangers to the sign-in page.
"""

from dataclasses import dataclass, field, replace
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from practices.accounts.roles import Role
from practices.common.jobs import start_job
from practices.directory.services import IMPORT
from practices.plans.rules import Moment
from practices.tracking import services
from practices.tracking.services import ContactDetails
from tests.factories import (
    MONDAY,
    make_invitation,
    make_migration,
    make_person,
    make_plan_version,
    make_practice,
)

SIGN_IN = 302
Codes = tuple[int, int]

OK, FOUND, REFUSED, STRANGE, ONLY_GET, STALE, INCOMPLETE = 200, 302, 403, 404, 405, 409, 422


@dataclass(frozen=True)
class Address:
    """A row: the answers to a GET and to a POST of ``data``, by who asks."""

    name: str
    within: Codes
    without: Codes
    stranger: Codes
    anonymous: Codes = (SIGN_IN, SIGN_IN)
    by: str = "manager"
    but: str = "viewer"
    keys: dict[str, str] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    open: bool = False  # anonymous codes are the page's own, not the way to sign-in


MIGRATION = {"reference": "{migration.reference}"}
TASK = MIGRATION | {"code": "CUT-02"}
DATE = MIGRATION | {"key": "KO"}
GATE = MIGRATION | {"key": "go_live_data"}
VERSION = {"slug": "{version.plan.slug}", "number": "{version.number}"}
DRAFT = {"slug": "{draft.plan.slug}", "number": "{draft.number}"}


def page(name: str, keys: dict[str, str] | None = None, **more: Any) -> Address:
    """A page of a migration that everybody who sees the migration may read."""
    reads = (OK, ONLY_GET)
    return Address(name, reads, reads, (STRANGE, ONLY_GET), keys=keys or MIGRATION, **more)


def form(name: str, keys: dict[str, str], post: int = INCOMPLETE, **more: Any) -> Address:
    """A form about a migration, posted with ``data`` (nothing, unless said)."""
    return Address(name, (OK, post), (REFUSED, REFUSED), (STRANGE, STRANGE), keys=keys, **more)


def act(name: str, keys: dict[str, str], post: int = FOUND, **more: Any) -> Address:
    """A button: a POST that acts and leads back."""
    return Address(
        name, (ONLY_GET, post), (ONLY_GET, REFUSED), (ONLY_GET, STRANGE), keys=keys, **more
    )


def report(name: str, pk: str) -> Address:
    """Patient data in something: everybody who sees the migration may say so."""
    may = (OK, FOUND)
    return Address(name, may, may, (STRANGE, STRANGE), keys=MIGRATION | {"pk": pk})


def desk(name: str, by: str, get: int = OK, post: int = ONLY_GET, **more: Any) -> Address:
    """A page of no one migration, for those with a permission; a stranger lacks it as well."""
    refused = (
        ONLY_GET if get == ONLY_GET else REFUSED,
        ONLY_GET if post == ONLY_GET else REFUSED,
    )
    return Address(name, (get, post), refused, refused, by=by, but="manager", **more)


def looks_after(name: str, within: Codes, *, anywhere: bool = False, **more: Any) -> Address:
    """A page about people, for whoever looks after them: nobody else finds these people."""
    no = REFUSED if anywhere else STRANGE
    refused = tuple(ONLY_GET if code == ONLY_GET else no for code in within)
    without: Codes = (refused[0], refused[1])
    return Address(name, within, without, within if anywhere else without, **more)


def public(name: str, get: int = OK, post: int = ONLY_GET, **more: Any) -> Address:
    """A page that is the same for everybody, signed in or not."""
    both = (get, post)
    return Address(name, both, both, both, both, open=True, **more)


def account(name: str, anonymous: Codes, signed_in: Codes, **more: Any) -> Address:
    """A sign-in page of allauth: what it answers depends only on whether somebody is signed in."""
    return Address(name, signed_in, signed_in, signed_in, anonymous, open=True, **more)


ACCOUNT = [
    account("account_login", (OK, OK), (FOUND, FOUND)),
    account("account_logout", (FOUND, FOUND), (OK, FOUND)),
    account("account_inactive", (OK, ONLY_GET), (OK, ONLY_GET)),
    # Says that nobody registers themselves.
    account("account_signup", (OK, OK), (FOUND, FOUND)),
    account("account_change_password", (SIGN_IN, SIGN_IN), (OK, OK)),
    account("account_reset_password", (OK, OK), (OK, OK)),
    account("account_reset_password_done", (OK, ONLY_GET), (OK, ONLY_GET)),
    account(
        "account_reset_password_from_key",
        (OK, OK),
        (OK, OK),
        keys={"uidb36": "1", "key": "unknown"},
    ),
    account("account_reset_password_from_key_done", (OK, ONLY_GET), (OK, ONLY_GET)),
]

SERVICE = [
    public("health"),
    public("accessibility"),
    public("privacy"),
    public("cookies"),
    public("dev_mail", post=OK),
    public("dev_mail_message", get=STRANGE, post=STRANGE, keys={"name": "nothing"}),
]

PLANS = [
    desk("plans:plans", "project_manager"),
    desk("plans:version", "project_manager", keys=VERSION),
    desk("plans:export", "project_manager", keys=VERSION),
    desk("plans:upload", "administrator", post=INCOMPLETE),
    desk("plans:publish", "administrator", get=ONLY_GET, post=STALE, keys=DRAFT),
    desk("plans:retire", "administrator", post=FOUND, keys=VERSION),
    desk("plans:discard", "administrator", post=STALE, keys=DRAFT),
]

DIRECTORY = [
    desk("directory:practices", "project_manager"),
    desk("directory:find", "project_manager"),
    desk("directory:practice", "project_manager", keys={"code": "{code}"}),
    desk("directory:import", "administrator", post=INCOMPLETE),
    desk("directory:import_job", "administrator", keys={"job_id": "{job.pk}"}),
    desk("directory:rejected", "administrator", get=STRANGE, keys={"job_id": "{job.pk}"}),
]

TRACKING = [
    # Without a practice it leads to finding one.
    desk("tracking:start", "project_manager", get=FOUND, post=FOUND),
    page("tracking:overview"),
    # A fragment: alone it leads to its page.
    replace(
        page("tracking:clocks"),
        within=(FOUND, ONLY_GET),
        without=(FOUND, ONLY_GET),
        stranger=(FOUND, ONLY_GET),
    ),
    page("tracking:history"),
    page("tracking:tasks"),
    page("tracking:task", TASK),
    page("tracking:phase", MIGRATION | {"key": "cut_over"}),
    page("tracking:dates"),
    page("tracking:gate", GATE),
    page("tracking:people"),
    page("tracking:evidence_file", TASK | {"pk": "{file.pk}"}),
    act("tracking:tick", TASK),
    form("tracking:reopen", TASK, data={"reason": "", "version": ""}),
    form("tracking:set_aside", TASK),
    form("tracking:block", TASK),
    form("tracking:assign", TASK),
    form("tracking:due", TASK),
    act("tracking:note", TASK, post=INCOMPLETE),
    act("tracking:evidence", TASK, post=INCOMPLETE),
    act("tracking:evidence_remove", TASK | {"pk": "{file.pk}"}),
    act("tracking:tick_several", MIGRATION | {"key": "cut_over"}, post=INCOMPLETE),
    form("tracking:add_task", MIGRATION | {"key": "cut_over"}),
    form("tracking:replan", MIGRATION | {"key": "GL"}, by="project_manager"),
    form("tracking:record", DATE),
    form("tracking:clear_date", DATE),
    form("tracking:sign", GATE | {"seat": "practice"}, post=STALE),
    form("tracking:withdraw", GATE),
    form("tracking:bypass", GATE, by="project_manager"),
    form("tracking:confirm_bypass", GATE),
    form("tracking:project_manager", MIGRATION, by="project_manager"),
    form("tracking:add_contact", MIGRATION, data={"name": ""}),
    form("tracking:change_contact", MIGRATION | {"pk": "{contact.pk}"}, data={"name": ""}),
    act("tracking:remove_contact", MIGRATION | {"pk": "{contact.pk}"}),
    # Whoever sees it may report it.
    report("tracking:report_text", "{note.text.pk}"),
    report("tracking:report_file", "{file.file.pk}"),
    Address(
        "tracking:reports",
        (OK, ONLY_GET),
        (REFUSED, ONLY_GET),
        (STRANGE, ONLY_GET),
        keys=MIGRATION,
        by="project_manager",
    ),
    act("tracking:redact", MIGRATION | {"pk": "{report.pk}"}, by="project_manager"),
    act("tracking:restore", MIGRATION | {"pk": "{report.pk}"}, by="project_manager"),
    form("tracking:abort_cut_over", MIGRATION, by="project_manager"),
    form("tracking:cancel", MIGRATION, by="project_manager"),
    form("tracking:delete", MIGRATION, by="project_manager"),
    form("tracking:finish", MIGRATION, by="project_manager"),
]

INVITATION = {"pk": "{invitation.pk}"}
PERSON = {"pk": "{staff.pk}"}
ROLE = {"pk": "{role.pk}"}
PEOPLE = [
    # Without the secret of the mail it is nobody's, whoever asks.
    public("accounts:invitation", get=STRANGE, post=STRANGE, keys=INVITATION),
    public("accounts:invited", get=FOUND, keys=INVITATION | {"token": "guessed"}),
    # A stranger is a practice manager too, and looks after people of another practice.
    looks_after("accounts:people", (OK, ONLY_GET), anywhere=True),
    looks_after("accounts:invite", (OK, INCOMPLETE), anywhere=True),
    looks_after("accounts:invite_many", (OK, INCOMPLETE), anywhere=True),
    looks_after("accounts:rejected_invitations", (ONLY_GET, FOUND), anywhere=True),
    looks_after("accounts:person", (OK, ONLY_GET), keys=PERSON),
    looks_after("accounts:deputy", (OK, INCOMPLETE), keys=ROLE),
    looks_after("tracking:leave", (OK, FOUND), keys=ROLE),
    looks_after("accounts:send_again", (ONLY_GET, FOUND), keys=INVITATION),
    looks_after("accounts:withdraw_invitation", (ONLY_GET, FOUND), keys=INVITATION),
    desk("accounts:give_role", "administrator", post=INCOMPLETE, keys=PERSON),
    desk("accounts:close", "administrator", get=ONLY_GET, post=FOUND, keys=PERSON),
    desk("accounts:open", "administrator", get=ONLY_GET, post=FOUND, keys=PERSON),
    desk("accounts:view_as", "administrator", get=ONLY_GET, post=FOUND, keys=PERSON),
    desk("accounts:stop_viewing", "administrator", get=ONLY_GET, post=FOUND),
]

PORTFOLIO = [
    # Everybody has a home; who has no place in it is told whom to ask.
    Address("home", (FOUND, ONLY_GET), (FOUND, ONLY_GET), (OK, ONLY_GET)),
    desk("portfolio:dashboard", "project_manager"),
    desk("portfolio:export", "project_manager"),
]

ADDRESSES = [*ACCOUNT, *SERVICE, *PLANS, *DIRECTORY, *TRACKING, *PEOPLE, *PORTFOLIO]


def make_world() -> dict[str, Any]:
    """One migration in cut-over with something of everything, and whoever asks."""
    practice = make_practice()
    migration = make_migration(practice=practice)
    manager = make_person(Role.PRACTICE_MANAGER, practice)
    staff = make_person(Role.PRACTICE_STAFF, practice)
    administrator = make_person(Role.ADMINISTRATOR)
    boss = migration.project_manager
    for key, when in (
        ("KO", Moment.of_day(MONDAY.date())),
        ("FDP", Moment.of_instant(MONDAY)),
    ):
        services.record_actual(migration=migration, key=key, when=when, by=boss, at=MONDAY)
    services.record_bypass(gate=migration.gates.get(), reason="No time.", by=boss, at=MONDAY)
    task = migration.tasks.get(code="CUT-02")
    evidence = services.add_evidence(
        task=task,
        upload=SimpleUploadedFile("receipt.txt", b"received in full"),
        by=manager,
        at=MONDAY,
    )
    note = services.add_note(task=task, body="Checked twice", by=manager, at=MONDAY)
    hidden = services.add_note(task=task, body="Of Mrs Example", by=manager, at=MONDAY)
    report = services.report_patient_data(
        migration=migration, text=hidden.text, by=manager, at=MONDAY
    )
    contact = services.add_contact(
        migration=migration,
        details=ContactDetails(role="pcse", name="Desk", telephone="01632 960999"),
        by=manager,
        at=MONDAY,
    )
    return {
        "migration": migration,
        "manager": manager,
        "project_manager": boss,
        "administrator": administrator,
        "viewer": make_person(Role.NATIONAL_VIEWER),
        "stranger": make_person(Role.PRACTICE_MANAGER, make_practice("Elsewhere")),
        "invitation": make_invitation(practice, by=manager),
        "staff": staff,
        "role": staff.memberships.get(),
        "file": evidence,
        "note": note,
        "report": report,
        "contact": contact,
        "code": practice.organisation.code,
        "version": make_plan_version(),
        "draft": make_plan_version(publish=False),
        "job": start_job(kind=IMPORT, by=administrator, at=MONDAY),
    }
