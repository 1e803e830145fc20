"""Whatever people do with tasks, in whatever order: counters right, chain whole, states legal."""

from datetime import date, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    rule,
    run_state_machine_as_test,
)

from practices.common.errors import Refused
from practices.plans.rules import Moment
from practices.tracking import services
from practices.tracking.models import Task
from practices.tracking.services.gates import seen_mark, still_open
from tests.factories import MONDAY

from .cast import Cast, assert_sound, make_cast

CODES = ["CUT-01", "CUT-02", "CUT-03", "CUT-04", "GL-01", "GL-02", "POST-01", "OWN-01"]
codes = st.sampled_from(CODES)
people = st.sampled_from(["manager", "staff", "project_manager"])
reasons = st.sampled_from(["", "because", "because it waits"])


class Work(RuleBasedStateMachine):
    """Each run starts from the same migration and is taken back at its end."""

    cast: Cast

    def __init__(self):
        super().__init__()
        self.now = MONDAY
        self.run = transaction.atomic()
        self.run.__enter__()

    def teardown(self):
        try:
            self.check()
        finally:
            transaction.set_rollback(True)
            self.run.__exit__(None, None, None)

    def act(self, act, code=None, **fields):
        """Do it as a person would; a refusal is an answer, and leaves nothing behind."""
        self.now += timedelta(minutes=7)
        if code is not None:
            if code not in self.states():
                return
            fields["task"] = self.cast.task(code)
        events, states = self.cast.events(), self.states()
        try:
            act(by=fields.pop("by", self.cast.manager), at=self.now, **fields)
        except Refused:
            assert (self.cast.events(), self.states()) == (events, states)

    def states(self):
        return dict(self.cast.migration.tasks.values_list("code", "state"))

    def person(self, name):
        return getattr(self.cast, name)

    @rule(code=codes, who=people)
    def tick(self, code, who):
        self.act(services.tick_task, code, by=self.person(who))

    @rule(chosen=st.lists(codes, unique=True))
    def tick_several(self, chosen):
        tasks = [self.cast.task(code) for code in chosen if code in self.states()]
        self.act(services.tick_tasks, migration=self.cast.migration, tasks=tasks)

    @rule(code=codes, reason=reasons, behind=st.integers(0, 1))
    def reopen(self, code, reason, behind):
        if code in self.states():
            seen = self.cast.task(code).version - behind
            self.act(services.reopen_task, code, seen_version=seen, reason=reason)

    @rule(code=codes, reason=reasons)
    def set_aside(self, code, reason):
        self.act(services.set_task_aside, code, reason=reason)

    @rule(code=codes, reason=reasons)
    def block(self, code, reason):
        self.act(services.block_task, code, reason=reason)

    @rule(code=codes, who=people)
    def assign(self, code, who):
        self.act(services.assign_task, code, assignee=self.person(who))

    @rule(title=st.sampled_from(["One", "Two"]))
    def add(self, title):
        self.act(
            services.add_task,
            phase=self.cast.migration.phases.get(key="go_live"),
            title=title,
            guidance="",
            owner="practice_staff",
            due_on=date(2027, 3, 1),
            assignee=None,
        )

    @rule(key=st.sampled_from(["FDP", "GL", "EOA"]))
    def record(self, key):
        when = Moment.of_day(date(2027, 2, 1)) if key == "EOA" else Moment.of_instant(self.now)
        self.act(services.record_actual, migration=self.cast.migration, key=key, when=when)

    @rule(key=st.sampled_from(["FDP", "GL", "EOA"]))
    def clear(self, key):
        self.act(services.clear_actual, migration=self.cast.migration, key=key, reason="mistake")

    @rule()
    def sign(self):
        gate = self.cast.migration.gates.select_related("plan_gate").get()
        items = still_open(gate)
        self.act(
            services.sign_off,
            gate=gate,
            seat=gate.plan_gate.seats.get(),
            name=self.cast.manager.name,
            seen=seen_mark(gate, items),
            exceptions={item.key: "accepted" for item in items},
        )

    @rule()
    def withdraw(self):
        self.act(services.withdraw_sign_off, gate=self.cast.migration.gates.get(), reason="wrong")

    def check(self):
        migration = self.cast.migration
        assert_sound(migration)
        signed = {
            seat
            for gate in migration.gates.all()
            for seat in gate.sign_offs.filter(round=gate.round).values_list("seat", flat=True)
        }
        recorded = set(migration.key_dates.exclude(actual_at=None).values_list("key", flat=True))
        for task in Task.objects.filter(migration=migration).with_people():
            done = task.state == Task.State.DONE
            if task.records:
                assert done == (task.records in recorded), task.code
            if task.seat:
                assert done == (task.seat.pk in signed), task.code


@pytest.mark.django_db
def test_any_order_of_acts_leaves_a_sound_migration():
    Work.cast = make_cast()
    # Made now: whoever is made within a run is taken back with it.
    assert Work.cast.manager
    assert Work.cast.staff
    run_state_machine_as_test(
        Work,
        settings=settings(
            max_examples=10,
            stateful_step_count=20,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
