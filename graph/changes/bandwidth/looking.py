"""What is booked and what is free is read without a lock by whoever asks what could be booked, and by those who run the network.

What is read may be another a moment later: a booking looks again, under its locks (booking.py). A customer reads of its own
services only; one that is another's is not there, and both take the same steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from graph.capacity.limits import Limit, LimitKind, Overbooking
from graph.capacity.steps import Booking, StepFunction
from graph.capacity.tariff import Price
from graph.changes.bandwidth.loads import limits_by_id, limits_of
from graph.changes.bandwidth.policy import SpendCap
from graph.changes.bandwidth.spending import month_of
from graph.model.scope import Principal, ScopeKind, scope_of
from graph.store.store import Store

# Where the index has none, one of the caller's own is looked at in its place: both take the same steps.
_SERVICE: Final = """
WITH HEAD(COLLECT { MATCH (c:Customer)-[:SUBSCRIBES_TO]->(o:Service) WHERE c.id IN $customers RETURN o LIMIT 1 }) AS other
WITH coalesce(HEAD(COLLECT { MATCH (n:Service {id: $service}) RETURN n LIMIT 1 }), other) AS s
WITH s, $everyone OR EXISTS { MATCH (c:Customer)-[:SUBSCRIBES_TO]->(s) WHERE c.id IN $customers } AS mine
WITH s WHERE mine AND s.id = $service
RETURN s.state, coalesce(s.committedMbps, 0), s.maxMbps, datetime.realtime().epochMillis,
  HEAD(COLLECT { MATCH (s)-[:GOVERNED_BY]->(l:Sla) RETURN l.tier }),
  COLLECT { MATCH (c:Customer)-[:SUBSCRIBES_TO]->(s) RETURN c.id ORDER BY c.id },
  COLLECT { MATCH (b:Boost)-[:BOOSTS]->(s) WHERE b.status <> 'TERMINATED' RETURN [b.startAt, b.endAt, b.mbps] }
"""
_BOOST: Final = """
WITH HEAD(COLLECT { MATCH (c:Customer)-[:SUBSCRIBES_TO]->(:Service)<-[:BOOSTS]-(o:Boost) WHERE c.id IN $customers RETURN o LIMIT 1 }) AS other
WITH coalesce(HEAD(COLLECT { MATCH (n:Boost {id: $boost}) RETURN n LIMIT 1 }), other) AS b
WITH b, $everyone OR EXISTS {
  MATCH (c:Customer)-[:SUBSCRIBES_TO]->(:Service)<-[:BOOSTS]-(b) WHERE c.id IN $customers
} AS mine
WITH b WHERE mine AND b.id = $boost
RETURN HEAD(COLLECT { MATCH (b)-[:BOOSTS]->(s:Service) RETURN s.id }), b.mbps, b.startAt, b.endAt, b.status, b.price, b.currency,
  b.tier, datetime.realtime().epochMillis
"""
_SERIES_PRICE: Final = """
MATCH (b:Boost {id: $boost})
RETURN b.currency, b.price, COLLECT { MATCH (o:Boost {series: b.series}) RETURN o.price }
"""
_BOOKED: Final = "MATCH (c:CapacityProfile) WHERE c.id > $after RETURN c.id ORDER BY c.id LIMIT $most"
_SPENT: Final = """
MATCH (:Customer {id: $customer})-[:SUBSCRIBES_TO]->(:Service)<-[:BOOSTS]-(b:Boost)
WHERE b.startAt >= $from AND b.startAt < $to AND b.currency = $currency
RETURN sum(b.price)
"""
_PROFILE: Final = "capacityprofile-"
_PAGE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Sellable:
    """A service, as far as it decides what can be booked for it. Times are epoch milliseconds UTC."""

    id: str
    state: str
    committed: int
    most: int | None
    """the highest rate that the contract allows, all boosts included; None: it says none."""
    now: int
    """by the database's clock."""
    tier: str | None
    customers: tuple[str, ...]
    limits: tuple[Limit, ...]
    """of the ports and trunks that it runs over, and of its contract."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SoldBoost:
    """A boost, as far as it decides what a change of it costs."""

    id: str
    service: str
    mbps: int
    start: int
    end: int
    status: str
    price: int
    currency: str
    tier: str | None
    now: int


async def read_sellable(
    store: Store, principal: Principal, service: str, overbooking: Overbooking, *, deadline: float
) -> Sellable | None:
    """Read a service that the caller sees; None: there is none."""
    for row in await store.rows(_SERVICE, {"service": service, **scope_values(principal)}, deadline=deadline):
        state, committed, most, now, tier, customers, boosts = cast("list[Any]", row)
        limits = await limits_of(store, service, overbooking, deadline=deadline)
        return Sellable(
            id=service,
            state=str(state),
            committed=committed,
            most=most,
            now=now,
            tier=tier,
            customers=tuple(customers),
            limits=(*limits, *_contract(service, committed, most, boosts)),
        )
    return None


async def read_sold(store: Store, principal: Principal, boost: str, *, deadline: float) -> SoldBoost | None:
    """Read a boost that the caller sees; None: there is none."""
    for row in await store.rows(_BOOST, {"boost": boost, **scope_values(principal)}, deadline=deadline):
        service, mbps, start, end, status, price, currency, tier, now = cast("list[Any]", row)
        return SoldBoost(
            id=boost,
            service=str(service),
            mbps=mbps,
            start=start,
            end=end,
            status=status,
            price=price,
            currency=currency,
            tier=tier,
            now=now,
        )
    return None


async def read_price(store: Store, principal: Principal, boost: str, *, deadline: float) -> Price | None:
    """Read what a boost that the caller sees costs now, with all that were booked together with it; None: there is none."""
    if await read_sold(store, principal, boost, deadline=deadline) is None:
        return None
    for currency, alone, series in await store.rows(_SERIES_PRICE, {"boost": boost}, deadline=deadline):
        return Price(minor=sum(cast("list[int]", series or [alone])), currency=str(currency))
    return None


async def read_booked(store: Store, overbooking: Overbooking, *, deadline: float) -> tuple[Limit, ...]:
    """Give the limits of every port and trunk of which anything was ever booked, in the order of their ids."""
    found: list[Limit] = []
    after = ""
    while True:
        rows = await store.rows(_BOOKED, {"after": after, "most": _PAGE}, deadline=deadline)
        ids = [str(row[0]) for row in rows]
        limits = await limits_by_id(
            store, [each.removeprefix(_PROFILE) for each in ids], overbooking, deadline=deadline
        )
        found += limits.values()
        if len(ids) < _PAGE:
            return tuple(found)
        after = ids[-1]


async def read_spent(store: Store, cap: SpendCap, customer: str, at: int, *, deadline: float) -> int:
    """Give what a customer has booked in the month of an instant, in minor units of the cap's currency."""
    first, last = month_of(at)
    given = {"customer": customer, "from": first, "to": last, "currency": cap.currency}
    for (spent,) in await store.rows(_SPENT, given, deadline=deadline):
        return cast("int", spent or 0)
    return 0


def _contract(service: str, committed: int, most: int | None, boosts: Iterable[Sequence[int]]) -> tuple[Limit, ...]:
    """Give the limit of the contract: what it allows beyond the committed rate, and what own boosts take of that."""
    if most is None:
        return ()
    load = StepFunction.of([Booking(start=start, end=end, mbps=mbps) for start, end, mbps in boosts])
    return (Limit(thing=service, kind=LimitKind.CONTRACT, mbps=max(0, most - committed), load=load),)


def scope_values(principal: Principal) -> dict[str, object]:
    """Give the parameters by which statements here are held to what a caller sees."""
    scope = scope_of(principal)
    return {"everyone": scope.kind is ScopeKind.EVERYTHING, "customers": list(scope.customers)}


async def read_now(store: Store, *, deadline: float) -> int:
    """Give the time by the database's clock, in epoch milliseconds."""
    [[now]] = await store.rows("RETURN datetime.realtime().epochMillis", {}, deadline=deadline)
    return cast("int", now)
