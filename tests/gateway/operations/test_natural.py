"""A front-end developer who writes no `first` is not refused: four lists inside one another pass, whichever lists they are.

The ways are found in the schema: from each field of the root over fields that are lists or single objects, no type twice, and at most
one single object between two lists. Each object is asked for its id, or else for a scalar that it has.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import pytest
from graphql import (
    GraphQLField,
    GraphQLNamedType,
    GraphQLObjectType,
    get_named_type,
    is_leaf_type,
    is_required_argument,
    parse,
)

from gateway.areas import product_sdl
from gateway.operations.cost import amount, cost_of
from gateway.operations.schema import PublicSchema, read_schema
from gateway.settings.settings import Limits
from tests.selection import sample

LISTS = 4
SHALLOW = {
    "alternatives", "availability", "causedBy", "causes", "counts", "inventoryDifferences", "inventoryFeeds", "lanes", "load",
    "mergedFrom", "parkedDeliveries", "parkedKeys", "search", "sharedSites", "sharedTrunks", "stretch", "tasks", "tiers"
}  # fmt: skip
"""Lists that lead to no four: to their own type, to scalars, or to an interface."""
GIVEN = {"id": '"x"', "of": '["x"]', "from": '"x"', "to": '"x"', "text": '"x"'}
"""What arguments without a default are given; a root field with others is left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One field on a way."""

    asked: str
    """with its arguments."""
    is_list: bool
    is_connection: bool


Way = tuple[Step, ...]


def ways(schema: PublicSchema) -> Iterator[Way]:
    """Give each way with four lists that ends in a list, or in an object of one."""
    root = schema.served.query_type
    assert root is not None
    yield from _ways(schema, root, frozenset({root.name}), lists=0, single=-1)


def _ways(
    schema: PublicSchema, parent: GraphQLObjectType, passed: frozenset[str], *, lists: int, single: int
) -> Iterator[Way]:
    for name, field in parent.fields.items():
        found = get_named_type(field.type)
        is_list = f"{parent.name}.{name}" in schema.list_sizes
        row, arguments = _row(schema, found), _arguments(field)
        of_single = 0 if is_list else single + 1
        if is_leaf_type(found) or name.startswith("_") or row.name in passed or arguments is None or of_single > 1:
            continue
        if lists + is_list > LISTS:
            continue
        step = Step(asked=name + arguments, is_list=is_list, is_connection=row is not found)
        if lists + is_list == LISTS:
            yield (step,)
        if isinstance(row, GraphQLObjectType):
            for rest in _ways(schema, row, passed | {row.name}, lists=lists + is_list, single=of_single):
                yield (step, *rest)


def _row(schema: PublicSchema, found: GraphQLNamedType) -> GraphQLNamedType:
    if found.name not in schema.connections:
        return found
    assert isinstance(found, GraphQLObjectType)
    row: GraphQLNamedType = get_named_type(found.fields["nodes"].type)
    return row


def _arguments(field: GraphQLField) -> str | None:
    needed = [name for name, each in field.args.items() if is_required_argument(each)]
    if not GIVEN.keys() >= set(needed):
        return None
    return f"({', '.join(f'{name}: {GIVEN[name]}' for name in needed)})" if needed else ""


def written(way: Way, rows: str = "nodes { id %s }") -> str:
    """Give the operation of a way; `__typename`, which is free, where there is nothing more to ask."""
    if not way:
        return "__typename"
    inner = written(way[1:], rows)
    return f"{way[0].asked} {{ {rows.replace('%s', inner) if way[0].is_connection else inner} }}"


@cache
def all_ways() -> tuple[Way, ...]:
    return tuple(ways(read_schema(product_sdl())))


def test_the_ways_meet_every_list_of_the_schema() -> None:
    schema = read_schema(product_sdl())
    assert len(all_ways()) > 1_000
    assert all(sum(each.is_list for each in way) == LISTS for way in all_ways())
    met = {each.asked.partition("(")[0] for way in all_ways() for each in way if each.is_list}
    lists = {name.partition(".")[2] for name in schema.list_sizes if not name.startswith(("_", "Query._"))}
    assert lists - met == SHALLOW


@pytest.mark.parametrize("rows", ["nodes { id %s }", "edges { cursor node { id %s } } pageInfo { endCursor }"])
def test_four_lists_inside_one_another_pass_with_default_pages(rows: str) -> None:
    schema, most = read_schema(product_sdl()), Limits().cost
    costs = {}
    for way in sample(all_ways(), 400, about="natural operations"):
        text = f"{{ {written(way, rows)} }}"
        costs[text] = amount(cost_of(parse(text, no_location=True), schema), {})
    assert {text: cost for text, cost in costs.items() if cost > most} == {}
