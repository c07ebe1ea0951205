"""Filters and orders: the values of input objects become conditions whose operands are parameters.

A filter is the input type that `resolvers.knowledge` derives from the model: `and`, `or`, `not`, and per property an
object of operators. `contains` compares as a person does, without regard to case or to the form of Unicode. What is absent says nothing. `eq: null` asks for absence; in every other operator null says nothing.
Under `not`, a property that may be absent compares as false, so that logic stays two-valued on both databases.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, assert_never

from graph.compiler.bind import Given, Names, big_integer, epoch_milliseconds, finite, in_capitals
from graph.compiler.clauses import All, AnyOf, Binary, Call, Const, Expr, Get, IsNull, Not, Var
from graph.errors import Refused
from graph.model.mapping import enum_name
from graph.model.model import Kind, Label, Property

DEEPEST: Final = 24
_OPERATORS: Final = {"eq": "=", "in": "IN", "contains": "CONTAINS", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


@dataclass(frozen=True, slots=True, kw_only=True)
class Filtered:
    """What a filter is about: a node's variable, its label, and the slot that has the argument."""

    names: Names
    var: str
    label: Label
    slot: int

    def condition(self, filter_: Mapping[str, Any] | None, path: tuple[str | int, ...], *, negated: bool) -> Expr:
        """Give the condition of one filter object, found at `path` in the arguments of the slot."""
        if len(path) > DEEPEST:
            message = f"The filter is nested deeper than {DEEPEST} levels."
            raise Refused(message, code="LIMIT_EXCEEDED", hint="Write it flatter.")
        parts = [
            self._part(key, value, (*path, key), negated=negated) for key, value in sorted((filter_ or {}).items())
        ]
        return All(tuple(each for each in parts if each is not None))

    def _part(self, key: str, value: Any, path: tuple[str | int, ...], *, negated: bool) -> Expr | None:
        if value is None:
            return None
        match key:
            case "and":
                return _all(self.condition(v, (*path, i), negated=negated) for i, v in enumerate(value))
            case "or":
                return _any(self.condition(v, (*path, i), negated=negated) for i, v in enumerate(value))
            case "not":
                return Not(self.condition(value, path, negated=True))
            case _:
                property_ = self.label.property(key)
                parts = [
                    self._compare(property_, op, v, (*path, op), negated=negated) for op, v in sorted(value.items())
                ]
                return All(tuple(each for each in parts if each is not None))

    def _compare(
        self, known: Property, operator: str, value: Any, path: tuple[str | int, ...], *, negated: bool
    ) -> Expr | None:
        stored = Get(self.var, known.name)
        if operator == "range":
            parts = [
                self._compare(known, op, v, (*path, op), negated=negated) for op, v in sorted((value or {}).items())
            ]
            return All(tuple(each for each in parts if each is not None))
        if value is None:
            return IsNull(stored) if operator == "eq" else None
        many = operator == "in"
        convert = in_capitals if operator == "contains" else conversion(known)
        given = self.names.parameter(Given(slot=self.slot, path=path, convert=convert, many=many))
        compared = Binary(_OPERATORS[operator], _in_capitals(stored) if operator == "contains" else stored, given)
        return Call("coalesce", (compared, Const(value=False))) if negated and not known.required else compared


def _in_capitals(stored: Expr) -> Expr:
    """Let the database do to a stored text what `in_capitals` does to an argument."""
    return Call("toUpper", (Call("normalize", (stored, Var("NFKC"))),))


_TRUE: Final = All(())
"""What a filter means that says nothing."""


def _all(parts: Iterable[Expr]) -> Expr:
    """Join by AND what says something: hundreds of `true` in a row are more than a database parses."""
    return All(tuple(each for each in parts if each != _TRUE))


def _any(parts: Iterable[Expr]) -> Expr:
    """Join by OR; as soon as one says nothing, all of it does."""
    options = tuple(parts)
    return _TRUE if _TRUE in options else AnyOf(options)


def conversion(known: Property) -> Callable[[Any], Any] | None:
    """Give what turns an argument's value into the stored form of a property; None where they are the same."""
    if known.words:
        return {enum_name(word): word for word in known.words}.__getitem__
    match known.kind:
        case Kind.TIME:
            return epoch_milliseconds
        case Kind.LARGE:
            return big_integer
        case Kind.FLOAT:
            return finite
        case Kind.STRING | Kind.INTEGER | Kind.BOOLEAN | Kind.JSON:
            return None
        case never:
            assert_never(never)


@dataclass(frozen=True, slots=True, kw_only=True)
class SortKey:
    """One key of the order of a page."""

    expr: Expr
    descending: bool


def after(keys: tuple[SortKey, ...], place: tuple[Expr, ...]) -> Expr:
    """Give the condition that a row comes after a place, in the order of the keys.

    `(a, b) > (x, y)` is spelled `a > x OR (a = x AND b > y)`: both databases use an index for that.
    """
    options = []
    for index, key in enumerate(keys):
        equal = tuple(Binary("=", keys[i].expr, place[i]) for i in range(index))
        options.append(All((*equal, Binary("<" if key.descending else ">", key.expr, place[index]))))
    return AnyOf(tuple(options))
