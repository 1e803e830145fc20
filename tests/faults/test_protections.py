"""Each protection holds; and without it the same check fails, so it is this that holds."""

from collections.abc import Callable
from datetime import timedelta
from email.utils import make_msgid
from types import SimpleNamespace

import pytest
from django.db import transaction

from practices.reminders import delivery, services
from practices.reminders.models import NotificationQuerySet
from tests.support.servers import Server

from . import scenarios

Off = Callable[[pytest.MonkeyPatch, Server, str], None]


def no_unique_key(patch: pytest.MonkeyPatch, postgres: Server, database: str) -> None:
    with postgres.connect(database=database) as owner:
        named = owner.execute(
            "SELECT conname FROM pg_constraint WHERE contype = 'u' "
            "AND conrelid = 'reminders_notification'::regclass"
        ).fetchall()
        for (name,) in named:
            owner.execute(f'ALTER TABLE reminders_notification DROP CONSTRAINT "{name}"')


def no_lease(patch: pytest.MonkeyPatch, *_: object) -> None:
    patch.setattr(delivery, "lease", lambda: timedelta(seconds=-1))


def a_lease_without_end(patch: pytest.MonkeyPatch, *_: object) -> None:
    patch.setattr(NotificationQuerySet, "abandoned", lambda rows: rows.none())


def a_plain_on_commit(patch: pytest.MonkeyPatch, *_: object) -> None:
    plain = SimpleNamespace(on_commit=lambda act, **_: transaction.on_commit(act))
    patch.setattr(services, "transaction", plain)


def no_second_look(patch: pytest.MonkeyPatch, *_: object) -> None:
    patch.setattr(delivery, "dropped", lambda *_: None)


def _written_anew(patch: pytest.MonkeyPatch, *, name: bool) -> None:
    checked = delivery._is_to_be_sent

    def forgetful(row, *arguments):
        row.address = ""
        if name:
            row.message_id = make_msgid(domain="example.test")
        return checked(row, *arguments)

    patch.setattr(delivery, "_is_to_be_sent", forgetful)


def a_new_message_id_each_time(patch: pytest.MonkeyPatch, *_: object) -> None:
    _written_anew(patch, name=True)


def a_new_date_each_time(patch: pytest.MonkeyPatch, *_: object) -> None:
    _written_anew(patch, name=False)


WITHOUT: list[tuple[str, Off, str]] = [
    ("sweepers_at_once", no_unique_key, "one row for a person"),
    ("a_slow_worker_is_left_alone", no_lease, "extra copies"),
    ("a_dead_worker_is_replaced", a_lease_without_end, "never told"),
    ("acts_without_a_broker", a_plain_on_commit, "because of the broker"),
    ("what_is_settled_is_not_said", no_second_look, "a clock that has stopped"),
    ("a_copy_is_the_same_mail", a_new_message_id_each_time, "Message-ID of its row"),
    ("a_copy_is_the_same_mail", a_new_date_each_time, "must be the same mail"),
]


@pytest.fixture
def play(committed_db, faulty_mail, celery_unreachable) -> Callable[[str], None]:
    def play_one(name: str) -> None:
        scenario = getattr(scenarios, name)
        scenario(4 if name == "acts_without_a_broker" else faulty_mail)

    return play_one


@pytest.mark.parametrize("name", sorted({name for name, _, _ in WITHOUT}))
def test_it_holds(play, name):
    play(name)


@pytest.mark.parametrize(
    ("name", "off", "notice"), WITHOUT, ids=[off.__name__ for _, off, _ in WITHOUT]
)
def test_without_the_protection_the_suite_notices(
    play, name, off, notice, monkeypatch, postgres, committed_db
):
    off(monkeypatch, postgres, committed_db)
    with pytest.raises(AssertionError, match=notice):
        play(name)
