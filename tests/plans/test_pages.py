"""Pages of plans: who may open them, what they say, and what happens to bad input."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from practices.accounts.roles import Role
from practices.plans import services
from practices.plans.models import Plan, PlanVersion
from practices.plans.queries import tree_of
from practices.plans.shipping import FOLDER, load_shipped_plans
from practices.plans.yaml import read_plan
from tests.factories import MONDAY, make_person

from .small import SMALL, changed
from .workbooks import saved, small_book

pytestmark = pytest.mark.django_db
State = PlanVersion.State
UPLOAD = "/plans/upload/"
NINETY = changed("limit: 45", "limit: 90")


@pytest.fixture
def administrator(client):
    person = make_person(Role.ADMINISTRATOR)
    client.force_login(person)
    return person


@pytest.fixture
def manager(client):
    person = make_person(Role.PROJECT_MANAGER)
    client.force_login(person)
    return person


def load(text=SMALL):
    tree = read_plan(text, file="plan.yaml")
    return services.load_plan(tree=tree, by=None, at=MONDAY).version


def publish(text=SMALL):
    return services.publish(version=load(text), by=None, at=MONDAY)


def url(name, number=1):
    return reverse(f"plans:{name}", args=["small", number])


class TestWhoMay:
    READ = ("version", "export")
    CHANGE = ("publish", "retire", "discard")

    def test_nobody_sees_plans_without_signing_in(self, client):
        publish()
        for address in ("/plans/", UPLOAD, *(url(name) for name in self.READ + self.CHANGE)):
            answer = client.get(address)
            assert answer.status_code == 302, address
            assert answer["Location"].startswith("/accounts/login/")

    @pytest.mark.parametrize(
        "role",
        [
            Role.PRACTICE_MANAGER,
            Role.SUPPLIER,
            Role.COMMISSIONER,
            Role.TRAINER,
            Role.NATIONAL_VIEWER,
        ],
    )
    def test_other_people_are_refused(self, client, role):
        publish()
        client.force_login(make_person(role))
        for address in ("/plans/", UPLOAD, *(url(name) for name in self.READ)):
            assert client.get(address).status_code == 403, address
        for name in self.CHANGE:
            assert client.post(url(name)).status_code == 403, name

    def test_a_project_manager_reads_plans_and_changes_none(self, client, manager):
        publish()
        for address in ("/plans/", *(url(name) for name in self.READ)):
            assert client.get(address).status_code == 200, address
        assert client.get(UPLOAD).status_code == client.post(UPLOAD).status_code == 403
        for name in self.CHANGE:
            assert client.post(url(name)).status_code == 403, name
        assert PlanVersion.objects.get().state == State.PUBLISHED
        assert b"Upload a plan" not in client.get("/plans/").content
        assert b"Retire this version" not in client.get(url("version")).content

    def test_what_is_not_there_is_not_found(self, client, administrator):
        publish()
        for name in self.READ:
            assert client.get(url(name, number=2)).status_code == 404

    def test_a_look_changes_nothing(self, client, administrator):
        publish()
        assert client.get(url("publish")).status_code == 302
        assert client.get(url("retire")).status_code == 200
        assert PlanVersion.objects.get().state == State.PUBLISHED


class TestReading:
    def test_the_list_says_which_version_is_in_use_and_which_is_a_draft(self, client, manager):
        publish()
        load(NINETY)
        page = client.get("/plans/").content.decode()
        assert "Version 1, Mon 1 Feb 2027, 09:00 GMT" in page
        assert url("version", 2) in page

    def test_an_empty_list_says_so(self, client, manager):
        assert "There is no plan yet." in client.get("/plans/").content.decode()

    def test_a_version_shows_every_part_with_its_source(self, client, manager):
        load_shipped_plans(at=MONDAY)
        page = client.get("/plans/nhs-full-migration/1/").content.decode()
        for words in (
            "307 tasks in 15 phases",
            "98 days before go-live",
            "The end of the clock “Old-system access”",
            "CUT-16 Complete and check dm+d mapping for EPS",
            "1 day before go-live",
            "Lesson learnt:",
            "The practice is satisfied that all of its data is across",
            "39 tasks of the phase “Final data production (FDP)” and the phase “Cut-over period”",
            "No go-live",
            "72 hours",
            "Limits that are switched off",
            "Source: S1; G6; GR.",
        ):
            assert words in page, words

    def test_reading_takes_the_same_queries_however_long_the_plan_is(self, client, manager):
        publish()
        load_shipped_plans(at=MONDAY)
        counts = []
        for address in (
            url("version"),
            "/plans/nhs-cut-over-to-post-go-live/1/",
            "/plans/nhs-full-migration/1/",
        ):
            with CaptureQueriesContext(connection) as queries:
                client.get(address)
            counts.append(len(queries))
        assert len(set(counts)) == 1, counts
        assert counts[0] <= 16

    def test_so_does_reading_what_a_version_changed(self, client, manager, administrator):
        publish()
        publish(NINETY)
        load_shipped_plans(at=MONDAY)
        plan = Plan.objects.get(slug="nhs-full-migration")
        long = services.draft_from(version=plan.versions.get(), by=administrator, at=MONDAY)
        codes = [task["code"] for task in (long.content or {})["task"]]
        services.set_tasks(
            version=long, codes=codes, values={"guidance": "x" * 90}, by=administrator, at=MONDAY
        )
        services.publish(version=long, by=administrator, at=MONDAY)
        counts = []
        for address in (url("version", 2), "/plans/nhs-full-migration/2/"):
            with CaptureQueriesContext(connection) as queries:
                assert "What it changed of version 1" in client.get(address).content.decode()
            counts.append(len(queries))
        assert counts[0] == counts[1] <= 28, counts

    def test_a_version_in_use_or_retired_says_what_it_changed(self, client, manager):
        publish()
        assert "What it changed" not in client.get(url("version")).content.decode()
        publish(NINETY)
        publish(changed("limit: 45", "limit: 60"))
        for number, limits in ((2, "from 45 days to 90 days"), (3, "from 90 days to 60 days")):
            page = client.get(url("version", number)).content.decode()
            assert f"What it changed of version {number - 1}" in page
            assert f"Limit {limits}" in page

    def test_both_wordings_of_a_long_text_are_there_to_read(self, client, administrator):
        publish()
        long = "All data is across, " + "<b>every</b> record of every practice, " * 3 + "by hand."
        text = changed("statement: All data is across.", f"statement: {long}")
        draft = load(text)
        other = changed("limit: 45", "limit: 60")
        file = SimpleUploadedFile("plan.yaml", other.encode())
        pages = [
            client.get(url("publish", 2)),
            client.get(url("version", 2)),
            client.post(UPLOAD, {"file": file}),
        ]
        services.publish(version=draft, by=administrator, at=MONDAY)
        pages.append(client.get(url("version", 2)))
        for page in pages:
            said = page.content.decode()
            assert "Statement reworded" in said
            assert "All data is across.</p>" in said
            assert "across, &lt;b&gt;every&lt;/b&gt; record" in said
            assert "<b>every" not in said

    def test_the_list_takes_the_same_queries_however_many_plans_there_are(self, client, manager):
        publish()
        with CaptureQueriesContext(connection) as few:
            client.get("/plans/")
        load_shipped_plans(at=MONDAY)
        load(NINETY)
        with CaptureQueriesContext(connection) as many:
            client.get("/plans/")
        assert len(few) == len(many)

    def test_an_export_is_a_file_that_uploads_as_it_was(self, client, administrator):
        load_shipped_plans(at=MONDAY)
        answer = client.get("/plans/nhs-full-migration/1/plan.yaml")
        assert answer["Content-Disposition"] == 'attachment; filename="nhs-full-migration-v1.yaml"'
        assert answer.content == (FOLDER / "nhs-full-migration.yaml").read_bytes()
        file = SimpleUploadedFile("plan.yaml", answer.content)
        page = client.post(UPLOAD, {"file": file}, follow=True).content.decode()
        assert "Nothing new: this is what NHS full migration, version 1 (published) says" in page


class TestUploading:
    def test_a_file_becomes_a_draft_that_says_what_it_changes(self, client, administrator):
        publish()
        file = SimpleUploadedFile("plan.yaml", NINETY.encode())
        answer = client.post(UPLOAD, {"file": file}, follow=True)
        assert answer.redirect_chain == [(url("version", 2), 302)]
        page = answer.content.decode()
        assert "A small plan, version 2 is loaded as a draft." in page
        assert "Clock Old-system access" in page
        assert "Limit from 45 days to 90 days" in page
        assert PlanVersion.objects.get(number=2).created_by == administrator

    @pytest.mark.parametrize("pasted", [False, True])
    def test_over_a_draft_the_difference_is_shown_before_anything_is_written(
        self, client, administrator, pasted
    ):
        draft = load()
        file = SimpleUploadedFile("plan.yaml", NINETY.encode())
        page = client.post(UPLOAD, {"text": NINETY} if pasted else {"file": file})
        said = page.content.decode()
        for words in (
            f"Check what {'the text' if pasted else 'plan.yaml'} changes",
            "Nothing has been written yet. It makes 1 change to the draft.",
            "Limit from 45 days to 90 days",
            f'href="{UPLOAD}">Choose another file',
        ):
            assert words in said
        assert PlanVersion.objects.get().digest == draft.digest

        answer = client.post("/plans/small/import/", {"plan": page.context["plan"]}, follow=True)
        assert "You can take it back." in answer.content.decode()
        after = PlanVersion.objects.get()
        assert (after.pk, tree_of(after).clocks[1].limit) == (draft.pk, 90)
        services.take_back(version=after, number=1, by=administrator, at=MONDAY)
        assert PlanVersion.objects.get().content == draft.content

    def test_what_the_draft_says_already_is_nothing_new(self, client, administrator):
        draft = load()
        answer = client.post(UPLOAD, {"text": SMALL}, follow=True)
        assert (
            "Nothing new: this is what A small plan, version 1 (draft)" in answer.content.decode()
        )
        assert PlanVersion.objects.get().digest == draft.digest

    def test_pasted_text_does_as_well(self, client, administrator):
        answer = client.post(UPLOAD, {"text": SMALL.replace("\n", "\r\n")}, follow=True)
        assert "so all of it is new" in answer.content.decode()
        assert Plan.objects.get().slug == "small"

    def test_faults_are_listed_with_lines_and_the_text_is_kept(self, client, administrator):
        text = changed("owner: source_supplier", "owner: boss").replace("limit: 45", "limit: many")
        answer = client.post(UPLOAD, {"text": text})
        page = answer.content.decode()
        assert answer.status_code == 422
        assert "<title>Error: Upload a plan" in page
        line = text.split("\n").index("        owner: boss") + 1
        assert f"The text, line {line}, phases.cut_over.tasks.CUT-01.owner: " in page
        assert "clocks.access.limit: Write a whole number from 1" in page
        assert f'<li id="line-{line}" tabindex="-1">Line {line}: <code>owner: boss</code>' in page
        assert f'href="#line-{line}"' in page
        assert "Mend 2 faults in the plan" in page
        assert "Take the final extract" in page.partition("<textarea")[2]
        assert not Plan.objects.exists()

    def test_the_text_of_a_file_with_faults_can_be_mended_in_place(self, client, administrator):
        file = SimpleUploadedFile("mine.yaml", changed("limit: 45", "limit: many").encode())
        page = client.post(UPLOAD, {"file": file}).content.decode()
        assert "mine.yaml, line" in page
        assert "limit: many" in page.partition("<textarea")[2]

    @pytest.mark.parametrize(
        ("content", "sentence"),
        [
            ("# £5\n".encode("latin-1"), "not UTF-8 text"),
            ("title: x".encode("utf-16"), "not UTF-8 text"),
            (b"", "empty"),
            (b"<script>alert(1)</script>", "Write fields here"),
            (b"x" * 2_000_001, "at most 2 MB"),
        ],
    )
    def test_what_is_no_plan_gets_a_sentence_and_changes_nothing(
        self, client, administrator, content, sentence
    ):
        file = io.BytesIO(content)
        file.name = "plan.yaml"
        answer = client.post(UPLOAD, {"file": file})
        page = answer.content.decode()
        assert answer.status_code == 422
        assert sentence in page
        assert "<script>alert" not in page
        assert not Plan.objects.exists()

    @pytest.mark.parametrize(
        ("content", "sentence"),
        [
            (saved(small_book()), "This is an Excel workbook. Take it in on the page of its plan"),
            (bytes.fromhex("d0cf11e0a1b11ae1") + b"x" * 600, "old Office file"),
            (b"%PDF-1.7\n%\xe2\xe3\nstream", "This is a PDF"),
            (b"PK\x03\x04\xff\xfe", "not a text file"),
            (b"\x89PNG\r\n\x1a\n\x00\x00\x00", "not a text file"),
        ],
    )
    def test_a_file_of_another_kind_is_said_once_and_not_poured_into_the_box(
        self, client, administrator, content, sentence
    ):
        answer = client.post(UPLOAD, {"file": SimpleUploadedFile("plan.yaml", content)})
        page = answer.content.decode()
        assert answer.status_code == 422
        ((where, said),) = answer.context["form"].errors.items()
        assert (where, sentence in said[0]) == ("file", True)
        assert "fault" not in page
        assert "UTF-8" not in page
        assert not answer.context["form"]["text"].value()
        assert not Plan.objects.exists()

    def test_nothing_handed_in_is_said(self, client, administrator):
        answer = client.post(UPLOAD, {})
        assert answer.status_code == 422
        assert "Choose a plan file, or paste a plan as text" in answer.content.decode()


class TestPublishing:
    def test_a_draft_is_published_with_notes(self, client, administrator):
        publish()
        seen = load(NINETY).digest
        sent = {"seen": seen, "notes": "90 days agreed"}
        answer = client.post(url("publish", 2), sent, follow=True)
        page = answer.content.decode()
        assert "version 2 is published: new migrations start from it." in page
        assert "90 days agreed" in page
        assert PlanVersion.objects.published().get().published_by == administrator

    def test_a_draft_replaced_since_the_look_is_not_published_but_shown(
        self, client, administrator
    ):
        seen = load().digest
        assert f'name="seen" value="{seen}"' in client.get(url("publish")).content.decode()
        load(NINETY)
        answer = client.post(url("publish"), {"seen": seen, "notes": "45 days agreed"})
        page = answer.content.decode()
        assert answer.status_code == 409
        assert "Another draft took its place since you looked." in page
        assert "45 days agreed" in page
        draft = PlanVersion.objects.get()
        assert draft.state == State.DRAFT
        assert f'name="seen" value="{draft.digest}"' in page

    def test_a_draft_replaced_since_the_look_is_not_discarded(self, client, administrator):
        seen = load().digest
        assert f'name="seen" value="{seen}"' in client.get(url("discard")).content.decode()
        draft = load(NINETY)
        answer = client.post(url("discard"), {"seen": seen})
        page = answer.content.decode()
        assert answer.status_code == 409
        assert "Another draft took its place since you looked." in page
        assert f'name="seen" value="{draft.digest}"' in page
        assert PlanVersion.objects.get() == draft

    def test_discarding_twice_says_that_it_is_gone_already(self, client, administrator):
        seen = load().digest
        client.post(url("discard"), {"seen": seen})
        answer = client.post(url("discard"), {"seen": seen}, follow=True)
        assert answer.redirect_chain == [("/plans/", 302)]
        assert "This draft has been discarded already." in answer.content.decode()

    def test_notes_that_are_too_long_are_kept_and_nothing_is_published(self, client, administrator):
        load()
        answer = client.post(url("publish"), {"notes": "x" * 1001})
        assert answer.status_code == 422
        assert "x" * 1001 in answer.content.decode()
        assert PlanVersion.objects.get().state == State.DRAFT

    def test_a_retired_version_is_refused_in_words(self, client, administrator):
        publish()
        client.post(url("retire"))
        page = client.post(url("publish"), follow=True).content.decode()
        assert "Version 1 is retired." in page

    def test_retiring_asks_first_and_then_says_so(self, client, administrator):
        publish()
        assert "No new migration can start" in client.get(url("retire")).content.decode()
        page = client.post(url("retire"), follow=True).content.decode()
        assert "is retired: nothing new starts from it." in page

    def test_a_draft_is_discarded_and_a_published_version_is_not(self, client, administrator):
        publish()
        seen = load(NINETY).digest
        assert "Discard the draft" in client.get(url("discard", 2)).content.decode()
        page = client.post(url("discard", 2), {"seen": seen}, follow=True).content.decode()
        assert "The draft A small plan, version 2 is discarded." in page
        page = client.post(url("discard"), follow=True).content.decode()
        assert "has been published, so it is kept." in page
