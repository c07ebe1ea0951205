"""Whoever sends us a document must hear of all that is wrong with it at once, each fault by the name of its field.

A document's shape is a value: what each field may hold, and how much of it. `faults` walks a document along its shape.
Fields that the shape does not know are extensions and are let through, but bounded like everything else: a list of a
million items, or a thousand levels, is no extension of anything.

>>> shape = Thing(fields={"id": Text(least=1), "at": Time()}, required=("id", "at"))
>>> [str(fault) for fault in faults(shape, {"id": 7, "list": []})]
['at: is missing', 'id: is a number, not a string']
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from types import MappingProxyType
from typing import Any, Final, TypeAlias, assert_never

from adapters.errors import Malformed
from adapters.tmf.tmf630 import LATEST, read_time

MOST_FAULTS: Final = 9
"""More of them tell nobody anything new."""
MOST_ITEMS: Final = 1_000
MOST_LEVELS: Final = 32
LONGEST_TEXT: Final = 32_000
LONGEST_PATH: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A string."""

    least: int = 0
    most: int = LONGEST_TEXT


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One of a few strings."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Time:
    """A string that holds a date and a time with its zone (RFC 3339)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """True or false."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A whole number: an integer, or a string of its digits, since not every client keeps 64 bits."""

    least: int = 0
    most: int = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifier:
    """A string, or the integer that the standard has in its place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Many:
    """A list."""

    of: Shape
    least: int = 0
    most: int = MOST_ITEMS


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """An object; fields that are not named here may hold anything."""

    fields: Mapping[str, Shape] = field(default_factory=lambda: MappingProxyType({}))
    required: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Anything:
    """What no shape is known of."""


class Oversized:
    """Stands in a document for an integer that has more than 64 bits, and would not come out as it went in."""


Shape: TypeAlias = Text | Word | Time | Flag | Whole | Identifier | Many | Thing | Anything


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong, and where."""

    path: str
    problem: str

    def __str__(self) -> str:
        return f"{self.path[:LONGEST_PATH] or 'the body'}: {self.problem}"


def faults(shape: Shape, value: Any) -> tuple[Fault, ...]:
    """Give what is wrong with a document, as far as it is of use to anyone."""
    return tuple(islice(_faults(shape, value, "", 0), MOST_FAULTS))


def _faults(shape: Shape, value: Any, path: str, level: int) -> Iterator[Fault]:
    match shape:
        case Text():
            yield from _text(shape, value, path)
        case Word():
            yield from _word(shape, value, path)
        case Time():
            yield from _time(value, path)
        case Flag():
            yield from _is(value, bool, "true or false", path)
        case Whole() | Identifier():
            yield from _number_or_text(shape, value, path)
        case Many():
            yield from _many(shape, value, path, level)
        case Thing():
            yield from _thing(shape, value, path, level)
        case Anything():
            yield from _anything(value, path, level)
        case never:
            assert_never(never)


def _text(shape: Text, value: Any, path: str) -> Iterator[Fault]:
    if not isinstance(value, str):
        yield Fault(path=path, problem=f"is {_named(value)}, not a string")
    elif len(value) < shape.least:
        yield Fault(path=path, problem="is empty")
    elif len(value) > shape.most:
        yield Fault(path=path, problem=f"has {len(value)} characters; at most {shape.most} are taken")


def _word(shape: Word, value: Any, path: str) -> Iterator[Fault]:
    if not isinstance(value, str):
        yield Fault(path=path, problem=f"is {_named(value)}, not a string")
    elif value not in shape.words:
        yield Fault(path=path, problem=f"is none of {', '.join(shape.words)}")


def _time(value: Any, path: str) -> Iterator[Fault]:
    if not isinstance(value, str):
        yield Fault(path=path, problem=f"is {_named(value)}, not a string")
        return
    try:
        at = read_time(value, path)
    except Malformed:
        problem = "is no date and time with a zone, such as 2026-01-31T12:00:00Z or 2026-01-31T13:00:00.250+01:00"
        yield Fault(path=path, problem=problem)
        return
    if not 0 <= at <= LATEST:
        yield Fault(path=path, problem="is not between the years 1970 and 9999")


def _number_or_text(shape: Whole | Identifier, value: Any, path: str) -> Iterator[Fault]:
    if isinstance(shape, Identifier):
        if isinstance(value, bool) or not isinstance(value, str | int):
            yield Fault(path=path, problem=f"is {_named(value)}, not a string")
    elif isinstance(value, bool) or not isinstance(value, int | str | Oversized):
        yield Fault(path=path, problem=f"is {_named(value)}, not a whole number")
    elif isinstance(value, Oversized) or (number := _number(value)) is None or not shape.least <= number <= shape.most:
        yield Fault(path=path, problem=f"is no whole number from {shape.least} to {shape.most}")


def _number(value: int | str) -> int | None:
    if isinstance(value, int):
        return value
    return int(value) if value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS else None


def _is(value: Any, kind: type, said: str, path: str) -> Iterator[Fault]:
    if not isinstance(value, kind):
        yield Fault(path=path, problem=f"is {_named(value)}, not {said}")


def _many(shape: Many, value: Any, path: str, level: int) -> Iterator[Fault]:
    if not isinstance(value, list):
        yield Fault(path=path, problem=f"is {_named(value)}, not a list")
    elif len(value) < shape.least:
        yield Fault(path=path, problem="is empty")
    elif len(value) > shape.most:
        yield Fault(path=path, problem=f"has {len(value)} items; at most {shape.most} are taken")
    else:
        for index, each in enumerate(value):
            yield from _faults(shape.of, each, f"{path}[{index}]", level + 1)


def _thing(shape: Thing, value: Any, path: str, level: int) -> Iterator[Fault]:
    if not isinstance(value, dict):
        yield Fault(path=path, problem=f"is {_named(value)}, not an object")
        return
    if len(value) > MOST_ITEMS:
        yield Fault(path=path, problem=f"has {len(value)} fields; at most {MOST_ITEMS} are taken")
        return
    for name in shape.required:
        if name not in value:
            yield Fault(path=_inside(path, name), problem="is missing")
    for name, each in value.items():
        yield from _faults(shape.fields.get(name, _EXTENSION), each, _inside(path, name), level + 1)


def _anything(value: Any, path: str, level: int) -> Iterator[Fault]:
    if level > MOST_LEVELS:
        yield Fault(path=path, problem=f"is nested deeper than {MOST_LEVELS} levels")
    elif isinstance(value, Oversized):
        yield Fault(path=path, problem=f"is {_named(value)}")
    elif isinstance(value, dict):
        yield from _thing(_FREE, value, path, level)
    elif isinstance(value, list):
        yield from _many(_LIST, value, path, level)


_MOST_DIGITS: Final = 20
_EXTENSION: Final = Anything()
_FREE: Final = Thing()
_LIST: Final = Many(of=_EXTENSION)


def _inside(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _named(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case str():
            return "a string"
        case int() | float():
            return "a number"
        case Oversized():
            return "a number of more than 64 bits"
        case list():
            return "a list"
        case _:
            return "an object"
