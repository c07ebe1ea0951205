"""The sequence of events goes to a broker in order, and a process that dies must neither lose one nor let an older one overtake.

One process holds the lease (`graph.ledger.followers`). It reads a page, and sends it in rounds: of each partition one batch,
since a second one could be taken where the first was not. When the broker has acknowledged the whole round, the checkpoint moves.
Whatever goes wrong ends the producer, with all that it still holds, and the next begins at the checkpoint.

Rules. 1. No round begins with less of the lease left than it may take, so that no two processes send at a time. 2. A run without
kills or failures publishes nothing twice. 3. A broker that is away is tried again after growing pauses, and that is said once.
4. An event whose payload cannot be read is passed over, counted and logged: it has nothing to say.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeVar

import structlog

from adapters.errors import AdapterError
from adapters.kafka.cloud_events import Naming, Record, record_of
from adapters.kafka.event_types import EVENT_TYPES
from graph.errors import DeadlineExceeded, GraphError
from graph.ledger.followers import Held, Lag, lag_of, leave, move, next_page, take
from graph.ledger.retry import pause_ms
from graph.ledger.sequence import Gap, Sequenced, end_of
from graph.store.store import Store

FOLLOWER: Final = "kafka"
TTL_MS: Final = 30_000
RENEW_SECONDS: Final = 10.0
MARGIN_SECONDS: Final = 5.0
"""that are left of the lease when a round has taken as long as it may."""
_LOOK_SECONDS: Final = 1.0
"""between attempts to own the follower while another does."""
_POLL_SECONDS: Final = 0.05
"""between looks for new positions, by one indexed read."""
_STORE_SECONDS: Final = 5.0
_PAGE: Final = 500
"""positions that are read together, at most; a page that takes too long is halved."""
LONGEST_PAUSE_MS: Final = 30_000
"""while a broker is away;"""
STORE_PAUSE_MS: Final = 2_000
"""and while the database is, which is nearer."""
LAG_SECONDS: Final = 5.0
"""between looks at how far the broker is behind."""

T = TypeVar("T")

log = structlog.get_logger(__name__)


class Producer(Protocol):
    """The way to a broker, for one run of rounds."""

    async def send(self, records: Sequence[Record], *, deadline: float) -> int:
        """Send records until a batch of a partition is full; give how many were acknowledged, at least one; raises AdapterError."""
        ...


Producers = Callable[[], AbstractAsyncContextManager[Producer]]
"""Opens a way to the broker; at its end nothing that it still holds is sent. Raises AdapterError."""


class Counts(Protocol):
    """Who counts what is published."""

    def published(self, count: int) -> None:
        """Count events that the broker has acknowledged."""

    def not_published(self, event_type: str) -> None:
        """Count an event that could not be read."""

    def behind(self, lag: Lag) -> None:
        """Show how far the broker is behind."""


@dataclass(slots=True, kw_only=True)
class Publisher:
    """Publishes from the checkpoint on, while it holds the lease."""

    store: Store
    producers: Producers
    naming: Naming
    types: Sequence[str]
    owner: str
    counts: Counts
    message_bytes: int
    request_seconds: float
    _failures: int = 0
    _failed_for: str = ""
    """why it does not work, as it was logged; empty while it does."""
    _size: int = _PAGE
    _gap: Gap = field(default_factory=Gap)

    def __post_init__(self) -> None:
        assert set(self.types) <= set(EVENT_TYPES), "the settings know the same types"

    async def run(self) -> None:
        """Do so until cancelled; whatever else ended it would silence the broker for good."""
        while True:
            try:
                async with self._lease() as held:
                    if held is not None:
                        await self._publish(held)
                await asyncio.sleep(_LOOK_SECONDS)
            except GraphError as error:
                await self._pause(str(error), STORE_PAUSE_MS)
            except AdapterError as error:
                await self._pause(str(error))
            except Exception as error:  # a fault of ours: it is seen, and tried again
                log.exception("publishing to kafka failed, and is tried again")
                await self._pause(type(error).__name__)

    async def _pause(self, reason: str, longest: int = LONGEST_PAUSE_MS) -> None:
        if reason != self._failed_for:
            log.warning("kafka is not told of events: they wait", reason=reason)
        self._failed_for = reason
        self._failures += 1
        await asyncio.sleep(min(longest, pause_ms(self._failures)) / 1_000)

    def _well(self) -> None:
        if self._failed_for:
            log.info("kafka is told of events again")
        self._failures, self._failed_for = 0, ""

    @asynccontextmanager
    async def _lease(self) -> AsyncIterator[Held | None]:
        """Take the lease, or none; give it up at the end, so that another process need not wait for that."""
        held = await take(self.store, FOLLOWER, owner=self.owner, ttl_ms=TTL_MS, deadline=_soon())
        try:
            yield held
        finally:
            if held is not None:
                with contextlib.suppress(GraphError):
                    await leave(self.store, held, deadline=_soon())

    async def _publish(self, held: Held) -> None:
        """Publish until the lease is another's; raises what goes wrong."""
        async with self.producers() as producer:
            mine: Held | None = held
            while mine is not None:
                mine = await self._step(mine, producer)

    async def _step(self, held: Held, producer: Producer) -> Held | None:
        """Publish what is next, or wait for it, or renew the lease; None: it is another's."""
        if held.until - time.monotonic() < TTL_MS / 1_000 - RENEW_SECONDS:
            return await take(self.store, FOLLOWER, owner=self.owner, ttl_ms=TTL_MS, deadline=_soon())
        end = await end_of(self.store, deadline=_soon())
        if end.position <= held.after:
            self._well()
            await asyncio.sleep(_POLL_SECONDS)
            return held
        upto, events = await self._page(held.after, end.position)
        if upto == held.after:  # a position that is not to be seen yet
            await asyncio.sleep(_POLL_SECONDS)
            return held
        return await self._rounds(held, upto, events, producer)

    async def _page(self, after: int, end: int) -> tuple[int, Sequence[Sequenced]]:
        upto = min(end, after + self._size)
        try:
            page = await next_page(self.store, after, upto, self.types, self._gap, deadline=_soon())
        except DeadlineExceeded:
            self._size = max(1, self._size // 2)
            raise
        self._size = min(_PAGE, self._size * 2)
        return page.upto, page.events

    async def _rounds(self, held: Held, upto: int, events: Sequence[Sequenced], producer: Producer) -> Held | None:
        """Send a page, and move the checkpoint after each round; None: the lease is another's."""
        left = [(each.position, record) for each in events if (record := self._record(each)) is not None]
        if not left:
            return await move(self.store, held, upto, ttl_ms=TTL_MS, deadline=_soon())
        mine: Held | None = held
        while left and mine is not None:
            if mine.until - time.monotonic() < self.request_seconds + MARGIN_SECONDS:
                return await take(self.store, FOLLOWER, owner=self.owner, ttl_ms=TTL_MS, deadline=_soon())
            mine, sent = await finished(self._round(mine, upto, left, producer))
            left = left[sent:]
        return mine

    async def _round(
        self, held: Held, upto: int, left: Sequence[tuple[int, Record]], producer: Producer
    ) -> tuple[Held | None, int]:
        """Send what goes together, and move the checkpoint behind it."""
        deadline = time.monotonic() + self.request_seconds
        sent = await producer.send([record for _, record in left], deadline=deadline)
        reached = left[sent - 1][0] if sent < len(left) else upto
        moved = await move(self.store, held, reached, ttl_ms=TTL_MS, deadline=_soon())
        self.counts.published(sent)
        self._well()
        return moved, sent

    def _record(self, event: Sequenced) -> Record | None:
        """Make the record of an event; None where what was kept cannot be read, as after a change by hand."""
        try:
            if not event.broken:
                return record_of(event, self.naming, most_bytes=self.message_bytes)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            log.debug("an event is not as its type says", exc_info=error)
        self.counts.not_published(event.type)
        log.error("an event cannot be read, and is not published", event_id=event.id, position=event.position)
        return None


async def finished(work: Coroutine[Any, Any, T], hurry: Callable[[], None] = lambda: None) -> T:
    """Do something to its end, also where the process is asked to end meanwhile; then `hurry` is called."""
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        hurry()
        with contextlib.suppress(AdapterError, GraphError):
            await task
        raise


async def keep_watched(store: Store, counts: Counts) -> None:
    """Show how far the broker is behind, until cancelled: every process does, whichever publishes."""
    while True:
        with contextlib.suppress(GraphError):  # what was seen last stands while the database is away
            lag = await lag_of(store, FOLLOWER, deadline=_soon())
            if lag is not None:
                counts.behind(lag)
        await asyncio.sleep(LAG_SECONDS)


def _soon() -> float:
    return time.monotonic() + _STORE_SECONDS
