"""What the graph says in the end, in plain values."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from graph.store.store import Store
from tests.faults.books import Interval
from tests.faults.kept_boosts import KeptBoosts, read_boosts

_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAlarm:
    """An alarm in the graph."""

    id: str
    source: str
    external_id: str
    state: str
    severity: str
    target: str | None
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Affect:
    """What the graph says that one alarm does to a service."""

    effect: str
    severity: str | None
    parts: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptService:
    """A service in the graph."""

    id: str
    effect: str | None
    affected_by: Mapping[str, Affect]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptTicket:
    """A ticket in the graph."""

    order_key: str
    their_id: str | None
    alarm: str
    customer: str
    status: str
    severity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptUsage:
    """A record of usage in the graph that came from the meter."""

    id: str
    external_id: str
    service: str | None
    octets: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptEquipment:
    """A piece of equipment in the graph."""

    id: str
    vendor: str | None
    operational_state: str | None
    names: tuple[str, ...]
    """by which the inventory knows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptDifference:
    """A difference in the graph that nobody has settled, or that a feed has found anew."""

    resource: str | None
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptDelivery:
    """A delivery in the graph, and the event that it tells of."""

    id: str
    system: str
    order_key: str
    version: int
    state: str
    error: str | None
    event: str | None
    event_version: int | None
    payload: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptEvent:
    """An event in the graph."""

    id: str
    aggregate: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What the graph says."""

    alarms: tuple[KeptAlarm, ...]
    services: tuple[KeptService, ...]
    tickets: tuple[KeptTicket, ...]
    usage: tuple[KeptUsage, ...]
    downtime: tuple[Interval, ...]
    equipment: tuple[KeptEquipment, ...]
    differences: tuple[KeptDifference, ...]
    feeds: tuple[tuple[str, str], ...]
    """name and state."""
    deliveries: tuple[KeptDelivery, ...]
    events: tuple[KeptEvent, ...]
    boosts: KeptBoosts


_ALARMS = """
MATCH (a:Alarm)
RETURN a.id, a.sourceSystemId, a.externalAlarmId, a.state, a.perceivedSeverity,
  HEAD(COLLECT { MATCH (a)-[:RAISED_ON]->(o) RETURN o.id }), coalesce(a._version, 0)
"""
_SERVICES = """
MATCH (s:Service)
RETURN s.id, s.effect, COLLECT { MATCH (a:Alarm)-[r:AFFECTS]->(s) RETURN [a.id, r.effect, r.severity, r.parts] }
"""
_TICKETS = """
MATCH (t:Ticket)
RETURN t.orderKey, t.externalId, HEAD(COLLECT { MATCH (t)-[:REPORTS]->(a:Alarm) RETURN a.id }),
  HEAD(COLLECT { MATCH (t)-[:OPENED_FOR]->(c:Customer) RETURN c.id }), t.status, t.severity
"""
_USAGE = """
MATCH (u:Usage) WHERE u.source = 'meter'
RETURN u.id, u.externalId, HEAD(COLLECT { MATCH (u)-[:USED_BY]->(s:Service) RETURN s.id }), u.octets
"""
_DOWNTIME = """
MATCH (d:Downtime)
RETURN d.id, HEAD(COLLECT { MATCH (d)-[:INTERRUPTS]->(s:Service) RETURN s.id }), d.effect, d.from, d.to
"""
_EQUIPMENT = """
MATCH (n:NetworkElement|Card|Port|Trunk)
RETURN n.id, n.vendor, n.operationalState,
  COLLECT { MATCH (x:ExternalName)-[:NAMES]->(n) WHERE x.system = 'inventory' RETURN x.name }
"""
_DIFFERENCES = "MATCH (d:InventoryDifference) WHERE d.state IN ['open', 'held'] RETURN d.resource, d.kind"
_FEEDS = "MATCH (f:InventoryFeed) RETURN f.name, f.state"
_DELIVERIES = """
MATCH (d:Delivery)
RETURN d.id, d.system, d.orderKey, d.version, d.state, d.lastError, d.payload,
  HEAD(COLLECT { MATCH (d)-[:TELLS]->(e:Event) RETURN [e.id, e.aggregateVersion] })
"""
_EVENTS = "MATCH (e:Event) RETURN e.id, e.aggregateId, e.aggregateVersion"
_UNTOLD = "MATCH (d:Delivery) WHERE d.state = 'READY' RETURN count(d)"


async def untold(store: Store) -> int:
    """Count what still waits to be told."""
    [[count]] = await store.rows(_UNTOLD, {}, deadline=time.monotonic() + _SECONDS)
    assert isinstance(count, int)
    return count


async def read_graph(store: Store) -> Kept:
    """Ask the graph."""

    async def rows(text: str) -> list[list[Any]]:
        return await store.rows(text, {}, deadline=time.monotonic() + _SECONDS)

    return Kept(
        alarms=tuple(_alarm(*each) for each in await rows(_ALARMS)),
        services=tuple(_service(*each) for each in await rows(_SERVICES)),
        tickets=tuple(_ticket(*each) for each in await rows(_TICKETS)),
        usage=tuple(_usage(*each) for each in await rows(_USAGE)),
        downtime=tuple(_interval(*each) for each in await rows(_DOWNTIME)),
        equipment=tuple(_equipment(*each) for each in await rows(_EQUIPMENT)),
        differences=tuple(KeptDifference(resource=each[0], kind=each[1]) for each in await rows(_DIFFERENCES)),
        feeds=tuple((each[0], each[1]) for each in await rows(_FEEDS)),
        deliveries=tuple(_delivery(*each) for each in await rows(_DELIVERIES)),
        events=tuple(KeptEvent(id=each[0], aggregate=each[1], version=each[2]) for each in await rows(_EVENTS)),
        boosts=await read_boosts(store),
    )


def _alarm(*row: Any) -> KeptAlarm:
    alarm, source, external, state, severity, target, version = row
    return KeptAlarm(
        id=alarm,
        source=source,
        external_id=external,
        state=state,
        severity=severity,
        target=target,
        version=version,
    )


def _service(service: str, effect: str | None, affected: list[list[Any]]) -> KeptService:
    by = {alarm: Affect(effect=does, severity=severity, parts=parts) for alarm, does, severity, parts in affected}
    return KeptService(id=service, effect=effect, affected_by=by)


def _ticket(*row: Any) -> KeptTicket:
    key, their_id, alarm, customer, status, severity = row
    return KeptTicket(
        order_key=key, their_id=their_id, alarm=alarm, customer=customer, status=status, severity=severity
    )


def _usage(*row: Any) -> KeptUsage:
    usage, external, service, octets = row
    return KeptUsage(id=usage, external_id=external, service=service, octets=octets)


def _interval(*row: Any) -> Interval:
    interval, service, effect, start, end = row
    return Interval(id=interval, service=service, effect=effect, start=start, end=end)


def _equipment(*row: Any) -> KeptEquipment:
    known, vendor, state, names = row
    return KeptEquipment(id=known, vendor=vendor, operational_state=state, names=tuple(names))


def _delivery(*row: Any) -> KeptDelivery:
    delivery, system, key, version, state, error, payload, event = row
    return KeptDelivery(
        id=delivery,
        system=system,
        order_key=key,
        version=version,
        state=state,
        error=error,
        payload=orjson.loads(payload),
        event=event[0] if event else None,
        event_version=event[1] if event else None,
    )
