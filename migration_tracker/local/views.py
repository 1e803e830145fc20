"""The mail that `make run` kept instead of sending it."""

import email
import email.policy
from dataclasses import dataclass
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

SHOWN = 200


@dataclass(frozen=True)
class KeptMail:
    """One mail as the development page shows it."""

    name: str
    kept_at: datetime
    recipients: str
    subject: str
    text: str
    html_as_text: str
    links: list[str]


class _Reader(HTMLParser):
    """The words and the links of an HTML part, so that its markup is never run."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: list[str] = []
        self.hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.hidden += tag in {"style", "script", "title"}
        href = dict(attrs).get("href") or ""
        if tag == "a" and href.startswith(("http://", "https://")):
            self.links.append(href)

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag in {"style", "script", "title"}

    def handle_data(self, data: str) -> None:
        if data.strip() and not self.hidden:
            self.words.append(data.strip())


def read(path: Path) -> KeptMail:
    """Read one kept mail. Raises OSError when the file is gone."""
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    parts = {}
    for kind in ("plain", "html"):
        part = message.get_body(preferencelist=(kind,))
        parts[kind] = part.get_content() if part else ""
    reader = _Reader()
    reader.feed(parts["html"])
    return KeptMail(
        name=path.stem,
        kept_at=datetime.fromtimestamp(path.stat().st_mtime, UTC),
        recipients=str(message["To"] or ""),
        subject=str(message["Subject"] or ""),
        text=parts["plain"],
        html_as_text="\n".join(reader.words),
        links=list(dict.fromkeys(reader.links)),
    )


def kept() -> list[Path]:
    """The files of kept mail, newest first."""
    if not settings.DEV_MAIL_DIR:
        return []
    return sorted(Path(settings.DEV_MAIL_DIR).glob("*.eml"), reverse=True)


@login_not_required
def mailbox(request: HttpRequest) -> HttpResponse:
    """List the newest mails."""
    paths = kept()
    mails = [read(path) for path in paths[:SHOWN]]
    return render(request, "dev/mailbox.html", {"mails": mails, "total": len(paths)})


@login_not_required
def mail(request: HttpRequest, name: str) -> HttpResponse:
    """Show one mail: its text part, and the words and links of its HTML part."""
    for path in kept():
        if path.stem == name:
            return render(request, "dev/mail.html", {"mail": read(path)})
    raise Http404
