"""What can be asked where: the supergraph as a graph of states that a plan walks.

A state is a type in a subgraph, and what is left there of an enclosing `@provides`. A step is a field that the subgraph
resolves at that state; it leads to the next state. A target is where an object can be asked for by a key. Nothing here
knows an operation, so everything that is found is kept. What is kept has no lock: a query graph is for one thread, except
for `type`, `runtime` and the other questions that are answered from the supergraph's own tables and remember nothing.

- A field that is external is no step, unless it is provided: neither for clients nor for a key or a requirement.
- A step at an interface or a union stands for all possible types at once (`_alike`): it is there if each of them
  resolves the field there, alike. Without that, an interface with 20 implementers costs 20 times the fields at each level.
- An interface object is a state of an interface that behaves like an object: what it is in truth, it does not know.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from graphql import specified_scalar_types

from gateway.federation.selections import Field, Fragment, Selection, SelectionSet
from gateway.federation.supergraph import LEAVES, FieldInGraph, Graph, Supergraph, SuperType

T = TypeVar("T")


class State(NamedTuple):
    """Where an object is known. A tuple: it is hashed thousands of times per plan, and tuples do that in C."""

    type: str
    graph: Graph
    view: SelectionSet | None = None
    """what is left of an enclosing @provides."""

    def __str__(self) -> str:
        return f"{self.type}@{self.graph}{'+' if self.view else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A field at a state."""

    to: State | None
    """None for a leaf."""
    requires: SelectionSet | None
    shape: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A state that an object can be asked for at, by any of the keys."""

    state: State
    keys: tuple[SelectionSet, ...]


class QueryGraph:
    """The states of a supergraph and the steps between them."""

    def __init__(self, supergraph: Supergraph) -> None:
        self.supergraph = supergraph
        self._types = supergraph.types
        self._implementers: dict[str, list[str]] = {}
        for each in self._types.values():
            if each.kind == "object":
                for interface in each.implements:
                    self._implementers.setdefault(interface, []).append(each.name)
        self._steps: dict[tuple[State, str], Step | None] = {}
        self._narrowed: dict[tuple[State, str], State] = {}
        self._possible: dict[tuple[str, Graph], tuple[str, ...]] = {}
        self._shapes: dict[tuple[str, str], dict[Graph, str]] = {}
        self._targets: dict[str, tuple[Target, ...]] = {}
        self._merged: dict[tuple[SelectionSet, SelectionSet], SelectionSet] = {}
        self.reached: dict[Any, Any] = {}
        """what planning has found out about positions, and need not find out again."""
        self.with_partial_unions = self._partial_unions()
        self.custom_scalars = frozenset(self._custom_scalars())
        """The names of fields that have a custom scalar in one of the types."""

    def _custom_scalars(self) -> Iterator[str]:
        for owner in self._types.values():
            for name, field in owner.fields.items():
                of = self._types.get(field.type)
                if field.type not in specified_scalar_types and (of is None or of.kind == "scalar"):
                    yield name

    def type(self, name: str) -> SuperType:
        """Give a type."""
        return self._types[name]

    def is_abstract(self, name: str) -> bool:
        """Tell whether objects are of one of several types."""
        return self._types[name].kind in {"interface", "union"}

    def is_leaf(self, name: str) -> bool:
        """Tell whether there is nothing to select below."""
        return self._types[name].kind in LEAVES

    def is_interface_object(self, state: State) -> bool:
        """Tell whether the subgraph knows only the interface and none of its types."""
        there = self._types[state.type].graphs.get(state.graph)
        return there is not None and there.interface_object

    def is_splitting(self, state: State) -> bool:
        """Tell whether an object there says which type it is; an interface object does not know."""
        return not self.is_interface_object(state)

    def runtime(self, name: str) -> tuple[str, ...]:
        """Give the types that an object of a type can be of, anywhere."""
        of = self._types[name]
        match of.kind:
            case "interface":
                return tuple(self._implementers.get(name, ()))
            case "union":
                return tuple(dict.fromkeys(each for there in of.graphs.values() for each in there.members))
            case _:
                return (name,)

    def possible(self, name: str, graph: Graph) -> tuple[str, ...]:
        """Give the types that an object of a type can be of in a subgraph."""
        found = self._possible.get((name, graph))
        if found is None:
            found = self._possible[name, graph] = tuple(self._find_possible(name, graph))
        return found

    def _find_possible(self, name: str, graph: Graph) -> Iterator[str]:
        of = self._types[name]
        if of.kind == "object":
            yield name
        elif of.kind == "union":
            yield from of.graphs[graph].members if graph in of.graphs else ()
        else:
            for each in self._implementers.get(name, ()):
                there = self._types[each].graphs.get(graph)
                if there is not None and name in there.implements:
                    yield each

    def step(self, state: State, name: str) -> Step | None:
        """Give the field's step at a state; None where the subgraph does not resolve it."""
        key = (state, name)
        if key not in self._steps:
            several = self.is_abstract(state.type) and self.is_splitting(state)
            self._steps[key] = self._alike(state, name) if several else self._step(state, name)
        return self._steps[key]

    def _step(self, state: State, name: str) -> Step | None:
        field = self._types[state.type].fields.get(name)
        here = field.graphs.get(state.graph) if field else None
        if here is None:
            return None
        provided = [each for each in _fields(state.view) if each.name == name]
        if here.external and not provided:
            return None
        return self._made(here, state.graph, provided)

    def _made(self, here: FieldInGraph, graph: Graph, provided: list[Field]) -> Step:
        view = here.provides
        for each in provided:
            view = self._both(view, each.inner)
        to = None if self.is_leaf(here.type) else State(here.type, graph, view)
        return Step(to=to, requires=None if provided else here.requires, shape=here.shape)

    def _alike(self, state: State, name: str) -> Step | None:
        """Give the step that stands for the same one at every possible type."""
        own = self._step(state, name)
        if own is None or own.requires is not None:
            return None
        for each in self.possible(state.type, state.graph):
            step = self.step(self.narrow(state, each), name)
            if step is None or step.requires is not None:
                return None
            if own.to is not None and (step.to is None or step.to.view is not own.to.view):
                return None
        return own

    def narrow(self, state: State, name: str) -> State:
        """Give the state of an object that has turned out to be of a type."""
        key = (state, name)
        found = self._narrowed.get(key)
        if found is None:
            found = self._narrowed[key] = State(name, state.graph, self._narrow_view(state.view, name))
        return found

    def _narrow_view(self, view: SelectionSet | None, name: str) -> SelectionSet | None:
        if view is None or not any(isinstance(each, Fragment) for each in view.selections):
            return view
        kept: list[Selection] = []
        for each in view.selections:
            if isinstance(each, Field):
                kept.append(each)
            elif name in self.runtime(each.on):
                inner = self._narrow_view(each.inner, name)
                kept.extend(inner.selections if inner else ())
        return SelectionSet(tuple(kept))

    def _both(self, one: SelectionSet | None, other: SelectionSet | None) -> SelectionSet | None:
        if one is None or other is None:
            return one or other
        if (one, other) not in self._merged:
            self._merged[one, other] = SelectionSet((*one.selections, *other.selections))
        return self._merged[one, other]

    def shapes(self, type_: str, name: str) -> Mapping[Graph, str]:
        """Give the whole type of a field, by subgraph."""
        found = self._shapes.get((type_, name))
        if found is None:
            field = self._types[type_].fields.get(name)
            found = {graph: here.shape for graph, here in field.graphs.items()} if field else {}
            self._shapes[type_, name] = found
        return found

    def supertypes(self, name: str) -> tuple[str, ...]:
        """Give the interfaces that every object of a type implements, the type's own name first."""
        return (name, *self._types[name].implements)

    def targets(self, name: str) -> tuple[Target, ...]:
        """Give where an object of a type can be asked for by a key."""
        found = self._targets.get(name)
        if found is None:
            found = self._targets[name] = tuple(self._find_targets(name))
        return found

    def _find_targets(self, name: str) -> Iterator[Target]:
        for each in self.supertypes(name):
            for graph, there in self._types[each].graphs.items():
                if there.keys and (each == name or there.interface_object):
                    yield Target(state=State(each, graph), keys=there.keys)

    def _partial_unions(self) -> frozenset[str]:
        """Name the types below which there is a union that has other members in another subgraph."""
        found = {
            each.name
            for each in self._types.values()
            if each.kind == "union" and len({frozenset(there.members) for there in each.graphs.values()}) > 1
        }
        # A field that is a union in one subgraph may be one of its members in another.
        for each in self._types.values():
            for field in each.fields.values():
                if self._types[field.type].kind == "union" and {t.type for t in field.graphs.values()} - {field.type}:
                    found.add(field.type)
        growing = True
        while growing:
            more = {each.name for each in self._types.values() if each.name not in found and self._leads(each, found)}
            growing = bool(more)
            found |= more
        return frozenset(found)

    def _leads(self, of: SuperType, found: set[str]) -> bool:
        return any(each.type in found for each in of.fields.values()) or any(
            each in found for each in self.runtime(of.name) if each != of.name
        )


def _fields(view: SelectionSet | None) -> Iterator[Field]:
    for each in view.selections if view else ():
        if isinstance(each, Field):
            yield each
