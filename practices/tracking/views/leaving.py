"""Ending a role. Here and not with the other pages about people, because tasks go with it."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from practices.accounts.models import Membership
from practices.accounts.queries import colleagues
from practices.common import clock
from practices.common.access import SignedInRequest
from practices.common.errors import Refused
from practices.common.time import london_date
from practices.tracking import services
from practices.tracking.forms.leaving import KEEP, LeaveForm
from practices.tracking.models import Migration
from practices.tracking.services.leaving import tasks_left_by

MOST_SHOWN = 50


@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: SignedInRequest, pk: int) -> HttpResponse:
    """What somebody leaves behind, who takes it over, and then the role ends."""
    now = clock.now()
    today = london_date(now)
    membership = get_object_or_404(
        Membership.objects.looked_after_by(request.user)
        .not_over(today)
        .select_related("person", "organisation", "deputy_for"),
        pk=pk,
    )
    person = membership.person
    others = person.memberships.held_on(today).filter(organisation=membership.organisation)
    tasks = tasks_left_by(membership)
    number = tasks.count()
    form = LeaveForm(
        request.POST if request.method == "POST" else None,
        person=person,
        people=colleagues(membership, today).order_by("name", "pk"),
        stays=others.exclude(pk=membership.pk).exists(),
    )
    if not number:
        del form.fields["hand_to"]
    if form.is_bound and form.is_valid():
        chosen = form.cleaned_data.get("hand_to", "")
        try:
            handed = services.leave(
                membership=membership,
                hand_to=form.people.get(chosen),
                keep=chosen == KEEP,
                by=request.user,
                at=now,
            )
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            done = f"{person} is no longer {membership.get_role_display()}."
            passed_on = f" {handed} task{'' if handed == 1 else 's'} handed on." if handed else ""
            messages.success(request, done + passed_on)
            return redirect("accounts:people")
    form.cancel_url = reverse("accounts:person", args=(person.pk,))
    manages = Migration.objects.active().of_membership(membership).filter(project_manager=person)
    return render(
        request,
        "tracking/leave.html",
        {
            "form": form,
            "membership": membership,
            "person": person,
            "number": number,
            "tasks": tasks.with_people()
            .select_related("migration__practice__organisation")
            .soonest_first()[:MOST_SHOWN],
            "deputies": person.deputies.not_over(today)
            .filter(organisation=membership.organisation, role=membership.role)
            .select_related("person"),
            "manages": manages.with_people()[:MOST_SHOWN],
            "today": today,
        },
        status=422 if form.errors else 200,
    )
