"""The kinds of parts as addresses and pages name them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """``path`` is its name in addresses, ``noun`` what one of them is called in a sentence."""

    name: str
    path: str
    noun: str
    title: str
    about: str


KINDS = {
    kind.path: kind
    for kind in (
        Kind(
            "key_date", "key-dates", "key date", "Key dates",
            "What tasks, clocks and reminders count from. All of them follow from go-live.",
        ),
        Kind(
            "phase", "phases", "phase", "Phases and tasks",
            "The steps of a migration, in the order they are shown.",
        ),
        Kind("task", "tasks", "task", "Tasks", ""),
        Kind(
            "gate", "gates", "gate", "Gates and sign-offs",
            "A gate opens when every seat has signed its statement.",
        ),
        Kind(
            "clock", "clocks", "clock", "Clocks",
            "Limits that run from one fact to another, with their warnings.",
        ),
        Kind(
            "reminder", "reminders", "reminder", "Reminders",
            "Who is told what, and when.",
        ),
        Kind(
            "condition", "conditions", "condition", "Conditions",
            "Questions about a practice that decide which tasks apply to it.",
        ),
    )
}  # fmt: skip
BY_NAME = {kind.name: kind for kind in KINDS.values()}


class KindConverter:
    """``<kind:kind>`` in an address."""

    regex = "|".join(KINDS)

    def to_python(self, value: str) -> Kind:
        return KINDS[value]

    def to_url(self, value: Kind | str) -> str:
        return value if isinstance(value, str) else value.path
