"""What a line of a practice list says, and what follows from it. No database, no clock."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from practices.common.services import clean_text

GP_PRACTICE = 4  # prescribing setting, epraccur column 26
WALES = "Q99"  # epraccur names Wales as a whole here; the health board stands in the sub-ICB column
CODE = re.compile(r"[A-Z0-9]{3,9}")
USUAL_PRACTICE_CODE = re.compile(r"[A-Z][0-9]{5}")
MOST_PATIENTS = 500_000  # the largest list is about 90,000 (guide.md H)
ODS_STATUSES = {"": "", "a": "A", "active": "A", "open": "A", "c": "C", "closed": "C"}
ODS_STATUSES |= {"d": "D", "dormant": "D", "p": "P", "proposed": "P"}
YES_NO = {"yes": True, "y": True, "true": True, "1": True}
YES_NO |= {"no": False, "n": False, "false": False, "0": False}
_DATE_FORMS = (
    (re.compile(r"(\d{4})(\d\d)(\d\d)"), (1, 2, 3)),
    (re.compile(r"(\d{4})-(\d\d?)-(\d\d?)(?: 00:00(?::00)?)?"), (1, 2, 3)),
    (re.compile(r"(\d\d?)[/.](\d\d?)[/.](\d{4})"), (3, 2, 1)),
)
_TITLES = {"DR", "DRS", "PROF"}
_VOWEL = re.compile(r"[AEIOUYÂÊÎÔÛŴŶ]")
_SHORT_WORDS = {
    *_TITLES,
    "CWM",
    "ST",
    "MR",
    "MRS",
    "MS",
    "RD",
    "CTR",
    "LTD",
    "SQ",
    "GRP",
    "BLDG",
    "MT",
}
_SMALL_WORDS = {"AND", "AT", "BY", "FOR", "IN", "LE", "OF", "ON", "THE", "TO", "UNDER", "UPON"}
_ABBREVIATIONS = {"APMS", "GP", "HMP", "II", "III", "IV", "LLP", "NHS", "PMS", "RAF", "UK", "VI"}
_LATER_LETTERS = (
    (re.compile(r"(?<=\w)['’](?:S|T|Ll|Re|Ve)\b"), lambda found: found[0].lower()),
    (re.compile(r"\bMc[a-z]"), lambda found: f"Mc{found[0][2].upper()}"),
    (
        re.compile(r"-(?:And|At|By|In|Le|Of|On|The|Under|Upon|Y|Yr)(?=-)"),
        lambda found: found[0].lower(),
    ),
)
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_FIRST_DAY, _LAST_DAY = date(1900, 1, 1), date(2100, 1, 1)


class BadLine(ValueError):
    """A line that cannot be imported; the message says why."""


@dataclass(frozen=True)
class PracticeRecord:
    """What one line says. A field that is missing from the dictionaries is not spoken of.

    ``organisation`` and ``practice`` hold model fields. ``commissioner`` is a code
    or empty, ``joined`` the day the practice came to it. ``ends`` is the first day
    on which that is over: a date, ``None`` for never, and it counts only with
    ``ends_said``.
    """

    code: str
    organisation: dict[str, Any]
    practice: dict[str, Any]
    commissioner: str
    joined: date | None
    ends: date | None
    ends_said: bool

    @property
    def unusual_code(self) -> bool:
        """Not a letter and five digits: worth a look, but allowed (guide.md H)."""
        return not USUAL_PRACTICE_CODE.fullmatch(self.code)


def prescribing_setting(cells: Mapping[str, str]) -> int:
    """epraccur column 26; a list without that column is one of GP practices."""
    said = cells.get("prescribing_setting", "").strip()
    if not said:
        return GP_PRACTICE
    setting = _number(said, most=99)
    if setting is None:
        raise BadLine(f"the prescribing setting “{_short(said)}” is not a number from 0 to 99")
    return setting


def read_practice(cells: Mapping[str, str], *, empty_means_none: bool) -> PracticeRecord:
    """What a line says of its practice.

    ``cells`` maps the column names of practice_file.py to texts. With
    ``empty_means_none`` (epraccur) an empty cell says that there is nothing;
    otherwise it says nothing. A closing date is the last day a practice was open,
    as ODS gives it. Raises :class:`BadLine`.
    """
    texts = {column: _clean(column, cell) for column, cell in cells.items()}
    said = {column: text for column, text in texts.items() if text or empty_means_none}
    code = _code(texts.get("ods_code", ""), "ODS code")
    if not texts.get("name"):
        raise BadLine("the name is empty")
    organisation: dict[str, Any] = {"name": readable(_at_most(texts["name"], 200, "name"))}
    opened, closed = _date(texts, "opened"), _date(texts, "closed")
    if opened and closed and closed < opened:
        raise BadLine(f"it closes ({closed}) before it opens ({opened})")
    if "opened" in said:
        organisation["valid_from"] = opened
    if "closed" in said:
        organisation["valid_to"] = closed and closed + timedelta(days=1)
    joined, left = _date(texts, "joined"), _date(texts, "left")
    if joined and left and left < joined:
        raise BadLine(f"it leaves its commissioner ({left}) before it joins ({joined})")
    last = left or closed
    return PracticeRecord(
        code=code,
        organisation=organisation,
        practice=_practice_fields(texts, said, closed),
        commissioner=_commissioner(texts),
        joined=joined,
        ends=last and last + timedelta(days=1),
        ends_said=bool({"left", "closed"} & said.keys()),
    )


def readable(text: str) -> str:
    """Text all in capitals, as ODS writes it, in the case people write; other text as it is.

    Initials after a title, short forms without a vowel, known abbreviations and
    words with a digit keep their capitals.
    """
    if not text.isupper():
        return text
    words = text.split(" ")
    return " ".join(map(_in_case, words, ["", *words]))


@lru_cache(maxsize=20_000)
def _in_case(word: str, before: str) -> str:
    bare = word.strip("(),.&")
    initials = before.strip("(.,") in _TITLES and len(bare) <= 3
    initials |= word.startswith("(") and len(bare) <= 2
    short = len(bare) <= 4 and not _VOWEL.search(bare) and bare not in _SHORT_WORDS
    if initials or short or bare in _ABBREVIATIONS or re.search(r"\d", bare):
        return word
    if before and not before.endswith(",") and bare in _SMALL_WORDS:
        return word.lower()
    cased = re.sub(r"[^\W_]+", lambda part: part[0].capitalize(), word)
    for form, change in _LATER_LETTERS:
        cased = form.sub(change, cased)
    return cased


def _practice_fields(
    texts: dict[str, str], said: dict[str, str], closed: date | None
) -> dict[str, Any]:
    fields: dict[str, Any] = {"prescribing_setting": prescribing_setting(texts)}
    lines = [texts.get("address", ""), *(texts.get(f"address_{n}", "") for n in range(1, 6))]
    if any(column.startswith("address") for column in said):
        fields["address"] = readable(_at_most(", ".join(filter(None, lines)), 300, "address"))
    if "postcode" in said:
        fields["postcode"] = _at_most(texts["postcode"].upper(), 10, "postcode")
    if "telephone" in said:
        fields["telephone"] = _at_most(texts["telephone"], 30, "telephone number")
    if "sub_icb" in said:
        fields["sub_icb_code"] = _code(texts["sub_icb"], "sub-ICB code", empty=True)
    if "status" in said:
        fields["dormant"] = _dormant(texts["status"], closed)
    if "dispensing" in said and texts["dispensing"]:
        if texts["dispensing"].lower() not in YES_NO:
            raise BadLine(f"dispensing is “{_short(texts['dispensing'])}” and not yes or no")
        fields["dispensing"] = YES_NO[texts["dispensing"].lower()]
    if "list_size" in said and texts["list_size"]:
        patients = _number(texts["list_size"].replace(",", ""), most=MOST_PATIENTS)
        if patients is None:
            raise BadLine(
                f"the list size “{_short(texts['list_size'])}” is not a number of patients"
            )
        fields["list_size"] = patients
    return fields


def _dormant(status: str, closed: date | None) -> bool:
    if status.lower() not in ODS_STATUSES:
        raise BadLine(f"the status “{_short(status)}” is not one of A, C, D or P")
    letter = ODS_STATUSES[status.lower()]
    if letter == "C" and closed is None:
        raise BadLine("its status is closed but the closing date is empty")
    return letter in ("D", "P")


def _commissioner(texts: dict[str, str]) -> str:
    code = _code(texts.get("icb", ""), "ICB code", empty=True)
    if code == WALES:
        return _code(texts.get("sub_icb", ""), "sub-ICB code", empty=True) or code
    return code


def _clean(column: str, cell: str) -> str:
    if _CONTROLS.search(cell):
        raise BadLine(f"the cell {column} holds characters that cannot be shown")
    return " ".join((cell if cell.isascii() else clean_text(cell)).split())


def _code(text: str, what: str, *, empty: bool = False) -> str:
    code = text.upper()
    if not (text.isascii() and CODE.fullmatch(code)) and not (empty and not code):
        raise BadLine(f"the {what} “{_short(text)}” is not 3 to 9 letters or digits")
    return code


def _number(text: str, *, most: int) -> int | None:
    """A whole number from 0 to ``most``, or None. ``int`` itself fails above 4,300 digits."""
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        return None
    number = int(text)
    return number if number <= most else None


def _at_most(text: str, most: int, what: str) -> str:
    if len(text) > most:
        raise BadLine(f"the {what} has {len(text):,} characters, and {most} are the most")
    return text


def _date(texts: dict[str, str], column: str) -> date | None:
    return read_day(texts.get(column, ""), column)


def read_day(text: str, column: str) -> date | None:
    """A day as lists write it; nothing for nothing. Raises :class:`BadLine` for anything else."""
    if not text:
        return None
    for form, (year, month, day) in _DATE_FORMS:
        if match := form.fullmatch(text):
            try:
                found = date(int(match[year]), int(match[month]), int(match[day]))
            except ValueError:
                break
            if _FIRST_DAY <= found < _LAST_DAY:
                return found
    raise BadLine(
        f"the date “{_short(text)}” in {column} is not a day as 20260401, 2026-04-01 or 01/04/2026"
    )


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:37]}..."


@dataclass(frozen=True)
class Span:
    """A practice with a commissioner (by id), from a day until before another."""

    commissioner: int
    valid_from: date | None
    valid_to: date | None


def follow_commissioner(
    latest: Span | None,
    commissioner: int,
    record: PracticeRecord,
    *,
    founded: date | None,
    today: date,
) -> tuple[Span | None, Span | None]:
    """The latest span as it must be now, and the new one after it; either may be None.

    A list says who commissions a practice, seldom since when: its joining date is
    the sub-ICB's. A change is dated to the later of that day and the day the new
    commissioner was ``founded``, or else to ``today``, the day of the import.
    An end that lies ahead is not written yet: until then the practice is theirs.
    """
    ends = record.ends if record.ends and record.ends <= today else None
    known = [day for day in (record.joined, founded) if day]
    start = max(known, default=None)
    if latest is None:
        if start and ends and start >= ends:
            start = record.joined
        return None, Span(commissioner, start, ends)
    end = ends if record.ends_said else latest.valid_to
    since = latest.valid_from
    if since and end:
        since = min(since, end)
    if latest.commissioner == commissioner:
        return replace(latest, valid_from=since, valid_to=end), None
    if start is None or start > today or start <= (since or date.min):
        start = today
    if (end and start >= end) or (since and start <= since):
        # It had left before the change could have been: the list corrects the past.
        return Span(commissioner, since, end), None
    return (
        replace(latest, valid_to=min(latest.valid_to or start, start)),
        Span(commissioner, start, end),
    )
