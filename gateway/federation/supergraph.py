"""A supergraph file says of every field which subgraphs have it; planning needs that as tables.

The tables of a supergraph: its subgraphs, its types as each subgraph has them, and the part that clients see. They are
made by supergraph_sdl.py, which refuses what is broken, so nothing that uses them looks again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NewType

from gateway.federation.public import PublicPart
from gateway.federation.selections import SelectionSet

Graph = NewType("Graph", str)
"""A subgraph, by its value of the enum join__Graph."""

LEAVES: Final = frozenset({"scalar", "enum"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong with a supergraph."""

    line: int
    text: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.text}"


class SupergraphBroken(Exception):
    """A text that is no supergraph; `faults` has all that is wrong with it."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A subgraph, and where it is."""

    name: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldInGraph:
    """A field as one subgraph has it."""

    type: str
    """the named type there; another one than in the supergraph where the subgraph knows less of it."""
    shape: str
    """the whole type there, with lists and exclamation marks."""
    external: bool
    """it is declared there and resolved elsewhere."""
    requires: SelectionSet | None
    provides: SelectionSet | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SuperField:
    """A field, and the subgraphs that declare it."""

    type: str
    shape: str
    graphs: Mapping[Graph, FieldInGraph]


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeInGraph:
    """A type as one subgraph has it."""

    keys: tuple[SelectionSet, ...]
    """those by which the subgraph can be asked for an object."""
    interface_object: bool
    implements: frozenset[str]
    members: tuple[str, ...]
    """of a union."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SuperType:
    """A type, and the subgraphs that declare it."""

    name: str
    kind: str
    """object, interface, union, enum, scalar, input."""
    implements: tuple[str, ...]
    fields: Mapping[str, SuperField]
    graphs: Mapping[Graph, TypeInGraph]


@dataclass(frozen=True, slots=True, kw_only=True)
class Supergraph:
    """A supergraph, read."""

    endpoints: Mapping[Graph, Endpoint]
    types: Mapping[str, SuperType]
    roots: Mapping[str, str]
    """`query` and `mutation` to the names of their types."""
    public: PublicPart
