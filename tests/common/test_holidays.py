"""The administrator's one-off days: listed, added, removed, each in the history."""

from datetime import date

import pytest
import time_machine

from practices.accounts.roles import Role
from practices.common.calendar import working_calendar
from practices.common.errors import Refused
from practices.common.holidays import add_one_off_day, remove_one_off_day
from practices.common.models import BankHolidayOverride, Event
from tests.factories import MONDAY, make_person

pytestmark = pytest.mark.django_db
URL = "/bank-holidays/"
CORONATION = date(2028, 5, 8)  # a Monday
MAY_DAY = date(2028, 5, 1)


@pytest.fixture
def administrator():
    return make_person(Role.ADMINISTRATOR)


@pytest.fixture
def signed_in(client, administrator):
    with time_machine.travel(MONDAY, tick=False):
        client.force_login(administrator)
        yield client


def typed(day: date = CORONATION, name: str = "Coronation", what: str = "off") -> dict[str, str]:
    parts = {"day": day.day, "month": day.month, "year": day.year}
    return {"name": name, "is_working": what, **{f"day_{k}": str(n) for k, n in parts.items()}}


def events() -> list[tuple[str, str, str]]:
    found = Event.objects.of("site").filter(kind__startswith="holiday.").order_by("seq")
    return [(event.kind, event.subject, event.data["name"]) for event in found]


def test_a_day_is_added_counts_and_is_removed_again(signed_in):
    assert "no one-off day" in signed_in.get(URL).content.decode()
    page = signed_in.post(URL, typed(), follow=True).content.decode()
    assert "Monday 8 May 2028 is added: Coronation." in page
    assert working_calendar().holiday_name(CORONATION) == "Coronation"
    assert not working_calendar().is_working(CORONATION)
    page = signed_in.post(f"{URL}2028-5-8/remove/", follow=True).content.decode()
    assert "Monday 8 May 2028 is removed: Coronation." in page
    assert working_calendar().is_working(CORONATION)
    assert events() == [
        ("holiday.added", "day:2028-05-08", "Coronation"),
        ("holiday.removed", "day:2028-05-08", "Coronation"),
    ]


def test_a_bank_holiday_can_be_worked_after_all(signed_in):
    signed_in.post(URL, typed(MAY_DAY, "Moved to Friday", "worked"))
    assert working_calendar().is_working(MAY_DAY)
    assert working_calendar().holiday_name(MAY_DAY) == ""


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (typed(MAY_DAY), "Monday 1 May 2028 is a day off already."),
        (typed(date(2028, 5, 7)), "Sunday 7 May 2028 is a day off already."),
        (typed(what="worked"), "Monday 8 May 2028 is a working day already."),
        (typed(name=""), "Enter what the day is called"),
        (typed(name=" \u202e "), "Enter what the day is called"),
        ({**typed(), "day_month": "13"}, "Day must be a real date"),
        ({**typed(), "is_working": ""}, "Select what the day is"),
    ],
)
def test_what_is_wrong_gets_a_sentence_and_changes_nothing(signed_in, wrong, said):
    page = signed_in.post(URL, wrong)
    assert page.status_code == 422
    assert said in page.content.decode()
    assert not BankHolidayOverride.objects.exists()
    assert events() == []


def test_a_day_in_the_list_is_not_put_there_twice(administrator):
    day = {"day": MAY_DAY, "name": "Moved", "is_working": True, "by": administrator, "at": MONDAY}
    add_one_off_day(**day)
    with pytest.raises(Refused, match="remove it first"):
        add_one_off_day(**{**day, "is_working": False})


def test_removing_what_is_gone_is_no_act(administrator):
    remove_one_off_day(day=MAY_DAY, by=administrator, at=MONDAY)
    assert events() == []
