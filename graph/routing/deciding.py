"""Whether a service can be built, and how; or why not.

`decide` is a generator: it yields the ids of the ports and trunks whose loads it needs, is sent their limits, and returns the answer. Who
drives it decides how they are read (`reading.answer`), and may do it again under locks.
"""

from __future__ import annotations

from typing import assert_never

from graph.routing.answers import Cost, Design, Infeasible, PlannedWay, Undecided, UnknownSite
from graph.routing.apart import Blocked
from graph.routing.budget import Budget, Spent
from graph.routing.case import Asking, Case, Chosen, open_ports, settled
from graph.routing.demand import Demand, Side
from graph.routing.network import Network
from graph.routing.pairs import Found, GivenUp
from graph.routing.ports import AccessPorts
from graph.routing.reasons import end_full, why_not
from graph.routing.ways import Way


def decide(
    demand: Demand, network: Network, ports: AccessPorts, budget: Budget | None = None
) -> Asking[Design | Infeasible]:
    """Decide a demand, by a snapshot of the network and the ports at both of its sites; it is undecided where the budget does not suffice."""
    unknown = tuple(side for side in Side if demand.access(side).site not in network.sites)
    if unknown:
        return UnknownSite(sides=unknown)
    try:
        return (yield from _decided(Case.of(demand, network, ports, budget or Budget())))
    except Spent:
        return Undecided()


def _decided(case: Case) -> Asking[Design | Infeasible]:
    demand = case.demand
    chosen = yield from open_ports(case, demand.start, demand.mbps)
    if not all(chosen.values()):
        return (yield from end_full(case, chosen))
    found = yield from settled(case, case.ends(chosen), demand.start, demand.mbps)
    match found:
        case Found():
            return _design(case, chosen, found)
        case Blocked():
            return (yield from why_not(case, chosen, found))
        case GivenUp():
            return Undecided()
        case never:
            assert_never(never)


def _design(case: Case, chosen: Chosen, found: Found) -> Design:
    working, *others = found.ways
    return Design(
        a=chosen[Side.A][working.junctions[0]],
        z=chosen[Side.Z][working.junctions[-1]],
        working=_planned(case, working),
        protecting=_planned(case, others[0]) if others else None,
        is_least=found.is_least,
    )


def _planned(case: Case, way: Way) -> PlannedWay:
    site_of, km = case.network.site_of, case.network.km
    cost = Cost(
        total=way.price,
        hops=len(way.trunks),
        km=sum(km[each] for each in way.trunks),
        percent=sum(map(case.room.percent, way.trunks)),
    )
    sites = tuple(dict.fromkeys(site_of[each] for each in way.junctions))
    return PlannedWay(trunks=way.trunks, sites=sites, cost=cost)
