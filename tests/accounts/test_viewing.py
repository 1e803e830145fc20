"""An administrator sees pages as somebody else does: only looking, and written down."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from practices.accounts.roles import Role
from practices.common.models import Event
from practices.tracking.models import Task
from tests.factories import MONDAY, make_invitation, make_person
from tests.tracking.cast import make_cast

pytestmark = pytest.mark.django_db

BANNER = (
    "You are looking at this as <b>Alice Manager</b> (Practice manager). Nothing can be changed. "
    "Forms and buttons that change something are switched off."
)
SENTENCE = "You are looking at this as Alice Manager (Practice manager). Nothing can be changed."
STOP = "/people/view-as/stop/"


@pytest.fixture
def cast():
    cast = make_cast()
    cast.manager  # noqa: B018 - made
    return cast


@pytest.fixture
def ada():
    return make_person(Role.ADMINISTRATOR, name="Ada Admin")


@pytest.fixture
def monday():
    with time_machine.travel(MONDAY, tick=False) as travel:
        yield travel


@pytest.fixture
def client(cast, ada, monday):
    """An administrator's browser, looking as the practice manager."""
    client = Client()
    client.force_login(ada)
    assert client.post(f"/people/{cast.manager.pk}/view-as/").status_code == 302
    return client


def text(answer):
    return " ".join(answer.content.decode().split())


def events():
    found = Event.objects.of("site").filter(kind__startswith="viewing").order_by("seq")
    return [(event.kind, event.by.name, event.subject) for event in found]


def test_every_page_is_theirs_and_says_so(client, cast):
    for url in (cast.url(), cast.url("tasks"), "/people/"):
        page = text(client.get(url))
        assert BANNER in page
        assert "Stop looking as somebody else" in page
        assert "Ada Admin" in page
    assert "/plans/" not in text(client.get(cast.url()))
    assert client.get("/plans/").status_code == 403


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nothing_can_be_changed(client, cast, method, headers):
    answer = getattr(client, method)(cast.url("tasks", "CUT-02", "tick"), headers=headers)
    assert answer.status_code == 403
    assert SENTENCE in text(answer)
    assert not Task.objects.filter(state="done").exists()


@pytest.mark.parametrize(
    "path", ["/accounts/password/change/", "/accounts/logout/", "/accounts/login/"]
)
def test_account_pages_are_not_reachable(client, path):
    assert client.get(path).status_code == 403
    assert client.post(path).status_code == 403


def test_stopping_leads_back_and_both_are_events(client, cast, ada):
    answer = client.post(STOP, follow=True)
    assert BANNER not in text(answer)
    assert client.get("/plans/").status_code == 200
    subject = f"person:{cast.manager.pk}"
    assert events() == [
        ("viewing.started", "Ada Admin", subject),
        ("viewing.stopped", "Ada Admin", subject),
    ]
    assert client.post(STOP).status_code == 302
    assert len(events()) == 2


def test_it_ends_after_30_minutes_and_what_was_sent_is_not_done_as_oneself(client, cast, monday):
    monday.shift(timedelta(minutes=29, seconds=59))
    assert BANNER in text(client.get(cast.url()))
    monday.shift(timedelta(seconds=1))
    answer = client.post(cast.url("cancel"), {"reason": "No"})
    assert answer.status_code == 403
    assert "that has ended" in text(answer)
    assert events()[-1][0] == "viewing.stopped"
    assert client.get("/plans/").status_code == 200


def test_it_ends_with_the_administrators_right(client, ada, cast):
    make_person(Role.ADMINISTRATOR)
    ada.memberships.update(valid_to=MONDAY.date())
    assert client.get(cast.url()).status_code == 302
    assert client.get(cast.url()).status_code == 404


def test_never_as_another_administrator_nor_as_oneself(ada, monday):
    client = Client()
    client.force_login(ada)
    closed = make_person(Role.CLINICIAN, is_active=False)
    for person in (make_person(Role.ADMINISTRATOR), ada, closed):
        page = text(client.post(f"/people/{person.pk}/view-as/", follow=True))
        assert "You cannot look at pages as" in page
    assert events() == []


def test_only_administrators_may(cast, monday):
    client = Client()
    client.force_login(cast.project_manager)
    assert client.post(f"/people/{cast.manager.pk}/view-as/").status_code == 403


def post_forms(answer):
    """Each form of a page that sends something, but for the one that stops looking."""
    forms = re.findall(r'<form[^>]*method="post".*?</form>', answer.content.decode(), re.DOTALL)
    return [form for form in forms if STOP not in form]


def test_every_form_that_changes_something_is_switched_off(client, cast):
    pages = [cast.url(), cast.url("tasks", "CUT-02"), cast.url("dates", "KO", "record")]
    pages += ["/people/invite/", cast.url("sign-off", "go_live_data", "sign", "practice")]
    make_invitation(cast.migration.practice)
    pages.append("/people/")
    for url in pages[1:]:
        answer = client.get(url)
        assert answer.status_code == 200
        assert post_forms(answer), url
        for form in post_forms(answer):
            assert re.fullmatch(
                r"<form[^>]*><fieldset class=\"app-only-looking\" disabled>.*</fieldset></form>",
                form,
                re.DOTALL,
            ), url
        assert STOP in answer.content.decode()
        assert f'action="{STOP}" method="post" novalidate><fieldset' not in text(answer)
    assert "Forms and buttons that change something are switched off." in text(client.get(pages[0]))


def test_so_are_tick_boxes_that_stand_outside_their_form(client, cast):
    page = client.get(cast.url("phases", "cut_over")).content.decode()
    boxes = re.findall(r'<input[^>]* form="bulk"[^>]*>', page)
    assert boxes
    assert all(re.search(r"\sdisabled\b", box) for box in boxes)
    client.post(STOP)
    client.force_login(cast.manager)
    page = client.get(cast.url("phases", "cut_over")).content.decode()
    assert re.findall(r'<input[^>]* form="bulk"[^>]*>', page)
    assert not re.search(r'form="bulk"[^>]*\sdisabled', page)


def test_a_search_still_works(client, cast):
    page = client.get("/people/?q=Alice").content.decode()
    (search,) = re.findall(r'<form[^>]*role="search".*?</form>', page, re.DOTALL)
    assert "fieldset" not in search


def test_for_everybody_else_nothing_is_switched_off(cast, monday):
    client = Client()
    client.force_login(cast.manager)
    page = client.get(cast.url("tasks", "CUT-02")).content.decode()
    assert "app-only-looking" not in page


def test_the_log_names_who_looks_and_as_whom(client, cast, ada, caplog):
    with caplog.at_level("INFO"):
        client.get(cast.url())
    assert f"Administrator {ada.pk} looks as person {cast.manager.pk}." in caplog.text
    client.post(STOP)
    caplog.clear()
    with caplog.at_level("INFO"):
        client.get("/")
    assert "looks as" not in caplog.text
