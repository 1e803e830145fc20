"""What every answer of the site carries."""

import io
import logging

import pytest
from django.test import Client
from django.urls import reverse

from migration_tracker.middleware import RequestIdFilter, current_request_id
from practices.accounts.roles import Role
from tests.factories import make_person
from tests.tracking.cast import make_cast

pytestmark = pytest.mark.django_db


def test_the_health_page_needs_no_account_and_is_never_cached(client: Client):
    answer = client.get("/healthz/")
    assert answer.content == b"ok\n"
    assert "no-store" in answer["Cache-Control"]


def test_the_policy_lets_nothing_in_from_elsewhere_and_nothing_inline(client: Client):
    policy = client.get("/accounts/login/")["Content-Security-Policy"]
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == "'self'"
    assert directives["style-src"] == "'self'"
    assert directives["frame-ancestors"] == "'none'"
    assert "unsafe" not in policy


def test_pages_of_signed_in_people_are_kept_by_nobody(client: Client):
    assert "no-store" not in client.get("/privacy/").get("Cache-Control", "")
    client.force_login(make_person())
    assert "no-store" in client.get("/privacy/")["Cache-Control"]


def test_what_an_address_does_not_take_is_said_on_a_page_to_the_signed_out_too(client: Client):
    answer = client.post("/privacy/")
    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD, OPTIONS")
    assert '<a class="nhsuk-link" href="/privacy/">' in answer.content.decode()
    assert client.post("/privacy/", headers={"HX-Request": "true"}).content == b""


@pytest.mark.parametrize(
    ("page", "back_to"),
    [
        ("http://testserver/directory/practices/?q=elm", "/directory/practices/%3Fq%3Delm"),
        ("https://evil.test/accounts/", "/"),
        ("http://testserver//evil.test/", "/"),
        ("", "/"),
    ],
)
def test_a_form_sent_after_the_session_ended_leads_back_to_its_page(client, page, back_to):
    answer = client.post("/directory/import/", headers={"Referer": page}, follow=True)
    [(address, _)] = answer.redirect_chain
    assert address == f"/accounts/login/?next={back_to}"
    assert "You were signed out, and this was not saved." in answer.content.decode()


def test_a_request_id_joins_answer_and_log(client: Client, caplog: pytest.LogCaptureFixture):
    caplog.handler.addFilter(RequestIdFilter())
    with caplog.at_level(logging.WARNING):
        answer = client.get("/no-such-page/")
    assert answer["X-Request-ID"] == current_request_id.get()
    assert [r for r in caplog.records if getattr(r, "request_id", "") == answer["X-Request-ID"]]


def test_a_refusal_is_one_line_of_the_log(client: Client, monkeypatch: pytest.MonkeyPatch):
    [handler] = [one for one in logging.getLogger().handlers if one.name == "stderr"]
    log = io.StringIO()
    monkeypatch.setattr(handler, "stream", log)
    client.force_login(make_person())
    assert client.get("/portfolio/").status_code == 403
    [line] = log.getvalue().splitlines()
    assert line.endswith("Forbidden (Permission denied): /portfolio/")


@pytest.mark.parametrize(
    ("given", "kept"), [("abcdef-123456", True), ("x", False), ("bad\tid-here", False)]
)
def test_only_a_plain_id_of_a_proxy_is_kept(client: Client, given, kept):
    answer = client.get("/healthz/", headers={"X-Request-ID": given})
    assert (answer["X-Request-ID"] == given) is kept


def test_kept_mail_is_shown_without_running_its_markup(client: Client, settings, tmp_path):
    settings.DEV_MAIL_DIR = str(tmp_path)
    assert "There is no mail yet" in client.get("/dev/mail/").content.decode()
    (tmp_path / "20260206T183000-1.eml").write_bytes(
        b"To: pm@example.test\r\nSubject: Cut-over: 24 hours left\r\n"
        b'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="b"\r\n\r\n'
        b"--b\r\nContent-Type: text/plain\r\n\r\nPlain words\r\n"
        b"--b\r\nContent-Type: text/html\r\n\r\n"
        b"<style>x{}</style><p>Rich words</p><script>alert(1)</script>"
        b'<a href="https://example.test/x">Look</a><a href="javascript:alert(1)">No</a>'
        b"\r\n--b--\r\n"
    )
    assert "Cut-over: 24 hours left" in client.get("/dev/mail/").content.decode()
    page = client.get("/dev/mail/20260206T183000-1/").content.decode()
    assert "Plain words" in page
    assert "Rich words" in page
    assert "https://example.test/x" in page
    assert "alert(1)" not in page
    assert client.get("/dev/mail/..%2Fsecrets/").status_code == 404


@pytest.mark.parametrize(
    "page", ["tasks/%00/", "phases/%00/", "dates/%00/record/", "sign-off/%00/", "?page=%00"]
)
def test_a_nul_in_an_address_finds_nothing(client: Client, page):
    cast = make_cast()
    client.force_login(cast.manager)
    answer = client.get(cast.url() + page)
    assert answer.status_code == (200 if page.startswith("?") else 404)


def test_a_nul_in_the_address_of_a_practice_finds_nothing(client: Client):
    client.force_login(make_person(Role.ADMINISTRATOR))
    assert client.get("/directory/practices/%00/").status_code == 404


@pytest.mark.parametrize("query", ["show", "page", "q", "sort", "practice", "phase", "next"])
def test_a_nul_in_a_query_never_fails(client: Client, query):
    cast = make_cast()
    client.force_login(make_person(Role.ADMINISTRATOR))
    pages = [cast.url("tasks"), cast.url("history"), cast.url("phases", "go_live")]
    pages += ["/directory/practices/", "/directory/practices/find/", "/portfolio/"]
    pages += [cast.url("tasks", "GL-02"), reverse("tracking:start")]
    for page in pages:
        assert client.get(f"{page}?{query}=%00").status_code < 500
