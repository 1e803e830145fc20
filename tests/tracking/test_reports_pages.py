"""Files that are reported, the page that asks, and the list of those who decide."""

from datetime import timedelta

import pytest
import time_machine
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile

from practices.accounts.roles import Role
from practices.common.files import remove_orphans
from practices.common.models import Text
from practices.tracking import services
from tests.factories import MONDAY, make_person

from .cast import assert_sound, count_queries, make_cast
from .test_dates_pages import said
from .test_reports import LATER, REMOVED, WORDS, note, pages_with, read, report, the_text

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    return make_cast()


class TestFile:
    """Evidence that is a file, with its name."""

    @pytest.fixture
    def evidence(self, cast):
        upload = SimpleUploadedFile(f"{WORDS}.txt", b"was here")
        return services.add_evidence(
            task=cast.task("GL-02"), upload=upload, by=cast.manager, at=MONDAY
        )

    def get(self, client, cast, evidence, who):
        client.force_login(who)
        return client.get(cast.url("tasks", "GL-02", "evidence", str(evidence.pk)))

    @pytest.mark.parametrize("who", ["manager", "project_manager", "new_supplier"])
    def test_hidden_it_opens_for_nobody_and_the_page_says_why(self, client, cast, evidence, who):
        assert self.get(client, cast, evidence, getattr(cast, who)).status_code == 200
        report(cast, evidence.file)
        answer = self.get(client, cast, evidence, getattr(cast, who))
        assert answer.status_code == 404
        assert "Nobody can open it until the project manager has decided" in said(answer)
        assert pages_with(WORDS, read(client, cast, getattr(cast, who))) == set()

    def test_shown_again_it_opens(self, client, cast, evidence):
        services.restore(report=report(cast, evidence.file), by=cast.project_manager, at=LATER)
        assert self.get(client, cast, evidence, cast.staff).status_code == 200

    def test_removed_its_content_and_name_are_gone_and_its_digest_stays(
        self, client, cast, evidence, django_capture_on_commit_callbacks
    ):
        stored = evidence.file
        place = stored.content.name
        hidden = report(cast, stored)
        with django_capture_on_commit_callbacks(execute=True):
            services.redact(report=hidden, by=cast.project_manager, at=LATER)
            assert default_storage.exists(place), "nothing is deleted before the commit"
        assert not default_storage.exists(place)
        before = (stored.sha256, stored.size)
        stored.refresh_from_db()
        assert (stored.name, stored.content.name) == ("", "")
        assert (stored.sha256, stored.size) == before
        answer = self.get(client, cast, evidence, cast.staff)
        assert answer.status_code == 404
        assert "removed it for good" in said(answer)
        assert REMOVED in said(client.get(cast.url("tasks", "GL-02")))
        assert_sound(cast.migration)

    def test_a_file_left_by_a_crash_after_the_commit_is_swept(self, cast, evidence):
        place = evidence.file.content.name
        services.redact(report=report(cast, evidence.file), by=cast.project_manager, at=LATER)
        assert default_storage.exists(place)
        remove_orphans(before=default_storage.get_modified_time(place) + timedelta(days=1))
        assert not default_storage.exists(place)


class TestPages:
    """Reporting, and the list of those who decide."""

    def address(self, cast, text=None):
        return cast.url("texts", str((text or the_text(cast)).pk), "report")

    @pytest.mark.parametrize("who", ["staff", "new_supplier", "commissioner", "national_viewer"])
    def test_whoever_sees_it_reports_it_from_beside_the_text(self, client, cast, who):
        note(cast)
        client.force_login(getattr(cast, who))
        address = self.address(cast)
        page = client.get(cast.url("tasks", "GL-02")).content.decode()
        assert f'href="{address}?next=' in page
        asked = client.get(address)
        assert WORDS in said(asked)
        answer = client.post(f"{address}?next={cast.url('history')}")
        assert answer.headers["Location"] == cast.url("history")
        assert "is hidden for everybody" in said(client.get(cast.url("history")))
        assert WORDS not in said(client.get(address))
        assert f'href="{address}' not in client.get(cast.url("tasks", "GL-02")).content.decode()

    def test_a_get_hides_nothing(self, client, cast):
        note(cast)
        client.force_login(cast.staff)
        client.get(self.address(cast))
        assert the_text(cast).is_shown

    def test_it_leads_nowhere_else(self, client, cast):
        note(cast)
        client.force_login(cast.staff)
        answer = client.post(f"{self.address(cast)}?next=https://elsewhere.test/")
        assert answer.headers["Location"] == cast.url()

    @pytest.mark.parametrize("method", ["get", "post"])
    def test_a_text_of_another_migration_is_not_found_here(self, client, cast, method):
        other = make_cast()
        note(other)
        client.force_login(cast.manager)
        assert getattr(client, method)(self.address(cast)).status_code == 404
        assert getattr(client, method)(self.address(other)).status_code == 404
        assert the_text(cast).is_shown

    def test_a_number_that_is_no_text_is_not_found(self, client, cast):
        client.force_login(cast.manager)
        assert client.get(cast.url("texts", "99999999999999999999", "report")).status_code == 404

    def test_the_overview_says_so_to_those_who_decide_and_to_the_others(self, client, cast):
        note(cast)
        report(cast)
        client.force_login(cast.project_manager)
        page = said(client.get(cast.url()))
        assert "1 text or file waits for you" in page
        assert cast.url("reports") in page
        client.force_login(cast.staff)
        page = said(client.get(cast.url()))
        assert "1 text or file is hidden while it is checked" in page
        assert cast.url("reports") not in page

    def test_those_who_decide_see_the_words_and_how_long_they_waited(self, client, cast):
        note(cast)
        hidden = report(cast)
        with time_machine.travel(LATER, tick=False):
            client.force_login(cast.project_manager)
            page = said(client.get(cast.url("reports")))
        assert WORDS in page
        assert "Waiting 2 hours 5 minutes" in page
        answer = client.post(cast.url("reports", str(hidden.pk), "redact"))
        assert answer.headers["Location"] == cast.url("reports")
        page = said(client.get(cast.url("reports")))
        assert WORDS not in page
        assert "Removed for good" in page

    def test_to_show_it_again_is_one_press(self, client, cast):
        note(cast)
        hidden = report(cast)
        client.force_login(cast.project_manager)
        client.post(cast.url("reports", str(hidden.pk), "restore"))
        assert the_text(cast).is_shown

    def test_too_late_a_press_is_answered_with_how_it_is(self, client, cast):
        note(cast)
        hidden = report(cast)
        services.restore(report=hidden, by=cast.project_manager, at=MONDAY)
        client.force_login(cast.project_manager)
        answer = client.post(cast.url("reports", str(hidden.pk), "redact"))
        assert answer.status_code == 409
        assert "Nothing was changed" in said(answer)
        assert the_text(cast).is_shown

    @pytest.mark.parametrize("who", ["manager", "administrator", "new_supplier", "other_manager"])
    def test_nobody_else_sees_the_words_or_decides(self, client, cast, who):
        note(cast)
        hidden = report(cast)
        people = {
            "administrator": lambda: make_person(Role.ADMINISTRATOR),
            "other_manager": lambda: make_person(Role.PROJECT_MANAGER),
        }
        client.force_login(people.get(who, lambda: getattr(cast, who))())
        code = 404 if who == "other_manager" else 403
        assert client.get(cast.url("reports")).status_code == code
        for act in ("redact", "restore"):
            assert client.post(cast.url("reports", str(hidden.pk), act)).status_code == code
        assert not the_text(cast).is_shown

    def test_a_report_of_another_migration_is_not_found(self, client, cast):
        other = make_cast(run_by=cast.migration.run_by, project_manager=cast.project_manager)
        note(other)
        hidden = report(other)
        client.force_login(cast.project_manager)
        assert client.post(cast.url("reports", str(hidden.pk), "redact")).status_code == 404

    def test_the_list_takes_the_same_queries_for_1_and_for_12(self, client, cast):
        counted = []
        for number in (1, 11):
            for _ in range(number):
                body = f"{WORDS} {len(Text.objects.all())}"
                added = services.add_note(
                    task=cast.task("GL-02"), body=body, by=cast.manager, at=MONDAY
                )
                report(cast, added.text)
            counted.append(count_queries(client, cast.project_manager, cast.url("reports")))
        assert counted[0] == counted[1] <= 16
