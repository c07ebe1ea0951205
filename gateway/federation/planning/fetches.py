"""Solutions say where each field is taken from; subgraphs must be asked operations, one after what it needs.

In: the solutions of an operation (paths.py). Out: `Fetch`es: each a selection in one subgraph, at the root or by the
representations of entities at a path, with the fetches that it comes after. One pass from the root: a `Value` knows, for
each entry that has been opened for it, the fetch and the place in its selection; opening an entry writes the key and the
requirements where they are to be had, and then makes the fetch that sends them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from gateway.federation.planning.costs import FREE
from gateway.federation.planning.errors import PlanTooLarge, Unreachable
from gateway.federation.planning.items import Item, as_set
from gateway.federation.planning.names import EVERY_TYPE, Names
from gateway.federation.planning.normalize import Normalized
from gateway.federation.planning.paths import Paths
from gateway.federation.planning.positions import Entry, Pick, Position
from gateway.federation.query_graph import State
from gateway.federation.selections import Field, Fragment, SelectionSet, Sets
from gateway.federation.supergraph import Graph

Segment: TypeAlias = str | tuple[str, ...]
"""A key of an object, or the types that an object must be of; lists are walked through wherever they are."""
Path: TypeAlias = tuple[Segment, ...]


class Node:
    """A place in a fetch's selection."""

    __slots__ = ("fields", "fragments", "typename")

    def __init__(self) -> None:
        self.fields: dict[str, tuple[Item, Node | None]] = {}
        """by key: the field, and what is below it."""
        self.fragments: dict[str, Node] = {}
        self.typename = False

    def field(self, key: str, item: Item) -> Node:
        """Give the place below a field; of a leaf, this place."""
        known, inner = self.fields.setdefault(key, (item, Node() if item.sets else None))
        if item.directives != known.directives:
            directives = tuple(dict.fromkeys((*known.directives, *item.directives)))
            self.fields[key] = (replace(known, directives=directives), inner)
        return inner or self

    def fragment(self, type_: str) -> Node:
        """Give the place below a type condition."""
        return self.fragments.setdefault(type_, Node())

    def selection(self) -> SelectionSet:
        """Give what stands here as a selection set; it is never empty."""
        return SelectionSet(tuple(self._selections()) or (_TYPENAME,))

    def _selections(self) -> Iterator[Field | Fragment]:
        if self.typename:
            yield _TYPENAME
        for key, (item, inner) in self.fields.items():
            below = inner.selection() if inner else None
            for directives in item.directives or ("",):
                yield Field(key=key, name=item.name, arguments=item.arguments, directives=directives, inner=below)
                below = below and _ONLY_TYPENAME  # once is enough
        for type_, inner in self.fragments.items():
            if inner.fields or inner.fragments or inner.typename:
                yield Fragment(on=type_, inner=inner.selection())


_TYPENAME: Final = Field(key="__typename", name="__typename", arguments="", inner=None)
_ONLY_TYPENAME: Final = SelectionSet((_TYPENAME,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """What the representations of entities hold, beside their type's name."""

    typename: str
    owner: str
    """of the fields' names: the type of the value."""
    names: Names
    key: Sets
    required: Sets


@dataclass(slots=True, kw_only=True, eq=False)
class Fetch:
    """One question to one subgraph; it grows while the pass goes on."""

    number: int
    graph: Graph
    kind: str
    """query, mutation or subscription."""
    path: Path
    input: Input | None
    """None where a root type is asked."""
    node: Node = field(default_factory=Node)
    after: dict[Fetch, None] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Value:
    """A value of the answer, and where it is at hand."""

    position: Position
    names: Names
    path: Path
    held: dict[Entry, tuple[Fetch, Node]]
    typed_by: dict[Fetch, None] = field(default_factory=dict)
    """the fetches that tell the types in its path."""

    @property
    def owner(self) -> str:
        """Whose names its fields have."""
        return self.position.type


class Fetching:
    """The pass over one operation."""

    def __init__(self, paths: Paths, most_fields: int) -> None:
        self._paths = paths
        self._graph = paths.graph
        self._left = most_fields
        self.fetches: list[Fetch] = []
        self._kind = "query"

    def run(self, operation: Normalized) -> Names:
        """Make the fetches of an operation; give the names of what they write."""
        names = Names(self._graph)
        root = self._graph.supergraph.roots[operation.kind]
        self._kind = operation.kind
        if operation.kind == "query":
            self._want(self._root(root, names), (operation.root,))
            return names
        for item in self._paths.items.of((operation.root,), root).items:
            before = list(self.fetches)  # mutations run in their order, each with all that belongs to it
            self._want(self._root(root, names), (as_set((item,), ()),))
            for fetch in self.fetches[len(before) :]:
                fetch.after.update(dict.fromkeys(before))
        return names

    def _root(self, type_: str, names: Names) -> Value:
        return Value(position=Position(type_, ()), names=names, path=(), held={})

    def _want(self, value: Value, sets: Sets) -> dict[Fetch, None]:
        """Fetch what is wanted of a value; give the fetches that bring it."""
        solution = self._paths.solve(value.position, sets)
        if solution.cost[0]:
            place = self._paths.unreachable(value.position, sets)
            raise Unreachable(f"There is no way to {place} from where it is asked.")
        if solution.opened is not None:
            fetch, node = self._hold(value, solution.opened)
            node.typename = True
            opened = value.position._replace(states=(*value.position.states, solution.opened.state))
            value.position = opened
            return {fetch: None, **self._want(value, sets)}
        used = dict(value.typed_by)
        for pick in solution.picks:
            used.update(self._take(value, pick))
        if solution.rest is not None:
            for each in solution.members:
                used.update(self._want(self._narrowed(value, each), (solution.rest,)))
        return used

    def _take(self, value: Value, pick: Pick) -> dict[Fetch, None]:
        item, type_ = pick.item, value.position.type
        owner = EVERY_TYPE if self._graph.is_abstract(type_) else type_
        written = value.names.write(type_, item, owner)
        used: dict[Fetch, None] = {}
        held: dict[Entry, tuple[Fetch, Node]] = {}
        for entry in pick.entries:
            fetch, node = self._hold(value, entry)
            self._count()
            inner = node.field(written.key, item)
            used[fetch] = None
            step = self._graph.step(entry.state, item.name)
            if step is not None and step.to is not None:
                held[Entry(step.to)] = (fetch, inner)
        if item.sets:
            position = self._paths.child(value.position, item, pick.entries)
            for entry, (_, inner) in held.items():
                inner.typename |= self._tells_type(position.type, entry.state)
            child = Value(
                position=position,
                names=written.inner,
                path=(*value.path, written.key),
                held=held,
                typed_by=value.typed_by,
            )
            used.update(self._want(child, item.sets))
        return used

    def _tells_type(self, type_: str, state: State) -> bool:
        return self._graph.is_abstract(type_) and not self._graph.is_interface_object(state)

    def _count(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise PlanTooLarge("The operation's plan is too large.")

    def _narrowed(self, value: Value, name: str) -> Value:
        position = self._paths.positions.narrowed(value.position, name)
        held = {}
        typed_by = dict(value.typed_by)
        for entry, (fetch, node) in value.held.items():
            if self._graph.is_interface_object(entry.state):
                held[entry] = (fetch, node)
            elif name in self._graph.possible(entry.state.type, entry.state.graph):
                state = self._graph.narrow(entry.state, name)
                inner = node if entry.state.type == name else node.fragment(name)
                held[Entry(state)] = (fetch, inner)
                typed_by[fetch] = None
        path = (*value.path, (name,))
        return Value(position=position, names=value.names, path=path, held=held, typed_by=typed_by)

    def _hold(self, value: Value, entry: Entry) -> tuple[Fetch, Node]:
        """Give the place of an entry, opening it if it is not."""
        if entry not in value.held:
            value.held[entry] = self._open(value, entry)
        return value.held[entry]

    def _open(self, value: Value, entry: Entry) -> tuple[Fetch, Node]:
        if entry.state.type in self._graph.supergraph.roots.values():
            fetch = self._made(value, entry, None)
            if value.path:  # a root type within an answer: it must be there before more is put into it
                fetch.after.update({**value.typed_by, self._bringing(value): None})
            return fetch, fetch.node
        if entry.requires is None:
            reached = self._paths.entries(value.position).get(entry)
            required: Sets = ()
        else:
            reached = self._paths.requiring(value.position, entry)
            required = (entry.requires,)
        if reached is None:
            raise Unreachable(f"There is no way to {entry}.")
        after = dict(value.typed_by)
        for need, source in reached.needs:
            after.update(self._need(value, need, source))
        if required:
            after.update(self._want(value, required))
        if not after:  # a key of __typename alone: there must be an object that is asked for
            after[self._bringing(value)] = None
        key = SelectionSet(tuple(need for need, _ in reached.needs))
        input_ = Input(typename=entry.state.type, owner=value.owner, names=value.names, key=(key,), required=required)
        fetch = self._made(value, entry, input_)
        fetch.after.update(after)
        return fetch, fetch.node.fragment(entry.state.type)

    def _bringing(self, value: Value) -> Fetch:
        """Give a fetch that brings a value of an answer."""
        return next(iter(value.held.values()))[0]

    def _need(self, value: Value, need: Field, source: Entry) -> dict[Fetch, None]:
        (item,) = self._paths.items.of((SelectionSet((need,)),), value.position.type).items
        pick = Pick(item=item, entries=(source,), cost=FREE, at_hand=False)
        return self._take(value, pick)

    def _made(self, value: Value, entry: Entry, input_: Input | None) -> Fetch:
        kind = self._kind if not value.path else "query"
        fetch = Fetch(number=len(self.fetches), graph=entry.state.graph, kind=kind, path=value.path, input=input_)
        self.fetches.append(fetch)
        return fetch
