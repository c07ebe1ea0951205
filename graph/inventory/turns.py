"""Feeds wait, a process works on one for a while, and may stall or die over it: nobody may write in its name after that.

A process takes a feed for a *turn*. Its lease has a number that rises with every turn, and each transaction that writes in the
name of the feed first locks the feed and looks whether the number is still its own (`hold`), which renews the lease. So a
process that stalled until its lease ran out writes nothing more once another has the feed.

Rules. 1. Feeds of one inventory are compared in the order in which they were received, since a later one may say otherwise; those
of several inventories take turns, and the one that has waited longest is next. A turn ends behind the chunk in which its time
is over, so that a long feed holds up no other inventory's. 2. A feed that cannot be gone on with now is put off, longer each
time, and says why (`reason`). One that has made no step in `MOST_ATTEMPTS` turns is set aside as failed: it is the feed and not the hour.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias, cast

from graph.changes.events import append
from graph.inventory.feeds import feed_event, stage_of, sweep
from graph.store.store import Store, Transaction

TTL_MS: Final = 60_000
"""of a lease: longer than there may be between two writes of one turn."""
MOST_ATTEMPTS: Final = 20
"""turns without a step: about an hour of pauses."""
_FIRST_PAUSE_MS: Final = 1_000
_LONGEST_PAUSE_MS: Final = 300_000
_STORE_SECONDS: Final = 20.0

_WAITING: Final = """
MATCH (f:InventoryFeed {state: 'received'})
RETURN f.id, f.system, f.receivedAt, coalesce(f._turnAt, f.receivedAt),
  coalesce(f._nextAt, 0) <= datetime.realtime().epochMillis
    AND (f._owner = $owner OR coalesce(f._until, 0) < datetime.realtime().epochMillis)
"""

# Lock first, then look at the clock, then write: another may have taken it since we looked.
_TAKE: Final = """
MATCH (f:InventoryFeed {id: $id})
SET f._lock = true
REMOVE f._lock
WITH f, datetime.realtime().epochMillis AS now
WHERE f.state = 'received' AND coalesce(f._nextAt, 0) <= now AND (f._owner = $owner OR coalesce(f._until, 0) < now)
SET f._owner = $owner, f._until = now + $ttl, f._turnAt = now,
    f._lease = coalesce(f._lease, 0) + 1, f._attempts = coalesce(f._attempts, 0) + 1
RETURN f.id, f._lease, f._attempts, f.system, f.kind, f.principal, f.startedAt, f._epoch, f._chunks, f._done, coalesce(f._place, '')
"""

_HOLD: Final = """
MATCH (f:InventoryFeed {id: $feed})
SET f._lock = true
REMOVE f._lock
WITH f WHERE f.state = 'received' AND f._lease = $lease
SET f._until = datetime.realtime().epochMillis + $ttl
RETURN f.id
"""

_STEP: Final = """
MATCH (f:InventoryFeed {id: $feed})
SET f._done = coalesce($done, f._done), f._place = coalesce($place, f._place), f.changes = f.changes + $changes,
    f._attempts = 0, f.reason = null
"""

_GIVE_BACK: Final = "MATCH (f:InventoryFeed {id: $feed}) SET f._until = 0"

_PUT_OFF: Final = """
MATCH (f:InventoryFeed {id: $feed})
SET f._until = 0, f._nextAt = datetime.realtime().epochMillis + $pause, f.reason = $reason
"""

_COMPARED: Final = """
MATCH (f:InventoryFeed {id: $feed})
SET f.state = 'compared', f.comparedAt = datetime.realtime().epochMillis, f._version = f._version + 1, f.reason = null,
    f.differences = COUNT { MATCH (d:InventoryDifference {feed: $feed}) WHERE d.state = 'open' OR d.state = 'held' }
RETURN f.comparedAt, f._version, f.changes, f.differences
"""

_FAIL: Final = """
MATCH (f:InventoryFeed {id: $feed})
SET f.state = 'failed', f.reason = $reason, f._version = f._version + 1
RETURN datetime.realtime().epochMillis, f._version
"""


class Lost(Exception):
    """Another process has the feed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A feed, while this process has it."""

    feed: str
    lease: int
    attempt: int
    """turns since the last step, with this one."""
    system: str
    full: bool
    principal: str
    since: int
    """when the feed began to arrive."""
    stage: str
    chunks: tuple[tuple[int, int], ...]
    """rank and number of each, in the order in which they are gone through."""
    done: int
    """chunks that are gone through."""
    place: str
    """how far the look for what the feed does not name has come; empty while it has not begun."""

    @property
    def pause_ms(self) -> int:
        """How long it waits when it cannot be gone on with now."""
        return min(_FIRST_PAUSE_MS << min(self.attempt - 1, MOST_ATTEMPTS), _LONGEST_PAUSE_MS)


Waiting: TypeAlias = tuple[str, str, int, int, bool]
"""A feed that waits: its id and system, when it was received and when it last had a turn, whether it may have one now."""


def in_turn(waiting: Sequence[Waiting]) -> list[str]:
    """Give the feeds that may be taken now, the next first: of each system the one that was received first.

    >>> in_turn([("a2", "a", 2, 2, True), ("a1", "a", 1, 9, True), ("b1", "b", 3, 3, True), ("c1", "c", 1, 1, False)])
    ['b1', 'a1']
    """
    first: dict[str, Waiting] = {}
    for each in sorted(waiting, key=lambda feed: (feed[2], feed[0])):
        first.setdefault(each[1], each)
    return [each[0] for each in sorted(first.values(), key=lambda feed: (feed[3], feed[0])) if each[4]]


async def take(store: Store, owner: str) -> Turn | None:
    """Take the feed whose turn it is; None when none waits that may be taken."""
    rows = await store.rows(_WAITING, {"owner": owner}, deadline=soon())
    for feed in in_turn(cast("list[Waiting]", [tuple(each) for each in rows])):
        if (turn := await _taken(store, feed, owner)) is not None:
            return turn
    return None


async def _taken(store: Store, feed: str, owner: str) -> Turn | None:
    async def work(transaction: Transaction) -> list[list[object]]:
        return await transaction.run(_TAKE, {"id": feed, "owner": owner, "ttl": TTL_MS})

    rows = await store.write(work, deadline=soon())
    if not rows:
        return None
    _, lease, attempt, system, kind, principal, since, epoch, counts, done, place = rows[0]
    chunks = [(rank, at) for rank, count in enumerate(cast("list[int]", counts)) for at in range(count)]
    return Turn(
        feed=feed,
        lease=cast("int", lease),
        attempt=cast("int", attempt),
        system=str(system),
        full=kind == "full",
        principal=str(principal),
        since=cast("int", since),
        stage=stage_of(feed, cast("int", epoch)),
        chunks=tuple(chunks),
        done=cast("int", done),
        place=str(place),
    )


async def hold(transaction: Transaction, turn: Turn) -> None:
    """Lock the feed and renew the lease; raises Lost where it is another's. What writes in a feed's name begins so."""
    if not await transaction.run(_HOLD, {"feed": turn.feed, "lease": turn.lease, "ttl": TTL_MS}):
        raise Lost


def step(
    transaction: Transaction, turn: Turn, *, done: int | None = None, place: str | None = None, changes: int = 0
) -> None:
    """Note how far a feed has come, in a transaction that holds it."""
    transaction.later(_STEP, {"feed": turn.feed, "done": done, "place": place, "changes": changes})


async def give_back(store: Store, turn: Turn) -> None:
    """End a turn before its feed is through."""

    async def work(transaction: Transaction) -> None:
        await hold(transaction, turn)
        await transaction.run(_GIVE_BACK, {"feed": turn.feed})

    await store.write(work, deadline=soon())


async def put_off(store: Store, turn: Turn, reason: str) -> None:
    """Let a feed wait that cannot be gone on with now."""

    async def work(transaction: Transaction) -> None:
        await hold(transaction, turn)
        await transaction.run(_PUT_OFF, {"feed": turn.feed, "pause": turn.pause_ms, "reason": reason})

    await store.write(work, deadline=soon())


async def finish(store: Store, turn: Turn) -> None:
    """Say that a feed is compared."""

    async def work(transaction: Transaction) -> None:
        await hold(transaction, turn)
        rows = await transaction.run(_COMPARED, {"feed": turn.feed})
        now, version, changes, found = cast("tuple[int, int, int, int]", tuple(rows[0]))
        payload: dict[str, object] = {"feed": turn.feed, "changes": changes, "differences": found}
        append(transaction, feed_event("InventoryFeedCompared", turn.feed, version, now, turn.principal, payload))

    await store.write(work, deadline=soon())
    await sweep(store, turn.stage, deadline=soon())


async def fail(store: Store, turn: Turn, reason: str) -> None:
    """Set a feed aside; it may be sent again."""

    async def work(transaction: Transaction) -> None:
        await hold(transaction, turn)
        rows = await transaction.run(_FAIL, {"feed": turn.feed, "reason": reason})
        now, version = cast("tuple[int, int]", tuple(rows[0]))
        payload: dict[str, object] = {"feed": turn.feed, "reason": reason}
        append(transaction, feed_event("InventoryFeedFailed", turn.feed, version, now, turn.principal, payload))

    await store.write(work, deadline=soon())
    await sweep(store, turn.stage, deadline=soon())


def soon() -> float:
    """Give the deadline of one transaction."""
    return time.monotonic() + _STORE_SECONDS
