"""The mail of an invitation: planned once, written once, and forgotten once it is sent."""

from datetime import timedelta

import pytest
import time_machine

from practices.accounts import services
from practices.accounts.tokens import token_of
from practices.common.templatetags.uk import uk_datetime
from practices.reminders.models import Notification
from practices.reminders.services import deliver, plan_due
from tests.factories import MONDAY, make_invitation, make_practice

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


@pytest.fixture
def invitation(db):
    return make_invitation(make_practice("Elm Tree Surgery"), email="nina@example.test")


def run(at=MONDAY):
    plan_due(now=at)
    deliver(now=at)


def body(mail):
    return " ".join(mail.get_body(["plain"]).get_content().split())


def states():
    return list(Notification.objects.order_by("pk").values_list("status", flat=True))


def test_it_says_who_invites_to_what_and_holds_the_link(invitation, faulty_server):
    run()
    run(MONDAY + MINUTE)
    (mail,) = faulty_server.mails
    assert mail["To"] == "nina@example.test"
    assert mail["Subject"] == (
        "Invitation to Migration Tracker: Practice staff of Elm Tree Surgery"
    )
    assert f"{invitation.invited_by} invites you" in body(mail)
    assert uk_datetime(invitation.expires_at) in body(mail)
    link = f"http://testserver/invitations/{invitation.pk}/{token_of(invitation)}/"
    assert link in body(mail)


def test_once_it_is_sent_its_link_is_kept_nowhere(invitation, faulty_server):
    run()
    row = Notification.objects.get()
    assert (row.status, bytes(row.content)) == ("sent", b"")
    assert token_of(invitation) not in str(vars(row))


def test_a_copy_after_a_failure_is_the_same_mail(invitation, faulty_server):
    faulty_server.script = ["451 Later", "accept and drop"]
    run()
    run(MONDAY + timedelta(hours=1))
    run(MONDAY + timedelta(hours=3))
    first, second = faulty_server.received
    assert first == second


def test_sending_again_makes_another_mail_and_drops_the_one_that_waits(invitation, faulty_server):
    plan_due(now=MONDAY)
    again = services.send_again(invitation=invitation, by=invitation.invited_by, at=MONDAY + MINUTE)
    run(MONDAY + MINUTE)
    (mail,) = faulty_server.mails
    assert token_of(again) in body(mail)
    assert token_of(invitation) not in body(mail)
    assert states() == ["superseded", "sent"]


@pytest.mark.parametrize("what", ["used", "withdrawn", "expired"])
def test_what_is_no_longer_open_is_not_written_about(invitation, faulty_server, what):
    plan_due(now=MONDAY)
    at = MONDAY + MINUTE
    if what == "used":
        services.join(invitation=invitation, name="Nina", password="a battery horse", at=at)
    elif what == "withdrawn":
        services.withdraw_invitation(invitation=invitation, by=invitation.invited_by, at=at)
    else:
        at = MONDAY + timedelta(days=15)
    run(at)
    assert faulty_server.mails == []
    assert states() == ["cancelled"]


def test_somebody_who_holds_the_role_no_more_is_reminded_of_nothing(world, faulty_server):
    """Leaving ends also what waits in the outbox."""
    world.start_cut_over(MONDAY)
    at = MONDAY + timedelta(hours=24)
    plan_due(now=at)
    before = Notification.objects.filter(person=world.manager)
    assert before.count() == 1
    services.end_membership(
        membership=world.manager.memberships.get(), by=world.project_manager, at=at
    )
    with time_machine.travel(at, tick=False):
        deliver(now=at)
    assert before.get().status == "cancelled"
    assert world.manager.email not in faulty_server.recipients
    assert world.project_manager.email in faulty_server.recipients
