"""How mail is delivered: for administrators all of it, for project managers what went wrong."""

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from practices.common import clock
from practices.common.access import Permission, SignedInRequest, requires
from practices.common.errors import Refused
from practices.common.forms import PlainErrors
from practices.reminders import deliveries
from practices.reminders.models import Notification

PER_PAGE = 50


class Filters(PlainErrors, forms.Form):
    """What to list; its address may be kept."""

    state = forms.ChoiceField(
        label="State", required=False, choices=[("", "All"), *deliveries.STATES.items()]
    )
    kind = forms.ChoiceField(
        label="Kind", required=False, choices=[("", "All"), *Notification.Kind.choices]
    )


@require_safe
@requires(Permission.RESEND_MAIL)
def delivery(request: SignedInRequest) -> HttpResponse:
    """What is due, sent, retried and given up, with the mail server's words."""
    now = clock.now()
    rows = deliveries.deliveries_for(request.user)
    form = Filters(request.GET)
    form.is_valid()
    asked = form.cleaned_data
    sees_all = request.user.may(Permission.VIEW_DELIVERY)
    found = rows
    if asked.get("state"):
        found = found.filter(deliveries.in_state(asked["state"], now))
    if asked.get("kind"):
        found = found.filter(kind=asked["kind"])
    page = Paginator(deliveries.listed(found), PER_PAGE).get_page(request.GET.get("page"))
    counted = deliveries.counts(rows, now) if sees_all else {}
    context = {
        "form": form,
        "sees_all": sees_all,
        "counters": [
            (text, counted[key], key) for key, text in deliveries.STATES.items() if counted
        ],
        "showing": deliveries.STATES.get(asked.get("state", "")) if sees_all else "",
        "page_obj": page,
        "rows": [deliveries.Delivery(row) for row in page.object_list],
    }
    return render(request, "reminders/delivery.html", context, status=422 if form.errors else 200)


@require_POST
def resend(request: SignedInRequest, pk: int) -> HttpResponse:
    """Try a mail that was given up once more, for whoever looks after it."""
    row = get_object_or_404(deliveries.deliveries_for(request.user), pk=pk)
    try:
        deliveries.resend(notification=row, by=request.user, at=clock.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "The mail is tried again within two minutes.")
    return redirect("reminders:delivery")
