"""An administrator imports a list: a real browser, web server and worker."""

import pytest
from django.conf import global_settings
from playwright.sync_api import expect

from practices.accounts.roles import Role
from practices.directory.models import Practice
from practices.directory.services import load_reference_data
from tests import factories

from .lists import epraccur, line, many


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_list_is_imported_and_reported(celery_worker, live_app, new_page, settings, scripts):
    # The real site does not know the cheap hasher of other tests.
    settings.PASSWORD_HASHERS = global_settings.PASSWORD_HASHERS
    load_reference_data(at=factories.MONDAY)
    person = factories.make_person(Role.ADMINISTRATOR)
    page = new_page(javascript=scripts)
    page.goto("/directory/import/")
    page.get_by_label("Email address").fill(person.email)
    page.get_by_label("Password", exact=True).fill("correct horse battery")
    page.get_by_role("button", name="Sign in").click()

    content = epraccur(*many(1500, icb="QNX"), line("Z81002", opened="31/02/2026"))
    page.set_input_files(
        "input[type=file]", {"name": "list.csv", "mimeType": "text/csv", "buffer": content}
    )
    page.get_by_role("button", name="Import practices").click()
    report = page.get_by_text("The practices are imported. 1 line was rejected")
    refresh = page.get_by_role("link", name="Refresh")
    if not scripts:
        # Somebody presses the link until the report is there.
        for _ in range(500):
            expect(report.or_(refresh)).to_be_visible()
            if report.is_visible():
                break
            refresh.click()
    expect(report).to_be_visible(timeout=60_000)
    expect(page.get_by_text("1,500 open practices are with a commissioner")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="download the rejected lines").click()
    assert download.value.suggested_filename == "rejected-lines.csv"
    assert Practice.objects.count() == 1500

    page.get_by_role("link", name="See the practices").click()
    page.get_by_label("Find a practice").fill("z80007")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_text("1 practice for “z80007”")).to_be_visible()
    page.get_by_role("link", name="Surgery 7", exact=True).click()
    expect(page.get_by_text("NHS Sussex ICB closed on Tuesday 31 March 2026")).to_be_visible()
