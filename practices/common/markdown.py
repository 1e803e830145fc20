"""Markdown as plans use it: paragraphs, lists, emphasis and links; nothing else becomes a tag."""

from functools import lru_cache
from urllib.parse import urlsplit

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

SCHEMES = frozenset({"http", "https", "mailto"})
CLASSES = {
    "a": "nhsuk-link",
    "ul": "nhsuk-list nhsuk-list--bullet",
    "ol": "nhsuk-list nhsuk-list--number",
}
# A heading within guidance would break the outline of the page it stands on.
LEFT_OUT = ["heading", "lheading", "image", "html_block", "html_inline", "hr", "fence", "code"]
_reader = MarkdownIt("commonmark", {"html": False, "breaks": True}).disable(LEFT_OUT)
_finder = MarkdownIt("commonmark", {"html": False}).disable(LEFT_OUT)
_finder.validateLink = lambda _: True  # type: ignore[assignment]


@lru_cache(maxsize=4096)
def render(text: str) -> SafeString:
    """A text as HTML. Plans say the same to everybody, so it is worth remembering."""
    clean = nh3.clean(
        _reader.render(text),
        tags={"p", "br", "strong", "em", "code", "a", "ul", "ol", "li", "blockquote"},
        attributes={"a": {"href", "class"}, "ul": {"class"}, "ol": {"class", "start"}},
        set_tag_attribute_values={tag: {"class": name} for tag, name in CLASSES.items()},
        url_schemes=set(SCHEMES),
        link_rel="noopener noreferrer",
    )
    return mark_safe(clean)  # noqa: S308 - what nh3 lets through


def bad_links(text: str) -> list[str]:
    """The addresses of links that are not followed: of another scheme, or of none."""
    if "](" not in text and "]:" not in text and "<" not in text:
        return []
    found = (
        str(child.attrGet("href"))
        for token in _finder.parse(text)
        for child in token.children or ()
        if child.type == "link_open"
    )
    return [url for url in found if _scheme(url) not in SCHEMES]


def _scheme(url: str) -> str:
    try:
        return urlsplit(url).scheme
    except ValueError:
        return ""
