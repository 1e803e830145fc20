"""Events in whose transaction no tracked or append-only row needs to change, and why."""

UNPAIRED = {
    "practices.imported": "a list that says nothing new changes nothing",
    "counters.corrected": "counters are derived, so row history leaves them out",
    "mail.sent_again": "mails keep no row history: the outbox promises them, it proves nothing",
    "viewing.started": "looking changes nothing",
    "viewing.stopped": "looking changes nothing",
}
