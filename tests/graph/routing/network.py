"""A network with sites in a store: two ways from site-a to site-z, over site-b and over site-c, and a longer one over site-d and site-e.

Each site has one element with two cards: networkelement-b holds card-b, with the ports of trunks, and card-b-access, with four access
ports of 1,000 Mbit/s, port-b-0 ... port-b-3. Trunks carry 1,000: trunk-ab, trunk-bz, trunk-ac, trunk-cz, trunk-ad, trunk-de, trunk-ez.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from graph.capacity.limits import Overbooking
from graph.capacity.steps import Booking, StepFunction
from graph.changes.feasibility import feasibility
from graph.routing.answers import Design, Infeasible
from graph.routing.cached_network import CachedNetwork
from graph.routing.demand import Access, Demand, Weights
from graph.store.store import Store, Transaction
from tests.graph.changes.network import soon

PLACES: Final = {
    "a": (52.5, 13.4),
    "b": (53.6, 10.0),
    "c": (51.3, 12.4),
    "d": (50.1, 8.7),
    "e": (49.5, 11.1),
    "z": (48.1, 11.6),
}
TRUNKS: Final = ("ab", "bz", "ac", "cz", "ad", "de", "ez")
PLAIN: Final = Overbooking(by_layer={}, otherwise=Fraction(1))

_SITES: Final = """
UNWIND $batch.rows AS row
CREATE (s:Site {id: 'site-' + row.name, name: row.name, latitude: row.latitude, longitude: row.longitude})
CREATE (e:NetworkElement {id: 'networkelement-' + row.name, operationalState: 'enabled'})-[:LOCATED_AT]->(s)
CREATE (e)-[:HOLDS]->(:Card {id: 'card-' + row.name})
CREATE (e)-[:HOLDS]->(c:Card {id: 'card-' + row.name + '-access', administrativeState: 'unlocked'})
WITH c, row UNWIND range(0, 3) AS number
CREATE (c)-[:HAS_PORT]->(:Port {id: 'port-' + row.name + '-' + toString(number), role: 'client', speedMbps: 1000})
"""
_TRUNKS: Final = """
UNWIND $batch.rows AS row
MATCH (a:Card {id: 'card-' + row.a}) MATCH (z:Card {id: 'card-' + row.z})
CREATE (t:Trunk {id: 'trunk-' + row.a + row.z, capacityMbps: 1000, layerRate: 'ODU2'})
CREATE (a)-[:HAS_PORT]->(p:Port {id: 'port-' + row.a + row.z + '-a', speedMbps: 1000})
CREATE (z)-[:HAS_PORT]->(q:Port {id: 'port-' + row.a + row.z + '-z', speedMbps: 1000})
CREATE (t)-[:TERMINATES_ON {end: 'A'}]->(p) CREATE (t)-[:TERMINATES_ON {end: 'Z'}]->(q)
"""
_SERVICE: Final = "CREATE (:Service {id: $id, state: $state, committedMbps: $mbps})"
_AT: Final = """
MATCH (s:Service {id: $id}) UNWIND $batch.ports AS port
MATCH (p:Port {id: port}) CREATE (s)-[:ACCESSED_AT {end: 'A'}]->(p)
"""
_OVER: Final = """
MATCH (s:Service {id: $id}) UNWIND $batch.trunks AS trunk
MATCH (t:Trunk {id: trunk}) CREATE (s)-[:ROUTED_OVER {path: 'WORKING', position: 0}]->(t)
"""


@dataclass(slots=True, kw_only=True)
class Planned:
    """The network in a store, and what is asked of it."""

    store: Store
    kept: CachedNetwork
    numbers: int = 0
    """of services."""

    async def run(self, text: str, **given: object) -> None:
        async def work(transaction: Transaction) -> None:
            await transaction.run(text, given)

        await self.store.write(work, deadline=soon())

    async def service(self, mbps: int, *trunks: str, ports: tuple[str, ...] = (), state: str = "active") -> None:
        """Sell a service over some trunks, at some ports."""
        self.numbers += 1
        id_ = f"service-{self.numbers}"
        await self.run(_SERVICE, id=id_, state=state, mbps=mbps)
        await self.run(_AT, id=id_, batch={"ports": list(ports)})
        await self.run(_OVER, id=id_, batch={"trunks": list(trunks)})

    async def booked(self, thing: str, *bookings: Booking) -> None:
        """Let bookings be kept of a port or trunk."""
        text = "CREATE (:CapacityProfile {id: 'capacityprofile-' + $thing, deltas: $deltas})"
        await self.run(text, thing=thing, deltas=StepFunction.of(bookings).as_text())

    async def ask(self, overbooking: Overbooking = PLAIN, **given: Any) -> Design | Infeasible:
        """Ask for 500 Mbit/s from site-a to site-z for ever, or for what is given instead."""
        usual: dict[str, Any] = {
            "a": Access(site="site-a"),
            "z": Access(site="site-z"),
            "mbps": 500,
            "start": 1_000,
            "end": None,
            "protected": True,
            "weights": Weights(),
        }
        demand = Demand(**{**usual, **given})
        return await feasibility(self.store, self.kept, demand, overbooking, deadline=soon())


async def planned(store: Store) -> Planned:
    """Put the network into an empty store."""
    sites = [{"name": name, "latitude": at[0], "longitude": at[1]} for name, at in PLACES.items()]
    trunks = [{"a": each[0], "z": each[1]} for each in TRUNKS]

    async def work(transaction: Transaction) -> None:
        await transaction.run(_SITES, {"batch": {"rows": sites}})
        await transaction.run(_TRUNKS, {"batch": {"rows": trunks}})

    await store.write(work, deadline=soon())
    return Planned(store=store, kept=CachedNetwork(store, seconds=0.0))
