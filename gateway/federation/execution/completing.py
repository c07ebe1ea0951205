"""Where data does not fit the schema, a client must get nulls and errors at the places that the specification says.

The slow twin of projection.py: the same data, walked with paths. A null where none may be takes its parent away, up to the
next that may be null, and leaves one error at its place, unless a subgraph's error has told of that place already.
"""

from __future__ import annotations

from typing import Any

from graphql import GraphQLList, GraphQLNonNull, GraphQLSchema, is_leaf_type

from gateway.federation.execution.entities import Object, Place
from gateway.federation.execution.faults import Fault, fields_of
from gateway.federation.execution.leaves import Unfit, accept
from gateway.federation.execution.projection import is_type_irrelevant
from gateway.federation.planning.items import Item, Items
from gateway.federation.planning.names import Names
from gateway.federation.planning.plan import QueryPlan
from gateway.federation.query_graph import QueryGraph
from gateway.federation.selections import Sets


class _Null(Exception):
    pass


def complete(
    graph: QueryGraph, schema: GraphQLSchema, plan: QueryPlan, data: Object, told: list[Fault]
) -> tuple[Object | None, list[Fault]]:
    """Give the answer's data, and what else is to be told of it."""
    walking = _Walking(graph, schema, plan.items, told)
    try:
        root = graph.supergraph.roots[plan.operation.kind]
        return walking.object(root, (plan.operation.root,), plan.names, data, ()), walking.found
    except _Null:
        return None, walking.found


class _Walking:
    """One walk over what was fetched."""

    def __init__(self, graph: QueryGraph, schema: GraphQLSchema, items: Items, told: list[Fault]) -> None:
        self._graph = graph
        self._schema = schema
        self._items = items
        self._told: set[Place] = set()
        """the places of errors, and all above them."""
        self._at: set[Place] = set()
        """the places themselves,"""
        self._counted: set[Place] = set()
        """and without indexes those of errors that have more places than are known one by one."""
        for each in told:
            for place in (each.place, *each.others):
                self._note(place)
            if each.count > 1 + len(each.others):
                self._counted.add(fields_of(each.place))
        self.found: list[Fault] = []

    def object(self, type_: str, sets: Sets, names: Names, data: Object, place: Place) -> Object:
        """Complete an object."""
        made: Object = {}
        for item in self._items.of(sets, type_).items:
            if item.name == "__typename":
                made[item.key] = type_
                continue
            written = names.read(item, type_)
            value = data.get(written.key) if written else None
            inner = written.inner if written else names
            field = self._schema.type_map[type_].fields[item.name]  # type: ignore[attr-defined]  # it has fields
            made[item.key] = self._value(field.type, item, inner, value, (*place, item.key))
        return made

    def _value(self, type_: Any, item: Item, names: Names, value: Any, place: Place) -> Any:
        if isinstance(type_, GraphQLNonNull):
            found = self._value(type_.of_type, item, names, value, place)
            if found is None:
                self._tell(place, "There is no value where one must be.")
                raise _Null
            return found
        if value is None:
            return None
        try:
            return self._present(type_, item, names, value, place)
        except _Null:
            return None

    def _present(self, type_: Any, item: Item, names: Names, value: Any, place: Place) -> Any:
        if isinstance(type_, GraphQLList):
            if not isinstance(value, list):
                return self._tell(place, "A subgraph gave what is no list.")
            return [self._value(type_.of_type, item, names, each, (*place, n)) for n, each in enumerate(value)]
        if is_leaf_type(type_):
            try:
                return accept(type_, value)
            except Unfit:
                return self._tell(place, f"A subgraph gave what is no value of {type_.name}.")
        if not isinstance(value, dict):
            return self._tell(place, f"A subgraph gave what is no {type_.name}.")
        return self._composite(type_.name, item.sets, names, value, place)

    def _composite(self, type_: str, sets: Sets, names: Names, value: Object, place: Place) -> Object | None:
        if not self._graph.is_abstract(type_):
            return self.object(type_, sets, names, value, place)
        name = value.get("__typename")
        if isinstance(name, str) and name in self._graph.runtime(type_) and name in self._schema.type_map:
            return self.object(name, sets, names, value, place)
        if name in (None, type_):
            return self._of_unknown_type(type_, sets, names, value, place)
        self._tell(place, f"A subgraph gave what is no {type_}.")
        return None

    def _of_unknown_type(self, type_: str, sets: Sets, names: Names, value: Object, place: Place) -> Object | None:
        if is_type_irrelevant(self._graph, self._items, type_, sets, names):
            return self.object(type_, sets, names, value, place)
        asked = [each.key for each in self._items.of(sets, type_).items if each.name == "__typename"]
        self._tell((*place, *asked[:1]), f"No subgraph told which {type_} this is.")
        return None

    def _note(self, place: Place) -> None:
        self._at.add(place)
        self._told.update(place[:length] for length in range(len(place) + 1))

    def _tell(self, place: Place, message: str) -> None:
        """Tell of a place, unless an error at it, above it or below it has been told."""
        above = (place[:length] for length in range(len(place) + 1))
        if place in self._told or any(each in self._at for each in above) or self._is_counted(fields_of(place)):
            return
        self._note(place)
        self.found.append(Fault(place=place, message=message, code="SUBGRAPH_FAILED", subgraph=""))

    def _is_counted(self, fields: Place) -> bool:
        return any(fields[: len(each)] == each[: len(fields)] for each in self._counted)
