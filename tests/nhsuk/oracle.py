"""The design system's own templates, and a form of HTML in which ours can be compared with them."""

import re
from html.parser import HTMLParser
from typing import Any

from django.template import engines
from jinja2 import ChainableUndefined, Environment, PackageLoader

JINJA = Environment(
    loader=PackageLoader("nhsuk_frontend_jinja"), undefined=ChainableUndefined, autoescape=True
)
VOID = {"input", "br", "path"}


def nhsuk(component: str, **params: Any) -> str:
    """What nhsuk-frontend-jinja writes for a component ("date-input") with these parameters."""
    macro = re.sub(r"-(\w)", lambda match: match[1].upper(), component)
    macro = {"tables": "table"}.get(macro, macro)
    source = f"{{% from 'nhsuk/components/{component}/macro.jinja' import {macro} as it %}}"
    return JINJA.from_string(source + "{{ it(p) }}").render(p=params)


def ours(source: str, request: Any = None, **context: Any) -> str:
    """What a template of ours writes."""
    loads = "{% load nhsuk nhsuk_forms crispy_forms_tags crispy_forms_filters %}"
    return engines["django"].from_string(loads + source).render(context, request)


class _Lines(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        shown = []
        for name, value in sorted(attrs):
            words = (value or "").split()
            # The order of classes means nothing; that of ids in aria-describedby does.
            shown.append(f"{name}={' '.join(sorted(words) if name == 'class' else words)}")
        self.lines.append("  " * self.depth + " ".join([f"<{tag}", *shown]))
        if tag not in VOID:
            self.depth += 1

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            self.depth -= 1

    def handle_data(self, data: str) -> None:
        if text := " ".join(data.split()):
            self.lines.append("  " * self.depth + text)


def lines(html: str) -> list[str]:
    """HTML as one line per element or text, indented by depth: white space does not count."""
    parser = _Lines()
    parser.feed(html)
    parser.close()
    assert parser.depth == 0, "unbalanced tags"
    return parser.lines
