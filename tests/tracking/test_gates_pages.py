"""Pages of sign-offs: read, give reasons, sign, withdraw, go ahead without."""

from datetime import timedelta

import pytest
import time_machine

from practices.accounts.roles import Role
from practices.common.models import Event
from practices.tracking import services
from practices.tracking.models import Bypass, Gate, SignOff
from tests.factories import FDP_AT, GO_LIVE_AT, MONDAY, make_person

from .cast import make_cast
from .steps import gate_of, record, sign, withdraw
from .test_dates_pages import messages, said

pytestmark = pytest.mark.django_db
GATE = "sign-off/go_live_data"
SIGN = f"{GATE}/sign/practice"
REASONS = {"reason_CUT-02": "Counts agree", "reason_CUT-03": "On Monday"}


@pytest.fixture
def cast():
    return make_cast()


@pytest.fixture
def as_(client):
    def sign_in(person):
        client.force_login(person)
        return client

    return sign_in


@pytest.fixture(autouse=True)
def monday():
    with time_machine.travel(MONDAY, tick=False):
        yield


@pytest.mark.parametrize(
    "page", [GATE, SIGN, f"{GATE}/withdraw", f"{GATE}/without", f"{GATE}/without/confirm"]
)
def test_a_stranger_finds_nothing(cast, as_, page):
    client = as_(cast.stranger)
    assert client.get(cast.url(page)).status_code == 404
    if page != GATE:
        assert client.post(cast.url(page)).status_code == 404


@pytest.mark.parametrize(
    ("page", "who", "status"),
    [
        (GATE, "staff", 200),
        (SIGN, "staff", 403),
        (SIGN, "project_manager", 403),
        (SIGN, "commissioner", 403),
        (SIGN, "manager", 200),
        (f"{GATE}/withdraw", "project_manager", 403),
        (f"{GATE}/withdraw", "manager", 200),
        (f"{GATE}/without", "manager", 403),
        (f"{GATE}/without", "project_manager", 200),
        (f"{GATE}/without/confirm", "staff", 403),
        (f"{GATE}/without/confirm", "project_manager", 403),
        ("sign-off/none", "manager", 404),
        (f"{GATE}/sign/none", "manager", 404),
    ],
)
def test_an_insider_does_what_their_role_may(cast, as_, page, who, status):
    client = as_(getattr(cast, who))
    assert client.get(cast.url(page)).status_code == status
    if status == 403:
        assert client.post(cast.url(page)).status_code == 403


@pytest.mark.parametrize("page", [GATE, SIGN])
def test_why_something_is_blocked_stands_beside_it(cast, as_, page):
    services.block_task(
        task=cast.task("CUT-02"), reason="The baseline report", by=cast.manager, at=MONDAY
    )
    text = said(as_(cast.manager).get(cast.url(page)))
    assert text.count("Blocked, waiting for:") == 1
    assert "The baseline report" in text


class TestSigning:
    def mark(self, client, cast) -> str:
        return client.get(cast.url(SIGN)).context["mark"]

    def test_two_pages_lead_to_a_reference(self, cast, as_):
        client, url = as_(cast.manager), cast.url(SIGN)
        first = client.get(url)
        for words in ("The practice is satisfied", "CUT-02 Check the data", "CUT-03 Check repeat"):
            assert words in said(first)
        mark = first.context["mark"]
        check = client.post(url, {**REASONS, "seen": mark, "go": "check"})
        assert check.status_code == 200
        assert "Counts agree" in said(check)
        assert not SignOff.objects.exists()
        sent = {
            **dict(check.context["typed"]),
            "seen": mark,
            "go": "sign",
            "name": "alice manager",
            "declared": "on",
        }
        done = client.post(url, sent, follow=True)
        signature = SignOff.objects.get()
        assert signature.reference in said(done)
        assert "Signed: Go-live data" in said(done)
        assert f"You signed for {cast.migration.name} as the practice on" in said(done)
        assert gate_of(cast).state == Gate.State.SIGNED
        page = said(client.get(cast.url(GATE)))
        assert "Record intact" in page
        # What shows later that neither the record nor the history before it was changed.
        seq = signature.snapshot["events"]["seq"]
        root = Event.objects.of(cast.migration.stream).get(seq=seq).hash
        for told in (said(done), page):
            assert root in told
            assert signature.digest in told
        assert f"Seals, history root {root[:12]}" in page

    def test_one_reason_serves_for_all_the_others(self, cast, as_):
        client, url = as_(cast.manager), cast.url(SIGN)
        sent = {
            "reason_CUT-02": "Counts agree",
            "same": "Next week",
            "seen": self.mark(client, cast),
        }
        check = client.post(url, {**sent, "go": "check"})
        given = {item.code: reason for item, reason in check.context["given"]}
        assert given == {"CUT-02": "Counts agree", "CUT-03": "Next week"}

    def test_a_missing_reason_is_asked_for_and_the_others_stay(self, cast, as_):
        client, url = as_(cast.manager), cast.url(SIGN)
        sent = {"reason_CUT-02": "Counts agree", "seen": self.mark(client, cast), "go": "check"}
        page = client.post(url, sent)
        assert page.status_code == 422
        assert "Enter why “CUT-03 Check repeat templates” can be accepted" in said(page)
        assert 'value="Counts agree"' in said(page)

    @pytest.mark.parametrize(
        ("more", "words"),
        [
            ({"name": "", "declared": "on"}, "Enter your full name"),
            ({"name": "Bob", "declared": "on"}, "Enter your name as in your account"),
            ({"name": "Alice Manager"}, "Tick the declaration to sign"),
        ],
    )
    def test_without_name_or_declaration_nothing_is_signed(self, cast, as_, more, words):
        client, url = as_(cast.manager), cast.url(SIGN)
        sent = {**REASONS, "seen": self.mark(client, cast), "go": "sign", **more}
        page = client.post(url, sent)
        assert page.status_code == 422
        assert words in said(page)
        assert 'value="Counts agree"' in said(page)
        assert not SignOff.objects.exists()

    def test_what_changed_meanwhile_is_shown_with_the_reasons_kept(self, cast, as_):
        client, url = as_(cast.manager), cast.url(SIGN)
        mark = self.mark(client, cast)
        services.tick_task(task=cast.task("CUT-02"), by=cast.staff, at=MONDAY)
        sent = {**REASONS, "seen": mark, "go": "sign", "name": "Alice Manager", "declared": "on"}
        page = client.post(url, sent)
        assert page.status_code == 409
        assert "What is still open has changed since you looked" in said(page)
        assert 'value="On Monday"' in said(page)
        assert "reason_CUT-02" not in said(page)
        assert not SignOff.objects.exists()

    def test_going_back_keeps_the_reasons_and_complains_of_nothing(self, cast, as_):
        client, url = as_(cast.manager), cast.url(SIGN)
        sent = {"reason_CUT-02": "Counts agree", "seen": self.mark(client, cast), "go": "back"}
        page = client.post(url, sent)
        assert page.status_code == 200
        assert 'value="Counts agree"' in said(page)
        assert "There is a problem" not in said(page)

    def test_whoever_comes_second_is_told_who_signed_and_when(self, cast, as_):
        sign(cast, at=MONDAY)
        doctor = make_person(Role.LEAD_GP, cast.migration.practice)
        page = as_(doctor).post(cast.url(SIGN), {"go": "sign"}, follow=True)
        assert messages(page) == (
            "Alice Manager has already signed this, on Mon 1 Feb 2027, 09:00 GMT."
        )

    def test_the_signer_finds_the_reference_again(self, cast, as_):
        signature = sign(cast, at=MONDAY)
        assert signature.reference in said(as_(cast.manager).get(cast.url(SIGN)))

    def test_in_a_migration_that_is_over_nothing_is_signed(self, cast, as_):
        services.cancel_migration(
            migration=cast.migration, reason="Merged", by=cast.project_manager, at=MONDAY
        )
        client = as_(cast.manager)
        assert "Read and sign" not in said(client.get(cast.url(GATE)))
        assert "nothing is signed" in messages(client.get(cast.url(SIGN), follow=True))


class TestWithdrawing:
    def test_the_record_keeps_every_round(self, cast, as_):
        sign(cast, at=MONDAY)
        client, url = as_(cast.manager), cast.url(f"{GATE}/withdraw")
        assert client.post(url, {"round": 1, "reason": ""}).status_code == 422
        done = client.post(url, {"round": 1, "reason": "A letter is missing"}, follow=True)
        assert messages(done) == "The sign-off “Go-live data” is withdrawn."
        for words in ("Round 1, no longer counts", "A letter is missing", "Waiting for sign-off"):
            assert words in said(done)

    def test_a_round_begun_since_is_not_withdrawn_by_mistake(self, cast, as_):
        sign(cast, at=MONDAY)
        withdraw(cast, at=MONDAY)
        sign(cast, at=MONDAY)
        page = as_(cast.manager).post(
            cast.url(f"{GATE}/withdraw"), {"round": 1, "reason": "A letter is missing"}
        )
        assert page.status_code == 409
        assert "A letter is missing" in said(page)
        assert gate_of(cast).state == Gate.State.SIGNED


def test_a_reason_for_all_that_is_too_long_is_the_only_thing_wrong(cast, as_):
    client = as_(cast.manager)
    mark = client.get(cast.url(SIGN)).context["mark"]
    page = client.post(cast.url(SIGN), {"seen": mark, "go": "check", "same": "x" * 600})
    assert page.context["form"].errors == {
        "same": ["The same reason for all the others must be 500 characters or fewer, not 600"]
    }


class TestGoingAheadWithout:
    def test_a_second_person_confirms_and_it_is_shown_for_ever(self, cast, as_):
        record(cast, "FDP", FDP_AT)
        client = as_(cast.project_manager)
        url = cast.url(f"{GATE}/without")
        assert client.post(url, {"reason": ""}).status_code == 422
        page = client.post(url, {"reason": "Agreed by telephone"}, follow=True)
        assert "It counts once a second person" in said(page)
        client = as_(cast.commissioner)
        assert "Confirm as the second person" in said(client.get(cast.url(GATE)))
        confirm = cast.url(f"{GATE}/without/confirm")
        assert "Agreed by telephone" in said(client.get(confirm))
        done = client.post(confirm, {"bypass": Bypass.objects.get().pk}, follow=True)
        assert "holds nothing up any more" in messages(done)
        with time_machine.travel(GO_LIVE_AT + timedelta(hours=1)):
            record(cast, "GL", GO_LIVE_AT)
            sign(cast)
            page = said(as_(cast.staff).get(cast.url(GATE)))
        assert "It went ahead without this sign-off" in page
        assert "Agreed by telephone" in page

    def test_when_nothing_waits_the_page_says_so(self, cast, as_):
        page = as_(cast.manager).get(cast.url(f"{GATE}/without/confirm"), follow=True)
        assert messages(page) == "Nothing waits to be confirmed."
