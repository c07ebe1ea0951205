"""The endpoint as a gateway has it: the same gates and compiled reads behind it, the same middleware round it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.routing import Mount, Route, Router
from starlette.types import Scope

from adapters.endpoint.edge import Edge
from adapters.endpoint.errors import body_of
from adapters.fault_management.inbound import notifications
from adapters.fault_management.inbound.alarms import BASE, alarm_routes
from adapters.ticketing import inbound as tickets
from adapters.webhooks.outward import Rules
from gateway.auth.keys import key_rings
from gateway.auth.tokens import Tokens
from gateway.errors import Refused, printed
from gateway.exchange import exchange_of
from gateway.http.middleware import middleware
from gateway.http.response import RefuseWith
from gateway.operations.pipeline import GraphRequest, Pipeline
from gateway.settings.settings import Limits, Settings, System
from gateway.telemetry.metrics import Metrics
from graph.changes.policy import AlarmPolicy
from graph.errors import GraphError
from graph.model.scope import Principal
from graph.store.store import Store
from resolvers.knowledge.subgraph import KnowledgeSubgraph
from tests.adapters.fault_management.inbound.published import check
from tests.gateway.conftest import Mint, serving

BODY_BYTES = 200_000
SECONDS = 30.0
CURSOR_KEY = b"n" * 32


class Port:
    """What the gateway gives to the endpoint; a store that is away is an exception in its place."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.open: Store | GraphError = store
        self.policy = AlarmPolicy()
        self.subgraph = KnowledgeSubgraph(store, CURSOR_KEY, self.policy)
        self._pipeline = Pipeline(self.subgraph, settings)
        self.outward = Rules(hosts=(".example.com",), loopback=True, secret=SecretStr("s" * 32))
        self.asked: list[str] = []
        self.pressure = 0.0

    async def ask(
        self, text: str, variables: Mapping[str, Any], principal: Principal, deadline: float
    ) -> dict[str, Any]:
        self.asked.append(text)
        request = GraphRequest(query=text, variables=variables, operation_name=None, queries_only=True)
        try:
            prepared = await self._pipeline.prepare(request, principal)
            return await self._pipeline.answer(prepared, request, principal, deadline)
        except Refused as refused:
            return {"errors": [printed(each, "") for each in refused.problems]}

    @property
    def store(self) -> Store:
        if isinstance(self.open, GraphError):
            raise self.open
        return self.open


def settings_of(mint: Mint) -> Settings:
    return Settings(
        listen="127.0.0.1:0",
        issuers=(mint.settings(),),
        systems={"nms": System(sources=("nms-1", "nms-3")), "other": System(sources=("nms-2",))},
        deadline_seconds=SECONDS,
        limits=Limits(new_documents_per_minute=100_000),
    )


def application(port: Port, settings: Settings, seconds: float = SECONDS) -> Starlette:
    return mounted(BASE, alarm_routes(edge(port, seconds)), settings)


def mounted(base: str, routes: list[Route], settings: Settings) -> Starlette:
    tokens = Tokens(settings.issuers, key_rings(settings.issuers), settings.sources)
    wrapped = middleware(Router(routes, redirect_slashes=False), settings, tokens, Metrics(), RefuseWith(body=body_of))
    return Starlette(routes=[Mount(base, wrapped)])


def edge(port: Port, seconds: float = SECONDS) -> Edge:
    def caller(scope: Scope) -> Principal:
        principal = exchange_of(scope).principal
        assert principal is not None
        return principal

    def deadline(scope: Scope) -> float:
        return exchange_of(scope).started + seconds

    def note(scope: Scope, operation: str, code: str) -> None:
        exchange = exchange_of(scope)
        exchange.operation, exchange.code = operation, code

    return Edge(
        port=port,
        caller=caller,
        deadline=deadline,
        note=note,
        pressure=lambda: port.pressure,
        body_bytes=BODY_BYTES,
    )


def endpoint(base: str, routes: Callable[[Edge], list[Route]], port: Port, settings: Settings) -> Starlette:
    """Another endpoint, with the same round it."""
    return mounted(base, routes(edge(port)), settings)


@asynccontextmanager
async def routed(app: Starlette, settings: Settings, base: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of what is mounted there."""
    async with serving(app, settings) as client:
        client.base_url = httpx.URL(f"{client.base_url}{base}")
        client.timeout = httpx.Timeout(60)
        yield client


@asynccontextmanager
async def listening_to_tickets(port: Port, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A client of what the ticketing system tells of its tickets."""
    async with serving(
        mounted(tickets.BASE, tickets.ticket_routes(edge(port), {"awaitingVendor": "pending"}), settings), settings
    ) as client:
        client.base_url = httpx.URL(f"{client.base_url}{tickets.BASE}")
        yield client


@asynccontextmanager
async def notifying(port: Port, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A client of what fault managers tell in MTOSI."""
    app = mounted(notifications.BASE, notifications.notification_routes(edge(port)), settings)
    async with serving(app, settings) as client:
        client.base_url = httpx.URL(f"{client.base_url}{notifications.BASE}")
        client.timeout = httpx.Timeout(60)
        yield client


@asynccontextmanager
async def calling(app: Starlette, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A client of whom every answer is compared with the published shapes."""
    async with serving(app, settings) as client:
        client.event_hooks = {"response": [check]}
        client.base_url = httpx.URL(f"{client.base_url}{BASE}")
        client.timeout = httpx.Timeout(60)
        yield client


async def sent(client: httpx.AsyncClient, headers: Mapping[str, str], body: bytes) -> bytes:
    """The answer to a POST of an alarm of which only this much is ever sent."""
    reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
    lines = [f"POST {BASE}/alarm HTTP/1.1", "Host: here", *(f"{name}: {value}" for name, value in headers.items())]
    writer.write("\r\n".join([*lines, "", ""]).encode() + body)
    try:
        return await asyncio.wait_for(reader.read(), 10)
    finally:
        writer.close()


def soon() -> float:
    return time.monotonic() + 60
