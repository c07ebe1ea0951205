"""What the graph has of the network, and of the ports at two sites; and a decision is driven by loads as they are now.

What is out of service for good is left out: what is disabled, or locked, or being shut down (X.731). An alarm takes nothing out: it will be
over, and a service is planned for longer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias, cast

from graph.capacity.limits import Limit
from graph.errors import Refused
from graph.routing.answers import Design, Infeasible
from graph.routing.case import Asking
from graph.routing.demand import Demand, Side
from graph.routing.network import Element, Network, Site, Trunk
from graph.routing.ports import AccessPort, AccessPorts

Run: TypeAlias = Callable[[str, dict[str, object]], Awaitable[list[list[object]]]]
"""Runs a statement that reads, in a transaction or by itself."""
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
    WHERE NOT coalesce(e.operationalState, '') IN $out AND NOT coalesce(e.administrativeState, '') IN $closed
    RETURN [e.id, s.id]
  },
  COLLECT {
    MATCH (t:Trunk)-[r:TERMINATES_ON]->(p:Port)<-[:HAS_PORT]-(c:Card)<-[:HOLDS]-(e:NetworkElement)
    WHERE NOT coalesce(t.operationalState, '') IN $out
      AND NOT coalesce(p.operationalState, '') IN $out AND NOT coalesce(p.administrativeState, '') IN $closed
      AND NOT coalesce(c.operationalState, '') IN $out AND NOT coalesce(c.administrativeState, '') IN $closed
    RETURN [t.id, r.end, e.id]
  }
] AS network
"""
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
    """Read the network that is in service."""
    [[found]] = await run(_NETWORK, {"out": list(_OUT_OF_SERVICE), "closed": list(_NOT_FOR_NEW)})
    sites, elements, ends = cast("tuple[list[_Site], list[tuple[str, str]], list[tuple[str, str, str]]]", found)
    return Network.of(
        (Site(id=id_, latitude=latitude, longitude=longitude) for id_, latitude, longitude in sites),
        (Element(id=id_, site=site) for id_, site in elements),
        _trunks(ends),
    )


async def read_ports(run: Run, demand: Demand, free: Sequence[str]) -> AccessPorts:
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
        found[site].append(AccessPort(id=id_, element=element, speed=speed, is_taken=taken))
    return {side: tuple(found[demand.access(side).site]) for side in Side}


async def answer(deciding: Asking[Design | Infeasible], limits: ReadLimits) -> Design | Infeasible:
    """Drive a decision: read what it asks for, until it has its answer."""
    try:
        asked = next(deciding)
        while True:
            asked = deciding.send(await limits(asked))
    except StopIteration as done:
        return cast("Design | Infeasible", done.value)


_Site: TypeAlias = tuple[str, float | None, float | None]


def _trunks(ends: Iterable[tuple[str, str, str]]) -> Iterator[Trunk]:
    """Give the trunks of which both ends are in service."""
    known: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for trunk, end, element in ends:
        known[trunk][end] = element
    for trunk, each in known.items():
        if len(each) == 2:
            a, z = (element for _, element in sorted(each.items()))
            yield Trunk(id=trunk, a=a, z=z)
