"""Visitors: people with a browser of their own on the real site."""

from collections.abc import Callable
from functools import lru_cache

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher

from tests.support.pages import NewPage
from tests.support.site import LiveApp

from .visitor import Visitor, WithoutMouse

NewVisitor = Callable[..., Visitor]


hashed = lru_cache(PBKDF2PasswordHasher().encode)


class HashedOnce(PBKDF2PasswordHasher):
    """The site's own hasher with its million rounds, which the same password goes through once."""

    def salt(self) -> str:
        return "as long as the site wishes"

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        return hashed(password, salt, iterations)


@pytest.fixture(autouse=True)
def passwords_of_the_site(settings) -> None:
    """People sign in at the real site, which does not know the cheap hasher of other tests."""
    settings.PASSWORD_HASHERS = [f"{__name__}.{HashedOnce.__name__}"]


@pytest.fixture
def new_visitor(new_page: NewPage, live_app: LiveApp) -> NewVisitor:
    """new_visitor(scripts=False): another person, nobody signed in yet.

    With ``mouse=False`` they do everything with the keyboard.
    """

    def make(*, scripts: bool = True, mouse: bool = True) -> Visitor:
        kind = Visitor if mouse else WithoutMouse
        return kind(new_page(javascript=scripts), live_app.url, scripts)

    return make


@pytest.fixture
def visitor(new_visitor: NewVisitor) -> Visitor:
    return new_visitor()
