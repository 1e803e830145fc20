"""The secret of a calendar link stays out of every log."""

import urllib.error
import urllib.request

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
    before = len(live_app.log.read_bytes().splitlines())
    assert fetched(f"{live_app.url}/no%0d%0aGET%20/forged%00") == 404
    lines = live_app.log.read_bytes().splitlines()[before:]
    assert [line for line in lines if b"/forged" in line] == [
        line for line in lines if rb"/no\r\nGET /forged\x00" in line
    ]


def fetched(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
