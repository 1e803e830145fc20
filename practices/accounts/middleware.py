"""An administrator sees pages as another person does, and can change nothing.

``request.user`` is the person looked at, so every page shows what that person sees.
The administrator stays known as ``request.viewing.administrator``. Whether this is still
allowed is asked again for every request.
"""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse

from practices.common import clock

from . import services
from .models import User

logger = logging.getLogger(__name__)

_KEY = "viewing"
STOP = "accounts:stop_viewing"
SAFE = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True)
class Viewing:
    """Who is looking, and as whom."""

    administrator: User
    person: User

    @property
    def roles(self) -> str:
        """What the person is, in words: ``Practice manager, Lead GP``."""
        held = dict.fromkeys(m.get_role_display() for m in self.person.current_memberships)
        return ", ".join(held) or "no role"


def remember(request: HttpRequest, person: User, *, at: datetime) -> None:
    """From the next request on, look as ``person``."""
    request.session[_KEY] = {"person": person.pk, "since": at.timestamp()}


def forget(request: HttpRequest) -> int | None:
    """Look as oneself again; whom one looked as."""
    kept = request.session.pop(_KEY, None)
    return kept["person"] if kept else None


class ViewAs:
    """Comes after the one that knows who is signed in, and before all that asks what they may."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        kept = request.session.get(_KEY)
        if kept and isinstance(request.user, User):
            person = User.objects.filter(pk=kept["person"]).first()
            now = clock.now()
            over = now.timestamp() - kept["since"] >= services.LONGEST_VIEW.total_seconds()
            if over or person is None or not services.may_be_viewed(person, request.user):
                return self._ended(request, request.user, now)
            viewing: Any = Viewing(administrator=request.user, person=person)
            # The request's id joins this line to all others of the request.
            logger.info("Administrator %s looks as person %s.", request.user.pk, person.pk)
            request.viewing = viewing  # type: ignore[attr-defined]
            request.user = person
            return _switched_off(self.get_response(request))
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_: Any) -> HttpResponseBase | None:
        viewing = getattr(request, "viewing", None)
        if viewing is None or request.resolver_match is None:
            return None
        if request.resolver_match.view_name == STOP:
            request.user = viewing.administrator
            return None
        own_account = (request.resolver_match.url_name or "").startswith("account_")
        if request.method not in SAFE or own_account:
            return _refused(request)
        return None

    def _ended(self, request: HttpRequest, administrator: User, now: datetime) -> HttpResponse:
        """Not any more. What was being sent was meant for another person's page: it is refused."""
        viewed = forget(request)
        if viewed is not None:
            services.stop_viewing(person_id=viewed, by=administrator, at=now)
        if request.method in SAFE:
            return redirect("accounts:person", viewed)
        return _refused(request)


def _refused(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/only_looking.html", status=403)


_FORM = re.compile(rb'(<form\b[^>]*\smethod="post"[^>]*>)(.*?)(</form>)', re.DOTALL)
_ID = re.compile(rb'\sid="([^"]*)"')
# A field may stand outside its form and name it, such as a tick box in a list.
_FIELD_OF = re.compile(rb'<(?:input|select|textarea|button)\b[^>]*\sform="([^"]*)"')


def _switched_off(response: HttpResponse) -> HttpResponse:
    """The page with every form off that would be refused, so that nobody fills one in for nothing.

    Here and not in the templates: no form, whoever writes it, can be left out.
    """
    if response.streaming or not response.get("Content-Type", "").startswith("text/html"):
        return response
    stop = reverse(STOP).encode()
    ids: set[bytes] = set()

    def off(form: re.Match[bytes]) -> bytes:
        head, inside, end = form.groups()
        if b'action="%s"' % stop in head:
            return form[0]
        ids.update(_ID.findall(head))
        return (
            head + b'<fieldset class="app-only-looking" disabled>' + inside + b"</fieldset>" + end
        )

    def field_off(field: re.Match[bytes]) -> bytes:
        return field[0] + (b" disabled" if field[1] in ids else b"")

    content = _FORM.sub(off, response.content)
    response.content = _FIELD_OF.sub(field_off, content)
    return response
