"""Pages that list, add, change, move and remove the parts of a draft, whatever their kind."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from practices.common import clock
from practices.common.access import SignedInRequest
from practices.common.errors import Conflict, Refused
from practices.plans import services
from practices.plans.forms import FORMS, READS, PartForm, PhaseChoice, SampleForm
from practices.plans.models import PlanVersion
from practices.plans.queries import draft_of, part_rows, part_seen, task_entry, tree_of
from practices.plans.rules import PLAN, Part, Wording, differences, find, key_of, tied

from .common import with_draft
from .due_line import BLANK, dated_part, line_for, sample_go_live
from .kinds import BY_NAME, Kind

TEXTS = ("guidance", "lesson")  # of a task, in Markdown
DETAILS = Kind(PLAN, "details", "plan", "Details", "")


@require_GET
@with_draft
def draft_parts(request: SignedInRequest, version: PlanVersion, kind: Kind) -> HttpResponse:
    """The parts of one kind, in their order."""
    slug = version.plan.slug
    if kind.name == "task":
        return redirect("plans:draft_parts", slug, "phases")
    return render(request, "plans/draft/parts.html", _listed(version, kind))


def _listed(version: PlanVersion, kind: Kind) -> dict[str, Any]:
    return {"version": version, "kind": kind, "rows": part_rows(tree_of(version), kind.name)}


@require_http_methods(["GET", "POST"])
@with_draft
def draft_add(request: SignedInRequest, version: PlanVersion, kind: Kind) -> HttpResponse:
    """Add a part; a task to the phase that the address names."""
    slug = version.plan.slug
    tree = tree_of(version)
    more: dict[str, Any] = {"cancel_url": _list_of(slug, kind, {"phase": ""})}
    if kind.name == "task":
        phase = request.GET.get("phase", "")
        if phase not in {one.key for one in tree.phases}:
            return redirect("plans:draft_parts", slug, "phases")
        more = {"phase": phase, "cancel_url": _list_of(slug, kind, {"phase": phase})}
    posted = request.POST if request.method == "POST" else None
    form = FORMS[kind.name](posted, tree=tree, part=None, **more)
    status = 422 if form.is_bound else 200
    if READS in request.POST:
        status = 200
    elif form.is_valid():
        part = form.values()
        try:
            services.add_part(
                version=version, kind=kind.name, part=part, by=request.user, at=clock.now()
            )
        except Refused as refusal:
            form.add_error(None, str(refusal))
            status = 409
        else:
            messages.success(request, f"The {kind.noun} “{part['title']}” is added.")
            return _back(slug, kind, part)
    context = _form_context(request, version, kind, form, "")
    return render(request, "plans/draft/add.html", context, status=status)


@require_http_methods(["GET", "POST"])
@with_draft
def draft_edit(
    request: SignedInRequest, version: PlanVersion, kind: Kind, key: str
) -> HttpResponse:
    """Change what one part says."""
    return _edit(request, version, kind, key)


@require_http_methods(["GET", "POST"])
@with_draft
def draft_details(request: SignedInRequest, version: PlanVersion) -> HttpResponse:
    """Change what the plan itself is called, is for and comes from."""
    return _edit(request, version, DETAILS, "")


def _edit(request: SignedInRequest, version: PlanVersion, kind: Kind, key: str) -> HttpResponse:
    slug, tree = version.plan.slug, tree_of(version)
    part = find(version.content or {}, kind.name, key)
    if part is None and request.method == "GET":
        raise Http404
    cancel_url = _list_of(slug, kind, part or {"phase": ""})
    posted, had = None, part
    if request.method == "POST":
        posted, had = request.POST, part and _part_before(request, version, kind, key)
    form = FORMS[kind.name](posted, tree=tree, part=had or {}, cancel_url=cancel_url)
    reads = READS in request.POST
    if reads or not form.is_valid():
        context = _form_context(request, version, kind, form, key)
        status = 422 if form.is_bound and not reads else 200
        return render(request, "plans/draft/edit.html", context, status=status)
    try:
        edit = services.set_fields(
            version=version,
            kind=kind.name,
            key=key,
            values=form.values(),
            seen=seen_revision(request, version),
            by=request.user,
            at=clock.now(),
        )
    except Conflict as conflict:
        fresh = draft_of(slug) or version
        context = _conflict_context(request, fresh, kind, form, key, conflict)
        return render(request, "plans/draft/edit.html", context, status=409)
    title = form.cleaned_data["title"]
    if edit:
        messages.success(request, f"“{title}” is saved.")
    else:
        messages.info(request, f"“{title}” says that already: nothing was changed.")
    return _back(slug, kind, part or {})


def _part_before(
    request: SignedInRequest, version: PlanVersion, kind: Kind, key: str
) -> Part | None:
    """The part as the person had it before them: what was typed is read as a change of that."""
    try:
        seen = seen_revision(request, version)
    except Conflict:
        return find(version.content or {}, kind.name, key)
    return part_seen(version, kind.name, key, seen)


def seen_now(version: PlanVersion) -> str:
    """What a form says of the draft that it shows."""
    return f"{version.pk}-{version.revision}"


def seen_revision(request: SignedInRequest, version: PlanVersion) -> int:
    """The revision that the person had before them, as the form says it.

    Raises Conflict when that was another draft, which has been discarded since.
    """
    draft, _, revision = request.POST.get("seen", "").partition("-")
    if draft != str(version.pk) or not revision.isdecimal():
        raise Conflict("This draft has been discarded or replaced since you opened the page.")
    return int(revision[:9])


def _conflict_context(
    request: SignedInRequest,
    version: PlanVersion,
    kind: Kind,
    typed: PartForm,
    key: str,
    conflict: Conflict,
) -> dict[str, Any]:
    """The form with what this person changed upon what the draft says now, to be saved again.

    The table says both values of what is to be decided: the fields that two people changed, or,
    where nobody can tell who changed what, all that differ.
    """
    now = find(version.content or {}, kind.name, key)
    more: dict[str, Any] = {"errors": [str(conflict)], "seen": seen_now(version)}
    if now is None:
        return _form_context(request, version, kind, typed, key) | more
    mine = asked = typed.values()
    if isinstance(conflict, services.Clashing):
        both = {name for clash in conflict.clashes for name in tied(kind.name, clash.field)}
        mine = conflict.mine
        asked = {name: value for name, value in mine.items() if name in both}
        more["other"] = conflict.edit
    tree = tree_of(version)
    more["clashes"] = differences(kind.name, now, now | asked, Wording(tree))
    form = FORMS[kind.name](tree=tree, part=now | mine, cancel_url=typed.cancel_url)
    return _form_context(request, version, kind, form, key) | more


def _form_context(
    request: SignedInRequest, version: PlanVersion, kind: Kind, form: PartForm, key: str
) -> dict[str, Any]:
    """A form with the live date, where its kind has one, and the codes that complete a task."""
    context: dict[str, Any] = {"version": version, "kind": kind, "form": form, "key": key}
    context["seen"] = request.POST.get("seen") or seen_now(version)
    if kind.name in ("task", "clock", "reminder"):
        context["codes"] = [(task.code, task.title) for task in form.tree.tasks()]
    if READS in request.POST and form.is_bound:
        typed = ((name, form[name].value()) for name in TEXTS if name in form.fields)
        context["reads"] = [(form.fields[name].label, text) for name, text in typed if text]
    if kind.name in BLANK:
        shown = dated_part(version, form, key) if form.is_bound else form.part or None
        context["due"] = line_for(request, version, kind.name, shown)
        context["sample_form"] = SampleForm(
            initial={"go_live": sample_go_live(request, clock.now())}
        )
    if kind.name == "task" and form.part:
        context["move_form"] = PhaseChoice(
            tree=form.tree,
            without=form.part["phase"],
            label="Move to another phase",
            submit="Move the task",
        )
        context["learnt"] = task_entry(version, key, request.user)
    return context


@require_http_methods(["GET", "POST"])
@with_draft
def draft_remove(
    request: SignedInRequest, version: PlanVersion, kind: Kind, key: str
) -> HttpResponse:
    """Take a part out, after asking; a phase goes with its tasks."""
    slug = version.plan.slug
    content = version.content or {}
    part = find(content, kind.name, key)
    if part is None:
        messages.info(request, "This has been removed already.")
        return redirect("plans:draft_parts", slug, kind.path)
    if request.method == "GET":
        tasks = [one for one in content["task"] if kind.name == "phase" and one["phase"] == key]
        context = {
            "version": version,
            "kind": kind,
            "part": part,
            "key": key,
            "tasks": len(tasks),
            "back": _list_of(slug, kind, part),
        }
        return render(request, "plans/draft/remove.html", context)
    services.remove_part(version=version, kind=kind.name, key=key, by=request.user, at=clock.now())
    messages.success(
        request, f"The {kind.noun} “{part['title']}” is removed. Changes can take it back."
    )
    return _back(slug, kind, part)


@require_POST
@with_draft
def draft_move(
    request: SignedInRequest, version: PlanVersion, kind: Kind, key: str
) -> HttpResponse:
    """Move a part up or down by one, behind another one, or a task to another phase."""
    slug = version.plan.slug
    who: dict[str, Any] = {"by": request.user, "at": clock.now()}
    part: Part = find(version.content or {}, kind.name, key) or {"phase": ""}
    try:
        if "behind" in request.POST:
            services.move_part(
                version=version, kind=kind.name, key=key, behind=request.POST["behind"], **who
            )
        elif kind.name == "task" and request.POST.get("phase"):
            phase = request.POST["phase"]
            services.move_to_phase(version=version, code=key, phase=phase, **who)
            part = {**part, "phase": phase}
            messages.success(request, f"{key} is moved to the end of this phase.")
        else:
            up = request.POST.get("to") == "up"
            services.shift_part(version=version, kind=kind.name, key=key, up=up, **who)
    except Conflict as conflict:
        messages.error(request, str(conflict))
    return redirect(f"{_list_of(slug, kind, part)}#row-{key}")


def _back(slug: str, kind: Kind, part: Part) -> HttpResponse:
    key = key_of(kind.name, part) if kind.name != PLAN and part.get("title") else ""
    return redirect(_list_of(slug, kind, part) + (f"#row-{key}" if key else ""))


def _list_of(slug: str, kind: Kind, part: Part) -> str:
    """The page that lists what this part stands among."""
    if kind.name == PLAN:
        return reverse("plans:draft", args=[slug])
    if kind.name == "task" and part.get("phase"):
        return reverse("plans:draft_tasks", args=[slug, part["phase"]])
    return reverse("plans:draft_parts", args=[slug, BY_NAME[kind.name].path])
