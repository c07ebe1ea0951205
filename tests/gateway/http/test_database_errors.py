"""What a client is told when the database refuses, is busy or was asked before, over real HTTP and on a real database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from gateway.auth.keys import key_rings
from gateway.auth.tokens import Tokens
from gateway.http.endpoint import GraphQLEndpoint
from gateway.http.middleware import middleware
from gateway.http.streams import OpenStreams
from gateway.operations.pipeline import Pipeline
from gateway.settings.settings import Limits, Settings
from gateway.telemetry.metrics import Metrics
from graph.changes.policy import AlarmPolicy
from graph.store.link import Work
from graph.store.store import Store
from resolvers.knowledge.subgraph import KnowledgeSubgraph
from tests.gateway.conftest import Mint, serving

T = TypeVar("T")
TOTAL = "{ services(first: 0) { totalCount } }"


class Passing(Store):
    """A real store behind which something is wrong."""

    def __init__(self, store: Store) -> None:
        super().__init__(store.product)
        self._store = store

    async def read(self, text: str, parameters: Mapping[str, object], *, deadline: float) -> object:
        return await self._store.read(text, parameters, deadline=deadline)

    async def write(self, work: Work[T], *, deadline: float, quiet: bool = False) -> T:
        return await self._store.write(work, deadline=deadline, quiet=quiet)


class Misspelling(Passing):
    """Every statement is one that the database does not understand."""

    async def read(self, text: str, parameters: Mapping[str, object], *, deadline: float) -> object:
        return await super().read(f"{text}, RETRUN", parameters, deadline=deadline)


class Slow(Passing):
    """No statement begins before it may, not even at its deadline."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.may = asyncio.Event()

    async def read(self, text: str, parameters: Mapping[str, object], *, deadline: float) -> object:
        await self.may.wait()
        return await super().read(text, parameters, deadline=deadline)


@asynccontextmanager
async def served(store: Store, mint: Mint, *, seconds: float = 60.0) -> AsyncIterator[httpx.AsyncClient]:
    settings = Settings(
        listen="127.0.0.1:0", issuers=(mint.settings(),), deadline_seconds=seconds, limits=Limits(statements=1)
    )
    subgraph = KnowledgeSubgraph(store, b"k" * 32, AlarmPolicy(), statements=settings.limits.statements)
    endpoint = GraphQLEndpoint(Pipeline(subgraph, settings), settings, OpenStreams(settings.streams, Metrics()))
    tokens = Tokens(settings.issuers, key_rings(settings.issuers), settings.sources)
    app = Starlette(routes=[Route("/graphql", middleware(endpoint, settings, tokens, Metrics()))])
    async with serving(app, settings) as client:
        client.headers["accept"] = "application/graphql-response+json"
        client.timeout = httpx.Timeout(seconds * 2)
        yield client


async def test_the_databases_words_are_in_the_log_under_the_requests_id_and_nowhere_else(
    store: Store, mint: Mint
) -> None:
    async with served(Misspelling(store), mint) as client:
        with capture_logs(processors=[merge_contextvars]) as lines:
            answer = await client.post("/graphql", json={"query": TOTAL}, headers=mint.customer())
    assert answer.status_code == 500
    [error] = answer.json()["errors"]
    assert error["message"] == "The request could not be answered."
    assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert "Neo." not in answer.text
    [reason] = [each for each in lines if each["event"] == "an error was masked"]
    assert reason["request_id"] == error["extensions"]["requestId"] == answer.headers["x-request-id"]
    assert "Neo.ClientError.Statement." in reason["reason"]


async def test_a_wide_filter_is_refused_with_the_limits_name(store: Store, mint: Mint) -> None:
    query = "query ($f: ServiceFilter) { services(filter: $f) { totalCount } }"
    async with served(store, mint) as client:
        for name, wide in (("or", 300), ("and", 300)):
            given = {"f": {name: [{"name": {"contains": f"a{each}"}} for each in range(wide)]}}
            body = {"query": query, "variables": given}
            answer = await client.post("/graphql", json=body, headers=mint.customer())
            [error] = answer.json()["errors"]
            assert (answer.status_code, error["extensions"]["code"]) == (400, "LIMIT_EXCEEDED")
            assert "`input_objects`" in error["message"]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", ["or", "and"])
@pytest.mark.parametrize(
    "each", [{}, {"name": {"contains": "a"}}, {"name": {"in": ["a"]}, "not": {"state": {"eq": "ACTIVE"}}}]
)
async def test_the_widest_filter_that_is_allowed_is_answered(
    store: Store, mint: Mint, name: str, each: dict[str, Any]
) -> None:
    query = "query ($f: ServiceFilter) { services(filter: $f) { totalCount nodes { id } } }"
    objects = str(each).count("{")
    given = {"f": {name: [each] * ((Limits().input_objects - 1) // objects)}}
    async with served(store, mint) as client:
        answer = await client.post("/graphql", json={"query": query, "variables": given}, headers=mint.customer())
    assert (answer.status_code, answer.json()) == (200, {"data": {"services": {"totalCount": 0, "nodes": []}}})


async def test_a_key_that_was_used_for_another_change_is_a_conflict(empty_store: Store, mint: Mint) -> None:
    async with served(empty_store, mint) as client:
        for change, status in (("acknowledgeAlarm", 200), ("clearAlarm", 400)):
            query = f'mutation {{ {change}(alarmId: "a", idempotencyKey: "used") {{ userErrors {{ code }} }} }}'
            answer = await client.post("/graphql", json={"query": query}, headers=mint.bearer())
            assert answer.status_code == status, answer.text
    [error] = answer.json()["errors"]
    assert error["extensions"]["code"] == "CONFLICT"
    assert "new key" in error["extensions"]["hint"]


async def test_a_principal_whose_places_are_taken_waits_and_is_told_so_at_its_deadline(
    store: Store, mint: Mint
) -> None:
    slow = Slow(store)

    async with served(slow, mint, seconds=4.0) as client:

        async def ask(subject: str) -> httpx.Response:
            return await client.post("/graphql", json={"query": TOTAL}, headers=mint.bearer(sub=subject))

        first = asyncio.create_task(ask("greedy"))
        await asyncio.sleep(0.2)
        second = asyncio.create_task(ask("greedy"))
        await asyncio.sleep(0.2)
        other = asyncio.create_task(ask("modest"))
        await asyncio.sleep(0.2)
        slow.may.set()
        assert [(await each).status_code for each in (first, second, other)] == [200, 200, 200], "the second waited"

        slow.may.clear()
        answers = await asyncio.gather(ask("greedy"), ask("greedy"))
    assert sorted(each.status_code for each in answers) == [429, 504]
    refused = next(each for each in answers if each.status_code == 429)
    assert refused.json()["errors"][0]["extensions"]["code"] == "TOO_MANY_REQUESTS"
    assert int(refused.headers["retry-after"]) >= 1
