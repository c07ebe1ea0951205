"""Every scalar that the schema takes, in every place, with what is no value of it: 400 by the variable's name, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    get_named_type,
    is_leaf_type,
    is_required_input_field,
)

from gateway.areas import BANDWIDTH, BILLING, KNOWLEDGE, LEDGER, TICKETING, federation_of, product_sdl
from gateway.errors import Refused
from gateway.federation.subgraph import Subgraph
from gateway.federation.supergraph import Graph
from gateway.operations.pipeline import GraphRequest, Pipeline
from gateway.operations.schema import read_schema
from gateway.preparing.cache import SharedCache
from gateway.preparing.new_work import UNMETERED, NewWork
from gateway.preparing.preparing import Preparing
from gateway.settings.settings import Limits, Settings
from graph.changes.bandwidth.policy import BandwidthPolicy
from graph.changes.policy import AlarmPolicy
from graph.model.scope import Principal, Role
from graph.store.store import Store
from resolvers.bandwidth.subgraph import BandwidthSubgraph
from resolvers.billing.subgraph import BillingSubgraph
from resolvers.knowledge.subgraph import KnowledgeSubgraph
from resolvers.ledger.subgraph import LedgerSubgraph
from resolvers.ticketing.subgraph import TicketingSubgraph
from tests.selection import is_full

OPERATOR = Principal(subject="operator", role=Role.OPERATOR)
SCHEMA = read_schema(product_sdl()).public

WRONG: dict[str, tuple[Any, ...]] = {
    "Int": ("1", 1.5, True, [1], [], {"a": 1}, 2**31, "x" * 10_000),
    "Float": ("1.5", True, [1.5], [], {"a": 1}),
    "String": (1, 1.5, True, ["a"], [], {"a": 1}),
    "Boolean": (1, 1.5, "true", [True], [], {"a": 1}),
    "ID": (1.5, True, ["a"], [], {"a": 1}),
    "DateTime": (
        *(1_700_000_000, 1.5, True, ["2026-01-01T00:00:00Z"], [], {"a": 1}),
        *("", "noon", "2026-02-30T00:00:00Z", "2026-01-01T00:00:00", "2026-01-01", "9" * 10_000),
    ),
    "BigInt": (1.5, True, ["1"], [], {"a": 1}, "", "1.5", " 1 ", "0_1", "x", str(2**63), 2**63, "1" * 10_000, "٣"),
}
WRONG_WORDS: tuple[Any, ...] = (1, 1.5, True, [], {"a": 1}, "", "NO_SUCH_WORD")


@dataclass(frozen=True)
class Place:
    """A scalar in an argument of a root field."""

    field: str
    scalar: str
    """its name, for an id of a test."""
    query: str
    declared: str

    def wrong(self) -> tuple[Any, ...]:
        return WRONG.get(self.scalar, WRONG_WORDS)


def leaves(type_: GraphQLInputType, around: str, seen: tuple[str, ...] = ()) -> Iterator[tuple[str, GraphQLInputType]]:
    """Give each leaf that a value can hold: the literal with `$v` in its place, and the type there."""
    bare = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
    if isinstance(bare, GraphQLList):
        if is_leaf_type(get_named_type(bare)):
            yield around % "[$v]", bare.of_type
        else:
            yield from leaves(bare.of_type, around, seen)
    elif isinstance(bare, GraphQLInputObjectType):
        if bare.name in seen:
            return
        for name, each in bare.fields.items():
            others = "".join(
                f", {other}: {first_word(given.type)}"
                for other, given in bare.fields.items()
                if other != name and is_required_input_field(given)
            )
            inner = around.replace("%s", "{" + f"{name}: %s{others}" + "}")
            yield from leaves(each.type, inner, (*seen, bare.name))
    else:
        yield around % "$v", type_


def first_word(type_: GraphQLInputType) -> str:
    named = get_named_type(type_)
    if isinstance(named, GraphQLInputObjectType):
        needed = {name: each for name, each in named.fields.items() if is_required_input_field(each)}
        return "{" + ", ".join(f"{name}: {first_word(each.type)}" for name, each in needed.items()) + "}"
    if isinstance(named, GraphQLEnumType):
        word: str = next(iter(named.values))
        return word
    words = {"Int": "1", "Float": "1", "Boolean": "true", "DateTime": '"2026-01-01T00:00:00Z"'}
    return words.get(named.name, '"1"')


def places(root: GraphQLObjectType, kind: str) -> Iterator[Place]:
    for name, field in root.fields.items():
        named = get_named_type(field.type)
        selected = "" if is_leaf_type(named) else " { __typename }"
        for argument, given in field.args.items():
            others = "".join(
                f"{other}: {first_word(one.type)} "
                for other, one in field.args.items()
                if other != argument and isinstance(one.type, GraphQLNonNull)
            )
            for literal, type_ in leaves(given.type, "%s"):
                query = f"{kind} ($v: {type_}) {{ {name}({argument}: {literal} {others}){selected} }}"
                yield Place(name, get_named_type(type_).name, query, str(type_))


def all_places() -> list[Place]:
    roots = [(SCHEMA.query_type, "query"), (SCHEMA.mutation_type, "mutation")]
    return [each for root, kind in roots if root for each in places(root, kind)]


def chosen() -> list[Place]:
    """Each kind of scalar once in each root field; all of them where nothing is sampled."""
    if is_full():
        return all_places()
    kept: dict[tuple[str, str], Place] = {}
    for each in all_places():
        kept.setdefault((each.field, each.scalar), each)
    return list(kept.values())


@pytest.fixture(scope="module")
def product(store: Store) -> Iterator[Pipeline]:
    areas: Mapping[Graph, Subgraph] = {
        KNOWLEDGE: KnowledgeSubgraph(store, b"s" * 32, AlarmPolicy()),
        LEDGER: LedgerSubgraph(),
        TICKETING: TicketingSubgraph("", seconds=5.0),
        BILLING: BillingSubgraph(seconds=0.0),
        BANDWIDTH: (bandwidth := BandwidthSubgraph(BandwidthPolicy(), quotes_per_minute=UNMETERED)),
    }
    preparing = Preparing(cache=SharedCache(100_000_000), new_work=NewWork(UNMETERED))
    settings = Settings(limits=Limits(new_documents_per_minute=UNMETERED))
    with bandwidth.reading(store, b"s" * 32):
        yield Pipeline(federation_of(areas, settings, preparing), settings, preparing=preparing)


async def told(product: Pipeline, query: str, value: Any) -> list[tuple[str, str]]:
    request = GraphRequest(query=query, variables={"v": value}, operation_name=None, queries_only=False)
    prepared = await product.prepare(request, OPERATOR)
    try:
        answer = await product.answer(prepared, request, OPERATOR, time.monotonic() + 30)
    except Refused as refused:
        return [(each.code.value, each.message) for each in refused.problems]
    assert "data" not in answer, f"{query} took {value!r}"
    return [(each["extensions"]["code"], each["message"]) for each in answer["errors"]]


def test_the_places_are_many_and_of_all_kinds() -> None:
    assert {each.scalar for each in all_places()} >= set(WRONG)
    assert len(all_places()) > 500


@pytest.mark.sampled(4)
@pytest.mark.parametrize("scalar", [*WRONG, "words"])
async def test_what_is_no_value_of_a_scalar_is_a_request_error_that_names_the_variable(
    product: Pipeline, scalar: str
) -> None:
    asked = [each for each in chosen() if (each.scalar if each.scalar in WRONG else "words") == scalar]
    assert asked
    for place in asked:
        for value in place.wrong():
            for code, message in await told(product, place.query, value):
                assert code == "BAD_USER_INPUT", (place.query, value, message)
                assert "'$v'" in message, (place.query, value, message)
                assert len(message) < 500, (place.query, len(message))
