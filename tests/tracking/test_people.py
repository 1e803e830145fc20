"""People of a migration: who holds which role, and whom to call."""

import pytest
import time_machine

from practices.accounts.roles import Role
from practices.common.errors import Conflict, Refused
from practices.common.models import Event
from practices.tracking import services
from practices.tracking.models import Contact
from practices.tracking.services import ContactDetails
from practices.tracking.services.contacts import contact_mark
from tests.factories import MONDAY, make_person

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
    with pytest.raises(Conflict, match=r"Sam Example, sam@example\.test"):
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
    with pytest.raises(Refused, match="Enter a telephone number or an e-mail address"):
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
