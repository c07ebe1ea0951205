"""The gateway over the SDL that it really serves: what clients' tools ask, and what the marks in it promise."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from graphql import (
    GraphQLInterfaceType,
    GraphQLObjectType,
    get_introspection_query,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_list_type,
    is_required_argument,
)

from gateway.areas import product_sdl
from gateway.errors import Code, Refused
from gateway.operations.cost import WALK, amount
from gateway.operations.pipeline import GraphRequest, Pipeline
from gateway.operations.schema import PublicSchema, read_schema
from gateway.settings.settings import Limits, Settings
from graph.model.scope import CLAIMABLE, Principal, Role
from tests.gateway.subgraph import DictSubgraph

CUSTOMER = Principal(subject="customer", role=Role.CUSTOMER, customers=("customer-1",))


@pytest.fixture(scope="module")
def sdl() -> str:
    return product_sdl()


@pytest.fixture(scope="module")
def schema(sdl: str) -> PublicSchema:
    return read_schema(sdl)


class Served(DictSubgraph):
    """Never asked: only its SDL counts."""

    def __init__(self, sdl: str) -> None:
        super().__init__()
        self.sdl = sdl


@pytest.fixture(scope="module")
def pipeline(sdl: str) -> Pipeline:
    return Pipeline(Served(sdl), Settings(limits=Limits(new_documents_per_minute=10_000)))


def request(query: str) -> GraphRequest:
    return GraphRequest(query=query, variables={}, operation_name=None, queries_only=True)


@pytest.mark.parametrize(
    "more", [{}, {"input_value_deprecation": True, "specified_by_url": True, "schema_description": True}]
)
async def test_a_tools_introspection_query_is_answered_within_the_limits(
    pipeline: Pipeline, more: dict[str, bool]
) -> None:
    asked = request(get_introspection_query(**more))
    answer = await pipeline.answer(await pipeline.prepare(asked, CUSTOMER), asked, CUSTOMER, 0.0)
    names = {each["name"] for each in orjson.loads(orjson.dumps(answer))["data"]["__schema"]["types"]}
    assert {"Customer", "Service", "Trunk"} <= names


CONTAINS = '{name: {contains: "0"}}'


@pytest.mark.parametrize(
    ("query", "cost"),
    [
        pytest.param("{ services(first: 10) { nodes { name } } }", 10 * 2 + WALK, id="a page walks its list"),
        pytest.param(
            "{ services(first: 10) { pageInfo { hasNextPage } } }", 10 * 2 + WALK, id="also for pageInfo alone"
        ),
        pytest.param("{ services(first: 0) { nodes { name } } }", WALK, id="however few rows it has"),
        pytest.param("{ services(first: 0) { totalCount } }", WALK, id="so does a total"),
        pytest.param("{ services(first: 1) { totalCount nodes { name } } }", 2 + 2 * WALK, id="and both are two walks"),
        pytest.param(
            "{ services(first: 0) { ...T ... on ServiceConnection { nodes { name } } } }"
            " fragment T on ServiceConnection { total: totalCount }",
            2 * WALK,
            id="in fragments too",
        ),
        pytest.param(
            f"{{ services(first: 0, filter: {CONTAINS}) {{ totalCount }} }}", 2 * WALK, id="a filter is compared"
        ),
        pytest.param(
            f"{{ services(first: 0, filter: {{or: [{CONTAINS}, {CONTAINS}, {{not: {CONTAINS}}}]}}) {{ totalCount }} }}",
            4 * WALK,
            id="each comparison of it",
        ),
        pytest.param(
            "{ services(first: 0, orderBy: [{field: NAME}, {field: ID}]) { nodes { name } } }",
            3 * WALK,
            id="each key of an order is compared",
        ),
        pytest.param(
            "{ services(first: 100) { nodes {"
            " tickets(first: 0, filter: {severity: {eq: CRITICAL}}) { totalCount } } } }",
            4_220,
            id="as the documentation says",
        ),
        pytest.param(
            "{ services(first: 3) { nodes { customer { services(first: 0) { totalCount } } } } }",
            3 * (1 + 1 + 1 + WALK) + WALK,
            id="lists in lists multiply their walks",
        ),
    ],
)
async def test_a_connection_is_priced_by_what_it_walks(sdl: str, query: str, cost: int) -> None:
    gates = Pipeline(Served(sdl), Settings())
    prepared = await gates.prepare(request(query), CUSTOMER)
    assert amount(prepared.cost, {}) == cost


async def test_a_filter_in_a_variable_costs_what_it_costs_in_the_text(pipeline: Pipeline) -> None:
    query = """query ($f: ServiceFilter, $s: String) {
      services(first: 0, filter: {and: [{not: $f}, {name: {contains: $s}}]}) { totalCount } }"""
    prepared = await pipeline.prepare(request(query), CUSTOMER)
    two: dict[str, Any] = {"or": [{"name": {"contains": "0"}}, {"state": {"in": ["ACTIVE"]}}]}
    assert amount(prepared.cost, {"f": two, "s": "x"}) == 4 * WALK
    assert amount(prepared.cost, {"f": None, "s": "x"}) == 3 * WALK


async def test_a_small_document_that_walks_a_customers_services_millions_of_times_is_refused(
    pipeline: Pipeline,
) -> None:
    totals = " ".join(f"a{n}: services(first: 0, filter: {CONTAINS}) {{ totalCount }}" for n in range(90))
    nested = f"{{ services(first: 600) {{ nodes {{ customer {{ {totals} }} }} }} }}"
    deep = "totalCount"
    for _ in range(4):
        deep = f"nodes {{ customer {{ services(first: 12) {{ {deep} }} }} }}"
    for query in (nested, f"{{ services(first: 12) {{ {deep} }} }}"):
        asked = request(query)
        with pytest.raises(Refused) as refused:
            await pipeline.answer(await pipeline.prepare(asked, CUSTOMER), asked, CUSTOMER, 0.0)
        assert refused.value.problems[0].code is Code.COST_LIMIT_EXCEEDED


def test_every_list_of_objects_says_how_long_it_is(schema: PublicSchema) -> None:
    unbounded = [
        f"{type_.name}.{name}"
        for type_ in schema.public.type_map.values()
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType) and not type_.name.startswith("__")
        for name, field in type_.fields.items()
        if is_list_type(get_nullable_type(field.type)) and is_composite_type(get_named_type(field.type))
        if f"{type_.name}.{name}" not in schema.list_sizes
        if name != "userErrors"  # as many as a change has arguments
        # A connection's own two lists are as long as the field that gives the connection says.
        if not (type_.name.endswith("Connection") and name in {"edges", "nodes"})
    ]
    assert unbounded == []


def test_every_connection_says_how_long_it_is(schema: PublicSchema) -> None:
    silent = [
        f"{type_.name}.{name}"
        for type_ in schema.public.type_map.values()
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType)
        for name, field in type_.fields.items()
        if get_named_type(field.type).name.endswith("Connection")
        if f"{type_.name}.{name}" not in schema.list_sizes
    ]
    assert silent == []


def test_every_mutation_names_its_roles(schema: PublicSchema) -> None:
    mutation = schema.public.mutation_type
    assert mutation is not None
    assert {f"{mutation.name}.{name}" for name in mutation.fields} == set(schema.allowed)
    by_claim = {
        each.claim or name.partition(".")[2]: each.by_claim for name, each in schema.allowed.items() if each.by_claim
    }
    assert by_claim.keys() == set(CLAIMABLE)
    assert set(by_claim.values()) == {frozenset({"customer"})}


async def test_every_field_for_operators_is_refused_to_a_customer(schema: PublicSchema, pipeline: Pipeline) -> None:
    asked = 0
    for owner, name in (each.split(".") for each in sorted(schema.operator_only) if "(" not in each):
        type_ = schema.public.type_map[owner]
        if not isinstance(type_, GraphQLObjectType) or type_ is schema.public.query_type:
            continue
        if not {"Node"} & {each.name for each in type_.interfaces}:
            continue
        if any(map(is_required_argument, type_.fields[name].args.values())):
            continue  # of headroom: tests/resolvers/bandwidth/test_capacity.py
        selection = "{ __typename }" if is_composite_type(get_named_type(type_.fields[name].type)) else ""
        text = f"{{ node(id: 1) {{ ... on {owner} {{ x: {name} {selection} }} }} }}"
        with pytest.raises(Refused) as refused:
            await pipeline.prepare(request(text), CUSTOMER)
        assert refused.value.problems[0].code == "FORBIDDEN", text
        asked += 1
    assert asked
