"""Delivery to a real SMTP server: once, the same mail when twice, and never what is settled."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from practices.accounts.models import User
from practices.common.prepared import kept_ready
from practices.reminders import delivery, post
from practices.reminders.models import MOST_ATTEMPTS, Acceptance, Notification
from practices.reminders.post import Post
from practices.reminders.services import deliver, plan_due
from practices.tracking.models import Contact, Migration
from practices.tracking.services import (
    ContactDetails,
    add_contact,
    add_task,
    remove_contact,
    report_patient_data,
    tick_tasks,
    withdraw_sign_off,
)
from tests import factories

from .conftest import NOW
from .worlds import FDP_AT, HOUR, World, planned, rows

MINUTE = timedelta(minutes=1)
MORNING = datetime(2027, 4, 13, 7, tzinfo=UTC)


def abandon(row: Notification) -> None:
    """The worker that holds the row has died, and its lease has run out."""
    past = datetime(2020, 1, 1, tzinfo=UTC)
    Notification.objects.filter(pk=row.pk, status="sending").update(lease_until=past)


@pytest.mark.django_db
class TestStale:
    """What has been settled between planning and sending is not sent."""

    def check(self, row, server, status, now=NOW + MINUTE):
        deliver(now=now)
        row.refresh_from_db()
        assert not server.received
        assert row.status == status
        assert row.last_error

    def test_go_live_was_recorded(self, one_due, faulty_server, world):
        world.go_live(NOW)
        self.check(one_due, faulty_server, "cancelled")

    def test_the_migration_is_over(self, one_due, faulty_server):
        Migration.objects.update(state="finished", ended_at=NOW)
        self.check(one_due, faulty_server, "cancelled")

    def test_the_persons_account_was_closed(self, one_due, faulty_server):
        User.objects.update(is_active=False)
        self.check(one_due, faulty_server, "cancelled")

    def test_the_person_may_not_see_it_any_more(self, one_due, faulty_server, world):
        world.manager.memberships.update(valid_to=factories.MONDAY.date() - timedelta(days=300))
        self.check(one_due, faulty_server, "cancelled")

    def test_a_later_warning_is_due(self, one_due, faulty_server):
        self.check(one_due, faulty_server, "superseded", now=NOW + 24 * HOUR)

    def test_the_contact_was_removed(self, one_due, faulty_server, world):
        details = ContactDetails("target_supplier", "Desk", email="desk@supplier.test")
        contact = add_contact(
            migration=world.migration, details=details, by=world.manager, at=FDP_AT
        )
        Notification.objects.update(person=None, contact=contact)
        remove_contact(contact=contact, by=world.manager, at=NOW)
        self.check(one_due, faulty_server, "cancelled")

    def test_the_contacts_address_was_corrected_and_the_mail_goes_to_the_new_one(
        self, world, faulty_server
    ):
        details = ContactDetails("target_supplier", "Desk", email="desk@supplier.test")
        add_contact(migration=world.migration, details=details, by=world.manager, at=FDP_AT)
        world.sign(NOW)
        plan_due(now=NOW)
        Notification.objects.exclude(kind="signed", event=None).delete()
        faulty_server.script = ["RCPT 450 Try later"]
        deliver(now=NOW)
        Contact.objects.update(email="help@supplier.test")
        deliver(now=NOW + 5 * MINUTE)
        assert faulty_server.recipients == ["help@supplier.test"]
        assert faulty_server.mails[0]["To"] == "help@supplier.test"

    def test_a_title_in_it_was_hidden_and_the_mail_is_written_anew(self, world, faulty_server):
        own = add_task(
            phase=world.migration.phases.get(key="go_live"),
            title="Ring Mrs Blackthorn",
            guidance="",
            owner="clinician",
            due_on=MORNING.date() - timedelta(days=2),
            assignee=None,
            by=world.manager,
            at=FDP_AT,
        )
        plan_due(now=MORNING)
        Notification.objects.exclude(person=world.clinician).delete()
        faulty_server.script = ["DATA 450 Try later"]
        deliver(now=MORNING)
        assert b"Mrs Blackthorn" in bytes(Notification.objects.get().content)
        report_patient_data(
            migration=world.migration, text=own.own_title, by=world.manager, at=MORNING
        )
        deliver(now=MORNING + 5 * MINUTE)
        (mail,) = faulty_server.mails
        for kind in ("plain", "html"):
            words = mail.get_body((kind,)).get_content()
            assert "Mrs Blackthorn" not in words
            assert "hidden while it is checked" in words
        assert bytes(Notification.objects.get().content) == b"", "what was sent is not kept"

    def test_the_sign_off_was_withdrawn(self, world, faulty_server):
        gate = world.sign(NOW)
        plan_due(now=NOW)
        withdraw_sign_off(gate=gate, reason="A letter is missing", by=world.manager, at=NOW)
        Notification.objects.exclude(kind="signed", event=None).delete()
        self.check(Notification.objects.get(), faulty_server, "cancelled")

    def test_everything_overdue_was_ticked(self, world, faulty_server):
        plan_due(now=MORNING)
        Notification.objects.exclude(person=world.clinician).delete()
        tick_tasks(
            migration=world.migration,
            tasks=world.migration.tasks.filter(code="CUT-03"),
            by=world.clinician,
            at=MORNING,
        )
        self.check(Notification.objects.get(), faulty_server, "cancelled", now=MORNING)

    def test_the_day_of_overdue_tasks_is_over(self, world, faulty_server):
        plan_due(now=MORNING)
        Notification.objects.exclude(person=world.clinician).delete()
        later = MORNING + 17 * HOUR
        self.check(Notification.objects.get(), faulty_server, "superseded", now=later)


@pytest.mark.django_db
class TestCrashes:
    def test_what_became_of_a_mail_is_written_before_the_next_one_goes(
        self, world, faulty_server, monkeypatch
    ):
        """So that never more than one is in doubt."""
        hand_over, written = post._hand_over, []

        def watched(*arguments):
            written.append(Acceptance.objects.count())
            return hand_over(*arguments)

        world.start_cut_over()
        plan_due(now=NOW)
        monkeypatch.setattr(post, "_hand_over", watched)
        deliver(now=NOW)
        assert written == [0, 1, 2]

    @pytest.fixture
    def crash_before_record(self, monkeypatch) -> Iterator[pytest.MonkeyPatch]:
        class Killed(BaseException):
            pass

        def die(*_):
            raise Killed

        with monkeypatch.context() as patch:
            patch.setattr(delivery, "_record", die)
            with pytest.raises(Killed):
                deliver(now=NOW)
            yield patch

    def test_a_crash_between_sending_and_recording_repeats_the_same_mail(
        self, one_due, faulty_server, crash_before_record
    ):
        crash_before_record.undo()
        one_due.refresh_from_db()
        assert one_due.status == "sending"
        assert deliver(now=NOW + MINUTE) == 0, "the lease still runs"
        abandon(one_due)
        assert deliver(now=NOW + 10 * MINUTE) == 1
        first, second = faulty_server.received
        assert first == second
        assert faulty_server.mails[1]["Message-ID"] == one_due.message_id
        assert faulty_server.mails[1]["Date"].datetime == NOW
        one_due.refresh_from_db()
        assert (one_due.status, one_due.attempts) == ("sent", 2)

    def test_a_mail_that_kills_every_worker_takes_no_other_with_it(
        self, world, faulty_server, monkeypatch
    ):
        world.start_cut_over()
        plan_due(now=NOW)
        first, words_of = rows()[0], delivery.words_of

        class Killed(BaseException):
            pass

        def kills(row, now):
            if row.pk == first.pk:
                raise Killed
            return words_of(row, now)

        monkeypatch.setattr(delivery, "words_of", kills)
        for _ in range(MOST_ATTEMPTS):
            with suppress(Killed):
                while deliver(now=NOW):
                    pass
            for row in rows():
                abandon(row)
        deliver(now=NOW)
        assert len(rows(status="sent")) == 2
        (dead,) = rows(status="dead")
        assert dead == first
        assert dead.last_error == "Given up after 50 attempts: Workers ended while they sent it"

    def test_a_worker_whose_lease_was_taken_over_writes_nothing(self, one_due, faulty_server):
        claim = delivery._claim(NOW)
        abandon(one_due)
        deliver(now=NOW)
        one_due.refresh_from_db()
        before = (one_due.status, one_due.smtp_reply)
        assert delivery._prepare(claim.keys, claim.token, NOW) == []
        with kept_ready() as cursor:
            late = delivery.Answer("250 late", accepted=True)
            delivery._record(one_due.pk, claim.token, late, NOW, cursor)
        delivery._enter_accepted()
        one_due.refresh_from_db()
        assert (one_due.status, one_due.smtp_reply) == before
        assert not Acceptance.objects.exists()

    def test_what_was_delivered_before_a_crash_is_not_sent_again(
        self, world, faulty_server, monkeypatch
    ):
        """Each mail is recorded by itself, though rows of the outbox are changed together."""

        class Killed(BaseException):
            pass

        send, sent = Post.send, []

        def killed_at_the_third(post, letter, meanwhile):
            if len(sent) == 2:
                meanwhile()
                raise Killed
            sent.append(letter)
            return send(post, letter, meanwhile)

        world.start_cut_over()
        plan_due(now=NOW)
        with monkeypatch.context() as patch:
            patch.setattr(Post, "send", killed_at_the_third)
            with pytest.raises(Killed):
                deliver(now=NOW)
        assert [row.status for row in rows(kind="clock")] == ["sending"] * 3
        for row in rows(kind="clock"):
            abandon(row)
        assert deliver(now=NOW + 10 * MINUTE) == 1
        assert [row.status for row in rows(kind="clock")] == ["sent"] * 3
        assert len(faulty_server.received) == len(set(faulty_server.received)) == 3
        assert [row.sent_at for row in rows(kind="clock")] == [NOW, NOW, NOW + 10 * MINUTE]


@pytest.mark.django_db
class TestBesideEachOther:
    """Who sends says so early, for another process to begin with what is left."""

    def told(self, faulty_server) -> list[int]:
        """After how many mails it is said that there may be more."""
        after: list[int] = []
        deliver(now=NOW, when_more=lambda: after.append(len(faulty_server.received)))
        return after

    def test_after_the_first_mail_and_once(self, world, faulty_server):
        world.start_cut_over()
        plan_due(now=NOW)
        assert self.told(faulty_server) == [1]
        assert len(faulty_server.received) == 3

    def test_at_the_end_where_no_mail_was_taken(self, one_due, faulty_server):
        faulty_server.script = ["RCPT 550 No such user"]
        assert self.told(faulty_server) == [0]

    def test_never_where_nothing_is_due(self, world, faulty_server):
        assert self.told(faulty_server) == []

    def test_never_where_the_mail_server_is_away(self, world, faulty_server):
        world.start_cut_over()
        plan_due(now=NOW)
        faulty_server.script = ["drop"] * delivery.SILENT_SERVER
        assert self.told(faulty_server) == []


def test_no_transaction_is_open_while_the_mail_server_is_spoken_to(
    committed_db, faulty_server, monkeypatch
):
    World().start_cut_over()
    plan_due(now=NOW)
    send = Post.send
    open_transactions = []

    def watched(post, *arguments):
        open_transactions.append(connections["default"].in_atomic_block)
        return send(post, *arguments)

    monkeypatch.setattr(Post, "send", watched)
    deliver(now=NOW)
    assert open_transactions == [False] * 3


def test_two_workers_take_different_mails_and_neither_waits(committed_db, monkeypatch):
    monkeypatch.setattr(delivery, "BATCH", 20)
    for _ in range(10):
        World().start_cut_over()
    plan_due(now=NOW)
    taken = []

    def take():
        taken.append(delivery._claim(NOW))
        connections.close_all()

    other = threading.Thread(target=take)
    with transaction.atomic():
        taken.append(delivery._claim(NOW))
        other.start()
        other.join(timeout=8)  # the first has not committed yet
        assert len(taken) == 2
    one, two = (set(claim.keys) for claim in taken)
    assert (len(one), len(two), one & two) == (20, 10, set())


def test_many_workers_at_once_send_every_mail_once(committed_db, faulty_server):
    for _ in range(10):
        World().start_cut_over()
    plan_due(now=NOW)
    start = threading.Barrier(6)

    def work():
        start.wait()
        while deliver(now=NOW):
            pass
        connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(rows(status="sent")) == len(planned("clock")) == 30
    ids = [mail["Message-ID"] for mail in faulty_server.mails]
    assert len(ids) == len(set(ids)) == 30


def test_what_several_people_are_told_differs_in_address_and_id_only(world, faulty_server):
    world.start_cut_over()
    plan_due(now=NOW)
    deliver(now=NOW)
    mails = faulty_server.mails
    assert len({mail["To"] for mail in mails}) == len({mail["Message-ID"] for mail in mails}) == 3
    for mail in mails:
        row = Notification.objects.get(message_id=mail["Message-ID"])
        assert row.person
        assert mail["To"] == row.person.email
        del mail["To"], mail["Message-ID"]
    assert len({mail.as_bytes() for mail in mails}) == 1


@pytest.mark.django_db
def test_a_batch_of_many_is_checked_in_as_many_statements_as_one_of_few():
    def statements() -> int:
        plan_due(now=NOW)
        claim = delivery._claim(NOW)
        with CaptureQueriesContext(connection) as queries:
            assert len(delivery._prepare(claim.keys, claim.token, NOW)) == len(claim.keys)
        return len(queries)

    World().start_cut_over()
    few = statements()
    for _ in range(5):
        World().start_cut_over()
    assert statements() == few <= 20
