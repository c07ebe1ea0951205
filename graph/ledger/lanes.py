"""Several processes could tell one system at the same time, and then nothing would keep the order; so one of them does.

Whoever tells a system holds the lease of its lane. It runs out by itself, by the database's clock, so that the lane of a
process that died is taken over; it is renewed long before. `epoch` rises with each new owner and is part of every
claim, so that what an owner of yesterday still has to say is not taken.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final, cast

from graph.store import Store, Transaction

# Lock first, then look at the clock, then write: two that find the lease run out must not both take it. The epoch is set
# before the owner: a later item of SET sees what an earlier one has written.
_TAKE: Final = """
MERGE (l:Lane {id: $lane})
ON CREATE SET l.owner = '', l.until = 0, l.epoch = 0
SET l._lock = true
REMOVE l._lock
WITH l, datetime.realtime().epochMillis AS now
WHERE l.owner = $owner OR l.until < now
SET l.epoch = CASE WHEN l.owner = $owner AND l.until >= now THEN l.epoch ELSE l.epoch + 1 END,
    l.owner = $owner,
    l.until = now + $ttl
RETURN l.epoch
"""

_LEAVE: Final = """
MATCH (l:Lane {id: $lane})
SET l._lock = true
REMOVE l._lock
WITH l WHERE l.owner = $owner AND l.epoch = $epoch
SET l.until = 0
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to tell a system, until it runs out."""

    lane: str
    owner: str
    epoch: int
    until: float
    """on `time.monotonic()`, counted from before the database was asked: never later than the database's own."""


async def take_lane(store: Store, lane: str, *, owner: str, ttl_ms: int, deadline: float) -> Lease | None:
    """Take a lane that is free, or renew one's own; None while another holds it."""

    async def work(transaction: Transaction) -> Lease | None:
        began = time.monotonic()
        rows = await transaction.run(_TAKE, {"lane": lane, "owner": owner, "ttl": ttl_ms})
        if not rows:
            return None
        return Lease(lane=lane, owner=owner, epoch=cast("int", rows[0][0]), until=began + ttl_ms / 1_000)

    return await store.write(work, deadline=deadline)


async def leave_lane(store: Store, lease: Lease, *, deadline: float) -> None:
    """Give a lane up before the lease runs out, so that another need not wait for that."""

    async def work(transaction: Transaction) -> None:
        await transaction.run(_LEAVE, {"lane": lease.lane, "owner": lease.owner, "epoch": lease.epoch})

    await store.write(work, deadline=deadline)
