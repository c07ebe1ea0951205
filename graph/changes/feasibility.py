"""Whether a new service can be built, and how, by the network and the loads as they are; nothing is written.

Whoever only asks reads without a lock, and goes by a network that is cached for some seconds (`feasibility`). Whoever reserves what was
designed holds the locks of all its `things`, and decides again in that transaction, by a network that is read there (`design`).
"""

from __future__ import annotations

from functools import partial

from graph.capacity.limits import Overbooking
from graph.changes.bandwidth.loads import read_limits_by_id
from graph.model.vocabulary import HOLDS_NOTHING
from graph.routing.answers import Design, Infeasible
from graph.routing.budget import Budget
from graph.routing.cached_network import CachedNetwork
from graph.routing.deciding import decide
from graph.routing.demand import Demand
from graph.routing.network import Network
from graph.routing.reading import answer, read_ports
from graph.store.store import Run, Store


async def feasibility(
    store: Store, cached: CachedNetwork, demand: Demand, overbooking: Overbooking, *, deadline: float
) -> Design | Infeasible:
    """Design a service without a lock: enough to say what could be had, too old to reserve it. Raises DeadlineExceeded."""
    network = await cached.network((demand.a.site, demand.z.site), deadline=deadline)
    async with cached.turn(deadline=deadline):
        return await design(partial(store.rows, deadline=deadline), network, demand, overbooking, deadline=deadline)


async def design(
    run: Run, network: Network, demand: Demand, overbooking: Overbooking, *, deadline: float
) -> Design | Infeasible:
    """Design a service by ports and loads as `run` finds them; raises Refused where the sites have too many ports."""
    ports, budget = await read_ports(run, demand, HOLDS_NOTHING, overbooking), Budget()
    deciding = decide(demand, network, ports, budget)
    return await answer(deciding, lambda things: read_limits_by_id(run, things, overbooking), budget, deadline=deadline)
