"""A subgraph is told which entities are meant by representations, and they are read from what other subgraphs answered.

A `Representation` says what is read where: its type's name, which is a constant (the subgraph that is asked knows the entity
by this one, be it an interface object), the key, and what else is required. The two are kept apart, since a null in a
key means that there is no such entity, and a null in a requirement is a value like any other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.federation.planning.fetches import Input
from gateway.federation.planning.items import Item, Items
from gateway.federation.planning.names import Names
from gateway.federation.query_graph import QueryGraph
from gateway.federation.selections import Sets


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A field of a representation."""

    name: str
    key: str
    """that it lies under in what was fetched."""
    inner: Parts | None

    def __str__(self) -> str:
        name = self.name if self.name == self.key else f"{self.name} from {self.key}"
        return f"{name} {{ {self.inner} }}" if self.inner else name


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The fields of a representation, or of an object in it."""

    fields: tuple[Part, ...]
    types: tuple[tuple[str, tuple[Part, ...]], ...] = ()
    """what objects of a type have, where they can be of several; those tell their types' names."""
    abstract: bool = False

    def __str__(self) -> str:
        named = [f"... on {name} {{ {' '.join(map(str, parts))} }}" for name, parts in self.types]
        return " ".join([*map(str, self.fields), *named])


@dataclass(frozen=True, slots=True, kw_only=True)
class Representation:
    """What stands for an entity."""

    typename: str
    key: Parts
    required: Parts

    def __str__(self) -> str:
        required = str(self.required)
        return f"{self.typename} {{ {self.key}{f' with {required}' if required else ''} }}"


def representation(graph: QueryGraph, items: Items, given: Input) -> Representation:
    """Find out where the fields of a representation are read."""
    reading = _Reading(graph, items)
    return Representation(
        typename=given.typename,
        key=Parts(fields=reading.fields(given.names, given.key, given.owner)),
        required=Parts(fields=reading.fields(given.names, given.required, given.owner)),
    )


class _Reading:
    def __init__(self, graph: QueryGraph, items: Items) -> None:
        self._graph = graph
        self._items = items

    def fields(self, names: Names, sets: Sets, owner: str) -> tuple[Part, ...]:
        """Give the fields of an object of a type."""
        return tuple(self._parts(names, self._items.of(sets, owner).items, owner))

    def _parts(self, names: Names, items: tuple[Item, ...], owner: str) -> Iterator[Part]:
        for each in items:
            written = names.read(each, owner)
            if written is not None:
                type_ = self._graph.type(owner).fields[each.name].type
                inner = self._value(written.inner, each.sets, type_) if each.sets else None
                yield Part(name=each.name, key=written.key, inner=inner)

    def _value(self, names: Names, sets: Sets, type_: str) -> Parts:
        if not self._graph.is_abstract(type_):
            return Parts(fields=self.fields(names, sets, type_))
        by_type = tuple((each, self.fields(names, sets, each)) for each in self._graph.runtime(type_))
        if len({parts for _, parts in by_type}) == 1:
            return Parts(fields=by_type[0][1], abstract=True)
        if not by_type:
            return Parts(fields=self.fields(names, sets, type_), abstract=True)
        return Parts(fields=(), types=by_type, abstract=True)
