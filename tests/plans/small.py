"""A small plan as YAML, to be broken in one place at a time."""

SMALL = """\
format: 1
slug: small
title: A small plan
key_dates:
  - key: ORDER
    title: Order
    precision: day
    offset: {from: GL, by: -98, unit: days}
  - key: FDP
    title: Final data production
    precision: minute
    offset: {from: GL, by: -72, unit: hours}
  - key: GL
    title: Go-live
    precision: minute
  - key: EOA
    title: End of old-system access
    precision: day
    clock: access
phases:
  - key: cut_over
    title: Cut-over
    tasks:
      - code: CUT-01
        title: Take the final extract
        owner: source_supplier
        due: {from: FDP, by: 0, unit: hours}
        basis: source
        records: FDP
      - code: CUT-02
        title: Check the data
        guidance: Compare what came over with the old system.
        owner: practice_staff
        helps: [clinician]
        due: {from: GL, by: -1, unit: days}
        basis: source
      - code: CUT-03
        title: Repair degraded entries
        owner: practice_staff
        due: {from: GL, by: 30, unit: days}
        basis: estimate
      - code: GL-01
        title: Sign the data off
        owner: practice_manager
        due: {from: GL, by: 0, unit: hours}
        basis: source
        signs: {gate: go_live_data, seat: practice}
gates:
  - key: go_live_data
    title: Go-live data
    statement: All data is across.
    seats:
      - key: practice
        title: The practice
        roles: [practice_manager, lead_gp]
    covers:
      phases: [cut_over]
    blocks: [GL]
    confirm_to: target_supplier
clocks:
  - key: cut_over
    title: Cut-over
    starts: FDP
    stops: GL
    limit: 72
    unit: hours
    warn_after: [24, 72]
    tell: [project_manager]
  - key: access
    title: Old-system access
    starts: GL
    stops: EOA
    limit: 45
    unit: days
    warn_before: [14, 0]
    tell: [practice_manager]
reminders:
  - key: repair
    title: Degraded entries repaired
    when: {from: GL, by: [7, 14], unit: days}
    until: task:CUT-02
    tell: [lead_gp]
    escalate_after: 2
    advice: Repair what came over damaged.
"""


def changed(old: str, new: str) -> str:
    """The small plan with one passage replaced; the passage must be there exactly once."""
    assert SMALL.count(old) == 1, old
    return SMALL.replace(old, new)
