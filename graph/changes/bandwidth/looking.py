"""What is booked and what is free is read without a lock by whoever asks what could be booked, and by those who run the network.

What is read may be another a moment later: a booking looks again, under its locks (booking.py). A customer reads of its own
services only; one that is another's is not there, and both take the same steps.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, cast

from graph.capacity.limits import Limit, LimitKind, Overbooking
from graph.capacity.steps import Booking, StepFunction
from graph.capacity.tariff import Price
from graph.changes.bandwidth import owned
from graph.changes.bandwidth.loads import limits_by_id, limits_of
from graph.changes.bandwidth.policy import SpendCap
from graph.changes.bandwidth.spending import month_of, spent_in
from graph.model.scope import Principal
from graph.store.store import Store

_SERVICE: Final = f"""{owned.SERVICE}
RETURN s.state, coalesce(s.committedMbps, 0), s.maxMbps, datetime.realtime().epochMillis,
  HEAD(COLLECT {{ MATCH (s)-[:GOVERNED_BY]->(l:Sla) RETURN l.tier }}),
  COLLECT {{ MATCH (c:Customer)-[:SUBSCRIBES_TO]->(s) RETURN c.id ORDER BY c.id }},
  COLLECT {{
    MATCH (b:Boost {{openOf: s.id}}) WHERE b.status <> 'TERMINATED'
    RETURN [b.startAt, b.endAt, b.mbps, COLLECT {{ MATCH (b)-[:RESERVES]->(t) RETURN t.id }}] ORDER BY b.id
  }}
"""
_BOOST: Final = f"""{owned.BOOST}
RETURN HEAD(COLLECT {{ MATCH (b)-[:BOOSTS]->(s:Service) RETURN s.id }}), b.mbps, b.startAt, b.endAt, b.status, b.price, b.currency,
  b.tier, datetime.realtime().epochMillis
"""
_SERIES_PRICE: Final = """
MATCH (b:Boost {id: $boost})
RETURN b.currency, b.price, COLLECT { MATCH (o:Boost {series: b.series}) RETURN o.price }
"""
_BOOKED: Final = "MATCH (c:CapacityProfile) WHERE c.id > $after RETURN c.id ORDER BY c.id LIMIT $most"
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
    own: Mapping[str, StepFunction]
    """what its own boosts take of each of these, by the id of the thing; the customer knows that to the second."""


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
    for row in await store.rows(_SERVICE, {"service": service, **owned.of_who_reads(principal)}, deadline=deadline):
        state, committed, most, now, tier, customers, boosts = cast("list[Any]", row)
        limits = await limits_of(store, service, overbooking, deadline=deadline)
        own = _own(service, boosts)
        return Sellable(
            id=service,
            state=str(state),
            committed=committed,
            most=most,
            now=now,
            tier=tier,
            customers=tuple(customers),
            limits=(*limits, *_contract(service, committed, most, own[service])),
            own=own,
        )
    return None


async def read_sold(store: Store, principal: Principal, boost: str, *, deadline: float) -> SoldBoost | None:
    """Read a boost that the caller sees; None: there is none."""
    for row in await store.rows(_BOOST, {"boost": boost, **owned.of_who_reads(principal)}, deadline=deadline):
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
    return await spent_in(partial(store.rows, deadline=deadline), cap, customer, month_of(at))


def _own(service: str, boosts: Iterable[tuple[int, int, int, Sequence[str]]]) -> Mapping[str, StepFunction]:
    """Give what boosts take of each thing, and of the contract, which is known by the id of the service."""
    bookings: defaultdict[str, list[Booking]] = defaultdict(list)
    for start, end, mbps, reserves in boosts:
        for thing in (service, *reserves):
            bookings[thing].append(Booking(start=start, end=end, mbps=mbps))
    return defaultdict(StepFunction, {thing: StepFunction.of(of) for thing, of in bookings.items()})


def _contract(service: str, committed: int, most: int | None, load: StepFunction) -> tuple[Limit, ...]:
    """Give the limit of the contract: what it allows beyond the committed rate, and what own boosts take of that."""
    if most is None:
        return ()
    return (Limit(thing=service, kind=LimitKind.CONTRACT, mbps=max(0, most - committed), load=load),)


async def read_now(store: Store, *, deadline: float) -> int:
    """Give the time by the database's clock, in epoch milliseconds."""
    [[now]] = await store.rows("RETURN datetime.realtime().epochMillis", {}, deadline=deadline)
    return cast("int", now)
