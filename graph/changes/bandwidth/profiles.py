"""The profile of a port or trunk is the sum of all bookings on it, kept so that ten thousand of them are one small read.

Whoever books locks the profiles of all that the booking will hold, in the order of their ids, looks again under the lock, and
writes: two that want the last of the same trunk come one after the other. A thing without a booking has no profile, and so nothing
that could be locked; it is made then.

What is kept can be made again from the boosts that reserve the thing (`comparing.py`). Past steps are folded into one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, cast

from graph.capacity.limits import Limit, Overbooking
from graph.capacity.steps import StepFunction, read_steps
from graph.changes.bandwidth.loads import read_limits
from graph.store.store import Transaction

KEPT_MS: Final = 3_600_000
"""Past steps are kept so long: whoever waited for a lock meanwhile asks about a start that was now when it began."""

_WAY: Final = """
MATCH (:Service {id: $service})-[:ACCESSED_AT|ROUTED_OVER]->(t)
RETURN DISTINCT t.id
"""
# Counted, since the embedded database tells of a conflict only where a record differs in the end.
_LOCK: Final = """
UNWIND $batch.things AS id
MATCH (c:CapacityProfile {id: 'capacityprofile-' + id})
SET c._locked = coalesce(c._locked, 0) + 1
RETURN id, c.version, c.deltas, datetime.realtime().epochMillis
"""
_MAKE: Final = """
UNWIND $batch.things AS id
MERGE (c:CapacityProfile {id: 'capacityprofile-' + id})
ON CREATE SET c.version = 0
SET c._locked = coalesce(c._locked, 0) + 1
RETURN id, c.version, c.deltas, datetime.realtime().epochMillis
"""
_SET: Final = """
UNWIND $batch.rows AS row
MATCH (c:CapacityProfile {id: 'capacityprofile-' + row.thing})
SET c.version = row.version, c.deltas = row.deltas
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The bookings of one thing, under the lock of its profile."""

    thing: str
    version: int
    text: str | None
    now: int
    """epoch milliseconds, by the database's clock."""

    @property
    def booked(self) -> StepFunction:
        """What all bookings take; raises BrokenSteps where somebody else has written it."""
        return read_steps(self.text) if self.text else StepFunction()


async def lock_limits(transaction: Transaction, service: str, overbooking: Overbooking) -> list[Limit]:
    """Lock the profiles of all that a service runs over, and give the limits of these as they are under the locks."""
    rows = await transaction.run(_WAY, {"service": service})
    await lock_profiles(transaction, (str(row[0]) for row in rows))
    return list(await read_limits(transaction.run, service, overbooking))


async def write_profiles(transaction: Transaction, changes: Mapping[str, StepFunction]) -> None:
    """Add to the bookings of things, by their ids; what is given back is below 0. Locks the profiles."""
    profiles = await lock_profiles(transaction, (thing for thing, steps in changes.items() if steps.instants))
    put_profiles(transaction, ((each, each.booked.plus(changes[each.thing])) for each in profiles))


async def lock_profiles(transaction: Transaction, things: Iterable[str]) -> list[Profile]:
    """Lock the profiles of things, in the order of their ids, and give them; those that were missing are made."""
    wanted = sorted(set(things))
    if not wanted:
        return []
    given = {"batch": {"things": wanted}}
    rows = await transaction.run(_LOCK, given)
    if len(rows) < len(wanted):  # once in the life of a thing; who merges what is there locks more than the node
        rows = await transaction.run(_MAKE, given)
    found = cast("list[tuple[str, int, str | None, int]]", [tuple(row) for row in rows])
    return [Profile(thing=thing, version=version, text=text, now=now) for thing, version, text, now in found]


def put_profiles(transaction: Transaction, booked: Iterable[tuple[Profile, StepFunction]]) -> None:
    """Write what is booked on things whose profiles are locked."""
    rows = [
        {"thing": each.thing, "version": each.version + 1, "deltas": steps.from_(each.now - KEPT_MS).as_text()}
        for each, steps in booked
    ]
    if rows:
        transaction.later(_SET, {"batch": {"rows": rows}})
