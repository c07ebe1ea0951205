"""A gateway over real HTTP: the same middleware and endpoint as ever, a dict behind them, an issuer of our own."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey
from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp

from gateway.auth.keys import key_rings
from gateway.auth.tokens import Tokens
from gateway.federation.subgraph import Subgraph
from gateway.http.endpoint import GraphQLEndpoint
from gateway.http.health import health_routes
from gateway.http.middleware import middleware, routed
from gateway.http.serving import bound, listening
from gateway.http.socket import SocketContext, SocketEndpoint, callers_by
from gateway.http.streams import OpenStreams
from gateway.operations.pipeline import Pipeline
from gateway.settings.settings import Issuer, Limits, Settings
from gateway.telemetry.metrics import Metrics
from tests.gateway.subgraph import DictSubgraph

ISSUER = "https://issuer.test"
AUDIENCE = "trunkline"


class Mint:
    """An issuer: a key pair, its published half in a file, tokens with any claims."""

    def __init__(self, directory: Path) -> None:
        self.key = ECKey.generate_key("P-256", {"kid": "first", "use": "sig"})
        self.file = directory / "jwks.json"
        self.publish(self.key)

    def publish(self, *keys: ECKey) -> None:
        self.file.write_bytes(orjson.dumps({"keys": [each.as_dict(private=False) for each in keys]}))

    def settings(self) -> Issuer:
        return Issuer(issuer=ISSUER, audience=AUDIENCE, jwks_file=self.file)

    def token(self, role: str | list[str] = "operator", *, header: dict[str, Any] | None = None, **claims: Any) -> str:
        now = int(time.time())
        given = {"iss": ISSUER, "aud": AUDIENCE, "sub": "someone", "exp": now + 300, "roles": role, **claims}
        kept = {name: value for name, value in given.items() if value is not None}
        return jwt.encode({"alg": "ES256", "kid": "first", **(header or {})}, kept, self.key)

    def bearer(self, role: str | list[str] = "operator", **claims: Any) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token(role, **claims)}"}

    def customer(self, *customers: str) -> dict[str, str]:
        return self.bearer("customer", customers=list(customers or ("customer-1",)))


@pytest.fixture(scope="session")
def mint(tmp_path_factory: pytest.TempPathFactory) -> Mint:
    return Mint(tmp_path_factory.mktemp("issuer"))


@pytest.fixture(scope="session")
def settings(mint: Mint) -> Settings:
    limits = Limits(body_bytes=20_000, tokens=1_000, cost=5_000, new_documents_per_minute=100_000, depth=12)
    return Settings(
        listen="127.0.0.1:0",
        issuers=(mint.settings(),),
        origins=("https://portal.test",),
        deadline_seconds=20.0,  # no test waits for it, and none fails on a busy machine
        limits=limits,
    )


@pytest.fixture(scope="session")
async def subgraph() -> DictSubgraph:
    return DictSubgraph()


def application(subgraph: Subgraph, settings: Settings) -> Starlette:
    metrics = Metrics()
    pipeline, streams = Pipeline(subgraph, settings), OpenStreams(settings.streams, metrics)
    endpoint = GraphQLEndpoint(pipeline, settings, streams)
    tokens = Tokens(settings.issuers, key_rings(settings.issuers), settings.sources)
    context = SocketContext(
        pipeline=pipeline,
        for_routers=pipeline,
        streams=streams,
        callers=callers_by(tokens),
        settings=settings,
        metrics=metrics,
    )

    async def ready() -> str:
        return ""

    wrapped = middleware(endpoint, settings, tokens, metrics)
    asked = [Route("/graphql", wrapped), WebSocketRoute("/graphql", SocketEndpoint(context))]
    return routed([*asked, *health_routes(ready, metrics)])


@asynccontextmanager
async def serving(app: ASGIApp, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    sock = bound(settings)
    async with (
        listening(app, sock),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{sock.getsockname()[1]}") as client,
    ):
        yield client


@pytest.fixture(scope="session")
async def gateway(subgraph: DictSubgraph, settings: Settings) -> AsyncIterator[httpx.URL]:
    async with serving(application(subgraph, settings), settings) as client:
        yield client.base_url


@pytest.fixture
async def client(gateway: httpx.URL) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=gateway) as client:
        yield client
