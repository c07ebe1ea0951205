"""New work over HTTP: it waits in its thread, and neither the deadline nor anybody else waits with it."""

from __future__ import annotations

import threading

import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from gateway.auth.keys import key_rings
from gateway.auth.tokens import Tokens
from gateway.http.endpoint import GraphQLEndpoint
from gateway.http.middleware import middleware
from gateway.operations.pipeline import Pipeline
from gateway.preparing.preparing import Preparing
from gateway.settings.settings import Settings
from gateway.telemetry.metrics import Metrics
from tests.gateway.conftest import Mint, serving
from tests.gateway.subgraph import DictSubgraph

LARGE = "{ hello } #" + "x" * 2_000


@pytest.mark.parametrize("query", [LARGE, "{ __schema { types { name } } }"], ids=["a document", "introspection"])
async def test_the_deadline_ends_the_wait_for_new_work_and_others_do_not_wait(
    settings: Settings, mint: Mint, query: str
) -> None:
    preparing = Preparing.of(settings.limits)
    endpoint = GraphQLEndpoint(Pipeline(DictSubgraph(), settings, preparing=preparing), settings)
    tokens = Tokens(settings.issuers, key_rings(settings.issuers), settings.sources)
    app = Starlette(routes=[Route("/graphql", middleware(endpoint, settings, tokens, Metrics()))])
    until = threading.Event()
    preparing.new_work._thread.submit(until.wait, 20)  # somebody else's work, which takes long
    try:
        async with serving(app, settings) as client:
            late = await client.post("/graphql", json={"query": query}, headers=mint.bearer())
            soon = await client.post("/graphql", json={"query": "{ hello }"}, headers=mint.bearer(), timeout=0.9)
            until.set()
            then = await client.post("/graphql", json={"query": query}, headers=mint.bearer())
    finally:
        until.set()
    assert (late.status_code, late.json()["errors"][0]["extensions"]["code"]) == (504, "DEADLINE_EXCEEDED")
    assert (soon.status_code, soon.json()) == (200, {"data": {"hello": "hello world"}})
    assert (then.status_code, "errors" in then.json()) == (200, False)
