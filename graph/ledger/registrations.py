"""Where we have asked to be told of changes, and what that is called there: asked once, whichever process runs.

A system may make another registration of each request, and then sends each event once for each. So what was registered is kept
with the store: a process that starts, or takes over, does not ask again. After a day it does, in case it was forgotten there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from graph.store.store import Store, Transaction

RENEWED_MS: Final = 24 * 60 * 60 * 1_000

_KNOWN: Final = """
MATCH (r:Registration {id: $system})
RETURN r.address, r.callback, r.theirId, datetime.realtime().epochMillis - r.at
"""

_KEEP: Final = """
MERGE (r:Registration {id: $system})
SET r.address = $address,
    r.callback = $callback,
    r.theirId = $their_id,
    r.at = datetime.realtime().epochMillis
RETURN r.id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A registration, as it was made."""

    address: str
    """of the system's API,"""
    callback: str
    """and what it calls;"""
    their_id: str
    """what the registration is called there; empty when it does not say."""
    age_ms: int

    def holds(self, address: str, callback: str) -> bool:
        """Tell whether it is the one that is wanted, and new enough."""
        return (self.address, self.callback) == (address, callback) and self.age_ms < RENEWED_MS


async def registration(store: Store, system: str, *, deadline: float) -> Registered | None:
    """Give the registration with a system; None where there was never one."""
    rows = await store.rows(_KNOWN, {"system": system}, deadline=deadline)
    if not rows:
        return None
    address, callback, their_id, age = rows[0]
    return Registered(address=str(address), callback=str(callback), their_id=str(their_id), age_ms=int(str(age)))


async def keep_registration(
    store: Store, system: str, *, address: str, callback: str, their_id: str, deadline: float
) -> None:
    """Keep what was registered just now, in the place of what was before."""
    given = {"system": system, "address": address, "callback": callback, "their_id": their_id}

    async def work(transaction: Transaction) -> None:
        await transaction.run(_KEEP, given)

    await store.write(work, deadline=deadline)
