"""Signing in before everything else. Apart from middleware.py, which loads before the apps do."""

from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.csrf import csrf_failure
from django_htmx.http import HttpResponseClientRedirect

from . import unsent


class SignInFirst(LoginRequiredMiddleware):
    """Login required by default. Nobody loses what they typed because their session has ended.

    After sign-in they come to what they sent (unsent.py). What cannot be kept leads back to the
    page of its form, because the address a form is sent to may be one that shows no page.
    """

    def process_view(
        self, request: HttpRequest, view_func: Any, view_args: Any, view_kwargs: Any
    ) -> HttpResponseBase | None:
        if request.user.is_authenticated:
            return unsent.answer(request)
        return super().process_view(request, view_func, view_args, view_kwargs)

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        if not hasattr(request, "viewing"):
            unsent.remember(request, response)
        return response

    def handle_no_permission(self, request: HttpRequest, view_func: Any) -> Any:
        if request.method in ("GET", "HEAD"):
            return super().handle_no_permission(request, view_func)
        return _sign_in_again(request)


def stale_page(request: HttpRequest, reason: str = "") -> HttpResponse:
    """CSRF_FAILURE_VIEW: a page opened before its person was signed out, or signed in again.

    Only what the browser itself says comes from a page of ours is kept; the rest is refused.
    """
    view = request.resolver_match and request.resolver_match.func
    ours = request.headers.get("Origin") == f"{request.scheme}://{request.get_host()}"
    if ours and getattr(view, "login_required", True):
        if not request.user.is_authenticated:
            return _sign_in_again(request)
        if unsent.keep(request, _page_of_the_form(request)):
            return _go(request, redirect(request.get_full_path()))
    return csrf_failure(request, reason)


def _sign_in_again(request: HttpRequest) -> HttpResponse:
    page = _page_of_the_form(request)
    if unsent.keep(request, page):
        # Signing in gives the session its usual length again.
        request.session.set_expiry(unsent.KEPT_FOR)
        page = request.get_full_path()
        messages.warning(
            request, "You were signed out before this was saved. Sign in to see it and send it."
        )
    else:
        messages.error(request, "You were signed out, and this was not saved. Sign in to go back.")
    return _go(request, redirect_to_login(page))


def _go(request: HttpRequest, way: HttpResponse) -> HttpResponse:
    """Take the whole page there, also when htmx asked for a piece of one."""
    asked_by_htmx = request.headers.get("HX-Request")
    return HttpResponseClientRedirect(way["Location"]) if asked_by_htmx else way


def _page_of_the_form(request: HttpRequest) -> str:
    """Path and query of the page a form was sent from, if the browser says so and it is ours."""
    page = urlsplit(request.headers.get("Referer", ""))
    path = page._replace(scheme="", netloc="", fragment="").geturl()
    ours = page.netloc == request.get_host() and url_has_allowed_host_and_scheme(path, None)
    return path if ours else "/"
