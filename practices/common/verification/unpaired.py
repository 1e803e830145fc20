"""Events in whose transaction no tracked or append-only row needs to change, and why."""

UNPAIRED = {
    "practices.imported": "a list that says nothing new changes nothing",
    "counters.corrected": "counters are derived, so row history leaves them out",
    "viewing.started": "looking changes nothing",
    "viewing.stopped": "looking changes nothing",
}
