"""Several fetches write into one object, and what they write under one key must be one field.

Clients choose keys freely; keys and requirements are read under field names; and two types may want one key for different
fields, or for fields whose types differ in the very subgraph that is asked for both, which that subgraph would refuse.
`Names` says under which key of the merged object a field of a value lies: its own key where nothing contradicts, else
one made for it. The plan asks for fields under these keys, representations and the projection read them there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from gateway.federation.planning.items import Item
from gateway.federation.query_graph import QueryGraph
from gateway.federation.supergraph import Graph

EVERY_TYPE: Final = ""
"""The owner of what is fetched for all types of an interface alike."""


class Written(NamedTuple):
    """Under which key a field lies, and the names of its value's parts."""

    key: str
    inner: Names


class _Meaning(NamedTuple):
    name: str
    arguments: str
    directives: tuple[str, ...]
    """which may change what it holds: no key or requirement is read from a field that has one."""
    shapes: Mapping[Graph, str]
    """its whole type, by subgraph."""

    def agrees(self, other: _Meaning) -> bool:
        if (self.name, self.arguments, self.directives) != (other.name, other.arguments, other.directives):
            return False
        return all(other.shapes.get(graph, shape) == shape for graph, shape in self.shapes.items())


class Names:
    """The keys of one value's merged object."""

    def __init__(self, graph: QueryGraph) -> None:
        self._graph = graph
        self._written: dict[tuple[str, str, str, str, tuple[str, ...]], Written] = {}
        self._meanings: dict[str, list[_Meaning]] = {"__typename": []}
        self._inner: dict[str, Names] = {}

    def write(self, type_: str, item: Item, owner: str) -> Written:
        """Give the key that a field is fetched under, for one type (`owner` is its name) or for every."""
        place = (owner, item.key, item.name, item.arguments, item.directives)
        found = self._written.get(place)
        if found is None:
            found = self._written[place] = self._free(item, self._meaning(type_, item))
        return found

    def read(self, item: Item, owner: str) -> Written | None:
        """Give the key that a field of a type lies under; None where it was never fetched."""
        place = (item.key, item.name, item.arguments, item.directives)
        return self._written.get((owner, *place)) or self._written.get((EVERY_TYPE, *place))

    def _free(self, item: Item, meaning: _Meaning) -> Written:
        key, number = item.key, 0
        while not self._fits(key, meaning):
            number += 1
            key = f"_{item.key}_{number}"
        self._meanings.setdefault(key, []).append(meaning)
        if item.sets and key not in self._inner:
            self._inner[key] = Names(self._graph)
        return Written(key, self._inner.get(key, self))  # a leaf has no parts to be named

    def _fits(self, key: str, meaning: _Meaning) -> bool:
        if key == "__typename":
            return False
        return all(meaning.agrees(each) for each in self._meanings.get(key, ()))

    def _meaning(self, type_: str, item: Item) -> _Meaning:
        return _Meaning(item.name, item.arguments, item.directives, self._graph.shapes(type_, item.name))
