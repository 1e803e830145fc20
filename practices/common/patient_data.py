"""Looks for NHS numbers, because patient data must never be kept here (house.md law 6).

An NHS number is ten digits, often written 3-3-4, whose last one checks the others
modulo 11 (NHS Data Dictionary). Numbers in use begin with 4, 6, 7 or 9. One reference
of ten digits in twenty-five passes by chance, so people are asked and only imports
refuse (reliability.md 7.2). What was found is never logged: only that it was.
"""

import re
import unicodedata
from itertools import chain

# Ten digits with at most three spaces or dashes between them, cut out of no longer number and
# not the rest of a telephone number written with its country. Every place is tried, because
# the digit before or after may be of something else: "1 943 476 5919 12/03/1960".
_BETWEEN = r"(?:[^\S\r\n]|[\-\u2010-\u2015\u2212]){0,3}"
_TEN_DIGITS = re.compile(rf"(?<!\d)(?<!\+44)(?<!\+44[\s-])(?=(\d(?:{_BETWEEN}\d){{9}})(?!\d))")
# In the groups of an NHS number, other signs may stand between them. Only there: dates and times
# are full of dots and strokes.
_SIGN = r"(?:[^\S\r\n]|[\-\u2010-\u2015\u2212./,_·]){0,3}"
_IN_GROUPS = re.compile(rf"(?<!\d)(?=(\d{{3}}{_SIGN}\d{{3}}{_SIGN}\d{{4}})(?!\d))")
# Characters that nobody sees; some are taken out of a text before it is kept.
_UNSEEN = re.compile(r"[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
_WEIGHTS = range(10, 1, -1)
_IN_USE = frozenset("4679")


def holds_nhs_number(text: str) -> bool:
    """Whether something in ``text`` can be an NHS number."""
    # Digits of other scripts and full-width ones count as what they stand for.
    plain = _UNSEEN.sub("", unicodedata.normalize("NFKC", text))
    found = chain(_TEN_DIGITS.finditer(plain), _IN_GROUPS.finditer(plain))
    return any(_is_nhs_number(match.group(1)) for match in found)


def _is_nhs_number(found: str) -> bool:
    digits = [unicodedata.digit(letter) for letter in found if letter.isdigit()]
    if str(digits[0]) not in _IN_USE:
        return False
    check = 11 - sum(map(int.__mul__, digits, _WEIGHTS)) % 11
    return digits[9] == (0 if check == 11 else check)
