"""First stage of a read: a GraphQL operation becomes a logical tree, in which nothing is conditional or abstract.

Fragments are merged, @skip and @include decided, aliases are the keys of the answer, and a selection on an interface or
union is spelled out for each of its object types. What is left to a request are the values of arguments: a field with
arguments has a *slot*, and `Tree.sources[slot]` computes its arguments from the variables of any request of the same
variable shape (graph/compiler/arguments.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLAbstractType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    is_abstract_type,
)

from graph.compiler.arguments import ArgumentSource, evaluate
from graph.errors import Refused


class Operation(Protocol):
    """What a caller hands over: a validated document, and a key that is equal for equal texts."""

    @property
    def key(self) -> str:
        """A stable hash of the document's text."""

    @property
    def document(self) -> DocumentNode:
        """The parsed and validated document."""

    @property
    def name(self) -> str | None:
        """The operation to run, where the document has several."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One key of an object of the answer."""

    key: str
    name: str
    type: str
    """the field's type as GraphQL prints it, `[Port!]!`; empty for `__typename`."""
    slot: int | None = None
    """where this field's arguments are found; None when the field takes none."""
    selections: tuple[Selection, ...] = ()
    """one per object type that the value may have; empty for leaves."""

    @property
    def named_type(self) -> str:
        """The type without its wrappers."""
        return self.type.strip("[]!")


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What is asked of an object of one type, in the order of the answer's keys."""

    type: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A whole operation."""

    root: Selection
    sources: tuple[ArgumentSource, ...]


def find_operation(operation: Operation) -> OperationDefinitionNode:
    """Choose the operation to run; validation has made sure that there is one."""
    for each in operation.document.definitions:
        if isinstance(each, OperationDefinitionNode) and operation.name in {None, each.name and each.name.value}:
            return each
    raise Refused("There is no such operation in the document.", code="BAD_USER_INPUT", hint="Check operationName.")


def normalize(schema: GraphQLSchema, operation: Operation, variables: Mapping[str, Any]) -> Tree:
    """Turn an operation into its tree, for all requests whose variables have the same shape as these."""
    definition = find_operation(operation)
    root = schema.get_root_type(definition.operation)
    assert root is not None  # validation refuses an operation of a kind that the schema lacks
    walk = _Walk(schema=schema, variables=variables, fragments=_fragments(operation.document))
    selection = walk.selection(root, [definition.selection_set])
    return Tree(root=selection, sources=tuple(walk.sources))


def _fragments(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    return {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}


@dataclass(slots=True, kw_only=True)
class _Walk:
    """The recursion over one operation; it numbers the slots."""

    schema: GraphQLSchema
    variables: Mapping[str, Any]
    fragments: Mapping[str, FragmentDefinitionNode]
    sources: list[ArgumentSource] = field(default_factory=list)

    def selection(self, owner: GraphQLObjectType, sets: Iterable[SelectionSetNode]) -> Selection:
        """Merge selection sets on one object type (GraphQL, section 6.3.2: CollectFields)."""
        grouped: dict[str, list[FieldNode]] = {}
        visited: set[str] = set()
        for each in sets:
            self._collect(owner, each, grouped, visited)
        return Selection(type=owner.name, fields=tuple(self._field(owner, k, n) for k, n in grouped.items()))

    def _collect(
        self, owner: GraphQLObjectType, selected: SelectionSetNode, into: dict[str, list[FieldNode]], seen: set[str]
    ) -> None:
        for node in selected.selections:
            if not self._included(node):
                continue
            match node:
                case FieldNode():
                    into.setdefault(node.alias.value if node.alias else node.name.value, []).append(node)
                case FragmentSpreadNode() if node.name.value not in seen:
                    seen.add(node.name.value)
                    fragment = self.fragments[node.name.value]
                    if self._applies(fragment, owner):
                        self._collect(owner, fragment.selection_set, into, seen)
                case InlineFragmentNode() if self._applies(node, owner):
                    self._collect(owner, node.selection_set, into, seen)

    def _included(self, node: Any) -> bool:
        for directive in node.directives or ():
            if directive.name.value in {"skip", "include"}:
                decided = evaluate(directive.arguments[0].value, self.variables)
                if bool(decided) == (directive.name.value == "skip"):
                    return False
        return True

    def _applies(self, node: InlineFragmentNode | FragmentDefinitionNode, owner: GraphQLObjectType) -> bool:
        if node.type_condition is None:
            return True
        condition = self.schema.type_map[node.type_condition.name.value]
        if isinstance(condition, (GraphQLInterfaceType, GraphQLUnionType)):
            return self.schema.is_sub_type(condition, owner)
        return condition is owner

    def _field(self, owner: GraphQLObjectType, key: str, nodes: list[FieldNode]) -> Field:
        name = nodes[0].name.value
        if name == "__typename":
            return Field(key=key, name=name, type="")
        definition = owner.fields[name]
        slot = None
        if definition.args:
            slot = len(self.sources)
            self.sources.append(ArgumentSource.of(definition, nodes[0], path=key))
        sets = [node.selection_set for node in nodes if node.selection_set]
        selections = tuple(self.selection(each, sets) for each in self._objects(definition.type)) if sets else ()
        return Field(key=key, name=name, type=str(definition.type), slot=slot, selections=selections)

    def _objects(self, wrapped: Any) -> tuple[GraphQLObjectType, ...]:
        named = get_named_type(wrapped)
        if is_abstract_type(named):
            abstract: GraphQLAbstractType = named
            return tuple(sorted(self.schema.get_possible_types(abstract), key=lambda each: each.name))
        assert isinstance(named, GraphQLObjectType)
        return (named,)


def draw(tree: Tree) -> str:
    """Print a tree, one field a line."""
    return "\n".join(_lines(tree.root, 0))


def _lines(selection: Selection, depth: int) -> Iterable[str]:
    yield f"{'  ' * depth}on {selection.type}"
    for each in selection.fields:
        alias = "" if each.key == each.name else f"{each.key}: "
        slot = "" if each.slot is None else f" arguments #{each.slot}"
        yield f"{'  ' * (depth + 1)}{alias}{each.name}{': ' if each.type else ''}{each.type}{slot}"
        for inner in each.selections:
            yield from _lines(inner, depth + 2)
