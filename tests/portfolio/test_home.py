"""Where each person lands."""

import pytest
from django.urls import reverse

from practices.accounts.roles import Role
from practices.directory.models import Organisation
from practices.tracking.services import cancel_migration
from tests.factories import (
    MONDAY,
    give_role,
    make_commissioner,
    make_migration,
    make_organisation,
    make_person,
    make_practice,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def visit(client):
    def visit_home(person):
        client.force_login(person)
        return client.get("/")

    return visit_home


def menu(response):
    return [item.text for item in response.context["nav_items"]]


def test_a_stranger_is_asked_to_sign_in(client):
    response = client.get("/")
    assert response.status_code == 302
    assert response.url.startswith(reverse("account_login"))


@pytest.mark.parametrize("role", [Role.PRACTICE_MANAGER, Role.CLINICIAN])
def test_the_people_of_a_practice_land_on_its_migration(visit, role):
    migration = make_migration()
    response = visit(make_person(role, migration.practice))
    assert response.status_code == 302
    assert response.url == reverse("tracking:overview", args=[migration.reference])


def test_one_that_has_ended_does_not_hide_the_one_under_way(visit):
    ended = make_migration()
    cancel_migration(migration=ended, reason="Called off", by=ended.project_manager, at=MONDAY)
    active = make_migration(practice=ended.practice)
    response = visit(make_person(Role.PRACTICE_MANAGER, ended.practice))
    assert response.url == reverse("tracking:overview", args=[active.reference])


def test_who_works_for_two_practices_chooses(visit):
    first, second = make_migration(), make_migration(practice=make_practice("Oak House"))
    person = make_person(Role.CLINICIAN, first.practice)
    give_role(person, Role.CLINICIAN, second.practice)
    response = visit(person)
    assert [*response.context["active"]] == [first, second]
    assert "Oak House" in response.content.decode()
    assert menu(response) == ["Your migration"]


def test_a_practice_whose_migration_has_ended_finds_it(visit):
    ended = make_migration()
    cancel_migration(migration=ended, reason="Called off", by=ended.project_manager, at=MONDAY)
    page = visit(make_person(Role.CLINICIAN, ended.practice)).content.decode()
    assert "No migration is under way at the moment." in page
    assert reverse("tracking:overview", args=[ended.reference]) in page


def test_a_practice_without_a_migration_reads_who_starts_it(visit):
    page = visit(make_person(Role.CLINICIAN, make_practice("Oak House"))).content.decode()
    assert "No migration has been started for Oak House." in page


def test_a_person_without_a_role_reads_whom_to_ask(visit):
    person = make_person()
    page = visit(person).content.decode()
    assert "Your account has no role yet" in page
    assert person.email in page


@pytest.mark.parametrize(
    ("role", "kind"),
    [
        (Role.PROJECT_MANAGER, Organisation.Kind.DELIVERY_PARTNER),
        (Role.SUPPLIER, Organisation.Kind.SUPPLIER),
        (Role.COMMISSIONER, Organisation.Kind.COMMISSIONER),
        (Role.NATIONAL_VIEWER, Organisation.Kind.NATIONAL),
    ],
)
def test_who_looks_after_several_lands_on_the_portfolio(visit, role, kind):
    response = visit(make_person(role, make_organisation(kind)))
    assert response.url == reverse("portfolio:dashboard")


def test_administrators_land_on_a_page_of_ways_to_go(visit):
    response = visit(make_person(Role.ADMINISTRATOR))
    assert response.status_code == 200
    ways = ["Home", "Portfolio", "Plans", "Practices", "Start a migration", "People"]
    assert menu(response) == ways
    assert [item.text for item in response.context["nav_items"] if item.current] == ["Home"]


def test_the_menu_offers_only_what_a_person_may_open(client):
    commissioner = make_person(Role.COMMISSIONER, make_commissioner())
    client.force_login(commissioner)
    assert menu(client.get(reverse("portfolio:dashboard"))) == ["Portfolio"]


def test_an_address_that_does_not_exist_still_has_a_menu(client):
    client.force_login(make_person(Role.ADMINISTRATOR))
    response = client.get("/nothing-here/")
    assert response.status_code == 404
    assert "Start a migration" in response.content.decode()


def test_an_address_that_does_not_exist_shows_strangers_no_menu(client):
    response = client.get("/nothing-here/")
    assert response.status_code == 404
    assert "Start a migration" not in response.content.decode()
