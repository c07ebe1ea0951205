"""`__schema` and `__type` are asked beside other fields, and no subgraph answers them.

`split` takes an operation apart at its root: what the public schema answers, and what is left for the subgraph. Root
fragments are put in their places first, since both kinds of field can stand in one fragment. `merge` puts the two
answers together in the order in which the operation asks, as one executor would have.

An answer of the schema may be megabytes and take a second. It costs like any list (schema.py has the lengths), and it is
made once for an operation and its variables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
from graphql import (
    REMOVE,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    Visitor,
    VisitorAction,
    execute_sync,
    separate_operations,
    visit,
)

from gateway.preparing.cache import KEY_BYTES
from gateway.syntax import CONDITIONS, definition_of, fragments_of, is_included, variables_in

SCHEMA_FIELDS: Final = frozenset({"__schema", "__type"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """An operation in two parts."""

    schema: DocumentNode | None
    """what the public schema answers, with no directives but @skip and @include; None where nothing of it was asked."""
    rest: DocumentNode | None
    """what the subgraph answers; None where nothing is left for it."""
    root: tuple[SelectionNode, ...]
    """the root selections with fragments in their places: the order of the answer."""


def split(document: DocumentNode) -> Parts:
    """Take the one operation of a valid document apart."""
    root = tuple(_inlined(definition_of(document).selection_set, fragments_of(document)))
    asked = {each.name.value for each in _fields(root)}
    if not asked & SCHEMA_FIELDS:
        return Parts(schema=None, rest=document, root=root)
    if asked <= SCHEMA_FIELDS | {"__typename"}:
        return Parts(schema=_for_schema(_with_root(document, root)), rest=None, root=root)
    schema = tuple(_kept(root, lambda name: name in SCHEMA_FIELDS))
    rest = tuple(_kept(root, lambda name: name not in SCHEMA_FIELDS))
    return Parts(schema=_for_schema(_with_root(document, schema)), rest=_with_root(document, rest), root=root)


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaAnswer:
    """What the schema answers, as JSON below each root key: an object in memory would weigh ten times as much."""

    data: Mapping[str, orjson.Fragment]
    weight: int


def introspect(schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any]) -> SchemaAnswer:
    """Answer from the schema alone. A valid document cannot fail there, as long as none of its variables is null."""
    found = execute_sync(schema, document, variable_values=dict(variables))
    assert found.data is not None, found.errors
    assert not found.errors, found.errors
    texts = {key: orjson.dumps(value) for key, value in found.data.items()}
    return SchemaAnswer(
        data={key: orjson.Fragment(text) for key, text in texts.items()},
        weight=2 * KEY_BYTES + sum(KEY_BYTES + 4 * len(key) + len(text) for key, text in texts.items()),
    )


def declared_variables(document: DocumentNode) -> tuple[str, ...]:
    """Name the variables that an operation declares; those of a schema part are booleans and strings, none may be null."""
    return tuple(each.variable.name.value for each in definition_of(document).variable_definitions or ())


def merge(
    root: tuple[SelectionNode, ...], data: Mapping[str, Any], more: Mapping[str, Any], variables: Mapping[str, Any]
) -> dict[str, Any]:
    """Put two answers together in the order of the operation."""
    merged: dict[str, Any] = {}
    for key in _keys(root, variables):
        if key in data:
            merged[key] = data[key]
        elif key in more:
            merged[key] = more[key]
    return merged


def _inlined(node: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode]) -> Iterator[SelectionNode]:
    for each in node.selections:
        if isinstance(each, FieldNode):
            yield each
        elif isinstance(each, FragmentSpreadNode):
            fragment = fragments[each.name.value]
            yield _inline(fragment, each.directives, tuple(_inlined(fragment.selection_set, fragments)))
        elif isinstance(each, InlineFragmentNode):
            yield _inline(each, each.directives, tuple(_inlined(each.selection_set, fragments)))


def _inline(
    node: FragmentDefinitionNode | InlineFragmentNode,
    directives: tuple[DirectiveNode, ...] | None,
    selections: tuple[SelectionNode, ...],
) -> InlineFragmentNode:
    return InlineFragmentNode(
        type_condition=node.type_condition,
        directives=directives,
        selection_set=SelectionSetNode(selections=selections),
    )


def _fields(root: tuple[SelectionNode, ...]) -> Iterator[FieldNode]:
    for each in root:
        if isinstance(each, FieldNode):
            yield each
        elif isinstance(each, InlineFragmentNode):
            yield from _fields(tuple(each.selection_set.selections))


def _kept(root: tuple[SelectionNode, ...], wanted: Callable[[str], bool]) -> Iterator[SelectionNode]:
    for each in root:
        if isinstance(each, FieldNode):
            if wanted(each.name.value):
                yield each
        elif isinstance(each, InlineFragmentNode):
            inner = tuple(_kept(tuple(each.selection_set.selections), wanted))
            if inner:
                yield _inline(each, each.directives, inner)


def _with_root(document: DocumentNode, root: tuple[SelectionNode, ...]) -> DocumentNode:
    operation = definition_of(document)
    changed = OperationDefinitionNode(
        operation=operation.operation,
        name=operation.name,
        directives=operation.directives,
        variable_definitions=operation.variable_definitions,
        selection_set=SelectionSetNode(selections=root),
    )
    (whole,) = separate_operations(DocumentNode(definitions=(changed, *fragments_of(document).values()))).values()
    return _declaring_what_it_uses(whole)


def _declaring_what_it_uses(document: DocumentNode) -> DocumentNode:
    operation, fragments = definition_of(document), tuple(fragments_of(document).values())
    used = variables_in(operation.selection_set, *fragments, *(operation.directives or ()))
    declared = tuple(each for each in operation.variable_definitions or () if each.variable.name.value in used)
    changed = OperationDefinitionNode(
        operation=operation.operation,
        name=operation.name,
        directives=operation.directives,
        variable_definitions=declared,
        selection_set=operation.selection_set,
    )
    return DocumentNode(definitions=(changed, *fragments))


def _for_schema(document: DocumentNode) -> DocumentNode:
    """Leave out the directives that are for a subgraph: the schema reads conditions only."""
    kept: DocumentNode = visit(document, _OnlyConditions())
    return _declaring_what_it_uses(kept)


class _OnlyConditions(Visitor):
    def enter_directive(self, node: DirectiveNode, *_place: Any) -> VisitorAction:
        return None if node.name.value in CONDITIONS else REMOVE


def _keys(root: tuple[SelectionNode, ...], variables: Mapping[str, Any]) -> Iterator[str]:
    for each in root:
        if not is_included(each, variables):
            continue
        if isinstance(each, FieldNode):
            yield (each.alias or each.name).value
        elif isinstance(each, InlineFragmentNode):
            yield from _keys(tuple(each.selection_set.selections), variables)
