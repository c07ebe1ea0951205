"""Variables come as any JSON; a subgraph must get values of their types, and an error must name the place.

What can be known from the operation alone is known once (`variables_of`): the types, the defaults, which variables can
hold something for operators only. A request then walks only the values it brought. Where a value does not fit,
graphql-core is asked again for the sentence; it is slow and never on the way of a request that fits.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from graphql import (
    GraphQLEnumType,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    OperationDefinitionNode,
    Undefined,
    VariableDefinitionNode,
    coerce_input_literal,
    coerce_input_value,
    get_named_type,
    get_variable_values,
    is_input_type,
    is_non_null_type,
    is_scalar_type,
    type_from_ast,
)

from gateway.errors import MOST_ERRORS, Code, Problem, Refused, refuse
from gateway.operations.schema import PublicSchema
from gateway.settings.settings import Limits

LONGEST_MESSAGE: Final = 300
BUILT_IN: Final = frozenset({"ID", "String", "Int", "Float", "Boolean"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One variable of an operation, prepared."""

    name: str
    type: GraphQLInputType
    default: Any
    """Undefined where there is none."""
    required: bool
    nests: bool
    """can hold objects or lists, so that their depth must be looked at."""
    holds_objects: bool
    """can hold input objects, which are counted."""
    watched: bool
    """can hold an input field or an enum value that is for operators only."""
    place: tuple[int, int] | None
    """line and column in the document."""


def variables_of(operation: OperationDefinitionNode, schema: PublicSchema) -> tuple[Variable, ...]:
    """Prepare the variables of a valid operation."""
    return tuple(_prepared(operation, schema))


def _prepared(operation: OperationDefinitionNode, schema: PublicSchema) -> Iterator[Variable]:
    for node in operation.variable_definitions or ():
        type_ = type_from_ast(schema.served, node.type)
        assert is_input_type(type_), "validation lets nothing else pass"
        default = coerce_input_literal(node.default_value, type_) if node.default_value else Undefined
        yield Variable(
            name=node.variable.name.value,
            type=type_,
            default=default,
            required=is_non_null_type(type_) and default is Undefined,
            nests=not (is_scalar_type(get_named_type(type_)) and get_named_type(type_).name in BUILT_IN),
            holds_objects=isinstance(get_named_type(type_), GraphQLInputObjectType),
            watched=_can_hold(type_, schema.operator_only, set()),
            place=(node.loc.start_token.line, node.loc.start_token.column) if node.loc else None,
        )


def _can_hold(type_: GraphQLInputType, marks: frozenset[str], seen: set[str]) -> bool:
    named = get_named_type(type_)
    if named.name in seen:
        return False
    seen.add(named.name)
    if isinstance(named, GraphQLEnumType):
        return any(f"{named.name}.{value}" in marks for value in named.values)
    if not isinstance(named, GraphQLInputObjectType):
        return False
    return any(
        f"{named.name}.{name}" in marks or _can_hold(field.type, marks, seen) for name, field in named.fields.items()
    )


def coerce(
    variables: tuple[Variable, ...],
    given: Mapping[str, Any],
    schema: GraphQLSchema,
    operation: OperationDefinitionNode,
    limits: Limits,
) -> dict[str, Any]:
    """Give the values by name, each of its type; a variable that was neither given nor has a default is absent."""
    coerced: dict[str, Any] = {}
    for variable in variables:
        value = given.get(variable.name, Undefined)
        if value is Undefined:
            if variable.required:
                raise _refused(variables, given, schema, operation)
            if variable.default is not Undefined:
                coerced[variable.name] = variable.default
            continue
        if variable.nests:
            _check_size(variable, value, limits)
        result = coerce_input_value(value, variable.type)
        if result is Undefined:
            raise _refused(variables, given, schema, operation)
        coerced[variable.name] = result
    return coerced


def _check_size(variable: Variable, value: Any, limits: Limits) -> None:
    """Refuse a value that is too deep or has too many objects; it is left as soon as that is known."""
    most = limits.input_objects if variable.holds_objects else sys.maxsize
    objects = int(isinstance(value, dict))
    stack = [(value, 0)] if isinstance(value, list | dict) else []
    while stack:
        each, depth = stack.pop()
        if each and depth == limits.input_depth:
            raise _too_large(variable, f"nests deeper than {limits.input_depth} levels", "input_depth")
        for child in each.values() if isinstance(each, dict) else each:
            if isinstance(child, list | dict):
                objects += isinstance(child, dict)
                if objects > most:
                    raise _too_large(variable, f"has more than {most} objects", "input_objects")
                stack.append((child, depth + 1))


def _too_large(variable: Variable, how: str, limit: str) -> Refused:
    return refuse(Code.LIMIT_EXCEEDED, f"Variable '${variable.name}' {how} (limit `{limit}`).")


def _refused(
    variables: tuple[Variable, ...], given: Mapping[str, Any], schema: GraphQLSchema, operation: OperationDefinitionNode
) -> Refused:
    found = get_variable_values(
        schema, operation.variable_definitions or (), dict(given), max_errors=MOST_ERRORS, hide_suggestions=True
    )
    assert isinstance(found, list), "whoever asks has seen a value that does not fit"
    places = {each.name: each.place for each in variables}
    return Refused(*(_placed(error, places) for error in found))


def _placed(error: GraphQLError, places: Mapping[str, tuple[int, int] | None]) -> Problem:
    """Give the problem at its variable's place, which the nodes of a document that is kept do not have."""
    definition = error.nodes[0] if error.nodes else None
    place = places.get(definition.variable.name.value) if isinstance(definition, VariableDefinitionNode) else None
    return replace(problem_of(error, Code.BAD_USER_INPUT), locations=(place,) if place else ())


def problem_of(error: GraphQLError, code: Code) -> Problem:
    """Turn an error of graphql-core into ours; it may quote what the caller sent, so it is kept short."""
    message = error.message if len(error.message) <= LONGEST_MESSAGE else error.message[:LONGEST_MESSAGE] + "..."
    locations = tuple((each.line, each.column) for each in error.locations or ())
    return Problem(code=code, message=message, locations=locations)


def marked_values(value: Any, type_: GraphQLInputType, marks: frozenset[str]) -> Iterator[str]:
    """Name what a coerced value holds that is for operators only."""
    if value is None:
        return
    if isinstance(type_, GraphQLNonNull):
        yield from marked_values(value, type_.of_type, marks)
    elif isinstance(type_, GraphQLList):
        for each in value:
            yield from marked_values(each, type_.of_type, marks)
    elif isinstance(type_, GraphQLEnumType):
        if f"{type_.name}.{value}" in marks:
            yield f"{type_.name}.{value}"
    elif isinstance(type_, GraphQLInputObjectType):
        for name, each in value.items():
            if f"{type_.name}.{name}" in marks:
                yield f"{type_.name}.{name}"
            yield from marked_values(each, type_.fields[name].type, marks)
