"""What the graph has of the network, and of the ports at two sites; and a decision is driven by loads as they are now.

What is out of service for good is told as such: what is disabled, or locked, or being shut down (X.731). An alarm takes nothing out: it will
be over, and a service is planned for longer.

Deciding computes for as long as its budget lasts. So each step of it runs in a thread of its own, while others are served, and ends where
nobody waits for it any more.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias, cast

from graph.capacity.limits import PORT_LAYER, Limit, Overbooking
from graph.errors import Refused
from graph.routing.answers import Design, Infeasible
from graph.routing.budget import Budget
from graph.routing.case import Asking
from graph.routing.demand import Demand, Side
from graph.routing.network import Element, Network, Site, Trunk
from graph.routing.ports import AccessPort, AccessPorts
from graph.store.store import Run

ReadLimits: TypeAlias = Callable[[Collection[str]], Awaitable[Mapping[str, Limit]]]
"""Gives the limits of ports and trunks by their ids; what is not there is left out."""

MOST_PORTS: Final = 20_000
"""at both sites together."""
_OUT_OF_SERVICE: Final = ("disabled",)
_NOT_FOR_NEW: Final = ("locked", "shuttingDown")

# One record of nested lists: it is read in a tenth of the time of as many records.
_NETWORK: Final = """
RETURN [
  COLLECT { MATCH (s:Site) RETURN [s.id, s.latitude, s.longitude] },
  COLLECT {
    MATCH (e:NetworkElement)-[:LOCATED_AT]->(s:Site)
    RETURN [e.id, s.id, NOT coalesce(e.operationalState, '') IN $out AND NOT coalesce(e.administrativeState, '') IN $closed]
  },
  COLLECT {
    MATCH (t:Trunk)-[r:TERMINATES_ON]->(p:Port)<-[:HAS_PORT]-(c:Card)<-[:HOLDS]-(e:NetworkElement)
    RETURN [t.id, r.end, e.id, NOT coalesce(t.operationalState, '') IN $out
      AND NOT coalesce(p.operationalState, '') IN $out AND NOT coalesce(p.administrativeState, '') IN $closed
      AND NOT coalesce(c.operationalState, '') IN $out AND NOT coalesce(c.administrativeState, '') IN $closed]
  }
] AS network
"""
_ARE_SITES: Final = "MATCH (s:Site) WHERE s.id IN $batch.ids RETURN s.id"
_PORTS: Final = """
UNWIND $batch.sites AS site
MATCH (:Site {id: site})<-[:LOCATED_AT]-(e:NetworkElement)-[:HOLDS]->(c:Card)-[:HAS_PORT]->(p:Port)
WHERE coalesce(p.role, '') <> 'trunk'
  AND NOT coalesce(e.operationalState, '') IN $out AND NOT coalesce(e.administrativeState, '') IN $closed
  AND NOT coalesce(c.operationalState, '') IN $out AND NOT coalesce(c.administrativeState, '') IN $closed
  AND NOT coalesce(p.operationalState, '') IN $out AND NOT coalesce(p.administrativeState, '') IN $closed
  AND NOT EXISTS { MATCH (p)<-[:TERMINATES_ON]-(:Trunk) }
RETURN site, p.id, e.id, coalesce(p.speedMbps, 0),
  EXISTS { MATCH (p)<-[:ACCESSED_AT]-(s:Service) WHERE NOT coalesce(s.state, '') IN $free }
LIMIT $most
"""


async def read_network(run: Run) -> Network:
    """Read the network, with what of it is in service."""
    [[found]] = await run(_NETWORK, {"out": list(_OUT_OF_SERVICE), "closed": list(_NOT_FOR_NEW)})
    sites, elements, ends = cast("tuple[list[_Site], list[tuple[str, str, bool]], list[_End]]", found)
    return Network.of(
        (Site(id=id_, latitude=latitude, longitude=longitude) for id_, latitude, longitude in sites),
        (Element(id=id_, site=site, in_service=in_service) for id_, site, in_service in elements),
        _trunks(ends),
    )


async def are_sites(run: Run, ids: Sequence[str]) -> bool:
    """Tell whether any of these is the id of a site."""
    return bool(await run(_ARE_SITES, {"batch": {"ids": list(ids)}}))


async def read_ports(run: Run, demand: Demand, free: Sequence[str], overbooking: Overbooking) -> AccessPorts:
    """Read the ports at both sites; a service in one of the states `free` holds none. Raises Refused where they are too many."""
    given = {
        "batch": {"sites": [demand.a.site, demand.z.site]},
        "out": list(_OUT_OF_SERVICE),
        "closed": list(_NOT_FOR_NEW),
        "free": list(free),
        "most": MOST_PORTS + 1,
    }
    rows = cast("list[tuple[str, str, str, int, bool]]", await run(_PORTS, given))
    if len(rows) > MOST_PORTS:
        raise Refused(f"Both sites together have more than {MOST_PORTS} ports", code="LIMIT_EXCEEDED")
    found: defaultdict[str, list[AccessPort]] = defaultdict(list)
    for site, id_, element, speed, taken in rows:
        limit = overbooking.limit(speed, PORT_LAYER)
        found[site].append(AccessPort(id=id_, element=element, speed=speed, limit=limit, is_taken=taken))
    return {side: tuple(found[demand.access(side).site]) for side in Side}


async def answer(
    deciding: Asking[Design | Infeasible], limits: ReadLimits, budget: Budget, *, deadline: float
) -> Design | Infeasible:
    """Drive a decision: read what it asks for, until it has its answer. It is undecided when the deadline comes."""
    timer = asyncio.get_running_loop().call_at(deadline, budget.stop)
    try:
        step = await asyncio.to_thread(_step, deciding, None)
        while not isinstance(step, _Answer):
            step = await asyncio.to_thread(_step, deciding, await limits(step))
        return step.found
    finally:
        timer.cancel()
        budget.stop()  # where this is cancelled, the thread goes on until it looks


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    found: Design | Infeasible


def _step(deciding: Asking[Design | Infeasible], found: Mapping[str, Limit] | None) -> frozenset[str] | _Answer:
    """Go on to the next question, or to the answer: no StopIteration gets out of a thread."""
    try:
        return next(deciding) if found is None else deciding.send(found)
    except StopIteration as done:
        return _Answer(found=done.value)


_Site: TypeAlias = tuple[str, float | None, float | None]
_End: TypeAlias = tuple[str, str, str, bool]
"""The id of a trunk, which end of it, at which element, and whether all of that is in service."""


def _trunks(ends: Iterable[_End]) -> Iterator[Trunk]:
    """Give the trunks of which both ends are known."""
    known: defaultdict[str, dict[str, tuple[str, bool]]] = defaultdict(dict)
    for trunk, end, element, in_service in ends:
        known[trunk][end] = element, in_service
    for trunk, each in known.items():
        if len(each) == 2:
            (a, near), (z, far) = (at for _, at in sorted(each.items()))
            yield Trunk(id=trunk, a=a, z=z, in_service=near and far)
