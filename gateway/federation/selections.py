"""Key texts, requirements, provided fields and whole operations are the same thing: fields below fields.

One small tree for all of them. A `SelectionSet` is compared by identity: whatever is planned is looked up in tables by
it, thousands of times, and walking it for every look-up would make planning quadratic. Each is therefore made once (a
field set per text, a fragment per definition) and kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from graphql import FieldNode, GraphQLError, InlineFragmentNode, OperationDefinitionNode, SelectionSetNode, parse
from graphql.language import ArgumentNode, print_ast
from graphql.utilities.sort_value_node import sort_value_node


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Field:
    """One field, under the key that its parent's object has it by."""

    key: str
    name: str
    arguments: str
    """as text, in parentheses; empty where there is none."""
    inner: SelectionSet | None
    """None for a leaf."""
    directives: str = ""
    """as text, each after a space."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fragment:
    """What is selected only if the object is of a type."""

    on: str
    inner: SelectionSet


Selection: TypeAlias = Field | Fragment


@dataclass(frozen=True, slots=True, eq=False)
class SelectionSet:
    """Selections in their order; the same field may stand in it several times."""

    selections: tuple[Selection, ...]
    leaves: int = field(init=False)
    """how many fields of which no part is asked are below; found out when it is made."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "leaves", sum(map(_leaves, self.selections)))


def _leaves(each: Selection) -> int:
    if each.inner is None:
        return 1
    return each.inner.leaves or int(isinstance(each, Field))  # a field that conditions have emptied is one of its own


Sets: TypeAlias = tuple[SelectionSet, ...]
"""Selection sets of one value that have been merged: their fields stand beside one another."""


def read_field_set(text: str) -> SelectionSet:
    """Read the text of a key, a requirement or provided fields; GraphQLError where it is none."""
    document = parse(f"{{ {text} }}", no_location=True, max_tokens=1_000)
    (definition,) = document.definitions
    if not isinstance(definition, OperationDefinitionNode):
        raise GraphQLError("It is no field set.")
    return _set(definition.selection_set)


def _set(node: SelectionSetNode) -> SelectionSet:
    return SelectionSet(tuple(_selections(node)))


def _selections(node: SelectionSetNode) -> Iterator[Selection]:
    for each in node.selections:
        match each:
            case FieldNode():
                inner = _set(each.selection_set) if each.selection_set else None
                yield Field(
                    key=each.name.value, name=each.name.value, arguments=print_arguments(each.arguments), inner=inner
                )
            case InlineFragmentNode(type_condition=condition) if condition is not None:
                yield Fragment(on=condition.name.value, inner=_set(each.selection_set))
            case _:
                raise GraphQLError("A field set holds fields and `... on Type` only.")


def print_arguments(nodes: Sequence[ArgumentNode] | None) -> str:
    """Print arguments in one order, and the fields of objects in them, so that equal ones are equal texts."""
    if not nodes:
        return ""
    return f"({', '.join(sorted(f'{each.name.value}: {print_ast(sort_value_node(each.value))}' for each in nodes))})"


def print_set(selected: SelectionSet, indent: str = "") -> str:
    """Print a selection set, a field a line."""
    lines: list[str] = []
    _print(selected, indent, "  ", lines)
    return "\n".join(lines)


def compact(selected: SelectionSet) -> str:
    """Print a selection set on one line."""
    parts: list[str] = []
    _print(selected, "", "", parts)
    return " ".join(parts)


def _print(selected: SelectionSet, indent: str, deeper: str, into: list[str]) -> None:
    for each in selected.selections:
        if isinstance(each, Fragment):
            head = f"{indent}... on {each.on}"
        elif each.key == each.name:
            head = f"{indent}{each.name}{each.arguments}{each.directives}"
        else:
            head = f"{indent}{each.key}: {each.name}{each.arguments}{each.directives}"
        if each.inner is None:
            into.append(head)
        else:
            into.append(f"{head} {{")
            _print(each.inner, indent + deeper, deeper, into)
            into.append(f"{indent}}}")
