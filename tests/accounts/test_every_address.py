"""Every address of the site, asked for by four people: who they are decides what they get."""

import pytest
import time_machine
from django.conf import settings
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests.accounts.addresses import ADDRESSES, Address, make_world
from tests.factories import MONDAY


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


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker):
    """Made once: every request is rolled back by itself."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield make_world()
        transaction.set_rollback(True)


def ask(url, person, data):
    """The answers to a GET and a POST, each as if the other had not been."""
    codes = []
    for method, given in (("get", {}), ("post", data)):
        with transaction.atomic(), time_machine.travel(MONDAY, tick=False):
            client = Client()
            if person is not None:
                client.force_login(person)
            codes.append(getattr(client, method)(url, given))
            transaction.set_rollback(True)
    return codes


@pytest.mark.parametrize("address", ADDRESSES, ids=lambda address: address.name)
def test_who_gets_what(address: Address, world):
    keys = {name: text.format(**world) for name, text in address.keys.items()}
    url = reverse(address.name, kwargs=keys)
    data = {name: str(text).format(**world) for name, text in address.data.items()}
    people = {
        "anonymous": None,
        "stranger": world["stranger"],
        "without": world[address.but],
        "within": world[address.by],
    }
    answers = {who: ask(url, person, data) for who, person in people.items()}
    assert {who: tuple(a.status_code for a in got) for who, got in answers.items()} == {
        who: getattr(address, who) for who in people
    }
    if not address.open:
        for answer in answers["anonymous"]:
            assert answer.headers["Location"].startswith(reverse(settings.LOGIN_URL))
