"""The live line: when what is being edited falls due, for a go-live that somebody tries out."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_http_methods

from practices.common import clock
from practices.common.access import SignedInRequest
from practices.common.calendar import working_calendar
from practices.common.templatetags.uk import uk_date, uk_time
from practices.common.time import add_working_days, end_of_london_day, london_date, london_time
from practices.plans.forms import FORMS, PartForm, SampleForm
from practices.plans.models import PlanVersion
from practices.plans.queries import tree_of
from practices.plans.rules import (
    GATE_PREFIX,
    Moment,
    Part,
    Sample,
    find,
    key_of,
    listed,
    sample,
    with_part,
)

from .common import with_draft
from .kinds import KINDS, Kind

KEPT = "sample_go_live"
AHEAD = timedelta(weeks=26)
AT = time(8)
TUESDAY = 1
ADDED = "an added one"  # stands for the key that what is being added does not have yet


@dataclass(frozen=True)
class DueLine:
    """What stands under the boxes: the date in a sentence, and more where it needs saying."""

    go_live: date
    sentence: str
    more: str = ""


def sample_go_live(request: SignedInRequest, now: datetime) -> date:
    """The go-live that dates are shown for: what was chosen in this session, or a day ahead."""
    kept = request.session.get(KEPT)
    if kept:
        return date.fromisoformat(kept)
    calendar = working_calendar()
    usual = lambda day: day.weekday() == TUESDAY and calendar.is_working(day)  # noqa: E731
    return add_working_days(london_date(now) + AHEAD, 1, usual)


def line_for(
    request: SignedInRequest, version: PlanVersion, kind: str, part: Part | None
) -> DueLine:
    """The line about a part as it stands in the boxes; None where they cannot be read."""
    day = sample_go_live(request, clock.now())
    if part is None:
        return DueLine(day, "Fill in all of these boxes to see the date.")
    content = with_part(version.content or {}, kind, part)
    if str(part.get("anchor", "")).startswith(GATE_PREFIX):
        return DueLine(day, "It counts from when a gate is ready to sign, which has no date yet.")
    try:
        found = sample(
            content,
            kind,
            key_of(kind, part),
            slug=version.plan.slug,
            go_live_at=london_time(day, AT),
            is_working=working_calendar().is_working,
        )
    except OverflowError:
        return DueLine(day, "That is too far away for a calendar.")
    return DueLine(day, _sentence(day, kind, found), _more(part, found))


def _sentence(day: date, kind: str, found: Sample) -> str:
    ahead = f"For a go-live on {uk_date(day)}"
    if not found.moments:
        return (
            f"{ahead} this has no date: it hangs on something without a date, or is too far away."
        )
    said = listed([say(moment) for moment in found.moments])
    if kind == "clock" and found.start:
        return f"{ahead} this runs from {say(found.start)} to {said}."
    verb = {"key_date": "is on", "task": "is due", "reminder": "is given on"}.get(kind, "is on")
    return f"{ahead} this {verb} {said}."


def _more(part: Part, found: Sample) -> str:
    if found.own is None:
        return ""
    codes = listed([link["task"] for link in part.get("after", ())])
    return f"Without waiting for {codes} it would be due {say(found.own)}."


def say(moment: Moment) -> str:
    """A day, or a day and time."""
    if moment.at == end_of_london_day(moment.on):
        return uk_date(moment.on)
    return f"{uk_date(moment.on)} at {uk_time(moment.at)}"


def dated_part(version: PlanVersion, form: PartForm, key: str) -> Part | None:
    """The part as far as its date goes, as the boxes of a form say it."""
    said = form.timing()
    if said is None:
        return None
    blank = BLANK[form.kind] | {"code" if form.kind == "task" else "key": ADDED}
    if form.kind == "task":
        phases = [one["key"] for one in (version.content or {})["phase"]]
        blank |= {"phase": phases[0] if phases else ""}
    return {**blank, **(find(version.content or {}, form.kind, key) or {}), **said}


# What a part needs to be dated besides the boxes of its form.
BLANK: dict[str, Part] = {
    "task": {"title": "", "owner": "", "basis": ""},
    "key_date": {"title": ""},
    "clock": {"title": ""},
    "reminder": {"title": "", "tell": [], "advice": ""},
}


@require_GET
@with_draft
def draft_due(request: SignedInRequest, version: PlanVersion, kind: Kind) -> HttpResponse:
    """The line anew, from the boxes as they stand: a fragment."""
    slug = version.plan.slug
    if kind.name not in BLANK:
        return redirect("plans:draft_parts", slug, kind.path)
    line = _line_of_boxes(request, version, kind, request.GET)
    return render(request, "plans/draft/_due.html", {"due": line})


def _line_of_boxes(
    request: SignedInRequest, version: PlanVersion, kind: Kind, boxes: QueryDict
) -> DueLine:
    """The line about the part named by the box ``of``, or about one that is being added."""
    key = boxes.get("of", "")
    part = find(version.content or {}, kind.name, key)
    form = FORMS[kind.name](boxes, tree=tree_of(version), part=part)
    form.is_valid()
    return line_for(request, version, kind.name, dated_part(version, form, key))


@require_http_methods(["GET", "POST"])
@with_draft
def draft_go_live(request: SignedInRequest, version: PlanVersion) -> HttpResponse:
    """Choose the go-live that dates are shown for; in place, the line under the boxes follows."""
    slug = version.plan.slug
    initial = {"go_live": sample_go_live(request, clock.now())}
    form = SampleForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid():
        request.session[KEPT] = form.cleaned_data["go_live"].isoformat()
    kind = KINDS.get(request.POST.get("kind", ""))
    if request.htmx and kind and kind.name in BLANK:
        if form.errors:
            line = DueLine(initial["go_live"], " ".join(map(str, form.errors["go_live"])))
        else:
            line = _line_of_boxes(request, version, kind, request.POST)
        return render(request, "plans/draft/_due.html", {"due": line})
    back = request.POST.get("next", "")
    if form.is_valid():
        inside = url_has_allowed_host_and_scheme(back, allowed_hosts=None)
        return redirect(back) if inside else redirect("plans:draft", slug)
    return render(
        request,
        "plans/draft/go_live.html",
        {"form": form, "version": version, "back": back},
        status=422 if form.is_bound else 200,
    )
