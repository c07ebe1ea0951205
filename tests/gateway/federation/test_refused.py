"""What a client must not get, whatever a supergraph has and a subgraph says: subscriptions, and types that are hidden."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from graphql import parse
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gateway.federation.federation import Federation
from gateway.federation.planning import Budget
from gateway.federation.subgraph import Operation
from gateway.federation.supergraph_sdl import read_supergraph
from graph.model.scope import Principal, Role
from tests.gateway.federation.conftest import Subgraphs, gateway

SUPERGRAPH = """
schema
  @link(url: "https://specs.apollo.dev/link/v1.0")
  @link(url: "https://specs.apollo.dev/join/v0.5", for: EXECUTION)
  @link(url: "https://specs.apollo.dev/inaccessible/v0.2", as: "hidden", for: SECURITY)
{ query: Query subscription: Subscription }
enum join__Graph { A @join__graph(name: "a", url: "{base}/a") }
directive @tone(of: String!) on FIELD
directive @trace(id: String) on QUERY
type Query @join__type(graph: A) { alarms: String  thing: Thing  things: [Thing!]  node: Node }
type Subscription @join__type(graph: A) { alarms: String  raised: String }
interface Node @join__type(graph: A) { a: String }
type Seen implements Node @join__type(graph: A) @join__implements(graph: A, interface: "Node") { a: String }
type Secret implements Node @join__type(graph: A) @join__implements(graph: A, interface: "Node") @hidden { a: String }
union Thing @join__type(graph: A) @join__unionMember(graph: A, member: "Seen") @join__unionMember(graph: A, member: "Secret")
  = Seen | Secret
"""
SUBSCRIPTIONS = [
    "subscription { alarms }",
    "subscription S { raised }",
    "subscription { x: alarms }",
    "subscription { ...F } fragment F on Subscription { alarms }",
    "subscription { ... on Subscription { alarms } }",
    "query Q { alarms } subscription S { alarms }",
    "subscription { __typename }",
    "subscription { alarms raised }",
]


@pytest.fixture
async def client(subgraphs: Subgraphs, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    path = tmp_path / "supergraph.graphql"
    path.write_text(SUPERGRAPH.replace("{base}", subgraphs.base))
    async with gateway(path) as found:
        yield found


async def send(client: httpx.AsyncClient, query: str, **more: Any) -> httpx.Response:
    headers = {"accept": "application/graphql-response+json"}
    return await client.post("/graphql", json={"query": query, **more}, headers=headers)


@pytest.mark.parametrize("query", SUBSCRIPTIONS)
async def test_a_subscription_is_refused_and_nobody_is_asked(
    client: httpx.AsyncClient, subgraphs: Subgraphs, query: str
) -> None:
    response = await send(client, query, operationName="S" if " S " in query else None)
    assert response.status_code == 400
    assert "data" not in response.json()
    assert response.json()["errors"]
    assert subgraphs.asked == []


async def test_a_subscription_by_get_is_refused_and_a_query_beside_it_runs(
    client: httpx.AsyncClient, subgraphs: Subgraphs
) -> None:
    both = "query Q { alarms } subscription S { alarms }"
    got = await client.get(
        "/graphql", params={"query": both, "operationName": "S"}, headers={"graphql-preflight": "1", "accept": "*/*"}
    )
    assert (got.json().get("data"), got.json()["errors"][0]["message"]) == (None, "Subscriptions are not served.")
    assert subgraphs.asked == []

    async def alarms(_: Request, __: dict[str, Any]) -> Response:
        return JSONResponse({"data": {"alarms": "one"}})

    subgraphs.behaviours["a"] = alarms
    assert (await send(client, both, operationName="Q")).json() == {"data": {"alarms": "one"}}


async def test_the_engine_plans_no_subscription() -> None:
    federation = Federation(read_supergraph(SUPERGRAPH), {}, budget=Budget(), share=True)
    for query in SUBSCRIPTIONS[:5]:
        operation = Operation(key=query, document=parse(query), name=None)
        caller = Principal(subject="engine", role=Role.OPERATOR)
        answer = await federation.execute(operation, {}, caller, time.monotonic() + 9)
        assert answer["errors"][0]["extensions"]["code"] == "NOT_PLANNED"
        assert "data" not in answer


@pytest.mark.parametrize(
    ("query", "sent", "data"),
    [
        ("{ thing { __typename } }", {"thing": {"__typename": "Secret"}}, {"thing": None}),
        ("{ thing { ... on Seen { a } } }", {"thing": {"__typename": "Secret", "a": "s3cret"}}, {"thing": None}),
        ("{ node { __typename a } }", {"node": {"__typename": "Secret", "a": "s3cret"}}, {"node": None}),
        (
            "{ things { ... on Seen { a } } }",
            {"things": [{"__typename": "Seen", "a": "x"}, {"__typename": "Secret"}]},
            {"things": None},
        ),
    ],
)
async def test_an_object_of_a_hidden_type_is_null_and_its_type_is_not_named(
    client: httpx.AsyncClient, subgraphs: Subgraphs, query: str, sent: Any, data: Any
) -> None:
    async def hidden(_: Request, __: dict[str, Any]) -> Response:
        return JSONResponse({"data": sent})

    subgraphs.behaviours["a"] = hidden
    response = await send(client, query)
    assert response.json()["data"] == data
    assert len(response.json()["errors"]) == 1
    assert "ecret" not in response.text


async def test_a_directive_reaches_the_subgraph_and_must_be_right(
    client: httpx.AsyncClient, subgraphs: Subgraphs
) -> None:
    async def alarms(_: Request, __: dict[str, Any]) -> Response:
        return JSONResponse({"data": {"alarms": "one"}})

    subgraphs.behaviours["a"] = alarms
    await send(client, "query($t: String!) { alarms @tone(of: $t) }", variables={"t": "soft"})
    ((_, body, _),) = subgraphs.asked
    assert body["query"] == "query($t: String!) { alarms @tone(of: $t) }"
    assert body["variables"] == {"t": "soft"}
    beside = 'query($i: String) @trace(id: $i) { alarms __type(name: "Query") { name } }'
    assert (await send(client, beside, variables={"i": "7"})).json() == {
        "data": {"alarms": "one", "__type": {"name": "Query"}}
    }
    assert subgraphs.asked[-1][1]["query"] == "query($i: String) @trace(id: $i) { alarms }"
    assert (await send(client, "{ alarms @tone }")).status_code == 400
    assert (await send(client, "{ alarms @other }")).status_code == 400
    shown = await send(client, "{ __schema { directives { name } } }")
    assert "tone" in {each["name"] for each in shown.json()["data"]["__schema"]["directives"]}
