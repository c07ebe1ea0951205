"""A document can be small and still mean endless work; it must be stopped before anything walks it in earnest.

`measure` counts what an operation would be with its fragments put in their places, without putting them there: each
fragment is measured once. It runs before validation, so it trusts nothing: fragments may be missing or run in circles
(validation says so afterwards), and nesting ends where the limit ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
)

from gateway.errors import Code, Refused, refuse
from gateway.settings.settings import Limits
from gateway.syntax import fragments_of

MOST_FRAGMENTS: Final = 100
NESTING_PER_DEPTH: Final = 3
"""Selection sets may nest this much deeper than fields: inline fragments and spreads nest without being fields."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """What a selection amounts to, fragments included."""

    depth: int = 0
    roots: int = 0
    fields: int = 0
    aliases: int = 0
    directives: int = 0

    def beside(self, other: Size) -> Size:
        """Put two selections into the same selection set."""
        return Size(
            depth=max(self.depth, other.depth),
            roots=self.roots + other.roots,
            fields=self.fields + other.fields,
            aliases=self.aliases + other.aliases,
            directives=self.directives + other.directives,
        )


def check_document(document: DocumentNode, limits: Limits) -> None:
    """Refuse a document of which any operation, or all operations together, are larger than the limits allow."""
    fragments = fragments_of(document)
    if len(fragments) > MOST_FRAGMENTS:
        raise _exceeded("fragments", len(fragments), MOST_FRAGMENTS)
    measuring = _Measuring(fragments, limits)
    fields = 0
    for each in document.definitions:
        if isinstance(each, OperationDefinitionNode):
            for variable in each.variable_definitions or ():
                if variable.default_value is not None:
                    check_argument(variable.default_value, limits)
            size = measuring.selection_set(each.selection_set, 1)
            check_size(size, limits)
            fields += size.fields
    if fields > limits.fields:  # each operation is walked with the fragments that it uses
        raise refuse(Code.LIMIT_EXCEEDED, f"The document has {fields} fields; at most {limits.fields} are allowed.")


def check_size(size: Size, limits: Limits) -> None:
    """Compare a size with the limits, in their order."""
    for name, count, most in (
        ("levels of fields", size.depth, limits.depth),
        ("aliases", size.aliases, limits.aliases),
        ("directives", size.directives, limits.directives),
        ("root fields", size.roots, limits.root_fields),
        ("fields", size.fields, limits.fields),
    ):
        if count > most:
            raise _exceeded(name, count, most)


class _Measuring:
    """One walk over a document, with what is known of its fragments so far."""

    def __init__(self, fragments: Mapping[str, FragmentDefinitionNode], limits: Limits) -> None:
        self._fragments = fragments
        self._limits = limits
        self._known: dict[str, Size] = {}

    def selection_set(self, node: SelectionSetNode | None, level: int) -> Size:
        if node is None:
            return Size()
        if level > self._limits.depth * NESTING_PER_DEPTH:
            raise _exceeded("nested selections", level, self._limits.depth * NESTING_PER_DEPTH)
        size = Size()
        for each in node.selections:
            size = size.beside(self._selection(each, level))
        return size

    def _selection(self, node: SelectionNode, level: int) -> Size:
        used = Size(directives=len(node.directives or ()))
        if isinstance(node, FieldNode):
            for argument in node.arguments or ():
                check_argument(argument.value, self._limits)
            inner = self.selection_set(node.selection_set, level + 1)
            return Size(
                depth=inner.depth + 1,
                roots=1,
                fields=inner.fields + 1,
                aliases=inner.aliases + (node.alias is not None),
                directives=inner.directives + used.directives,
            )
        if isinstance(node, FragmentSpreadNode):
            return used.beside(self._fragment(node.name.value, level))
        return used.beside(self.selection_set(getattr(node, "selection_set", None), level + 1))

    def _fragment(self, name: str, level: int) -> Size:
        if name not in self._known:
            self._known[name] = Size()  # what a circle meets
            fragment = self._fragments.get(name)
            self._known[name] = self.selection_set(fragment.selection_set if fragment else None, level + 1)
        return self._known[name]


def check_argument(value: ValueNode, limits: Limits) -> None:
    """Refuse an argument whose lists and objects nest deeper than allowed, or that has more objects than allowed."""
    stack = [(value, 0)]
    objects = 0
    while stack:
        node, depth = stack.pop()
        objects += isinstance(node, ObjectValueNode)
        if depth > limits.input_depth:
            raise _exceeded("levels in an argument", depth, limits.input_depth)
        if objects > limits.input_objects:
            raise _exceeded("objects in an argument", objects, limits.input_objects)
        stack.extend((child, depth + 1) for child in _children(node))


def _children(node: ValueNode) -> Iterator[ValueNode]:
    if isinstance(node, ListValueNode):
        yield from node.values
    elif isinstance(node, ObjectValueNode):
        yield from (field.value for field in node.fields)


def _exceeded(name: str, count: int, most: int) -> Refused:
    return refuse(Code.LIMIT_EXCEEDED, f"The operation has {count} {name}; at most {most} are allowed.")
