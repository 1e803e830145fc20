"""One conversation with the mail server. Knows nothing of reminders."""

import re
import smtplib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parseaddr
from typing import Self

from django.conf import settings
from django.core.mail.backends.smtp import EmailBackend

from .rules import is_refused_for_good

ACCEPTED, GO_AHEAD, CLOSING = 250, 354, 421
AGREED = ((250,), (250, 251), (GO_AHEAD,))  # to a sender, a recipient, and to take a mail


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

    def send(self, letter: Letter, meanwhile: Callable[[], None]) -> Answer:
        """Hand over one letter; every failure is an answer, none is raised.

        ``meanwhile`` is done while the server looks at the addresses. What it raises is raised,
        and the letter does not go.
        """
        try:
            address = ascii_address(letter.address)
        except UnicodeError:
            return Answer(
                "The address has characters that mail servers do not take.", for_good=True
            )
        try:
            self.backend.open()
            answer = self._converse(address, letter.content, meanwhile)
        except smtplib.SMTPResponseException as error:
            answer = Answer(_said(error.smtp_code, error.smtp_error), broken=True)
        except OSError as error:  # also what smtplib raises, and timeouts
            answer = Answer(f"{type(error).__name__}: {error}", broken=True)
        if answer.broken:
            self._close()
        return answer

    def _converse(self, address: str, content: bytes, meanwhile: Callable[[], None]) -> Answer:
        smtp = self.backend.connection
        assert smtp is not None  # noqa: S101 - open() has just made it
        smtp.ehlo_or_helo_if_needed()
        commands = (f"MAIL FROM:<{self.sender}>", f"RCPT TO:<{address}>", "DATA")
        at_once = smtp.has_extn("pipelining")
        smtp.send("".join(f"{command}\r\n" for command in commands[: None if at_once else 1]))
        meanwhile()
        for number, command in enumerate(commands):
            if number and not at_once:
                smtp.putcmd(command)
            code, reply = smtp.getreply()
            if code not in AGREED[number]:
                break
        else:
            code, reply = _hand_over(smtp, content)
            if code == ACCEPTED:
                return Answer(_said(code, reply), accepted=True)
        if code == CLOSING:
            return Answer(_said(code, reply), broken=True)
        try:
            for _ in commands[number + 1 :] if at_once else ():
                # Some servers ask for a mail even now that they have nobody to give it to.
                if smtp.getreply()[0] == GO_AHEAD:
                    _hand_over(smtp, b"")
            smtp.rset()
        except OSError:
            self._close()
        # A refused sender is our own mistake, not the recipient's: it can be mended.
        return Answer(_said(code, reply), for_good=number > 0 and is_refused_for_good(code))

    def _close(self) -> None:
        with suppress(OSError):
            self.backend.close()


def ascii_address(address: str) -> str:
    """The address as it goes into the envelope. Raises UnicodeError when it cannot."""
    local, _, domain = address.rpartition("@")
    local.encode("ascii")
    if not address.isprintable():  # a line break would begin another command
        raise UnicodeError
    return f"{local}@{domain.encode('idna').decode('ascii')}"


def _hand_over(smtp: smtplib.SMTP, content: bytes) -> tuple[int, bytes]:
    """Send the mail itself, as ``smtplib`` does; the server's answer."""
    lines = content if content.endswith(b"\r\n") else content + b"\r\n"
    smtp.send(re.sub(rb"(?m)^\.", b"..", lines) + b".\r\n")
    return smtp.getreply()


def _said(code: int, reply: bytes | str) -> str:
    words = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    words = words.replace("\0", " ")  # which no database takes
    return f"{code} {' '.join(words.split())}"
