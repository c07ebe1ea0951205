"""A literal with variables in it must not be coerced from its syntax tree for every request.

`filter: {state: {in: $states}}` has one shape for ever; only `$states` is new. So the literal is walked once, into
functions that put the variables in their places. What comes out is what graphql-core's `coerce_input_literal` would
give: a field whose variable is absent is absent or has its default, a list item that is absent is null, and Undefined
means that there is a null where the type has none. A test compares the two.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from graphql import (
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    ListValueNode,
    ObjectValueNode,
    Undefined,
    ValueNode,
    VariableNode,
    coerce_input_literal,
    is_required_input_field,
)
from graphql.execution.values import VariableValues
from graphql.utilities.coerce_input_value import coerce_default_value

Filled: TypeAlias = Callable[[Mapping[str, Any]], Any]
"""From coerced variables to the literal's value, or Undefined."""


def has_variable(node: ValueNode) -> bool:
    """Tell whether a literal waits for a variable."""
    match node:
        case VariableNode():
            return True
        case ListValueNode(values=values):
            return any(has_variable(each) for each in values or ())
        case ObjectValueNode(fields=fields):
            return any(has_variable(each.value) for each in fields or ())
        case _:
            return False


def filled(node: ValueNode, type_: Any) -> Filled:
    """Prepare a literal of a type."""
    if not has_variable(node):
        value = coerce_input_literal(node, type_)
        return lambda _: value
    if isinstance(node, VariableNode):
        return _variable(node.name.value, required=isinstance(type_, GraphQLNonNull))
    bare = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
    match node:
        case ListValueNode(values=values) if isinstance(bare, GraphQLList):
            return _list([_item(each, bare.of_type) for each in values])
        case _ if isinstance(bare, GraphQLList):
            return _list([_item(node, bare.of_type)])
        case ObjectValueNode() if isinstance(bare, GraphQLInputObjectType) and not bare.is_one_of:
            return _object(node, bare)
        case _:
            return lambda given: coerce_input_literal(node, bare, VariableValues(sources={}, coerced=dict(given)))


def _variable(name: str, *, required: bool) -> Filled:
    if not required:
        return lambda given: given.get(name, Undefined)

    def fill(given: Mapping[str, Any]) -> Any:
        value = given.get(name)
        return Undefined if value is None else value

    return fill


def _item(node: ValueNode, type_: Any) -> Filled:
    fill = filled(node, type_)
    if not isinstance(node, VariableNode) or isinstance(type_, GraphQLNonNull):
        return fill

    def item(given: Mapping[str, Any]) -> Any:
        value = fill(given)
        return None if value is Undefined else value

    return item


def _list(items: list[Filled]) -> Filled:
    def fill(given: Mapping[str, Any]) -> Any:
        values = [each(given) for each in items]
        return Undefined if any(each is Undefined for each in values) else values

    return fill


def _object(node: ObjectValueNode, type_: GraphQLInputObjectType) -> Filled:
    given_fields = {each.name.value: each.value for each in node.fields}
    parts = tuple((name, *_field(given_fields.get(name), field)) for name, field in type_.fields.items())
    # What is not given, has no default and need not be there is no part of any value.
    kept = tuple(each for each in parts if each[1] is not None or each[3] is not Undefined or each[4])

    def fill(given: Mapping[str, Any]) -> Any:
        value: dict[str, Any] = {}
        for name, fill_field, variable, default, required in kept:
            absent = fill_field is None or (variable and variable not in given)
            each = default if absent or fill_field is None else fill_field(given)
            if each is not Undefined:
                value[name] = each
            elif required or not absent:
                return Undefined
        return value

    return fill


def _field(node: ValueNode | None, field: GraphQLInputField) -> tuple[Filled | None, str, Any, bool]:
    """Give what fills a field, the variable that it is, if it is one, its default, and whether it must be there."""
    default, required = coerce_default_value(field), is_required_input_field(field)
    if node is None:
        return None, "", default, required
    return filled(node, field.type), node.name.value if isinstance(node, VariableNode) else "", default, required
