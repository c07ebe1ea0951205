"""Leaves of an answer: scalars and enum values as the schema promises them, or `Irregular`.

The generated function (graph/compiler/shape.py) cannot afford a call for each leaf: what can be checked in an expression is a
text in `CHECKS`, and only what has another form in the answer than in the record is converted by a function. Each
conversion exists twice: the strict one raises at what the schema does not allow, the lenient one lets it through.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from graph.model.mapping import enum_name
from graph.model.model import LABELS, RELATIONSHIPS
from graph.model.vocabulary import (
    ALERT_KINDS,
    BOOST_EVENT_KINDS,
    DELIVERY_EVENT_KINDS,
    ORDER_EVENT_KINDS,
    SERVICE_EVENT_KINDS,
    TOPOLOGY_CHANGE_KINDS,
)


class Irregular(Exception):
    """The record breaks a promise of the schema."""


_OF_EVENTS: Final = (
    *ALERT_KINDS,
    *SERVICE_EVENT_KINDS,
    *BOOST_EVENT_KINDS,
    *TOPOLOGY_CHANGE_KINDS,
    *DELIVERY_EVENT_KINDS,
    *ORDER_EVENT_KINDS,
)
WORDS: Final = {
    word: enum_name(word)
    for properties in (*(x.properties for x in LABELS.values()), *(x.properties for x in RELATIONSHIPS.values()))
    for known in properties
    for word in known.words
} | {word: enum_name(word) for word in _OF_EVENTS}
"""The field's own words, and the names of enum values that they have in an answer."""
CHECKS: Final = {
    "String": "{first}.__class__ is str",
    "ID": "{first}.__class__ is str",
    "Int": "{first}.__class__ is int and -1073741823 <= {var} <= 1073741823",
    "Boolean": "{first}.__class__ is bool",
    "Float": "{first}.__class__ is float and {var} - {var} == 0",
}
"""Of what can be checked where it stands: the condition, `first` being the value's first mention, `var` any later.

That of a number may refuse what is right (`OTHERWISE` decides then): integers of up to 30 bits are what Python compares
quickest.
"""
OTHERWISE: Final = {"Int": "strict_Int({var})", "Float": "strict_Float({var})"}
CONVERTED: Final = ("Float", "DateTime", "BigInt", "JSON")


def _bad() -> None:
    raise Irregular


def _strict_int(value: Any) -> int:
    if value.__class__ is int and -2147483648 <= value <= 2147483647:
        return value
    raise Irregular


def _strict_float(value: Any) -> float:
    if value.__class__ is float and value - value == 0:
        return value
    if value.__class__ is int:
        return float(value)
    raise Irregular


def _strict_time(value: Any) -> str:
    if value.__class__ is not int:
        raise Irregular
    return rfc3339(value)


def _strict_big(value: Any) -> str:
    if value.__class__ is not int:
        raise Irregular
    return str(value)


def _strict_json(value: Any) -> Any:
    return orjson.loads(value)


def _optional(convert: Callable[[Any], Any], value: Any) -> Any:
    return None if value is None else convert(value)


def rfc3339(milliseconds: int) -> str:
    """Print a time as every answer does.

    >>> rfc3339(1500)
    '1970-01-01T00:00:01.500Z'
    """
    seconds, rest = divmod(milliseconds, 1000)
    # Seconds first, since a float of milliseconds is not exact; isoformat, since strftime takes twice as long.
    return f"{datetime.fromtimestamp(seconds, UTC).isoformat()[:19]}.{rest:03d}Z"


def _lenient(convert: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Give an error as the value of what cannot be converted: graphql-core puts it where the value would be."""

    def converted(value: Any) -> Any:
        try:
            return None if value is None else convert(value)
        except (Irregular, ValueError, TypeError, OverflowError, OSError) as error:
            return error

    return converted


LEAF_VALUES: Final[Mapping[str, Any]] = {
    "bad": _bad,
    "optional": _optional,
    "strict_Int": _strict_int,
    "strict_Float": _strict_float,
    "strict_DateTime": _strict_time,
    "strict_BigInt": _strict_big,
    "strict_JSON": _strict_json,
    "lenient_Float": lambda value: value,
    "lenient_DateTime": _lenient(_strict_time),
    "lenient_BigInt": _lenient(_strict_big),
    "lenient_JSON": _lenient(_strict_json),
}
"""What the generated text calls, by the names it calls it by."""
