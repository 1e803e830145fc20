"""Nobody confirms going ahead without a sign-off for a reason that nobody can read."""

import pytest
import time_machine

from practices.common.errors import Refused
from practices.tracking import services
from practices.tracking.models import Bypass, Gate
from tests.factories import FDP_AT, MONDAY

from .cast import assert_sound, make_cast
from .steps import gate_of, record, sign
from .test_dates_pages import said
from .test_gates import make_plan

pytestmark = pytest.mark.django_db
GATE = "sign-off/go_live_data"
CONFIRM = f"{GATE}/without/confirm"
BUTTON = "Confirm as the second person"


@pytest.fixture
def cast():
    return make_cast()


@pytest.fixture(autouse=True)
def monday():
    with time_machine.travel(MONDAY, tick=False):
        yield


def go_without(cast, reason="The doctor was called away"):
    return services.record_bypass(
        gate=gate_of(cast), reason=reason, by=cast.project_manager, at=MONDAY
    )


def hide(cast, bypass):
    """Its own writer reports it, as nobody stops them from doing."""
    return services.report_patient_data(
        migration=cast.migration, text=bypass.reason, by=cast.project_manager, at=MONDAY
    )


def remove(cast, bypass):
    services.redact(report=hide(cast, bypass), by=cast.project_manager, at=MONDAY)


def confirm(cast, bypass):
    return services.confirm_bypass(bypass=bypass, by=cast.manager, at=MONDAY)


def test_while_the_reason_is_hidden_nobody_confirms(cast):
    bypass = go_without(cast)  # as whoever looked before it was hidden has it
    hidden = hide(cast, bypass)
    with pytest.raises(Refused, match="reason is hidden while it is checked"):
        confirm(cast, bypass)
    assert gate_of(cast).state == Gate.State.WAITING
    services.restore(report=hidden, by=cast.project_manager, at=MONDAY)
    confirm(cast, bypass)
    assert gate_of(cast).state == Gate.State.BYPASSED


def test_once_it_is_removed_it_is_written_anew(cast):
    record(cast, "FDP", FDP_AT)
    first = go_without(cast)
    with pytest.raises(Refused, match="already recorded"):
        go_without(cast, "Once more")
    remove(cast, first)
    with pytest.raises(Refused, match="reason was removed"):
        confirm(cast, first)
    second = go_without(cast, "The line is down")
    confirm(cast, second)
    gate = gate_of(cast)
    assert (gate.round, gate.state) == (2, Gate.State.BYPASSED)
    assert_sound(cast.migration)


def test_writing_it_anew_takes_no_signature_away(db):
    cast = make_cast(plan_version=make_plan())
    gate = gate_of(cast, "quality")
    bypass = services.record_bypass(gate=gate, reason="x", by=cast.project_manager, at=MONDAY)
    sign(cast, "quality", seat="manager", at=MONDAY)
    remove(cast, bypass)
    with pytest.raises(Refused, match="has signed"):
        services.record_bypass(gate=gate, reason="y", by=cast.project_manager, at=MONDAY)
    assert gate_of(cast, "quality").sign_offs.filter(round=1).count() == 1


class TestThePages:
    @pytest.fixture
    def look(self, client, cast):
        def look(who, page, data=None):
            client.force_login(who)
            url = cast.url(page)
            return client.post(url, data) if data else client.get(url)

        return look

    @pytest.mark.parametrize(
        ("happens", "words"),
        [
            (hide, "reason is hidden while it is checked"),
            (remove, "reason was removed"),
        ],
    )
    def test_they_say_why_and_offer_no_button(self, cast, look, happens, words):
        bypass = go_without(cast)
        for page in (GATE, CONFIRM):
            assert BUTTON in said(look(cast.manager, page))
        happens(cast, bypass)
        for page in (GATE, CONFIRM):
            shown = said(look(cast.manager, page))
            assert words in shown
            assert BUTTON not in shown
        late = look(cast.manager, CONFIRM, {"bypass": bypass.pk})
        assert late.status_code == 422
        assert words in said(late)
        assert BUTTON not in said(late)
        assert gate_of(cast).state == Gate.State.WAITING

    def test_who_recorded_it_is_led_to_writing_it_anew(self, cast, look):
        offer = "Record that it goes ahead without this sign-off"
        bypass = go_without(cast)
        assert offer not in said(look(cast.project_manager, GATE))
        remove(cast, bypass)
        assert offer in said(look(cast.project_manager, GATE))
        look(cast.project_manager, f"{GATE}/without", {"reason": "The line is down"})
        assert BUTTON in said(look(cast.manager, CONFIRM))
        assert Bypass.objects.count() == 2
