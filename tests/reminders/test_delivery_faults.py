"""Mail servers that refuse, break off or are away, and mails that cannot be written."""

from datetime import timedelta

import pytest
from django.db import connection

from practices.accounts.models import User
from practices.reminders import delivery
from practices.reminders.models import MOST_ATTEMPTS, Notification
from practices.reminders.post import Letter, Post
from practices.reminders.services import deliver, plan_due

from .conftest import NOW
from .worlds import HOUR, World, rows

MINUTE = timedelta(minutes=1)


@pytest.fixture(params=[True, False], ids=["commands at once", "one by one"])
def faulty_server(request, faulty_server):
    """Servers that take commands together, as most do, and those that do not."""
    faulty_server.pipelining = request.param
    return faulty_server


@pytest.mark.django_db
class TestFaults:
    @pytest.mark.parametrize(
        "fault",
        [
            "451 Try later",
            "421 Closing",
            "drop",
            "RCPT 451 Greylisted",
            "RCPT 530 Authentication required",
            "MAIL 550 Nobody knows this sender",
        ],
    )
    def test_a_passing_fault_is_tried_again_later(self, one_due, faulty_server, fault):
        faulty_server.script = [fault]
        deliver(now=NOW)
        one_due.refresh_from_db()
        assert (one_due.status, one_due.attempts, one_due.lease_token) == ("pending", 1, None)
        earliest, latest = NOW + timedelta(seconds=48), NOW + timedelta(seconds=72)
        assert earliest <= one_due.next_attempt_at <= latest
        answer = fault.removeprefix("RCPT ").removeprefix("MAIL ")
        assert one_due.last_error == answer or fault == "drop"
        assert deliver(now=NOW) == 0
        deliver(now=one_due.next_attempt_at)
        one_due.refresh_from_db()
        assert (one_due.status, one_due.attempts) == ("sent", 2)
        assert len(faulty_server.received) == 1

    @pytest.mark.parametrize("fault", ["RCPT 550 No such person", "554 Not wanted"])
    def test_a_refusal_is_dead_at_once_with_its_reason_and_stops_no_other(
        self, world, faulty_server, fault
    ):
        world.start_cut_over()
        plan_due(now=NOW)
        faulty_server.script = [fault]
        assert deliver(now=NOW) == 3
        (dead,) = rows(status="dead")
        assert dead.last_error == fault.removeprefix("RCPT ")
        assert len(rows(status="sent")) == 2
        assert deliver(now=NOW + 24 * HOUR - MINUTE) == 0

    def test_a_server_that_asks_for_a_mail_it_gives_to_nobody_gets_none(self, world, faulty_server):
        world.start_cut_over()
        plan_due(now=NOW)
        faulty_server.script, faulty_server.takes_anything = ["RCPT 550 No such person"], True
        assert deliver(now=NOW) == 3
        assert [row.last_error for row in rows(status="dead")] == ["550 No such person"]
        assert len(rows(status="sent")) == len(faulty_server.received) == 2

    def test_a_server_that_ends_the_conversation_at_the_first_word_is_left_in_peace(
        self, one_due, faulty_server
    ):
        faulty_server.script = ["MAIL 421 Closing"]
        deliver(now=NOW)
        one_due.refresh_from_db()
        assert (one_due.status, one_due.last_error) == ("pending", "421 Closing")

    @pytest.mark.parametrize("fault", ["RCPT 550 No\0body", "451 Not\0now"])
    def test_an_answer_that_no_database_takes_is_kept_without_what_it_cannot(
        self, one_due, faulty_server, fault
    ):
        faulty_server.script = [fault]
        deliver(now=NOW)
        one_due.refresh_from_db()
        assert one_due.last_error == fault.removeprefix("RCPT ").replace("\0", " ")

    def test_a_mail_the_server_took_without_saying_so_comes_again_as_the_same_mail(
        self, one_due, faulty_server
    ):
        faulty_server.script = ["accept and drop"]
        deliver(now=NOW)
        deliver(now=NOW + 5 * MINUTE)
        assert len(faulty_server.received) == 2
        assert faulty_server.received[0] == faulty_server.received[1]

    def test_after_a_day_of_failing_it_is_dead(self, one_due, faulty_server):
        Notification.objects.update(first_failed_at=NOW - 24 * HOUR)
        faulty_server.script = ["451 Try later"]
        deliver(now=NOW)
        one_due.refresh_from_db()
        assert (one_due.status, one_due.last_error) == ("dead", "451 Try later")

    def test_a_mail_that_kills_every_worker_is_dead_in_the_end(self, one_due, faulty_server):
        Notification.objects.update(attempts=MOST_ATTEMPTS)
        deliver(now=NOW)
        one_due.refresh_from_db()
        assert (one_due.status, faulty_server.received) == ("dead", [])

    def test_a_server_that_is_away_costs_three_tries_and_the_rest_waits_untouched(
        self, world, faulty_server, settings
    ):
        world.start_cut_over()
        for _ in range(5):
            World().start_cut_over()
        plan_due(now=NOW)
        settings.EMAIL_PORT = 1
        assert deliver(now=NOW) == 0
        tried = rows(attempts=1, status="pending")
        assert len(tried) == 3
        assert "ConnectionRefusedError" in tried[0].last_error
        assert len(rows(attempts=0, status="pending", lease_token=None)) == 15
        settings.EMAIL_PORT = faulty_server.port
        assert deliver(now=NOW) == 15

    def test_an_address_that_mail_cannot_reach_is_dead_with_its_reason(
        self, one_due, faulty_server
    ):
        User.objects.filter(pk=one_due.person_id).update(email="zoë@example.test")
        deliver(now=NOW)
        one_due.refresh_from_db()
        assert one_due.status == "dead"
        assert "characters" in one_due.last_error

    def test_an_address_cannot_bring_commands_of_its_own(self, faulty_server):
        address = "a@example.test>\r\nRCPT TO:<b@example.test"
        with Post() as post:
            answer = post.send(Letter(address, b"Hello\r\n"), lambda: None)
        assert answer.for_good
        assert not faulty_server.received

    def test_a_line_with_a_dot_alone_does_not_end_a_mail(self, faulty_server):
        content = b"Subject: Dots\r\n\r\n.\r\n..\r\n.end\r\n"
        with Post() as post:
            assert post.send(Letter("a@example.test", content), lambda: None).accepted
        assert faulty_server.received == [content]

    def test_a_mail_that_cannot_be_written_stops_no_other(
        self, world, faulty_server, monkeypatch, caplog
    ):
        world.start_cut_over()
        plan_due(now=NOW)
        first = rows()[0]
        words_of = delivery.words_of

        def fails_for_the_first(row, now):
            if row.pk == first.pk:
                raise KeyError("no such word")
            return words_of(row, now)

        monkeypatch.setattr(delivery, "words_of", fails_for_the_first)
        deliver(now=NOW)
        first.refresh_from_db()
        assert (first.status, first.content) == ("pending", None)
        assert first.last_error == "KeyError: 'no such word'"
        assert len(rows(status="sent")) == 2
        assert "could not be prepared" in caplog.text

    def test_a_mail_that_can_never_be_written_is_dead_in_the_end_with_its_reason(
        self, one_due, faulty_server, monkeypatch
    ):
        def fails(*_):
            raise KeyError("no such word")

        monkeypatch.setattr(delivery, "words_of", fails)
        deliver(now=NOW)
        deliver(now=NOW + 23 * HOUR)
        one_due.refresh_from_db()
        assert one_due.status == "pending"
        Notification.objects.update(next_attempt_at=NOW)
        monkeypatch.setattr(delivery, "dropped", lambda *_: None)
        deliver(now=NOW + 24 * HOUR)
        one_due.refresh_from_db()
        assert (one_due.status, one_due.last_error) == ("dead", "KeyError: 'no such word'")

    def test_a_database_error_in_one_mail_stops_no_other(self, world, faulty_server, monkeypatch):
        world.start_cut_over()
        plan_due(now=NOW)
        first, words_of = rows()[0], delivery.words_of

        def spoils_the_transaction(row, now):
            if row.pk == first.pk:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT 1 / 0")
            return words_of(row, now)

        monkeypatch.setattr(delivery, "words_of", spoils_the_transaction)
        deliver(now=NOW)
        first.refresh_from_db()
        assert (first.status, len(rows(status="sent"))) == ("pending", 2)
        assert "division by zero" in first.last_error

    def test_what_goes_on_for_long_is_given_back_before_celery_ends_it(
        self, world, faulty_server, monkeypatch
    ):
        world.start_cut_over()
        plan_due(now=NOW)
        monkeypatch.setattr(delivery, "ENOUGH", -1.0)
        assert deliver(now=NOW) == 3, "there is more to do"
        assert len(rows(status="sent")) == 1
        assert len(rows(attempts=0, status="pending", lease_token=None)) == 2

    def test_what_a_slow_mail_has_made_old_is_checked_again(
        self, world, faulty_server, monkeypatch
    ):
        world.start_cut_over()
        plan_due(now=NOW)
        monkeypatch.setattr(delivery, "CHECK_HOLDS", -1.0)
        send = Post.send

        def slowly(post, *arguments):
            User.objects.update(is_active=False)
            return send(post, *arguments)

        monkeypatch.setattr(Post, "send", slowly)
        deliver(now=NOW)
        assert len(faulty_server.received) == 1
        assert len(rows(status="cancelled")) == 2
