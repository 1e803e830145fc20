"""The commissioners, suppliers and systems that ship."""

import io
from datetime import date

import pytest
from django.core.management import call_command

from practices.directory.models import ClinicalSystem, Organisation, Succession
from practices.directory.services import load_reference_data
from tests.factories import MONDAY

pytestmark = pytest.mark.django_db
Kind = Organisation.Kind


def test_there_are_36_boards_since_april_2026_and_were_42_before():
    load_reference_data(at=MONDAY)
    boards = Organisation.objects.of_kind(Kind.COMMISSIONER).filter(name__endswith=" ICB")
    assert boards.open_on(date(2026, 4, 1)).count() == 36
    assert boards.open_on(date(2026, 3, 31)).count() == 42


def test_every_board_that_closed_names_who_followed():
    load_reference_data(at=MONDAY)
    closed = Organisation.objects.of_kind(Kind.COMMISSIONER).filter(valid_to__isnull=False)
    assert closed.count() == 12
    for board in closed:
        assert board.valid_to in board.successions.values_list("day", flat=True)
    new = Organisation.objects.filter(origins__isnull=False).distinct()
    assert {"S1Y5D", "D7T5G", "T6Y0W", "S9B9J", "S0E4D", "Z9B2Z"} <= {o.code for o in new}


def test_the_systems_are_there_with_their_suppliers():
    load_reference_data(at=MONDAY)
    systems = ClinicalSystem.objects.values_list("name", "supplier__name")
    assert dict(systems) == {
        "EMIS Web": "EMIS Health",
        "SystmOne": "TPP",
        "Vision 3": "Cegedim",
        "Microtest": "Microtest",
        "Medicus": "Medicus Health",
    }
    assert Organisation.objects.get(kind=Kind.OPERATOR).code == "SERVICE"


def test_loading_again_writes_nothing():
    assert load_reference_data(at=MONDAY) > 0
    assert load_reference_data(at=MONDAY) == 0
    out = io.StringIO()
    call_command("load_reference_data", stdout=out)
    assert out.getvalue() == "Nothing was missing.\n"


def test_what_somebody_named_stays_and_a_bare_code_gets_its_name():
    Organisation.objects.create(kind=Kind.SUPPLIER, code="TPP", name="The Phoenix Partnership")
    Organisation.objects.create(kind=Kind.COMMISSIONER, code="QKS", name="QKS")
    load_reference_data(at=MONDAY)
    assert Organisation.objects.get(code="TPP").name == "The Phoenix Partnership"
    kent = Organisation.objects.get(code="QKS")
    assert (kent.name, kent.valid_from) == ("NHS Kent and Medway ICB", date(2022, 7, 1))
    assert Succession.objects.count() == 16
