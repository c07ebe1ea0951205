"""The small network of tests/graph/changes/network.py with rates, and a stand-in for whoever sends deliveries to the network.

port-a ... 1,000 Mbit/s, trunks 1,000; service-a and service-b commit 100 and may have 800, service-c commits 50 and may have 300.
Time is the database's. A test that needs another moment moves the times of the boosts, never the clock (`Booked.shift`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import orjson

from graph.capacity.steps import StepFunction, read_steps
from graph.changes.bandwidth import boundaries, network
from graph.changes.bandwidth.booking import BookingRequest, Occurrence, book
from graph.changes.bandwidth.changing import Cancelled, Changed, cancel_boost, change_boost
from graph.changes.bandwidth.policy import BandwidthPolicy
from graph.changes.bandwidth.rates import charged_text, earlier_text, read_charged, read_earlier
from graph.changes.outcome import Outcome
from graph.changes.policy import Hearing
from graph.ledger.claims import Claim, claim
from graph.ledger.lanes import Leases, take_lanes
from graph.ledger.outcomes import Done, settle
from graph.ledger.timers import ring
from graph.model.scope import Principal, Role
from graph.store.boost_marks import bought, marked
from graph.store.store import Store, Transaction
from tests.graph.changes.network import Laid, lay, soon

HOUR: Final = 3_600_000
OPERATOR: Final = Principal(subject="9:issuer-a:ann", role=Role.OPERATOR)
ANNA: Final = Principal(
    subject="9:issuer-a:anna", role=Role.CUSTOMER, customers=("customer-a",), changes=("boostBandwidth",)
)
BOB: Final = Principal(
    subject="9:issuer-a:bob", role=Role.CUSTOMER, customers=("customer-b",), changes=("boostBandwidth",)
)
BOSS: Final = Principal(
    subject="9:issuer-a:boss",
    role=Role.CUSTOMER,
    customers=("customer-a", "customer-b"),
    changes=("approveBoost", "boostBandwidth"),
)
POLICY: Final = BandwidthPolicy(
    provisioning="provisioning",
    performance="pm",
    inventory="inventory",
    billing="billing",
    fault_management=Hearing(name="umbrella", events=frozenset({"ServiceRateChanged"})),
    leads=(),
)
_RATES: Final = {"service-a": (100, 800), "service-b": (100, 800), "service-c": (50, 300)}


@dataclass(slots=True, kw_only=True)
class Booked:
    """The network in a store, and what can be done with bandwidth there."""

    store: Store
    policy: BandwidthPolicy = POLICY
    keys: int = 0
    leases: Mapping[str, Leases] = field(default_factory=dict)

    @property
    def laid(self) -> Laid:
        return Laid(store=self.store)

    async def rows(self, text: str, **given: object) -> list[list[Any]]:
        return await self.store.rows(text, given, deadline=soon())

    async def run(self, text: str, **given: object) -> None:
        await self.laid.run(text, **given)

    async def now(self) -> int:
        [[now]] = await self.rows("RETURN datetime.realtime().epochMillis")
        return int(now)

    def key(self) -> str:
        self.keys += 1
        return f"k{self.keys}"

    async def book(  # noqa: PLR0913  # all that a test may want to say
        self,
        *,
        service: str = "service-a",
        mbps: int = 500,
        start: int | None = None,
        hours: float = 2,
        price: int = 1_000,
        by: Principal = ANNA,
        key: str = "",
    ) -> Outcome:
        """Book; `start` is in milliseconds from now, None: now."""
        now = await self.now()
        begin = None if start is None else now + start
        end = (now if begin is None else begin) + int(hours * HOUR)
        wanted = BookingRequest(
            service=service,
            mbps=mbps,
            occurrences=(Occurrence(start=begin, end=end, price=price),),
            currency="EUR",
            tier="PREMIUM",
        )
        return await book(self.store, by, self.policy, wanted, idempotency_key=key or self.key(), deadline=soon())

    async def change(
        self,
        boost: str,
        *,
        mbps: int | None = None,
        extend: int | None = None,
        price: int = 1_000,
        by: Principal = ANNA,
    ) -> Outcome:
        """Change a boost; `extend` is in milliseconds after its end."""
        end = None if extend is None else (await self.boost(boost))["endAt"] + extend
        changed = Changed(boost=boost, mbps=mbps, end=end, price=price)
        return await change_boost(self.store, by, self.policy, changed, idempotency_key=self.key(), deadline=soon())

    async def cancel(self, boost: str, by: Principal = ANNA) -> Outcome:
        return await cancel_boost(
            self.store, by, self.policy, Cancelled(boost=boost), idempotency_key=self.key(), deadline=soon()
        )

    async def tick(self) -> None:
        """Do what timers have to do."""
        works = {boundaries.KIND: boundaries.working(self.policy)}
        await ring(self.store, works, most=100, deadline=soon())

    async def shift(self, milliseconds: int) -> None:
        """Let time pass: all that lies before is so much longer ago."""
        await self.run(
            "MATCH (b:Boost) SET b.startAt = b.startAt - $ms, b.endAt = b.endAt - $ms, b.chargedFrom = b.chargedFrom - $ms, "
            "b.holdUntil = b.holdUntil - $ms, b.activatedAt = b.activatedAt - $ms",
            ms=milliseconds,
        )
        await self.run(f"MATCH (b:Boost) SET {marked('b')}, {bought('b')}")
        await self.run(
            "MATCH (s:Service) SET s._accountedAt = s._accountedAt - $ms, s._retryAt = s._retryAt - $ms",
            ms=milliseconds,
        )
        await self.run("MATCH (u:Usage {kind: 'boost'}) SET u.from = u.from - $ms, u.to = u.to - $ms", ms=milliseconds)
        rates = (
            "MATCH (b:Boost) WHERE b._settled IS NOT NULL OR b._earlier IS NOT NULL RETURN b.id, b._settled, b._earlier"
        )
        for boost, settled, earlier in await self.rows(rates):
            over = [
                replace(each, start=each.start - milliseconds, end=each.end - milliseconds)
                for each in read_charged(settled, boost)
            ]
            had = [replace(each, until=each.until - milliseconds) for each in read_earlier(earlier)]
            given = {"id": boost, "over": charged_text(over), "had": earlier_text(had)}
            await self.run("MATCH (b:Boost {id: $id}) SET b._settled = $over, b._earlier = $had", **given)
        for profile, text in await self.rows(
            "MATCH (c:CapacityProfile) WHERE c.deltas IS NOT NULL RETURN c.id, c.deltas"
        ):
            load = read_steps(text)
            earlier = StepFunction(instants=tuple(at - milliseconds for at in load.instants), totals=load.totals)
            await self.run(
                "MATCH (c:CapacityProfile {id: $id}) SET c.deltas = $load", id=profile, load=earlier.as_text()
            )
        await self.run("MATCH (t:Timer) WHERE t.dueAt > 0 SET t.dueAt = t.dueAt - $ms", ms=milliseconds)
        await self.run("MATCH (d:Delivery) SET d.nextAt = d.nextAt - $ms", ms=milliseconds)

    async def claimed(self, system: str) -> list[Claim]:
        """Claim what is due for a system."""
        leases = await take_lanes(self.store, system, owner="tests", ttl_ms=600_000, deadline=soon())
        return await claim(self.store, leases, most=100, hold_ms=1, deadline=soon())

    async def answer(self, *, mbps: int | None = None, refuse: str = "", lose: str = "") -> list[str]:
        """Let the network do what is asked of it, something else, or refuse; give the services that it was asked for."""
        found = await self.claimed(self.policy.provisioning)
        for each in found:
            await self.settle(each, mbps=mbps, refuse=refuse, lose=lose)
        return [each.payload["service"]["id"] for each in found]

    async def settle(
        self,
        claimed: Claim,
        *,
        mbps: int | None = None,
        refuse: str = "",
        lose: str = "",
        asked_mbps: int | None = None,
    ) -> None:
        """Let the network answer a delivery, or nobody know what became of it; `asked_mbps`: what it was asked for, where that was earlier."""
        service = claimed.payload["service"]["id"]
        wanted = asked_mbps or await network.wanted_rate(self.store, service, deadline=soon())
        rate = wanted if mbps is None else mbps
        assert rate is not None
        assert wanted is not None

        async def work(transaction: Transaction) -> None:
            await network.hold(transaction, [service])
            note = f"refused: {refuse}" if refuse else f"R-{rate}"
            receipt = "" if refuse or lose else note
            taken = await settle(transaction, [Done(claim=claimed, note=note, receipt=receipt)])
            if claimed.id not in taken:
                return
            given: dict[str, Any] = {"service": service, "delivery": claimed.id}
            if refuse:
                await network.refused(transaction, self.policy, reason=refuse, **given)
            elif lose:
                await network.unknown(transaction, self.policy, reason=lose, asked_mbps=wanted, **given)
            else:
                given |= {"mbps": rate, "asked_mbps": wanted}
                await network.confirmed(transaction, self.policy, reference=f"R-{rate}", **given)

        await self.store.write(work, deadline=soon())

    async def tell(self, system: str) -> list[dict[str, Any]]:
        """Let another system have all that it is told; give what it was told."""
        told = []
        while found := await self.claimed(system):
            told += [dict(each.payload) for each in found]
            outcomes = [Done(claim=each, note=f"{system}-{each.payload.get('id', each.version)}") for each in found]

            async def work(transaction: Transaction, outcomes: list[Done] = outcomes) -> None:
                await settle(transaction, outcomes)

            await self.store.write(work, deadline=soon())
        return told

    async def boost(self, boost: str) -> dict[str, Any]:
        names = ("status", "statusReason", "mbps", "startAt", "endAt", "price", "chargedMbps", "chargedFrom", "endedAt")
        [[row]] = await self.rows(
            "MATCH (b:Boost {id: $id}) RETURN [b.status, b.statusReason, b.mbps, b.startAt, b.endAt, b.price, b.chargedMbps, "
            "b.chargedFrom, b.endedAt]",
            id=boost,
        )
        return dict(zip(names, row, strict=True))

    async def rates(self, service: str = "service-a") -> tuple[int | None, int]:
        """Give what is booked and what the network carries."""
        [[booked, effective]] = await self.rows(
            "MATCH (s:Service {id: $id}) RETURN s.bookedMbps, s.effectiveMbps", id=service
        )
        return booked, effective

    async def steps(self, boost: str) -> dict[str, tuple[str, str | None]]:
        """Give the state and receipt of each step, by boundary and system."""
        rows = await self.rows(
            "MATCH (p:ProcessStep)-[:STEP_OF]->(b:Boost {id: $id}) RETURN p.boundary, p.system, p.state, p.receipt",
            id=boost,
        )
        return {f"{boundary} {system}": (state, receipt) for boundary, system, state, receipt in rows}

    async def usage(self) -> list[tuple[int, int, int]]:
        rows = await self.rows("MATCH (u:Usage {kind: 'boost'}) RETURN u.from, u.to, u.mbps ORDER BY u.from, u.id")
        return [(start, end, mbps) for start, end, mbps in rows]

    async def events(self) -> list[str]:
        rows = await self.rows(
            "MATCH (e:Event) RETURN e.type, e.aggregateId, e.aggregateVersion ORDER BY e.aggregateId, e.aggregateVersion"
        )
        return [str(kind) for kind, *_ in rows]

    async def event_payloads(self, kind: str) -> list[dict[str, Any]]:
        rows = await self.rows("MATCH (e:Event {type: $kind}) RETURN e.payload ORDER BY e.aggregateVersion", kind=kind)
        return [orjson.loads(text) for [text] in rows]

    async def reserved(self) -> int:
        [[count]] = await self.rows("MATCH (:Boost)-[r:RESERVES]->() RETURN count(r)")
        return int(count)

    async def together(self, *bookings: Any) -> list[Outcome]:
        return list(await asyncio.gather(*bookings))


async def laid_out(store: Store) -> Booked:
    """Put the network with its rates into an empty store."""
    await lay(store)
    booked = Booked(store=store)
    for service, (committed, most) in _RATES.items():
        await booked.run(
            "MATCH (s:Service {id: $id}) SET s.state = 'active', s.committedMbps = $c, s.effectiveMbps = $c, s.maxMbps = $m",
            id=service,
            c=committed,
            m=most,
        )
    await booked.run("MATCH (p:Port) SET p.speedMbps = 1000")
    await booked.run("MATCH (t:Trunk) SET t.capacityMbps = 1000, t.layerRate = 'ODU2'")
    await booked.run("MATCH (c:Customer) SET c.accountRef = 'acc-' + c.name")
    return booked
