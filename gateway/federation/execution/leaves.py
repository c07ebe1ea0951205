"""A subgraph may answer anything where a number was promised, and a client must get a number or a null.

`ACCEPTED` says which Python type a value of a built-in scalar has as JSON gives it; that is all a value that fits is asked.
Others are looked at by `accept`: a whole number may come as 3.0, an id as a number. What does not fit raises `Unfit`.
Custom scalars may be anything, and their numbers leave with the digits that they came with. Source: GraphQL, 3.5.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Final

from graphql import GraphQLEnumType, GraphQLScalarType

from gateway.exact_json import is_beyond, written

ACCEPTED: Final = {"String": str, "ID": str, "Boolean": bool, "Int": int, "Float": float}
DEEPEST: Final = 100
"""levels that a custom scalar's value may nest."""
SMALLEST_INT: Final = -(2**31)
LARGEST_INT: Final = 2**31 - 1
TOO_DEEP: Final = object()
"""Stands where a subgraph's answer nests deeper than is read; it is no value of any type."""


class Unfit(Exception):
    """A value that is none of its type."""


def accept(type_: GraphQLScalarType | GraphQLEnumType, value: Any) -> Any:
    """Give a value as one of its type, or raise Unfit."""
    if isinstance(type_, GraphQLEnumType):
        if not isinstance(value, str) or value not in type_.values:
            raise Unfit
        return value
    return accept_scalar(type_.name, value)


def accept_scalar(name: str, value: Any) -> Any:
    """Give a value as one of the scalar of that name, or raise Unfit."""
    match name:
        case "Int":
            return _whole(value)
        case "Float":
            return _number(value)
        case "ID":
            return str(_whole_or_text(value))
        case "String" | "Boolean":
            if type(value) is not ACCEPTED[name]:
                raise Unfit
            return value
        case _:
            return _opaque(value)


def _opaque(value: Any) -> Any:
    """Give a custom scalar's value, unless it nests deeper than an answer can be written."""
    if type(value) is str:
        return value
    level, beyond = [value], False
    for _ in range(DEEPEST + 1):
        if TOO_DEEP in level:
            raise Unfit
        beyond = beyond or any(map(is_beyond, level))
        level = [one for each in level if isinstance(each, dict | list) for one in _inside(each)]
        if not level:
            return written(value) if beyond else value
    raise Unfit


def _inside(value: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def _whole(value: Any) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if type(value) is not int or not SMALLEST_INT <= value <= LARGEST_INT:
        raise Unfit
    return value


def _number(value: Any) -> float | int:
    if type(value) is int and not is_beyond(value):
        return value
    if type(value) is not int and not isinstance(value, float):
        raise Unfit
    try:
        number = float(value)
    except OverflowError:
        raise Unfit from None
    if not math.isfinite(number):
        raise Unfit
    return number


def _whole_or_text(value: Any) -> int | str:
    if type(value) is not int and type(value) is not str:
        raise Unfit
    return value


def fits(kind: str, name: str, value: Any) -> bool:
    """Tell whether a value is one of a leaf type that subgraphs pass to one another: of an enum, any of its names."""
    if kind == "enum":
        return isinstance(value, str)
    try:
        accept_scalar(name, value)
    except Unfit:
        return False
    return True
