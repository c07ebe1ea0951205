"""What was fetched is more than was asked, under other keys and in another order; walking it field by field is slow.

For each operation one Python function is generated that makes the answer of it: a dict display per object, a comprehension
per list, every value looked at for its type on the way. It knows no paths and no errors: where anything does not fit (a
null where none may be, a value of another type) it raises `Irregular`, and completing.py walks the same data again.

Names in the generated text are numbers, and what comes from a schema or a client stands in it as `repr` of a string.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from graphql import (
    GraphQLEnumType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLSchema,
    is_leaf_type,
)

from gateway.federation.execution.leaves import ACCEPTED, Unfit, accept
from gateway.federation.planning.items import Item, Items
from gateway.federation.planning.names import Names
from gateway.federation.planning.plan import QueryPlan
from gateway.federation.query_graph import QueryGraph
from gateway.federation.selections import Sets

Project: TypeAlias = Callable[[Any], dict[str, Any]]


class Irregular(Exception):
    """Something in the data does not fit the schema."""


def projection(graph: QueryGraph, schema: GraphQLSchema, plan: QueryPlan) -> Project:
    """Generate the projection of a plan."""
    writing = _Writing(graph, schema, plan.items)
    root = writing.object(graph.supergraph.roots[plan.operation.kind], (plan.operation.root,), plan.names)
    exec(compile("\n".join(writing.lines), "<projection>", "exec"), writing.globals)  # noqa: S102 - see the docstring
    made: Project = writing.globals[root]
    return made


class _Writing:
    """The text of one projection."""

    def __init__(self, graph: QueryGraph, schema: GraphQLSchema, items: Items) -> None:
        self._graph = graph
        self._schema = schema
        self._items = items
        self._known: dict[tuple[str, Sets, Names], str] = {}
        self.lines: list[str] = []
        self.globals: dict[str, Any] = {"refuse": _refuse}
        self._number = 0

    def _fresh(self, letter: str) -> str:
        self._number += 1
        return f"{letter}{self._number}"

    def object(self, type_: str, sets: Sets, names: Names) -> str:
        """Write the function of an object of a type; give its name."""
        key = (type_, sets, names)
        if key in self._known:
            return self._known[key]
        function = self._known[key] = self._fresh("f")
        fields = [self._field(each, type_, names) for each in self._items.of(sets, type_).items]
        self.lines += [
            f"def {function}(d):",
            "    if type(d) is not dict: refuse()",
            "    g = d.get",
            f"    return {{{', '.join(fields)}}}",
        ]
        return function

    def _field(self, item: Item, owner: str, names: Names) -> str:
        if item.name == "__typename":
            return f"{item.key!r}: {owner!r}"
        written = names.read(item, owner)
        type_ = self._schema.type_map[owner].fields[item.name].type  # type: ignore[attr-defined]  # it has fields
        if written is None:
            return f"{item.key!r}: {'refuse()' if isinstance(type_, GraphQLNonNull) else 'None'}"
        return f"{item.key!r}: {self._value(type_, f'g({written.key!r})', item, written.inner)}"

    def _value(self, type_: GraphQLOutputType, source: str, item: Item, names: Names) -> str:
        """Write the expression of a value that another expression gives."""
        name = self._fresh("v")
        if isinstance(type_, GraphQLNonNull):
            return self._present(type_.of_type, source, name, item, names)
        return f"(None if ({name} := {source}) is None else {self._present(type_, name, name, item, names)})"

    def _present(self, type_: Any, source: str, name: str, item: Item, names: Names) -> str:
        bound = source if source == name else f"({name} := {source})"
        if isinstance(type_, GraphQLList):
            each = self._fresh("e")
            inner = self._value(type_.of_type, each, item, names)
            return f"([{inner} for {each} in {name}] if type({bound}) is list else refuse())"
        if is_leaf_type(type_):
            return self._leaf(type_, bound, name)
        if self._graph.is_abstract(type_.name):
            return f"{self._abstract(type_.name, item.sets, names)}({source})"
        return f"{self.object(type_.name, item.sets, names)}({source})"

    def _leaf(self, type_: GraphQLScalarType | GraphQLEnumType, bound: str, name: str) -> str:
        other = f"a_{type_.name}"
        self.globals[other] = _accepting(type_)
        if isinstance(type_, GraphQLScalarType) and type_.name in ACCEPTED:
            # Integers of up to 30 bits are what Python compares quickest; about others the function decides.
            small = f" and -1073741823 <= {name} <= 1073741823" if type_.name == "Int" else ""
            return f"({name} if type({bound}) is {ACCEPTED[type_.name].__name__}{small} else {other}({name}))"
        return f"{other}({bound})"

    def _abstract(self, type_: str, sets: Sets, names: Names) -> str:
        """Write the function of an object that says which type it is."""
        key = (f"{type_}*", sets, names)
        if key in self._known:
            return self._known[key]
        function, table = self._fresh("f"), self._fresh("t")
        self._known[key] = function
        possible = [each for each in self._graph.runtime(type_) if each in self._schema.type_map]
        rows = [f"{each!r}: {self.object(each, sets, names)}" for each in possible]
        if is_type_irrelevant(self._graph, self._items, type_, sets, names):
            rows += [f"{each!r}: {self.object(type_, sets, names)}" for each in (type_, None)]
        self.lines += [
            f"{table} = {{{', '.join(rows)}}}",
            f"def {function}(d):",
            "    if type(d) is not dict: refuse()",
            "    t = d.get('__typename')",
            "    if type(t) is not str and t is not None: refuse()",
            f"    return {table}.get(t, refuse)(d)",
        ]
        return function


def is_type_irrelevant(graph: QueryGraph, items: Items, type_: str, sets: Sets, names: Names) -> bool:
    """Tell whether an object of an abstract type is answered alike, of whatever type it is.

    Then it need not say which: an interface object does not know, and there may be no owner who does.
    """
    if graph.type(type_).kind != "interface":
        return False
    split = items.of(sets, type_)
    return not split.fragments and all(
        each.name != "__typename" and names.read(each, type_) is not None for each in split.items
    )


def _refuse(_: object = None) -> Any:
    raise Irregular


def _accepting(type_: GraphQLScalarType | GraphQLEnumType) -> Callable[[Any], Any]:
    def accepting(value: Any) -> Any:
        if value is None:
            raise Irregular
        try:
            return accept(type_, value)
        except Unfit:
            raise Irregular from None

    return accepting
