"""Which sheets and columns a plan has: taken from its schema, so that no field is left out."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any

from practices.plans.yaml import plan_schema

README, LISTS = "Read me", "Lists"
PLAN, FIELD, VALUE = "Plan", "Field", "Value"


class Kind(Enum):
    """What a cell holds. Several values in one cell are divided by commas or lines."""

    TEXT = "text"
    NUMBER = "number"
    FLAG = "yes or no"
    WORDS = "words"
    NUMBERS = "numbers"
    LINKS = "tasks"


@dataclass(frozen=True)
class Column:
    """A field of a part: ``path`` leads to it from the part, as in ``due.from``."""

    heading: str
    path: str
    kind: Kind
    among: tuple[str, ...] = ()
    description: str = ""
    is_prose: bool = False
    default: bool = True


@dataclass(frozen=True)
class Sheet:
    """The parts of one kind, one in each row. A row of ``within`` is named in its first column."""

    title: str
    name: str
    columns: tuple[Column, ...]
    within: str = ""

    @property
    def parent(self) -> str:
        """The heading of the first column where the parts belong to others."""
        return self.within.removesuffix("s").capitalize()

    @property
    def headings(self) -> list[str]:
        first = [self.parent] if self.within else []
        return [*first, *(column.heading for column in self.columns)]


@cache
def sheets() -> tuple[Sheet, ...]:
    """The sheets of parts, in the order they stand in the workbook."""
    fields = plan_schema()["properties"]
    phases, gates = fields["phases"]["items"], fields["gates"]["items"]
    return (
        _sheet("Key dates", "key_dates", fields["key_dates"]),
        _sheet("Phases", "phases", fields["phases"]),
        _sheet("Tasks", "tasks", phases["properties"]["tasks"], within="phases"),
        _sheet("Gates", "gates", fields["gates"]),
        _sheet("Seats", "seats", gates["properties"]["seats"], within="gates"),
        _sheet("Clocks", "clocks", fields["clocks"]),
        _sheet("Reminders", "reminders", fields["reminders"]),
        _sheet("Conditions", "conditions", fields["conditions"]),
    )


@cache
def plan_fields() -> dict[str, str]:
    """What the plan says of itself, and each in a sentence."""
    fields = plan_schema()["properties"]
    return {name: one["description"] for name, one in fields.items() if "items" not in one}


def _sheet(title: str, name: str, field: dict[str, Any], within: str = "") -> Sheet:
    columns = sorted(
        _columns(field["items"]["properties"], ""),
        key=lambda column: (column.path not in ("key", "code"), column.path != "title"),
    )
    return Sheet(title, name, tuple(columns), within)


def _columns(fields: dict[str, Any], within: str) -> Iterator[Column]:
    for name, field in fields.items():
        path = f"{within}{name}"
        if field.get("type") == "object":
            yield from _columns(field["properties"], f"{path}.")
        elif kind := _kind(name, field):
            yield Column(
                path.replace(".", " ").replace("_", " ").capitalize(),
                path,
                kind,
                among=tuple(field.get("enum", ())),
                description=field["description"],
                is_prose=field.get("maxLength", 0) > 100,
                default=field.get("default", True),
            )


def _kind(name: str, field: dict[str, Any]) -> Kind | None:
    """What a cell of this field holds; None for parts that have a sheet of their own."""
    if field.get("type") == "array":
        if field["items"].get("type") == "object":
            return Kind.LINKS if name == "after" else None
        return Kind.NUMBERS if field["items"].get("type") == "integer" else Kind.WORDS
    return {"boolean": Kind.FLAG, "integer": Kind.NUMBER}.get(field.get("type", ""), Kind.TEXT)
