"""People of a migration: who holds which role, and whom to call."""

import pytest
import time_machine

from practices.accounts.roles import Role
from practices.common.errors import Conflict, Refused
from practices.common.models import Event
from practices.common.templatetags.uk import telephone
from practices.tracking import services
from practices.tracking.models import Contact, Migration
from practices.tracking.services import ContactDetails
from practices.tracking.services.contacts import contact_mark
from practices.tracking.services.lifecycle import has_work
from tests.factories import MONDAY, give_role, make_person

from .cast import make_cast
from .test_dates_pages import said

pytestmark = pytest.mark.django_db
PAT = ContactDetails(role="pcse", name="Pat Example", telephone="01632 960123")
SAM = ContactDetails(role="pcse", name="Sam Example", email="sam@example.test")


@pytest.fixture
def cast():
    return make_cast()


@pytest.fixture
def contact(cast):
    return services.add_contact(migration=cast.migration, details=PAT, by=cast.manager, at=MONDAY)


@pytest.fixture
def as_(client):
    def sign_in(person):
        client.force_login(person)
        return client

    with time_machine.travel(MONDAY, tick=False):
        yield sign_in


def change(cast, contact, details, seen):
    return services.change_contact(
        contact=contact, details=details, seen=seen, by=cast.manager, at=MONDAY
    )


def test_roles_are_shown_with_their_people_and_empty_ones_named(cast, as_):
    doctor = make_person(Role.LEAD_GP, cast.migration.practice, name="Dora Doctor")
    page = said(as_(doctor).get(cast.url("people")))
    for words in ("Dora Doctor", cast.project_manager.name, "Registration clerk", "Nobody yet"):
        assert words in page


def test_events_hold_no_name_and_no_number(cast, contact):
    change(cast, contact, SAM, contact_mark(contact))
    for event in Event.objects.of(cast.migration.stream).filter(kind__startswith="contact."):
        assert not {"Pat", "Sam", "01632"} & set(str(event.data).split())
        assert event.subject == f"contact:{contact.pk}"


def test_somebody_elses_change_is_not_overwritten_unseen(cast, contact):
    seen = contact_mark(contact)
    change(cast, contact, SAM, seen)
    with pytest.raises(Conflict, match=r"Sam Example, PCSE, sam@example\.test"):
        change(cast, contact, PAT, seen)
    assert Contact.objects.get().name == "Sam Example"
    services.remove_contact(contact=contact, by=cast.manager, at=MONDAY)
    with pytest.raises(Conflict, match="taken off the list"):
        change(cast, contact, PAT, contact_mark(Contact.objects.get()))


def test_what_is_done_twice_is_one_act(cast, contact):
    change(cast, contact, PAT, "")
    services.remove_contact(contact=contact, by=cast.manager, at=MONDAY)
    services.remove_contact(contact=contact, by=cast.manager, at=MONDAY)
    assert cast.events()[1:] == ["contact.added", "contact.removed"]


def test_a_contact_can_be_reached(cast):
    with pytest.raises(Refused, match="Enter a telephone number or an email address"):
        services.add_contact(
            migration=cast.migration,
            details=ContactDetails(role="pcse", name="Nobody"),
            by=cast.manager,
            at=MONDAY,
        )


@pytest.mark.parametrize("page", ["people/add", "people/{}", "people/{}/remove"])
def test_only_who_manages_contacts_changes_them(cast, as_, contact, page):
    url = cast.url(page.format(contact.pk))
    for person, status in ((cast.stranger, 404), (cast.staff, 403)):
        assert as_(person).post(url).status_code == status
        if "remove" not in page:
            assert as_(person).get(url).status_code == status
    assert not Contact.objects.get().removed_at


def test_a_contact_of_another_migration_is_not_found(cast, as_, contact):
    other = make_cast()
    client = as_(other.manager)
    assert client.get(other.url(f"people/{contact.pk}")).status_code == 404
    assert client.post(other.url(f"people/{contact.pk}/remove")).status_code == 404


@pytest.mark.parametrize("number", ["abc", "ask for Pat", "01"])
def test_a_number_that_nobody_can_call_is_refused_with_what_was_typed(cast, as_, number):
    page = as_(cast.manager).post(
        cast.url("people/add"), {"role": "pcse", "name": "Pat", "telephone": number}
    )
    assert page.status_code == 422
    assert "Enter a telephone number, such as 01632 960001" in said(page)
    assert f'value="{number}"' in said(page)


@pytest.mark.parametrize("number", ["111", "+44 1632 960001", "ext. 4021, ask for Pat"])
def test_whoever_answers_may_be_named_with_the_number(cast, as_, number):
    as_(cast.manager).post(
        cast.url("people/add"), {"role": "pcse", "name": "Pat", "telephone": number}
    )
    assert Contact.objects.get().telephone == number


def test_a_contact_is_added_changed_and_removed(cast, as_):
    client = as_(cast.manager)
    wrong = client.post(cast.url("people/add"), {"role": "pcse", "name": "Pat"})
    assert wrong.status_code == 422
    assert 'value="Pat"' in said(wrong)
    client.post(
        cast.url("people/add"), {"role": "pcse", "name": "Pat", "telephone": "01632 960123"}
    )
    contact = Contact.objects.get()
    url = cast.url(f"people/{contact.pk}")
    seen = contact_mark(contact)
    sent = {"role": "pcse", "name": "Pat Example", "telephone": "01632 960123", "seen": seen}
    client.post(url, sent)
    assert Contact.objects.get().name == "Pat Example"
    page = client.post(url, {**sent, "name": "Patricia"})
    assert "Somebody changed this contact while you looked" in said(page)
    assert 'value="Patricia"' in said(page)
    client.post(cast.url(f"people/{contact.pk}/remove"), follow=True)
    assert "Pat Example" not in said(client.get(cast.url("people")))


class TestChangingTheProjectManager:
    @pytest.fixture
    def nora(self, cast):
        return make_person(Role.PROJECT_MANAGER, cast.migration.run_by, name="Nora Next")

    @staticmethod
    def hand_over(cast, to, **more):
        return services.change_project_manager(
            **{
                "migration": cast.migration,
                "to": to,
                "seen": cast.project_manager.pk,
                "by": cast.project_manager,
                "at": MONDAY,
                **more,
            }
        )

    def test_it_is_done_from_the_overview(self, cast, nora, as_):
        client, url = as_(cast.project_manager), cast.url("people/project-manager")
        assert url in said(client.get(cast.url()))
        sent = {"project_manager": nora.pk, "seen": cast.project_manager.pk}
        done = said(client.post(url, sent, follow=True))
        assert "The project manager is Nora Next." in done
        assert Migration.objects.get().project_manager == nora
        assert cast.events()[1:] == ["migration.manager_changed"]
        assert not has_work(cast.migration)

    def test_an_administrator_may_when_nobody_is_left_to_do_it(self, cast, nora, as_):
        client = as_(make_person(Role.ADMINISTRATOR))
        url = cast.url("people/project-manager")
        client.post(url, {"project_manager": nora.pk, "seen": cast.project_manager.pk})
        assert Migration.objects.get().project_manager == nora

    @pytest.mark.parametrize("who", ["manager", "trainer", "commissioner"])
    def test_others_neither_see_the_way_nor_may_go_it(self, cast, as_, who):
        client, url = as_(getattr(cast, who)), cast.url("people/project-manager")
        assert url not in said(client.get(cast.url()))
        assert client.get(url).status_code == 403
        assert client.post(url).status_code == 403

    def test_only_who_holds_the_role_there_today_can_be_chosen(self, cast, as_):
        here = cast.migration.run_by
        left = make_person(name="Lena Left")
        give_role(left, Role.PROJECT_MANAGER, here, until=MONDAY.date())
        away = make_person(Role.PROJECT_MANAGER, is_active=False)
        give_role(away, Role.PROJECT_MANAGER, here)
        elsewhere = make_person(Role.PROJECT_MANAGER, name="Elsa Elsewhere")
        client, url = as_(cast.project_manager), cast.url("people/project-manager")
        for person in (left, away, elsewhere, cast.trainer):
            with pytest.raises(Refused, match="is not a project manager of"):
                self.hand_over(cast, person)
            sent = {"project_manager": person.pk, "seen": cast.project_manager.pk}
            assert client.post(url, sent).status_code == 422
            assert person.name not in said(client.get(url))
        assert cast.events()[1:] == []

    def test_somebody_elses_change_is_not_overwritten_unseen(self, cast, nora, as_):
        third = make_person(Role.PROJECT_MANAGER, cast.migration.run_by, name="Theo Third")
        first = cast.project_manager.pk
        self.hand_over(cast, nora)
        client, url = as_(third), cast.url("people/project-manager")
        page = client.post(url, {"project_manager": third.pk, "seen": first})
        assert "the project manager is now Nora Next" in said(page)
        assert Migration.objects.get().project_manager == nora
        client.post(
            url, {"project_manager": third.pk, "seen": page.context["form"]["seen"].value()}
        )
        assert Migration.objects.get().project_manager == third

    def test_twice_is_one_act(self, cast, nora):
        first = cast.project_manager.pk
        self.hand_over(cast, nora)
        self.hand_over(cast, nora, seen=first)
        assert cast.events()[1:] == ["migration.manager_changed"]

    def test_not_in_a_migration_that_is_over(self, cast, nora, as_):
        services.cancel_migration(
            migration=cast.migration, reason="Merged", by=cast.project_manager, at=MONDAY
        )
        with pytest.raises(Refused, match="nothing in it can be changed"):
            self.hand_over(cast, nora)
        page = said(as_(cast.project_manager).get(cast.url()))
        assert cast.url("people/project-manager") not in page


@pytest.mark.parametrize(
    ("typed", "dialled"),
    [
        ("01632 960001", "01632960001"),
        ("+44 (0)20 7946 0018", "+442079460018"),
        ("(01632) 960001", "01632960001"),
        ("07700 900123 / 07700 900124", "07700900123"),
        ("020 7946 0018 x12, ask for Bob", "02079460018"),
        ("111", "111"),
    ],
)
def test_a_number_is_dialled_without_what_is_no_part_of_it(typed, dialled):
    assert telephone(typed) == f'<a href="tel:{dialled}">{typed}</a>'


def test_what_cannot_be_dialled_is_no_link():
    assert telephone("ext. 4021, <b>Pat</b>") == "ext. 4021, &lt;b&gt;Pat&lt;/b&gt;"


def test_whoever_would_overwrite_a_change_sees_all_of_it(cast, as_, contact):
    client = as_(cast.manager)
    seen = contact_mark(contact)
    Contact.objects.update(organisation="Another Desk Ltd")
    sent = {"role": "pcse", "name": "Pat", "telephone": "01632 960123", "seen": seen}
    assert "Another Desk Ltd" in said(client.post(cast.url(f"people/{contact.pk}"), sent))
