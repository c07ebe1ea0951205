"""What an operation may cost the database must be known before the database is asked.

The rules are those of Apollo's demand control, counted in objects: a leaf is free, an object costs 1 and what is asked
below it; a field with `@listSize` multiplies that by its length, which a slicing argument says (a number; of an
argument that is a list, its length), else the assumed size. `@cost(weight:)` replaces the 1, and gives a leaf a price.
Of an argument, `@cost(weight:)` is added for each
of its values: of a list, for each item. What @skip and @include leave out is counted: the answer is an upper bound. Objects of the schema count like others: each
alias of `__schema` asks for all of them again.

A connection is priced by what it walks too. Its length is that of its `edges` and `nodes` only; however few rows a page
has, the database sorts the whole list for it, and walks it once more for `totalCount`, and compares each row with
each condition of a filter. So each of the two walks costs WALK, times one more than the conditions and the keys of the
order that the arguments hold (input objects without an object inside). Once for each object that has the connection.

Most of it is known from the document. `cost_of` therefore gives a number, or a function of the variables where a
slicing argument is one; numbers are folded on the way up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeAlias

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    ObjectValueNode,
    SchemaMetaFieldDef,
    SelectionSetNode,
    TypeMetaFieldDef,
    ValueNode,
    VariableNode,
    get_named_type,
    is_leaf_type,
)

from gateway.operations.schema import ListSize, PublicSchema
from gateway.syntax import definition_of, fragments_of

_INTROSPECTION: Final = {"__schema": SchemaMetaFieldDef, "__type": TypeMetaFieldDef}

WALK: Final = 20
"""objects that one walk of a list stands for: a row that is walked takes about a tenth of the time of one that is answered,
and few lists have more than some hundred rows."""
ROWS: Final = frozenset({"edges", "nodes", "pageInfo"})
"""The fields of a connection for which its rows are read."""
TOTAL: Final = "totalCount"

Variables: TypeAlias = Mapping[str, Any]
Cost: TypeAlias = int | Callable[[Variables], int]


def cost_of(document: DocumentNode, schema: PublicSchema) -> Cost:
    """Give the cost of the one operation in a valid document."""
    operation = definition_of(document)
    root = schema.served.get_root_type(operation.operation)
    return Costing(schema, fragments_of(document)).selection_set(operation.selection_set, root)


def amount(cost: Cost, variables: Variables) -> int:
    """Give the number, now that the variables are known."""
    return cost if isinstance(cost, int) else cost(variables)


class Costing:
    """One walk over a document, with the costs of its fragments so far; excess.py says how one could cost less."""

    def __init__(self, schema: PublicSchema, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
        self.schema = schema
        self.fragments = fragments
        self._known: dict[str, Cost] = {}
        self._named: dict[str, set[str]] = {}

    def selection_set(self, node: SelectionSetNode, parent: GraphQLNamedType | None) -> Cost:
        """Price what is selected of a type."""
        costs: list[Cost] = []
        for each in node.selections:
            if isinstance(each, FieldNode):
                costs.append(self._field(each, parent))
            elif isinstance(each, FragmentSpreadNode):
                costs.append(self._fragment(each.name.value))
            elif isinstance(each, InlineFragmentNode):
                on = each.type_condition
                costs.append(self.selection_set(each.selection_set, self.type(on.name.value) if on else parent))
        return _sum(costs)

    def type(self, name: str) -> GraphQLNamedType | None:
        """Give the type that a fragment names."""
        return self.schema.served.get_type(name)

    def _fragment(self, name: str) -> Cost:
        if name not in self._known:
            fragment = self.fragments[name]
            parent = self.type(fragment.type_condition.name.value)
            self._known[name] = self.selection_set(fragment.selection_set, parent)
        return self._known[name]

    def _field(self, node: FieldNode, parent: GraphQLNamedType | None) -> Cost:
        field = field_of(parent, node.name.value)
        if field is None or parent is None:  # __typename
            return 0
        coordinate = f"{parent.name}.{node.name.value}"
        type_ = get_named_type(field.type)
        weight = self.schema.weights.get(coordinate, 0 if is_leaf_type(type_) else 1)
        inner = self.selection_set(node.selection_set, type_) if node.selection_set else 0
        each = _sum([weight, inner])
        size = self.schema.list_sizes.get(coordinate)
        rows = each if size is None else self.rows(node, field, size, each)
        walks = self._walks(node) if size and type_.name in self.schema.connections else 0
        return _sum([rows, walks, *self._of_arguments(node, coordinate)])

    def rows(self, node: FieldNode, field: GraphQLField, size: ListSize, each: Cost) -> Cost:
        """Price the rows of a list, of which each costs so much."""
        return _product(length_of(node, field, size), each)

    def _of_arguments(self, node: FieldNode, coordinate: str) -> Iterator[Cost]:
        """Price the arguments that are marked: for each of their values."""
        for each in node.arguments or ():
            weight = self.schema.weights.get(f"{coordinate}({each.name.value}:)", 0)
            if weight:
                yield _product(_count_of(each.value), weight)

    def _walks(self, node: FieldNode) -> Cost:
        """Price what a connection walks beside the rows of its page."""
        asked = self._names(node.selection_set)
        walks = bool(asked & ROWS) + (TOTAL in asked)
        conditions = _sum([_conditions_of(each.value) for each in node.arguments or ()])
        return _product(WALK * walks, _sum([1, conditions]))

    def _names(self, node: SelectionSetNode | None) -> set[str]:
        """Name the fields of a selection, also those in its fragments."""
        names: set[str] = set()
        for each in node.selections if node else ():
            if isinstance(each, FieldNode):
                names.add(each.name.value)
            elif isinstance(each, FragmentSpreadNode):
                names |= self._names_of_fragment(each.name.value)
            elif isinstance(each, InlineFragmentNode):
                names |= self._names(each.selection_set)
        return names

    def _names_of_fragment(self, name: str) -> set[str]:
        if name not in self._named:
            self._named[name] = self._names(self.fragments[name].selection_set)
        return self._named[name]


def field_of(parent: GraphQLNamedType | None, name: str) -> GraphQLField | None:
    """Give a field of a type, also one of introspection; None for `__typename`."""
    if name in _INTROSPECTION:
        return _INTROSPECTION[name]
    return parent.fields.get(name) if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) else None


def _sum(costs: list[Cost]) -> Cost:
    known = sum(each for each in costs if isinstance(each, int))
    unknown = tuple(each for each in costs if not isinstance(each, int))
    if not unknown:
        return known
    return lambda variables: known + sum([each(variables) for each in unknown])


def _product(length: Cost, each: Cost) -> Cost:
    if isinstance(length, int) and isinstance(each, int):
        return length * each
    return lambda variables: amount(length, variables) * amount(each, variables)


def length_of(node: FieldNode, field: GraphQLField, size: ListSize) -> Cost:
    """Give the length of a list."""
    given = {each.name.value: each.value for each in node.arguments or ()}
    lengths: list[Cost] = []
    for name in size.slicing:
        if name in given:
            lengths.append(_length_of_value(given[name], size.assumed))
        elif name in field.args and (default := _default(field, name)) is not None:
            lengths.append(default)
    if not lengths:
        return size.assumed
    if len(lengths) == 1:
        return lengths[0]
    return lambda variables: max(amount(each, variables) for each in lengths)


def _default(field: GraphQLField, name: str) -> int | None:
    node = field.args[name].ast_node
    return int(node.default_value.value) if node and isinstance(node.default_value, IntValueNode) else None


def _length_of_value(node: ValueNode, assumed: int) -> Cost:
    if isinstance(node, IntValueNode):
        return max(0, int(node.value))
    if isinstance(node, ListValueNode):
        return len(node.values)
    if isinstance(node, VariableNode):
        name = node.name.value
        return lambda variables: _measured(variables.get(name), assumed)
    return assumed


def _measured(value: Any, assumed: int) -> int:
    if isinstance(value, list):
        return len(value)
    return max(0, value) if isinstance(value, int) else assumed


def _count_of(node: ValueNode) -> Cost:
    """Count the values of an argument: the items of a list, or one."""
    if isinstance(node, VariableNode):
        name = node.name.value
        return lambda variables: _count(variables.get(name))
    return len(node.values) if isinstance(node, ListValueNode) else 1


def _count(value: Any) -> int:
    return len(value) if isinstance(value, list) else int(value is not None)


def _conditions_of(node: ValueNode) -> Cost:
    """Count the input objects of an argument that have no object inside: comparisons, and keys of an order."""
    if isinstance(node, VariableNode):
        name = node.name.value
        return lambda variables: _conditions(variables.get(name))
    if isinstance(node, ListValueNode):
        return _sum([_conditions_of(each) for each in node.values])
    if isinstance(node, ObjectValueNode):
        inner = _sum([_conditions_of(each.value) for each in node.fields])
        return max(1, inner) if isinstance(inner, int) else lambda variables: max(1, inner(variables))
    return 0


def _conditions(value: Any) -> int:
    if isinstance(value, dict):
        return max(1, sum(map(_conditions, value.values())))
    return sum(map(_conditions, value)) if isinstance(value, list) else 0
