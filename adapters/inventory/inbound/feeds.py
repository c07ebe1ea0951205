"""An inventory sends what it has, or what has changed there: a document of any length, under an id of its own.

`PUT /feeds/inventory/v1/{id}?kind=full|incremental` takes it, in flat memory: resources are staged as they arrive, and count
once the document is whole. The same again is answered with what is known of it; another document under the same id is
refused. `GET` of the same address says how far it has come. Whoever sends speaks for a source: a system for one of its own.
"""

from __future__ import annotations

import asyncio
import gc
import hashlib
import re
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.endpoint.body import check_media
from adapters.endpoint.edge import WRITERS, Action, Call, Edge, answer, routes
from adapters.endpoint.errors import CLOSE, Refusal
from adapters.errors import Malformed
from adapters.inventory.inbound.documents import MOST_BYTES, READERS, Reader
from graph.errors import GraphError
from graph.inventory.feeds import MOST_CHUNK, FeedState, Received, begin, complete, look, stage
from graph.model.resource import RANKS, NotTaken, Resource
from graph.model.scope import Role
from graph.model.vocabulary import FEED_KINDS
from graph.store.store import Store

BASE: Final = "/feeds/inventory/v1"
IDLE_SECONDS: Final = 30.0
"""between two parts of a document."""
LEAST_RATE: Final = 1_024.0
"""bytes a second that its sender brings at least, over all the time that we wait for it; not counted is what we do meanwhile."""
GRACE_SECONDS: Final = 30.0
"""that it may be behind that rate."""
_STORE_SECONDS: Final = 20.0
_MOST_HELD: Final = 1_048_576
"""characters of chunks that may wait for the collector of garbage: the driver's transactions refer to themselves, and to what they
have sent, and the collector counts objects and not their weight."""
_PATIENCE_BYTES: Final = 16_777_216
"""of a document that is refused, so much more is read, that its sender sees why."""
_PATIENCE_SECONDS: Final = 5.0
_NOTHING: Final = (
    "A full feed names nothing that the graph has a place for: that would say that there is nothing any more"
)
_ID: Final = re.compile(r"[\w.:~-]{1,200}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A feed that is asked about."""

    id: str
    source: str


@dataclass(slots=True, kw_only=True)
class _Staging:
    """Resources on their way into chunks; it counts, so it is not frozen."""

    store: Store
    feed: FeedState
    waiting: list[list[Resource | NotTaken]] = field(default_factory=lambda: [[] for _ in range(RANKS)])
    chunks: list[int] = field(default_factory=lambda: [0] * RANKS)
    resources: int = 0
    not_taken: int = 0
    first: NotTaken | None = None
    """of those that are not taken."""
    held: int = 0

    async def add(self, resource: Resource | NotTaken) -> None:
        """Take one more; it is kept as soon as there are enough for a chunk."""
        self.resources += 1
        if isinstance(resource, NotTaken):
            self.not_taken += 1
            self.first = self.first or resource
        waiting = self.waiting[resource.rank]
        waiting.append(resource)
        if len(waiting) == MOST_CHUNK:
            await self._keep(resource.rank)

    async def finish(self, digest: str) -> Received:
        """Keep what waits, and say what there is."""
        for rank, waiting in enumerate(self.waiting):
            if waiting:
                await self._keep(rank)
        return Received(chunks=tuple(self.chunks), resources=self.resources, not_taken=self.not_taken, digest=digest)

    async def _keep(self, rank: int) -> None:
        self.held += await stage(
            self.store,
            self.feed,
            rank=rank,
            number=self.chunks[rank],
            resources=self.waiting[rank],
            deadline=_soon(),
        )
        self.chunks[rank] += 1
        self.waiting[rank] = []
        if self.held > _MOST_HELD:
            self.held = 0
            gc.collect(1)


def feed_routes(edge: Edge) -> list[Route]:
    """Make the routes, relative to `BASE`."""
    return routes(
        edge,
        {
            "/{id}": {
                "GET": Action(name="retrieveInventoryFeed", roles=WRITERS, run=_state),
                "PUT": Action(name="receiveInventoryFeed", roles=WRITERS, run=_take),
            }
        },
    )


async def _state(call: Call) -> Response:
    asked = _asked(call)
    found = await look(call.port.store, asked.source, asked.id, deadline=call.deadline)
    if found is None:
        raise Refusal("NOT_FOUND")
    return answer(200, _body(asked, found))


async def _take(call: Call) -> Response:
    asked, kind, reader = _asked(call), _kind(call), _reader(call.request)
    subject = call.principal.subject
    begun = await begin(call.port.store, asked.source, asked.id, kind=kind, subject=subject, deadline=_soon())
    staging = _Staging(store=call.port.store, feed=begun)
    try:
        if not begun.due:
            return await _again(call, asked, begun)
        received = await _received(call.request, reader, staging)
    except (Malformed, GraphError, TimeoutError) as error:
        await _let_it_end(call.request)
        if isinstance(error, TimeoutError):
            raise Refusal("REQUEST_TIMEOUT", headers=CLOSE) from None
        raise
    if not await complete(call.port.store, begun, received, subject=subject, deadline=_soon()):
        raise Refusal("CONFLICT", "Another attempt to send this feed has begun; this one does not count.")
    found = await look(call.port.store, asked.source, asked.id, deadline=_soon())
    assert found is not None, "it was received just now"
    body = _body(asked, found)
    return answer(201, body, {"Location": str(body["href"])})


async def _received(request: Request, reader: Reader, staging: _Staging) -> Received:
    digest = hashlib.sha256()
    async for chunk in _chunks(request):
        digest.update(chunk)
        for resource in reader.feed(chunk):
            await staging.add(resource)
    for resource in reader.close():
        await staging.add(resource)
    if staging.feed.kind == "full" and staging.resources == staging.not_taken:
        raise Malformed(_nothing(staging.first), field="")
    return await staging.finish(digest.hexdigest())


def _nothing(first: NotTaken | None) -> str:
    return f"{_NOTHING}. The first is {first.name!r:.80}: {first.reason}" if first else _NOTHING


async def _again(call: Call, asked: _Asked, found: FeedState) -> Response:
    """Answer with what is known of a feed that was received, if this is the same document."""
    digest = hashlib.sha256()
    async for chunk in _chunks(call.request):
        digest.update(chunk)
    if found.digest != digest.hexdigest():
        raise Refusal("IDEMPOTENCY_CONFLICT", "Another document was received under this id: give each its own.")
    return answer(200, _body(asked, found))


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    """Give the body as it arrives; raises TimeoutError, or starlette's ClientDisconnect when it is cut.

    A sender that drips a byte now and then would hold a connection and a feed for ever: so it has to keep a rate as well.
    """
    stream = request.stream()
    size, waited = 0, 0.0
    while True:
        began = time.monotonic()
        async with asyncio.timeout(min(IDLE_SECONDS, GRACE_SECONDS + size / LEAST_RATE - waited)):
            chunk = await anext(stream, None)
        waited += time.monotonic() - began
        if chunk is None:
            return
        size += len(chunk)
        if chunk:
            yield chunk


async def _let_it_end(request: Request) -> None:
    """Read on for a while: whoever is still sending does not look for an answer."""
    size = 0
    with suppress(Exception):  # whatever the rest is, it is refused already
        async with asyncio.timeout(_PATIENCE_SECONDS):
            async for chunk in request.stream():
                size += len(chunk)
                if size > _PATIENCE_BYTES:
                    return


def _asked(call: Call) -> _Asked:
    if not _ID.fullmatch(call.id):
        raise Malformed("has 1 to 200 letters, digits, or any of . : ~ _ -", field="id")
    principal, given = call.principal, dict(call.pairs).get("source")
    if principal.effective is Role.OPERATOR:
        if not given:
            raise Malformed("is missing: an operator says for which inventory it speaks", field="source")
        return _Asked(id=call.id, source=given)
    if principal.system not in call.port.policy.inventories:
        raise Refusal("FORBIDDEN", "This system is not an inventory: the setting `systems` says which others are.")
    source = given or principal.system
    if source not in principal.sources:
        raise Refusal("FORBIDDEN", f"This caller does not speak for the source {source!r}.")
    return _Asked(id=call.id, source=source)


def _kind(call: Call) -> str:
    kind = dict(call.pairs).get("kind", "")
    if kind not in FEED_KINDS:
        raise Malformed(f"is one of {' and '.join(FEED_KINDS)}, and has to be said", field="kind")
    return kind


def _reader(request: Request) -> Reader:
    check_media(request, tuple(READERS))
    return READERS[request.headers["content-type"].partition(";")[0].strip().lower()](MOST_BYTES)


def _body(asked: _Asked, found: FeedState) -> dict[str, object]:
    return {
        "id": asked.id,
        "href": f"{BASE}/{asked.id}",
        "source": asked.source,
        "kind": found.kind,
        "state": found.state,
        "resources": found.resources,
        "notTaken": found.not_taken,
        "changes": found.changes,
        "differences": found.differences,
    }


def _soon() -> float:
    return time.monotonic() + _STORE_SECONDS
