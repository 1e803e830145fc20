"""A real browser. Every page is watched: a script error or a blocked resource fails the test."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from migration_tracker.local import browser as chromium

from .servers import ROOT
from .site import LiveApp

NewPage = Callable[..., Page]
SCREENSHOTS = ROOT / "var" / "test" / "screenshots"
# The browser's own note that a page was answered with 4xx or 5xx, which tests ask for.
EXPECTED = "Failed to load resource"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, as `make test` found or installed it."""
    path = chromium.find()
    if not path:
        pytest.fail("No Chromium or Chrome is installed. `make test` installs one.")
    # Playwright keeps an event loop in this thread, and Django would refuse to work beside it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=chromium.arguments())
        yield running
        running.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def new_page(
    browser: Browser, live_app: LiveApp, request: pytest.FixtureRequest
) -> Iterator[NewPage]:
    """Open a page as another person would: new_page(javascript=False, width=320, height=640).

    Each call has cookies of its own. Addresses may be relative to the site.
    """
    contexts = []
    faults: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(EXPECTED):
            faults.append(message.text)

    def make(*, javascript: bool = True, width: int = 1280, height: int = 900, **more: Any) -> Page:
        context = browser.new_context(
            base_url=live_app.url,
            java_script_enabled=javascript,
            viewport={"width": width, "height": height},
            locale="en-GB",
            timezone_id="Europe/London",
            **more,
        )
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", listen)
        page.on("pageerror", lambda error: faults.append(str(error)))
        return page

    yield make
    for number, context in enumerate(contexts):
        if getattr(request.node, "failed", False):
            for index, page in enumerate(context.pages):
                _photograph(page, f"{request.node.name}-{number}-{index}")
        context.close()
    assert not faults, "The browser reported:\n" + "\n".join(faults)


@pytest.fixture
def page(new_page: NewPage) -> Page:
    """A page in a desktop window with JavaScript on."""
    return new_page()


def _photograph(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    safe = "".join(character if character.isalnum() else "-" for character in name)
    page.screenshot(path=Path(SCREENSHOTS) / f"{safe}.png", full_page=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Let new_page know that its test failed, so that it keeps a picture."""
    report = yield
    if report.failed:
        item.failed = True  # type: ignore[attr-defined]
    return report
