"""What a person sent when their session had ended, kept until they are back and say what to do.

It lies in the session of that browser, under the address it was sent to, for the person who was
signed in there last. Nothing is done with it unless that person is back, has seen it and presses
the button: then the browser sends it as any form. Signing in keeps the session's data under a new
key; signing out deletes it.
"""

import json
import re
from typing import Any

from allauth.core import ratelimit
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from practices.common import clock
from practices.common.patient_data import holds_nhs_number

KEPT_FOR = 60 * 60  # seconds
MOST = 100_000  # characters, of all that one browser sent
WHOSE = "last_signed_in"  # the cookie
WHOSE_FOR = 24 * 60 * 60  # seconds: longer than any session, and an hour
NEVER = ("csrfmiddlewaretoken", "declared")
_KEY = "unsent"
_THROW_AWAY = "app-throw-away"
_MARK = "seen"  # what our pages send of the state they showed
_PART = re.compile(r"_(day|month|year|time|fold)$")  # a date has a box for each


def keep(request: HttpRequest, page: str) -> bool:
    """Keep what was typed; say whether there was anything, and room for it.

    Call it only for what our own page sent: after Django's check of the CSRF token, or with an
    ``Origin`` that is ours. ``page`` is where the form stood. Files and passwords are not kept,
    nor what could be an NHS number, nor what a browser sends that nobody has signed in with, nor
    that somebody declared what they had read: that is done with the statement in view.
    """
    owner = request.user.pk or _last_signed_in(request)
    typed = [
        (name, value)
        for name, values in request.POST.lists()
        for value in values
        if name not in NEVER and "password" not in name.lower()
    ]
    address = request.get_full_path()
    before = _kept(request)
    sent = {
        "typed": typed,
        "files": bool(request.FILES),
        "page": before.pop(address, {}).get("page", page),
        "owner": owner,
        "until": clock.now().timestamp() + KEPT_FOR,
    }
    kept = {**before, address: sent}
    while len(json.dumps(kept)) > MOST:
        del kept[next(iter(kept))]
    # Anybody can send forms: what they may fill the database with has a limit (settings.py).
    if not any(value.strip() for _, value in typed) or address not in kept:
        return False
    if owner is None or any(holds_nhs_number(value) for _, value in typed):
        return False
    if not ratelimit.consume(request, action="keep_unsent"):
        return False
    request.session[_KEY] = kept
    return True


def answer(request: HttpRequest) -> HttpResponse | None:
    """The page that asks, while something sent to this address is kept; None for the view."""
    if _KEY not in request.session:
        return None
    kept = _kept(request)
    sent = kept.get(request.get_full_path())
    if sent is None or sent["owner"] != request.user.pk:
        return None
    if request.method == "POST":
        # Saved only with an answer below 500: what fails is still kept.
        request.session[_KEY] = {at: other for at, other in kept.items() if other is not sent}
        return redirect(sent["page"]) if _THROW_AWAY in request.POST else None
    if request.method != "GET" or request.headers.get("HX-Request"):
        return None
    return render(request, "pages/unsent.html", {**sent, "shown": _readable(sent["typed"])})


def remember(request: HttpRequest, response: HttpResponse) -> None:
    """Let the browser say later whose page it was, when the session that knew has ended."""
    if request.user.is_authenticated and _last_signed_in(request) != request.user.pk:
        response.set_signed_cookie(
            WHOSE,
            str(request.user.pk),
            max_age=WHOSE_FOR,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )


def _last_signed_in(request: HttpRequest) -> int | None:
    said = request.get_signed_cookie(WHOSE, default="", max_age=WHOSE_FOR)
    return int(said) if said else None


def _kept(request: HttpRequest) -> dict[str, dict[str, Any]]:
    """What is not too old, by the address it was sent to."""
    now = clock.now().timestamp()
    kept = request.session.get(_KEY, {})
    return {address: sent for address, sent in kept.items() if sent["until"] > now}


def _readable(typed: list[tuple[str, str]]) -> dict[str, str]:
    """What was typed, under the names of its boxes; the parts of a date stand together."""
    shown: dict[str, list[str]] = {}
    for name, value in typed:
        if value.strip() and name != _MARK:
            # What stands before a hyphen is the prefix of a form.
            words = _PART.sub("", name).rpartition("-")[2].replace("_", " ")
            shown.setdefault(words.capitalize(), []).append(value)
    return {name: ", ".join(values) for name, values in shown.items()}
