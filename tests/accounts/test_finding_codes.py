"""An administrator finds the code of the organisation that somebody is given a role in."""

import pytest
from django.test import Client

from practices.accounts.models import Invitation
from practices.accounts.roles import Role
from tests.factories import make_organisation, make_person, make_practice

from .test_people import text

pytestmark = pytest.mark.django_db
LIST = "Codes of suppliers, commissioners and others"


@pytest.fixture
def administrator():
    return make_person(Role.ADMINISTRATOR)


@pytest.fixture(params=["invite", "role"])
def ask(request, administrator):
    """Either form, by GET or with a code typed."""
    client = Client()
    client.force_login(administrator)
    url = "/people/invite/"
    if request.param == "role":
        url = f"/people/{make_person(name='Sue').pk}/roles/"

    def ask(organisation="", role="supplier"):
        if not organisation:
            return client.get(url)
        sent = {"email": "s@example.test", "name": "Sue", "role": role}
        return client.post(url, {**sent, "organisation": organisation})

    return ask


def test_every_organisation_but_practices_is_listed_with_its_code(ask):
    supplier = make_organisation("supplier", name="Quick Records")
    commissioner = make_organisation("commissioner", name="North ICB")
    practice = make_practice("Elm Tree Surgery").organisation
    page = text(ask())
    assert LIST in page
    for one in (supplier, commissioner):
        assert f"{one.name}: {one.code}" in page
    assert practice.code not in page


def test_part_of_a_name_finds_the_code(ask):
    elm = make_practice("Elm Tree Surgery").organisation
    make_practice("Oak House")
    answer = ask("tree elm")
    assert answer.status_code == 422
    assert f"These have it in their name: Elm Tree Surgery ({elm.code})." in text(answer)
    assert 'value="tree elm"' in text(answer)
    assert "Oak House" not in text(answer)


def test_of_many_some_are_named_and_the_rest_counted(ask):
    for number in range(12):
        make_practice(f"Elm Surgery {number:02}")
    assert "and 2 more: type more of the name" in text(ask("elm"))


def test_what_no_name_has_leads_to_where_codes_stand(ask):
    page = text(ask("zzz"))
    assert "There is no organisation with the code “ZZZ”, and none with “zzz” in its name." in page
    assert f"“{LIST}”" in page


def test_who_invites_only_where_they_look_after_people_needs_no_code():
    manager = make_person(Role.PRACTICE_MANAGER, make_practice())
    client = Client()
    client.force_login(manager)
    assert LIST not in text(client.get("/people/invite/"))
    assert not Invitation.objects.exists()
