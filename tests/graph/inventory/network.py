"""A small network that the graph has whole and an inventory names: two elements, a card each, two ports each, a trunk.

Everything is made by the feed of an inventory, so that what this file says is what the inventory says; then one service of
one customer is accessed at N1/1/1 and routed over the trunk between N1/1/2 and N2/1/2.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from graph.changes.outcome import Outcome
from graph.changes.policy import AlarmPolicy
from graph.inventory.feeds import MOST_CHUNK, FeedState, Received, begin, complete, look, stage
from graph.inventory.reconcile import reconcile_next
from graph.inventory.settling import settle_difference
from graph.model.identity import loaded_id
from graph.model.resource import RANKS, NotTaken, Resource
from graph.model.scope import Principal, Role
from graph.store.store import Store, Transaction

SYSTEM: Final = "inventory"
SENDER: Final = "9:issuer-a:inv"
OPERATOR: Final = Principal(subject="9:issuer-a:ann", role=Role.OPERATOR)
POLICY: Final = AlarmPolicy(ticketing="desk", inventory="inventory")


def element(name: str, **more: Any) -> Resource:
    properties = {"name": f"{name} in Köln", "vendor": "Acme", "model": "X9", "role": "core", **STATES, **more}
    return Resource(kind="NetworkElement", name=name, properties=properties)


def card(name: str, inside: str, **more: Any) -> Resource:
    properties = {"name": name, "model": "LC", "slot": int(name.rsplit("/", maxsplit=1)[-1]), **STATES, **more}
    return Resource(kind="Card", name=name, inside=inside, properties=properties)


def port(name: str, inside: str, **more: Any) -> Resource:
    number = int(name.rsplit("/", maxsplit=1)[-1])
    properties = {"name": name, "role": "trunk", "number": number, "speedMbps": 10_000, **STATES, **more}
    return Resource(kind="Port", name=name, inside=inside, properties=properties)


def trunk(name: str, a: str, z: str, **more: Any) -> Resource:
    properties = {"name": name, "layerRate": "ODU2", "capacityMbps": 10_000, "operationalState": "enabled", **more}
    return Resource(kind="Trunk", name=name, ends=(a, z), properties=properties)


STATES: Final = {"operationalState": "enabled", "administrativeState": "unlocked"}
NETWORK: Final = (
    trunk("T1", "N1/1/2", "N2/1/2"),  # in no helpful order
    element("N1"),
    element("N2"),
    card("N1/1", "N1"),
    card("N2/1", "N2"),
    *(port(f"{holder}/{number}", holder) for holder in ("N1/1", "N2/1") for number in (1, 2)),
)
SERVICE: Final = """
MATCH (p:Port {id: $port}) MATCH (t:Trunk {id: $trunk})
CREATE (c:Customer {id: 'customer-a', name: 'a'})-[:SUBSCRIBES_TO]->(s:Service {id: 'service-a', name: 'a'})
CREATE (s)-[:GOVERNED_BY]->(:Sla {id: 'sla-a', tier: 'PREMIUM'})
CREATE (s)-[:ACCESSED_AT {end: 'A'}]->(p)
CREATE (s)-[:ROUTED_OVER {path: 'WORKING', position: 0}]->(t)
"""


def id_of(resource: Resource) -> str:
    return loaded_id(resource.kind, SYSTEM, resource.name)


def named(name: str) -> Resource:
    return next(each for each in NETWORK if each.name == name)


def but(name: str, **more: Any) -> Resource:
    """What the inventory says of a thing, with some properties replaced."""
    found = named(name)
    return replace(found, properties={**found.properties, **more})


def rack(name: str = "RACK-1", **more: Any) -> NotTaken:
    return NotTaken(kind="rack", name=name, reason="the graph has no racks", **more)


def gone(name: str) -> Resource:
    return replace(named(name), removed=True)


def soon() -> float:
    return time.monotonic() + 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventoried:
    """The network in a store, and its inventory."""

    store: Store

    async def receive(
        self, name: str, *resources: Resource | NotTaken, kind: str = "incremental", system: str = SYSTEM
    ) -> FeedState:
        begun = await begin(self.store, system, name, kind=kind, subject=SENDER, deadline=soon())
        received = await self.staged(begun, resources)
        assert await complete(self.store, begun, received, subject=SENDER, deadline=soon())
        return begun

    async def staged(self, begun: FeedState, resources: Sequence[Resource | NotTaken]) -> Received:
        counts = [0] * RANKS
        for rank in range(RANKS):
            mine = [each for each in resources if each.rank == rank]
            for start in range(0, len(mine), MOST_CHUNK):
                some = mine[start : start + MOST_CHUNK]
                await stage(self.store, begun, rank=rank, number=counts[rank], resources=some, deadline=soon())
                counts[rank] += 1
        not_taken = sum(isinstance(each, NotTaken) for each in resources)
        return Received(chunks=tuple(counts), resources=len(resources), not_taken=not_taken, digest="d")

    async def feed(self, name: str, *resources: Resource | NotTaken, kind: str = "incremental") -> FeedState:
        """Receive a feed, compare it, and say what is known of it."""
        begun = await self.receive(name, *resources, kind=kind)
        assert await reconcile_next(self.store, POLICY, owner="one", turn_seconds=600) == begun.id
        found = await look(self.store, SYSTEM, name, deadline=soon())
        assert found is not None
        assert found.state == "compared"
        return found

    async def rows(self, text: str, **parameters: object) -> list[list[Any]]:
        return await self.store.rows(text, parameters, deadline=soon())

    async def run(self, text: str, **parameters: object) -> None:
        async def work(transaction: Transaction) -> None:
            await transaction.run(text, parameters)

        await self.store.write(work, deadline=soon())

    async def differences(self) -> list[tuple[str, str, str, str | None, str | None, str | None]]:
        """Give each difference's kind, state, name, property, theirs and ours."""
        text = (
            "MATCH (d:InventoryDifference) RETURN d.kind, d.state, d.name, d.property, d.theirs, d.ours "
            "ORDER BY d.kind, d.name, d.property"
        )
        return [(kind, state, name, aspect, a, b) for kind, state, name, aspect, a, b in await self.rows(text)]

    async def difference(self, name: str) -> str:
        [[found]] = await self.rows("MATCH (d:InventoryDifference {name: $name}) RETURN d.id", name=name)
        return str(found)

    async def value(self, name: str, aspect: str) -> Any:
        text = "MATCH (x:ExternalName {name: $name})-[:NAMES]->(n) RETURN properties(n)"
        [[found]] = await self.rows(text, name=name)
        return found.get(aspect)

    async def there(self, name: str) -> bool:
        return bool(await self.rows("MATCH (x:ExternalName {name: $name})-[:NAMES]->(n) RETURN n.id", name=name))

    async def holder(self, name: str) -> list[str]:
        text = (
            "MATCH (x:ExternalName {name: $name})-[:NAMES]->(n) "
            "MATCH (n)-[r:LOCATED_AT|HOLDS|HAS_PORT|TERMINATES_ON]-(c)<-[:NAMES]-(y:ExternalName) "
            "WHERE (n:Trunk) OR (n:Port AND c:Card) OR (n:Card AND c:NetworkElement) RETURN y.name ORDER BY r.end, y.name"
        )
        return [str(row[0]) for row in await self.rows(text, name=name)]

    async def events(self, kind: str) -> list[tuple[str, int, str, list[str]]]:
        text = (
            "MATCH (e:Event {type: $kind}) RETURN e.aggregateId, e.aggregateVersion, e.principal, "
            "COLLECT { MATCH (e)-[:CONCERNS_CUSTOMER]->(c:Customer) RETURN c.id } ORDER BY e.id"
        )
        return [(of, version, who, whom) for of, version, who, whom in await self.rows(text, kind=kind)]

    async def settle(self, difference: str, side: str, *, policy: AlarmPolicy = POLICY, key: str = "k") -> Outcome:
        return await settle_difference(
            self.store,
            OPERATOR,
            policy,
            difference_id=difference,
            side=side,
            idempotency_key=key,
            deadline=soon(),
        )
