"""Somebody is pseudonymised: no column of the database says who they were."""

from collections.abc import Iterator

import pytest
from django.contrib.auth import authenticate
from django.core.management import call_command
from django.db import connection
from django.db.models import Q
from django.test import Client

from practices.accounts.models import Invitation
from practices.accounts.roles import Role
from practices.accounts.services import accept, invite
from practices.reminders.models import Notification
from practices.reminders.services import deliver, plan_due

from .conftest import NOW
from .worlds import World

NAME, ADDRESS = "Zebedee Quillfeather", "zebedee.quillfeather@example.test"
IN_TEXT = """
    SELECT table_name, column_name FROM information_schema.columns
    JOIN information_schema.tables USING (table_schema, table_name)
    WHERE table_schema = 'public' AND table_type = 'BASE TABLE'
    AND (data_type IN ('text', 'character varying', 'json', 'jsonb', 'bytea', 'ARRAY'))
"""


def places() -> Iterator[str]:
    """Every column of text or bytes in which a word of the name or the address stands."""
    with connection.cursor() as cursor:
        cursor.execute(IN_TEXT)
        columns = cursor.fetchall()
        assert len(columns) > 100
        for table, column in columns:
            cursor.execute(
                f'SELECT EXISTS (SELECT FROM "{table}" t WHERE '
                f"CASE WHEN pg_typeof(\"{column}\")::text = 'bytea' "
                f'THEN encode("{column}"::text::bytea, \'escape\') ELSE "{column}"::text END '
                "ILIKE ANY (ARRAY['%%zebedee%%', '%%quillfeather%%']))"
            )
            if cursor.fetchone()[0]:
                yield f"{table}.{column}"


@pytest.fixture
def world(world: World) -> World:
    """Their name and address stand wherever the product keeps them."""
    manager, now = world.manager, NOW
    type(manager).objects.filter(pk=manager.pk).update(name=NAME, email=ADDRESS)
    manager.refresh_from_db()
    organisation = world.practice.organisation
    invited = {"organisation": organisation, "at": now}
    accept(
        invitation=invite(
            email=ADDRESS, name=NAME, role=Role.CLINICIAN, by=world.project_manager, **invited
        ),
        by=manager,
        at=now,
    )
    invite(email=ADDRESS, name=NAME, role=Role.LEAD_GP, by=world.project_manager, **invited)
    invite(email="new@example.test", name="Nina", role=Role.CLINICIAN, by=manager, **invited)
    return world


@pytest.mark.django_db
def test_nowhere_in_the_database(world, faulty_server):
    world.start_cut_over()
    plan_due(now=NOW)
    theirs = Q(person=world.manager) | Q(invitation__email=ADDRESS)
    Notification.objects.exclude(theirs).delete()
    assert Notification.objects.count() == 2
    faulty_server.script = [f"RCPT 550 no such user {ADDRESS}", f"451 try {ADDRESS} later"]
    deliver(now=NOW)
    client = Client()
    client.post("/accounts/login/", {"login": ADDRESS, "password": "wrong"})
    authenticate(None, email=ADDRESS, password="wrong")
    assert {"accounts_user.email", "accounts_invitation.name"} <= set(places())
    assert "reminders_notification.address" in set(places())

    call_command("pseudonymise_person", ADDRESS)

    assert list(places()) == []
    unsent = Notification.objects.filter(status="pending", content__isnull=False)
    assert {bytes(row.content) for row in unsent} <= {b""}, "it could be said in there in base64"
    assert not Invitation.objects.filter(email=ADDRESS).exists()


@pytest.mark.django_db
def test_a_mail_to_somebody_else_that_waits_is_written_anew(world, faulty_server):
    gate = world.sign(NOW)
    plan_due(now=NOW)
    Notification.objects.exclude(kind="signed", event=None).delete()
    (row,) = Notification.objects.all()
    assert row.gate == gate
    faulty_server.script = ["451 later"]
    deliver(now=NOW)
    call_command("pseudonymise_person", ADDRESS)
    row.refresh_from_db()
    deliver(now=row.next_attempt_at)
    (mail,) = faulty_server.mails
    assert faulty_server.recipients[-1] == world.supplier.email
    assert "Quillfeather" not in str(mail.get_body(("plain",)).get_content())
    assert f"Former user {world.manager.pk}" in mail.get_body(("plain",)).get_content()
