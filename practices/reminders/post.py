"""One conversation with the mail server. Knows nothing of reminders."""

import smtplib
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parseaddr
from typing import Self

from django.conf import settings
from django.core.mail.backends.smtp import EmailBackend

from .rules import is_refused_for_good

CLOSING = 421


@dataclass(frozen=True)
class Letter:
    """A mail as bytes, and the one address it goes to."""

    address: str
    content: bytes


@dataclass(frozen=True)
class Answer:
    """What became of a letter.

    ``for_good``: the server refused this recipient or this mail, and will again.
    ``broken``: the server could not be talked to, so the next letter would fare no better.
    """

    reply: str
    accepted: bool = False
    for_good: bool = False
    broken: bool = False


class Post:
    """A connection with the site's ``EMAIL_*`` settings, opened for the first letter.

    It speaks SMTP step by step, because the server's own words are kept and a
    refused recipient is told apart from a refused sender.
    """

    def __init__(self) -> None:
        self.backend = EmailBackend()
        self.sender = ascii_address(parseaddr(settings.DEFAULT_FROM_EMAIL)[1])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def send(self, letter: Letter) -> Answer:
        """Hand over one letter; every failure is an answer, none is raised."""
        try:
            address = ascii_address(letter.address)
        except UnicodeError:
            return Answer(
                "The address has characters that mail servers do not take.", for_good=True
            )
        try:
            self.backend.open()
            answer = self._converse(address, letter.content)
        except smtplib.SMTPResponseException as error:
            answer = Answer(_said(error.smtp_code, error.smtp_error), broken=True)
        except OSError as error:  # also what smtplib raises, and timeouts
            answer = Answer(f"{type(error).__name__}: {error}", broken=True)
        if answer.broken:
            self._close()
        return answer

    def _converse(self, address: str, content: bytes) -> Answer:
        smtp = self.backend.connection
        assert smtp is not None  # noqa: S101 - open() has just made it
        smtp.ehlo_or_helo_if_needed()
        code: int
        reply: bytes | str
        # What smtp.mail() and smtp.rcpt() send, without reading each address as a header once more.
        code, reply = smtp.docmd("MAIL", f"FROM:<{self.sender}>")
        refused = False
        if code == 250:
            code, reply = smtp.docmd("RCPT", f"TO:<{address}>")
            refused = code not in (250, 251)
            if not refused:
                try:
                    code, reply = smtp.data(content)
                except smtplib.SMTPDataError as error:
                    code, reply = error.smtp_code, error.smtp_error
                if code == 250:
                    return Answer(_said(code, reply), accepted=True)
                refused = True
        if code == CLOSING:
            return Answer(_said(code, reply), broken=True)
        try:
            smtp.rset()
        except OSError:
            self._close()
        # A refused sender is our own mistake, not the recipient's: it can be mended.
        return Answer(_said(code, reply), for_good=refused and is_refused_for_good(code))

    def _close(self) -> None:
        with suppress(OSError):
            self.backend.close()


def ascii_address(address: str) -> str:
    """The address as it goes into the envelope. Raises UnicodeError when it cannot."""
    local, _, domain = address.rpartition("@")
    local.encode("ascii")
    return f"{local}@{domain.encode('idna').decode('ascii')}"


def _said(code: int, reply: bytes | str) -> str:
    words = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    return f"{code} {' '.join(words.split())}"
