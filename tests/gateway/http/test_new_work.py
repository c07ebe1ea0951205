"""New work over HTTP: it waits in its thread, and neither the deadline nor anybody else waits with it."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from adapters.endpoint.errors import refusal_in
from gateway.app import _Northbound
from gateway.auth.keys import key_rings
from gateway.auth.tokens import Tokens
from gateway.http.endpoint import GraphQLEndpoint
from gateway.http.middleware import middleware
from gateway.http.streams import OpenStreams
from gateway.operations.pipeline import Pipeline
from gateway.operations.pressure import Pressure
from gateway.preparing.preparing import Preparing
from gateway.settings.settings import Settings
from gateway.telemetry.metrics import Metrics
from graph.model.scope import Principal, Role
from tests.gateway.conftest import Mint, serving
from tests.gateway.subgraph import DictSubgraph

LARGE = "{ hello } #" + "x" * 2_000


@pytest.mark.parametrize("query", [LARGE, "{ __schema { types { name } } }"], ids=["a document", "introspection"])
async def test_the_deadline_ends_the_wait_for_new_work_and_others_do_not_wait(
    hasty: Settings, mint: Mint, query: str
) -> None:
    preparing = Preparing.of(hasty.limits)
    endpoint = GraphQLEndpoint(
        Pipeline(DictSubgraph(), hasty, preparing=preparing), hasty, OpenStreams(hasty.streams, Metrics())
    )
    tokens = Tokens(hasty.issuers, key_rings(hasty.issuers), hasty.sources)
    app = Starlette(routes=[Route("/graphql", middleware(endpoint, hasty, tokens, Metrics()))])
    until = threading.Event()
    preparing.new_work._thread.submit(until.wait, 20)  # somebody else's work, which takes long
    try:
        async with serving(app, hasty) as client:
            late = await client.post("/graphql", json={"query": query}, headers=mint.bearer())
            soon = await client.post("/graphql", json={"query": "{ hello }"}, headers=mint.bearer())
            until.set()
            then = await client.post("/graphql", json={"query": query}, headers=mint.bearer())
    finally:
        until.set()
    assert (late.status_code, late.json()["errors"][0]["extensions"]["code"]) == (504, "DEADLINE_EXCEEDED")
    assert (soon.status_code, soon.json()) == (200, {"data": {"hello": "hello world"}})
    assert (then.status_code, "errors" in then.json()) == (200, False)


async def test_the_deadline_ends_the_wait_of_the_other_endpoints_as_well(settings: Settings) -> None:
    """TM Forum's endpoints ask the graph by documents of their own, which are new work like any."""
    preparing = Preparing.of(settings.limits)
    northbound = _Northbound(settings, Pressure(0.0, Metrics()))
    northbound.pipeline = Pipeline(DictSubgraph(), settings, preparing=preparing)
    principal = Principal(subject="ems", role=Role.ANALYST)
    until = threading.Event()
    preparing.new_work._thread.submit(until.wait, 20)  # somebody else's work, which takes long
    try:
        begun = time.monotonic()
        late = await asyncio.wait_for(northbound.ask(LARGE, {}, principal, begun + 0.1), 10)
        until.set()
        then = await northbound.ask(LARGE, {}, principal, time.monotonic() + 30)
    finally:
        until.set()
    assert [each["extensions"]["code"] for each in late["errors"]] == ["DEADLINE_EXCEEDED"]
    assert refusal_in(late["errors"]).status == 504
    assert then == {"data": {"hello": "hello world"}}
