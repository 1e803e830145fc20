"""Ticking in a real browser: in place with scripts, by page loads without."""

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore

from practices.tracking import services
from tests.factories import MONDAY

from .cast import make_cast


@pytest.fixture
def cast(live_app):
    return make_cast()


@pytest.fixture
def open_as(new_page, live_app):
    def open_as(person, **how):
        session = SessionStore()
        session[SESSION_KEY] = str(person.pk)
        session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
        session[HASH_SESSION_KEY] = person.get_session_auth_hash()
        session.save()
        page = new_page(**how)
        cookie = {"name": settings.SESSION_COOKIE_NAME, "value": session.session_key}
        page.context.add_cookies([{**cookie, "url": live_app.url}])
        return page

    return open_as


def test_a_tick_answers_in_place_and_keeps_the_keyboard_there(cast, open_as):
    page = open_as(cast.manager)
    page.goto(cast.url("phases", "go_live"))
    page.evaluate("window.samePage = true")
    row = page.locator("#task-GL-02")
    row.get_by_role("button", name="Mark as done").press("Enter")
    row.get_by_role("button", name="Undo").wait_for()
    assert "By Alice Manager" in row.inner_text()
    assert "1 of 2 done" in page.locator("#progress").inner_text()
    assert page.get_by_role("status").inner_text() == "GL-02 is done."
    focused = page.locator("#task-GL-02 a:focus")
    focused.wait_for()
    row.get_by_role("button", name="Undo Tell the help desk", exact=True).press("Enter")
    row.get_by_role("button", name="Mark as done").wait_for()
    assert "0 of 2 done" in page.locator("#progress").inner_text()
    assert page.evaluate("window.samePage")


def test_a_stale_undo_is_told_in_place(cast, open_as):
    mine, other = open_as(cast.manager), open_as(cast.project_manager)
    for page in (mine, other):
        page.goto(cast.url("phases", "go_live"))
    mine_row, other_row = mine.locator("#task-GL-02"), other.locator("#task-GL-02")
    mine_row.get_by_role("button", name="Mark as done").click()
    mine_row.get_by_role("button", name="Undo").wait_for()
    other_row.get_by_role("button", name="Mark as done").click()
    other_row.get_by_role("button", name="Undo").click()
    other_row.get_by_role("button", name="Mark as done").click()
    other_row.get_by_role("button", name="Undo").wait_for()
    mine_row.get_by_role("button", name="Undo").click()
    mine_row.locator(".nhsuk-error-message").wait_for()
    assert "it is now done, by Sam Example" in mine_row.inner_text()


def test_without_scripts_a_tick_comes_back_to_its_list_and_can_be_undone(cast, open_as):
    page = open_as(cast.manager, javascript=False, width=320, height=640)
    page.goto(cast.url("phases", "go_live") + "?show=all")
    page.locator("#task-GL-02").get_by_role("button", name="Mark as done").click()
    assert page.url.endswith("/phases/go_live/?show=all#task-GL-02")
    assert "GL-02 is done." in page.locator(".nhsuk-notification-banner").inner_text()
    page.locator(".nhsuk-notification-banner").get_by_role("link", name="Undo").click()
    page.get_by_role("button", name="Reopen task").click()
    assert "GL-02 is to do again." in page.locator(".nhsuk-notification-banner").inner_text()
    page.get_by_role("checkbox").first.check()
    page.get_by_role("button", name="Mark selected tasks as done").click()
    assert "GL-02 is done." in page.locator(".nhsuk-notification-banner").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") == 320


@pytest.mark.parametrize(("width", "folded"), [(320, True), (1280, False)])
def test_a_phone_folds_the_long_lists_of_home_and_leads_to_who_to_call(
    cast, open_as, width, folded
):
    page = open_as(cast.manager, width=width)
    page.goto(cast.url())
    go_live = page.locator("#dates").get_by_text("End of old-system access")
    assert go_live.is_visible() is not folded
    assert page.get_by_role("link", name="Who to call").is_visible() is folded
    if folded:
        page.locator("summary", has_text="Key dates").press("Enter")
        go_live.wait_for()


def test_a_long_web_address_widens_neither_its_task_nor_the_history(cast, open_as):
    address = "https://example.sharepoint.test/sites/" + "folder_with_a_long_name_" * 7
    services.add_note(
        task=cast.migration.tasks.get(code="GL-02"), body=address, by=cast.manager, at=MONDAY
    )
    page = open_as(cast.manager, width=768, height=900)
    for parts in (("tasks", "GL-02"), ("history",)):
        page.goto(cast.url(*parts))
        assert address in page.get_by_role("main").inner_text()
        assert page.evaluate("document.documentElement.scrollWidth") == 768
