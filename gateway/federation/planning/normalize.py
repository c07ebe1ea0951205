"""The same question can be written in many ways, and a planner should meet one of them.

In: a valid operation and the values of the variables that its `@skip` and `@include` use. Out: a `Normalized` operation,
in which conditions are decided, fragment spreads are in their places and arguments are texts in one order. A fragment
is read once and the same tree stands wherever it is spread, so that spreads within spreads stay small. A fragment that
conditions have emptied is gone; a field that they have emptied stays, since whether it is null is part of the answer.

Directives of the supergraph's own stay with fields, with variables and with the operation, for subgraphs to obey. Those on
fragments are dropped: a fragment has no place in a plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    SelectionNode,
    SelectionSetNode,
    VariableDefinitionNode,
)
from graphql.language import print_ast

from gateway.federation.selections import Field, Fragment, Selection, SelectionSet, print_arguments, print_set
from gateway.syntax import CONDITIONS, definition_of, fragments_of, is_included


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalized:
    """An operation as it is planned."""

    kind: str
    """query, mutation or subscription."""
    root: SelectionSet
    variables: tuple[tuple[str, str], ...]
    """name, and type with default and directives, for the requests that pass them on."""
    directives: str
    """of the operation as text, each after a space; empty where there is none."""

    def __str__(self) -> str:
        head = ", ".join(f"${name}: {type_}" for name, type_ in self.variables)
        return f"{self.kind}{f'({head})' if head else ''}{self.directives} {{\n{print_set(self.root, '  ')}\n}}\n"


def normalize(document: DocumentNode, conditions: Mapping[str, Any]) -> Normalized:
    """Normalize the one operation of a document."""
    definition = definition_of(document)
    root = _Normalizing(fragments_of(document), conditions).set(definition.selection_set)
    return Normalized(
        kind=definition.operation.value,
        root=root,
        variables=tuple((each.variable.name.value, _declared(each)) for each in definition.variable_definitions or ()),
        directives=_directives(definition.directives),
    )


def _declared(node: VariableDefinitionNode) -> str:
    default = f" = {print_ast(node.default_value)}" if node.default_value else ""
    return f"{print_ast(node.type)}{default}{_directives(node.directives)}"


def _directives(nodes: Sequence[DirectiveNode] | None) -> str:
    """Print the directives that are not decided here, each after a space."""
    kept = (each for each in nodes or () if each.name.value not in CONDITIONS)
    return "".join(f" @{each.name.value}{print_arguments(each.arguments)}" for each in kept)


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
            if not is_included(each, self._conditions):
                continue
            match each:
                case FieldNode():
                    yield self._field(each)
                case FragmentSpreadNode():
                    yield from self._kept(self._spread(each.name.value))
                case InlineFragmentNode(type_condition=None):
                    yield from self._selections(each.selection_set.selections)
                case InlineFragmentNode(type_condition=condition):
                    assert condition is not None, "the case above has taken the others"
                    yield from self._kept(Fragment(on=condition.name.value, inner=self.set(each.selection_set)))

    def _kept(self, fragment: Fragment) -> tuple[Fragment, ...]:
        return (fragment,) if fragment.inner.selections else ()

    def _field(self, node: FieldNode) -> Field:
        return Field(
            key=(node.alias or node.name).value,
            name=node.name.value,
            arguments=print_arguments(node.arguments),
            directives=_directives(node.directives),
            inner=self.set(node.selection_set) if node.selection_set else None,
        )

    def _spread(self, name: str) -> Fragment:
        if name not in self._read:
            fragment = self._fragments[name]
            self._read[name] = Fragment(on=fragment.type_condition.name.value, inner=self.set(fragment.selection_set))
        return self._read[name]
