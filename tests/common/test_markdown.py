"""Markdown of plans: what people write is shown, what could do harm is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from practices.common.markdown import bad_links, render


def test_plain_text_keeps_its_paragraphs_and_lines():
    assert render("One.\nTwo.\n\nThree.") == "<p>One.<br>\nTwo.</p>\n<p>Three.</p>\n"


def test_lists_emphasis_and_links_wear_the_design_system():
    said = render("Do **this**:\n\n- one\n- [two](https://example.test/)")
    assert '<ul class="nhsuk-list nhsuk-list--bullet">' in said
    assert "<strong>this</strong>" in said
    assert 'href="https://example.test/"' in said
    assert 'class="nhsuk-link"' in said
    assert 'rel="noopener noreferrer"' in said


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "![x](x.png",
        "# A heading",
        '<a href="https://example.test" onclick="x">x</a>',
    ],
)
def test_no_tag_but_the_few_comes_out(text):
    said = render(text)
    for tag in ("<script", "<img", "<h1", "<a"):
        assert tag not in said


def test_a_picture_becomes_a_link_to_it():
    said = render("![A map](https://example.test/map.png)")
    assert "<img" not in said
    assert ">A map</a>" in said


@pytest.mark.parametrize(
    ("text", "bad"),
    [
        ("[x](https://example.test) and <mailto:a@example.test>", []),
        ("[x](javascript:alert)", ["javascript:alert"]),
        ("[x](data:text/html,y)", ["data:text/html,y"]),
        ("[x](/plans/)", ["/plans/"]),
        ("[x][y]\n\n[y]: ftp://example.test", ["ftp://example.test"]),
        ("a < b", []),
    ],
)
def test_links_of_another_scheme_are_named(text, bad):
    assert bad_links(text) == bad


@given(st.text(max_size=200))
def test_any_text_is_shown_and_never_fails(text):
    assert isinstance(render(text), str)
    assert isinstance(bad_links(text), list)
