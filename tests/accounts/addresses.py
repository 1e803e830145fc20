"""Who gets what at every address of the site: one row for each name of the URL resolver.

A room that adds an address adds a row here; tests/accounts/test_every_address.py fails until it
does. ``page``, ``form``, ``act`` and ``desk`` are the usual kinds of row; ``replace`` a code where
an address differs. Everybody of :func:`.world.make_world` asks, and gets one of four answers:

    within      those of ``who``, who may do this
    without     others who see the migration but may not do this
    stranger    people of other practices and organisations
    anonymous   nobody signed in; also somebody whose account has been closed

Codes are (GET, POST). ``SIGN_IN`` is the redirect of strangers to the sign-in page.
"""

from dataclasses import dataclass, field, replace
from typing import Any

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
    who: frozenset[str]
    anonymous: Codes = (SIGN_IN, SIGN_IN)
    keys: dict[str, str] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    htmx: int = 0  # what htmx gets where it differs from POST, within
    open: bool = False  # anonymous codes are the page's own, not the way to sign-in
    everybody: bool = False  # there are no strangers: those without are all others


# Who of the world sees its migration, and who has never had to do with it.
INSIDE = frozenset(
    {"manager", "deputy", "staff", "project_manager", "new_supplier", "old_supplier"}
    | {"commissioner", "viewer", "administrator"}
)
OUTSIDE = frozenset(
    {"other_manager", "other_project_manager", "other_supplier", "other_commissioner", "expired"}
)
NOBODY = frozenset({"anonymous", "disabled"})
WORKERS = INSIDE - {"viewer", "administrator"}
MANAGERS = frozenset({"manager", "deputy", "project_manager"})
SIGNERS = frozenset({"manager", "deputy"})
RUNNER = frozenset({"project_manager"})
# At addresses of no one migration a role counts wherever it is held.
PROJECT_MANAGERS = frozenset({"project_manager", "other_project_manager"})
ADMINISTRATOR = frozenset({"administrator"})
PLANNERS = PROJECT_MANAGERS | ADMINISTRATOR
# A deputy does not invite: who belongs to the practice is not decided in passing.
INSIDE_INVITERS = frozenset({"manager", "project_manager", "administrator"})
DASHBOARD = PLANNERS | {
    "new_supplier",
    "old_supplier",
    "other_supplier",
    "commissioner",
    "other_commissioner",
    "viewer",
}

MIGRATION = {"reference": "{migration.reference}"}
TASK = MIGRATION | {"code": "CUT-02"}
DATE = MIGRATION | {"key": "KO"}
GATE = MIGRATION | {"key": "go_live_data"}
VERSION = {"slug": "{version.plan.slug}", "number": "{version.number}"}
DRAFT = {"slug": "{draft.plan.slug}", "number": "{draft.number}"}


def page(name: str, keys: dict[str, str] | None = None, **more: Any) -> Address:
    """A page of a migration that everybody who sees the migration may read."""
    reads = (OK, ONLY_GET)
    return Address(name, reads, reads, (STRANGE, ONLY_GET), INSIDE, keys=keys or MIGRATION, **more)


def form(
    name: str,
    keys: dict[str, str],
    post: int = INCOMPLETE,
    who: frozenset[str] = MANAGERS,
    **more: Any,
) -> Address:
    """A form about a migration, posted with ``data`` (nothing, unless said)."""
    no = (REFUSED, REFUSED)
    return Address(name, (OK, post), no, (STRANGE, STRANGE), who, keys=keys, **more)


def act(
    name: str,
    keys: dict[str, str],
    post: int = FOUND,
    who: frozenset[str] = MANAGERS,
    **more: Any,
) -> Address:
    """A button: a POST that acts and leads back."""
    no, strange = (ONLY_GET, REFUSED), (ONLY_GET, STRANGE)
    return Address(name, (ONLY_GET, post), no, strange, who, keys=keys, **more)


def report(name: str, pk: str) -> Address:
    """Patient data in something: everybody who sees the migration may say so."""
    may = (OK, FOUND)
    return Address(name, may, may, (STRANGE, STRANGE), INSIDE, keys=MIGRATION | {"pk": pk})


def desk(
    name: str, who: frozenset[str], get: int = OK, post: int = ONLY_GET, **more: Any
) -> Address:
    """A page of no one migration, for those with a permission; a stranger lacks it as well."""
    refused = (
        ONLY_GET if get == ONLY_GET else REFUSED,
        ONLY_GET if post == ONLY_GET else REFUSED,
    )
    return Address(name, (get, post), refused, refused, who, everybody=True, **more)


def looks_after(name: str, keys: dict[str, str], get: int = OK, post: int = FOUND) -> Address:
    """About somebody of the practice, for those who look after them: nobody else finds it."""
    strange = (
        ONLY_GET if get == ONLY_GET else STRANGE,
        ONLY_GET if post == ONLY_GET else STRANGE,
    )
    who = frozenset({"manager", "administrator"})
    return Address(name, (get, post), strange, strange, who, keys=keys)


def public(name: str, get: int = OK, post: int = ONLY_GET, **more: Any) -> Address:
    """A page that is the same for everybody, signed in or not."""
    both = (get, post)
    return Address(name, both, both, both, INSIDE, both, open=True, **more)


def account(name: str, anonymous: Codes, signed_in: Codes, **more: Any) -> Address:
    """A sign-in page of allauth: what it answers depends only on whether somebody is signed in."""
    return Address(name, signed_in, signed_in, signed_in, INSIDE, anonymous, open=True, **more)


READ = (OK, ONLY_GET)

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
    public("health_of_reminders", get=503),  # nothing has ever been planned in this world
    public("accessibility"),
    public("privacy"),
    public("cookies"),
    public("dev_mail", post=OK),
    public("dev_mail_message", get=STRANGE, post=STRANGE, keys={"name": "nothing"}),
]

HOLIDAYS = [
    desk("holidays", ADMINISTRATOR, post=INCOMPLETE),
    desk(
        "remove_holiday",
        ADMINISTRATOR,
        get=ONLY_GET,
        post=FOUND,
        keys={"year": "2027", "month": "5", "day": "3"},
    ),
]

PLANS = [
    desk("plans:plans", PLANNERS),
    desk("plans:version", PLANNERS, keys=VERSION),
    desk("plans:export", PLANNERS, keys=VERSION),
    desk("plans:preview", PLANNERS, keys=VERSION),
    desk("plans:check", PLANNERS, keys=VERSION),
    desk("plans:upload", ADMINISTRATOR, post=INCOMPLETE),
    desk("plans:schema", PLANNERS),
    desk("plans:export_workbook", PLANNERS, keys=VERSION),
    desk("plans:import", ADMINISTRATOR, post=INCOMPLETE, keys={"slug": "{version.plan.slug}"}),
    desk("plans:publish", ADMINISTRATOR, post=STALE, keys=DRAFT),
    desk("plans:retire", ADMINISTRATOR, post=FOUND, keys=VERSION),
    desk("plans:discard", ADMINISTRATOR, post=STALE, keys=DRAFT),
    desk("plans:new", ADMINISTRATOR, post=INCOMPLETE),
    desk("plans:start_draft", ADMINISTRATOR, get=ONLY_GET, post=FOUND, keys=VERSION),
]

SLUG = {"slug": "{draft.plan.slug}"}
KEY_DATES = SLUG | {"kind": "key-dates"}
FDP = KEY_DATES | {"key": "FDP"}
PHASE = SLUG | {"key": "cut_over"}
WORKBENCH = [
    desk("plans:draft", ADMINISTRATOR, keys=SLUG),
    desk("plans:draft_details", ADMINISTRATOR, post=INCOMPLETE, keys=SLUG),
    desk("plans:draft_changes", ADMINISTRATOR, keys=SLUG),
    desk(
        "plans:draft_take_back",
        ADMINISTRATOR,
        get=ONLY_GET,
        post=FOUND,
        keys=SLUG | {"number": "1"},
    ),
    desk("plans:draft_go_live", ADMINISTRATOR, post=INCOMPLETE, keys=SLUG),
    desk("plans:draft_parts", ADMINISTRATOR, keys=KEY_DATES),
    desk("plans:draft_add", ADMINISTRATOR, post=INCOMPLETE, keys=KEY_DATES),
    desk("plans:draft_due", ADMINISTRATOR, keys=KEY_DATES),
    desk("plans:draft_edit", ADMINISTRATOR, post=INCOMPLETE, keys=FDP),
    desk("plans:draft_remove", ADMINISTRATOR, post=FOUND, keys=FDP),
    desk("plans:draft_move", ADMINISTRATOR, get=ONLY_GET, post=FOUND, keys=FDP),
    desk("plans:draft_tasks", ADMINISTRATOR, post=INCOMPLETE, keys=PHASE),
    desk("plans:draft_merge", ADMINISTRATOR, post=INCOMPLETE, keys=PHASE),
    desk("plans:draft_lessons", ADMINISTRATOR, keys=SLUG),
    desk("plans:draft_lessons_of", ADMINISTRATOR, keys=PHASE | {"kind": "phases"}),
    desk(
        "plans:draft_adopt",
        ADMINISTRATOR,
        get=ONLY_GET,
        post=FOUND,
        keys=PHASE | {"kind": "phases"},
    ),
]

DIRECTORY = [
    desk("directory:practices", PLANNERS),
    desk("directory:find", PLANNERS),
    desk("directory:practice", PLANNERS, keys={"code": "{code}"}),
    desk("directory:import", ADMINISTRATOR, post=INCOMPLETE),
    desk("directory:import_job", ADMINISTRATOR, keys={"job_id": "{job.pk}"}),
    desk("directory:rejected", ADMINISTRATOR, get=STRANGE, keys={"job_id": "{job.pk}"}),
]

TRACKING = [
    # Without a practice it leads to finding one.
    desk("tracking:start", PLANNERS, get=FOUND, post=FOUND),
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
    page("tracking:conditions"),
    form("tracking:answer", MIGRATION | {"key": "dispensing"}),
    page("tracking:evidence_file", TASK | {"pk": "{file.pk}"}),
    act("tracking:tick", TASK, htmx=OK),
    form("tracking:reopen", TASK, data={"reason": "", "version": ""}),
    form("tracking:set_aside", TASK),
    form("tracking:block", TASK),
    form("tracking:assign", TASK),
    form("tracking:due", TASK),
    act("tracking:note", TASK, post=INCOMPLETE, who=WORKERS),
    act("tracking:evidence", TASK, post=INCOMPLETE),
    act("tracking:evidence_remove", TASK | {"pk": "{file.pk}"}),
    act(
        "tracking:tick_several",
        MIGRATION | {"key": "cut_over"},
        post=INCOMPLETE,
        who=WORKERS,
    ),
    form("tracking:add_task", MIGRATION | {"key": "cut_over"}),
    form("tracking:replan", MIGRATION | {"key": "GL"}, who=RUNNER),
    form("tracking:record", DATE),
    form("tracking:clear_date", DATE),
    form("tracking:sign", GATE | {"seat": "practice"}, post=STALE, who=SIGNERS),
    form("tracking:withdraw", GATE, who=SIGNERS),
    form("tracking:bypass", GATE, who=RUNNER),
    # The project manager recorded it, and nobody confirms their own.
    form("tracking:confirm_bypass", GATE, who=SIGNERS | {"commissioner"}),
    form("tracking:project_manager", MIGRATION, who=RUNNER | ADMINISTRATOR),
    form("tracking:invite", MIGRATION, who=INSIDE_INVITERS),
    act("tracking:send_again", MIGRATION | {"pk": "{invitation.pk}"}, who=INSIDE_INVITERS),
    act("tracking:withdraw_invitation", MIGRATION | {"pk": "{invitation.pk}"}, who=INSIDE_INVITERS),
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
        who=RUNNER,
    ),
    act("tracking:redact", MIGRATION | {"pk": "{report.pk}"}, who=RUNNER),
    act("tracking:restore", MIGRATION | {"pk": "{report.pk}"}, who=RUNNER),
    # Nothing ran over and nothing is read in the old system yet: there is nothing to say of it.
    *(
        replace(form(name, keys, who=who), within=(STRANGE, STRANGE))
        for name, keys, who in (
            ("tracking:explain_breach", MIGRATION | {"key": "cut_over"}, MANAGERS),
            ("tracking:extend_access", MIGRATION, RUNNER),
            ("tracking:check_access", MIGRATION, MANAGERS),
        )
    ),
    # The plan of this world has no newer version, and the page says so.
    form("tracking:upgrade", MIGRATION, post=OK, who=RUNNER | ADMINISTRATOR),
    act("tracking:undo_upgrade", MIGRATION | {"pk": "{item.pk}"}, who=RUNNER | ADMINISTRATOR),
    form("tracking:abort_cut_over", MIGRATION, who=RUNNER),
    form("tracking:cancel", MIGRATION, who=RUNNER),
    form("tracking:delete", MIGRATION, who=RUNNER),
    form("tracking:finish", MIGRATION, who=RUNNER),
]

INVITATION = {"pk": "{invitation.pk}"}
PERSON = {"pk": "{staff.pk}"}
ROLE = {"pk": "{role.pk}"}
# A deputy is none of them: who belongs to the practice is not decided in passing.
INVITERS = PLANNERS | {"manager", "other_manager"}
PEOPLE = [
    # Without the secret of the mail it is nobody's, whoever asks.
    public("accounts:invitation", get=STRANGE, post=STRANGE, keys=INVITATION),
    public("accounts:invited", get=FOUND, keys=INVITATION | {"token": "guessed"}),
    Address("accounts:own", READ, READ, READ, INSIDE),
    desk("accounts:people", INVITERS),
    desk("accounts:invite", INVITERS, post=INCOMPLETE),
    desk("accounts:invite_many", INVITERS, post=INCOMPLETE),
    desk("accounts:rejected_invitations", INVITERS, get=ONLY_GET, post=FOUND),
    looks_after("accounts:person", PERSON, post=ONLY_GET),
    looks_after("accounts:deputy", ROLE, post=INCOMPLETE),
    looks_after("tracking:leave", ROLE),
    looks_after("accounts:send_again", INVITATION, get=ONLY_GET),
    looks_after("accounts:withdraw_invitation", INVITATION, get=ONLY_GET),
    desk("accounts:give_role", ADMINISTRATOR, post=INCOMPLETE, keys=PERSON),
    desk("accounts:close", ADMINISTRATOR, get=ONLY_GET, post=FOUND, keys=PERSON),
    desk("accounts:open", ADMINISTRATOR, get=ONLY_GET, post=FOUND, keys=PERSON),
    desk("accounts:view_as", ADMINISTRATOR, get=ONLY_GET, post=FOUND, keys=PERSON),
    desk("accounts:stop_viewing", ADMINISTRATOR, get=ONLY_GET, post=FOUND),
]


def of_run(name: str, codes: Codes, **keys: str) -> Address:
    """About a run of upgrades: for whoever asked for it and for administrators, nobody else's."""
    strange = (ONLY_GET if codes[0] == ONLY_GET else STRANGE,) + (
        (ONLY_GET,) if codes[1] == ONLY_GET else (STRANGE,)
    )
    who = RUNNER | ADMINISTRATOR
    return Address(name, codes, strange, strange, who, keys={"pk": "{run.pk}", **keys})


PORTFOLIO = [
    # Everybody has a home; who has no place in it is told whom to ask.
    Address(
        "home",
        (FOUND, ONLY_GET),
        (OK, ONLY_GET),
        (OK, ONLY_GET),
        who=(INSIDE | OUTSIDE) - {"expired", "administrator"},
    ),
    # Everybody who signs in has it; whoever has no task reads that there is none.
    Address("your_tasks", READ, READ, READ, who=INSIDE),
    desk("portfolio:dashboard", DASHBOARD),
    desk("portfolio:export", DASHBOARD),
    desk("portfolio:upgrades", PLANNERS, keys=VERSION),
    # Nothing is chosen, so it leads back.
    desk("portfolio:check_upgrades", PLANNERS, get=FOUND, keys=VERSION),
    desk("portfolio:start_upgrades", PLANNERS, get=ONLY_GET, post=FOUND, keys=VERSION),
    of_run("portfolio:upgrade_run", READ),
    of_run("portfolio:upgrade_report", READ),
    of_run("portfolio:go_on_upgrades", (ONLY_GET, FOUND)),
    of_run("portfolio:undo_upgrades", (ONLY_GET, FOUND)),
    of_run("portfolio:undo_upgrade", (ONLY_GET, FOUND), item="{item.pk}"),
]

READS_OWN = (OK, ONLY_GET)
REMINDERS = [
    # Without the secret of a link it is nobody's, whoever asks.
    public("reminders:calendar_feed", get=STRANGE),
    Address("reminders:calendar", READS_OWN, READS_OWN, READS_OWN, who=INSIDE),
    Address("reminders:make_calendar", (ONLY_GET, OK), (ONLY_GET, OK), (ONLY_GET, OK), who=INSIDE),
    Address(
        "reminders:revoke_calendar",
        (ONLY_GET, FOUND),
        (ONLY_GET, FOUND),
        (ONLY_GET, FOUND),
        who=INSIDE,
    ),
    page("reminders:migration_calendar"),
    act("reminders:make_migration_calendar", MIGRATION, post=OK, who=INSIDE),
    act("reminders:revoke_migration_calendar", MIGRATION, who=INSIDE),
    desk("reminders:delivery", PLANNERS),
    # Who looks after no mail of the migration finds none.
    Address(
        "reminders:resend",
        (ONLY_GET, FOUND),
        (ONLY_GET, STRANGE),
        (ONLY_GET, STRANGE),
        who=RUNNER | ADMINISTRATOR,
        keys={"pk": "{mail.pk}"},
    ),
]

SIGNED_IN = INSIDE | OUTSIDE
INBOX = [
    desk("reminders:inbox", SIGNED_IN),
    # What somebody was told is theirs alone.
    Address(
        "reminders:read",
        (FOUND, ONLY_GET),
        (STRANGE, ONLY_GET),
        (STRANGE, ONLY_GET),
        frozenset({"manager"}),
        keys={"pk": "{notice.pk}"},
    ),
    desk("reminders:read_all", SIGNED_IN, get=ONLY_GET, post=FOUND),
    desk("reminders:preferences", SIGNED_IN, post=INCOMPLETE),
    form("reminders:mute", MIGRATION, who=RUNNER),
    act("reminders:lift_mute", MIGRATION, who=RUNNER),
]

ADDRESSES = [
    *ACCOUNT,
    *SERVICE,
    *HOLIDAYS,
    *PLANS,
    *WORKBENCH,
    *DIRECTORY,
    *TRACKING,
    *PEOPLE,
    *REMINDERS,
    *INBOX,
    *PORTFOLIO,
]
