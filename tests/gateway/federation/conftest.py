"""A gateway over real subgraphs that answer as they are told to, well or badly."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.http.serving import bound, listening
from gateway.settings.settings import Limits, Settings
from gateway.settings.subgraph import FederationSettings, SubgraphSettings
from gateway.standalone import application
from tests.gateway.federation.planning.models import HEADER

Behaviour = Callable[[Request, dict[str, Any]], Awaitable[Response]]

SUPERGRAPH = (
    HEADER.replace("query: Query", "query: Query mutation: Mutation")
    + """
enum join__Graph { A @join__graph(name: "a", url: "{base}/a") B @join__graph(name: "b", url: "{base}/b") }
type Query @join__type(graph: A) @join__type(graph: B) {
  product: Product @join__field(graph: A)
  products: [Product] @join__field(graph: A)
  exact: [Product!] @join__field(graph: A)
  must: Product! @join__field(graph: A)
}
type Mutation @join__type(graph: A) { change: Product @join__field(graph: A) }
type Product @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
  id: ID!
  name: String @join__field(graph: A)
  note: String @join__field(graph: B)
  strict: String! @join__field(graph: B)
  tags: [Int!] @join__field(graph: B)
  state: State @join__field(graph: B)
  any: Anything @join__field(graph: B)
}
enum State @join__type(graph: B) {
  OPEN @join__enumValue(graph: B)
  SECRET @join__enumValue(graph: B) @inaccessible
}
scalar Anything @join__type(graph: B)
"""
)


async def products(_: Request, body: dict[str, Any]) -> Response:
    """What subgraph a answers when all is well."""
    one, two = {"id": "1", "name": "one"}, {"id": "2", "name": "two"}
    everything = {"products": [one, two], "exact": [one, two], "product": one, "must": one, "change": one}
    return JSONResponse({"data": {name: value for name, value in everything.items() if name in body["query"]}})


async def notes(_: Request, body: dict[str, Any]) -> Response:
    """What subgraph b answers when all is well."""
    return JSONResponse({"data": {"_entities": [entity(each) for each in body["variables"]["_r0"]]}})


def entity(sent: dict[str, Any], **more: Any) -> dict[str, Any]:
    number = sent["id"]
    return {"note": f"note {number}", "strict": "s", "tags": [1], "state": "OPEN", "any": {}, **more}


class Subgraphs:
    """Two subgraphs behind one address."""

    def __init__(self) -> None:
        self.behaviours: dict[str, Behaviour] = {}
        self.asked: list[tuple[str, dict[str, Any], dict[str, str]]] = []
        self.base = ""
        self.well()

    def well(self) -> None:
        self.behaviours = {"a": products, "b": notes}
        self.asked.clear()

    def calls(self, name: str) -> int:
        return len([each for each, _, _ in self.asked if each == name])

    async def answer(self, request: Request) -> Response:
        name = request.path_params["name"]
        body = json.loads(await request.body())  # which reads any number
        self.asked.append((name, body, dict(request.headers)))
        return await self.behaviours[name](request, body)


@pytest.fixture(scope="session")
async def served() -> AsyncIterator[Subgraphs]:
    subgraphs = Subgraphs()
    app = Starlette(routes=[Route("/{name}", subgraphs.answer, methods=["POST"])])
    sock = bound(Settings(listen="127.0.0.1:0"))
    subgraphs.base = f"http://127.0.0.1:{sock.getsockname()[1]}"
    async with listening(app, sock):
        yield subgraphs


@pytest.fixture
def subgraphs(served: Subgraphs) -> Subgraphs:
    served.well()
    return served


@pytest.fixture
def supergraph(subgraphs: Subgraphs, tmp_path: Path) -> Path:
    path = tmp_path / "supergraph.graphql"
    path.write_text(SUPERGRAPH.replace("{base}", subgraphs.base))
    return path


@asynccontextmanager
async def gateway(
    supergraph: Path,
    *,
    seconds: float = 2.0,
    traces: str = "",
    subgraphs: Mapping[str, Any] = MappingProxyType({}),
    **federation: Any,
) -> AsyncIterator[httpx.AsyncClient]:
    """A gateway with some settings, and a client of it."""
    settings = Settings(
        listen="127.0.0.1:0",
        deadline_seconds=seconds,
        traces=traces,
        limits=Limits(tokens=1_000),
        federation=FederationSettings(supergraph=supergraph, **federation),
        subgraphs={name: SubgraphSettings(**given) for name, given in subgraphs.items()},
    )
    sock = bound(settings)
    base = f"http://127.0.0.1:{sock.getsockname()[1]}"
    async with listening(application(settings), sock), httpx.AsyncClient(base_url=base, timeout=30) as client:
        yield client


async def ask(client: httpx.AsyncClient, query: str, **headers: str) -> Any:
    response = await client.post("/graphql", json={"query": query}, headers=headers)
    assert response.status_code < 500, response.text
    assert "Traceback" not in response.text
    return response.json()


def told(answer: Any) -> list[tuple[str, list[Any]]]:
    """The codes and places of an answer's errors."""
    return [(each["extensions"]["code"], each.get("path", [])) for each in answer.get("errors", [])]
