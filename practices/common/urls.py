"""The pages about the service itself, open to everybody."""

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponseBase
from django.urls import path
from django.views.generic import TemplateView


def _page(name: str) -> Callable[..., HttpResponseBase]:
    return login_not_required(
        TemplateView.as_view(
            template_name=f"pages/{name}.html",
            extra_context={"support_email": settings.SUPPORT_EMAIL},
        )
    )


urlpatterns = [
    path(f"{name}/", _page(name), name=name) for name in ("accessibility", "privacy", "cookies")
]
