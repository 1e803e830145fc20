"""Two people answer the same question about a practice at once."""

from functools import partial

from practices.common.errors import Conflict

from .cast import assert_sound
from .dependent import answer, cast_with
from .test_tasks_races import at_once


def test_two_who_answer_at_once_are_one_answer_and_one_conflict(committed_db):
    cast = cast_with(
        conditions={"dispensing": {}},
        applies={"CUT-02": ["dispensing"], "GL-02": ["not:dispensing"]},
    )
    results = at_once(partial(answer, cast, "dispensing", given) for given in (True, False))
    assert sum(isinstance(result, Conflict) for result in results) == 1
    [row] = cast.migration.conditions.filter(key="dispensing")
    fell = set(cast.migration.tasks.filter(fell_away=True).values_list("code", flat=True))
    assert fell == ({"GL-02"} if row.answer else {"CUT-02"})
    assert cast.events().count("condition.answered") == 1
    assert_sound(cast.migration)
