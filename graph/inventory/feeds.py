"""A document of a gigabyte takes minutes to arrive and may be cut at any byte; nothing of it may count until all is there.

So what arrives is staged in chunks, each a transaction, under a stage that only this attempt has. At the end one
transaction says that the feed is received: that is the switch. An attempt that was cut leaves chunks that nobody reads; the
next attempt of the same feed, or a sweep, takes them away.

Rules. 1. A feed is its inventory's own id: what was received under it once is not received again. 2. Of two attempts at
the same time the later one counts, and the earlier cannot turn the switch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, cast

import orjson

from graph.changes.events import Event, append
from graph.model.identity import loaded_id
from graph.model.resource import NotTaken, Resource, as_record, entry_of
from graph.store.store import Store, Transaction

MOST_CHUNK: Final = 200
"""resources in a chunk."""
STALE_MS: Final = 24 * 60 * 60 * 1_000
"""after so long an attempt that has not ended is over."""
_SWEPT_AT_ONCE: Final = 100

_BEGIN: Final = """
MERGE (f:InventoryFeed {id: $id})
ON CREATE SET f.system = $system, f.name = $name, f.state = 'receiving', f._epoch = 0,
  f.resources = 0, f.notTaken = 0, f.changes = 0, f.differences = 0
SET f._lock = true
REMOVE f._lock
WITH f, f.state = 'receiving' OR f.state = 'failed' AS due, datetime.realtime().epochMillis AS now
SET f.kind = CASE WHEN due THEN $kind ELSE f.kind END,
    f.principal = CASE WHEN due THEN $subject ELSE f.principal END,
    f.startedAt = CASE WHEN due THEN now ELSE f.startedAt END,
    f._epoch = CASE WHEN due THEN f._epoch + 1 ELSE f._epoch END,
    f.state = CASE WHEN due THEN 'receiving' ELSE f.state END,
    f.reason = CASE WHEN due THEN null ELSE f.reason END
RETURN due, f._epoch, f.state, f.resources, f.notTaken, f.changes, f.differences, f._digest, f.kind
"""

_LOOK: Final = """
MATCH (f:InventoryFeed {id: $id})
RETURN false, f._epoch, f.state, f.resources, f.notTaken, f.changes, f.differences, f._digest, f.kind
"""

_STAGE: Final = "MERGE (c:InventoryChunk {id: $id}) SET c.stage = $stage, c.payload = $payload"

_COMPLETE: Final = """
MATCH (f:InventoryFeed {id: $id})
SET f._lock = true
REMOVE f._lock
WITH f, datetime.realtime().epochMillis AS now
WHERE f.state = 'receiving' AND f._epoch = $epoch
SET f.state = 'received', f.receivedAt = now, f.resources = $resources, f.notTaken = $notTaken, f._digest = $digest, f._chunks = $chunks,
    f._done = 0, f._place = null, f._attempts = 0, f._nextAt = 0, f._until = 0, f._turnAt = null, f._version = coalesce(f._version, 0) + 1
RETURN now, f._version
"""

_CHUNK: Final = "MATCH (c:InventoryChunk {id: $id}) RETURN c.payload"

_SWEEP: Final = """
MATCH (c:InventoryChunk {stage: $stage})
WITH c LIMIT $most
DETACH DELETE c
RETURN count(*)
"""

# `coalesce` keeps a planner from the index of that time, by which it would look at all feeds that there ever were.
_STALE: Final = """
MATCH (f:InventoryFeed {state: 'receiving'})
WHERE coalesce(f.startedAt, 0) < timestamp() - $age
RETURN f.id, f._epoch
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedState:
    """What is known of a feed."""

    id: str
    """ours."""
    due: bool
    """it may be received: it never was."""
    epoch: int
    state: str
    kind: str
    resources: int
    """all that it names,"""
    not_taken: int
    """and those among them that the graph has no place for."""
    changes: int
    differences: int
    digest: str
    """of the document that was received."""

    @property
    def stage(self) -> str:
        """What the chunks of this attempt are found by."""
        return stage_of(self.id, self.epoch)


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What there is of a feed when it is whole."""

    chunks: tuple[int, ...]
    """how many, by rank of the resources in them."""
    resources: int
    digest: str
    not_taken: int = 0
    """of the resources: those that the graph has no place for."""


class ChunkMissing(Exception):
    """A chunk that was received is not there."""


def feed_id(system: str, name: str) -> str:
    """Give our id of an inventory's feed."""
    return loaded_id("InventoryFeed", system, name)


def stage_of(feed: str, epoch: int) -> str:
    """Name one attempt to receive a feed."""
    return f"{feed}:{epoch}"


async def begin(  # all by name
    store: Store, system: str, name: str, *, kind: str, subject: str, deadline: float
) -> FeedState:
    """Begin to receive a feed; `due` is false where it was received before."""
    feed = feed_id(system, name)

    async def work(transaction: Transaction) -> FeedState:
        given = {"id": feed, "system": system, "name": name, "kind": kind, "subject": subject}
        return _state(feed, (await transaction.run(_BEGIN, given))[0])

    found = await store.write(work, deadline=deadline)
    if found.due and found.epoch > 1:
        await sweep(store, stage_of(feed, found.epoch - 1), deadline=deadline)
    return found


async def look(store: Store, system: str, name: str, *, deadline: float) -> FeedState | None:
    """Give what is known of a feed; None when nothing of it ever arrived."""
    feed = feed_id(system, name)
    rows = await store.rows(_LOOK, {"id": feed}, deadline=deadline)
    return _state(feed, rows[0]) if rows else None


async def stage(  # all by name
    store: Store, feed: FeedState, *, rank: int, number: int, resources: Sequence[Resource | NotTaken], deadline: float
) -> int:
    """Keep a chunk of resources of one rank, and tell how long its text is; chunks of a rank are numbered from 0 on."""
    payload = orjson.dumps([as_record(each) for each in resources]).decode()
    given = {"id": _chunk_id(feed.stage, rank, number), "stage": feed.stage, "payload": payload}

    async def work(transaction: Transaction) -> None:
        await transaction.run(_STAGE, given)

    await store.write(work, deadline=deadline)
    return len(payload)


async def complete(store: Store, feed: FeedState, received: Received, *, subject: str, deadline: float) -> bool:
    """Turn the switch: from now on the feed counts. False where another attempt has begun meanwhile."""
    given = {
        "id": feed.id,
        "epoch": feed.epoch,
        "resources": received.resources,
        "notTaken": received.not_taken,
        "digest": received.digest,
        "chunks": list(received.chunks),
    }

    async def work(transaction: Transaction) -> bool:
        rows = await transaction.run(_COMPLETE, given)
        if not rows:
            return False
        payload = {"feed": feed.id, "kind": feed.kind, "resources": received.resources, "notTaken": received.not_taken}
        now, version = cast("tuple[int, int]", tuple(rows[0]))
        append(transaction, feed_event("InventoryFeedReceived", feed.id, version, now, subject, payload))
        return True

    return await store.write(work, deadline=deadline)


async def chunk(store: Store, stage: str, rank: int, number: int, *, deadline: float) -> list[Resource | NotTaken]:
    """Give what is in a chunk; raises ChunkMissing, since what is not there would be taken for what is not said."""
    rows = await store.rows(_CHUNK, {"id": _chunk_id(stage, rank, number)}, deadline=deadline)
    if not rows:
        raise ChunkMissing(f"chunk {number} of rank {rank} of {stage}")
    return [entry_of(each) for each in orjson.loads(str(rows[0][0]))]


async def sweep(store: Store, stage: str, *, deadline: float) -> None:
    """Take away the chunks of an attempt."""

    async def work(transaction: Transaction) -> int:
        [[count]] = await transaction.run(_SWEEP, {"stage": stage, "most": _SWEPT_AT_ONCE})
        return cast("int", count)

    while await store.write(work, deadline=deadline):
        pass


async def sweep_stale(store: Store, *, age_ms: int = STALE_MS, deadline: float) -> None:
    """Take away the chunks of attempts that began long ago and never ended."""
    for feed, epoch in await store.rows(_STALE, {"age": age_ms}, deadline=deadline):
        await sweep(store, stage_of(str(feed), cast("int", epoch)), deadline=deadline)


def feed_event(  # private, and each has a type of its own
    kind: str, feed: str, version: int, at: int, subject: str, payload: dict[str, object]
) -> Event:
    """Make an event of a feed."""
    return Event(
        type=kind,
        aggregate_id=feed,
        aggregate_version=version,
        at=at,
        principal=subject,
        payload=payload,
        customers=(),
    )


def _chunk_id(stage: str, rank: int, number: int) -> str:
    return f"{stage}:{rank}:{number}"


def _state(feed: str, row: list[object]) -> FeedState:
    due, epoch, state, resources, not_taken, changes, differences, digest, kind = row
    return FeedState(
        id=feed,
        due=bool(due),
        epoch=cast("int", epoch),
        state=str(state),
        kind=str(kind),
        resources=cast("int", resources),
        not_taken=cast("int", not_taken),
        changes=cast("int", changes),
        differences=cast("int", differences),
        digest=str(digest or ""),
    )
