"""What ports and trunks carry over time is read and written under the locks of their profiles, in the order of their ids.

The load of a thing is the committed rate of each service on it, which is summed live; what the network still carries beyond what is
booked, since a return is not confirmed yet; and the profile, which is the sum of all bookings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

from graph.capacity.limits import PORT_LAYER, Limit, LimitKind, Overbooking
from graph.capacity.steps import Booking, StepFunction, read_steps
from graph.store.store import Transaction

_WAY: Final = """
MATCH (s:Service {id: $service})
RETURN COLLECT { MATCH (s)-[:ACCESSED_AT]->(p:Port) RETURN DISTINCT p.id },
  COLLECT { MATCH (s)-[:ROUTED_OVER]->(t:Trunk) RETURN DISTINCT t.id }
"""
_LOCK: Final = """
UNWIND $batch.things AS id
MERGE (c:CapacityProfile {id: 'capacityprofile-' + id})
ON CREATE SET c.version = 0
SET c._locked = coalesce(c._locked, 0) + 1
RETURN id, c.version, c.deltas
"""
_PORTS: Final = """
UNWIND $batch.things AS id
MATCH (p:Port {id: id})
RETURN id, coalesce(p.speedMbps, 0), HEAD(COLLECT {
  MATCH (p)<-[:ACCESSED_AT]-(s:Service) WHERE coalesce(s.state, '') <> 'terminated'
  WITH DISTINCT s
  RETURN sum(coalesce(s.committedMbps, 0) + CASE
    WHEN coalesce(s.effectiveMbps, 0) > coalesce(s.bookedMbps, s.committedMbps, 0)
    THEN s.effectiveMbps - coalesce(s.bookedMbps, s.committedMbps, 0) ELSE 0 END)
})
"""
_TRUNKS: Final = """
UNWIND $batch.things AS id
MATCH (t:Trunk {id: id})
RETURN id, coalesce(t.capacityMbps, 0), HEAD(COLLECT {
  MATCH (t)<-[:ROUTED_OVER]-(s:Service) WHERE coalesce(s.state, '') <> 'terminated'
  WITH DISTINCT s
  RETURN sum(coalesce(s.committedMbps, 0) + CASE
    WHEN coalesce(s.effectiveMbps, 0) > coalesce(s.bookedMbps, s.committedMbps, 0)
    THEN s.effectiveMbps - coalesce(s.bookedMbps, s.committedMbps, 0) ELSE 0 END)
}), coalesce(t.layerRate, '')
"""
_SET: Final = """
UNWIND $batch.rows AS row
MATCH (c:CapacityProfile {id: row.id})
SET c.version = row.version, c.deltas = row.deltas
"""


async def lock_limits(transaction: Transaction, service: str, overbooking: Overbooking) -> list[Limit]:
    """Lock the profiles of all that a service runs over, and give the limits of these."""
    [row] = await transaction.run(_WAY, {"service": service})
    ports, trunks = sorted(cast("list[str]", row[0])), sorted(cast("list[str]", row[1]))
    profiles = await _locked(transaction, [*ports, *trunks])
    limits = []
    for thing, speed, committed in await transaction.run(_PORTS, {"batch": {"things": ports}}) if ports else []:
        most = overbooking.limit(cast("int", speed), PORT_LAYER)
        limits.append(_limit(str(thing), LimitKind.PORT, most, committed, profiles[str(thing)][1]))
    for thing, capacity, committed, layer in (
        await transaction.run(_TRUNKS, {"batch": {"things": trunks}}) if trunks else []
    ):
        most = overbooking.limit(cast("int", capacity), str(layer))
        limits.append(_limit(str(thing), LimitKind.NETWORK, most, committed, profiles[str(thing)][1]))
    return limits


async def write_profiles(transaction: Transaction, changes: Mapping[str, StepFunction]) -> None:
    """Add to what all bookings together take of things, by their ids."""
    changed = {thing: steps for thing, steps in changes.items() if steps.instants}
    if not changed:
        return
    profiles = await _locked(transaction, sorted(changed))
    rows = []
    for thing, (version, load) in sorted(profiles.items()):
        text = load.plus(changed[thing]).as_text()
        rows.append({"id": f"capacityprofile-{thing}", "version": version + 1, "deltas": text})
    transaction.later(_SET, {"batch": {"rows": rows}})


async def _locked(transaction: Transaction, things: list[str]) -> dict[str, tuple[int, StepFunction]]:
    rows = await transaction.run(_LOCK, {"batch": {"things": sorted(things)}}) if things else []
    found = cast("list[tuple[str, int, str | None]]", [tuple(row) for row in rows])
    return {thing: (version, read_steps(text) if text else StepFunction()) for thing, version, text in found}


def _limit(thing: str, kind: LimitKind, mbps: int, committed: object, load: StepFunction) -> Limit:
    lasting = StepFunction.of([Booking(start=0, end=None, mbps=cast("int", committed) or 0)])
    return Limit(thing=thing, kind=kind, mbps=mbps, load=load.plus(lasting))
