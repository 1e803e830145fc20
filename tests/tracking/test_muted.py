"""Where a migration is muted, its pages say until when, and lift it."""

from datetime import timedelta

import pytest
import time_machine

from practices.reminders import choosing
from practices.reminders.models import Mute
from tests.factories import MONDAY

from .cast import make_cast
from .test_dates_pages import messages, said

pytestmark = pytest.mark.django_db
OFFER = "Mute mails about this migration</a>"
LIFT = "Have mails again"
UNTIL = "until and including Thursday 4 February 2027"


@pytest.fixture
def cast():
    return make_cast()


@pytest.fixture
def as_(client):
    def sign_in(person):
        client.force_login(person)
        return client

    with time_machine.travel(MONDAY, tick=False):
        yield sign_in


def mute(cast):
    until = MONDAY.date() + timedelta(days=3)
    choosing.mute(
        migration=cast.migration, reason="Away", until=until, by=cast.project_manager, at=MONDAY
    )


@pytest.mark.parametrize("page", ["", "mute"])
def test_it_says_until_when_and_lifts_it_there(cast, as_, page):
    client = as_(cast.project_manager)
    url = cast.url(page) if page else cast.url()
    assert LIFT not in said(client.get(url))
    mute(cast)
    shown = said(client.get(url))
    assert UNTIL in shown
    assert LIFT in shown
    assert OFFER not in shown
    done = client.post(cast.url("mute/lift"), {"next": url}, follow=True)
    assert done.redirect_chain[-1][0] == url
    assert "come to you again" in messages(done)
    assert not Mute.objects.filter(lifted_at=None).exists()
    assert LIFT not in said(done)


def test_it_is_nobody_elses(cast, as_):
    mute(cast)
    assert UNTIL not in said(as_(cast.manager).get(cast.url()))


def test_when_it_is_over_it_is_offered_again(cast, client):
    mute(cast)
    with time_machine.travel(MONDAY + timedelta(days=4), tick=False):
        client.force_login(cast.project_manager)
        assert OFFER in said(client.get(cast.url()))
