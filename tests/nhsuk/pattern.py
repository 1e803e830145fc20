"""Pages with every kind of field and component, for the tests here and no installation."""

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from crispy_forms.layout import Fieldset
from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import URLPattern, URLResolver, include, path
from django.views import defaults

from migration_tracker import views as site
from practices.common.fields import UKDateField, UKDateTimeField
from practices.common.forms import NHSForm
from practices.common.layout import ButtonGroup, Link, Submit

HERE = Path(__file__).parent
CHOICES = [("emis", "EMIS Web"), ("tpp", "TPP SystmOne")]


class EveryField(NHSForm):
    name = forms.CharField(label="Practice name", help_text="As on its website", max_length=40)
    email = forms.EmailField(label="Email address")
    patients = forms.IntegerField(label="Number of patients", min_value=1)
    password = forms.CharField(label="Password", widget=forms.PasswordInput)
    system = forms.ChoiceField(
        label="Source system",
        choices=[("", "Select a system"), *CHOICES],
        help_text="The one you leave",
    )
    reason = forms.CharField(
        label="Reason",
        max_length=100,
        widget=forms.Textarea,
        help_text="Do not enter patient names",
    )
    note = forms.CharField(label="Note", widget=forms.Textarea, required=False)
    target = forms.ChoiceField(
        label="Target system",
        choices=CHOICES,
        widget=forms.RadioSelect,
        help_text="The one you go to",
    )
    options = forms.MultipleChoiceField(
        label="What applies",
        choices=[("dispensing", "Dispensing"), ("branch", "Branch sites")],
        widget=forms.CheckboxSelectMultiple,
    )
    signed_on = UKDateField(label="Contract signed", help_text="For example, 6 2 2026")
    go_live = UKDateTimeField(label="Planned go-live", help_text="For example, 6 2 2027 and 08:00")
    evidence = forms.FileField(label="Evidence", help_text="A PDF or a picture")
    agreed = forms.BooleanField(label="I have read the statement", help_text="You sign as yourself")
    version = forms.IntegerField(widget=forms.HiddenInput, initial=3)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["target"].choice_hints = {"tpp": "Hosted by the supplier"}  # type: ignore[attr-defined]

    def layout(self) -> list[Any]:
        names = list(self.fields)
        return [
            Fieldset("About the practice", *names[:3]),
            *names[3:],
            ButtonGroup(
                Submit("Save and continue"),
                Submit("Save as draft", name="draft", value="1", variant="secondary"),
                Submit("Delete", name="delete", value="1", variant="warning"),
                Link("Cancel", "/pattern/"),
            ),
        ]


def _page(request: HttpRequest, name: str, status: int = 200, **context: Any) -> HttpResponse:
    text = (HERE / f"{name}.html").read_text(encoding="utf-8")
    return HttpResponse(engines["django"].from_string(text).render(context, request), status=status)


@login_not_required
def form(request: HttpRequest) -> HttpResponse:
    filled = EveryField(request.POST, request.FILES) if request.method == "POST" else EveryField()
    return _page(request, "form", 422 if filled.is_bound and filled.errors else 200, form=filled)


class AnnArcher:
    is_authenticated = True

    def __str__(self) -> str:
        return "Ann Archer"


@login_not_required
def components(request: HttpRequest) -> HttpResponse:
    messages.success(request, "CUT-16 is done")
    messages.info(request, "Two dates moved")
    messages.error(request, "Go-live was not recorded: the go-live data is not signed off.")
    return _page(
        request,
        "components",
        user=AnnArcher(),
        nav_items=[
            SimpleNamespace(url="/pattern/", text="Your migration", current=True),
            SimpleNamespace(url="/pattern/a/", text="All migrations", current=False),
            SimpleNamespace(url="/pattern/b/", text="Plans", current=False),
            SimpleNamespace(url="/pattern/c/", text="Organisations", current=False),
        ],
        at=datetime(2026, 2, 6, 18, 30, tzinfo=UTC),
        page_obj=Paginator(range(400), 20).page(4),
        choices=[("mine", "Mine"), ("open", "Open"), ("late", "Overdue"), ("all", "All")],
    )


@login_not_required
def fragment(request: HttpRequest) -> HttpResponse:
    """What a tick answers; ``answer`` in the post chooses how it goes."""
    answer = request.POST.get("answer") or request.GET.get("answer", "done")
    if answer == "signed-out":
        return HttpResponse(
            status=302, headers={"Location": "/accounts/login/?next=/pattern/htmx/"}
        )
    if answer == "broken":
        return HttpResponse("<!doctype html><p>broken</p>", status=500)
    return _page(request, "fragment", {"stale": 409}.get(answer, 200), answer=answer)


@login_not_required
def htmx(request: HttpRequest) -> HttpResponse:
    return _page(request, "htmx")


@login_not_required
def poll(request: HttpRequest) -> HttpResponse:
    return _page(request, "poll")


urlpatterns: list[URLPattern | URLResolver] = [
    path("accounts/", include("allauth.account.urls")),
    path("", include("practices.common.urls")),
    path("", include("practices.accounts.urls")),
    path("", include("practices.reminders.urls")),
    path(
        "pattern/",
        include(
            [
                path("form/", form),
                path("components/", components),
                path("htmx/", htmx),
                path("htmx/answer/", fragment, name="answer"),
                path("poll/", poll),
                path("400/", login_not_required(lambda r: defaults.bad_request(r, Exception()))),
                path(
                    "403/", login_not_required(lambda r: defaults.permission_denied(r, Exception()))
                ),
                path("404/", login_not_required(lambda r: defaults.page_not_found(r, Exception()))),
                path("500/", login_not_required(site.server_error)),
            ]
        ),
    ),
]
handler500 = "migration_tracker.views.server_error"
