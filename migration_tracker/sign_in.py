"""Signing in before everything else. Apart from middleware.py, which loads before the apps do."""

from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme


class SignInFirst(LoginRequiredMiddleware):
    """Login required by default. Who was signed out before a form was sent comes back to its page.

    The address a form is sent to may be one that shows no page.
    """

    def handle_no_permission(self, request: HttpRequest, view_func: Any) -> HttpResponseRedirect:
        if request.method in ("GET", "HEAD"):
            return super().handle_no_permission(request, view_func)
        messages.error(request, "You were signed out, and this was not saved. Sign in to go back.")
        return redirect_to_login(_page_of_the_form(request))


def _page_of_the_form(request: HttpRequest) -> str:
    """Path and query of the page a form was sent from, if the browser says so and it is ours."""
    page = urlsplit(request.headers.get("Referer", ""))
    path = page._replace(scheme="", netloc="", fragment="").geturl()
    ours = page.netloc == request.get_host() and url_has_allowed_host_and_scheme(path, None)
    return path if ours else "/"
