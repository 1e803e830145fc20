"""Two people, one text: real threads, real commits."""

from functools import partial

from practices.common.errors import Conflict
from practices.tracking import services

from .cast import assert_sound, make_cast
from .test_reports import LATER, note, report, the_text
from .test_tasks_races import at_once


def test_two_people_report_the_same_text_at_once_and_one_report_stands(committed_db):
    cast = make_cast()
    note(cast)
    text, people = the_text(cast), [cast.staff, cast.manager]
    reports = at_once(partial(report, cast, text, by=people[n % 2]) for n in range(10))
    assert len({one.pk for one in reports}) == 1
    assert cast.events().count("patient_data.reported") == 1
    assert_sound(cast.migration)


def test_of_two_who_decide_at_once_one_decides(committed_db):
    cast = make_cast()
    note(cast)
    hidden = report(cast)
    acts = [services.redact, services.restore] * 4
    answers = at_once(
        partial(act, report=hidden, by=cast.project_manager, at=LATER) for act in acts
    )
    told = [answer for answer in answers if isinstance(answer, Conflict)]
    assert len(told) == 4
    kinds = cast.events()
    assert kinds.count("patient_data.redacted") + kinds.count("patient_data.restored") == 1
    assert_sound(cast.migration)
