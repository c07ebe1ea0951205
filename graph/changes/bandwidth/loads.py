"""What ports and trunks carry over time: what is promised for ever, what the network still carries, and what is booked.

Committed rates are those of the services that hold capacity, and are summed live: services are changed by loads and feeds, which
know nothing of bookings. A service holds its rate from its design on until it is terminated; while only its feasibility was looked
at, nothing is kept for it. It may be on a thing twice, as where both ways share a trunk: it counts once, since one of them carries.

What the network carries beyond what is booked, since it has not confirmed a return yet,
or what it may carry since nobody knows what became of a change, is held as if it were for ever. The rest is
the profile: the sum of all bookings (`profiles.py`).

Everything here reads without a lock, or under those of its caller.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Final, cast

from graph.capacity.limits import PORT_LAYER, Limit, LimitKind, Overbooking
from graph.capacity.steps import Booking, StepFunction, read_steps
from graph.errors import Refused
from graph.model.vocabulary import HOLDS_NOTHING
from graph.store.store import Run, Store

MOST_THINGS: Final = 10_000
"""that may be asked about together,"""
_AT_ONCE: Final = 1_000
"""and that are read by one statement."""

_OF_SERVICE: Final = """
MATCH (:Service {id: $service})-[:ACCESSED_AT|ROUTED_OVER]->(t)
WITH DISTINCT t
WITH t, HEAD(COLLECT {
  MATCH (t)<-[:ACCESSED_AT|ROUTED_OVER]-(s:Service) WHERE NOT coalesce(s.state, '') IN $free
  WITH DISTINCT s, coalesce(s.committedMbps, 0) AS committed
  WITH committed, coalesce(s._mayCarry, s.effectiveMbps, 0) - coalesce(s.bookedMbps, committed) AS more
  RETURN sum(committed + CASE WHEN more > 0 THEN more ELSE 0 END)
}) AS carried
RETURN t.id, coalesce(t.speedMbps, t.capacityMbps, 0), t.layerRate, carried,
  HEAD(COLLECT { MATCH (c:CapacityProfile {id: 'capacityprofile-' + t.id}) RETURN c.deltas })
ORDER BY t.id
"""
_OF_PORTS: Final = """
UNWIND $batch.things AS id
MATCH (t:Port {id: id})
WITH t, HEAD(COLLECT {
  MATCH (t)<-[:ACCESSED_AT]-(s:Service) WHERE NOT coalesce(s.state, '') IN $free
  WITH DISTINCT s, coalesce(s.committedMbps, 0) AS committed
  WITH committed, coalesce(s._mayCarry, s.effectiveMbps, 0) - coalesce(s.bookedMbps, committed) AS more
  RETURN sum(committed + CASE WHEN more > 0 THEN more ELSE 0 END)
}) AS carried
RETURN t.id, coalesce(t.speedMbps, 0), null, carried,
  HEAD(COLLECT { MATCH (c:CapacityProfile {id: 'capacityprofile-' + t.id}) RETURN c.deltas })
ORDER BY t.id
"""
_OF_TRUNKS: Final = """
UNWIND $batch.things AS id
MATCH (t:Trunk {id: id})
WITH t, HEAD(COLLECT {
  MATCH (t)<-[:ROUTED_OVER]-(s:Service) WHERE NOT coalesce(s.state, '') IN $free
  WITH DISTINCT s, coalesce(s.committedMbps, 0) AS committed
  WITH committed, coalesce(s._mayCarry, s.effectiveMbps, 0) - coalesce(s.bookedMbps, committed) AS more
  RETURN sum(committed + CASE WHEN more > 0 THEN more ELSE 0 END)
}) AS carried
RETURN t.id, coalesce(t.capacityMbps, 0), t.layerRate, carried,
  HEAD(COLLECT { MATCH (c:CapacityProfile {id: 'capacityprofile-' + t.id}) RETURN c.deltas })
ORDER BY t.id
"""
_PORTS_OF: Final[Mapping[str, str]] = {
    "card": "UNWIND $batch.ids AS id MATCH (:Card {id: id})-[:HAS_PORT]->(p:Port) RETURN DISTINCT id, p.id LIMIT $most",
    "networkelement": (
        "UNWIND $batch.ids AS id MATCH (:NetworkElement {id: id})-[:HOLDS]->(:Card)-[:HAS_PORT]->(p:Port) "
        "RETURN DISTINCT id, p.id LIMIT $most"
    ),
    "site": (
        "UNWIND $batch.ids AS id MATCH (:Site {id: id})<-[:LOCATED_AT]-(:NetworkElement)-[:HOLDS]->(:Card)-[:HAS_PORT]->(p:Port) "
        "RETURN DISTINCT id, p.id LIMIT $most"
    ),
}
_TRUNKS_AT: Final = "UNWIND $batch.ports AS id MATCH (:Port {id: id})<-[:TERMINATES_ON]-(t:Trunk) RETURN id, t.id"


async def limits_of(store: Store, service: str, overbooking: Overbooking, *, deadline: float) -> tuple[Limit, ...]:
    """Give the limits of all that a service runs over, ports first: enough to quote, too old to book."""
    return await read_limits(partial(store.rows, deadline=deadline), service, overbooking)


async def read_limits(run: Run, service: str, overbooking: Overbooking) -> tuple[Limit, ...]:
    """Give the limits of both access ports and of every trunk of both ways, as `run` finds them; none where there is no service."""
    rows = await run(_OF_SERVICE, {"service": service, "free": list(HOLDS_NOTHING)})
    return tuple(_limit(each, overbooking) for each in rows)


async def loads_of(
    store: Store, ids: Sequence[str], overbooking: Overbooking, *, deadline: float
) -> Mapping[str, tuple[Limit, ...]]:
    """Give the limits of ports and trunks, and of all ports of cards, elements and sites.

    Where a trunk ends at a port of these, the trunk stands for it: services run over the trunk and are not at that port. By the id that was asked for; of what is not there, or has no ports, there are none. Raises Refused where they have too many ports. For operators only:
    it tells what every customer has.
    """
    things = await _things(partial(store.rows, deadline=deadline), ids)
    limits = await limits_by_id(
        store, {thing for each in things.values() for thing in each}, overbooking, deadline=deadline
    )
    return {key: tuple(limits[each] for each in things[key] if each in limits) for key in ids}


async def limits_by_id(
    store: Store, things: Collection[str], overbooking: Overbooking, *, deadline: float
) -> Mapping[str, Limit]:
    """Give the limit of each port and trunk that is there, by their ids; what is neither is left out."""
    return await read_limits_by_id(partial(store.rows, deadline=deadline), things, overbooking)


async def read_limits_by_id(run: Run, things: Collection[str], overbooking: Overbooking) -> Mapping[str, Limit]:
    """Give the same, as `run` finds it."""
    found: dict[str, Limit] = {}
    for text, label in ((_OF_PORTS, "port"), (_OF_TRUNKS, "trunk")):
        wanted = sorted({each for each in things if _label(each) == label})
        for at in range(0, len(wanted), _AT_ONCE):
            given: dict[str, object] = {"batch": {"things": wanted[at : at + _AT_ONCE]}, "free": list(HOLDS_NOTHING)}
            rows = await run(text, given)
            found |= {each.thing: each for each in (_limit(row, overbooking) for row in rows)}
    return found


async def _things(run: Run, ids: Sequence[str]) -> dict[str, list[str]]:
    """Give the ports and trunks of each id, sorted."""
    found = {key: {key} if _label(key) in ("port", "trunk") else set[str]() for key in ids}
    ends: dict[str, list[str]] = {}
    for label, text in _PORTS_OF.items():
        if some := [key for key in ids if _label(key) == label]:
            rows = await run(text, {"batch": {"ids": some}, "most": MOST_THINGS + 1})
            for key, port in cast("list[tuple[str, str]]", rows):
                found[key].add(port)
                ends.setdefault(port, []).append(key)
    if len(ends) > MOST_THINGS:
        said = f"At most {MOST_THINGS} ports are read at once, and these things have more"
        raise Refused(said, code="LIMIT_EXCEEDED")
    for port, trunk in cast("list[tuple[str, str]]", await run(_TRUNKS_AT, {"batch": {"ports": sorted(ends)}})):
        for key in ends[port]:
            found[key] = found[key] - {port} | {trunk}
    return {key: sorted(each) for key, each in found.items()}


def _limit(row: Sequence[object], overbooking: Overbooking) -> Limit:
    thing, capacity, layer, carried, deltas = cast("tuple[str, int, str | None, int | None, str | None]", tuple(row))
    is_port = _label(thing) == "port"
    lasting = StepFunction.of([Booking(start=0, end=None, mbps=carried or 0)])
    booked = read_steps(deltas) if deltas else StepFunction()
    return Limit(
        thing=thing,
        kind=LimitKind.PORT if is_port else LimitKind.NETWORK,
        mbps=overbooking.limit(capacity, PORT_LAYER if is_port else layer or ""),
        load=booked.plus(lasting),
    )


def _label(key: str) -> str:
    return key.partition("-")[0]
