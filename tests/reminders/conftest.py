"""Situations and a mail server that misbehaves on request."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from migration_tracker.celery import app as celery_app
from migration_tracker.local.processes import free_port
from practices.reminders import services
from practices.reminders.models import Notification
from practices.reminders.services import plan_due
from tests.support.smtp import Pipelining

from .worlds import FDP_AT, HOUR, World

NOW = FDP_AT + 24 * HOUR  # when the first warning of these cut-overs is due


@pytest.fixture
def world(db: None) -> World:
    """A migration in planning with all its people; committed in a committed test."""
    return World()


@pytest.fixture
def one_due(world: World) -> Notification:
    """One warning, to the practice manager, due at NOW."""
    world.start_cut_over()
    plan_due(now=NOW)
    Notification.objects.exclude(person=world.manager).delete()
    return Notification.objects.get()


@dataclass
class FaultyServer(Pipelining):
    """A real SMTP server that answers as told: one entry for each mail, then as it should.

    ``451``-like texts answer the mail's content, ``MAIL 550 ...`` the sender and
    ``RCPT 550 ...`` the recipient.
    ``drop`` closes the connection instead of answering; ``accept and drop``
    keeps the mail, but closes the connection before saying so.

    ``takes_anything``: it goes on to ask for a mail whose recipient it has refused.
    """

    port: int = 0
    script: list[str] = field(default_factory=list)
    received: list[bytes] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    pipelining: bool = True
    takes_anything: bool = False

    @property
    def mails(self) -> list[EmailMessage]:
        """What it took, parsed, oldest first."""
        return [message_from_bytes(raw, policy=policy.default) for raw in self.received]

    def _answer(self, step: str) -> str:
        with self.lock:
            if self.script and self.script[0].startswith(f"{step} "):
                return self.script.pop(0).removeprefix(f"{step} ")
        return ""

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if answer := self._answer("MAIL"):
            return answer
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if answer := self._answer("RCPT"):
            if self.takes_anything:
                envelope.rcpt_tos.append(address)
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.takes_anything and not (envelope.original_content or b"").strip():
            return "554 Nobody to give it to"
        with self.lock:
            fault = self.script.pop(0) if self.script else ""
            if not fault or fault == "accept and drop":
                self.received.append(bytes(envelope.original_content or b""))
                self.recipients += envelope.rcpt_tos
            if "drop" in fault:
                assert server.transport is not None
                server.transport.abort()
        return fault if fault and "drop" not in fault else "250 Kept as number 7"


@pytest.fixture
def faulty_server(settings) -> Iterator[FaultyServer]:
    server = FaultyServer(port=free_port())
    controller = Controller(server, hostname="127.0.0.1", port=server.port)
    controller.start()
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    yield server
    controller.stop()


@pytest.fixture
def celery_unreachable(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A broker that refuses."""
    monkeypatch.setitem(services._quiet, "until", 0.0)
    before = celery_app.conf.broker_url
    celery_app.pool.force_close_all()
    celery_app.conf.broker_url = "redis://127.0.0.1:1/0"
    yield
    celery_app.conf.broker_url = before
