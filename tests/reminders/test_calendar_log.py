"""The secret of a calendar link stays out of every log."""

import urllib.error
import urllib.request
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from practices.reminders import links
from tests.factories import MONDAY

from .worlds import World

FEED = "/calendar/feed.ics"


@pytest.mark.committed
def test_no_log_of_a_real_web_server_has_the_token(committed_db, live_app):
    world = World()
    token = links.make_link(migration=None, seen=None, by=world.manager, at=MONDAY)
    for secret, status in ((token, 200), (token[:-1] + "!", 404)):
        assert fetched(f"{live_app.url}{FEED}?link={secret}") == status
    log = live_app.log.read_text()
    assert FEED in log
    assert token[:-1] not in log


@pytest.mark.committed
def test_no_address_writes_a_line_of_its_own_into_the_log(committed_db, live_app):
    connection = HTTPConnection(urlsplit(live_app.url).netloc, timeout=20)
    # The second on one connection is answered when the first is in the log.
    for address in ("/no%0d%0aGET%20/forged%00", "/next"):
        connection.request("GET", address)
        assert connection.getresponse().read()
    connection.close()
    log = live_app.log.read_bytes()
    assert rb'"GET /no\r\nGET /forged\x00" 404' in log
    assert b"\nGET /forged" not in log


def fetched(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
