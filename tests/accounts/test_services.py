"""Making people, giving and ending roles."""

from datetime import UTC, date, datetime, timedelta

import pytest

from practices.accounts import services
from practices.accounts.models import Membership, User
from practices.accounts.roles import Role
from practices.common import clock
from practices.common.errors import Refused
from practices.common.models import Event
from practices.directory.models import Organisation
from tests.factories import make_organisation, make_person, make_practice

pytestmark = pytest.mark.django_db

AT = datetime(2026, 7, 1, 23, 30, tzinfo=UTC)  # 00:30 on 2 July in London
Kind = Organisation.Kind


def add_person(**fields):
    fields = {"email": "Sam@Example.test ", "name": " Sam  Example ", "by": None, "at": AT} | fields
    return services.add_person(**fields)


def last_event():
    return Event.objects.of("site").order_by("-seq").first()


def test_a_person_is_made_with_a_tidy_name_and_address():
    person = add_person(password="correct horse battery")
    assert (person.name, person.email) == ("Sam Example", "sam@example.test")
    assert person.check_password("correct horse battery")
    event = last_event()
    assert (event.kind, event.subject, event.by, event.data) == (
        "person.added",
        f"person:{person.pk}",
        None,
        {},
    )


def test_a_name_keeps_nothing_that_nobody_sees():
    assert add_person(name="Sam\u200b\tExam\u202eple\x00").name == "Sam Example"


def test_without_a_password_nobody_can_sign_in_yet():
    assert not add_person().has_usable_password()


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"email": "sam"}, "“sam” is not an email address."),
        ({"email": "@".join(["a" * 60, ".".join(["b" * 60] * 4)])}, "longer than 254 characters"),
        ({"name": "  "}, "Enter the person's full name."),
        ({"name": "\u200b\u202e \u2060"}, "Enter the person's full name."),
        ({"email": "SAM@example.test"}, "There is already an account for sam@example.test."),
    ],
)
def test_a_wrong_person_is_refused_in_words(wrong, sentence):
    User.objects.create_user("sam@example.test", name="Sam")
    events = Event.objects.count()
    with pytest.raises(Refused, match=sentence):
        add_person(**wrong)
    assert User.objects.count() == 1
    assert Event.objects.count() == events


def test_a_role_counts_from_its_london_day_and_names_who_gave_it():
    person, admin = make_person(), make_person()
    practice = make_practice().organisation
    membership = services.add_membership(
        person=person, organisation=practice, role=Role.LEAD_GP, by=admin, at=AT
    )
    assert membership.valid_from == date(2026, 7, 2)
    assert User.objects.get(pk=person.pk).roles == {Role.LEAD_GP}
    event = last_event()
    assert (event.kind, event.by) == ("membership.added", admin)
    assert event.data == {"organisation": practice.pk, "role": "lead_gp"}


def test_a_role_is_held_once():
    person, practice = make_person(), make_practice().organisation
    given = {"person": person, "organisation": practice, "role": Role.CLINICIAN, "by": None}
    services.add_membership(**given, at=AT)
    with pytest.raises(Refused, match="is already clinician of"):
        services.add_membership(**given, at=AT + timedelta(days=1))


@pytest.mark.parametrize(
    ("role", "kind"),
    [
        (Role.ADMINISTRATOR, Kind.PRACTICE),
        (Role.NATIONAL_VIEWER, Kind.SUPPLIER),
        (Role.COMMISSIONER, Kind.PRACTICE),
        (Role.PRACTICE_MANAGER, Kind.OPERATOR),
    ],
)
def test_a_role_needs_an_organisation_in_which_it_means_something(role, kind):
    with pytest.raises(Refused, match="so nobody can be its"):
        services.add_membership(
            person=make_person(), organisation=make_organisation(kind), role=role, by=None, at=AT
        )
    assert not Membership.objects.exists()


def test_who_leaves_loses_the_role_the_same_day():
    now = clock.now()
    person, practice = make_person(), make_practice().organisation
    membership = services.add_membership(
        person=person, organisation=practice, role=Role.CLINICIAN, by=None, at=AT
    )
    services.end_membership(membership=membership, by=person, at=now)
    assert User.objects.get(pk=person.pk).roles == frozenset()
    assert last_event().kind == "membership.ended"
    with pytest.raises(Refused, match="no longer holds this role"):
        services.end_membership(membership=membership, by=person, at=now)


def test_a_role_can_be_given_again_after_it_ended():
    person, practice = make_person(), make_practice().organisation
    given = {"person": person, "organisation": practice, "role": Role.CLINICIAN, "by": None}
    membership = services.add_membership(**given, at=AT)
    services.end_membership(membership=membership, by=None, at=AT)
    services.add_membership(**given, at=AT)
    assert person.memberships.count() == 2
