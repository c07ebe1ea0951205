"""Subgraphs as strict as any: each has the part of the schema that the supergraph says it has, and refuses the rest.

Made from a supergraph's tables. A document that is not valid there fails; so does a field that is external where nothing
provides it, an entity by no key that the subgraph resolves, and a requirement that was not sent or is not what it is in the
world. Nothing of the planner is used, so that a wrong plan cannot go unseen.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Mapping
from typing import Any

from graphql import (
    ExecutionResult,
    GraphQLField,
    GraphQLResolveInfo,
    GraphQLSchema,
    build_schema,
    execute_sync,
    get_named_type,
    is_specified_directive,
    print_directive,
    validate,
)

from gateway.federation.selections import Field, SelectionSet
from gateway.federation.subgraph import Answer, Operation, StreamEvent
from gateway.federation.supergraph import Graph, Supergraph, SuperType, TypeInGraph
from graph.model.scope import Principal
from tests.gateway.federation.planning.world import KEYS, Thing, World, arguments_of, marks_of, type_of

ROOT = "_entities(representations: [_Any!]!): [_Entity]!"


class Broken(AssertionError):
    """A plan asks what it must not."""


def schema_of(supergraph: Supergraph, graph: Graph) -> GraphQLSchema:
    """The schema that a subgraph must have."""
    return build_schema("\n".join(_definitions(supergraph, graph)), assume_valid=True)


def _definitions(supergraph: Supergraph, graph: Graph) -> Iterator[str]:
    entities = []
    yield "scalar _Any"
    roots = supergraph.roots.items()
    yield f"schema {{ {' '.join(f'{kind}: {name}' for kind, name in roots if kind == 'query' or _has_root(supergraph, name, graph))} }}"
    assert supergraph.public.schema is not None
    for directive in supergraph.public.schema.directives:
        if not is_specified_directive(directive):
            yield print_directive(directive)
    for each in supergraph.types.values():
        there = each.graphs.get(graph)
        if there is not None:
            yield _definition(supergraph, each, graph, there)
            if there.keys and (each.kind == "object" or there.interface_object):
                entities.append(each.name)
    query = supergraph.roots["query"]
    if graph not in supergraph.types[query].graphs:
        yield f"type {query} {{ {ROOT} }}"
    yield f"union _Entity = {' | '.join(entities)}" if entities else "type _Entity { _: Int }"


def _has_root(supergraph: Supergraph, name: str, graph: Graph) -> bool:
    return graph in supergraph.types[name].graphs


def _definition(supergraph: Supergraph, of: SuperType, graph: Graph, there: TypeInGraph) -> str:
    public = supergraph.public.schema
    assert public is not None
    match of.kind:
        case "union":
            return f"union {of.name} = {' | '.join(there.members)}"
        case "enum":
            return f"enum {of.name} {{ {' '.join(public.type_map[of.name].values)} }}"  # type: ignore[attr-defined]
        case "object" | "interface":
            fields = [*_fields(of, graph, public), *([ROOT] if of.name == supergraph.roots["query"] else [])]
            interfaces = sorted(one for one in there.implements if not _io(supergraph, one, graph))
            implements = f" implements {' & '.join(interfaces)}" if interfaces else ""
            word = "type" if of.kind == "object" or there.interface_object else "interface"
            return f"{word} {of.name}{implements} {{ {' '.join(fields) or '_: Int'} }}"
        case _:
            return f"scalar {of.name}"


def _io(supergraph: Supergraph, name: str, graph: Graph) -> bool:
    there = supergraph.types[name].graphs.get(graph)
    return there is not None and there.interface_object


def _fields(of: SuperType, graph: Graph, public: GraphQLSchema) -> Iterator[str]:
    for name, field in of.fields.items():
        here = field.graphs.get(graph)
        if here is not None:
            yield f"{name}{arguments_of(public, of.name, name)}: {here.shape}"


class SimulatedSubgraph:
    """One of them."""

    sdl = ""

    def __init__(self, supergraph: Supergraph, graph: Graph, world: World) -> None:
        self.name = supergraph.endpoints[graph].name
        self._supergraph = supergraph
        self._graph = graph
        self._world = world
        self.schema = schema_of(supergraph, graph)
        self.asked: list[tuple[str, Mapping[str, Any]]] = []

    async def execute(
        self, operation: Operation, variables: Mapping[str, Any], principal: Principal, deadline: float
    ) -> Answer:
        del principal, deadline
        self.asked.append((operation.text, variables))
        errors = validate(self.schema, operation.document)
        if errors:
            raise Broken(f"{self.name} refuses {operation.text}: {errors[0].message}")
        result = execute_sync(
            self.schema,
            operation.document,
            root_value=Thing(self._supergraph.roots[operation.text.partition(" ")[0].partition("(")[0]], ""),
            variable_values=dict(variables),
            field_resolver=self._resolve,
            type_resolver=type_of,
        )
        assert isinstance(result, ExecutionResult)
        for each in result.errors or ():
            if each.original_error is not None:
                raise each.original_error
            raise Broken(f"{self.name}: {each.message}")
        return {"data": result.data}

    async def subscribe(
        self,
        operation: Operation,
        variables: Mapping[str, Any],
        principal: Principal,
        after: str | None,
        deadline: float,
    ) -> AsyncGenerator[StreamEvent, None]:
        """One event, which is what a query would answer."""
        del after

        async def events() -> AsyncGenerator[StreamEvent, None]:
            yield StreamEvent(answer=await self.execute(operation, variables, principal, deadline), cursor="1")

        return events()

    def _resolve(self, owner: Thing, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        if info.field_name == "_entities":
            return [self._entity(each) for each in arguments["representations"]]
        declared = self._supergraph.types[info.parent_type.name]
        field = declared.fields[info.field_name]
        here = field.graphs[self._graph]
        provided = self._provided(owner, info.field_name)
        if here.external and not provided:
            raise Broken(f"{declared.name}.{info.field_name} is external in {self.name}")
        if here.requires is not None and not provided:
            self._check_required(owner, here.requires)
        shown = self._shown(owner.type, info.field_name)
        whole = shown.type if shown else info.return_type
        value = self._world.value(self._plain(owner), info.field_name, arguments, whole, marks_of(info))
        return self._below(value, here.provides, provided, get_named_type(info.return_type).name)

    def _shown(self, type_: str, name: str) -> GraphQLField | None:
        """The field as clients see it; how one knows it elsewhere does not change what it is."""
        public = self._supergraph.public.schema
        assert public is not None
        if type_ not in public.type_map:
            return None
        found: GraphQLField | None = public.type_map[type_].fields.get(name)  # type: ignore[attr-defined]
        return found

    def _plain(self, owner: Thing) -> Thing:
        return Thing(owner.type, owner.identity)

    def _below(self, value: Any, provides: SelectionSet | None, provided: list[Field], type_: str) -> Any:
        if isinstance(value, list):
            return [self._below(each, provides, provided, type_) for each in value]
        if not isinstance(value, Thing):
            return value
        views = [each for each in (provides, *(one.inner for one in provided)) if each is not None]
        io = type_ in self._supergraph.types and _io(self._supergraph, type_, self._graph)
        return _Here(value.type, value.identity, views or None, {}, type_ if io else value.type)

    def _provided(self, owner: Thing, name: str) -> list[Field]:
        found = []
        for view in owner.provided or ():
            found += [each for each in self._flat(view, owner.type) if each.name == name]
        return found

    def _flat(self, view: SelectionSet, type_: str) -> Iterator[Field]:
        for each in view.selections:
            if isinstance(each, Field):
                yield each
            elif type_ in {each.on, *self._world.members.get(each.on, ())}:
                yield from self._flat(each.inner, type_)

    def _entity(self, sent: Mapping[str, Any]) -> Thing | None:
        name = sent["__typename"]
        there = self._supergraph.types[name].graphs[self._graph]
        matching = [key for key in there.keys if _has(key, sent)]
        if not matching:
            raise Broken(f"{self.name} knows no {name} by {sorted(sent)}")
        told = (str(sent[each]).partition(":")[2] for each in KEYS if each in sent)
        identity = next(told, self._world.only(name).identity)
        concrete = self._world.concrete(name, identity)
        thing = _Here(concrete, identity, None, sent, name if there.interface_object else concrete)
        for key in matching:
            self._check_sent(thing, key, sent)
        return thing

    def _check_required(self, owner: Thing, requires: SelectionSet) -> None:
        sent = owner.sent if isinstance(owner, _Here) else {}
        self._check_sent(owner, requires, sent)

    def _check_sent(self, owner: Thing, selected: SelectionSet, sent: Any) -> None:
        for each in self._flat(selected, owner.type):
            if each.name == "__typename":
                continue
            shown = self._shown(owner.type, each.name)
            type_ = shown.type if shown else None
            value = self._world.value(self._plain(owner), each.name, _given(each.arguments), type_)
            if each.name not in sent:
                raise Broken(f"{owner.type}.{each.name} was not sent to {self.name}")
            self._compare(value, sent[each.name], each.inner, f"{owner.type}.{each.name}")

    def _compare(self, value: Any, sent: Any, inner: SelectionSet | None, place: str) -> None:
        if isinstance(value, list):
            if not isinstance(sent, list) or len(sent) != len(value):
                raise Broken(f"{place} was sent as {sent!r}")
            for one, other in zip(value, sent, strict=True):
                self._compare(one, other, inner, place)
        elif isinstance(value, Thing) and inner is not None and sent is not None:
            self._check_sent(value, inner, sent)
        elif value != sent:
            raise Broken(f"{place} is {value!r} and was sent as {sent!r}")


class _Here(Thing):
    """An object as a subgraph has it: with what was sent of it, and by the type's name that it knows."""

    def __init__(self, type_: str, identity: str, provided: Any, sent: Mapping[str, Any], known_as: str) -> None:
        super().__init__(type_, identity, provided)
        object.__setattr__(self, "sent", sent)
        object.__setattr__(self, "known_as", known_as)

    sent: Mapping[str, Any]
    known_as: str


def _has(key: SelectionSet, sent: Mapping[str, Any]) -> bool:
    return all(isinstance(each, Field) and each.name in sent for each in key.selections)


def _given(arguments: str) -> dict[str, Any]:
    pairs = (each.split(":") for each in arguments.strip("()").split(",") if each)
    return {name.strip(): int(value) for name, value in pairs}
