"""Events in whose transaction no tracked or append-only row needs to change, and why."""

UNPAIRED = {
    "practices.imported": "a list that says nothing new changes nothing",
    "counters.corrected": "counters are derived, so row history leaves them out",
    "contact.changed": "names and numbers of contacts stay out of row history",
    "person.pseudonymised": "names and addresses stay out of row history",
    "viewing.started": "looking changes nothing",
    "viewing.stopped": "looking changes nothing",
    "task.noted": "a note is a text; texts stay out of row history",
}
