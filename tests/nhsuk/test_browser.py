"""The pages as a browser shows them: accessible, on a phone too, and updated in place."""

import threading
from collections.abc import Callable, Iterator
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from django.conf import settings as site
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.wsgi import get_wsgi_application
from playwright.sync_api import Browser, Page, Route, expect

AXE = site.BASE_DIR / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDTHS = [320, 768, 1280]


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def address(settings) -> Iterator[str]:
    """The pattern pages on a server of their own; they need no database."""
    settings.ROOT_URLCONF = "tests.nhsuk.pattern"
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "whitenoise" not in name]
    application = StaticFilesHandler(get_wsgi_application())
    server = make_server("127.0.0.1", 0, application, server_class=Server, handler_class=Quiet)
    thread = threading.Thread(target=server.serve_forever, args=[0.01], daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


Opener = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, address: str) -> Iterator[Opener]:
    """open_page("/pattern/form/", javascript=True): a page of a person of its own."""
    contexts = []
    complaints: list[str] = []

    def opener(path: str, *, javascript: bool = True) -> Page:
        context = browser.new_context(
            base_url=address,
            viewport={"width": 1280, "height": 800},
            java_script_enabled=javascript,
        )
        contexts.append(context)
        context.set_default_timeout(10_000)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda message: (
                complaints.append(message.text)
                if "Content Security Policy" in message.text
                else None
            ),
        )
        page.goto(path)
        return page

    yield opener
    for context in contexts:
        context.close()
    assert not complaints


def assert_accessible(page: Page) -> None:
    page.evaluate(AXE.read_text())
    found = page.evaluate(
        "async tags => (await axe.run(document, {runOnly: {type: 'tag', values: tags}}))"
        ".violations.map(v => v.id + ': ' + v.nodes.map(n => n.html).join(' | '))",
        RULES,
    )
    assert found == []


def assert_accessible_at_every_width(page: Page) -> None:
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert_accessible(page)


@pytest.mark.parametrize(
    "path",
    [
        "/accounts/login/",
        "/accounts/password/reset/",
        "/pattern/form/",
        "/pattern/components/",
        "/pattern/400/",
        "/pattern/403/",
        "/pattern/404/",
        "/pattern/500/",
        "/accessibility/",
        "/privacy/",
        "/cookies/",
    ],
)
def test_a_page_is_accessible_and_fits_its_window(open_page: Opener, path: str):
    assert_accessible_at_every_width(open_page(path))


def test_a_form_full_of_errors_is_accessible_and_fits(open_page: Opener):
    page = open_page("/pattern/form/")
    for part, text in {"day": "31", "month": "10", "year": "2027", "time": "01:30"}.items():
        page.fill(f"#id_go_live_{part}", text)
    page.get_by_role("button", name="Save and continue").click()
    expect(page).to_have_title("Error: Every field - Migration Tracker")
    assert_accessible_at_every_width(page)


def test_the_error_summary_takes_the_focus_and_leads_to_the_fields(open_page: Opener):
    page = open_page("/pattern/form/")
    page.get_by_role("button", name="Save and continue").click()
    expect(page.locator(".nhsuk-error-summary").first).to_be_focused()
    for link, target in {
        "Enter practice name": "id_name",
        "Select target system": "id_target",
        "Select what applies": "id_options",
        "Enter planned go-live": "id_go_live_day",
        "Choose a file for evidence": "id_evidence",
    }.items():
        page.get_by_role("link", name=link).click()
        expect(page.locator(f"#{target}")).to_be_focused()


def test_the_doubled_hour_is_answered_without_javascript(open_page: Opener):
    page = open_page("/pattern/form/", javascript=False)
    for part, text in {"day": "31", "month": "10", "year": "2027", "time": "01:30"}.items():
        page.fill(f"#id_go_live_{part}", text)
    page.get_by_role("button", name="Save and continue").click()
    page.get_by_role("link", name="happens twice").click()
    page.get_by_label("Second 01:30 (GMT, after the clocks go back)").check()
    page.get_by_role("button", name="Save and continue").click()
    expect(page.get_by_text("happens twice")).to_have_count(0)
    expect(page.get_by_label("Second 01:30")).to_be_checked()


def test_a_keyboard_reaches_the_content_and_sees_where_it_is(open_page: Opener):
    page = open_page("/pattern/components/")
    page.locator("body").evaluate("body => { document.activeElement.blur(); }")
    page.keyboard.press("Tab")
    page.get_by_role("link", name="Skip to main content").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#maincontent")).to_be_focused()


def test_an_answer_comes_in_place_with_focus_and_a_word_to_those_who_listen(open_page: Opener):
    page = open_page("/pattern/htmx/")
    page.get_by_role("button", name="Done CUT-16").click()
    expect(page.get_by_text("CUT-16 is done")).to_be_focused()
    expect(page.locator("#app-status")).to_have_text("CUT-16: done")
    assert page.url.endswith("/pattern/htmx/")
    assert_accessible(page)


def test_a_stale_answer_is_shown_in_place(open_page: Opener):
    page = open_page("/pattern/htmx/")
    page.get_by_role("button", name="Stale").click()
    expect(page.get_by_text("CUT-16 is stale")).to_be_visible()
    expect(page.locator("#app-problem")).to_be_hidden()


def test_a_failure_leaves_the_page_and_says_so(open_page: Opener):
    page = open_page("/pattern/htmx/")
    page.get_by_role("button", name="Broken").click()
    expect(page.locator("#app-problem")).to_be_focused()
    expect(page.get_by_text("CUT-16 is open")).to_be_visible()
    assert_accessible(page)


def hold_up(page: Page, address: str) -> list[Route]:
    """What the page asks of an address from now on, which is not answered by itself."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(address, hold)
    return held


def test_a_page_that_takes_long_says_so(open_page: Opener):
    page = open_page("/pattern/form/")
    held = hold_up(page, "**/pattern/form/")

    def answer() -> None:
        held[0].continue_()

    page.expose_function("answer", answer)
    page.evaluate(
        "new MutationObserver(() => answer()).observe("
        "document.getElementById('app-waiting'), {childList: true})"
    )
    page.get_by_role("button", name="Save and continue").click(no_wait_after=True)
    # Playwright looks at no page that is about to be left: only what it says brings the answer.
    expect(page.get_by_role("heading", name="There is a problem")).to_be_visible()
    expect(page.locator("#app-waiting")).to_be_empty()


def test_a_piece_of_a_page_that_takes_long_says_so_too(open_page: Opener):
    page = open_page("/pattern/htmx/")
    held = hold_up(page, "**/htmx/answer/**")
    page.get_by_role("button", name="Done CUT-16").click()
    expect(page.locator("#app-waiting")).to_have_text("Working on it…")
    assert_accessible(page)
    held[0].continue_()
    expect(page.get_by_text("CUT-16 is done")).to_be_focused()
    expect(page.locator("#app-waiting")).to_be_empty()


def test_a_lost_connection_leaves_the_page_and_says_so(open_page: Opener):
    page = open_page("/pattern/htmx/")
    page.context.set_offline(True)
    page.get_by_role("button", name="Done CUT-16").click()
    expect(page.get_by_text("Nothing was changed.")).to_be_visible()


def test_an_ended_session_leads_to_signing_in_and_back(open_page: Opener):
    page = open_page("/pattern/htmx/?show=mine")
    page.get_by_role("button", name="Signed out").click()
    page.wait_for_url("**/accounts/login/?next=%2Fpattern%2Fhtmx%2F%3Fshow%3Dmine")


def test_a_refresh_takes_nobody_away_from_what_they_type(open_page: Opener):
    page = open_page("/pattern/poll/")
    page.locator("#note").press_sequentially("Rang the sup")
    expect(page.get_by_text("CUT-16 is done")).to_be_visible()
    expect(page.locator("#note")).to_be_focused()
    expect(page.locator("#note")).to_have_value("Rang the sup")


@pytest.mark.parametrize(("answer", "notice"), [("signed-out", True), ("broken", False)])
def test_a_refresh_that_fails_leaves_the_page_alone(open_page: Opener, answer: str, notice: bool):
    page = open_page(f"/pattern/poll/?answer={answer}")
    page.locator("#note").press_sequentially("Rang the sup")
    with page.expect_response("**/htmx/answer/**"):
        pass
    with page.expect_response("**/htmx/answer/**"):
        pass
    expect(page.get_by_text("You have been signed out.")).to_be_visible(visible=notice)
    expect(page.locator("#app-problem")).to_be_hidden()
    expect(page.locator("#note")).to_be_focused()
    assert page.url.endswith(f"/pattern/poll/?answer={answer}")
    if notice:
        assert_accessible(page)


def test_the_same_button_works_without_javascript(open_page: Opener):
    page = open_page("/pattern/htmx/", javascript=False)
    page.get_by_role("button", name="Done CUT-16").click()
    expect(page.get_by_text("CUT-16 is done")).to_be_visible()


def test_paper_shows_folded_text_and_no_buttons(open_page: Opener):
    page = open_page("/pattern/components/")
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(page.get_by_text("Because.")).to_be_visible()
    expect(page.get_by_text("As at ")).to_be_visible()
    expect(page.get_by_text("Signature")).to_be_visible()
    for hidden in ("Done CUT-16", "Sign out", "Begin cut-over"):
        expect(page.get_by_text(hidden, exact=False).first).to_be_hidden()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen")
    expect(page.get_by_text("Because.")).to_be_hidden()
