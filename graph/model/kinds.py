"""What the model is written in: a label, its properties and how each is stored, a relationship and whose slice it stays in.

The tables themselves are in graph/model/model.py, which is where others find these words too.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final


class Kind(enum.Enum):
    """How a property is stored, and so how the compiler compares it and the shaper prints it."""

    STRING = "string"
    INTEGER = "integer"
    """32 bits, as GraphQL's Int."""
    LARGE = "large"
    """64 bits in the graph; a string of digits (BigInt) in answers."""
    FLOAT = "float"
    BOOLEAN = "boolean"
    TIME = "time"
    """epoch milliseconds UTC in the graph; RFC 3339 with milliseconds and Z in answers."""
    JSON = "json"
    """canonical JSON text."""


class Form(enum.Enum):
    """What a text must look like that has no closed vocabulary; `graph/model/bounds.py` says how each is checked."""

    NAME = "a name"
    """not blank, at most LONGEST characters, and of characters that every protocol can carry."""
    TEXT = "a text"
    """the same, but it may be empty, and have tabs and several lines."""
    EXTERNAL = "a name in another system"
    """not empty, and at most LONGEST_EXTERNAL characters: whatever an alarm may call its object."""
    CURRENCY = "a currency"
    """three capital letters (ISO 4217)."""


LONGEST: Final = 500
"""characters of a name or of another text with a form."""
LONGEST_EXTERNAL: Final = 1_024
"""characters of what another system calls a thing: as many as alarms have room for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """One property of a label or a relationship."""

    name: str
    kind: Kind = Kind.STRING
    required: bool = True
    words: tuple[str, ...] = ()
    """the closed vocabulary of the property, in the field's own spelling; empty when it is open."""
    indexed: bool = False
    operator_only: bool = False
    """asked for, filtered by or sorted by only with a role that reads everything."""
    internal: bool = False
    """never in the API: what the program finds things by."""
    derived: bool = False
    """made of other properties by whoever writes: a file may leave it out, and nobody is told that it is missing."""
    form: Form | None = None
    """of a text; None where it may be any."""
    least: float | None = None
    most: float | None = None
    """the bounds of a number, both among what is allowed; None where its kind alone bounds it."""


ID: Final = Property(name="id", indexed=True)


def text(name: str, *words: str, required: bool = True, indexed: bool = False) -> Property:
    """Make a property that holds text, of a closed vocabulary where words are given."""
    return Property(name=name, required=required, words=words, indexed=indexed)


def shaped(name: str, form: Form, *, required: bool = True, indexed: bool = False) -> Property:
    """Make one that holds text of a form."""
    return Property(name=name, required=required, form=form, indexed=indexed)


def number(name: str, *, required: bool = True, indexed: bool = False, least: int | None = None) -> Property:
    """Make one that holds a whole number."""
    return Property(name=name, kind=Kind.INTEGER, required=required, indexed=indexed, least=least)


def time(name: str, *, required: bool = True, indexed: bool = False) -> Property:
    """Make one that holds a moment."""
    return Property(name=name, kind=Kind.TIME, required=required, indexed=indexed)


def real(name: str, least: float, most: float, *, required: bool = True) -> Property:
    """Make one that holds a number between two bounds."""
    return Property(name=name, kind=Kind.FLOAT, required=required, least=least, most=most)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Two properties of a label that are the beginning and the end of what it is; where both are there, the end is later."""

    start: str
    end: str
    may_be_empty: bool = False
    """the end may also be at the same moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """One kind of node. Every node has an `id`, unique in the whole graph: `<label in lower case>-<uuid>`."""

    name: str
    about: str
    properties: tuple[Property, ...]
    unique: tuple[str, ...] = ("id",)
    """each of these is a uniqueness constraint, which MERGE relies on."""
    searched: bool = False
    """has `words`, the normalised text that full-text search reads."""
    internal: bool = False
    """never in the API: the ledger's own bookkeeping."""
    interval: Interval | None = None

    @property
    def id_prefix(self) -> str:
        """The first part of every id of this label."""
        return self.name.lower() + "-"

    def property(self, name: str) -> Property:
        """Give the property of that name, or raise KeyError."""
        for each in self.properties:
            if each.name == name:
                return each
        raise KeyError(f"{self.name} has no property {name}")


class Inside(enum.Enum):
    """In which direction following a relationship stays inside a customer's slice."""

    FORWARD = "from start to end"
    REVERSE = "from end to start"
    NEVER = "neither"


@dataclass(frozen=True, slots=True, kw_only=True)
class Relationship:
    """One relationship type, from any of `starts` to any of `ends`."""

    type: str
    starts: tuple[str, ...]
    ends: tuple[str, ...]
    inside: Inside
    properties: tuple[Property, ...] = ()
    one_end: bool = False
    """a start has at most one end by it."""
    one_start: bool = False
    """an end has at most one start by it."""
    one_end_per: str = ""
    """a property: a start has at most one end by it for each of its values."""
    apart: bool = False
    """with `one_end_per`: the ends that a start has by its values are different nodes."""

    def __post_init__(self) -> None:
        if self.one_end_per and self.one_end_per not in {each.name for each in self.properties}:
            raise ValueError(f"{self.type} has no property {self.one_end_per}")
