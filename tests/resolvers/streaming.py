"""Subscribing at the port of the subgraph, over the small network of tests/graph/changes."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from graph.changes.policy import AlarmPolicy
from graph.ledger.positions import keep_placed
from graph.model.scope import Principal, Role
from graph.model.streams import Heard, Heartbeat, StreamEvent
from graph.store.store import Store
from resolvers.knowledge.subgraph import KnowledgeSubgraph
from resolvers.knowledge.subscribing import StreamLimits
from tests.resolvers.caller import KEY, OPERATOR, coerced, operation

SECONDS = 30
A = Principal(subject="a", role=Role.CUSTOMER, customers=("customer-a",))
B = Principal(subject="b", role=Role.CUSTOMER, customers=("customer-b",))
Stream = AsyncGenerator[Heard, None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """What one process has: a subgraph over a store, whose reader is running."""

    subgraph: KnowledgeSubgraph = field(repr=False)

    async def subscribe(
        self,
        text: str,
        principal: Principal = OPERATOR,
        *,
        after: str | None = None,
        variables: Mapping[str, Any] | None = None,
    ) -> Stream | dict[str, Any]:
        """Ask as the gateway does."""
        schema = self.subgraph.reads.schema
        asked = operation(schema, text)
        values = coerced(schema, asked, variables or {})
        return await self.subgraph.subscribe(asked, values, principal, after, time.monotonic() + SECONDS)

    async def stream(self, text: str, principal: Principal = OPERATOR, *, after: str | None = None) -> Stream:
        """Subscribe to what can be."""
        begun = await self.subscribe(text, principal, after=after)
        assert not isinstance(begun, dict), begun
        return begun

    async def refused(self, text: str, principal: Principal = OPERATOR, *, after: str | None = None) -> dict[str, Any]:
        """Subscribe to what cannot be; give the error's extensions."""
        begun = await self.subscribe(text, principal, after=after)
        assert isinstance(begun, dict), begun
        [error] = begun["errors"]
        extensions: dict[str, Any] = error["extensions"]
        return extensions


@asynccontextmanager
async def process(store: Store, *, name: str = "one", limits: StreamLimits | None = None) -> AsyncIterator[Process]:
    """Run a reader, and give positions, while the block runs."""
    subgraph = KnowledgeSubgraph(store, KEY, AlarmPolicy(), streams=limits)
    tasks = [
        asyncio.create_task(subgraph.events.keep()),
        asyncio.create_task(keep_placed(store, owner=name, placed=subgraph.events.wake)),
    ]
    try:
        yield Process(subgraph=subgraph)
    finally:
        for each in tasks:
            each.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await each


async def taken(stream: Stream, count: int) -> list[StreamEvent]:
    """Take so many events, whatever heartbeats come between; the stream stays open."""
    found: list[StreamEvent] = []
    async with asyncio.timeout(SECONDS):
        while len(found) < count:
            heard = await anext(stream)
            if isinstance(heard, StreamEvent):
                found.append(heard)
    return found


async def beat(stream: Stream) -> Heartbeat:
    """Take what comes next, which is a heartbeat."""
    async with asyncio.timeout(SECONDS):
        heard = await anext(stream)
    assert isinstance(heard, Heartbeat), heard
    return heard


async def nothing_more(stream: Stream, seconds: float = 0.5) -> None:
    """See that nothing comes; the stream is closed by that."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            async for heard in stream:
                assert isinstance(heard, Heartbeat), f"there is one more: {heard}"
