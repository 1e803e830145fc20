"""Sign-offs: signed once, withdrawn, passed without; the record proves itself."""

from datetime import timedelta
from functools import partial

import pytest
from django.db import DatabaseError, connection, transaction

from practices.accounts.roles import Owner, Role
from practices.common.errors import Conflict, Refused
from practices.common.models import Event, Text, sha256
from practices.common.services import canonical
from practices.plans.models import PlanCover, PlanGate, PlanSeat, PlanTask, PlanVersion
from practices.tracking import records, services
from practices.tracking.models import Gate, Migration, SignOff, Task, Withdrawal
from practices.tracking.services.dates import GateClosed
from practices.tracking.services.gates import SeatTaken, blocking, seats_for, still_open
from practices.tracking.services.replanning import preview_replan
from tests.factories import (
    FDP_AT,
    GO_LIVE_AT,
    MONDAY,
    give_role,
    make_person,
    make_plan_version,
    publish_rows,
)

from .cast import assert_sound, make_cast
from .steps import clear, gate_of, go_live, moment, record, sign, withdraw
from .test_tasks_races import at_once

LATER = MONDAY + timedelta(hours=1)


@pytest.fixture
def cast(db):
    return make_cast()


def make_plan(*, condition: str = "", blocks=("GL",), different_people: bool = True) -> PlanVersion:
    """The small plan, and a second gate that the practice manager and the lead GP sign."""
    version = make_plan_version(publish=False)
    gate = PlanGate.objects.create(
        version=version,
        position=2,
        key="quality",
        title="Data quality",
        statement="The data is good.",
        blocks=list(blocks),
        condition=condition,
        different_people=different_people,
    )
    for position, (key, roles) in enumerate(
        {
            "manager": [Owner.PRACTICE_MANAGER, Owner.LEAD_GP],
            "doctor": [Owner.LEAD_GP, Owner.PRACTICE_MANAGER],
        }.items()
    ):
        seat = PlanSeat.objects.create(
            version=version, gate=gate, position=position, key=key, title=key, roles=roles
        )
        PlanTask.objects.create(
            version=version,
            phase=version.phases.get(key="cut_over"),
            position=10 + position,
            code=f"Q-{position + 1}",
            title=f"Sign as {key}",
            owner=roles[0],
            anchor="FDP",
            offset=-1,
            unit="days",
            basis="suggested",
            signs=seat,
            mandatory=not condition,
            condition=condition,
        )
    PlanCover.objects.create(version=version, gate=gate, task=version.tasks.get(code="GL-02"))
    return publish_rows(version)


@pytest.fixture
def doctor(cast):
    return make_person(Role.LEAD_GP, cast.migration.practice, name="Dora Doctor")


class TestSigning:
    def test_the_last_seat_opens_the_gate_and_does_the_task(self, cast):
        signature = sign(cast)
        assert gate_of(cast).state == Gate.State.SIGNED
        assert cast.task("CUT-04").state == Task.State.DONE
        assert (signature.by, signature.role) == (cast.manager, Owner.PRACTICE_MANAGER)
        assert cast.events()[-3:] == ["gate.signed", "gate.opened", "task.done"]
        assert_sound(cast.migration)

    def test_the_record_holds_what_was_signed_and_nobodys_name(self, cast):
        services.tick_task(task=cast.task("CUT-02"), by=cast.manager, at=MONDAY)
        signature = sign(cast)
        snapshot = SignOff.objects.get(pk=signature.pk).snapshot
        assert snapshot["statement"].startswith("The practice is satisfied")
        assert {one["code"]: one["state"] for one in snapshot["covers"]} == {
            "CUT-02": "done",
            "CUT-03": "open",
        }
        reason = Text.objects.get(pk=snapshot["exceptions"]["CUT-03"]["text"])
        assert str(reason) == "Accepted CUT-03"
        assert "Alice" not in canonical(snapshot)
        assert signature.digest == sha256(canonical(snapshot))
        event = Event.objects.of(cast.migration.stream).get(kind="gate.signed")
        assert event.data["digest"] == signature.digest

    def test_what_is_open_and_mandatory_needs_a_reason(self, cast):
        with pytest.raises(Refused, match="Enter a reason for signing while “Check the data"):
            sign(cast, exceptions={"CUT-03": "Tomorrow"})
        assert not SignOff.objects.exists()
        assert not Text.objects.exists()

    def test_one_reason_for_many_things_is_one_text(self, cast):
        sign(cast, exceptions={"CUT-02": "The same", "CUT-03": " The same "})
        assert Text.objects.count() == 1

    def test_a_page_that_is_out_of_date_signs_nothing(self, cast):
        gate = gate_of(cast)
        services.tick_task(task=cast.task("CUT-02"), by=cast.manager, at=MONDAY)
        with pytest.raises(Conflict):
            sign(cast, seen="0" * 16)
        assert gate.sign_offs.count() == 0

    def test_the_name_is_the_signers_own(self, cast):
        with pytest.raises(Refused, match="Type your full name"):
            sign(cast, name="Bob Reception")
        sign(cast, name="  alice   MANAGER ")

    @pytest.mark.parametrize("who", ["staff", "project_manager", "trainer", "commissioner"])
    def test_the_seat_is_for_its_roles_only(self, cast, who):
        with pytest.raises(Refused, match="belongs to somebody else"):
            sign(cast, by=getattr(cast, who))

    def test_signing_again_is_the_same_signature(self, cast):
        first = sign(cast)
        assert sign(cast, at=LATER) == first
        assert cast.events().count("gate.signed") == 1

    def test_somebody_else_is_told_who_signed_and_when(self, cast, doctor):
        sign(cast, at=MONDAY)
        said = r"Alice Manager has already signed this, on Mon 1 Feb 2027, 09:00 GMT\."
        with pytest.raises(SeatTaken, match=said):
            sign(cast, by=doctor)

    def test_another_rooms_condition_is_open_until_it_is_met(self, cast):
        report = partial(
            services.report_condition,
            migration=cast.migration,
            gate_key="go_live_data",
            source="re_entry",
            summary="12 items to re-enter",
            at=MONDAY,
        )
        report(met=False)
        assert still_open(gate_of(cast))[-1].label == "12 items to re-enter"
        sign(cast)
        record_ = records.rounds(gate_of(cast))[0].signatures[0]
        assert "12 items to re-enter" in [one.title for one in record_.accepted]
        report(met=True)
        assert [item.code for item in still_open(gate_of(cast))] == ["CUT-02", "CUT-03"]


class TestTwoSeats:
    @pytest.fixture
    def cast(self, db):
        return make_cast(plan_version=make_plan())

    def test_both_have_to_be_signed(self, cast, doctor):
        sign(cast, "quality", seat="manager")
        assert gate_of(cast, "quality").state == Gate.State.WAITING
        assert cast.task("Q-1").state == Task.State.DONE
        sign(cast, "quality", seat="doctor", by=doctor)
        assert gate_of(cast, "quality").state == Gate.State.SIGNED

    def test_nobody_takes_two_of_them(self, cast):
        sign(cast, "quality", seat="manager")
        assert seats_for(gate_of(cast, "quality"), cast.manager) == []
        with pytest.raises(Refused):
            sign(cast, "quality", seat="doctor")

    def test_unless_the_plan_allows_it(self, db):
        cast = make_cast(plan_version=make_plan(different_people=False))
        sign(cast, "quality", seat="manager")
        sign(cast, "quality", seat="doctor")
        assert gate_of(cast, "quality").is_open

    def test_withdrawing_frees_both(self, cast, doctor):
        sign(cast, "quality", seat="manager")
        sign(cast, "quality", seat="doctor", by=doctor)
        withdraw(cast, "quality")
        gate = gate_of(cast, "quality")
        assert (gate.state, gate.round) == (Gate.State.WAITING, 2)
        assert {cast.task(code).state for code in ("Q-1", "Q-2")} == {Task.State.OPEN}
        sign(cast, "quality", seat="doctor")
        assert_sound(cast.migration)


class TestBlocking:
    def test_a_gate_may_wait_for_another(self, db):
        cast = make_cast(plan_version=make_plan(blocks=["gate:go_live_data"]))
        with pytest.raises(Refused, match="“Data quality” has to be signed first"):
            sign(cast)

    def test_one_that_applies_only_under_a_condition_can_be_set_aside(self, db):
        cast = make_cast(plan_version=make_plan(condition="Only if asked for", blocks=["FDP"]))
        with pytest.raises(GateClosed):
            record(cast, "FDP", FDP_AT)
        for code in ("Q-1", "Q-2"):
            services.set_task_aside(
                task=cast.task(code), reason="Nobody asked", by=cast.manager, at=MONDAY
            )
        record(cast, "FDP", FDP_AT)

    def test_setting_one_of_its_tasks_aside_is_not_enough(self, db):
        cast = make_cast(plan_version=make_plan(condition="Only if asked for", blocks=["FDP"]))
        services.set_task_aside(
            task=cast.task("Q-1"), reason="Nobody asked", by=cast.manager, at=MONDAY
        )
        assert [gate.key for gate in blocking(cast.migration, "FDP")] == ["quality"]

    def test_one_that_always_applies_cannot(self, cast):
        with pytest.raises(Refused, match="later steps depend on it"):
            services.set_task_aside(
                task=cast.task("CUT-04"), reason="No time", by=cast.manager, at=MONDAY
            )


class TestWithdrawing:
    def test_it_reopens_the_gate_and_deletes_nothing(self, cast):
        signature = sign(cast)
        withdraw(cast)
        gate = gate_of(cast)
        assert (gate.state, gate.round) == (Gate.State.WAITING, 2)
        assert SignOff.objects.get() == signature
        assert str(Withdrawal.objects.get().reason) == "A letter is missing"
        assert cast.task("CUT-04").state == Task.State.OPEN
        sign(cast)
        assert gate_of(cast).is_open
        assert_sound(cast.migration)

    def test_it_needs_a_reason_and_a_signature(self, cast):
        with pytest.raises(Refused, match="no signature"):
            withdraw(cast)
        sign(cast)
        with pytest.raises(Refused, match="Enter a reason"):
            withdraw(cast, reason=" ")

    def test_the_round_that_was_seen_is_the_one_withdrawn(self, cast):
        sign(cast)
        withdraw(cast)
        sign(cast)
        with pytest.raises(Conflict):
            withdraw(cast, seen_round=1)
        withdraw(cast, seen_round=2)

    def test_after_go_live_it_takes_nothing_back_that_happened(self, cast):
        go_live(cast, FDP_AT, GO_LIVE_AT)
        withdraw(cast)
        assert Migration.objects.get().state == Migration.State.POST_GO_LIVE
        clear(cast, "GL")
        with pytest.raises(GateClosed):
            record(cast, "GL", GO_LIVE_AT)


class TestGoingAheadWithout:
    def bypass(self, cast, reason="The doctor was called away", by=None):
        return services.record_bypass(
            gate=gate_of(cast), reason=reason, by=by or cast.project_manager, at=MONDAY
        )

    def test_it_counts_once_a_second_person_confirmed_it(self, cast):
        record(cast, "FDP", FDP_AT)
        bypass = self.bypass(cast)
        with pytest.raises(GateClosed):
            record(cast, "GL", GO_LIVE_AT)
        services.confirm_bypass(bypass=bypass, by=cast.commissioner, at=LATER)
        record(cast, "GL", GO_LIVE_AT)
        assert gate_of(cast).state == Gate.State.BYPASSED

    def test_nobody_confirms_their_own(self, cast):
        give_role(cast.project_manager, Role.PRACTICE_MANAGER, cast.migration.practice)
        bypass = self.bypass(cast)
        with pytest.raises(Refused, match="A second person"):
            services.confirm_bypass(bypass=bypass, by=cast.project_manager, at=LATER)

    def test_it_needs_a_reason_and_is_recorded_once(self, cast):
        with pytest.raises(Refused, match="Enter a reason"):
            self.bypass(cast, reason="")
        self.bypass(cast)
        with pytest.raises(Refused, match="already recorded"):
            self.bypass(cast)

    def test_only_what_holds_something_up_can_be_passed(self, db):
        cast = make_cast(plan_version=make_plan(blocks=[]))
        with pytest.raises(Refused, match="holds nothing up"):
            services.record_bypass(
                gate=gate_of(cast, "quality"), reason="x", by=cast.project_manager, at=MONDAY
            )

    def test_signing_makes_the_second_person_unnecessary(self, cast):
        bypass = self.bypass(cast)
        sign(cast)
        with pytest.raises(Refused, match="no longer waits"):
            services.confirm_bypass(bypass=bypass, by=cast.manager, at=LATER)

    def test_it_can_be_signed_afterwards_and_stays_in_the_record(self, cast):
        services.confirm_bypass(bypass=self.bypass(cast), by=cast.manager, at=LATER)
        sign(cast)
        gate = gate_of(cast)
        assert gate.state == Gate.State.SIGNED
        assert records.rounds(gate)[0].bypass is not None
        withdraw(cast)
        first, *_ = records.rounds(gate_of(cast))
        assert first.bypass.confirmation.by == cast.manager

    def test_the_database_keeps_it(self, cast):
        bypass = self.bypass(cast)
        for statement in ("UPDATE tracking_bypass SET at = now()", "DELETE FROM tracking_bypass"):
            with (
                pytest.raises(DatabaseError, match="permission denied"),
                transaction.atomic(),
                connection.cursor() as cursor,
            ):
                cursor.execute(statement)
        assert list(gate_of(cast).bypasses.all()) == [bypass]


class TestTheRecordProvesItself:
    def read(self, cast):
        return records.rounds(gate_of(cast))[0].signatures[0]

    def test_it_is_intact_as_signed(self, cast):
        sign(cast)
        assert self.read(cast).intact

    def test_a_redacted_reason_leaves_it_intact(self, cast):
        sign(cast)
        Text.objects.update(body="", redacted_at=LATER)
        found = self.read(cast)
        assert found.intact
        assert {str(one.reason) for one in found.accepted} == {"(removed)"}

    def test_a_changed_reason_does_not(self, cast):
        sign(cast)
        Text.objects.filter(body="Accepted CUT-02").update(body="Never mind")
        assert not self.read(cast).intact

    @pytest.mark.parametrize(
        ("field", "value"),
        [("digest", "0" * 64), ("role", Owner.LEAD_GP), ("at", LATER), ("snapshot", None)],
    )
    def test_a_changed_row_does_not(self, cast, field, value):
        """Nobody may change the row, so it is changed on its way out of the database."""
        signature = sign(cast)
        signature.refresh_from_db()
        if field == "snapshot":
            value = {**signature.snapshot, "statement": "Something else."}
        setattr(signature, field, value)
        texts = Text.objects.in_bulk()
        assert not records.is_intact(signature, texts)


def test_twenty_people_sign_one_seat_at_once_ten_times(committed_db):
    cast = make_cast()
    people = [
        make_person(Role.LEAD_GP, cast.migration.practice, name=f"Doctor {number}")
        for number in range(20)
    ]
    for round_ in range(1, 11):
        results = at_once(partial(sign, cast, by=person, at=MONDAY) for person in people)
        won = [result for result in results if isinstance(result, SignOff)]
        lost = [result for result in results if isinstance(result, SeatTaken)]
        assert (len(won), len(lost)) == (1, 19), results
        said = f"{won[0].by.name} has already signed this, on Mon 1 Feb 2027, 09:00 GMT."
        assert {str(refusal) for refusal in lost} == {said}
        withdraw(cast, seen_round=round_)
    assert_sound(cast.migration)


def test_planning_again_and_ticking_at_once_lose_nothing(committed_db):
    cast = make_cast()
    codes = ["CUT-02", "CUT-03", "GL-02", "POST-01"]
    for days in (7, 14):
        to = moment(GO_LIVE_AT + timedelta(days=days))
        seen = preview_replan(migration=cast.migration, key="GL", to=to, at=MONDAY).mark
        again = partial(
            services.replan,
            migration=cast.migration,
            key="GL",
            to=to,
            seen=seen,
            by=cast.project_manager,
            at=MONDAY,
        )
        acts = [
            partial(services.tick_task, task=cast.task(code), by=cast.manager, at=MONDAY)
            for code in codes
        ]
        planned, *ticked = at_once([again, *acts])
        assert all(settled.changed for settled in ticked)
        moved = cast.migration.key_dates.get(key="GL").planned_at == to.at
        assert moved != isinstance(planned, Conflict)
        for code in codes:
            task = cast.task(code)
            services.reopen_task(task=task, seen_version=task.version, by=cast.manager, at=MONDAY)
    assert_sound(cast.migration)
