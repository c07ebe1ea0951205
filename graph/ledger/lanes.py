"""Several processes share the telling of one system, each its part, and no two of them what must be kept in order.

What a system must be told lies in sixteen lanes, by order key. Whoever tells a lane holds its lease. A lease runs out by itself,
by the database's clock, so that the lanes of a process that died are taken over; it is renewed long before. `epoch` rises
with each new owner and is part of every claim, so that what an owner of yesterday still has to say is not taken.

Nobody leads. Each process says with every renewal that it is there (`Worker`) and whether the system lets it in, and from who else is there it works out how
many lanes are its share: it takes free ones up to that, and gives back what is more. What it claimed before that stays its
own: nobody else is given the same delivery until the hold of the claim is over.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

from graph.store.store import Store, Transaction

SHARDS: Final = 16

_BE_THERE: Final = """
MERGE (w:Worker {id: $worker})
WITH w, datetime.realtime().epochMillis AS now
SET w.system = $system, w.until = now + $ttl, w.paused = $paused
RETURN now
"""
_WHO: Final = "MATCH (w:Worker {system: $system}) RETURN w.id, w.until"
_LOOK: Final = "UNWIND $batch.lanes AS id MATCH (l:Lane {id: id}) RETURN l.id, l.owner, l.until"
_FORGET: Final = "UNWIND $batch.workers AS id MATCH (w:Worker {id: id}) DELETE w"

# Lock first, then look at the clock, then write: two that find the lease run out must not both take it. The epoch is set
# before the owner: a later item of SET sees what an earlier one has written.
_TAKE: Final = """
UNWIND $batch.lanes AS id
MERGE (l:Lane {id: id})
ON CREATE SET l.owner = '', l.until = 0, l.epoch = 0
SET l._lock = true
REMOVE l._lock
WITH l, datetime.realtime().epochMillis AS now
WHERE l.owner = $owner OR l.until < now
SET l.epoch = CASE WHEN l.owner = $owner AND l.until >= now THEN l.epoch ELSE l.epoch + 1 END,
    l.owner = $owner,
    l.until = now + $ttl
RETURN l.id, l.epoch
"""

_LEAVE: Final = """
UNWIND $batch.lanes AS id
MATCH (l:Lane {id: id})
SET l._lock = true
REMOVE l._lock
WITH l WHERE l.owner = $owner
SET l.until = 0
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leases:
    """The right to tell some lanes of a system, until it runs out."""

    system: str
    owner: str
    epochs: Mapping[str, int]
    """of each lane that is held, by its id."""
    until: float
    """on `time.monotonic()`, counted from before the database was asked: never later than the database's own."""
    is_share: bool
    """whether that is this process's whole share: if not, others have not yet given back what is."""


def lane_of(system: str, order_key: str) -> str:
    """Give the lane in which a system is told about what has this key.

    >>> lane_of("ticketing", "alarm-7:customer-3")
    'ticketing#5'
    """
    return f"{system}#{zlib.crc32(order_key.encode()) % SHARDS}"


def lanes_of(system: str) -> list[str]:
    """Give all lanes of a system."""
    return [f"{system}#{shard}" for shard in range(SHARDS)]


def share_of(owner: str, there: Iterable[str]) -> int:
    """Give how many lanes are a process's own, among all that are there.

    >>> [share_of(each, "abc") for each in "abc"]
    [6, 5, 5]
    """
    everybody = sorted({owner, *there})
    whole, rest = divmod(SHARDS, len(everybody))
    return whole + (everybody.index(owner) < rest)


async def take_lanes(
    store: Store, system: str, *, owner: str, ttl_ms: int, deadline: float, paused: bool = False
) -> Leases:
    """Renew one's lanes; take free ones, or give some back, as one's share asks for.

    `paused` says for all to know that the system does not let this process in.
    """

    async def work(transaction: Transaction) -> Leases:
        began = time.monotonic()
        share = share_of(owner, await _there(transaction, system, owner, ttl_ms, paused=paused))
        mine, free = await _lanes(transaction, system, owner)
        given_back, wanted = mine[share:], [*mine, *free][:share]
        if given_back:
            await transaction.run(_LEAVE, {"owner": owner, "batch": {"lanes": sorted(given_back)}})
        taken = {"owner": owner, "ttl": ttl_ms, "batch": {"lanes": sorted(wanted)}}
        epochs = {str(lane): cast("int", epoch) for lane, epoch in await transaction.run(_TAKE, taken)}
        until = began + ttl_ms / 1_000
        return Leases(system=system, owner=owner, epochs=epochs, until=until, is_share=len(epochs) == share)

    return await store.write(work, deadline=deadline, quiet=True)


async def leave_lanes(store: Store, system: str, *, owner: str, deadline: float) -> None:
    """Give all lanes up before the leases run out, so that another need not wait for that."""

    async def work(transaction: Transaction) -> None:
        await transaction.run(_LEAVE, {"owner": owner, "batch": {"lanes": lanes_of(system)}})
        await transaction.run(_FORGET, {"batch": {"workers": [_worker(system, owner)]}})

    await store.write(work, deadline=deadline, quiet=True)


async def _there(transaction: Transaction, system: str, owner: str, ttl_ms: int, *, paused: bool) -> Sequence[str]:
    """Say that we are there; give who else is, and forget who has not been for long."""
    worker = _worker(system, owner)
    there = {"worker": worker, "system": system, "ttl": ttl_ms, "paused": paused}
    [[now]] = await transaction.run(_BE_THERE, there)
    rows = cast("list[tuple[str, int]]", await transaction.run(_WHO, {"system": system}))
    gone = [each for each, until in rows if until < cast("int", now) - 10 * ttl_ms and each != worker]
    if gone:
        await transaction.run(_FORGET, {"batch": {"workers": sorted(gone)}})
    return [each.removeprefix(f"{system}:") for each, until in rows if until >= cast("int", now)]


async def _lanes(transaction: Transaction, system: str, owner: str) -> tuple[list[str], list[str]]:
    """Give the lanes that are ours, and those that nobody has: a look only, what is taken is locked first."""
    [[now]] = await transaction.run("RETURN datetime.realtime().epochMillis", {})
    rows = await transaction.run(_LOOK, {"batch": {"lanes": lanes_of(system)}})
    known = {str(lane): (str(who), cast("int", until)) for lane, who, until in rows}
    alive = {lane: who for lane, (who, until) in known.items() if until >= cast("int", now)}
    mine = [each for each in lanes_of(system) if alive.get(each) == owner]
    return mine, [each for each in lanes_of(system) if each not in alive]


def _worker(system: str, owner: str) -> str:
    return f"{system}:{owner}"
