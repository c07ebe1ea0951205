"""A subgraph may answer anything where a number was promised, and a client must get a number or a null.

`ACCEPTED` says which Python type a value of a built-in scalar has as JSON gives it; that is all a value that fits is asked.
Others are looked at by `accept`: a whole number may come as 3.0, an id as a number. What does not fit raises `Unfit`.
Custom scalars may be anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from graphql import GraphQLEnumType, GraphQLScalarType

ACCEPTED: Final = {"String": str, "ID": str, "Boolean": bool, "Int": int, "Float": float}
DEEPEST: Final = 100
LARGEST_INT: Final = 2**31 - 1


class Unfit(Exception):
    """A value that is none of its type."""


def accept(type_: GraphQLScalarType | GraphQLEnumType, value: Any) -> Any:
    """Give a value as one of its type, or raise Unfit."""
    if isinstance(type_, GraphQLEnumType):
        if not isinstance(value, str) or value not in type_.values:
            raise Unfit
        return value
    match type_.name:
        case "Int":
            return _whole(value)
        case "Float":
            return _number(value)
        case "ID":
            return str(_whole_or_text(value))
        case "String" | "Boolean":
            if type(value) is not ACCEPTED[type_.name]:
                raise Unfit
            return value
        case _:
            return _shallow(value)


def _shallow(value: Any) -> Any:
    """Give a custom scalar's value, unless it nests deeper than an answer can be written."""
    level = [value]
    for _ in range(DEEPEST):
        level = [one for each in level if isinstance(each, dict | list) for one in _inside(each)]
        if not level:
            return value
    raise Unfit


def _inside(value: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def _whole(value: Any) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if type(value) is not int or abs(value) > LARGEST_INT + 1:
        raise Unfit
    return value


def _number(value: Any) -> float | int:
    if type(value) is not int and type(value) is not float:
        raise Unfit
    return value


def _whole_or_text(value: Any) -> int | str:
    if type(value) is not int and type(value) is not str:
        raise Unfit
    return value
