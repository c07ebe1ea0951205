"""Which deliveries may be told now, and that this is being tried, is decided and written in one transaction.

An attempt is counted before it is made. If the process dies after that, whoever comes next sees the count and knows that
the other system may have heard already: it looks there before it says anything twice. While a claim is out nobody else
gets one for the same delivery (`hold`), not even a new owner of the lane, so that a request of the old owner that is
still on its way is over before the next one is made.

A delivery waits for all earlier ones of its order key, parked ones too: what comes later must not be told first. So only
the first of an order key is `due`; whatever settles it makes the next one due (`outcomes.py`).
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

import orjson

from graph.ledger.lanes import Leases
from graph.store.store import Store, Transaction

# Locked by order key, as all who lock several deliveries do.
_CLAIM: Final = """
UNWIND $batch.lanes AS lane
MATCH (l:Lane {id: lane.id})
WITH l, lane, datetime.realtime().epochMillis AS now
WHERE l.owner = $owner AND l.epoch = lane.epoch AND l.until > now
MATCH (d:Delivery {due: lane.id})
WHERE d.nextAt <= now
WITH d, lane, now LIMIT $most
WITH d, lane, now ORDER BY d.orderKey, d.id
SET d._lock = true
REMOVE d._lock
WITH d, lane, now WHERE d.due = lane.id AND d.nextAt <= now
SET d.attempts = d.attempts + 1, d._epoch = lane.epoch, d.nextAt = now + $hold
RETURN d.id, d.orderKey, d.version, d.attempts, lane.epoch, now - d.since, d.payload, coalesce(d._suspended, 0), d.createdAt
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One delivery, to be told now."""

    id: str
    order_key: str
    version: int
    attempts: int
    """this one included: from 2 on, the other system may have heard before."""
    epoch: int
    age_ms: int
    """since the change; since it was replayed, or one before it was, where that is later."""
    payload: Mapping[str, Any]
    suspended: int = 0
    """how many of the attempts before this one its people had suspended."""
    created_at: int = 0
    """when the change was made, in epoch milliseconds: what the other system said before that is not of this delivery."""

    @property
    def tries(self) -> int:
        """How often it was tried, this one included: what was suspended says nothing of whether it will be taken."""
        return self.attempts - self.suspended


async def claim(store: Store, leases: Leases, *, most: int, hold_ms: int, deadline: float) -> list[Claim]:
    """Claim up to `most` deliveries that are due; none of a lane that is no longer ours."""
    lanes = [{"id": lane, "epoch": epoch} for lane, epoch in leases.epochs.items()]
    random.shuffle(lanes)  # where more is due than there is room for, no lane always comes first
    parameters = {"owner": leases.owner, "most": most, "hold": hold_ms, "batch": {"lanes": lanes}}

    async def work(transaction: Transaction) -> list[Claim]:
        return [_claim(row) for row in await transaction.run(_CLAIM, parameters)]

    return await store.write(work, deadline=deadline, quiet=True)


def _claim(row: list[object]) -> Claim:
    delivery, order_key, version, attempts, epoch, age, payload, suspended, created_at = cast(
        "tuple[str, str, int, int, int, int, str, int, int]", tuple(row)
    )
    return Claim(
        id=delivery,
        order_key=order_key,
        version=version,
        attempts=attempts,
        epoch=epoch,
        age_ms=age,
        payload=orjson.loads(payload),
        suspended=suspended,
        created_at=created_at,
    )
