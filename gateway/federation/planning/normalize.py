"""The same question can be written in many ways, and a planner should meet one of them.

In: a valid operation and the values of the variables that its `@skip` and `@include` use. Out: a `Normalized` operation,
in which conditions are decided, fragment spreads are in their places and arguments are texts in one order. A fragment
is read once and the same tree stands wherever it is spread, so that spreads within spreads stay small.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    BooleanValueNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    VariableDefinitionNode,
    VariableNode,
)
from graphql.language import print_ast

from gateway.federation.selections import Field, Fragment, Selection, SelectionSet, print_arguments, print_set


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalized:
    """An operation as it is planned."""

    kind: str
    """query or mutation."""
    root: SelectionSet
    variables: tuple[tuple[str, str], ...]
    """name, and type with default, for the requests that pass them on."""

    def __str__(self) -> str:
        head = ", ".join(f"${name}: {type_}" for name, type_ in self.variables)
        return f"{self.kind}{f'({head})' if head else ''} {{\n{print_set(self.root, '  ')}\n}}\n"


def definition_of(document: DocumentNode) -> OperationDefinitionNode:
    """Give the one operation of a document."""
    return next(each for each in document.definitions if isinstance(each, OperationDefinitionNode))


def normalize(document: DocumentNode, conditions: Mapping[str, Any]) -> Normalized:
    """Normalize the one operation of a document."""
    definition = definition_of(document)
    fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
    root = _Normalizing(fragments, conditions).set(definition.selection_set)
    return Normalized(
        kind="mutation" if definition.operation is OperationType.MUTATION else "query",
        root=root,
        variables=tuple((each.variable.name.value, _declared(each)) for each in definition.variable_definitions or ()),
    )


def _declared(node: VariableDefinitionNode) -> str:
    default = f" = {print_ast(node.default_value)}" if node.default_value else ""
    return f"{print_ast(node.type)}{default}"


class _Normalizing:
    """One walk over an operation, with the fragments read so far."""

    def __init__(self, fragments: Mapping[str, FragmentDefinitionNode], conditions: Mapping[str, Any]) -> None:
        self._fragments = fragments
        self._conditions = conditions
        self._read: dict[str, Fragment] = {}

    def set(self, node: SelectionSetNode) -> SelectionSet:
        return SelectionSet(tuple(self._selections(node.selections)))

    def _selections(self, nodes: Iterable[SelectionNode]) -> Iterator[Selection]:
        for each in nodes:
            if not self._holds(each):
                continue
            match each:
                case FieldNode():
                    yield self._field(each)
                case FragmentSpreadNode():
                    yield self._spread(each.name.value)
                case InlineFragmentNode(type_condition=None):
                    yield from self._selections(each.selection_set.selections)
                case InlineFragmentNode(type_condition=condition):
                    assert condition is not None, "the case above has taken the others"
                    yield Fragment(on=condition.name.value, inner=self.set(each.selection_set))

    def _field(self, node: FieldNode) -> Field:
        return Field(
            key=(node.alias or node.name).value,
            name=node.name.value,
            arguments=print_arguments(node.arguments),
            inner=self.set(node.selection_set) if node.selection_set else None,
        )

    def _spread(self, name: str) -> Fragment:
        if name not in self._read:
            fragment = self._fragments[name]
            self._read[name] = Fragment(on=fragment.type_condition.name.value, inner=self.set(fragment.selection_set))
        return self._read[name]

    def _holds(self, node: SelectionNode) -> bool:
        for directive in node.directives or ():
            if directive.name.value in {"skip", "include"}:
                value = (directive.arguments or ())[0].value
                if isinstance(value, BooleanValueNode):
                    holds = value.value
                else:
                    assert isinstance(value, VariableNode), "validation lets nothing else pass"
                    holds = bool(self._conditions.get(value.name.value))
                if holds is (directive.name.value == "skip"):
                    return False
        return True
