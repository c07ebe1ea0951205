"""What is read off a GraphQL document in more than one place: its operation, its fragments, its conditions and variables.

A *condition* is `@skip` or `@include`. Its value is decided before anything is planned, and by `is_included` alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from graphql import (
    BooleanValueNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    Node,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
    Visitor,
    value_from_ast_untyped,
    visit,
)

CONDITIONS: Final = frozenset({"skip", "include"})


def definition_of(document: DocumentNode) -> OperationDefinitionNode:
    """Give the one operation of a document."""
    return next(each for each in document.definitions if isinstance(each, OperationDefinitionNode))


def fragments_of(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    """Give the fragments of a document by name."""
    return {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}


def arguments_of(node: DirectiveNode) -> dict[str, Any]:
    """Give the arguments of a directive without variables as plain values."""
    return {each.name.value: value_from_ast_untyped(each.value) for each in node.arguments or ()}


def conditions_of(document: DocumentNode) -> tuple[str, ...]:
    """Name the variables that decide what is asked at all; their values are part of what a plan is cached by."""
    values = (each.value for mark in _conditions(document) for each in mark.arguments or ())
    return tuple(dict.fromkeys(each.name.value for each in values if isinstance(each, VariableNode)))


def leaves_of(document: DocumentNode) -> int:
    """Count the leaves of a valid operation with all its fragments in their places, whatever its conditions decide."""
    fragments = fragments_of(document)
    known: dict[str, int] = {}

    def count(selected: SelectionSetNode) -> int:
        return sum(map(one, selected.selections))

    def one(node: SelectionNode) -> int:
        if isinstance(node, FragmentSpreadNode):
            name = node.name.value
            if name not in known:
                known[name] = count(fragments[name].selection_set)
            return known[name]
        assert isinstance(node, FieldNode | InlineFragmentNode), "a selection is one of three"
        return count(node.selection_set) if node.selection_set else 1

    return count(definition_of(document).selection_set)


def is_included(node: SelectionNode, variables: Mapping[str, Any]) -> bool:
    """Tell whether a selection of a valid document is asked for (GraphQL 6.3.2); the variables are coerced."""
    for each in node.directives or ():
        name = each.name.value
        if name in CONDITIONS and _holds(each, variables) is (name == "skip"):
            return False
    return True


def _holds(condition: DirectiveNode, variables: Mapping[str, Any]) -> bool:
    value = (condition.arguments or ())[0].value
    if isinstance(value, BooleanValueNode):
        return value.value
    assert isinstance(value, VariableNode), "validation lets nothing else pass"
    return bool(variables.get(value.name.value))


def variables_in(*nodes: Node) -> frozenset[str]:
    """Name the variables that are used, or declared, in some parts of a document."""
    naming = _Variables()
    for each in nodes:
        visit(each, naming)
    return frozenset(naming.names)


def _conditions(document: DocumentNode) -> list[DirectiveNode]:
    collecting = _Conditions()
    visit(document, collecting)
    return collecting.found


class _Conditions(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[DirectiveNode] = []

    def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
        if node.name.value in CONDITIONS:
            self.found.append(node)


class _Variables(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_variable(self, node: VariableNode, *_: Any) -> None:
        self.names.add(node.name.value)
