"""Nobody is left out, whatever is killed: workers, mail server, broker and database.

`make test` plays a short storm, `make faults` a long one, which it keeps in bench/faults.json.
"""

import time
from pathlib import Path

import pytest

from .mail import FaultyMail
from .report import LONG, keep
from .storm import LEASE, PAUSE, Herd, Outcome, Plan, storm

SHORT_PLAN = Plan(
    migrations=4,
    people=10,
    kills=8,
    smtp_faults=6,
    fault_rate=0.5,  # of forty mails, so that chance leaves none of the six over
    broker_restarts=2,
    database_restarts=2,
    processes=("worker-1", "beat-1", "beat-2", "loop-1"),
)
LONG_PLAN = Plan(
    migrations=25,
    people=400,
    kills=200,
    smtp_faults=520,
    fault_rate=0.12,
    broker_restarts=20,
    database_restarts=10,
    processes=("worker-1", "worker-2", "beat-1", "beat-2", "loop-1"),
)


@pytest.mark.timeout(1800)
def test_nobody_is_left_out(environment, cluster, broker, faulty_mail, tmp_path: Path):
    begun = time.monotonic()
    plan = LONG_PLAN if LONG else SHORT_PLAN
    rig = {"lease": LEASE, "retry": 0.5, "every": 0.5, "pause": PAUSE}
    herd = Herd(environment, tmp_path, {**rig, "pause_rate": 0.05 if LONG else 0.3})
    outcome = storm(plan, herd=herd, mail=faulty_mail, broker=broker, cluster=cluster)
    _keep(plan, outcome, faulty_mail, seconds=time.monotonic() - begun)
    outcome.check()
    assert outcome.reminders >= plan.migrations * plan.people
    assert outcome.kills >= plan.kills
    assert not faulty_mail.faults_left


def _keep(plan: Plan, outcome: Outcome, mail: FaultyMail, *, seconds: float) -> None:
    keep(
        reminders=outcome.reminders,
        kills=outcome.kills,
        smtp_faults=mail.faults.total(),
        faults=dict(mail.faults),
        broker_restarts=plan.broker_restarts,
        database_restarts=plan.database_restarts,
        lost=len(outcome.lost),
        refused_by_the_server=len(outcome.refused),
        extra_copies=outcome.extra_copies,
        extra_copies_allowed=outcome.kills + outcome.forced,
        seconds=round(seconds, 1),
    )
