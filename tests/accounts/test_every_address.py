"""Every address of the site, asked for by everybody: who they are decides what they get.

One request a cell: 16 people, by GET, by POST and by a POST of htmx.
"""

import re

import pytest
import time_machine
from django.conf import settings
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests.accounts.addresses import (
    ADDRESSES,
    FOUND,
    INBOX,
    INSIDE,
    NOBODY,
    OK,
    ONLY_GET,
    OUTSIDE,
    PORTFOLIO,
    REFUSED,
    REMINDERS,
    STRANGE,
    TRACKING,
    Address,
)
from tests.accounts.addresses import (
    PEOPLE as PEOPLE_ROWS,
)
from tests.accounts.world import make_world
from tests.factories import MONDAY

PEOPLE = sorted(INSIDE | OUTSIDE | NOBODY)
HTMX = {"HX-Request": "true"}
METHODS = {"GET": ("get", {}), "POST": ("post", {}), "htmx": ("post", HTMX)}


def names(patterns=None, space=""):
    """Every name of the resolver, with its namespace."""
    for entry in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(entry, URLResolver):
            inside = f"{space}{entry.namespace}:" if entry.namespace else space
            yield from names(entry.url_patterns, inside)
        else:
            assert isinstance(entry, URLPattern)
            yield f"{space}{entry.name}"


def test_every_address_has_a_row():
    rows = [address.name for address in ADDRESSES]
    assert len(rows) == len(set(rows)), "an address has two rows"
    listed = set(names())
    assert listed - set(rows) == set(), "without a row in tests/accounts/addresses.py"
    assert set(rows) - listed == set(), "rows of addresses that are gone"


def signed_in(person):
    client = Client()
    client.force_login(person)
    return client.cookies


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker):
    """Made once: every request is rolled back by itself."""
    with django_db_blocker.unblock(), time_machine.travel(MONDAY, tick=False), transaction.atomic():
        made = make_world()
        made["cookies"] = {who: signed_in(made[who]) for who in PEOPLE if who != "anonymous"}
        yield made
        transaction.set_rollback(True)


def ask(world, who, url, method, data=None):
    """The answer to one request, as if no other had been."""
    verb, headers = METHODS[method]
    with transaction.atomic(), time_machine.travel(MONDAY, tick=False):
        client = Client()
        if who != "anonymous":
            client.cookies.update(world["cookies"][who])
        answer = getattr(client, verb)(url, data or {} if verb == "post" else {}, headers=headers)
        transaction.set_rollback(True)
    return answer


def expected(address: Address, who: str) -> tuple[int, int]:
    if who in NOBODY:
        return address.anonymous
    if who in address.who:
        return address.within
    return address.stranger if who in OUTSIDE and not address.everybody else address.without


def filled(address: Address, world) -> tuple[str, dict[str, str]]:
    keys = {name: text.format(**world) for name, text in address.keys.items()}
    data = {name: str(text).format(**world) for name, text in address.data.items()}
    return reverse(address.name, kwargs=keys), data


def code(answer, method: str) -> int:
    """htmx is led elsewhere by a header, where a browser is by its status."""
    if method == "htmx" and "HX-Redirect" in answer.headers:
        return 302
    return answer.status_code


READ = {
    address.name
    for address in [*TRACKING, *PEOPLE_ROWS, *REMINDERS, *INBOX, *PORTFOLIO]
    if address.within[0] == OK
}
SEE_ALL = {"administrator", "viewer"}


def assert_names_nothing_of_another_practice(answer, who: str):
    """Names, texts, file names, counts: nothing of the other side on any page or in any file."""
    if who in INSIDE - SEE_ALL:
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        assert b"Quillon" not in body, who
        assert "Quillon" not in answer.headers.get("Content-Disposition", "")
    if who in OUTSIDE and answer.status_code != OK:
        assert b"Applebee" not in answer.content, who


@pytest.mark.parametrize("address", ADDRESSES, ids=lambda address: address.name)
def test_who_gets_what_and_nothing_of_another_practice(address: Address, world, record_property):
    url, data = filled(address, world)
    got, wanted = {}, {}
    for who in PEOPLE:
        get, post = expected(address, who)
        htmx = post
        if who in address.who and address.htmx:
            htmx = address.htmx
        wanted[who] = (get, post, htmx)
        answers = [ask(world, who, url, method, data) for method in METHODS]
        got[who] = tuple(map(code, answers, METHODS))
        if address.name in READ:
            assert_names_nothing_of_another_practice(answers[0], who)
        if who in NOBODY and not address.open:
            for answer in answers:
                way = answer.headers.get("Location") or answer.headers["HX-Redirect"]
                assert way.startswith(reverse(settings.LOGIN_URL))
    assert got == wanted
    record_property("requests", len(PEOPLE) * len(METHODS))


OF_A_MIGRATION = ("file", "note", "report", "contact", "invitation", "item")
NESTED = [address for address in ADDRESSES if "reference" in address.keys and "pk" in address.keys]


@pytest.mark.parametrize("address", NESTED, ids=lambda address: address.name)
def test_what_belongs_to_another_migration_is_not_found_under_ones_own(address: Address, world):
    theirs = {
        **world,
        **{key: world["other"][key] for key in OF_A_MIGRATION},
    }
    url, data = filled(address, {**theirs, "migration": world["migration"]})
    for who in sorted(INSIDE):
        for method in METHODS:
            answer = ask(world, who, url, method, data)
            allowed = {STRANGE, ONLY_GET} | ({REFUSED} if who not in address.who else set())
            assert answer.status_code in allowed, (who, method)
            assert "Quillon" not in answer.content.decode()


METHOD_NOT_ALLOWED = [
    (address, method)
    for address in ADDRESSES
    for method, code in zip(("GET", "POST"), address.within, strict=True)
    if code == ONLY_GET and not address.name.startswith("health")
]


@pytest.mark.parametrize(
    ("address", "method"),
    METHOD_NOT_ALLOWED,
    ids=[f"{method} {address.name}" for address, method in METHOD_NOT_ALLOWED],
)
def test_what_an_address_does_not_take_leads_to_the_page_it_belongs_to(
    address: Address, method, world
):
    """On a page of the site, never the browser's own; htmx is left alone, it shows a notice."""
    url, data = filled(address, world)
    who = min(address.who) if address.who else "anonymous"
    answer = ask(world, who, url, method, data)
    page = answer.content.decode()
    assert answer.status_code == ONLY_GET
    assert ("GET" if method == "POST" else "POST") in answer.headers["Allow"]
    assert "nhsuk-header" in page
    [way] = re.findall(r'href="([^"]*)">Go to the (?:home|page it belongs to)', page)
    assert url.startswith(way)
    above = ask(world, who, way, "GET")
    assert above.status_code in (OK, FOUND)
    assert "Content-Disposition" not in above.headers
    if method == "POST":
        assert ask(world, who, url, "htmx", data).content == b""
