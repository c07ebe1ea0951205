"""What is planned is not a type but a value: of some type, at hand in some subgraphs, one of several types in truth.

The values that planning talks about, and how one position follows from another. Two conventions of the federation gateway
audit stand here as functions of their own, because no logic leads to them: `in_all` here, and `covered_by_one_state` in
paths.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from gateway.federation.planning.costs import Cost
from gateway.federation.planning.items import Item
from gateway.federation.query_graph import QueryGraph, State, Step
from gateway.federation.selections import Field, SelectionSet


class Position(NamedTuple):
    """A value of which something is wanted."""

    type: str
    states: tuple[State, ...]
    """where it is at hand; nowhere yet for the root of an operation."""
    others: tuple[State, ...] = ()
    """where it could have come from just as well: they say which members of a union it can be."""


class Entry(NamedTuple):
    """A state that fields are fetched at; with `requires` in a fetch of its own that sends what is required."""

    state: State
    requires: SelectionSet | None = None

    def __str__(self) -> str:
        return f"{self.state}{' with requirements' if self.requires else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """How an entry is come by."""

    cost: Cost
    """with everything on the way,"""
    own: Cost
    """and the last fetch alone."""
    needs: tuple[tuple[Field, Entry], ...]
    """the fields of the key, and the entry that each is taken from; none where the state is at hand or a root's."""


Reach: TypeAlias = dict[Entry, Reached]


class Pick(NamedTuple):
    """A field, and the entries that it is fetched at: several where no single one has all that is asked below it."""

    item: Item
    entries: tuple[Entry, ...]
    cost: Cost
    """of the field and what is below it, not of opening the entries."""
    at_hand: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """How what is wanted of a value is had."""

    cost: Cost
    picks: tuple[Pick, ...]
    opened: Entry | None = None
    """what must be opened first, to learn which of its types an interface object is."""
    rest: SelectionSet | None = None
    """what is wanted of each type by itself,"""
    members: tuple[str, ...] = ()
    """and the types."""


class Positions:
    """How positions follow from one another."""

    def __init__(self, graph: QueryGraph) -> None:
        self._graph = graph

    def is_split(self, position: Position) -> bool:
        """Tell whether a value says which of its types it is."""
        return any(map(self._graph.is_splitting, position.states))

    def members(self, position: Position) -> tuple[str, ...]:
        """Give the types that a value can turn out to be of."""
        known = [each for each in position.states if not self._graph.is_interface_object(each)]
        found = tuple(dict.fromkeys(name for each in known for name in self._graph.possible(each.type, each.graph)))
        if self._graph.type(position.type).kind != "union":
            return found
        return self._in_all(found, (*known, *position.others))

    def _in_all(self, members: tuple[str, ...], states: tuple[State, ...]) -> tuple[str, ...]:
        """Keep the members of a union that each subgraph knows which could have been asked: a convention of the audit.

        A client cannot tell which of them was asked, so the others' fields are left out wherever the value comes from.
        """
        known = [frozenset(self._graph.possible(each.type, each.graph)) for each in states]
        return tuple(each for each in members if all(each in one for one in known))

    def narrowed(self, position: Position, name: str) -> Position:
        """Give the position of a value that has turned out to be of a type."""
        return Position(name, tuple(self._narrow(position.states, name)), tuple(self._narrow(position.others, name)))

    def _narrow(self, states: tuple[State, ...], name: str) -> Iterator[State]:
        for each in states:
            if self._graph.is_interface_object(each):
                yield each
            elif name in self._graph.possible(each.type, each.graph):
                yield self._graph.narrow(each, name)

    def child(self, type_: str, name: str, steps: tuple[Step, ...]) -> Position:
        """Give the position of a field's value that some steps lead to."""
        states = tuple(dict.fromkeys(each.to for each in steps if each.to))
        field = self._graph.type(type_).fields.get(name)
        return Position(field.type if field else states[0].type, states)

    def with_others(self, child: Position, name: str, possible: tuple[State, ...]) -> Position:
        """Add where a field's value could have come from as well."""
        more = (step.to for each in possible if (step := self._graph.step(each, name)) and step.to)
        return child._replace(others=tuple(dict.fromkeys(each for each in more if each not in child.states)))
