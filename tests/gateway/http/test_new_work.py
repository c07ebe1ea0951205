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
    settings: Settings, mint: Mint, query: str
) -> None:
    preparing = Preparing.of(settings.limits)

    def app(settings: Settings) -> Starlette:
        pipeline = Pipeline(DictSubgraph(), settings, preparing=preparing)
        endpoint = GraphQLEndpoint(pipeline, settings, OpenStreams(settings.streams, Metrics()))
        tokens = Tokens(settings.issuers, key_rings(settings.issuers), settings.sources)
        return Starlette(routes=[Route("/graphql", middleware(endpoint, settings, tokens, Metrics()))])

    hurried = settings.model_copy(update={"deadline_seconds": 0.5})
    until = threading.Event()
    preparing.new_work._thread.submit(until.wait, 90)  # somebody else's work, which takes long
    try:
        async with serving(app(hurried), hurried) as pressed, serving(app(settings), settings) as client:
            late = await pressed.post("/graphql", json={"query": query}, headers=mint.bearer(), timeout=60)
            soon = await client.post("/graphql", json={"query": "{ hello }"}, headers=mint.bearer(), timeout=60)
            until.set()
            then = await client.post("/graphql", json={"query": query}, headers=mint.bearer(), timeout=60)
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
