"""Who is told that an operation costs too much must learn which list to cut, and to which page.

The cost is linear in the length of each list: a list is never inside of itself. So one walk upwards (the costs of the rows)
and one downwards (how often each list is asked) give, for each list, the longest page with which the whole would pass. The
list that can keep most of its page is named. Where no list alone is enough, it is one page for all of them.

It is work that refused callers cause, so it is metered like new work; an operation has at most `limits.fields` fields.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLNamedType,
    InlineFragmentNode,
    SelectionSetNode,
    get_named_type,
    get_nullable_type,
    is_list_type,
)

from gateway.operations.cost import Cost, Costing, Variables, amount, field_of, length_of
from gateway.operations.schema import ListSize, PublicSchema
from gateway.syntax import definition_of, fragments_of

LONGEST_PATH: Final = 200
"""characters of a path that is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What is told beside the cost."""

    where: str
    """the end of a sentence: which list; empty where there is none."""
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _List:
    """A list of an operation."""

    path: tuple[str, ...]
    argument: str
    """that says how long it is."""
    of_values: bool
    """whether that is a list itself, such as one of ids."""
    length: int
    rows: int
    """in the whole answer,"""
    cost: int
    """and theirs together."""

    def passing(self, total: int, most: int) -> int:
        """Give how long it may be for the whole to pass; less than 1 where it cannot pass by this list alone."""
        return self.length * (most - total + self.cost) // self.cost if self.cost else 0


def advise(document: DocumentNode, schema: PublicSchema, variables: Variables, most: int) -> Advice:
    """Say how a valid operation that costs more than `most` could pass."""
    weighing = _Weighing(document, schema, variables)
    total, lists = weighing.total(), weighing.lists()
    fitting = [each for each in lists if 1 <= each.passing(total, most) < each.length]
    if fitting:
        chosen = max(fitting, key=lambda each: (each.passing(total, most) / each.length, len(each.path)))
        return _cut(chosen, chosen.passing(total, most))
    return _cut_all(document, schema, variables, most, longest=max((each.length for each in lists), default=0))


def _cut(chosen: _List, page: int) -> Advice:
    name = ".".join(chosen.path)[:LONGEST_PATH]
    if chosen.of_values:
        where = f": `{name}` is asked for {chosen.length} `{chosen.argument}`"
        return Advice(where=where, hint=f"With {page} of them it would pass: ask in several operations.")
    where = f": the list `{name}` has up to {chosen.length} rows, {chosen.rows} in all"
    return Advice(where=where, hint=f"With `{name}({chosen.argument}: {page})` it would pass; page on with the cursor.")


def _cut_all(document: DocumentNode, schema: PublicSchema, variables: Variables, most: int, longest: int) -> Advice:
    page = bisect_right(
        range(1, longest + 1), most, key=lambda each: _Weighing(document, schema, variables, each).total()
    )
    if page:
        return Advice(
            where="", hint=f"With pages of {page} in all of its lists it would pass, such as `first: {page}`."
        )
    return Advice(where="", hint="Ask for fewer nested lists, or in several operations.")


class _Weighing(Costing):
    """The costs of one operation whose variables are known, and of each of its lists."""

    def __init__(
        self, document: DocumentNode, schema: PublicSchema, variables: Variables, longest: int | None = None
    ) -> None:
        """Take no page to be longer than `longest`."""
        super().__init__(schema, fragments_of(document))
        self._operation = definition_of(document)
        self._root = schema.served.get_root_type(self._operation.operation)
        self._variables = variables
        self._longest = longest
        self._of_rows: dict[int, tuple[int, int]] = {}
        """by the id of a field: its length, and the cost of a row."""

    def total(self) -> int:
        """Give the cost of the whole."""
        return amount(self.selection_set(self._operation.selection_set, self._root), self._variables)

    def rows(self, node: FieldNode, field: GraphQLField, size: ListSize, each: Cost) -> Cost:
        """Price the rows of a list, and note what that is made of."""
        length = amount(length_of(node, field, size), self._variables)
        if self._longest is not None and _argument(node, field, size):
            length = min(length, self._longest)
        cost = amount(each, self._variables)
        self._of_rows[id(node)] = length, cost
        return length * cost

    def lists(self) -> list[_List]:
        """Give the lists whose length an argument says, once the total is known."""
        found: dict[int, _List] = {}
        for node, each in self._lists(self._operation.selection_set, self._root, 1, ()):
            known = found.get(node)
            if known:
                each = replace(known, rows=known.rows + each.rows, cost=known.cost + each.cost)  # noqa: PLW2901
            found[node] = each
        return list(found.values())

    def _lists(
        self, selected: SelectionSetNode, parent: GraphQLNamedType | None, times: int, path: tuple[str, ...]
    ) -> Iterator[tuple[int, _List]]:
        for each in selected.selections:
            if isinstance(each, FieldNode):
                yield from self._below(each, parent, times, path)
            elif isinstance(each, FragmentSpreadNode):
                fragment = self.fragments[each.name.value]
                on = self.type(fragment.type_condition.name.value)
                yield from self._lists(fragment.selection_set, on, times, path)
            elif isinstance(each, InlineFragmentNode):
                condition = each.type_condition
                on = self.type(condition.name.value) if condition else parent
                yield from self._lists(each.selection_set, on, times, path)

    def _below(
        self, node: FieldNode, parent: GraphQLNamedType | None, times: int, path: tuple[str, ...]
    ) -> Iterator[tuple[int, _List]]:
        field = field_of(parent, node.name.value)
        if field is None or parent is None or node.selection_set is None:
            return
        place = (*path, (node.alias or node.name).value)
        size = self.schema.list_sizes.get(f"{parent.name}.{node.name.value}")
        if size is not None:
            length, cost = self._of_rows[id(node)]
            times *= length
            argument = _argument(node, field, size)
            if argument:
                of_values = is_list_type(get_nullable_type(field.args[argument].type))
                yield (
                    id(node),
                    _List(
                        path=place,
                        argument=argument,
                        of_values=of_values,
                        length=length,
                        rows=times,
                        cost=times * cost,
                    ),
                )
        yield from self._lists(node.selection_set, get_named_type(field.type), times, place)


def _argument(node: FieldNode, field: GraphQLField, size: ListSize) -> str:
    """Name the argument by which a list can be cut: one that is given, else the first that could be; empty where none can."""
    given = {each.name.value for each in node.arguments or ()}
    possible = [name for name in size.slicing if name in field.args]
    return next((name for name in possible if name in given), possible[0] if possible else "")
