"""Whether a plan is right, found out from its texts alone.

Nothing of the planner's own structures is believed: the requests are parsed again and walked over the supergraph's tables.

1. A field is asked only where its subgraph declares it, and where it is external only if something above provides it.
2. Representations hold a key that the subgraph resolves, and what its fields require.
3. What a request sends was asked by the requests that it comes after.
4. Whatever the operation asks of any type that a value can be of lies in what the requests fetch, under the key that the
   answer is read from, with the same arguments.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from graphql import FieldNode, InlineFragmentNode, OperationDefinitionNode, SelectionSetNode, parse
from graphql.language import print_ast

from gateway.federation.planning import QueryPlan
from gateway.federation.planning.fetches import Path
from gateway.federation.planning.names import Names
from gateway.federation.planning.plan import Request
from gateway.federation.planning.representations import Part
from gateway.federation.query_graph import QueryGraph
from gateway.federation.selections import Field, SelectionSet, Sets, print_arguments
from gateway.federation.supergraph import Graph, Supergraph


@dataclass
class Shape:
    """What is fetched of a value: by type (empty: whatever its type) and key."""

    fields: dict[tuple[str, str], tuple[set[str], Shape]] = field(default_factory=dict)

    def at(self, type_: str, key: str, *texts: str) -> Shape:
        known, below = self.fields.setdefault((type_, key), (set(), Shape()))
        known.update(texts)
        assert len({each.partition(" @")[0] for each in known}) == 1, f"{key} is each of {sorted(known)}"
        return below

    def find(self, types: tuple[str, ...], key: str) -> Iterator[tuple[set[str], Shape]]:
        for type_ in types:
            if (type_, key) in self.fields:
                yield self.fields[type_, key]


@dataclass(frozen=True)
class At:
    """Where a walk over a request is."""

    graph: Graph
    type: str
    place: Shape
    owner: str = ""
    """the type that what is met is for; empty for all."""
    views: Sets = ()
    sent: frozenset[str] = frozenset()


class Checking:
    """The check of one plan."""

    def __init__(self, supergraph: Supergraph, plan: QueryPlan) -> None:
        self._supergraph = supergraph
        self._graph = QueryGraph(supergraph)
        self._plan = plan

    def check(self) -> None:
        for number, request in enumerate(self._plan.requests):
            assert all(before < number for before in request.after)
            known = self._fetched(self._before(number))
            for call in request.calls:
                for path in call.paths:
                    parts = (*call.representation.key.fields, *call.representation.required.fields)
                    self._sent(known, path, parts)
        root = self._supergraph.roots[self._plan.operation.kind]
        whole = self._fetched(set(range(len(self._plan.requests))))
        self._asked(whole, root, (self._plan.operation.root,), self._plan.names)

    def _before(self, number: int) -> set[int]:
        found: set[int] = set()
        waiting = list(self._plan.requests[number].after)
        while waiting:
            each = waiting.pop()
            if each not in found:
                found.add(each)
                waiting += self._plan.requests[each].after
        return found

    def _fetched(self, numbers: set[int]) -> Shape:
        shape = Shape()
        for number in sorted(numbers):
            self._walk(self._plan.requests[number], shape)
        return shape

    def _walk(self, request: Request, root: Shape) -> None:
        (definition,) = parse(request.text, no_location=True).definitions
        assert isinstance(definition, OperationDefinitionNode)
        kind = self._supergraph.roots[request.kind]
        calls = {each.key: each for each in request.calls}
        for each in definition.selection_set.selections:
            assert isinstance(each, FieldNode)
            key = (each.alias or each.name).value
            if key not in calls:
                for place in self._places(root, request.root or ()):
                    if each.name.value != "__typename":
                        self._field(each, At(graph=request.graph, type=kind, place=place))
                continue
            call = calls[key]
            typename = call.representation.typename
            there = self._supergraph.types[typename].graphs[request.graph]
            names = {part.name for part in call.representation.key.fields}
            keys = [{f.name for f in key.selections if isinstance(f, Field)} for key in there.keys]
            assert any(names == key - {"__typename"} for key in keys), typename
            sent = names | {part.name for part in call.representation.required.fields}
            for path in call.paths:
                for place in self._places(root, path):
                    at = At(graph=request.graph, type=typename, place=place, sent=frozenset(sent))
                    self._selected(each.selection_set, at)

    def _places(self, root: Shape, path: Path) -> Iterator[Shape]:
        found = [root]
        owners: tuple[str, ...] = ("",)
        for segment in path:
            if isinstance(segment, tuple):
                owners = ("", *segment)
                continue
            below = []
            for each in found:
                types = owners if len(owners) > 1 else tuple({type_: None for type_, _ in each.fields} | {"": None})
                below += [shape for _, shape in each.find(types, segment)]
            found, owners = below, ("",)
        assert found, f"nothing was fetched at {path}"
        yield from ([_Typed(each, owners[1]) for each in found] if len(owners) == 2 else found)

    def _selected(self, node: SelectionSetNode | None, at: At) -> None:
        for each in node.selections if node else ():
            if isinstance(each, InlineFragmentNode):
                assert each.type_condition is not None
                name = each.type_condition.name.value
                owner = at.owner if self._graph.is_abstract(name) else name
                self._selected(each.selection_set, replace(at, type=name, owner=owner))
            elif isinstance(each, FieldNode) and each.name.value != "__typename":
                self._field(each, at)

    def _field(self, node: FieldNode, at: At) -> None:
        name, place = node.name.value, f"{at.type}.{node.name.value}"
        here = self._supergraph.types[at.type].fields[name].graphs.get(at.graph)
        assert here is not None, f"{place} is not in {at.graph}"
        provided = [each for view in at.views for each in self._flat(view, at.type) if each.name == name]
        assert not here.external or provided, f"{place} is external in {at.graph}"
        if here.requires is not None and not provided:
            required = {each.name for each in self._flat(here.requires, at.type)}
            assert required <= at.sent, f"{required} was not sent for {place}"
        key = (node.alias or node.name).value
        marks = "".join(f" {print_ast(each)}" for each in node.directives or ())
        below = at.place.at(at.owner, key, f"{name}{print_arguments(node.arguments)}{marks}")
        views = tuple(each for each in (here.provides, *(one.inner for one in provided)) if each is not None)
        self._selected(node.selection_set, At(graph=at.graph, type=here.type, place=below, views=views))

    def _flat(self, view: SelectionSet, type_: str) -> Iterator[Field]:
        for each in view.selections:
            if isinstance(each, Field):
                yield each
            elif type_ in self._graph.runtime(each.on) or type_ == each.on or self._graph.is_abstract(type_):
                yield from self._flat(each.inner, type_)

    def _sent(self, known: Shape, path: Path, parts: tuple[Part, ...]) -> None:
        for place in self._places(known, path):
            for part in parts:
                types = tuple({type_: None for type_, _ in place.fields})
                found = list(place.find(types, part.key))
                assert found, f"{part.key} was not fetched before it is sent, at {path}"

    def _asked(self, shape: Shape, type_: str, sets: Sets, names: Names) -> None:
        for owner in self._graph.runtime(type_) or (type_,):
            for item in self._plan.items.of(sets, owner).items:
                if item.name == "__typename":
                    continue
                written = names.read(item, owner)
                if written is None:
                    assert self._graph.is_abstract(type_), f"{owner}.{item.name} was never fetched"
                    continue
                found = list(shape.find((owner, *self._graph.supertypes(owner), ""), written.key))
                assert found, f"{owner}.{item.name} is read from {written.key}, which was never fetched"
                asked = {f"{item.name}{item.arguments}{each}" for each in item.directives or ("",)}
                assert asked <= {each for texts, _ in found for each in texts}
                if item.sets:
                    inner = Shape()
                    for _, below in found:
                        _merge(inner, below)
                    self._asked(inner, self._supergraph.types[owner].fields[item.name].type, item.sets, written.inner)


class _Typed(Shape):
    """A value of which one type is meant."""

    def __init__(self, shape: Shape, type_: str) -> None:
        super().__init__(shape.fields)
        self._type = type_

    def at(self, type_: str, key: str, *texts: str) -> Shape:
        return super().at(type_ or self._type, key, *texts)


def _merge(into: Shape, more: Shape) -> None:
    for (type_, key), (texts, below) in more.fields.items():
        _merge(into.at(type_, key, *texts), below)


def check_plan(supergraph: Supergraph, plan: QueryPlan) -> None:
    """Fail if a plan is not sound."""
    Checking(supergraph, plan).check()
