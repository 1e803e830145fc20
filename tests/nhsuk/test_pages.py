"""The frame of every page, and the pages that must work when little else does."""

import re

import pytest
from django.conf import settings
from django.template import Context, Engine
from django.template.loader import render_to_string
from django.test import Client

pytestmark = pytest.mark.urls("tests.nhsuk.pattern")
PAGES = ["accessibility", "privacy", "cookies", "pattern/form", "pattern/components"]
ERRORS = {"400": "could not be read", "403": "You cannot do this", "404": "Page not found"}
# A mail carries its style inside it; no security policy applies there.
TEMPLATES = sorted(
    set((settings.BASE_DIR / "templates").rglob("*.html"))
    - set((settings.BASE_DIR / "templates" / "reminders").rglob("mail.html"))
)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_one_heading_and_its_name_in_the_title(page):
    html = Client().get(f"/{page}/").content.decode()
    heading = re.findall(r"<h1[^>]*>(.*?)</h1>", html)
    assert len(heading) == 1
    assert re.search(r"<title>\w[^<]* - Migration Tracker</title>", html)
    assert '<html lang="en-GB">' in html
    assert html.count('id="maincontent"') == 1


def test_a_form_with_errors_says_so_in_the_title_and_keeps_what_was_typed():
    answer = Client().post("/pattern/form/", {"name": "Riverside", "version": "3"})
    html = answer.content.decode()
    assert answer.status_code == 422
    assert "<title>Error: Every field - Migration Tracker</title>" in html
    assert html.index("nhsuk-error-summary") < html.index("<h1")
    assert 'value="Riverside"' in html


@pytest.mark.parametrize("code", ERRORS)
def test_an_error_page_is_in_plain_words_in_the_usual_frame(code):
    answer = Client().get(f"/pattern/{code}/")
    assert answer.status_code == int(code)
    assert ERRORS[code] in answer.content.decode()
    assert "nhsuk-header" in answer.content.decode()


def test_the_page_for_an_unexpected_failure_needs_nothing_but_its_template():
    html = Engine.get_default().get_template("500.html").render(Context())
    assert "Sorry, there is a problem" in html
    assert "{%" not in html
    assert "{% extends" not in (settings.BASE_DIR / "templates" / "500.html").read_text()
    assert "number" not in html
    assert "<strong>abc123</strong>" in render_to_string("500.html", {"request_id": "abc123"})


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_template_holds_nothing_that_the_security_policy_blocks(template):
    comments = re.compile(r"{% comment %}.*?{% endcomment %}|{#.*?#}", re.DOTALL)
    text = comments.sub("", template.read_text())
    assert not re.search(r"<[^>]*\sstyle\s*=", text)
    assert not re.search(r"<[^>]*\son\w+\s*=", text)
    assert not re.search(r"<style|javascript:", text)
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)
    # XML name spaces are names, not addresses.
    addresses = re.findall(r'(?:src|href|action)="(?:https?:)?//', text)
    assert not addresses


def test_the_built_files_ask_no_other_host_for_anything():
    css = (settings.BASE_DIR / "static" / "build" / "app.css").read_text()
    assert not re.search(r"url\(\s*[\"']?(https?:)?//", css)
    assert "font-family:arial,sans-serif" in css


def test_partial_updates_are_set_up_strictly():
    html = Client().get("/pattern/htmx/").content.decode()
    for setting in (
        '"includeIndicatorStyles":false',
        '"allowEval":false',
        '"selfRequestsOnly":true',
        '"allowScriptTags":false',
    ):
        assert setting in html
