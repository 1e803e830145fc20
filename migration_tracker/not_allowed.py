"""A page where Django answers 405 with nothing, and the browser shows an error page of its own.

People come to an address that only takes a form without doing anything odd: the page of a refused
form has it, and Enter in the address bar asks for it.
"""

import inspect
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.loader import render_to_string
from django.urls import Resolver404, resolve

NO_PAGE = {"tracking:evidence_file"}  # a download, at an address as pages have


class NotAllowed:
    """Write the page of a 405; its status and its Allow header stay. htmx shows its own notice."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if isinstance(response, HttpResponseNotAllowed) and not request.headers.get("HX-Request"):
            context = {"belongs_to": belongs_to(request.path)}
            response.content = render_to_string("405.html", context, request)
        return response


def belongs_to(path: str) -> str:
    """The nearest address that shows a page: this one, or one above it."""
    while path != "/" and not _shows_a_page(path):
        path = path.rstrip("/").rpartition("/")[0] + "/"
    return path


def _shows_a_page(path: str) -> bool:
    try:
        found = resolve(path)
    except Resolver404:
        return False
    if not path.endswith("/") or found.view_name in NO_PAGE:
        return False
    # What Django's decorators of allowed methods keep; a view without one takes GET.
    methods = inspect.getclosurevars(found.func).nonlocals.get("request_method_list", ["GET"])
    return "GET" in methods
