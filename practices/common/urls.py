"""The pages about the service itself, open to everybody, and the working calendar."""

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponseBase
from django.urls import path
from django.views.generic import TemplateView

from . import views


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
urlpatterns += [
    path("bank-holidays/", views.holidays, name="holidays"),
    path(
        "bank-holidays/<int:year>-<int:month>-<int:day>/remove/",
        views.remove_holiday,
        name="remove_holiday",
    ),
]
