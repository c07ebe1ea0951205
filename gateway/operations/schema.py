"""The SDL says more than graphql-core reads: who may ask for what, how long lists are, what a field costs.

A subgraph's SDL is read once. Out comes `PublicSchema`: two executable schemas and the marks that its directives put on
fields, arguments, input fields and enum values, by schema coordinate (`Type.field`, `Type.field(argument:)`,
`Input.field`, `Enum.VALUE`).

- `public` answers introspection, `served` validates documents. They differ by `_entities` and `_service`, which a router
  asks for and nobody else is shown.
- `@operatorOnly`: asked, filtered or sorted by only with a role that reads everything. An interface's field is marked as
  soon as one implementer's is (whoever asks the interface would read it), but for implementers that are marked as a whole.
- `@allowedRoles(roles:, byClaim:, claim:)`: who may call a mutation; a role of `byClaim` only where the token names the mutation,
  or `claim`, which stands for it. A
  mutation without the mark may be called by nobody.
- `@listSize(assumedSize:, slicingArguments:)` and `@cost(weight:)` as in Apollo Federation.

Directives that the SDL uses without declaring them (`@key`, `@link`) are the federation specification's; the schema is
built without asking for their definitions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final, TypeAlias

from graphql import (
    DirectiveNode,
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLEnumValue,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    build_ast_schema,
    extend_schema,
    is_abstract_type,
    parse,
)

from gateway.syntax import arguments_of

Element: TypeAlias = GraphQLField | GraphQLArgument | GraphQLInputField | GraphQLEnumValue

FEDERATION_ROOTS: Final = frozenset({"_entities", "_service"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSize:
    """How many items a field gives."""

    assumed: int
    """when no slicing argument says it."""
    slicing: tuple[str, ...] = ()
    """arguments that say it: a number, or a list by its length."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """Who may call a mutation: roles, by their names."""

    roles: frozenset[str]
    by_claim: frozenset[str]
    """those whose token must name the mutation, too,"""
    claim: str = ""
    """or this in its place, where one name in a token stands for several mutations."""


WHOLE_SCHEMA: Final = 50_000
"""What the whole of a schema costs at most, by introspection as tools ask it: half of the default limit."""
_WRAPPERS: Final = {"__Type.ofType": 0}
"""Introspection asks for more wrappers of a type than it has: seven levels, of which one or two are there."""
_ENTITIES: Final = {"Query._entities": ListSize(assumed=1, slicing=("representations",))}


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicSchema:
    """A subgraph's SDL, read."""

    public: GraphQLSchema
    served: GraphQLSchema
    operator_only: frozenset[str]
    allowed: Mapping[str, Allowed]
    """by the coordinate of a mutation."""
    list_sizes: Mapping[str, ListSize]
    weights: Mapping[str, int]
    connections: frozenset[str]
    """the types that are pages of a list, by Relay's specification: they have edges and pageInfo."""


@lru_cache(maxsize=4)
def read_schema(sdl: str) -> PublicSchema:
    """Read an SDL and the marks in it; a process that serves one text under several endpoints reads it once."""
    public = build_ast_schema(parse(sdl, no_location=True), assume_valid_sdl=True)
    served = _with_federation_roots(public)
    marks = {
        coordinate: {each.name.value.removeprefix("federation__"): each for each in directives}
        for coordinate, directives in _directives(served)
    }
    return PublicSchema(
        public=public,
        served=served,
        operator_only=_operator_only(served, marks),
        allowed=MappingProxyType(dict(_allowed(marks))),
        list_sizes=MappingProxyType({**_ENTITIES, **_introspection_sizes(public), **dict(_list_sizes(marks))}),
        weights=MappingProxyType({**_WRAPPERS, **dict(_weights(marks))}),
        connections=frozenset(name for name, each in served.type_map.items() if _is_connection(each)),
    )


Marks: TypeAlias = Mapping[str, Mapping[str, DirectiveNode]]


def _with_federation_roots(schema: GraphQLSchema) -> GraphQLSchema:
    query = schema.query_type
    if query is None or query.fields.keys() >= FEDERATION_ROOTS:
        return schema
    entities = sorted(name for name, each in schema.type_map.items() if _is_entity(each))
    fields = "_service: _Service! "
    text = "scalar _Any type _Service { sdl: String! } "
    if entities:
        fields += "_entities(representations: [_Any!]!): [_Entity]! "
        text += f"union _Entity = {' | '.join(entities)} "
    text += f"extend type {query.name} {{ {fields} }}"
    return extend_schema(schema, parse(text, no_location=True), assume_valid_sdl=True)


def _is_entity(each: GraphQLNamedType) -> bool:
    if not isinstance(each, GraphQLObjectType) or each.ast_node is None:
        return False
    marks = [*(each.ast_node.directives or ())]
    for extension in each.extension_ast_nodes:
        marks.extend(extension.directives or ())
    return any(mark.name.value.removeprefix("federation__") == "key" for mark in marks)


def _is_connection(each: GraphQLNamedType) -> bool:
    return isinstance(each, GraphQLObjectType) and each.fields.keys() >= {"edges", "pageInfo"}


def _elements(each: GraphQLNamedType) -> Iterator[tuple[str, Element]]:
    if isinstance(each, GraphQLObjectType | GraphQLInterfaceType):
        for name, field in each.fields.items():
            yield f"{each.name}.{name}", field
            for argument_name, argument in field.args.items():
                yield f"{each.name}.{name}({argument_name}:)", argument
    elif isinstance(each, GraphQLInputObjectType):
        for name, input_field in each.fields.items():
            yield f"{each.name}.{name}", input_field
    elif isinstance(each, GraphQLEnumType):
        for name, value in each.values.items():
            yield f"{each.name}.{name}", value


def _directives(schema: GraphQLSchema) -> Iterator[tuple[str, tuple[DirectiveNode, ...]]]:
    for each in schema.type_map.values():
        for coordinate, element in _elements(each):
            if element.ast_node is not None and element.ast_node.directives:
                yield coordinate, tuple(element.ast_node.directives)


def _operator_only(schema: GraphQLSchema, marks: Marks) -> frozenset[str]:
    marked = {coordinate for coordinate, mark in marks.items() if "operatorOnly" in mark}
    for each in schema.type_map.values():
        if isinstance(each, GraphQLInterfaceType):
            possible = schema.get_possible_types(each)
            # One of which nothing is for others is in nobody else's answers either.
            names = [one.name for one in possible if any(f"{one.name}.{field}" not in marked for field in one.fields)]
            marked |= {f"{each.name}.{field}" for field in each.fields for name in names if f"{name}.{field}" in marked}
    return frozenset(marked)


def _allowed(marks: Marks) -> Iterator[tuple[str, Allowed]]:
    for coordinate, mark in marks.items():
        if "allowedRoles" in mark:
            given = arguments_of(mark["allowedRoles"])
            by_claim = frozenset(given.get("byClaim") or ())
            claim = str(given.get("claim") or "")
            yield coordinate, Allowed(roles=frozenset(given["roles"]), by_claim=by_claim, claim=claim)


def _list_sizes(marks: Marks) -> Iterator[tuple[str, ListSize]]:
    for coordinate, mark in marks.items():
        if "listSize" in mark:
            given = arguments_of(mark["listSize"])
            slicing = tuple(given.get("slicingArguments") or ())
            yield coordinate, ListSize(assumed=int(given.get("assumedSize") or 1), slicing=slicing)


def _weights(marks: Marks) -> Iterator[tuple[str, int]]:
    for coordinate, mark in marks.items():
        if "cost" in mark:
            yield coordinate, int(arguments_of(mark["cost"])["weight"])


def _introspection_sizes(schema: GraphQLSchema) -> dict[str, ListSize]:
    """Give the lengths of the lists of introspection: means over a schema, rounded up, by coordinate.

    Of `__Schema.types` only so many count that the whole of a large schema may be asked once.
    """
    sizes = {name: max(1, -(-total // of)) for name, (total, of) in _introspection_counts(schema).items()}
    field = 2 + 2 * sizes["__Field.args"]
    others = ("__Type.inputFields", "__Type.enumValues", "__Type.interfaces", "__Type.possibleTypes")
    whole = 1 + field * sizes["__Type.fields"] + sum(2 * sizes[each] for each in others)
    sizes["__Schema.types"] = min(len(schema.type_map), max(1, WHOLE_SCHEMA // whole))
    return {name: ListSize(assumed=size) for name, size in sizes.items()}


def _introspection_counts(schema: GraphQLSchema) -> dict[str, tuple[int, int]]:
    """Count what is in each list of introspection altogether, and how many such lists there are."""
    types = list(schema.type_map.values())
    composite = [each for each in types if isinstance(each, GraphQLObjectType | GraphQLInterfaceType)]
    fields = [field for each in composite for field in each.fields.values()]
    inputs = [each for each in types if isinstance(each, GraphQLInputObjectType)]
    enums = [each for each in types if isinstance(each, GraphQLEnumType)]
    possible = [len(schema.get_possible_types(each)) for each in types if is_abstract_type(each)]
    return {
        "__Schema.directives": (len(schema.directives), 1),
        "__Directive.args": (sum(len(each.args) for each in schema.directives), len(schema.directives) or 1),
        "__Type.fields": (sum(len(each.fields) for each in composite), len(types)),
        "__Type.inputFields": (sum(len(each.fields) for each in inputs), len(types)),
        "__Type.enumValues": (sum(len(each.values) for each in enums), len(types)),
        "__Type.interfaces": (sum(len(each.interfaces) for each in composite), len(types)),
        "__Type.possibleTypes": (sum(possible), len(types)),
        "__Field.args": (sum(len(each.args) for each in fields), len(fields) or 1),
    }
