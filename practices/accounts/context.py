"""The menu of every page: what this person may open, and where they are."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from practices.common.access import Permission

from .models import User


@dataclass(frozen=True)
class NavItem:
    text: str
    url: str
    current: bool = False


def navigation(request: HttpRequest) -> dict[str, Any]:
    """Template context: ``nav_items``, worked out only where a page writes the menu."""
    return {"nav_items": SimpleLazyObject(lambda: _items(request))}


def _items(request: HttpRequest) -> list[NavItem]:
    # An error page may come from before the middleware that knows who asks.
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return []
    entries = _entries(user)
    here = _current([url for _, url in entries], request.path)
    return [NavItem(text, url, current=url == here) for text, url in entries]


def _entries(user: User) -> list[tuple[str, str]]:
    portfolio = user.may(Permission.VIEW_PORTFOLIO)
    entries: list[tuple[str, str]] = []
    if user.may(Permission.MANAGE_PLANS):
        entries.append(("Home", reverse("home")))
    elif not portfolio:
        entries.append(("Your migration", reverse("home")))
    for permission, text, name in (
        (Permission.VIEW_PORTFOLIO, "Portfolio", "portfolio:dashboard"),
        (Permission.VIEW_PLANS, "Plans", "plans:plans"),
        (Permission.VIEW_DIRECTORY, "Practices", "directory:practices"),
        (Permission.START_MIGRATION, "Start a migration", "tracking:start"),
        (Permission.INVITE, "People", "accounts:people"),
    ):
        if user.may(permission):
            entries.append((text, reverse(name)))
    return entries


def _current(urls: list[str], path: str) -> str:
    """The entry whose pages ``path`` is one of.

    A migration's pages belong to where the person comes from: the portfolio, or their home.
    """
    under = [url for url in urls if url != "/" and path.startswith(url)]
    if under:
        return max(under, key=len)
    if path.startswith("/migrations/"):
        portfolio = reverse("portfolio:dashboard")
        return portfolio if portfolio in urls else "/"
    return "/" if path == "/" else ""
