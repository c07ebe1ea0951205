"""The network of tests/graph/routing/network.py with two customers who order, and a stand-in for whoever sends deliveries to the network.

`Line` is protected and PREMIUM, with 100 to 1,000 Mbit/s; `Basic` has 100 Mbit/s and no second way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from adapters.provisioning import RateConfirmed, RateRefused
from adapters.provisioning.delivery_handler import News, Provisioned, ProvisioningHandler, Removed
from graph.changes.bandwidth.policy import BandwidthPolicy
from graph.changes.catalogue import Product
from graph.changes.fulfilment.policy import FulfilmentPolicy
from graph.changes.fulfilment.works import works_of
from graph.changes.orders.cancelling import Cancellation, cancel_order
from graph.changes.orders.moving import Advance, Move, advance_order
from graph.changes.orders.placing import place_order
from graph.changes.orders.requests import ItemRequest, OrderRequest, Party, Relation
from graph.changes.outcome import Outcome
from graph.changes.policy import AlarmPolicy, Hearing, Ordering
from graph.ledger.claims import Claim, claim
from graph.ledger.lanes import Leases, take_lanes
from graph.ledger.outcomes import Done
from graph.ledger.timers import ring
from graph.model.scope import CLAIMABLE, Principal, Role
from graph.store.store import Store
from tests.graph.changes.network import Laid, soon
from tests.graph.routing.network import planned

OPERATOR: Final = Principal(subject="9:issuer-a:ann", role=Role.OPERATOR)
CRM: Final = Principal(subject="9:issuer-a:crm", role=Role.SYSTEM, system="crm", sources=("crm",))
ADA: Final = Principal(subject="9:issuer-a:ada", role=Role.CUSTOMER, customers=("customer-a",), changes=CLAIMABLE)
LINE: Final = Product(
    name="Line",
    service_type="E-Line",
    tier="PREMIUM",
    least_mbps=100,
    most_mbps=1_000,
    boost_to_mbps=800,
    protected=True,
    availability_percent=99.9,
    repair_hours=4,
)
BASIC: Final = Product(name="Basic", service_type="E-Line", tier="BASIC", mbps=100)
ALARMS: Final = AlarmPolicy(
    ticketing="desk", ordering=Ordering(systems=frozenset({"crm"}), products={"Line": LINE, "Basic": BASIC})
)
SELLING: Final = BandwidthPolicy(
    provisioning="provisioning",
    performance="pm",
    inventory="inventory",
    billing="billing",
    fault_management=Hearing(name="umbrella", events=frozenset({"ServiceRateChanged", "ServiceStateChanged"})),
)
A_TO_Z: Final = ItemRequest(id="1", product="Line", site_a="site-a", site_z="site-z", mbps=500)
BASIC_LINE: Final = ItemRequest(id="1", product="Basic", site_a="site-a", site_z="site-z")


class NotAsked:
    """A network whose answers are given by the test."""

    retry_at: float | None = None

    async def set_rate(self, *_asked: object, **_more: object) -> RateConfirmed:
        raise AssertionError("the network is not asked here")

    async def create_service(self, *_asked: object, **_more: object) -> RateConfirmed:
        raise AssertionError("the network is not asked here")

    async def delete_service(self, *_asked: object, **_more: object) -> None:
        raise AssertionError("the network is not asked here")


@dataclass(slots=True, kw_only=True)
class Ordered:
    """The network in a store, and what can be ordered there."""

    store: Store
    alarms: AlarmPolicy = ALARMS
    selling: BandwidthPolicy = SELLING
    keys: int = 0
    leases: Mapping[str, Leases] = field(default_factory=dict)

    @property
    def laid(self) -> Laid:
        return Laid(store=self.store)

    @property
    def policy(self) -> FulfilmentPolicy:
        return FulfilmentPolicy(alarms=self.alarms, selling=self.selling)

    async def rows(self, text: str, **given: object) -> list[list[Any]]:
        return await self.store.rows(text, given, deadline=soon())

    async def run(self, text: str, **given: object) -> None:
        await self.laid.run(text, **given)

    def key(self) -> str:
        self.keys += 1
        return f"k{self.keys}"

    async def place(self, *items: ItemRequest, by: Principal = CRM, customer: str = "customer-a", **more: Any) -> str:
        """Place an order; give its id."""
        asked = OrderRequest(
            kind="product", items=items or (A_TO_Z,), party=Party(id=customer), external_id=f"PO-{self.key()}", **more
        )
        outcome = await place_order(self.store, by, self.alarms, asked, idempotency_key=None, deadline=soon())
        assert not outcome.user_errors, outcome
        return outcome.ids["order"]

    async def cancel(self, order: str, by: Principal = CRM) -> Outcome:
        asked = Cancellation(order=order, reason="too late")
        return await cancel_order(self.store, by, self.alarms, asked, idempotency_key=self.key(), deadline=soon())

    async def advance(self, order: str, to: str, item: str = "") -> Outcome:
        advance = Advance(order=order, moves=(Move(to=to, item=item),))
        return await advance_order(self.store, OPERATOR, advance, idempotency_key=self.key(), deadline=soon())

    async def tick(self) -> None:
        """Do what timers have to do, until nothing is due."""
        works = works_of(self.policy)
        while await ring(self.store, works, most=100, deadline=soon()):
            pass

    async def claimed(self, system: str = "provisioning") -> list[Claim]:
        """Claim what is due for a system."""
        leases = await take_lanes(self.store, system, owner="tests", ttl_ms=600_000, deadline=soon())
        return await claim(self.store, leases, most=100, hold_ms=1, deadline=soon())

    async def answer(self, *, mbps: int | None = None, refuse: str = "", lose: str = "") -> list[str]:
        """Let the network do what is asked of it, something else, or refuse; give what it was asked to do."""
        found = await self.claimed()
        for each in found:
            await self.settle(each, mbps=mbps, refuse=refuse, lose=lose)
        return [each.payload["doing"] for each in found]

    async def settle(self, claimed: Claim, *, mbps: int | None = None, refuse: str = "", lose: str = "") -> None:
        """Let the network answer one delivery: what it says is settled as in any process."""
        asked, is_removal = claimed.payload["mbps"], claimed.payload["doing"] == "delete"
        news: News = RateConfirmed(mbps=asked if mbps is None else mbps, reference="there", at=None)
        if refuse or lose:
            news = RateRefused(refuse or lose, may_come=bool(lose))
        elif is_removal:
            news = Removed()
        told = Provisioned(outcome=Done(claim=claimed, note="there", receipt="there"), news=news, asked_mbps=asked)
        handler = ProvisioningHandler(
            store=self.store, provisioning=NotAsked(), policy=self.selling, alarms=self.alarms
        )
        await handler.settle([told], deadline=soon())

    async def states(self, order: str) -> tuple[str, dict[str, tuple[str, str | None]]]:
        """Give the state of an order, and of each item with why it failed."""
        text = (
            "MATCH (o:Order {id: $id}) RETURN o.state, "
            "COLLECT { MATCH (o)-[:HAS_ITEM]->(i) RETURN [i.externalId, i.state, i.failure] ORDER BY i.position }"
        )
        [[state, items]] = await self.rows(text, id=order)
        return state, {item: (how, why) for item, how, why in items}

    async def detail(self, order: str) -> str:
        text = "MATCH (:Order {id: $id})-[:HAS_ITEM]->(i) RETURN i.failureDetail"
        [[detail]] = await self.rows(text, id=order)
        return str(detail)

    async def steps(self, order: str) -> dict[str, str]:
        """Give the state of each step, by boundary, name and system."""
        text = (
            "MATCH (:Order {id: $id})-[:HAS_ITEM]->(:OrderItem)<-[:STEP_OF]-(p:ProcessStep) "
            "RETURN p.boundary, p.name, p.system, p.state"
        )
        rows = await self.rows(text, id=order)
        return {f"{boundary} {name} {system}": state for boundary, name, system, state in rows}

    async def services(self) -> list[dict[str, Any]]:
        """Give the services that orders have brought, with all that they are linked to."""
        text = (
            "MATCH (s:Service) RETURN s.id, s.state, s.committedMbps, s.effectiveMbps, s.maxMbps, s.effect, "
            "COLLECT { MATCH (c:Customer)-[:SUBSCRIBES_TO]->(s) RETURN c.id }, "
            "COLLECT { MATCH (s)-[:GOVERNED_BY]->(l:Sla) RETURN [l.tier, l.availabilityPercent, l.repairHours] }, "
            "COLLECT { MATCH (s)-[a:ACCESSED_AT]->(p) RETURN [a.end, p.id] ORDER BY a.end }, "
            "COLLECT { MATCH (s)-[r:ROUTED_OVER]->(t) RETURN [r.path, t.id] ORDER BY r.path DESC, r.position } ORDER BY s.id"
        )
        names = ("id", "state", "mbps", "effective", "most", "effect", "customers", "contracts", "ports", "trunks")
        return [dict(zip(names, row, strict=True)) for row in await self.rows(text)]

    async def tasks(self) -> list[list[str]]:
        return await self.rows("MATCH (t:Task) RETURN t.kind, t.state ORDER BY t.openedAt, t.kind")

    async def events(self, of: str) -> list[str]:
        text = "MATCH (e:Event {aggregateId: $of}) RETURN e.type, e.aggregateVersion ORDER BY e.aggregateVersion"
        rows = await self.rows(text, of=of)
        assert [version for _, version in rows] == list(range(1, len(rows) + 1)), "versions have no gaps"
        return [kind for kind, _ in rows]


def relying(item: str, other: str, **more: Any) -> ItemRequest:
    """Order a basic line that relies on another item."""
    return ItemRequest(
        id=item,
        product="Basic",
        site_a="site-a",
        site_z="site-z",
        relations=(Relation(to=other, kind="reliesOn"),),
        **more,
    )


async def laid_out(store: Store) -> Ordered:
    """Put the network and two customers into an empty store."""
    await planned(store)
    ordered = Ordered(store=store)
    await ordered.run("UNWIND ['a', 'b'] AS n CREATE (:Customer {id: 'customer-' + n, name: n})")
    await ordered.run("MATCH (p:Port) SET p.name = p.id")
    await ordered.run("MATCH (t:Trunk) SET t.name = t.id")
    return ordered
