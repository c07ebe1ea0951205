"""A profile that is wrong sells capacity twice, or never again; so somebody has to look.

The truth is what boosts reserve: each that is not over holds its rate on each port and trunk that it is linked to, within its
interval. What is past makes no difference any more, and is not compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, cast

from graph.capacity.steps import Booking, BrokenSteps, StepFunction, read_steps
from graph.changes.bandwidth.profiles import lock_profiles, put_profiles
from graph.store.store import Run, Store, Transaction

HOLDING: Final = ("REQUESTED", "SCHEDULED", "ACTIVATED")
"""States of a boost that holds capacity."""
_AT_ONCE: Final = 200
"""things in one statement, each with maybe thousands of bookings."""

_PROFILES: Final = "MATCH (c:CapacityProfile) RETURN c.id"
_RESERVED: Final = "MATCH (b:Boost)-[:RESERVES]->(t) WHERE b.status IN $holding RETURN DISTINCT t.id"
# From the edges: boosts of many years are over, and hold nothing.
_FOR_NOBODY: Final = """
MATCH (b:Boost)-[:RESERVES]->()
WITH DISTINCT b
WHERE NOT b.status IN $holding OR NOT EXISTS { MATCH (b)-[:BOOSTS]->(:Service) }
RETURN b.id
"""
_FREE: Final = """
UNWIND $batch.boosts AS id
MATCH (b:Boost {id: id})-[r:RESERVES]->()
WHERE NOT b.status IN $holding OR NOT EXISTS { MATCH (b)-[:BOOSTS]->(:Service) }
DELETE r
"""
_OF_PORTS: Final = """
UNWIND $batch.things AS id
RETURN id, datetime.realtime().epochMillis,
  HEAD(COLLECT { MATCH (c:CapacityProfile {id: 'capacityprofile-' + id}) RETURN c.deltas }),
  COLLECT {
    MATCH (:Port {id: id})<-[:RESERVES]-(b:Boost) WHERE b.status IN $holding
    WITH DISTINCT b
    RETURN [b.startAt, b.endAt, b.mbps]
  }
"""
_OF_TRUNKS: Final = """
UNWIND $batch.things AS id
RETURN id, datetime.realtime().epochMillis,
  HEAD(COLLECT { MATCH (c:CapacityProfile {id: 'capacityprofile-' + id}) RETURN c.deltas }),
  COLLECT {
    MATCH (:Trunk {id: id})<-[:RESERVES]-(b:Boost) WHERE b.status IN $holding
    WITH DISTINCT b
    RETURN [b.startAt, b.endAt, b.mbps]
  }
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What a look at all profiles has found."""

    profiles: int
    """ports and trunks that have one, or need one."""
    differing: tuple[str, ...] = ()
    """ids of those whose profile is not the sum of their bookings, sorted."""
    nobody: tuple[str, ...] = ()
    """ids of boosts that hold capacity and are over, or are of no service, sorted: it is reserved for nobody."""


async def compare(store: Store, *, deadline: float) -> Compared:
    """Compare each profile with what boosts reserve. What differs is looked at again: it may have changed in between."""
    run = partial(store.rows, deadline=deadline)
    things = await _things(run)
    first = await _differing(run, things)
    nobody = tuple(sorted(str(row[0]) for row in await run(_FOR_NOBODY, {"holding": list(HOLDING)})))
    return Compared(profiles=len(things), differing=tuple(await _differing(run, first)), nobody=nobody)


async def rebuild(store: Store, *, deadline: float) -> int:
    """Give back what is reserved for nobody, and write the profiles anew that differ from what boosts reserve; give how many were."""
    nobody = (await compare(store, deadline=deadline)).nobody
    for boosts in _parts(nobody):
        await store.write(partial(_free, boosts=boosts), deadline=deadline)
    differing = (await compare(store, deadline=deadline)).differing
    for part in _parts(differing):
        await store.write(partial(_write, things=part), deadline=deadline)
    return len(differing)


async def _free(transaction: Transaction, boosts: Sequence[str]) -> None:
    await transaction.run(_FREE, {"batch": {"boosts": list(boosts)}, "holding": list(HOLDING)})


async def _write(transaction: Transaction, things: Sequence[str]) -> None:
    """Write what is reserved; who books writes its links under the locks of the profiles, which are held here."""
    locked = await lock_profiles(transaction, things)
    booked = {row.thing: row.reserved for row in await _look(transaction.run, things)}
    put_profiles(transaction, ((each, booked[each.thing]) for each in locked))


async def _things(run: Run) -> list[str]:
    """Give the ids of all that has a profile or is reserved, sorted."""
    kept = {str(row[0]).removeprefix("capacityprofile-") for row in await run(_PROFILES, {})}
    reserved = {str(row[0]) for row in await run(_RESERVED, {"holding": list(HOLDING)})}
    return sorted(kept | reserved)


async def _differing(run: Run, things: Sequence[str]) -> list[str]:
    return [each.thing for part in _parts(things) for each in await _look(run, part) if each.differs]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """One thing as it is."""

    thing: str
    now: int
    text: str | None
    """of its profile."""
    reserved: StepFunction

    @property
    def differs(self) -> bool:
        """Whether the profile is not what is reserved from now on, or cannot be read."""
        try:
            kept = read_steps(self.text) if self.text else StepFunction()
        except BrokenSteps:
            return True
        return kept.from_(self.now) != self.reserved.from_(self.now)


async def _look(run: Run, things: Sequence[str]) -> list[_Row]:
    ports = [each for each in things if each.startswith("port-")]
    trunks = [each for each in things if not each.startswith("port-")]
    found: list[list[object]] = []
    for text, some in ((_OF_PORTS, ports), (_OF_TRUNKS, trunks)):
        found += await run(text, {"batch": {"things": some}, "holding": list(HOLDING)}) if some else []
    return [_row(each) for each in found]


def _row(row: Sequence[object]) -> _Row:
    thing, now, text, bookings = cast("tuple[str, int, str | None, list[tuple[int, int, int]]]", tuple(row))
    booked = (Booking(start=start, end=end, mbps=mbps) for start, end, mbps in bookings if end > start)
    return _Row(thing=thing, now=now, text=text, reserved=StepFunction.of(booked))


def _parts(things: Sequence[str]) -> Iterable[Sequence[str]]:
    return (things[at : at + _AT_ONCE] for at in range(0, len(things), _AT_ONCE))
