"""The other real parts: broker, mail server, web server and worker.

The web server lives as long as the test run and works on whatever database committed_db has
just made; the worker is started for each test that asks for one.
"""

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import cast

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from kombu import pools

from migration_tracker.celery import app as celery_app
from migration_tracker.local import commands
from migration_tracker.local.processes import Child, free_port
from migration_tracker.local.valkey import Valkey

from .databases import committed_name
from .servers import Server
from .settings import GIVEN

# Every test that commits takes the database away, and the web server then tries its dead
# connections one after the other, with ever longer waits between them.
POOL_SIZE = 2
CROWD = ThreadPoolExecutor(POOL_SIZE)


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real broker, which Celery in this process uses too."""
    if "REDIS_URL" in GIVEN:
        _use_broker(GIVEN["REDIS_URL"])
        yield GIVEN["REDIS_URL"]
        return
    folder = tmp_path_factory.mktemp("valkey")
    server = Valkey(folder, log=folder / "valkey.log")
    server.start()
    _use_broker(server.url)
    try:
        yield server.url
    finally:
        celery_app.pool.force_close_all()
        server.stop()


def _use_broker(url: str) -> None:
    celery_app.conf.broker_url = url
    _forget_connections()


def _forget_connections() -> None:
    """An earlier test may have called in vain, or closed what it called by."""
    pools.reset()
    celery_app._after_fork()


@dataclass
class MailServer:
    """A real SMTP server in a thread. ``refuse_with`` makes it answer a mail with that reply."""

    port: int = 0
    received: list[bytes] = field(default_factory=list)
    refuse_with: str = ""
    arrived: threading.Condition = field(default_factory=threading.Condition)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.refuse_with:
            return self.refuse_with
        with self.arrived:
            self.received.append(cast("bytes", envelope.original_content))
            self.arrived.notify_all()
        return "250 Kept"

    @property
    def messages(self) -> list[EmailMessage]:
        """The mails so far, parsed, oldest first."""
        return [message_from_bytes(raw, policy=policy.default) for raw in self.received]

    def wait_for(self, count: int, *, seconds: float = 30) -> list[EmailMessage]:
        """Wait until ``count`` mails are there; fail when they do not come."""
        with self.arrived:
            there = self.arrived.wait_for(lambda: len(self.received) >= count, timeout=seconds)
        assert there, f"{len(self.received)} of {count} mails came within {seconds} seconds"
        return self.messages

    def clear(self) -> None:
        self.received.clear()
        self.refuse_with = ""


@pytest.fixture(scope="session")
def mail_server() -> Iterator[MailServer]:
    """The mail server of this run; tests use smtp_server."""
    mailbox = MailServer(port=free_port())
    controller = Controller(mailbox, hostname="127.0.0.1", port=mailbox.port, enable_SMTPUTF8=True)
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()


@pytest.fixture
def smtp_server(mail_server: MailServer, settings) -> Iterator[MailServer]:
    """A real mail server, empty, to which Django in this process really sends."""
    mail_server.clear()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_PORT = mail_server.port
    yield mail_server
    mail_server.clear()


@dataclass(frozen=True)
class LiveApp:
    """The site as a real gunicorn serves it."""

    url: str
    log: Path


@pytest.fixture(scope="session")
def media_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the web server and the worker of this run keep files people hand in."""
    return tmp_path_factory.mktemp("media")


@pytest.fixture(scope="session")
def site_environment(
    postgres: Server, valkey: str, mail_server: MailServer, media_root: Path
) -> dict[str, str]:
    """The environment of the web server and the worker."""
    return {
        **postgres.environment(committed_name()),
        "REDIS_URL": valkey,
        "EMAIL_HOST": "127.0.0.1",
        "EMAIL_PORT": str(mail_server.port),
        "MEDIA_ROOT": str(media_root),
        "WEB_CONCURRENCY": "1",
        "DATABASE_POOL_SIZE": str(POOL_SIZE),
        "PATH": commands.PATH,
    }


@pytest.fixture(scope="session")
def web_server(
    site_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveApp]:
    """gunicorn with the start command of production; tests use live_app."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    log = tmp_path_factory.mktemp("web") / "web.log"
    env = {**site_environment, "SITE_URL": url, "BIND": f"127.0.0.1:{port}"}
    child = Child("web server", commands.WEB, log=log, env=env, grace=5)
    try:
        child.wait_until(lambda: _serves(f"{url}/static/build/app.css"))
        yield LiveApp(url=url, log=log)
    finally:
        child.stop()


def _serves(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


@pytest.fixture
def live_app(committed_db: str, web_server: LiveApp, smtp_server: MailServer) -> Iterator[LiveApp]:
    """The site in a real web server, on the fresh database of this test."""
    # The pool is full of connections to the database of the test before. Who meets one of them
    # gets another at once, who meets two waits a second: so as many ask as there may be, and
    # when one is answered no dead one is left.
    asked = [CROWD.submit(_serves, f"{web_server.url}/healthz/") for _ in range(POOL_SIZE)]
    wait(asked, return_when=FIRST_COMPLETED)
    yield web_server
    wait(asked)  # none asks while the database goes


@pytest.fixture
def celery_worker(
    committed_db: str,
    site_environment: dict[str, str],
    smtp_server: MailServer,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> Iterator[Child]:
    """A real Celery worker on the fresh database of this test; its queue starts empty."""
    url = request.getfixturevalue("web_server").url if "live_app" in request.fixturenames else ""
    env = {**site_environment, **({"SITE_URL": url} if url else {})}
    _forget_connections()
    celery_app.control.purge()
    child = Child("worker", commands.WORKER, log=tmp_path / "worker.log", env=env, grace=10)
    try:
        child.wait_until(lambda: bool(celery_app.control.ping(timeout=0.2)))
        yield child
    finally:
        child.stop()
        celery_app.control.purge()
