"""The gateway over the SDL that it really serves: what clients' tools ask, and what the marks in it promise."""

from __future__ import annotations

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
)

from gateway.areas import product_sdl
from gateway.errors import Refused
from gateway.operations.pipeline import GraphRequest, Pipeline
from gateway.operations.schema import PublicSchema, read_schema
from gateway.settings.settings import Settings
from graph.model.scope import Principal, Role
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
    return Pipeline(Served(sdl), Settings())


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
    assert {f"{mutation.name}.{name}" for name in mutation.fields} == set(schema.allowed_roles)


async def test_every_field_for_operators_is_refused_to_a_customer(schema: PublicSchema, pipeline: Pipeline) -> None:
    asked = 0
    for owner, name in (each.split(".") for each in sorted(schema.operator_only) if "(" not in each):
        type_ = schema.public.type_map[owner]
        if not isinstance(type_, GraphQLObjectType) or type_ is schema.public.query_type:
            continue
        if not {"Node"} & {each.name for each in type_.interfaces}:
            continue
        selection = "{ __typename }" if is_composite_type(get_named_type(type_.fields[name].type)) else ""
        text = f"{{ node(id: 1) {{ ... on {owner} {{ x: {name} {selection} }} }} }}"
        with pytest.raises(Refused) as refused:
            await pipeline.prepare(request(text), CUSTOMER)
        assert refused.value.problems[0].code == "FORBIDDEN", text
        asked += 1
    assert asked
