"""The working calendar's one-off days."""

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from . import clock
from .access import Permission, SignedInRequest, requires
from .errors import Refused
from .fields import UKDateField
from .forms import NHSForm
from .holidays import add_one_off_day, remove_one_off_day
from .models import BankHolidayOverride
from .templatetags.uk import uk_date

OFF, WORKED = "off", "worked"


class OneOffDayForm(NHSForm):
    submit_text = "Add the day"
    day = UKDateField(
        label="Day",
        help_text="For example, 8 5 2028",
        error_messages={"required": "Enter the day"},
    )
    name = forms.CharField(
        label="What it is called",
        max_length=100,
        widget=forms.TextInput(attrs={"class": "nhsuk-input--width-20"}),
        error_messages={"required": "Enter what the day is called"},
    )
    is_working = forms.ChoiceField(
        label="What it is",
        choices=[
            (OFF, "A bank holiday that the calendar does not know"),
            (WORKED, "A bank holiday that is worked after all"),
        ],
        initial=OFF,
        widget=forms.RadioSelect,
        error_messages={"required": "Select what the day is"},
    )

    def clean_is_working(self) -> bool:
        return self.cleaned_data["is_working"] == WORKED


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.MANAGE_HOLIDAYS)
def holidays(request: SignedInRequest) -> HttpResponse:
    """Every one-off day, and the form to add one."""
    form = OneOffDayForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            added = add_one_off_day(by=request.user, at=clock.now(), **form.cleaned_data)
        except Refused as refusal:
            form.add_error("day", str(refusal))
        else:
            messages.success(request, f"{uk_date(added.day)} is added: {added.name}.")
            return redirect("holidays")
    return render(
        request,
        "common/holidays.html",
        {"form": form, "days": BankHolidayOverride.objects.order_by("-day")},
        status=422 if form.is_bound else 200,
    )


@require_POST
@requires(Permission.MANAGE_HOLIDAYS)
def remove_holiday(request: SignedInRequest, year: int, month: int, day: int) -> HttpResponse:
    """Take a one-off day out of the list."""
    found = BankHolidayOverride.objects.filter(
        day__year=year, day__month=month, day__day=day
    ).first()
    if found:
        remove_one_off_day(day=found.day, by=request.user, at=clock.now())
        messages.success(request, f"{uk_date(found.day)} is removed: {found.name}.")
    return redirect("holidays")
