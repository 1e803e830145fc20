"""What a plan file may say, as a JSON Schema: editors complete and check with it.

It is taken from the reader itself: the functions that read the parts of a plan ask
:class:`_Described` for their fields, and it writes down what they ask for. So no field can be
read that the schema does not know, nor the other way round. What fields say of each other
(that a key date exists, that a role may sign) is beyond it: the upload checks that.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from .descriptions import DESCRIPTIONS
from .fields import LINE, MANY, MAX_NUMBER, PROSE, Fields
from .nodes import Mapping, Place
from .parts import plan

DIALECT = "https://json-schema.org/draft/2020-12/schema"
ONE_LINE = r"^\s*[^\n]*\s*$"

Schema = dict[str, Any]
T = TypeVar("T")


def plan_schema() -> Schema:
    """The JSON Schema (draft 2020-12) of a plan file."""
    described = _Described("")
    plan(described)
    return {
        "$schema": DIALECT,
        "title": "A plan of Migration Tracker",
        "description": "docs/plans.md explains every field.",
        **described.schema,
    }


class _Described(Fields):
    """The fields of one mapping, of which nothing is read: what is asked for is written down."""

    def __init__(self, within: str) -> None:
        super().__init__(Mapping(Place()), (), Mapping(Place()), [])
        self.within = within
        self.schema: Schema = {
            "type": "object",
            "additionalProperties": False,
            "properties": {},
            "required": [],
        }

    def describe(self, name: str, needed: bool, **schema: Any) -> None:
        path = f"{self.within}{name}"
        self.schema["properties"][name] = {"description": DESCRIPTIONS[path], **schema}
        if needed:
            self.schema["required"].append(name)

    def fixed(self, name: str, value: str) -> None:
        self.describe(name, True, const=int(value))

    def prose(self, name: str, *, needed: bool = False, limit: int = PROSE) -> str:
        self.describe(name, needed, type="string", minLength=int(needed), maxLength=limit)
        return ""

    def line(self, name: str, *, needed: bool = False, limit: int = LINE) -> str:
        self.prose(name, needed=needed, limit=limit)
        self.schema["properties"][name]["pattern"] = ONE_LINE
        return ""

    def word(
        self,
        name: str,
        shape: re.Pattern[str],
        example: str,
        *,
        needed: bool = False,
        limit: int | None = None,
    ) -> str:
        most = {"maxLength": limit} if limit else {}
        shaped = f"^(?:{shape.pattern})$"
        self.describe(name, needed, type="string", pattern=shaped, examples=[example], **most)
        return ""

    def choice(self, name: str, among: Iterable[str], *, needed: bool = False) -> str:
        self.describe(name, needed, enum=list(among))
        return ""

    def flag(self, name: str, *, default: bool) -> bool:
        self.describe(name, False, type="boolean", default=default)
        return default

    def number(self, name: str, *, low: int, needed: bool = False) -> int | None:
        self.describe(name, needed, **_whole(low))
        return None

    def words(self, name: str, among: tuple[str, ...] = ()) -> tuple[str, ...]:
        items = {"enum": list(among)} if among else {"type": "string", "minLength": 1}
        self.describe(name, False, type="array", maxItems=MANY, items=items)
        return ()

    def numbers(self, name: str, *, low: int) -> tuple[int, ...]:
        self.describe(name, False, type="array", maxItems=MANY, items=_whole(low))
        return ()

    def nested(self, name: str, *, needed: bool = False) -> Fields:
        inner = _Described(f"{self.within}{name}.")
        self.describe(name, needed, **inner.schema)
        return inner

    def list_of(
        self, name: str, read: Callable[[Fields], T], *, needed: bool = False, most: int = MANY
    ) -> tuple[T, ...]:
        inner = _Described(f"{self.within}{name}.")
        read(inner)
        self.describe(
            name, needed, type="array", minItems=int(needed), maxItems=most, items=inner.schema
        )
        return ()


def _whole(low: int) -> Schema:
    return {"type": "integer", "minimum": low, "maximum": MAX_NUMBER}
