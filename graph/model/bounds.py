"""What a property may hold is said once, beside the property; every writer asks here, and gives the same reason.

Neo4j Community and the embedded database hold uniqueness and nothing else: a latitude of a thousand million, a name that is
empty and an end before its beginning would all be taken, and every reader would stumble over them later. A reason is the
end of a sentence, behind the name of the property. `graph/store/cardinality.py` is the like for relationships.

>>> from graph.model.model import LABELS
>>> problem_of(LABELS["Site"].property("latitude"), 1e9)
'must be from -90 to 90, not 1000000000.0'
>>> interval_problem(LABELS["Boost"].interval, {"startAt": 2, "endAt": 1})
'endAt must be later than startAt'
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, assert_never

import orjson

from graph.model.kinds import LONGEST, LONGEST_EXTERNAL, Form, Interval, Kind, Property
from graph.model.times import MOMENTS

INTEGERS: Final = range(-(2**31), 2**31)
"""What GraphQL's Int can hold."""
_LARGE: Final = range(-(2**63), 2**63)
WANTED: Final[Mapping[Kind, str]] = MappingProxyType(
    {
        Kind.STRING: "a string",
        Kind.INTEGER: "a whole number of 32 bits",
        Kind.LARGE: "a whole number of 64 bits",
        Kind.FLOAT: "a number",
        Kind.BOOLEAN: "true or false",
        Kind.TIME: "a time with its zone, as 2026-01-31T12:00:00Z (RFC 3339), or whole milliseconds since 1970 in UTC, "
        "of the years 1 to 9999",
        Kind.JSON: "a string that holds JSON",
    }
)
"""What a property of a kind is, for a sentence."""
UNREADABLE: Final[Mapping[Form, str]] = MappingProxyType(
    {
        Form.NAME: r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]",
        Form.TEXT: r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]",
    }
)
"""Controls, halves of pairs and what is no character: not every protocol can carry them. In Java the same, for a store.

A text may have tabs and ends of lines, which every protocol carries (XML 1.0, Char); a name is one line.
"""
CURRENCY: Final = "[A-Z]{3}"
_UNREADABLE: Final = MappingProxyType({form: re.compile(each) for form, each in UNREADABLE.items()})
_CURRENCY: Final = re.compile(CURRENCY)


def problem_of(declared: Property, value: object) -> str | None:
    """Say why a property may not hold a value; None where it may."""
    if not _is_of(declared.kind, value):
        return f"must be {WANTED[declared.kind]}, not {value!r:.60}"
    if declared.words and value not in declared.words:
        return f"must be one of {', '.join(declared.words)}, not {value!r:.60}"
    if declared.form and isinstance(value, str):
        return text_problem(declared.form, value)
    if isinstance(value, int | float):
        return _number_problem(declared, value)
    return None


def text_problem(form: Form, text: str) -> str | None:
    """Say why a text has not the form; None where it has."""
    match form:
        case Form.CURRENCY:
            fits = _CURRENCY.fullmatch(text)
            return None if fits else f"must be a currency of three capital letters (ISO 4217), not {text!r:.60}"
        case Form.NAME if not text.strip():
            return "must not be empty"
        case Form.NAME | Form.TEXT:
            if problem := _too_long(text, LONGEST):
                return problem
            if found := _UNREADABLE[form].search(text):
                return f"must have no character that cannot be read, as U+{ord(found[0]):04X}"
            return None
        case Form.EXTERNAL:
            least = None if text else "must not be empty"
            return least or _too_long(text, LONGEST_EXTERNAL)
        case never:
            assert_never(never)


def _too_long(text: str, most: int) -> str | None:
    return f"must have at most {most} characters, not {len(text)}" if len(text) > most else None


def interval_problem(interval: Interval | None, properties: Mapping[str, object]) -> str | None:
    """Say why what a node is from and to cannot be; None where it can, or where its ends are not both there."""
    if interval is None:
        return None
    start, end = properties.get(interval.start), properties.get(interval.end)
    if not (isinstance(start, int) and isinstance(end, int)):
        return None
    if end > start or (interval.may_be_empty and end == start):
        return None
    what = "not be earlier" if interval.may_be_empty else "be later"
    return f"{interval.end} must {what} than {interval.start}"


def _number_problem(declared: Property, value: float) -> str | None:
    least, most = declared.least, declared.most
    if least is not None and most is not None:
        return None if least <= value <= most else f"must be from {least} to {most}, not {value!r:.60}"
    if least is not None and not value >= least:
        return f"must be at least {least}, not {value!r:.60}"
    if most is not None and not value <= most:
        return f"must be at most {most}, not {value!r:.60}"
    return None


def _is_of(kind: Kind, value: object) -> bool:
    match kind:
        case Kind.STRING:
            return isinstance(value, str)
        case Kind.INTEGER:
            return type(value) is int and value in INTEGERS
        case Kind.LARGE:
            return type(value) is int and value in _LARGE
        case Kind.TIME:
            return type(value) is int and value in MOMENTS
        case Kind.FLOAT:
            return type(value) is float
        case Kind.BOOLEAN:
            return isinstance(value, bool)
        case Kind.JSON:
            return isinstance(value, str) and _parses(value)
        case never:
            assert_never(never)


def _parses(text: str) -> bool:
    try:
        orjson.loads(text)
    except ValueError:
        return False
    return True
