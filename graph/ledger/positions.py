"""Whoever reads events "after 8" must never miss one that became visible later than 9 did.

A number that a transaction takes for itself can become visible after a higher one. So events are written without a position,
marked `unplaced`, and numbered once they are committed, in batches, by one process at a time: the owner of the sequence.
Its lease and the next number are one node, which is locked for as long as a batch is written; a batch of an owner whose
lease is over is not written. Positions begin at 1 and have no gaps.

Events of one aggregate keep their order. A look sees an event and may miss an earlier one that was committed while it
looked; so what a first look sees is numbered together with what a second one, later, sees before it.

Each event is chained to the one before it, by a hash of all that is written of it (`audit.py`): here, since a head that business
transactions shared would let them wait for each other.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias, cast

import structlog

from graph.errors import GraphError
from graph.ledger.audit import START, ChainedEvent, chain
from graph.store.store import Store, Transaction

TTL_MS: Final = 10_000
RENEW_SECONDS: Final = 3.0
_LOOK_SECONDS: Final = 1.0
"""between attempts to own the sequence while another does."""
_POLL_SECONDS: Final = 0.05
"""between looks of the owner for what other processes have written, one indexed read each; what this one writes wakes it."""
_ROUND_SECONDS: Final = 0.03
"""between two batches: what is written meanwhile goes together in the next."""
_STORE_SECONDS: Final = 5.0
_MOST: Final = 1_000
"""events in a batch, about."""

_OWNER: Final = """
OPTIONAL MATCH (s:Sequence {id: 'sequence-events'})
RETURN s.owner, s.until, datetime.realtime().epochMillis
"""
_LOOK: Final = "MATCH (e:Event) WHERE e.unplaced > 0 RETURN e.unplaced LIMIT $most"
_AGAIN: Final = """
MATCH (e:Event) WHERE e.unplaced > 0 AND e.unplaced <= $latest
RETURN e.id, e.unplaced, e.aggregateId, e.aggregateVersion, e.type, e.at, e.principal, e.payload
"""
# Lock first, then look at the clock, then write.
_OWN: Final = """
MERGE (s:Sequence {id: 'sequence-events'})
ON CREATE SET s.owner = '', s.until = 0, s.next = 1
SET s._lock = true
REMOVE s._lock
WITH s, datetime.realtime().epochMillis AS now
WHERE s.owner = $owner OR s.until < now
SET s.owner = $owner, s.until = now + $ttl
RETURN s.next, coalesce(s.head, $start)
"""
_PLACE: Final = """
UNWIND $batch.rows AS row
MATCH (e:Event {id: row.id})
SET e.position = row.position, e.previousHash = row.previous, e.hash = row.hash
REMOVE e.unplaced
"""
_NEXT: Final = """
MATCH (s:Sequence {id: 'sequence-events'})
SET s.chainedFrom = coalesce(s.chainedFrom, s.next), s.next = $next, s.head = $head
"""

log = structlog.get_logger(__name__)


def _nobody() -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """What one attempt came to."""

    owned: bool
    """whether the sequence is this process's."""
    events: int
    """how many got their positions."""


async def place(store: Store, *, owner: str, renew: bool, deadline: float, owned: bool = False) -> Placed:
    """Give numbers to what has none, if the sequence is ours or free; `renew` the lease also where all have theirs.

    `owned`: it was ours a moment ago, so nobody asks whose it is before there is anything to number; the batch looks again.
    """
    if not owned:
        [[who, until, now]] = await store.rows(_OWNER, {}, deadline=deadline)
        if who != owner and until is not None and cast("int", until) >= cast("int", now):
            return Placed(owned=False, events=0)
        owned = who == owner
    seen = [cast("int", row[0]) for row in await store.rows(_LOOK, {"most": _MOST}, deadline=deadline)]
    if not seen and owned and not renew:
        return Placed(owned=True, events=0)
    return await store.write(lambda transaction: _batch(transaction, owner, seen), deadline=deadline, quiet=True)


async def _batch(transaction: Transaction, owner: str, seen: list[int]) -> Placed:
    rows = await transaction.run(_OWN, {"owner": owner, "ttl": TTL_MS, "start": START})
    if not rows:
        return Placed(owned=False, events=0)
    if not seen:
        return Placed(owned=True, events=0)
    first, head = cast("tuple[int, str]", tuple(rows[0]))
    found = await transaction.run(_AGAIN, {"latest": max(seen)})
    ordered = sorted(cast("list[_Row]", [tuple(each) for each in found]), key=_order)
    if not ordered:
        return Placed(owned=True, events=0)
    events = [_event(each, first + number) for number, each in enumerate(ordered)]
    hashes = chain(head, events)
    batch = [
        {"id": event.id, "position": event.position, "previous": each.previous, "hash": each.hash}
        for event, each in zip(events, hashes, strict=True)
    ]
    await transaction.run(_PLACE, {"batch": {"rows": batch}})
    await transaction.run(_NEXT, {"next": first + len(batch), "head": hashes[-1].hash})
    return Placed(owned=True, events=len(batch))


_Row: TypeAlias = tuple[str, int, str, int, str, int, str, str]


def _order(event: _Row) -> tuple[int, str, int]:
    """Order by time, which was read under the aggregate's lock; versions order what has one time."""
    _, at, aggregate, version, *_ = event
    return at, aggregate, version


def _event(row: _Row, position: int) -> ChainedEvent:
    id_, _, about, version, type_, at, principal, payload = row
    return ChainedEvent(
        position=position,
        id=id_,
        type=type_,
        about=about,
        version=version,
        at=at,
        principal=principal,
        payload=payload,
    )


async def keep_placed(store: Store, *, owner: str, placed: Callable[[], None] = _nobody) -> None:
    """Give positions whenever the sequence is ours, until cancelled; `placed` is called after each batch."""
    woken, renewed, owned = asyncio.Event(), 0.0, False
    with store.heard(woken.set):
        while True:
            begun = time.monotonic()
            woken.clear()
            due = begun - renewed > RENEW_SECONDS
            try:
                batch = await place(store, owner=owner, renew=due, deadline=begun + _STORE_SECONDS, owned=owned)
                renewed, owned = (begun if due or batch.events else renewed), batch.owned
                if batch.events:
                    placed()
            except GraphError as error:
                log.warning("positions wait for the database", reason=str(error))
                renewed, owned = 0.0, False
            await _pause(woken, begun, owned=owned)


async def _pause(woken: asyncio.Event, begun: float, *, owned: bool) -> None:
    """Wait until something is written here, or it is time to look; another's sequence is looked at seldom."""
    if not owned:
        await asyncio.sleep(_LOOK_SECONDS)
        return
    try:
        async with asyncio.timeout(_POLL_SECONDS):
            await woken.wait()
    except TimeoutError:
        return
    await asyncio.sleep(max(0.0, begun + _ROUND_SECONDS - time.monotonic()))
