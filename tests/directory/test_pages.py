"""The pages of the directory, by permission, with and without htmx."""

import csv
import io
from datetime import UTC, date, datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from practices.accounts.roles import Role
from practices.common import jobs
from practices.common.models import Job, StoredFile
from practices.directory.models import CommissionerLink, Organisation, Practice
from practices.directory.queries import find_practices
from practices.directory.services import load_reference_data
from tests import factories

from .lists import GOOD, WRONG, epraccur, line

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
TODAY = date(2026, 11, 22)
HTMX = {"HX-Request": "true"}


@pytest.fixture
def signed_in(client):
    """Sign somebody with a role in; gives the client."""

    def sign_in(role: str):
        client.force_login(factories.make_person(role))
        return client

    return sign_in


@pytest.fixture
def administrator(signed_in):
    return signed_in(Role.ADMINISTRATOR)


def make_practices(count: int) -> None:
    commissioner = factories.make_commissioner("Elm County ICB")
    for number in range(count):
        factories.make_practice(f"Surgery {number:03}", commissioner=commissioner)


def upload(client, content: bytes, name: str = "epraccur.csv", **typed):
    file = SimpleUploadedFile(name, content, content_type="text/csv")
    return client.post(reverse("directory:import"), {"file": file, **typed})


def imported(client, content: bytes) -> Job:
    """Hand a file in and have the job done, as a worker would."""
    upload(client, content)
    job = Job.objects.latest("pk")
    jobs.run_job(job.pk, at=AT)
    job.refresh_from_db()
    return job


# --- Looking up -----------------------------------------------------------------------------


@pytest.mark.parametrize("words", ["Z81001", "z81", "elm", "TREE elm", "zz1 1aa", "ZZ1", "high st"])
def test_a_practice_is_found_by_code_name_postcode_and_address(words):
    organisation = factories.make_organisation("practice", "Elm Tree Surgery", code="Z81001")
    elm = Practice.objects.create(
        organisation=organisation, address="1 High Street, Elmton", postcode="ZZ1 1AA"
    )
    factories.make_practice("Oak Surgery", postcode="ZZ2 2BB")
    assert list(Practice.objects.search(words)) == [elm]


def test_a_search_takes_any_text():
    for words in ("", "%", "_", "\x00", "'; --", "x" * 500, "a b c d e f g h i j k"):
        list(Practice.objects.search(words))
    assert not Practice.objects.search("%").exists()


def test_the_list_is_paged_and_its_queries_do_not_grow(administrator):
    make_practices(3)
    with CaptureQueriesContext(connection) as few:
        administrator.get(reverse("directory:practices"))
    make_practices(120)
    with CaptureQueriesContext(connection) as many:
        response = administrator.get(reverse("directory:practices"))
    assert len(many) == len(few) <= 15
    assert len(response.context["page_obj"]) == 50
    assert "123 practices" in response.content.decode()
    last = administrator.get(reverse("directory:practices"), {"page": "3"})
    assert len(last.context["page_obj"]) == 23


def test_closed_practices_are_shown_when_asked_for(administrator):
    closed = factories.make_practice("Closed Surgery")
    Organisation.objects.filter(pk=closed.pk).update(valid_to=date(2020, 1, 1))
    url = reverse("directory:practices")
    assert "Closed Surgery" not in administrator.get(url).content.decode()
    assert "Closed Surgery" in administrator.get(url, {"show": "all"}).content.decode()


def test_an_empty_search_says_what_to_do(administrator):
    page = administrator.get(reverse("directory:practices"), {"q": "nowhere"}).content.decode()
    assert "No practice was found for “nowhere”" in page


def test_a_practice_page_tells_who_commissioned_it_and_who_follows(administrator):
    load_reference_data(at=AT)
    practice = factories.make_practice("Elm Tree Surgery", postcode="ZZ1 1AA")
    old, frimley = Organisation.objects.get(code="QSL"), Organisation.objects.get(code="QNQ")
    CommissionerLink.objects.create(practice=practice, commissioner=old, valid_to=date(2023, 1, 1))
    CommissionerLink.objects.create(
        practice=practice, commissioner=frimley, valid_from=date(2023, 1, 1)
    )
    page = administrator.get(
        reverse("directory:practice", args=[practice.organisation.code])
    ).content.decode()
    assert page.index("NHS Frimley ICB, from Sunday 1 January 2023") < page.index("NHS Somerset")
    assert "until Saturday 31 December 2022" in page
    assert "NHS Frimley ICB closed on Tuesday 31 March 2026" in page
    assert "NHS Surrey and Sussex ICB and NHS Thames Valley ICB" in page
    assert "Registered patients" in page
    assert "None" not in page


def test_a_practice_that_does_not_exist_is_not_found(administrator):
    assert administrator.get("/directory/practices/Z89999/").status_code == 404


def test_choosing_a_practice_never_lists_more_than_twenty():
    make_practices(25)
    found, more = find_practices("surgery", today=TODAY)
    assert (len(found), more) == (20, True)
    assert find_practices("  ", today=TODAY) == ([], False)


def test_an_exact_code_is_offered_first():
    factories.make_practice("Aardvark Surgery of Z85")
    exact = Practice.objects.create(
        organisation=factories.make_organisation("practice", "Zebra Surgery", code="Z85")
    )
    found, _ = find_practices("z85", today=TODAY)
    assert found[0] == exact


def test_htmx_gets_radios_and_others_a_page_that_goes_on(signed_in):
    client = signed_in(Role.PROJECT_MANAGER)
    practice = factories.make_practice("Elm Tree Surgery")
    url = reverse("directory:find")
    fragment = client.get(url, {"q": "elm"}, headers=HTMX).content.decode()
    assert fragment.lstrip().startswith('<div id="practice-options"')
    assert f'value="{practice.organisation.code}"' in fragment
    page = client.get(url, {"q": "elm", "next": "/migrations/start/"}).content.decode()
    assert '<form method="get" action="/migrations/start/"' in page
    assert "First choose the practice, then continue to “Start a migration”." in page
    assert "First choose" not in client.get(url, {"q": "elm"}).content.decode()
    elsewhere = client.get(url, {"q": "elm", "next": "https://evil.example/"}).content.decode()
    assert "://evil" not in elsewhere
    assert "Continue" not in elsewhere


# --- Importing ------------------------------------------------------------------------------


def test_a_file_is_kept_and_a_job_waits_for_it(administrator):
    response = upload(administrator, GOOD, all_settings="on")
    job = Job.objects.get()
    assert response.url == reverse("directory:import_job", args=[job.pk])
    assert (job.state, job.arguments) == (Job.State.WAITING, {"all_settings": True})
    assert StoredFile.objects.get().content.open("rb").read() == GOOD
    page = administrator.get(response.url).content.decode()
    assert "Waiting to start" in page
    assert "Refresh" in page
    assert "http-equiv" not in page


def test_a_running_job_shows_its_progress_to_htmx(administrator):
    upload(administrator, GOOD)
    job = Job.objects.get()
    Job.objects.update(state=Job.State.RUNNING, done=5000, total=16_534)
    page = administrator.get(
        reverse("directory:import_job", args=[job.pk]), headers=HTMX
    ).content.decode()
    assert page.lstrip().startswith('<div id="import-job" hx-get=')
    assert '<progress class="app-progress__bar" max="16534" value="5000"' in page


def test_the_report_tells_what_was_done_and_stops_asking(administrator):
    job = imported(administrator, epraccur(line(), line("Z81002", opened="x"), line("GP0123")))
    page = administrator.get(reverse("directory:import_job", args=[job.pk])).content.decode()
    assert "hx-trigger" not in page
    assert "1 line was rejected and did not stop the others." in page
    assert "The date “x” in opened" in page
    assert "GP0123, line 3" in page
    again = imported(administrator, epraccur(line(), line("GP0123")))
    page = administrator.get(reverse("directory:import_job", args=[again.pk])).content.decode()
    assert "Nothing was changed." in page


def test_rejected_lines_are_downloaded_without_formulas(administrator):
    formula = '=HYPERLINK("http://evil.example")'
    bad = line("Z81002", name=formula, address_1="+44 1632", address_2="-1", opened="x")
    job = imported(administrator, epraccur(line(), bad))
    response = administrator.get(reverse("directory:rejected", args=[job.pk]))
    assert response["Content-Disposition"] == 'attachment; filename="rejected-lines.csv"'
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    header, rejected = csv.reader(io.StringIO(text, newline=""))
    row = dict(zip(header, rejected, strict=True))
    assert (row["line"], row["name"]) == ("2", f"'{formula}")
    assert (row["address_1"], row["address_2"]) == ("'+44 1632", "'-1")
    assert row["reason"].startswith("the date “x”")


def test_without_rejected_lines_there_is_nothing_to_download(administrator):
    job = imported(administrator, GOOD)
    assert job.output is None
    assert administrator.get(reverse("directory:rejected", args=[job.pk])).status_code == 404


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_file_is_refused_on_the_form_and_nothing_is_kept(administrator, name):
    content, _ = WRONG[name]
    response = upload(administrator, content, all_settings="on")
    page = response.content.decode()
    assert response.status_code == 422
    assert len(response.context["form"].errors) == 1
    assert "<title>Error: Import practices" in page.replace("\n", "")
    assert not Job.objects.exists()
    assert not StoredFile.objects.exists()
    assert response.context["form"]["all_settings"].value() is True


def test_a_spreadsheet_by_name_is_told_how_to_save(administrator):
    response = upload(administrator, WRONG["an Excel workbook"][0], name="epraccur.xlsx")
    assert "choose Save as, then “CSV UTF-8”" in response.content.decode()


def test_no_file_is_said_so(administrator):
    response = administrator.post(reverse("directory:import"), {})
    assert "Choose the file to import" in response.content.decode()


def test_a_file_over_the_limit_is_refused(administrator, settings):
    settings.IMPORT_MAX_MB = 1
    response = upload(administrator, GOOD + b"\r\n" * 1024 * 1024)
    assert "1 MB or smaller" in response.content.decode()


def test_a_failed_import_shows_its_sentence(administrator):
    upload(administrator, GOOD)
    Job.objects.update(state=Job.State.FAILED, problem="Another import of practices is running.")
    page = administrator.get(
        reverse("directory:import_job", args=[Job.objects.get().pk])
    ).content.decode()
    assert "Another import of practices is running." in page
    assert "Choose another file" in page


def test_a_job_of_another_kind_is_not_found_here(administrator):
    job = jobs.start_job(kind="something_else", by=None, at=AT)
    assert administrator.get(f"/directory/import/{job.pk}/").status_code == 404


# --- Who may --------------------------------------------------------------------------------

LOOK_UP = {Role.PROJECT_MANAGER, Role.ADMINISTRATOR}


@pytest.mark.parametrize("role", list(Role))
def test_each_page_opens_to_those_who_may(signed_in, role):
    practice = factories.make_practice()
    job = jobs.start_job(kind="import_practices", by=factories.make_person(), at=AT)
    client = signed_in(role)
    look_up = [
        reverse("directory:practices"),
        reverse("directory:find"),
        reverse("directory:practice", args=[practice.organisation.code]),
    ]
    bring_in = [
        reverse("directory:import"),
        reverse("directory:import_job", args=[job.pk]),
        reverse("directory:rejected", args=[job.pk]),
    ]
    for url in look_up:
        assert (client.get(url).status_code == 200) is (role in LOOK_UP), url
    for url in bring_in:
        refused = client.get(url).status_code == 403
        assert refused is (role != Role.ADMINISTRATOR), url
    assert (upload(client, GOOD).status_code == 403) is (role != Role.ADMINISTRATOR)


def test_a_stranger_is_sent_to_sign_in(client):
    for name in ("practices", "find", "import"):
        response = client.get(reverse(f"directory:{name}"))
        assert response.status_code == 302
        assert response.url.startswith(reverse("account_login"))


def test_a_file_name_with_an_nhs_number_is_refused_and_nothing_is_kept(administrator):
    page = upload(administrator, GOOD, name="943 476 5919.csv").content.decode()
    assert "The name of the file has a number in it that could be an NHS number" in page
    assert not StoredFile.objects.exists()
