"""A service with its boosts, under its lock: what every change of bandwidth decides on, and how it is written back.

Boosts of a service are changed under the lock of the service only. Before it the service's timer is locked, so that the timer, which
locks the service, and a booking, which sets the timer, do not wait for each other; and before it the ports and trunks that boosts are
linked to, since who makes or takes away such a link locks them (graph/changes/gates.py has the order).

Those that are over are never looked at: the others are found by what they say of themselves (graph/store/boost_marks.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias, cast

from graph.changes.bandwidth.rates import (
    Charged,
    EarlierRate,
    Meter,
    charged_text,
    earlier_text,
    read_charged,
    read_earlier,
)
from graph.errors import Contended
from graph.ledger import timers
from graph.store.boost_marks import key_of
from graph.store.store import Transaction

KIND: Final = "boundary"
"""of the timer of a service: at the next moment at which anything of its boosts is due."""

Status: TypeAlias = Literal["REQUESTED", "SCHEDULED", "ACTIVATED", "TERMINATED"]
Reason: TypeAlias = Literal[
    "DURATION_EXPIRED", "DELETE_REQUESTED", "NETWORK_TERMINATED", "BOOKING_DECLINED", "BOOKING_REVOKED"
]

VALUES: Final = (
    "b.id, b.mbps, b.startAt, b.endAt, b.status, b.price, b.currency, b.tier, b.orderedAt, b.holdUntil, b.activatedAt, "
    "b.chargedMbps, b.chargedFrom, b.series, b.orderedBy, b._askedAt, b._endingAt, b._noticedAt, b._ends, b._mbpsBefore, "
    "b._priceBefore, b._earlier, b._settled, b._cost"
)
"""What is read of a boost `b`, and behind it the ids of what it holds: `boost_of` takes them in this order."""
_WAY: Final = """
UNWIND $batch.services AS id
MATCH (s:Service {id: id})
RETURN s.id, COLLECT { MATCH (s)-[:ACCESSED_AT|ROUTED_OVER]->(t) RETURN DISTINCT t.id },
  COLLECT { MATCH (b:Boost {openOf: s.id})-[:RESERVES]->(t) RETURN DISTINCT t.id }
"""
# Counted, since the embedded database tells of a conflict only where a record differs in the end.
_HOLD_THINGS: Final = """
UNWIND $batch.ports AS id
MATCH (p:Port {id: id})
SET p._locked = coalesce(p._locked, 0) + 1
"""
_HOLD_TRUNKS: Final = """
UNWIND $batch.trunks AS id
MATCH (t:Trunk {id: id})
SET t._locked = coalesce(t._locked, 0) + 1
"""
_LOCK: Final = f"""
MATCH (s:Service {{id: $service}})
SET s._locked = coalesce(s._locked, 0) + 1
RETURN s.id, s.name, s.state, coalesce(s.committedMbps, 0), s.bookedMbps, coalesce(s.effectiveMbps, s.committedMbps, 0),
  s.maxMbps, coalesce(s._version, 0), s._accountedAt, coalesce(s._refusals, 0), s._retryAt, s._mayCarry, datetime.realtime().epochMillis,
  HEAD(COLLECT {{ MATCH (s)-[:GOVERNED_BY]->(l:Sla) RETURN l.tier }}),
  COLLECT {{ MATCH (c:Customer)-[:SUBSCRIBES_TO]->(s) RETURN [c.id, c.name, c.accountRef] ORDER BY c.id }},
  COLLECT {{ MATCH (s)-[:ACCESSED_AT|ROUTED_OVER]->(t) RETURN DISTINCT t.id }},
  COLLECT {{
    MATCH (b:Boost {{openOf: s.id}}) WHERE b.status <> 'TERMINATED'
    RETURN [{VALUES}, COLLECT {{ MATCH (b)-[:RESERVES]->(t) RETURN t.id ORDER BY t.id }}] ORDER BY b.id
  }},
  COLLECT {{ MATCH (d:Delivery {{openKey: s.id}}) WHERE d.system = $network AND d.state <> 'DONE' RETURN d.id }},
  HEAD(COLLECT {{ MATCH (s)-[a:ACCESSED_AT]->(p:Port) RETURN p.id ORDER BY a.end, p.id LIMIT 1 }})
"""
_MAKE: Final = """
UNWIND $batch.rows AS row
MATCH (s:Service {id: row.service})
CREATE (b:Boost {id: row.id})-[:BOOSTS]->(s)
"""
_SET: Final = """
UNWIND $batch.rows AS row
MATCH (b:Boost {id: row.id})
SET b.mbps = row.mbps, b.startAt = row.start, b.endAt = row.end, b.status = row.status, b.statusReason = row.reason,
    b.price = row.price, b.currency = row.currency, b.tier = row.tier, b.orderedAt = row.orderedAt, b.holdUntil = row.holdUntil,
    b.activatedAt = row.activatedAt, b.endedAt = row.endedAt, b.chargedMbps = row.chargedMbps, b.chargedFrom = row.chargedFrom,
    b.series = row.series, b.orderedBy = row.orderedBy, b._askedAt = row.askedAt, b._endingAt = row.endingAt,
    b._noticedAt = row.noticedAt, b._ends = row.ends, b._mbpsBefore = row.mbpsBefore, b._priceBefore = row.priceBefore,
    b._earlier = row.earlier, b._settled = row.settled, b._cost = row.cost, b.openOf = row.openOf, b.activatedOf = row.activatedOf,
    b.boughtBy = coalesce(b.boughtBy, row.boughtBy), b._turned = true
"""
_RESERVE_PORTS: Final = """
UNWIND $batch.rows AS row
MATCH (b:Boost {id: row.boost})
MATCH (p:Port {id: row.thing})
CREATE (b)-[:RESERVES]->(p)
"""
_RESERVE_TRUNKS: Final = """
UNWIND $batch.rows AS row
MATCH (b:Boost {id: row.boost})
MATCH (t:Trunk {id: row.thing})
CREATE (b)-[:RESERVES]->(t)
"""
_RELEASE: Final = """
UNWIND $batch.boosts AS id
MATCH (b:Boost {id: id})-[r:RESERVES]->(o)
DELETE r
"""
_SET_SERVICE: Final = """
MATCH (s:Service {id: $service})
SET s._toldMbps = CASE WHEN $effective = s.effectiveMbps THEN s._toldMbps ELSE $effective END
SET s.bookedMbps = $booked, s.effectiveMbps = $effective, s._version = $version, s._accountedAt = $accountedAt,
    s._refusals = $refusals, s._retryAt = $retryAt, s._mayCarry = $mayCarry
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What a boost was before a change that the network has not confirmed yet."""

    mbps: int
    price: int
    """what it costs with that rate, to its present end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Boost:
    """A temporary rate of a service. Times are epoch milliseconds UTC."""

    id: str
    mbps: int
    """what is added to the rate of the service."""
    start: int
    end: int
    """the first moment that is not in it."""
    status: Status
    reason: Reason | None = None
    price: int
    """in minor units of the currency."""
    currency: str
    tier: str | None = None
    ordered_at: int
    ordered_by: str
    hold_until: int | None = None
    """until when it waits for an approval, where it is REQUESTED."""
    activated_at: int | None = None
    ended_at: int | None = None
    meter: Meter = field(default_factory=Meter)
    """what it is charged now."""
    series: str | None = None
    """what boosts that were booked together have in common."""
    asked_at: int | None = None
    """when the network was asked for its rate for the first time."""
    ending_at: int | None = None
    """when its end was worked out; it is over when the network has confirmed that."""
    noticed_at: int | None = None
    """when the customer was reminded of its end."""
    ends: Reason = "DURATION_EXPIRED"
    """why it ends, once it does."""
    before: Before | None = None
    earlier: tuple[EarlierRate, ...] = ()
    """the rates that it was ordered with since its start, in the order of time; since the last of them its `mbps` is ordered."""
    settled: tuple[Charged, ...] = ()
    """the intervals that it was charged for and that are over, in the order of time: each is a record of usage."""
    cost: int | None = None
    """what it cost in the end, once it is over; None of one that a version ended that did not keep it."""
    reserves: tuple[str, ...] = ()
    """the ids of the ports and trunks whose capacity it holds."""

    @property
    def is_over(self) -> bool:
        """Whether nothing of it is left to be done."""
        return self.status == "TERMINATED"

    def runs(self, at: int) -> bool:
        """Tell whether its rate is booked at a moment."""
        return self.status in ("SCHEDULED", "ACTIVATED") and self.start <= at < self.end

    @property
    def confirmed_mbps(self) -> int:
        """What of its rate the network has confirmed and is still ordered."""
        if self.status != "ACTIVATED":
            return 0
        return min(self.mbps, self.before.mbps) if self.before else self.mbps


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """Whose a service is."""

    id: str
    name: str
    account: str
    """what billing knows the customer by; empty where it does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service under its lock, with its boosts that are not over."""

    id: str
    name: str
    state: str | None
    committed: int
    booked: int
    """what was written last; it changes at the boundaries."""
    effective: int
    """what the network carries, as far as it has said."""
    most: int | None
    """what the contract allows; None: no more than the committed rate and what fits."""
    tier: str | None
    version: int
    accounted_at: int | None
    """up to when it was worked out what is charged."""
    refusals: int
    """how often in a row the network has refused to return."""
    retry_at: int | None
    """when the network is asked again."""
    may_carry: int | None = None
    """the most that the network may carry, where nobody knows what became of a change; None: it carries `effective`."""
    now: int
    """epoch milliseconds by the database's clock, under the lock."""
    customers: tuple[Customer, ...]
    way: tuple[str, ...]
    """the ids of its ports and of the trunks of both ways, sorted."""
    port: str | None
    """the id of the port at its A end."""
    boosts: Mapping[str, Boost]
    asking: tuple[str, ...]
    """the ids of deliveries to the network that are not done."""

    @property
    def customer(self) -> Customer:
        """Whose it is, where it is one customer's; nobody's else."""
        return self.customers[0] if len(self.customers) == 1 else Customer(id="", name="", account="")

    def booked_at(self, at: int) -> int:
        """Give the booked rate at a moment: the committed one, and all boosts that run."""
        return self.committed + sum(each.mbps for each in self.boosts.values() if each.runs(at))


async def hold(transaction: Transaction, services: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """Lock the timers of services, and the ports and trunks that they run over or that their boosts hold; give these by service.

    A service that is not there is left out.
    """
    wanted = sorted(set(services))
    rows = await transaction.run(_WAY, {"batch": {"services": wanted}})
    ways = cast("list[tuple[str, list[str], list[str]]]", [tuple(row) for row in rows])
    for service in sorted(row[0] for row in ways):
        await timers.hold(transaction, kind=KIND, about=service)
    await hold_things(transaction, (each for _, way, held in ways for each in (*way, *held)))
    return {service: tuple(sorted(way)) for service, way, _ in ways}


async def hold_things(transaction: Transaction, things: Iterable[str]) -> None:
    """Lock ports and trunks, in the order of their ids: who takes capacity of any of them, or gives it back, does so."""
    wanted = set(things)
    ports = sorted(each for each in wanted if each.startswith("port-"))
    if ports:
        await transaction.run(_HOLD_THINGS, {"batch": {"ports": ports}})
    if trunks := sorted(wanted - set(ports)):
        await transaction.run(_HOLD_TRUNKS, {"batch": {"trunks": trunks}})


async def lock(transaction: Transaction, service: str, network: str) -> Service | None:
    """Lock a service whose timer is held, and give it as it is; None: there is none. `network` is the system that sets rates."""
    for row in await transaction.run(_LOCK, {"service": service, "network": network}):
        if row[0] is not None:  # Neo4j gives nulls of what was deleted while its lock was waited for
            return _service(row)
    return None


async def take(transaction: Transaction, service: str, network: str) -> Service | None:
    """Hold and lock one service; raises Contended where its way is another by then."""
    held = await hold(transaction, [service])
    found = await lock(transaction, service, network)
    if found is not None and held.get(service) != found.way:
        raise Contended("The way of a service has just changed")
    return found


def write(transaction: Transaction, before: Service, after: Service) -> None:
    """Write what differs; a boost that is new is made, and one that is over holds nothing any more."""
    new = [each for key, each in sorted(after.boosts.items()) if key not in before.boosts]
    if new:
        transaction.later(_MAKE, {"batch": {"rows": [{"id": each.id, "service": after.id} for each in new]}})
    rows = [_row(each, after) for key, each in sorted(after.boosts.items()) if before.boosts.get(key) != each]
    if rows:
        transaction.later(_SET, {"batch": {"rows": rows}})
    _write_links(transaction, before, after)
    given = {
        "service": after.id,
        "booked": after.booked,
        "effective": after.effective,
        "version": after.version,
        "accountedAt": after.accounted_at,
        "refusals": after.refusals,
        "retryAt": after.retry_at,
        "mayCarry": after.may_carry,
    }
    transaction.later(_SET_SERVICE, given)


def _write_links(transaction: Transaction, before: Service, after: Service) -> None:
    left, made = [], []
    for key, each in sorted(after.boosts.items()):
        had = before.boosts[key].reserves if key in before.boosts else ()
        if had == each.reserves:
            continue
        left += [key] if had else []
        made += [{"boost": key, "thing": thing} for thing in each.reserves]
    if left:
        transaction.later(_RELEASE, {"batch": {"boosts": left}})
    made.sort(key=lambda row: row["thing"])
    if ports := [row for row in made if row["thing"].startswith("port-")]:
        transaction.later(_RESERVE_PORTS, {"batch": {"rows": ports}})
    if trunks := [row for row in made if not row["thing"].startswith("port-")]:
        transaction.later(_RESERVE_TRUNKS, {"batch": {"rows": trunks}})


def _service(row: Sequence[Any]) -> Service:
    service, name, state, committed, booked, effective, most, version, accounted, refusals, retry, may_carry, now = row[
        :13
    ]
    tier, customers, way, boosts, asking, port = row[13:]
    return Service(
        id=service,
        name=name or service,
        state=state,
        committed=committed,
        booked=committed if booked is None else booked,
        effective=effective,
        most=most,
        tier=tier,
        version=version,
        accounted_at=accounted,
        refusals=refusals,
        retry_at=retry,
        may_carry=may_carry,
        now=now,
        customers=tuple(
            Customer(id=key, name=called or key, account=account or "") for key, called, account in customers
        ),
        way=tuple(sorted(way)),
        port=port,
        boosts={each[0]: boost_of(each) for each in boosts},
        asking=tuple(sorted(asking)),
    )


def boost_of(row: Sequence[Any]) -> Boost:
    """Give a boost by its `VALUES` and the ids of what it holds."""
    key, mbps, start, end, status, price, currency, tier, ordered, hold_until, activated = row[:11]
    charged, since, series, by, asked, ending, noticed, ends, mbps_before, price_before, earlier, settled = row[11:23]
    cost, reserves = row[23:]
    if status == "ACTIVATED" and activated is None:  # it was loaded: others have begun it, at its start
        activated = asked = start
    return Boost(
        id=key,
        mbps=mbps,
        start=start,
        end=end,
        status=status,
        price=price,
        currency=currency,
        tier=tier,
        ordered_at=ordered if ordered is not None else start,
        ordered_by=by or "",
        hold_until=hold_until,
        activated_at=activated,
        meter=Meter(mbps=charged or 0, since=since),
        series=series,
        asked_at=asked,
        ending_at=ending,
        noticed_at=noticed,
        ends=ends or "DURATION_EXPIRED",
        before=None if mbps_before is None else Before(mbps=mbps_before, price=price_before),
        earlier=read_earlier(earlier),
        settled=read_charged(settled, key),
        cost=cost,
        reserves=tuple(reserves),
    )


def _row(boost: Boost, service: Service) -> dict[str, object]:
    buyer = service.customer.id
    return {
        "id": boost.id,
        "openOf": None if boost.is_over else service.id,
        "activatedOf": None if boost.activated_at is None else key_of(service.id, boost.activated_at),
        "boughtBy": key_of(buyer, boost.start) if buyer else None,
        "mbps": boost.mbps,
        "start": boost.start,
        "end": boost.end,
        "status": boost.status,
        "reason": boost.reason,
        "price": boost.price,
        "currency": boost.currency,
        "tier": boost.tier,
        "orderedAt": boost.ordered_at,
        "orderedBy": boost.ordered_by,
        "holdUntil": boost.hold_until,
        "activatedAt": boost.activated_at,
        "endedAt": boost.ended_at,
        "chargedMbps": boost.meter.mbps,
        "chargedFrom": boost.meter.since,
        "series": boost.series,
        "askedAt": boost.asked_at,
        "endingAt": boost.ending_at,
        "noticedAt": boost.noticed_at,
        "ends": boost.ends if boost.ends != "DURATION_EXPIRED" else None,
        "mbpsBefore": boost.before.mbps if boost.before else None,
        "priceBefore": boost.before.price if boost.before else None,
        "earlier": earlier_text(boost.earlier),
        "settled": charged_text(boost.settled),
        "cost": boost.cost,
    }
