"""What the mails say, as they arrive at a real SMTP server."""

from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from practices.reminders import composing
from practices.reminders.models import Heartbeat, Notification
from practices.reminders.services import deliver, plan_due
from practices.tracking.models import Gate, Migration
from practices.tracking.services import ContactDetails, add_contact, withdraw_sign_off

from .conftest import NOW
from .worlds import FDP_AT, HOUR, World

MINUTE = timedelta(minutes=1)
MORNING = datetime(2027, 4, 13, 7, tzinfo=UTC)


def plan_only(kind: str, now: datetime) -> None:
    """Plan, and forget what else happens to be due; also what is told of acts."""
    plan_due(now=now)
    Notification.objects.exclude(event=None).delete()
    Notification.objects.exclude(kind=kind).exclude(status="sent").delete()


def text_of(mail: EmailMessage, kind: str = "plain") -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return part.get_content()


@pytest.mark.django_db
class TestOneMail:
    def test_it_says_what_matters_in_text_and_html(self, one_due, faulty_server, world):
        deliver(now=NOW)
        (mail,) = faulty_server.mails
        assert faulty_server.recipients == [world.manager.email]
        assert mail["Subject"] == "24 h of 72 h used: Elm Tree Surgery cut-over"
        for kind in ("plain", "html"):
            words = text_of(mail, kind)
            assert "Elm Tree Surgery" in words
            assert "Mon 12 Apr 2027, 18:30 BST" in words
            assert "48 hours" in words
            assert "record it when it has happened" in words
            assert f"http://testserver/migrations/{world.migration.reference}/" in words
            assert "<img" not in words

    def test_it_is_recorded_with_the_servers_answer(self, one_due, faulty_server):
        assert deliver(now=NOW) == 1
        one_due.refresh_from_db()
        assert (one_due.status, one_due.sent_at) == ("sent", NOW)
        assert one_due.smtp_reply == "250 Kept as number 7"
        assert (one_due.attempts, one_due.lease_token) == (1, None)
        assert faulty_server.mails[0]["Message-ID"] == one_due.message_id
        assert deliver(now=NOW) == 0
        assert len(faulty_server.received) == 1

    def test_a_practice_name_with_a_line_break_forges_no_header(
        self, one_due, faulty_server, world
    ):
        organisation = world.practice.organisation
        organisation.name = "Elm\r\nBcc: everybody@example.test\r\n\r\n<b>Tree</b>"
        organisation.save()
        deliver(now=NOW)
        (mail,) = faulty_server.mails
        assert mail["Bcc"] is None
        assert "Elm Bcc: everybody@example.test <b>Tree</b>" in mail["Subject"]
        assert "&lt;b&gt;Tree&lt;/b&gt;" in text_of(mail, "html")
        assert "<b>Tree" not in text_of(mail, "html")
        assert "<b>Tree</b>" in text_of(mail)

    def test_what_everybody_is_told_of_a_clock_is_worded_once(
        self, world, faulty_server, monkeypatch
    ):
        world.start_cut_over()
        other = World()
        other.start_cut_over()
        plan_only("clock", NOW)
        worded, words = [], composing.clock_words

        def counted(run, **about):
            worded.append(run.pk)
            return words(run, **about)

        monkeypatch.setattr(composing, "clock_words", counted)
        deliver(now=NOW)
        assert len(faulty_server.received) == 6
        assert len(worded) == len(set(worded)) == 2
        for mail in faulty_server.mails:
            row = Notification.objects.get(message_id=mail["Message-ID"])
            assert f"/migrations/{row.migration.reference}/" in text_of(mail), "its own clock"

    def test_a_late_one_says_how_things_are_now(self, one_due, faulty_server):
        deliver(now=NOW + 11 * HOUR)
        assert faulty_server.mails[0]["Subject"].startswith("35 h of 72 h used")

    def test_a_breach_says_so_in_the_subject(self, world, faulty_server):
        world.start_cut_over()
        plan_only("clock", FDP_AT + 73 * HOUR)
        deliver(now=FDP_AT + 73 * HOUR)
        mail = faulty_server.mails[0]
        assert mail["Subject"] == "Over 72 h: Elm Tree Surgery cut-over"
        assert "It is 1 hour over." in text_of(mail)

    @pytest.mark.parametrize(
        ("day", "subject"),
        [
            (13, "14 days left: Elm Tree Surgery old-system access"),
            (26, "1 day left: Elm Tree Surgery old-system access"),
            (27, "Last day: Elm Tree Surgery old-system access"),
            (28, "Ended on Thu 27 May: Elm Tree Surgery old-system access"),
        ],
    )
    def test_days_of_access_are_counted_down_in_the_subject(
        self, world, faulty_server, day, subject
    ):
        world.start_cut_over()
        world.go_live(FDP_AT + 61 * HOUR)
        now = datetime(2027, 5, day, 7, tzinfo=UTC)
        plan_only("clock", now)
        deliver(now=now)
        mail = faulty_server.mails[0]
        assert mail["Subject"] == subject
        assert "Thursday 27 May 2027" in text_of(mail)
        assert "Fri 28 May 2027, 00:00 BST" in text_of(mail)


@pytest.mark.django_db
class TestOtherMails:
    def test_overdue_tasks_are_listed_with_links(self, world, faulty_server):
        plan_due(now=MORNING)
        deliver(now=MORNING)
        mails = {mail["To"]: mail for mail in faulty_server.mails}
        mine = mails[world.clinician.email]
        assert mine["Subject"] == "1 overdue task: Elm Tree Surgery"
        assert "CUT-03 Check repeat templates: was due Sat 10 Apr" in text_of(mine)
        assert f"/migrations/{world.migration.reference}/tasks/CUT-03/" in text_of(mine)
        assert "CUT-02" not in text_of(mine)
        managers = mails[world.project_manager.email]
        assert managers["Subject"] == "5 overdue tasks: Elm Tree Surgery"
        assert f"Elm Tree Surgery ({world.migration.reference}): 5 overdue" in text_of(managers)

    def test_the_mail_of_one_person_takes_as_many_queries_for_ten_migrations(
        self, world, faulty_server
    ):
        def queries():
            plan_due(now=MORNING)
            Notification.objects.exclude(person=world.project_manager).delete()
            with CaptureQueriesContext(connections["default"]) as context:
                deliver(now=MORNING)
            return len(context)

        one = queries()
        for _ in range(9):
            other = World(commissioner=world.commissioner, partner=world.partner)
            Migration.objects.filter(pk=other.migration.pk).update(
                project_manager=world.project_manager
            )
        Notification.objects.all().delete()
        Heartbeat.objects.all().delete()
        assert queries() == one
        assert "in 10 migrations you manage" in faulty_server.mails[-1]["Subject"]

    def test_a_sign_off_is_confirmed_with_its_reference_and_its_withdrawal_told(
        self, world, faulty_server
    ):
        details = ContactDetails("target_supplier", "Desk", email="desk@supplier.test")
        add_contact(migration=world.migration, details=details, by=world.manager, at=FDP_AT)
        gate = world.sign(NOW)
        accepted = sorted(gate.sign_offs.get().snapshot["exceptions"])
        plan_only("signed", NOW)
        deliver(now=NOW)
        (mail,) = faulty_server.mails
        assert faulty_server.recipients == ["desk@supplier.test"]
        assert accepted
        assert [code for code in accepted if code not in text_of(mail)] == []
        assert "Done on paper" not in text_of(mail)
        assert mail["Subject"] == "Signed off: Elm Tree Surgery go-live data"
        assert gate.sign_offs.get().reference in text_of(mail)
        assert gate.sign_offs.get().digest in text_of(mail)
        assert gate.sign_offs.get().history_root in text_of(mail)
        assert world.manager.name in text_of(mail)
        assert "Sat 10 Apr 2027, 18:30 BST" in text_of(mail)

        gate = Gate.objects.get()
        withdraw_sign_off(gate=gate, reason="A letter is missing", by=world.manager, at=NOW)
        plan_only("withdrawn", NOW + MINUTE)
        deliver(now=NOW + MINUTE)
        notice = faulty_server.mails[1]
        assert notice["Subject"] == "Withdrawn: Elm Tree Surgery go-live data sign-off"
        assert "A letter is missing" not in text_of(notice)
        assert faulty_server.recipients == ["desk@supplier.test"] * 2
