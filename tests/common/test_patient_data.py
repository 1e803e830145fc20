"""NHS numbers are found however they are written, and hardly anything else is."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from practices.common.patient_data import holds_nhs_number

WRITTEN = ["{0}{1}{2}", "{0} {1} {2}", "{0}-{1}-{2}", "{0} - {1} - {2}", "{0}\u00a0{1}\u2011{2}"]


def valid(start: str) -> str | None:
    """The number that begins with these nine digits, or None where there is none."""
    total = sum(int(digit) * weight for digit, weight in zip(start, range(10, 1, -1), strict=True))
    check = (11 - total % 11) % 11
    return None if check == 10 else f"{start}{check}"


numbers = (
    st.builds(
        lambda first, rest: f"{first}{rest:08}", st.sampled_from("4679"), st.integers(0, 10**8 - 1)
    )
    .map(valid)
    .filter(bool)
)


@given(numbers, st.sampled_from(WRITTEN), st.sampled_from(["", "NHS no. ", "see:", "x", "("]))
def test_every_number_is_found_however_it_is_written(number, pattern, before):
    written = pattern.format(number[:3], number[3:6], number[6:])
    assert holds_nhs_number(f"{before}{written}")
    assert holds_nhs_number(f"Two lines\n{before}{written}, and more")


@given(numbers, st.integers(1, 9))
def test_a_wrong_check_digit_is_no_number(number, by):
    assert not holds_nhs_number(f"{number[:9]}{(int(number[9]) + by) % 10}")


@pytest.mark.parametrize(
    "text",
    [
        "943 476 5919",
        "9434765919.",
        "９４３４７６５９１９",
        "94 34 76 59 19",
        "٩٤٣ ٤٧٦ ٥٩١٩",
        "ref9434765919",
        "943\u202a4765\u202c919",
        "943\u200b476\ufeff5919",
        "1 9434765919",
        "943 476 5919 12/03/1960",
        "9434765919 1960-03-12",
        "943.476.5919",
        "943/476/5919",
        "943, 476, 5919",
        "943_476_5919",
    ],
)
def test_these_are_numbers(text):
    assert holds_nhs_number(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no digits",
        "94347659190",
        "19434765919",
        "943476591",
        "2027-04-12 18:00",
        "A81001",
        "9/3/2027 14.30",
        "4.12.2027, 08.30",
    ],
)
def test_these_are_not(text):
    assert not holds_nhs_number(text)


def test_no_telephone_number_of_this_country_is_taken_for_one():
    chance = random.Random(7)
    for _ in range(20_000):
        rest = f"{chance.choice('1237')}{chance.randrange(10**9):09}"
        assert not holds_nhs_number(f"0{rest[:4]} {rest[4:]}")
        assert not holds_nhs_number(f"+44 {rest[:4]} {rest[4:]}")
        assert not holds_nhs_number(f"+44{rest}")


def test_few_references_of_ten_digits_are_taken_for_one():
    chance = random.Random(7)
    found = sum(holds_nhs_number(f"{chance.randrange(10**10):010}") for _ in range(20_000))
    assert 0.03 < found / 20_000 < 0.05
