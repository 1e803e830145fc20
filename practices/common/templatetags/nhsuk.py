"""Tags that write NHS.UK components. docs/front-end.md shows each with an example.

A component with other markup inside is a block tag ({% card %}...{% endcard %}); the rest are plain
tags. Their templates are in templates/components/.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from django import template
from django.core.paginator import Page
from django.template.context import Context
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from practices.common import clock
from practices.common.templatetags.uk import uk_datetime

register = template.Library()

# Paths of the design system's icons (nhsuk-frontend, macros/icon).
ICONS = {
    "user": (
        "M12 1a11 11 0 1 1 0 22 11 11 0 0 1 0-22Zm0 2a9 9 0 0 0-5 16.5V18a4 4 0 0 1 4-4h2a4 4 0 0 "
        "1 4 4v1.5A9 9 0 0 0 12 3Zm0 3a3.5 3.5 0 1 1-3.5 3.5A3.4 3.4 0 0 1 12 6Z"
    ),
    "arrow-left": (
        "M10.7 6.3c.4.4.4 1 0 1.4L7.4 11H19a1 1 0 0 1 0 2H7.4l3.3 3.3c.4.4.4 1 0 1.4a1 1 0 0 1-1.4 "
        "0l-5-5A1 1 0 0 1 4 12c0-.3.1-.5.3-.7l5-5a1 1 0 0 1 1.4 0Z"
    ),
    "arrow-right": (
        "m14.7 6.3 5 5c.2.2.3.4.3.7 0 .3-.1.5-.3.7l-5 5a1 1 0 0 1-1.4-1.4l3.3-3.3H5a1 1 0 0 1 "
        "0-2h11.6l-3.3-3.3a1 1 0 1 1 1.4-1.4Z"
    ),
    "arrow-right-circle": (
        "M12 2a10 10 0 0 0-10 9h11.7l-4-4a1 1 0 0 1 1.5-1.4l5.6 5.7a1 1 0 0 1 0 1.4l-5.6 "
        "5.7a1 1 0 0 1-1.5 0 1 1 0 0 1 0-1.4l4-4H2A10 10 0 1 0 12 2z"
    ),
}

_VALUE = '<span class="nhsuk-table__heading" aria-hidden="true">{} </span><span>{}</span>'
_CELLS = {
    True: f'<th class="nhsuk-table__header{{}}" scope="row" role="rowheader">{_VALUE}</th>',
    False: f'<td class="nhsuk-table__cell{{}}" role="cell">{_VALUE}</td>',
}


def _inner(content: str) -> SafeString:
    """What stands in a block tag: rendered markup already, without the template's white space."""
    return mark_safe(content.strip())  # noqa: S308


@register.simple_tag
def icon(name: str) -> SafeString:
    """An icon that says nothing by itself: text stands beside it."""
    return format_html(
        '<svg class="nhsuk-icon nhsuk-icon--{}" xmlns="http://www.w3.org/2000/svg" '
        'viewBox="0 0 24 24" width="16" height="16" focusable="false" aria-hidden="true">'
        '<path d="{}"/></svg>',
        name,
        ICONS[name],
    )


@register.simple_tag(name="tag")
def tag_(text: str, colour: str = "") -> SafeString:
    """A status in words.

    Colours: white grey green aqua-green blue purple pink red orange yellow.
    """
    return format_html(
        '<strong class="nhsuk-tag{}">{}</strong>', f" nhsuk-tag--{colour}" if colour else "", text
    )


@register.simple_tag
def breadcrumb(*pairs: str) -> str:
    """``{% breadcrumb "Home" home_url practice.name practice_url %}``: pages above this one."""
    items = [{"text": text, "url": url} for text, url in zip(pairs[::2], pairs[1::2], strict=True)]
    return render_to_string("components/breadcrumb.html", {"items": items})


@register.inclusion_tag("components/task_list_item.html")
def task_list_item(
    title: str,
    url: str = "",
    *,
    id: str,  # noqa: A002 - the name it has in HTML
    status: str,
    colour: str = "",
    hint: str = "",
) -> dict[str, Any]:
    """A row. ``id`` is unique on the page; without ``colour`` the status is plain text."""
    return {"title": title, "url": url, "id": id, "status": status, "colour": colour, "hint": hint}


@register.simple_block_tag
def task_list(content: str) -> str:
    """Goes round task_list_item tags."""
    return format_html('<ul class="nhsuk-task-list">{}</ul>', content)


@register.simple_block_tag
def summary_list(content: str) -> str:
    """Goes round ``row`` blocks."""
    return format_html('<dl class="nhsuk-summary-list">{}</dl>', content)


@register.simple_block_tag
def row(content: str, key: str, url: str = "", action: str = "Change", about: str = "") -> str:
    """A row. With ``url`` it gets a link, whose name ``about`` completes when heard."""
    context = {
        "key": key,
        "value": _inner(content),
        "url": url,
        "action": action,
        "about": about or key.lower(),
    }
    return render_to_string("components/summary_list_row.html", context)


@register.simple_block_tag
def card(
    content: str,
    heading: str = "",
    url: str = "",
    *,
    level: int = 2,
    size: str = "",
    variant: str = "",
    id: str = "",  # noqa: A002 - the name it has in HTML
) -> str:
    """A card. With ``url`` the whole card is a link.

    ``variant``: feature or secondary. ``size`` of the heading: s, m or l.
    """
    context = {
        "content": _inner(content),
        "heading": heading,
        "url": url,
        "level": level,
        "size": size,
        "variant": variant,
        "id": id,
    }
    return render_to_string("components/card.html", context)


@register.simple_block_tag
def warning_callout(content: str, heading: str = "Important", *, level: int = 2) -> str:
    """What must not be missed. A heading of another wording is heard as "Important: ..."."""
    context = {
        "content": _inner(content),
        "heading": heading,
        "level": level,
        "important": "important" in heading.lower(),
    }
    return render_to_string("components/warning_callout.html", context)


@register.simple_block_tag
def inset_text(content: str) -> str:
    """Something to note, set apart from the text."""
    return format_html(
        '<div class="nhsuk-inset-text">'
        '<span class="nhsuk-u-visually-hidden">Information: </span>{}</div>',
        _inner(content),
    )


@register.simple_block_tag
def details(content: str, summary: str, *, open: bool = False) -> str:  # noqa: A002
    """Text that is one press away."""
    context = {"content": _inner(content), "summary": summary, "open": open}
    return render_to_string("components/details.html", context)


@register.simple_block_tag
def panel(content: str, title: str) -> str:
    """The confirmation at the end of a transaction; its title is the page's h1."""
    return format_html(
        '<div class="nhsuk-panel"><h1 class="nhsuk-panel__heading">{}</h1>'
        '<div class="nhsuk-panel__body">{}</div></div>',
        title,
        _inner(content),
    )


@register.inclusion_tag("components/action_link.html")
def action_link(text: str, url: str) -> dict[str, str]:
    """The one most important way on from a page."""
    return {"text": text, "url": url}


@register.inclusion_tag("components/link_button.html")
def link_button(text: str, url: str, variant: str = "") -> dict[str, str]:
    """A link that looks like a button. Nothing is changed by following it."""
    return {"text": text, "url": url, "variant": variant}


@register.simple_block_tag(takes_context=True)
def button_form(
    context: Context,
    content: str,
    text: str,
    url: str,
    *,
    variant: str = "",
    small: bool = False,
    about: str = "",
    target: str = "",
    swap: str = "outerHTML",
) -> str:
    """One button that posts to ``url``; the block holds further hidden inputs, if any.

    ``about`` completes the button's name when heard ("Done" about "CUT-16"). ``target`` is the CSS
    selector of what htmx replaces by the answer; without it the page is loaded anew.
    """
    return render_to_string(
        "components/button_form.html",
        {
            "content": _inner(content),
            "text": text,
            "url": url,
            "variant": variant,
            "small": small,
            "about": about,
            "target": target,
            "swap": swap,
            "csrf_token": context.get("csrf_token"),
        },
    )


@register.inclusion_tag("components/check_item.html")
def check_item(
    name: str,
    value: str,
    label: str,
    *,
    form: str = "",
    hide_label: bool = True,
    checked: bool = False,
) -> dict[str, Any]:
    """A checkbox outside a form's own tags: ``form`` is the id of the form that it is sent with."""
    return {
        "name": name,
        "value": value,
        "label": label,
        "form": form,
        "hide_label": hide_label,
        "checked": checked,
    }


@register.inclusion_tag("components/progress.html")
def progress(done: int, total: int, label: str, text: str = "") -> dict[str, Any]:
    """A bar with its figures in words. ``label`` names it when heard."""
    said = text or f"{done:,} of {total:,} done"
    return {"done": done, "total": total, "label": label, "text": said}


@register.inclusion_tag("components/countdown.html")
def countdown(
    label: str, left: str, ends_at: Any, *, status: str = "", colour: str = ""
) -> dict[str, Any]:
    """A running clock: time ``left`` in words, the instant it ends, a tag with its state."""
    return {"label": label, "left": left, "ends_at": ends_at, "status": status, "colour": colour}


@register.inclusion_tag("components/filter_links.html", takes_context=True)
def filter_links(
    context: Context,
    parameter: str,
    choices: Iterable[Sequence[str]],
    label: str,
    default: str = "",
) -> dict[str, Any]:
    """Filters as links: ``choices`` are (value, text); the chosen value is read from the address.

    Every link starts again at the first page of a paged list.
    """
    query = context["request"].GET
    chosen = query.get(parameter, default)
    links = []
    for value, text in choices:
        changed = query.copy()
        changed.pop("page", None)
        changed[parameter] = value
        links.append({"url": f"?{changed.urlencode()}", "text": text, "current": value == chosen})
    return {"label": label, "links": links}


@register.inclusion_tag("components/sort_header.html", takes_context=True)
def sort_header(
    context: Context, text: str, key: str, *, default: bool = False, numeric: bool = False
) -> dict[str, Any]:
    """A column head that sorts: ``?sort=key``, pressed again ``?sort=-key``.

    ``default`` marks the column by which the page is sorted when the address says nothing.
    """
    query = context["request"].GET
    sort = query.get("sort", key if default else "")
    changed = query.copy()
    changed.pop("page", None)
    changed["sort"] = f"-{key}" if sort == key else key
    direction = {key: "ascending", f"-{key}": "descending"}.get(sort)
    return {
        "text": text,
        "url": f"?{changed.urlencode()}",
        "direction": direction,
        "numeric": numeric,
    }


@register.simple_block_tag
def cell(content: str, heading: str, *, numeric: bool = False, header: bool = False) -> str:
    """A cell of a responsive table: on a phone the column's ``heading`` stands beside the value.

    Written here and not in a template, because a long table has a thousand of them.
    """
    return format_html(
        _CELLS[header],
        (" nhsuk-table__header--numeric" if header else " nhsuk-table__cell--numeric")
        if numeric
        else "",
        heading,
        _inner(content),
    )


@register.inclusion_tag("components/pagination.html", takes_context=True)
def pagination(context: Context, page: Page[Any]) -> dict[str, Any]:
    """Pages of a list by ``?page=``; the rest of the address is kept."""
    query = context["request"].GET.copy()

    def url(number: int) -> str:
        query["page"] = str(number)
        return f"?{query.urlencode()}"

    items = [
        {"number": number, "url": url(number), "current": number == page.number}
        if isinstance(number, int)
        else {"ellipsis": True}
        for number in page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1)
    ]
    return {
        "items": items if page.paginator.num_pages > 1 else [],
        "previous": url(page.previous_page_number()) if page.has_previous() else "",
        "next": url(page.next_page_number()) if page.has_next() else "",
    }


@register.filter
def once(messages: Iterable[Any]) -> list[Any]:
    """Messages without those that say the same again: several presses may come before a page."""
    return list({(message.level, str(message)): message for message in messages}.values())


@register.simple_tag
def printed_at() -> str:
    """The line on paper that says how old the sheet is."""
    return f"As at {uk_datetime(clock.now())}"
