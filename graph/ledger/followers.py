"""Another system is given the whole sequence of events, by one process at a time, and goes on where the one before ended.

A *follower* is how far that system has been given events: its *checkpoint*, a position. One process holds the follower's lease,
by the database's clock; `epoch` rises with each new owner. The checkpoint moves only after the other system has confirmed, and
only by the owner of the present epoch. What was confirmed and not yet counted when a process died is given once more, with the
same positions.

    held = await take(store, "kafka", owner="process-1", ttl_ms=30_000, deadline=soon)     # None: another process has it
    page = await next_page(store, held.after, end.position, types, gap, deadline=soon())   # one `Gap()` for all pages
    ...                                                                                    # given, and confirmed
    held = await move(store, held, page.upto, ttl_ms=30_000, deadline=soon)                # None: it is another's now
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, cast

from graph.ledger.sequence import Gap, Sequenced, all_between
from graph.store.store import Store, Transaction

# Lock first, then look at the clock, then write. The epoch is set before the owner: a later item of SET sees an earlier one.
_TAKE: Final = """
MERGE (f:Follower {id: $id})
ON CREATE SET f.after = $begin, f.owner = '', f.until = 0, f.epoch = 0
SET f._lock = true
REMOVE f._lock
WITH f, datetime.realtime().epochMillis AS now
WHERE f.owner = $owner OR f.until < now
SET f.epoch = CASE WHEN f.owner = $owner AND f.until >= now THEN f.epoch ELSE f.epoch + 1 END,
    f.owner = $owner,
    f.until = now + $ttl
RETURN f.epoch, f.after
"""
_END: Final = "OPTIONAL MATCH (s:Sequence {id: 'sequence-events'}) RETURN coalesce(s.next, 1) - 1"
_LOOK: Final = """
MATCH (f:Follower {id: $id})
RETURN f.owner, f.until < datetime.realtime().epochMillis
"""
_MOVE: Final = """
MATCH (f:Follower {id: $id})
SET f._lock = true
REMOVE f._lock
WITH f, datetime.realtime().epochMillis AS now
WHERE f.owner = $owner AND f.epoch = $epoch AND f.until >= now
SET f.after = $after, f.until = now + $ttl
RETURN f.id
"""
_LEAVE: Final = """
MATCH (f:Follower {id: $id})
SET f._lock = true
REMOVE f._lock
WITH f WHERE f.owner = $owner AND f.epoch = $epoch
SET f.until = 0
"""
_LAG: Final = """
MATCH (f:Follower {id: $id})
OPTIONAL MATCH (s:Sequence {id: 'sequence-events'})
RETURN coalesce(s.next, 1) - 1 - f.after, datetime.realtime().epochMillis - HEAD(COLLECT {
  MATCH (e:Event) WHERE e.position > f.after AND e.position <= f.after + $near RETURN e.at ORDER BY e.position LIMIT 1
})
"""
_NEAR: Final = 1_000
"""positions after a checkpoint among which the next event is looked for: what lies before a checkpoint only is ever swept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A follower that is ours, until its lease runs out."""

    id: str
    owner: str
    epoch: int
    after: int
    """the checkpoint: everything up to this position has been given."""
    until: float
    """on `time.monotonic()`, counted from before the database was asked: never later than the database's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowerPage:
    """The next events of a follower."""

    upto: int
    """everything up to this position is in the page, or is not wanted."""
    events: tuple[Sequenced, ...]
    """those that are wanted, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """How far a follower is behind."""

    positions: int
    seconds: float
    """for how long the first event that it has not been given has waited; 0 where there is none."""


async def take(store: Store, follower: str, *, owner: str, ttl_ms: int, deadline: float) -> Held | None:
    """Take a follower that nobody has, or renew one's own; a new one begins at the end of the sequence."""
    [*looked] = await store.rows(_LOOK, {"id": follower}, deadline=deadline)
    if looked and looked[0][0] != owner and not looked[0][1]:
        return None
    began = time.monotonic()

    async def work(transaction: Transaction) -> Held | None:
        [[end]] = await transaction.run(_END, {})
        given = {"id": follower, "owner": owner, "ttl": ttl_ms, "begin": end}
        rows = await transaction.run(_TAKE, given)
        if not rows:
            return None
        epoch, after = cast("tuple[int, int]", tuple(rows[0]))
        return Held(id=follower, owner=owner, epoch=epoch, after=after, until=began + ttl_ms / 1_000)

    return await store.write(work, deadline=deadline, quiet=True)


async def move(store: Store, held: Held, after: int, *, ttl_ms: int, deadline: float) -> Held | None:
    """Move the checkpoint, which renews the lease; None: it is another's now, and nothing was moved."""
    began = time.monotonic()
    given = {"id": held.id, "owner": held.owner, "epoch": held.epoch, "after": after, "ttl": ttl_ms}

    async def work(transaction: Transaction) -> bool:
        return bool(await transaction.run(_MOVE, given))

    moved = await store.write(work, deadline=deadline, quiet=True)
    return replace(held, after=after, until=began + ttl_ms / 1_000) if moved else None


async def leave(store: Store, held: Held, *, deadline: float) -> None:
    """Give it up before the lease runs out, so that another need not wait for that."""
    given = {"id": held.id, "owner": held.owner, "epoch": held.epoch}

    async def work(transaction: Transaction) -> None:
        await transaction.run(_LEAVE, given)

    await store.write(work, deadline=deadline, quiet=True)


async def lag_of(store: Store, follower: str, *, deadline: float) -> Lag | None:
    """Give how far it is behind; None where there is no such follower yet."""
    rows = await store.rows(_LAG, {"id": follower, "near": _NEAR}, deadline=deadline)
    if not rows:
        return None
    positions, waited = cast("tuple[int, int | None]", tuple(rows[0]))
    return Lag(positions=max(0, positions), seconds=max(0, waited or 0) / 1_000)


async def next_page(  # what is asked of one read
    store: Store, after: int, upto: int, types: Sequence[str], gap: Gap, *, deadline: float
) -> FollowerPage:
    """Give what comes after a position, as far as it is there without a gap; a gap that stays is passed over after a while."""
    found = await all_between(store, after, upto, types, deadline=deadline)
    wanted, reached, events = frozenset(types), after, list[Sequenced]()
    for each in found:
        if each.position != reached + 1 and not gap.is_given_up(reached):
            return FollowerPage(upto=reached, events=tuple(events))
        gap.close()
        reached = each.position
        if each.type in wanted:
            events.append(each)
    if reached < upto and gap.is_given_up(reached):
        reached = upto
    return FollowerPage(upto=reached, events=tuple(events))
