"""A world whose every value follows from where it stands, so that any subgraph and one merged schema must agree on it.

An object is a type and an identity. What a field of it holds is computed from both: a leaf tells its own coordinates and
arguments, a reference leads to an object whose identity is computed in turn. Keys tell the identity, so that a reference
can be resolved from a representation; nobody stores anything.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLResolveInfo,
    GraphQLSchema,
    execute_sync,
    get_named_type,
    is_list_type,
    is_non_null_type,
    is_scalar_type,
    parse,
)
from graphql.language import print_ast

from gateway.federation.query_graph import QueryGraph
from gateway.federation.selections import Field
from gateway.federation.supergraph import Supergraph, TypeInGraph
from gateway.syntax import CONDITIONS, definition_of

KEYS = ("id", "sku", "code")
ENTITIES = 4
"""identities of each entity."""


@dataclass(frozen=True)
class Thing:
    """An object."""

    type: str
    identity: str
    provided: Any = None
    """the field set that an enclosing @provides leaves, for subgraphs only."""


def number(*parts: object) -> int:
    return zlib.crc32("/".join(map(str, parts)).encode())


@dataclass(frozen=True)
class World:
    """The rules of a world: which types an abstract type's objects are of."""

    members: Mapping[str, tuple[str, ...]]
    entities: frozenset[str]
    singletons: frozenset[str] = frozenset()
    """entities of which there is one each."""

    def concrete(self, type_: str, identity: str) -> str:
        return identity.partition("-")[0] if type_ in self.members else type_

    def refer(self, type_: str, owner: Thing, place: str) -> Thing:
        """The object of a type that a place refers to."""
        chosen = number(owner.type, owner.identity, place) % ENTITIES
        members = self.members.get(type_, (type_,))
        concrete = members[chosen % len(members)]
        if concrete in self.singletons:
            return self.only(concrete)
        return Thing(concrete, f"{concrete}-{chosen}" if concrete in self.entities else f"{owner.identity}.{place}")

    def only(self, type_: str) -> Thing:
        """The one object of a type."""
        return Thing(type_, f"{type_}-0")

    def value(self, owner: Thing, name: str, arguments: Mapping[str, Any], type_: Any, marks: str = "") -> Any:
        """What a field holds; it is another where it is asked with other directives."""
        if name in KEYS:
            return f"{name}:{owner.identity}{marks}"
        given = f"{name}({','.join(f'{key}={value}' for key, value in sorted(arguments.items()))}){marks}"
        return self._typed(owner, given, type_)

    def _typed(self, owner: Thing, place: str, type_: Any) -> Any:
        if is_non_null_type(type_):
            return self._present(owner, place, type_.of_type)
        if owner.identity and number(owner.type, owner.identity, place, "null") % 7 == 0:  # a root's field is there
            return None
        return self._present(owner, place, type_)

    def _present(self, owner: Thing, place: str, type_: Any) -> Any:
        if is_list_type(type_):
            length = number(owner.type, owner.identity, place, "length") % 3 if owner.identity else 2
            return [self._typed(owner, f"{place}[{each}]", type_.of_type) for each in range(length)]
        named = get_named_type(type_)
        if isinstance(named, GraphQLEnumType):
            return list(named.values)[number(owner.type, owner.identity, place) % len(named.values)]
        if is_scalar_type(named):
            text = f"{owner.type}.{owner.identity}.{place}"
            return number(text) % 1000 if named.name == "Int" else text
        return self.refer(named.name, owner, place)


def world_of(supergraph: Supergraph) -> World:
    """The world of a supergraph whose entities have one of the keys above."""
    graph = QueryGraph(supergraph)
    abstract = [each for each in supergraph.types if graph.is_abstract(each)]
    keyed = [each for each in supergraph.types.values() if any(there.keys for there in each.graphs.values())]
    return World(
        members={each: _everywhere(graph, each) for each in abstract},
        entities=frozenset(each.name for each in keyed),
        singletons=frozenset(each.name for each in keyed if not any(map(_key_fields, each.graphs.values()))),
    )


def _key_fields(there: TypeInGraph) -> list[str]:
    names = [each.name for key in there.keys for each in key.selections if isinstance(each, Field)]
    return [each for each in names if each != "__typename"]


def marks_of(info: GraphQLResolveInfo[Any]) -> str:
    """The directives that a field is asked with, each once."""
    marks = (each for node in info.field_nodes for each in node.directives or ())
    return "".join(sorted({print_ast(each) for each in marks if each.name.value not in CONDITIONS}))


def _everywhere(graph: QueryGraph, name: str) -> tuple[str, ...]:
    """The types that every subgraph which knows any of them can answer."""
    sets = [set(found) for each in graph.type(name).graphs if (found := graph.possible(name, each))]
    return tuple(each for each in graph.runtime(name) if all(each in one for one in sets))


def merged(supergraph: Supergraph, world: World, text: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    """What one schema that has everything answers."""
    schema, document = supergraph.public.schema, parse(text)
    assert schema is not None
    root = schema.get_root_type(definition_of(document).operation)
    assert root is not None

    def resolve(owner: Thing, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        return world.value(owner, info.field_name, arguments, info.return_type, marks_of(info))

    result = execute_sync(
        schema,
        document,
        root_value=Thing(root.name, ""),
        variable_values=dict(variables),
        field_resolver=resolve,
        type_resolver=type_of,
    )
    assert not result.errors, result.errors
    return {"data": result.data}


def type_of(thing: Thing, *_: Any) -> str:
    return str(getattr(thing, "known_as", thing.type))


def arguments_of(schema: GraphQLSchema, type_: str, field: str) -> str:
    """The arguments of a field, as SDL; none for a field that clients do not see."""
    found = schema.type_map[type_].fields.get(field) if type_ in schema.type_map else None  # type: ignore[attr-defined]  # it has fields
    given = ", ".join(print_ast(each) for each in found.ast_node.arguments or ()) if found else ""
    return f"({given})" if given else ""
