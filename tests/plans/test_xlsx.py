"""A plan as a spreadsheet: exported, changed in Excel, compared, taken in."""

from datetime import date
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from openpyxl import load_workbook
from pytest_django.asserts import assertContains

from practices.accounts.roles import Role
from practices.plans import services
from practices.plans.models import PlanEdit, PlanVersion
from practices.plans.queries import draft_of, newest_of, tree_of
from practices.plans.shipping import FOLDER
from practices.plans.xlsx import read_workbook, write_workbook
from practices.plans.xlsx.sheets import plan_fields, sheets
from practices.plans.yaml import PlanFileError, read_plan, write_plan
from practices.plans.yaml.descriptions import DESCRIPTIONS
from tests.factories import MONDAY, make_person

from .small import SMALL, changed
from .workbooks import cell, saved, small_book

IMPORT = "/plans/small/import/"


class TestWorkbook:
    @pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
    def test_every_shipped_plan_comes_back_as_it_was(self, path):
        tree = read_plan(path.read_bytes(), file=path.name)
        back = read_workbook(write_workbook(tree), file="plan.xlsx")
        assert back == tree
        assert write_plan(back) == write_plan(tree)

    def test_every_field_of_a_plan_has_a_cell(self):
        columns = {
            f"{'phases.' if sheet.name == 'tasks' else 'gates.' if sheet.name == 'seats' else ''}"
            f"{sheet.name}.{column.path}"
            for sheet in sheets()
            for column in sheet.columns
        }
        inner = {
            path for path in DESCRIPTIONS if any(o.startswith(f"{path}.") for o in DESCRIPTIONS)
        }
        links = {path for path in DESCRIPTIONS if path.startswith("phases.tasks.after")}
        leaves = DESCRIPTIONS.keys() - inner - links | {"phases.tasks.after"}
        assert columns | set(plan_fields()) == leaves

    def test_cells_are_texts_and_numbers_with_lists_to_choose_from(self):
        book = small_book(changed("title: Check the data", 'title: "=1+1 is two"'))
        kinds = {one.data_type for page in book for row in page.iter_rows() for one in row}
        assert kinds <= {"s", "n"}
        tasks = book["Tasks"]
        assert tasks.freeze_panes == "B2"
        ranges = [str(rule.sqref) for rule in tasks.data_validations.dataValidation]
        owner = cell(book, "Tasks", "Owner").column_letter
        assert f"{owner}2:{owner}1100" in ranges
        assert book["Lists"].sheet_state == "hidden"
        assert "what would change is shown" in book["Read me"]["A2"].value

    def test_what_looks_like_a_formula_or_an_error_stays_a_text(self):
        for title in ("=1+1", "+44 191", "#N/A", "-", "null", "_x000D_", "2027-02-06", "45"):
            tree = read_plan(changed("title: Check the data", f"title: '{title}'"), file="a.yaml")
            assert read_workbook(write_workbook(tree), file="plan.xlsx") == tree, title

    def test_it_is_read_as_people_leave_it(self):
        """Rows moved, numbers typed as numbers or texts, Excel's own true and false."""
        book = small_book()
        cell(book, "Clocks", "Limit", 3).value = "90"
        cell(book, "Clocks", "Enabled", 2).value = False
        cell(book, "Tasks", "Due by", 4).value = 31.0
        cell(book, "Clocks", "Warn before", 3).value = 14
        book["Tasks"].insert_rows(4)
        tree = read_workbook(saved(book), file="plan.xlsx")
        cut_over, access = tree.clocks
        assert (access.limit, access.warn_before, cut_over.enabled) == (90, (14,), False)
        assert [task.offset for task in tree.tasks()] == [0, -1, 31, 0]

    def test_every_fault_is_named_with_its_sheet_and_cell(self):
        book = small_book()
        cell(book, "Tasks", "Owner", 2).value = "boss"
        cell(book, "Clocks", "Limit", 3).value = 1.5
        owner = cell(book, "Tasks", "Owner", 2).coordinate
        limit = cell(book, "Clocks", "Limit", 3).coordinate
        with pytest.raises(PlanFileError) as refused:
            read_workbook(saved(book), file="plan.xlsx")
        said = str(refused.value).split("\n")
        assert said[0].startswith(f"plan.xlsx, sheet Tasks, cell {owner}: “boss” is not known.")
        assert said[1].startswith(f"plan.xlsx, sheet Clocks, cell {limit}: Write a whole number")

    @pytest.mark.parametrize(
        ("sheet", "heading", "typed"),
        [
            ("Tasks", "Owner", "Ownr"),
            ("Tasks", "Phase", "Phse"),
            ("Phases", "Key", "Keey"),
            ("Plan", "Field", "Fild"),
        ],
    )
    def test_a_misspelt_heading_is_one_fault_not_one_for_each_row(self, sheet, heading, typed):
        book = small_book()
        top = cell(book, sheet, heading, 1)
        top.value = typed
        with pytest.raises(PlanFileError) as refused:
            read_workbook(saved(book), file="plan.xlsx")
        said = f"There is no such column. Did you mean “{heading}”?"
        (problem,) = refused.value.problems
        assert str(problem) == f"sheet {sheet}, cell {top.coordinate}: {said}"

    def test_cells_without_a_heading_are_one_fault_for_the_column(self):
        book = small_book()
        beyond = book["Tasks"].max_column + 1
        for row in (3, 4):
            book["Tasks"].cell(row, beyond).value = "a remark"
        with pytest.raises(PlanFileError) as refused:
            read_workbook(saved(book), file="plan.xlsx")
        first = book["Tasks"].cell(3, beyond).coordinate
        (problem,) = refused.value.problems
        assert f"cell {first}: This column has no heading that is known." in str(problem)

    def test_a_date_that_excel_made_of_something_is_named(self):
        book = small_book()
        cell(book, "Tasks", "Title", 3).value = date(2027, 3, 12)
        with pytest.raises(PlanFileError, match=r"sheet Tasks, cell C3: Excel made a date of this"):
            read_workbook(saved(book), file="plan.xlsx")


@pytest.fixture
def administrator(client):
    person = make_person(Role.ADMINISTRATOR)
    client.force_login(person)
    return person


def load(text=SMALL):
    tree = read_plan(text, file="plan.yaml")
    return services.load_plan(tree=tree, by=None, at=MONDAY).version


def publish(text=SMALL):
    return services.publish(version=load(text), by=None, at=MONDAY)


def upload(client, book):
    content = book if isinstance(book, bytes) else saved(book)
    return client.post(IMPORT, {"file": SimpleUploadedFile("my plan.xlsx", content)})


def ninety():
    book = small_book()
    cell(book, "Clocks", "Limit", 3).value = 90
    return book


@pytest.mark.django_db
@pytest.mark.usefixtures("administrator")
class TestPages:
    def test_the_export_of_a_version_is_its_workbook(self, client):
        publish()
        answer = client.get("/plans/small/1/plan.xlsx")
        assert 'filename="small-v1.xlsx"' in answer["Content-Disposition"]
        assert load_workbook(BytesIO(answer.content)).sheetnames[:2] == ["Read me", "Plan"]
        assert read_workbook(answer.content, file="a") == read_plan(SMALL, file="a")
        assertContains(client.get("/plans/small/1/"), "/plans/small/1/plan.xlsx")

    def test_the_difference_is_shown_before_anything_is_written(self, client):
        publish()
        page = upload(client, ninety())
        assertContains(page, "Nothing has been written yet. It makes 1 change")
        assertContains(page, "Limit from 45 days to 90 days")
        assert PlanVersion.objects.count() == 1

        answer = client.post(IMPORT, {"plan": page.context["plan"]}, follow=True)
        assertContains(answer, "The draft says what my plan.xlsx says. You can take it back.")
        draft = draft_of("small")
        assert tree_of(newest_of("small")).clocks[1].limit == 90
        assert [edit.summary for edit in draft.edits.all()] == ["Taken from my plan.xlsx"]

    def test_a_draft_that_is_there_is_changed_as_one_edit_that_can_be_taken_back(
        self, client, administrator
    ):
        draft = load()
        page = upload(client, ninety())
        client.post(IMPORT, {"plan": page.context["plan"]})
        draft.refresh_from_db()
        assert draft.content["clock"][1]["limit"] == 90
        services.take_back(version=draft, number=draft.revision, by=administrator, at=MONDAY)
        draft.refresh_from_db()
        assert draft.content["clock"][1]["limit"] == 45

    def test_a_draft_in_which_parts_were_added_and_moved_is_changed_too(
        self, client, administrator
    ):
        """Its content holds tasks in another order than any file has them."""
        draft = load()
        by = {"by": administrator, "at": MONDAY}
        later = draft.content["phase"][0] | {"key": "later", "title": "Later"}
        services.add_part(version=draft, kind="phase", part=later, **by)
        for code, phase in (("CUT-01", "later"), ("GL-01", "later"), ("CUT-01", "cut_over")):
            services.move_to_phase(version=draft, code=code, phase=phase, **by)
        draft.refresh_from_db()
        phases = [task["phase"] for task in draft.content["task"]]
        assert phases == ["cut_over", "cut_over", "later", "cut_over"]
        tree = tree_of(newest_of("small"))
        page = upload(client, load_workbook(BytesIO(write_workbook(tree))))
        assertContains(page, "Nothing: my plan.xlsx says what")
        book = load_workbook(BytesIO(write_workbook(tree)))
        cell(book, "Clocks", "Limit", 3).value = 90
        page = upload(client, book)
        assert client.post(IMPORT, {"plan": page.context["plan"]}).status_code == 302
        draft.refresh_from_db()
        assert draft.content["clock"][1]["limit"] == 90

    def test_what_says_the_same_changes_nothing(self, client):
        publish()
        page = upload(client, small_book())
        assertContains(page, "Nothing: my plan.xlsx says what version 1 says.")
        client.post(IMPORT, {"plan": page.context["plan"]})
        assert PlanEdit.objects.count() == 0

    def test_a_draft_that_has_changed_since_is_compared_again(self, client, administrator):
        draft = load()
        page = upload(client, ninety())
        services.set_fields(
            version=draft, kind="clock", key="access", values={"limit": 60},
            seen=draft.revision, by=administrator, at=MONDAY,
        )  # fmt: skip
        answer = client.post(IMPORT, {"plan": page.context["plan"]})
        assertContains(answer, "The draft has changed since you compared.", status_code=409)
        assertContains(answer, "from 60 days to 90 days", status_code=409)
        assert PlanEdit.objects.count() == 1
        client.post(IMPORT, {"plan": answer.context["plan"]})
        draft.refresh_from_db()
        assert draft.content["clock"][1]["limit"] == 90

    def test_no_draft_is_begun_where_the_published_version_has_changed_since(self, client):
        publish()
        page = upload(client, ninety())
        publish(changed("limit: 45", "limit: 60"))
        answer = client.post(IMPORT, {"plan": page.context["plan"]})
        assert answer.status_code == 409
        assert draft_of("small") is None

    def test_a_page_of_somebody_else_or_one_made_up_changes_nothing(self, client):
        publish()
        page = upload(client, ninety())
        client.force_login(make_person(Role.ADMINISTRATOR))
        for sent in (page.context["plan"], "made up"):
            answer = client.post(IMPORT, {"plan": sent}, follow=True)
            assertContains(answer, "That was too long ago, and nothing was changed.")
        assert draft_of("small") is None

    def test_a_workbook_of_another_plan_is_refused(self, client):
        publish()
        answer = upload(client, small_book(changed("slug: small", "slug: other")))
        assertContains(answer, "This is another plan: the sheet Plan says", status_code=422)

    def test_every_fault_is_in_the_summary_of_errors(self, client):
        publish()
        book = small_book()
        cell(book, "Tasks", "Owner", 2).value = "boss"
        cell(book, "Clocks", "Limit", 3).value = "many"
        answer = upload(client, book)
        assertContains(answer, "Mend 2 faults in the spreadsheet", status_code=422)
        assertContains(answer, "my plan.xlsx, sheet Tasks, cell ", status_code=422)
        assertContains(answer, "my plan.xlsx, sheet Clocks, cell ", status_code=422)

    def test_a_plan_that_is_not_there_is_not_found(self, client):
        assert client.get(IMPORT).status_code == 404
