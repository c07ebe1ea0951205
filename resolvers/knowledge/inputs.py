"""Filters and orders, derived from the model: one of each per label, so that no property is forgotten.

A filter has `and`, `or`, `not` and, per property, an object of operators; an order is a property and a direction. What
only operators may see, only operators may filter or sort by: the input field or enum value carries @operatorOnly.
JSON and the normalised words of search are in neither; optional properties have no place in an order, because the two
databases put absent values at different ends.
"""

from __future__ import annotations

import datetime as dt
import enum
from functools import cache
from typing import Any, NewType, assert_never

import strawberry

from graph.compiler.pages import order_name
from graph.model.model import LABELS, Kind, Property
from resolvers.directives import OperatorOnly
from resolvers.knowledge.words import BY_WORDS, OrderDirection

BigInt = NewType("BigInt", str)
BIG_INT = strawberry.scalar(name="BigInt", description="A whole number of up to 64 bits, as a string of digits.")

_UNFILTERED = frozenset({"words"})


@cache
def filter_of(label: str) -> Any:
    """Give the filter type of a label: `ServiceFilter`."""
    made: Any = type(f"{label}Filter", (), {"__doc__": f"Which {label} nodes."})
    fields: dict[str, tuple[str, Any, bool]] = {
        "and_": ("and", list[made], False),
        "or_": ("or", list[made], False),
        "not_": ("not", made, False),
    }
    for each in LABELS[label].properties:
        if each.name not in _UNFILTERED and each.kind is not Kind.JSON and not each.internal:
            fields[f"{each.name}_"] = (each.name, _operators(each), each.operator_only)
    return _input(made, fields)


@cache
def order_of(label: str) -> Any:
    """Give the order type of a label: `ServiceOrder`."""
    values = {
        order_name(each.name): _order_value(each)
        for each in LABELS[label].properties
        if each.required
        and not each.words
        and each.kind is not Kind.JSON
        and each.name not in _UNFILTERED
        and not each.internal
    }
    functional: Any = enum.Enum  # its members come from the model, which a type checker cannot follow
    vocabulary = functional(f"{label}OrderField", values)
    by = strawberry.enum(vocabulary, description=f"What {label} nodes are sorted by.")
    made = type(f"{label}Order", (), {"__doc__": f"One key of the order of {label} nodes."})
    made.__annotations__ = {"field": by, "direction": OrderDirection}
    made.direction = strawberry.field(default=OrderDirection.ASC)  # type: ignore[attr-defined]  # an attribute of the class in the making
    return strawberry.input(made)


def _order_value(known: Property) -> Any:
    return strawberry.enum_value(known.name, directives=_directives(operator_only=known.operator_only))


def _directives(*, operator_only: bool) -> list[object]:
    return [OperatorOnly()] if operator_only else []


def _operators(known: Property) -> Any:
    if known.words:
        return _word_filter(known.words)
    if known.name == "id":
        return id_operators()
    match known.kind:
        case Kind.STRING | Kind.JSON:
            return _typed("String", str, ("eq", "in", "contains"))
        case Kind.INTEGER:
            return _typed("Int", int, ("eq", "in", "range"))
        case Kind.LARGE:
            return _typed("BigInt", BigInt, ("eq", "in", "range"))
        case Kind.FLOAT:
            return _typed("Float", float, ("range",))
        case Kind.BOOLEAN:
            return _typed("Boolean", bool, ("eq",))
        case Kind.TIME:
            return _typed("DateTime", dt.datetime, ("eq", "range"))
        case never:
            assert_never(never)


def id_operators() -> Any:
    """Give the operators of an id: `IDFilter`."""
    return _typed("ID", strawberry.ID, ("eq", "in"))


def word_operators(vocabulary: type[enum.Enum]) -> Any:
    """Give the operators of an enum."""
    return _typed(vocabulary.__name__, vocabulary, ("eq", "in"))


@cache
def _word_filter(words: tuple[str, ...]) -> Any:
    return word_operators(BY_WORDS[words])


@cache
def _typed(name: str, of: Any, operators: tuple[str, ...]) -> Any:
    about = "All that are given must hold; `eq: null` asks for absence."
    if "contains" in operators:
        about += " `contains` takes no notice of case, or of the form that Unicode has of a character."
    made = type(f"{name}Filter", (), {"__doc__": about})
    types = {"eq": of, "contains": of, "in": list[of]}
    if "range" in operators:
        types["range"] = _range(name, of)
    return _input(made, {f"{each}_": (each, types[each], False) for each in operators})


@cache
def _range(name: str, of: Any) -> Any:
    made = type(f"{name}Range", (), {"__doc__": "All bounds that are given must hold."})
    return _input(made, {each: (each, of, False) for each in ("gt", "gte", "lt", "lte")})


def _input(made: Any, fields: dict[str, tuple[str, Any, bool]]) -> Any:
    """Make an input type whose fields may all be left out; a default of None would look like a null that was given."""
    made.__annotations__ = {attribute: type_ | None for attribute, (_, type_, _) in fields.items()}
    for attribute, (name, _, operator_only) in fields.items():
        directives = _directives(operator_only=operator_only)
        setattr(made, attribute, strawberry.field(name=name, default=strawberry.UNSET, directives=directives))
    return strawberry.input(made, description=made.__doc__)
