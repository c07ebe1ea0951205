"""The SDL says more than graphql-core reads: who may ask for what, how long lists are, what a field costs.

A subgraph's SDL is read once. Out comes `PublicSchema`: two executable schemas and the marks that its directives put on
fields, arguments, input fields and enum values, by schema coordinate (`Type.field`, `Type.field(argument:)`,
`Input.field`, `Enum.VALUE`).

- `public` answers introspection, `served` validates documents. They differ by `_entities` and `_service`, which a router
  asks for and nobody else is shown.
- `@operatorOnly`: asked, filtered or sorted by only with a role that reads everything. An interface's field is marked as
  soon as one implementer's is (whoever asks the interface would read it), but for implementers that are marked as a whole.
- `@allowedRoles(roles:)`: who may call a mutation. A mutation without it may be called by nobody.
- `@listSize(assumedSize:, slicingArguments:)` and `@cost(weight:)` as in Apollo Federation.

Directives that the SDL uses without declaring them (`@key`, `@link`) are the federation specification's; the schema is
built without asking for their definitions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, TypeAlias

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
    parse,
    value_from_ast_untyped,
)

Element: TypeAlias = GraphQLField | GraphQLArgument | GraphQLInputField | GraphQLEnumValue

FEDERATION_ROOTS: Final = frozenset({"_entities", "_service"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSize:
    """How many items a field gives."""

    assumed: int
    """when no slicing argument says it."""
    slicing: tuple[str, ...] = ()
    """arguments that say it: a number, or a list by its length."""


_ENTITIES: Final = {"Query._entities": ListSize(assumed=1, slicing=("representations",))}


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicSchema:
    """A subgraph's SDL, read."""

    public: GraphQLSchema
    served: GraphQLSchema
    operator_only: frozenset[str]
    allowed_roles: Mapping[str, frozenset[str]]
    list_sizes: Mapping[str, ListSize]
    weights: Mapping[str, int]
    connections: frozenset[str]
    """the types that are pages of a list, by Relay's specification: they have edges and pageInfo."""


def read_schema(sdl: str) -> PublicSchema:
    """Read an SDL and the marks in it."""
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
        allowed_roles=MappingProxyType(dict(_allowed_roles(marks))),
        list_sizes=MappingProxyType({**_ENTITIES, **dict(_list_sizes(marks))}),
        weights=MappingProxyType(dict(_weights(marks))),
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


def _arguments(node: DirectiveNode) -> dict[str, Any]:
    return {each.name.value: value_from_ast_untyped(each.value) for each in node.arguments or ()}


def _allowed_roles(marks: Marks) -> Iterator[tuple[str, frozenset[str]]]:
    for coordinate, mark in marks.items():
        if "allowedRoles" in mark:
            yield coordinate, frozenset(_arguments(mark["allowedRoles"])["roles"])


def _list_sizes(marks: Marks) -> Iterator[tuple[str, ListSize]]:
    for coordinate, mark in marks.items():
        if "listSize" in mark:
            given = _arguments(mark["listSize"])
            slicing = tuple(given.get("slicingArguments") or ())
            yield coordinate, ListSize(assumed=int(given.get("assumedSize") or 1), slicing=slicing)


def _weights(marks: Marks) -> Iterator[tuple[str, int]]:
    for coordinate, mark in marks.items():
        if "cost" in mark:
            yield coordinate, int(_arguments(mark["cost"])["weight"])
