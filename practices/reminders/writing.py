"""Mails as bytes."""

from datetime import datetime
from email.utils import format_datetime

from django.core.mail import EmailMultiAlternatives
from django.core.mail.message import forbid_multi_line_headers
from django.template.loader import render_to_string

from practices.common.time import to_london

from .models import Notification
from .wording import Words


class Writer:
    """Writes mails with the Date of one moment; what says the same is laid out once.

    Most rows are several people's who are told the same thing, and follow each other.
    """

    def __init__(self, now: datetime) -> None:
        self.date = format_datetime(to_london(now))
        self.written: list[Notification] = []
        self.words: Words | None = None
        self.rest = b""

    def write(self, row: Notification, words: Words) -> None:
        """Give ``row`` its content: the mail to its address, with its Message-ID."""
        if words is not self.words and words != self.words:
            self.words, self.rest = words, self._laid_out(words)
        _, address = forbid_multi_line_headers("To", row.address, "utf-8")
        own = f"To: {address}\r\nMessage-ID: {row.message_id}\r\n"
        row.content = own.encode("ascii") + self.rest
        self.written.append(row)

    def _laid_out(self, words: Words) -> bytes:
        """Everything but what tells two copies apart."""
        mail = EmailMultiAlternatives(
            # A name with a line break in it must not become a second header.
            subject=" ".join(words.subject.split()),
            body=render_to_string("reminders/mail.txt", {"words": words}),
            headers={
                "Message-ID": "each its own",
                "Date": self.date,
                "Auto-Submitted": "auto-generated",
                "X-Auto-Response-Suppress": "All",
                **({"List-Unsubscribe": f"<{words.preferences}>"} if words.preferences else {}),
            },
        )
        html = render_to_string("reminders/mail.html", {"words": words})
        mail.attach_alternative(html, "text/html")
        message = mail.message()
        del message["Message-ID"]
        return message.as_bytes(linesep="\r\n")  # type: ignore[call-arg]  # Django's own
