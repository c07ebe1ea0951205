"""What was received is compared with the graph some time, by somebody, once: whoever dies over it is followed by another.

Any process may take the feed that has waited longest; it goes through it chunk by chunk, and notes after each how far it has
come, which renews its lease of the feed. A chunk that is gone through twice changes nothing the second time. At the end of
a full feed, what it did not name is missing there, and what it did not differ in differs no more. A feed over which we fail
for another reason than a database that is away is set aside, so that it does not hold up those behind it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, cast

import structlog

from graph.changes.alarms.consequences import By
from graph.changes.events import append
from graph.changes.policy import AlarmPolicy
from graph.errors import DeadlineExceeded, GraphError, StoreUnavailable
from graph.inventory import differences
from graph.inventory.applying import Applied, Comparing, missing_there
from graph.inventory.differences import NOT_TAKEN
from graph.inventory.equipment import Hand, why_held
from graph.inventory.feeds import chunk, feed_event, stage_of, sweep, sweep_stale
from graph.inventory.known import Known, known, locked
from graph.model.resource import KINDS, NotTaken, Resource
from graph.model.scope import Principal, Role
from graph.store.store import Store, Transaction

TTL_MS: Final = 60_000
"""of the lease of a feed; longer than a chunk may take."""
_POLL_SECONDS: Final = 1.0
_SWEEP_SECONDS: Final = 3_600.0
_STORE_SECONDS: Final = 20.0
_MISSING_AT_ONCE: Final = 5_000
"""looked for; each look goes over all that there is."""
_NOTED_AT_ONCE: Final = 100

log = structlog.get_logger(__name__)

# Lock first, then look at the clock, then write. One feed is taken at a time, since a later one may say otherwise.
_TAKE: Final = """
MATCH (f:InventoryFeed {state: 'received'})
WITH f ORDER BY f.receivedAt, f.id LIMIT 1
SET f._lock = true
REMOVE f._lock
WITH f, datetime.realtime().epochMillis AS now
WHERE f.state = 'received' AND (f._owner = $owner OR coalesce(f._until, 0) < now)
SET f._owner = $owner, f._until = now + $ttl
RETURN f.id, f.system, f.kind, f.principal, f.startedAt, f._epoch, f._chunks, f._done
"""

_SEEN: Final = "UNWIND $batch.keys AS key MATCH (x:ExternalName {key: key}) SET x._feed = $feed"

_DONE: Final = """
MATCH (f:InventoryFeed {id: $feed})
SET f._lock = true
REMOVE f._lock
WITH f WHERE f.state = 'received' AND f._owner = $owner
SET f._until = datetime.realtime().epochMillis + $ttl,
    f._done = coalesce($done, f._done), f.changes = f.changes + $changes
RETURN f.id
"""

# What the inventory has named before and not in this feed; and what it never named and nobody else did.
_UNSEEN: Final = {
    kind: f"""
MATCH (n:{kind})
WHERE n.id > $after AND NOT EXISTS {{ MATCH (x:ExternalName)-[:NAMES]->(n) WHERE x._feed = $feed }}
  AND (EXISTS {{ MATCH (x:ExternalName)-[:NAMES]->(n) WHERE x.system = $system }}
    OR NOT EXISTS {{ MATCH (:ExternalName)-[:NAMES]->(n) }})
RETURN n.id, HEAD(COLLECT {{ MATCH (x:ExternalName)-[:NAMES]->(n) WHERE x.system = $system RETURN x.name ORDER BY x.name }})
ORDER BY n.id LIMIT $most
"""
    for kind in KINDS
}

_COMPARED: Final = """
MATCH (f:InventoryFeed {id: $feed})
SET f._lock = true
REMOVE f._lock
WITH f, datetime.realtime().epochMillis AS now
WHERE f.state = 'received' AND f._owner = $owner
SET f.state = 'compared', f.comparedAt = now, f._version = f._version + 1,
    f.differences = COUNT { MATCH (d:InventoryDifference {feed: $feed}) WHERE d.state = 'open' OR d.state = 'held' }
RETURN now, f._version, f.changes, f.differences
"""

_FAIL: Final = """
MATCH (f:InventoryFeed {id: $feed})
SET f._lock = true
REMOVE f._lock
WITH f, datetime.realtime().epochMillis AS now
WHERE f.state = 'received' AND f._owner = $owner
SET f.state = 'failed', f.reason = $reason, f._version = f._version + 1
RETURN now, f._version
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Feed:
    """A feed that waits."""

    id: str
    owner: str
    system: str
    full: bool
    principal: str
    since: int
    stage: str
    chunks: tuple[tuple[int, int], ...]
    """rank and number of each, in the order in which they are gone through."""
    done: int


class _Lost(Exception):
    """Another process has taken the feed."""


async def keep_reconciling(store: Store, policy: AlarmPolicy, *, owner: str) -> None:
    """Compare what is received, whenever nobody else does, until cancelled."""
    swept = 0.0
    while True:
        try:
            if time.monotonic() - swept > _SWEEP_SECONDS:
                swept = time.monotonic()
                await sweep_stale(store, deadline=_soon())
            if await reconcile_next(store, policy, owner=owner) is not None:
                continue
        except GraphError as error:
            log.warning("inventory feeds wait for the database", reason=str(error))
        except Exception:  # a fault of ours: it must be seen, and must not end the work for good
            log.exception("inventory feeds are begun anew")
        await asyncio.sleep(_POLL_SECONDS)


async def reconcile_next(store: Store, policy: AlarmPolicy, *, owner: str) -> str | None:
    """Compare the feed that has waited longest; give its id, None when none waits, or another has it."""
    feed = await _take(store, owner)
    if feed is None:
        return None
    try:
        await _reconcile(store, policy, feed)
    except _Lost:
        return None
    except (StoreUnavailable, DeadlineExceeded):
        raise
    except Exception as error:  # a fault of ours: it must be seen, and must not hold up the feeds behind it
        log.exception("an inventory feed could not be compared", feed=feed.id)
        await _fail(store, feed, f"A fault of ours: {type(error).__name__}")
    return feed.id


async def _reconcile(store: Store, policy: AlarmPolicy, feed: _Feed) -> None:
    hand = Hand(by=By(principal=_sender(feed), policy=policy), system=feed.system, origin={"feed": feed.id})
    comparing = Comparing(store=store, hand=hand, feed=feed.id, since=feed.since, full=feed.full)
    for number, (rank, at) in enumerate(feed.chunks):
        if number >= feed.done:
            resources = await chunk(store, feed.stage, rank, at, deadline=_soon())
            await _compare(comparing, feed, resources, number + 1)
    if feed.full:
        await _missing(comparing, feed)
        await differences.end_unseen(store, feed.system, feed.id, deadline=_soon())
    await _finish(store, feed)


async def _take(store: Store, owner: str) -> _Feed | None:
    async def work(transaction: Transaction) -> list[list[object]]:
        return await transaction.run(_TAKE, {"owner": owner, "ttl": TTL_MS})

    rows = await store.write(work, deadline=_soon())
    if not rows:
        return None
    feed, system, kind, principal, since, epoch, counts, done = rows[0]
    chunks = [(rank, at) for rank, count in enumerate(cast("list[int]", counts)) for at in range(count)]
    return _Feed(
        id=str(feed),
        owner=owner,
        system=str(system),
        full=kind == "full",
        principal=str(principal),
        since=cast("int", since),
        stage=stage_of(str(feed), cast("int", epoch)),
        chunks=tuple(chunks),
        done=cast("int", done),
    )


def _sender(feed: _Feed) -> Principal:
    return Principal(subject=feed.principal, role=Role.SYSTEM, system=feed.system)


async def _compare(comparing: Comparing, feed: _Feed, entries: Sequence[Resource | NotTaken], done: int) -> None:
    """Go through one chunk, and note that it is done."""
    system = comparing.hand.system
    keys = [each.key(system) for each in entries]
    named = {key for each in entries if isinstance(each, Resource) for key in comparing.keys_beside(each)}
    comparing = replace(comparing, known=await known(comparing.store, {*keys, *named}, deadline=_soon()))
    applied = [await _applied(comparing, each) for each in entries]
    seen = [key for key, each in zip(keys, entries, strict=True) if not each.removed]
    kept_out = {found.record.name for each in applied for found in each.differences if found.kind == NOT_TAKEN}
    placed = [each.name for each in entries if each.name not in kept_out]
    changes = sum(each.changes for each in applied)

    async def work(transaction: Transaction) -> None:
        comparing.note(transaction, tuple(found for each in applied for found in each.differences))
        differences.end(transaction, [differences.difference_id(system, each, NOT_TAKEN) for each in placed])
        transaction.later(_SEEN, {"batch": {"keys": seen}, "feed": comparing.feed})
        await _note_done(transaction, feed, done, changes)

    await comparing.store.write(work, deadline=_soon())


async def _applied(comparing: Comparing, entry: Resource | NotTaken) -> Applied:
    if isinstance(entry, NotTaken):
        return await comparing.pass_over(entry, deadline=_soon())
    return await comparing.apply(entry, deadline=_soon())


async def _note_done(transaction: Transaction, feed: _Feed, done: int | None, changes: int) -> None:
    """Note how far it has come, and renew the lease; raises _Lost where it is another's."""
    given = {"feed": feed.id, "owner": feed.owner, "ttl": TTL_MS, "done": done, "changes": changes}
    if not await transaction.run(_DONE, given):
        raise _Lost


async def _missing(comparing: Comparing, feed: _Feed) -> None:
    """Note what the graph has and the inventory has not."""
    for kind, text in _UNSEEN.items():
        after = ""
        while True:
            given = {"after": after, "feed": comparing.feed, "system": comparing.hand.system, "most": _MISSING_AT_ONCE}
            rows = await comparing.store.rows(text, given, deadline=_soon())
            if not rows:
                break
            unseen = [(str(each), str(name or each)) for each, name in rows]
            for start in range(0, len(unseen), _NOTED_AT_ONCE):
                await _note_missing(comparing, feed, kind, unseen[start : start + _NOTED_AT_ONCE])
            after = unseen[-1][0]


async def _note_missing(comparing: Comparing, feed: _Feed, kind: str, unseen: Sequence[tuple[str, str]]) -> None:
    async def work(transaction: Transaction) -> None:
        found = []
        for resource_id, name in unseen:
            mine = await locked(transaction, resource_id)
            if mine is not None:
                held = await why_held(transaction, mine)
                record = _described(mine, kind, name)
                found.append(missing_there(comparing.hand.system, record, resource_id, held))
        comparing.note(transaction, tuple(found))
        await _note_done(transaction, feed, None, 0)

    await comparing.store.write(work, deadline=_soon())


def _described(mine: Known, kind: str, name: str) -> Resource:
    """Say what the graph has, as far as it can be said: others may have loaded what nobody can tell."""
    try:
        return Resource(kind=kind, name=name, properties=mine.properties)
    except ValueError:
        return Resource(kind=kind, name=mine.id)


async def _finish(store: Store, feed: _Feed) -> None:
    async def work(transaction: Transaction) -> None:
        rows = await transaction.run(_COMPARED, {"feed": feed.id, "owner": feed.owner})
        if rows:
            now, version, changes, found = cast("tuple[int, int, int, int]", tuple(rows[0]))
            payload: dict[str, object] = {"feed": feed.id, "changes": changes, "differences": found}
            append(transaction, feed_event("InventoryFeedCompared", feed.id, version, now, feed.principal, payload))

    await store.write(work, deadline=_soon())
    await sweep(store, feed.stage, deadline=_soon())


async def _fail(store: Store, feed: _Feed, reason: str) -> None:
    """Set a feed aside; it may be sent again."""

    async def work(transaction: Transaction) -> None:
        rows = await transaction.run(_FAIL, {"feed": feed.id, "owner": feed.owner, "reason": reason})
        if rows:
            now, version = cast("tuple[int, int]", tuple(rows[0]))
            payload: dict[str, object] = {"feed": feed.id, "reason": reason}
            append(transaction, feed_event("InventoryFeedFailed", feed.id, version, now, feed.principal, payload))

    await store.write(work, deadline=_soon())
    await sweep(store, feed.stage, deadline=_soon())


def _soon() -> float:
    return time.monotonic() + _STORE_SECONDS
