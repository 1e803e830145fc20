"""The pages about people: whom one sees, and what one may do with them."""

import re
from datetime import date, timedelta

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from practices.accounts import services
from practices.accounts.models import Invitation, Membership, User
from practices.accounts.roles import Role
from practices.common.errors import Refused
from practices.common.models import Event
from tests.factories import (
    MONDAY,
    give_role,
    make_invitation,
    make_organisation,
    make_person,
    make_practice,
)

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
MANY = "/people/invite-many/"


@pytest.fixture(autouse=True)
def monday():
    with time_machine.travel(MONDAY, tick=False):
        yield


@pytest.fixture
def practice():
    return make_practice("Elm Tree Surgery").organisation


@pytest.fixture
def manager(practice):
    return make_person(Role.PRACTICE_MANAGER, practice, name="Alice Manager")


@pytest.fixture
def staff(practice):
    return make_person(Role.PRACTICE_STAFF, practice, name="Bob Reception")


@pytest.fixture
def administrator():
    return make_person(Role.ADMINISTRATOR, name="Ada Admin")


def as_(person):
    client = Client()
    client.force_login(person)
    return client


def text(answer):
    return " ".join(answer.content.decode().split())


def kinds():
    return list(Event.objects.of("site").order_by("seq").values_list("kind", flat=True))


class TestWhoSeesWhom:
    def test_a_practice_manager_sees_the_practice_and_nobody_else(self, manager, staff, practice):
        gone = make_person(name="Gina Gone")
        give_role(gone, Role.CLINICIAN, practice, until=date(2027, 1, 1))
        other = make_person(Role.PRACTICE_MANAGER, make_practice(), name="Olga Other")
        give_role(staff, Role.TRAINER, make_organisation("delivery_partner", "Secret Partner"))
        page = text(as_(manager).get("/people/"))
        for words in (
            "Alice Manager",
            "Bob Reception",
            "Practice staff, Elm Tree Surgery",
            "Never",
        ):
            assert words in page
        for words in ("Gina Gone", "Olga Other", "Secret Partner"):
            assert words not in page
        assert "Secret Partner" not in text(as_(manager).get(f"/people/{staff.pk}/"))
        for person in (gone, other):
            assert as_(manager).get(f"/people/{person.pk}/").status_code == 404

    def test_a_project_manager_sees_the_own_organisation_but_not_its_practices(self, staff):
        partner = make_organisation("delivery_partner")
        boss = make_person(Role.PROJECT_MANAGER, partner)
        make_person(Role.TRAINER, partner, name="Tom Trainer")
        page = text(as_(boss).get("/people/"))
        assert "Tom Trainer" in page
        assert "Bob Reception" not in page

    def test_an_administrator_finds_anybody_by_name_or_address(self, administrator, staff, manager):
        client = as_(administrator)
        for words in ("recep", staff.email, "BOB recept"):
            page = text(client.get("/people/", {"q": words}))
            assert "Bob Reception" in page
            assert "Alice Manager" not in page

    def test_the_list_takes_the_same_queries_for_any_number(self, manager, practice):
        def queries():
            client = as_(manager)
            with CaptureQueriesContext(connection) as found:
                assert client.get("/people/").status_code == 200
            return len(found)

        make_invitation(practice)
        one = queries()
        for _ in range(5):
            make_person(Role.CLINICIAN, practice)
            make_invitation(practice)
        assert queries() == one

    @pytest.mark.parametrize("role", [Role.PRACTICE_STAFF, Role.LEAD_GP])
    def test_staff_look_after_nobody(self, role, practice):
        person = make_person(role, practice)
        assert as_(person).get("/people/").status_code == 403
        assert "/people/" not in text(as_(person).get("/"))


class TestInviting:
    def test_a_practice_manager_invites_to_the_roles_of_the_practice(self, manager, practice):
        client = as_(manager)
        assert "Supplier" not in text(client.get("/people/invite/")).partition("<main")[2]
        sent = {
            "email": "New@example.test",
            "name": "Nina",
            "role": f"{practice.pk}-lead_gp",
            "until_day": "31",
            "until_month": "3",
            "until_year": "2027",
        }
        page = client.post("/people/invite/", sent, follow=True)
        assert "new@example.test is invited" in text(page)
        invitation = Invitation.objects.get()
        assert (invitation.role, invitation.organisation) == ("lead_gp", practice)
        assert invitation.valid_to == date(2027, 4, 1)
        assert "until and including Wednesday 31 March 2027" in text(client.get("/people/"))

    @pytest.mark.parametrize("role", ["supplier", "administrator", "project_manager"])
    def test_and_to_no_other_role_or_practice(self, manager, practice, role):
        other = make_practice().organisation
        client = as_(manager)
        for offer in (f"{practice.pk}-{role}", f"{other.pk}-practice_staff"):
            sent = {"email": "new@example.test", "name": "Nina", "role": offer}
            answer = client.post("/people/invite/", sent)
            assert answer.status_code == 422
            assert 'value="Nina"' in text(answer)
        assert not Invitation.objects.exists()

    def test_an_administrator_invites_a_supplier_by_code(self, administrator):
        supplier = make_organisation("supplier")
        client = as_(administrator)
        sent = {
            "email": "s@example.test",
            "name": "Sue",
            "role": "supplier",
            "organisation": "none",
        }
        assert "There is no organisation with the code “NONE”" in text(
            client.post("/people/invite/", sent)
        )
        client.post("/people/invite/", sent | {"organisation": supplier.code.lower()})
        assert Invitation.objects.get().organisation == supplier

    def test_it_is_sent_again_or_withdrawn(self, manager, practice):
        invitation = make_invitation(practice)
        client = as_(manager)
        client.post(f"/people/invitations/{invitation.pk}/send-again/")
        client.post(f"/people/invitations/{invitation.pk}/withdraw/")
        again = text(client.post(f"/people/invitations/{invitation.pk}/withdraw/", follow=True))
        assert "was withdrawn" in again
        assert kinds()[-2:] == ["invitation.sent_again", "invitation.withdrawn"]


class TestAccounts:
    def test_closing_one_ends_its_sessions_for_good(self, administrator, staff):
        theirs, client = as_(staff), as_(administrator)
        assert theirs.get("/").status_code == 200
        client.post(f"/people/{staff.pk}/close/")
        assert theirs.get("/").status_code == 302
        assert "Account closed" in text(client.get(f"/people/{staff.pk}/"))
        client.post(f"/people/{staff.pk}/open/")
        assert theirs.get("/").status_code == 302, "an old session came back to life"
        assert as_(User.objects.get(pk=staff.pk)).get("/").status_code == 200
        assert kinds() == ["person.closed", "person.opened"]

    def test_nobody_closes_their_own(self, administrator):
        page = as_(administrator).post(f"/people/{administrator.pk}/close/", follow=True)
        assert "You cannot close your own account" in text(page)
        assert User.objects.get(pk=administrator.pk).is_active

    def test_the_last_administrator_stays_one(self, administrator):
        membership = administrator.memberships.get()
        page = as_(administrator).post(f"/people/roles/{membership.pk}/end/")
        assert "is the last administrator" in text(page)
        other = make_person(Role.ADMINISTRATOR)
        services.end_membership(membership=membership, by=other, at=MONDAY)
        with pytest.raises(Refused, match="last administrator"):
            services.end_membership(membership=other.memberships.get(), by=other, at=MONDAY)

    def test_an_administrator_gives_a_role(self, administrator, staff, practice):
        client = as_(administrator)
        url = f"/people/{staff.pk}/roles/"
        wrong = client.post(url, {"organisation": practice.code, "role": "supplier"})
        assert "so nobody can be its supplier" in text(wrong)
        client.post(url, {"organisation": practice.code, "role": "lead_gp"})
        assert User.objects.get(pk=staff.pk).roles == {"practice_staff", "lead_gp"}


class TestDeputies:
    def test_one_is_appointed_with_both_days_included(self, manager, staff):
        membership = manager.memberships.get()
        url = f"/people/roles/{membership.pk}/deputy/"
        client = as_(manager)
        days = {"first_day": "9", "first_month": "4", "first_year": "2027"}
        days |= {"last_day": "11", "last_month": "4", "last_year": "2027"}
        wrong = client.post(url, {"deputy": staff.pk, **days, "last_day": "8"})
        assert "The last day must not be before the first day" in text(wrong)
        said = text(client.post(url, {"deputy": staff.pk, **days}, follow=True))
        assert "Bob Reception stands in for Alice Manager from Friday 9 April 2027 until" in said
        assert "including Sunday 11 April 2027." in said
        deputy = Membership.objects.get(deputy_for=manager)
        assert (deputy.valid_from, deputy.valid_to) == (date(2027, 4, 9), date(2027, 4, 12))
        shown = text(client.get(f"/people/{staff.pk}/"))
        assert "Deputy of Alice Manager as Practice manager" in shown
        assert "until and including Sunday 11 April 2027" in shown
        assert kinds() == ["deputy.appointed"]

    def test_both_find_each_other_with_the_days_on_their_own_page(self, manager, staff):
        services.appoint_deputy(
            membership=manager.memberships.get(),
            deputy=staff,
            first=MONDAY.date(),
            last=MONDAY.date() + DAY,
            by=manager,
            at=MONDAY,
        )
        days = "from Monday 1 February 2027 until and including Tuesday 2 February 2027"
        what = f"Deputy of Alice Manager as Practice manager, Elm Tree Surgery, {days}"
        absent = text(as_(manager).get("/account/"))
        assert "Who stands in for you" in absent
        assert f"Bob Reception: {what}" in absent
        assert "You keep your role" in absent
        assert "For whom you stand in" not in absent
        deputy = text(as_(staff).get("/account/"))
        assert "For whom you stand in" in deputy
        assert what in deputy
        with time_machine.travel(MONDAY + 2 * DAY, tick=False):
            for person in (manager, staff):
                page = text(as_(person).get("/account/"))
                assert "You stand in for nobody, and nobody stands in for you." in page

    def test_the_own_page_takes_the_same_queries_for_any_number(self, manager, staff):
        client = as_(manager)

        def queries():
            with CaptureQueriesContext(connection) as found:
                assert client.get("/account/").status_code == 200
            return len(found)

        before = queries()
        for number in range(3):
            services.appoint_deputy(
                membership=manager.memberships.get(role=Role.PRACTICE_MANAGER),
                deputy=staff,
                first=MONDAY.date() + number * 2 * DAY,
                last=MONDAY.date() + number * 2 * DAY,
                by=manager,
                at=MONDAY,
            )
            give_role(manager, Role.CLINICIAN, make_practice())
        assert queries() == before

    @pytest.mark.parametrize(
        ("change", "sentence"),
        [
            ({"first": MONDAY.date() - DAY}, "today or later"),
            ({"last": MONDAY.date() + 92 * DAY}, "at most 92 days"),
            ({"last": date(2027, 3, 1)}, "holds the role only until"),
            ({"deputy": "manager"}, "cannot stand in for"),
        ],
    )
    def test_what_cannot_be_is_refused(self, manager, staff, change, sentence):
        Membership.objects.filter(person=manager).update(valid_to=date(2027, 3, 1))
        asked = {"deputy": staff, "first": MONDAY.date(), "last": MONDAY.date() + DAY} | change
        if asked["deputy"] == "manager":
            asked["deputy"] = manager
        with pytest.raises(Refused, match=sentence):
            services.appoint_deputy(
                membership=manager.memberships.get(), by=manager, at=MONDAY, **asked
            )

    def test_nobody_appoints_themselves(self, manager, practice):
        doctor = make_person(Role.LEAD_GP, practice)
        with pytest.raises(Refused, match="cannot appoint yourself"):
            services.appoint_deputy(
                membership=doctor.memberships.get(),
                deputy=manager,
                first=MONDAY.date(),
                last=MONDAY.date(),
                by=manager,
                at=MONDAY,
            )

    @pytest.mark.parametrize("begins", [MONDAY.date() - DAY, MONDAY.date() + 9 * DAY])
    def test_nobody_stands_in_for_a_role_that_has_ended_meanwhile(self, manager, staff, begins):
        membership = manager.memberships.get()
        Membership.objects.filter(pk=membership.pk).update(valid_from=begins)
        services.end_membership(membership=membership, by=None, at=MONDAY)
        with pytest.raises(Refused, match="holds the role only"):
            services.appoint_deputy(
                membership=membership,
                deputy=staff,
                first=MONDAY.date(),
                last=MONDAY.date(),
                by=manager,
                at=MONDAY,
            )

    def test_it_ends_with_the_role_of_the_absent_person(self, manager, staff):
        membership = manager.memberships.get()
        deputy = services.appoint_deputy(
            membership=membership,
            deputy=staff,
            first=MONDAY.date(),
            last=MONDAY.date() + 9 * DAY,
            by=manager,
            at=MONDAY,
        )
        services.end_membership(membership=membership, by=manager, at=MONDAY)
        deputy.refresh_from_db()
        assert deputy.valid_to == MONDAY.date()
        assert User.objects.get(pk=staff.pk).roles == {"practice_staff"}

    def test_a_deputy_does_not_get_to_these_pages(self, manager, staff):
        services.appoint_deputy(
            membership=manager.memberships.get(),
            deputy=staff,
            first=MONDAY.date(),
            last=MONDAY.date(),
            by=manager,
            at=MONDAY,
        )
        assert User.objects.get(pk=staff.pk).roles == {"practice_staff", "practice_manager"}
        assert as_(staff).get("/people/").status_code == 403


class TestManyAtOnce:
    FILE = (
        "E-mail;Full name;Role;Until\n"
        "one@example.test;One Example;Practice staff;30/04/2027\n"
        "two@example.test;Two Example;supplier;\n"
        "three;Three Example;Lead GP;\n"
        "one@example.test;One Again;practice_staff;\n"
        "four@example.test;=Four();clinician;31/02/2027\n"
    )

    @staticmethod
    def upload(client, content, name="people.csv"):
        file = SimpleUploadedFile(name, content.encode(), content_type="text/csv")
        return client.post(MANY, {"file": file})

    def kept(self, page):
        return re.search(r'name="lines" value="([^"]+)"', page.content.decode()).group(1)

    def test_looking_writes_nothing_and_confirming_invites(self, manager):
        client = as_(manager)
        page = self.upload(client, self.FILE)
        said = text(page)
        for words in (
            "Nobody has been invited yet. 1 of 5 lines would invite",
            "You cannot give the role Supplier.",
            "“three” is not an email address.",
            "Line 2 says the same.",
            "“31/02/2027” in until is not a day",
        ):
            assert words in said, words
        assert not Invitation.objects.exists()
        assert kinds() == []
        done = text(client.post(MANY, {"lines": self.kept(page)}, follow=True))
        assert "1 person is invited." in done
        assert "4 lines were left out." in done
        invitation = Invitation.objects.get()
        assert (invitation.email, invitation.valid_to) == ("one@example.test", date(2027, 5, 1))
        twice = text(client.post(MANY, {"lines": self.kept(page)}, follow=True))
        assert "0 people are invited" in twice

    def test_the_lines_left_out_can_be_downloaded_and_run_no_formula(self, manager):
        client = as_(manager)
        page = self.upload(client, self.FILE)
        answer = client.post(f"{MANY}rejected.csv", {"lines": self.kept(page)})
        assert "attachment" in answer.headers["Content-Disposition"]
        assert answer.content.decode().count("\n") == 5
        assert '"\'=Four()"' in answer.content.decode()

    def test_a_practice_manager_invites_nobody_of_another_practice(self, manager):
        other = make_practice().organisation
        head = "email,name,role,organisation\n"
        page = self.upload(as_(manager), f"{head}a@example.test,A,clinician,{other.code}\n")
        assert "You can invite to no organisation with the code" in text(page)

    def test_an_administrator_names_the_organisation(self, administrator, practice):
        head = "email,name,role,organisation\n"
        lines = f"a@example.test,A,clinician,{practice.code}\nb@example.test,B,clinician,\n"
        said = text(self.upload(as_(administrator), head + lines))
        assert "Clinician of Elm Tree Surgery" in said
        assert "The code of the organisation is missing." in said

    def test_what_one_looked_at_is_nobody_elses_and_gets_old(self, manager, administrator):
        lines = self.kept(self.upload(as_(manager), self.FILE))
        assert "too long ago" in text(as_(administrator).post(MANY, {"lines": lines}, follow=True))
        with time_machine.travel(MONDAY + timedelta(hours=2), tick=False):
            assert "too long ago" in text(as_(manager).post(MANY, {"lines": lines}, follow=True))
        assert not Invitation.objects.exists()

    @pytest.mark.parametrize(
        ("content", "sentence"),
        [
            ("who,what\nx,y\n", "Start with a header row that names email"),
            ("email,name,role\n", "no lines below it"),
            ("email,name,role\n" + "a@b.c,A,x\n" * 201, "Use at most 200 at a time"),
            ('email,name,role\n"a@b.c,A,x\n', "quotation mark is not closed"),
            ("email,name,role\na@example.test,943 476 5919,clinician\n", "could be an NHS number"),
        ],
    )
    def test_a_wrong_file_is_one_sentence(self, manager, content, sentence):
        answer = self.upload(as_(manager), content)
        assert answer.status_code == 422
        assert sentence in text(answer)

    def test_a_spreadsheet_is_told_apart(self, manager):
        answer = self.upload(as_(manager), "PK", name="people.xlsx")
        assert "must be CSV or TXT" in text(answer)
