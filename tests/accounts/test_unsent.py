"""What is sent after the session has ended is kept, shown after sign-in, and sent by a press."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.core import signing
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from migration_tracker import unsent
from practices.common.tasks import remove_ended_sessions
from practices.tracking.models import SignOff
from practices.tracking.services.gates import seen_mark, still_open
from tests.factories import make_person
from tests.tracking.cast import make_cast
from tests.tracking.steps import gate_of

pytestmark = pytest.mark.django_db

NOTE = "The pharmacist checks them on Friday.\nThen “Ann” & Bob."
ASKS = "You were signed out before this was saved"
LOST = "You were signed out, and this was not saved."
OURS = {"Origin": "http://testserver"}


@pytest.fixture
def cast():
    return make_cast()


@pytest.fixture
def address(cast):
    return reverse("tracking:note", args=[cast.migration.reference, "CUT-02"])


@pytest.fixture
def page(cast):
    return cast.url("tasks", "CUT-02")


def sign_in(client: Client, person, to: str) -> str:
    """Sign in as the page does; gives the address it leads to."""
    typed = {"login": person.email, "password": "correct horse battery", "next": to}
    # A client that checks CSRF tokens needs the one of its sign-in page.
    client.get("/accounts/login/")
    typed["csrfmiddlewaretoken"] = client.cookies["csrftoken"].value
    answer = client.post("/accounts/login/", typed, headers=OURS)
    assert answer.status_code == 302
    return answer["Location"]


def browser_of(person, **how) -> Client:
    """A browser that somebody was signed in with, before the session ended."""
    client = Client(**how)
    signer = signing.get_cookie_signer(salt=unsent.WHOSE)
    client.cookies[unsent.WHOSE] = signer.sign(str(person.pk))
    return client


@pytest.fixture
def client(cast):
    return browser_of(cast.manager)


def leave(client: Client, address: str, page: str, typed=None, **headers) -> str:
    """Send a form while nobody is signed in; gives the text of the sign-in page."""
    sender = {"Referer": f"http://testserver{page}", **headers}
    answer = client.post(address, typed or {"note": NOTE}, headers=sender, follow=True)
    assert answer.request["PATH_INFO"] == "/accounts/login/"
    return answer.content.decode()


def test_it_is_shown_after_sign_in_and_sent_by_a_press(client: Client, cast, address, page):
    sign_in_page = leave(client, address, page)
    assert f"{ASKS}. Sign in to see it and send it." in sign_in_page
    assert f'name="next" value="{address}"' in sign_in_page
    back = sign_in(client, cast.manager, address)
    assert back == address

    shown = client.get(back)
    assert shown.context["typed"] == [["note", NOTE]]
    assert "The pharmacist checks them on Friday.\nThen “Ann” &amp; Bob.</span>" in (
        shown.content.decode()
    )
    assert not cast.migration.tasks.get(code="CUT-02").notes.exists()

    answer = client.post(address, dict(shown.context["typed"]))
    assert answer["Location"].startswith(page)
    assert cast.migration.tasks.get(code="CUT-02").notes.count() == 1
    assert client.get(address).status_code == 405, "it asks no more"


def test_it_is_thrown_away_by_a_press(client: Client, cast, address, page):
    leave(client, address, page)
    sign_in(client, cast.manager, address)
    answer = client.post(address, {"app-throw-away": "1"})
    assert answer["Location"] == page
    assert not cast.migration.tasks.get(code="CUT-02").notes.exists()
    assert client.get(address).status_code == 405


def test_a_look_sends_nothing_however_often(client: Client, cast, address, page):
    leave(client, address, page)
    sign_in(client, cast.manager, address)
    for _ in range(2):
        assert ASKS in client.get(address).content.decode()
        client.head(address)
    assert ASKS not in client.get(page).content.decode()
    assert not cast.migration.tasks.get(code="CUT-02").notes.exists()


def test_two_forms_wait_side_by_side(client: Client, cast, address, page):
    other = reverse("tracking:block", args=[cast.migration.reference, "CUT-02"])
    leave(client, address, page)
    leave(client, other, other, {"reason": "No list yet"})
    sign_in(client, cast.manager, other)
    assert "No list yet" in client.get(other).content.decode()
    assert "pharmacist" in client.get(address).content.decode()


def test_a_query_of_the_address_finds_back(client: Client, cast):
    address = cast.url("tasks") + "?show=late&q=%C3%A9%20%26%2B"
    leave(client, address, address)
    back = sign_in(client, cast.manager, address)
    assert ASKS in client.get(back).content.decode()


def test_it_is_listed_in_words(client: Client, cast):
    address = reverse("tracking:record", args=[cast.migration.reference, "KO"])
    when = {"when_day": "1", "when_month": "2", "when_year": "2027", "seen_version": "", "why": "x"}
    leave(client, address, address, when | {"seen": "5-8"})
    sign_in(client, cast.manager, address)
    assert client.get(address).context["shown"] == {"When": "1, 2, 2027", "Why": "x"}


def test_a_box_is_named_without_the_prefix_of_its_form(client: Client, cast, address, page):
    leave(client, address, page, {"bulk-unit": "days"})
    assert client.get(sign_in(client, cast.manager, address)).context["shown"] == {"Unit": "days"}


def test_neither_password_nor_token_nor_file_is_kept(client: Client, cast, address, page):
    typed = {
        "csrfmiddlewaretoken": "x" * 32,
        "oldpassword": "secret",
        "Password1": "secret",
        "note": NOTE,
        "upload": SimpleUploadedFile("receipt.txt", b"bytes of it"),
    }
    leave(client, address, page, typed)
    sign_in(client, cast.manager, address)
    shown = client.get(address)
    assert shown.context["typed"] == [["note", NOTE]]
    assert "The file you chose is not kept." in shown.content.decode()


@pytest.mark.parametrize("typed", [{"note": " "}, {"note": "x" * 100_001}, {"password": "x"}])
def test_nothing_or_too_much_leads_back_to_the_form(client: Client, cast, address, page, typed):
    html = leave(client, address, page, typed)
    assert LOST in html
    assert f'name="next" value="{page}"' in html
    sign_in(client, cast.manager, page)
    assert client.get(address).status_code == 405


def test_what_one_browser_fills_is_limited_and_the_newest_stays(client: Client, cast, page):
    addresses = [cast.url("tasks", code) for code in ("CUT-02", "CUT-03", "GL-02")]
    for address in addresses:
        leave(client, address, page, {"note": "x" * 45_000})
    sign_in(client, cast.manager, page)
    waiting = [ASKS in client.get(address).content.decode() for address in addresses]
    assert waiting == [False, True, True]


def test_nobody_fills_the_database_with_forms(cast, client: Client, address, page, settings):
    settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | {"keep_unsent": "2/m/ip"}
    told = [LOST in leave(browser_of(cast.manager), address, page) for _ in range(3)]
    assert told == [False, False, True]


def test_it_is_kept_for_an_hour(client: Client, cast, address, page):
    now = timezone.now()
    with time_machine.travel(now, tick=False):
        leave(client, address, page)
        sign_in(client, cast.manager, address)
    with time_machine.travel(now + timedelta(minutes=59), tick=False):
        assert ASKS in client.get(address).content.decode()
    with time_machine.travel(now + timedelta(minutes=61), tick=False):
        assert client.get(address).status_code == 405


def test_who_never_comes_back_leaves_nothing(client: Client, address, page):
    leave(client, address, page)
    remove_ended_sessions()
    assert Session.objects.count() == 1
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        remove_ended_sessions()
    assert not Session.objects.exists()


def test_signing_in_changes_the_key_and_gives_the_usual_length(client: Client, cast, address, page):
    leave(client, address, page)
    before = client.session.session_key
    sign_in(client, cast.manager, address)
    assert client.session.session_key != before
    assert not Session.objects.filter(session_key=before).exists()
    assert client.session.get_expiry_age() > 60 * 60


def test_signing_out_forgets_it_and_the_next_person_never_sees_it(
    client: Client, cast, address, page
):
    leave(client, address, page)
    sign_in(client, cast.manager, address)
    client.post("/accounts/logout/")
    sign_in(client, cast.project_manager, address)
    assert client.get(address).status_code == 405


def test_another_browser_never_sees_it(client: Client, cast, address, page):
    leave(client, address, page)
    other = Client()
    sign_in(other, cast.manager, address)
    assert other.get(address).status_code == 405


def test_who_may_not_do_it_is_refused_when_they_send_it(client: Client, cast, address, page):
    leave(client, address, page)
    sign_in(client, make_person(), address)
    assert client.post(address, {"note": NOTE}).status_code == 404


def test_htmx_is_led_to_the_whole_sign_in_page(client: Client, cast, page):
    address = reverse("tracking:tick", args=[cast.migration.reference, "CUT-02"])
    sender = {"Referer": f"http://testserver{page}", "HX-Request": "true"}
    answer = client.post(address, {"version": "0"}, headers=sender)
    assert answer.status_code == 200
    assert answer["HX-Redirect"] == f"/accounts/login/?next={address}"
    sign_in(client, cast.manager, address)
    assert ASKS in client.get(address).content.decode()


# The token of a form is older than the last sign-in


@pytest.fixture
def strict(cast) -> Client:
    return browser_of(cast.manager, enforce_csrf_checks=True)


def test_a_stale_token_of_somebody_signed_out_is_no_loss(strict, cast, address, page):
    assert ASKS in leave(strict, address, page, **OURS)
    sign_in(strict, cast.manager, address)
    assert ASKS in strict.get(address).content.decode()
    assert strict.post(address, {"note": NOTE}, headers=OURS)["Location"] == address
    assert not cast.migration.tasks.get(code="CUT-02").notes.exists(), "the press needs its token"
    strict.get(address)
    fresh = {"note": NOTE, "csrfmiddlewaretoken": strict.cookies["csrftoken"].value}
    assert strict.post(address, fresh, headers=OURS)["Location"].startswith(page)
    assert cast.migration.tasks.get(code="CUT-02").notes.count() == 1


def test_a_stale_token_of_somebody_who_signed_in_again_is_no_loss(strict, cast, address):
    strict.force_login(cast.manager)
    answer = strict.post(address, {"note": NOTE}, headers=OURS, follow=True)
    assert ASKS in answer.content.decode()


@pytest.mark.parametrize("origin", ["https://evil.test", "null", "https://testserver", ""])
@pytest.mark.parametrize("signed_in", [True, False])
def test_nothing_from_another_site_is_kept(strict, cast, address, origin, signed_in):
    if signed_in:
        strict.force_login(cast.manager)
    headers = {"Origin": origin} if origin else {}
    answer = strict.post(address, {"note": "forged"}, headers=headers)
    assert answer.status_code == 403
    assert "Your page was too old" in answer.content.decode()
    sign_in(strict, cast.manager, address) if not signed_in else None
    assert strict.get(address).status_code == 405


def test_a_stale_token_on_the_sign_in_page_keeps_nothing(strict, cast):
    typed = {"login": cast.manager.email, "password": "correct horse battery"}
    assert strict.post("/accounts/login/", typed, headers=OURS).status_code == 403
    assert not Session.objects.exists()


def test_it_is_shown_to_nobody_else_at_that_browser(client, cast, address, page):
    leave(client, address, page)
    sign_in(client, cast.stranger, address)
    assert ASKS not in client.get(address).content.decode()
    assert client.post(address, {"note": "Theirs"}).status_code == 404
    assert not cast.migration.tasks.get(code="CUT-02").notes.exists()


def test_a_browser_of_nobody_keeps_nothing(cast, address, page):
    assert LOST in leave(Client(), address, page)


def test_signing_in_tells_the_browser_whose_it_is(cast, address, page):
    client = Client()
    sign_in(client, cast.manager, "/")
    client.get("/")
    client.cookies.pop("sessionid")
    assert f"{ASKS}. Sign in to see it and send it." in leave(client, address, page)


def test_what_could_be_an_nhs_number_is_not_kept(client, address, page):
    assert LOST in leave(client, address, page, {"note": "Rang about 943 476 5919"})
    assert not any("unsent" in row.get_decoded() for row in Session.objects.all())


def test_nothing_is_signed_without_its_statement_in_view(client, cast):
    address = cast.url("sign-off", "go_live_data", "sign", "practice")
    gate = gate_of(cast)
    items = still_open(gate)
    typed = {f"reason_{item.key}": "Done on paper" for item in items}
    typed |= {"seen": seen_mark(gate, items), "go": "sign", "name": cast.manager.name}
    leave(client, address, address, typed | {"declared": "on"})
    sign_in(client, cast.manager, address)
    shown = client.get(address)
    assert "Done on paper" in shown.content.decode()
    page = client.post(address, dict(shown.context["typed"]))
    assert page.status_code == 422
    assert gate.plan_gate.statement in page.content.decode()
    assert "Tick the declaration to sign" in page.content.decode()
    assert not SignOff.objects.exists()
    client.post(address, typed | {"declared": "on"})
    assert SignOff.objects.exists(), "with it, it is"
