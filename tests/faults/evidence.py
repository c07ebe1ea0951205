"""Who says that nothing was lost must have asked everybody: the graph, the ticketing system, and whoever told of alarms.

All of it is read when everything is quiet, into plain values, so that what is checked (`checker.py`) can be tried with
evidence that was tampered with.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from adapters.simulator.journal import read_journal
from graph.store import Store
from tests.faults.network import Network
from tests.faults.processes import Desk
from tests.faults.sources import Remembered

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
class KeptDelivery:
    """A delivery in the graph, and the event that it tells of."""

    id: str
    order_key: str
    version: int
    state: str
    error: str | None
    doing: str
    status: str
    severity: str
    event: str | None
    event_version: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptEvent:
    """An event in the graph."""

    id: str
    aggregate: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A change that the ticketing system acted upon, as its journal has it."""

    method: str
    external_id: str
    status: str
    severity: str
    delivery: str | None
    """the idempotency key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A ticket as the ticketing system shows it."""

    id: str
    external_id: str
    status: str
    severity: str
    customer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What everybody says in the end."""

    network: Network
    remembered: tuple[Remembered, ...]
    alarms: tuple[KeptAlarm, ...]
    services: tuple[KeptService, ...]
    tickets: tuple[KeptTicket, ...]
    deliveries: tuple[KeptDelivery, ...]
    events: tuple[KeptEvent, ...]
    journal: tuple[Received, ...]
    held: tuple[Held, ...]


_ALARMS = """
MATCH (a:Alarm)
RETURN a.id, a.sourceSystemId, a.externalAlarmId, a.state, a.perceivedSeverity,
  HEAD(COLLECT { MATCH (a)-[:RAISED_ON]->(o) RETURN o.id }), a._version
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
_DELIVERIES = """
MATCH (d:Delivery)
RETURN d.id, d.orderKey, d.version, d.state, d.lastError, d.payload,
  HEAD(COLLECT { MATCH (d)-[:TELLS]->(e:Event) RETURN [e.id, e.aggregateVersion] })
"""
_EVENTS = "MATCH (e:Event) RETURN e.id, e.aggregateId, e.aggregateVersion"
_UNTOLD = "MATCH (d:Delivery) WHERE d.state = 'READY' RETURN count(d)"


async def untold(store: Store) -> int:
    """Count what still waits to be told."""
    [[count]] = await store.rows(_UNTOLD, {}, deadline=time.monotonic() + _SECONDS)
    assert isinstance(count, int)
    return count


async def gathered(store: Store, system: Desk, network: Network, remembered: Sequence[Remembered]) -> Evidence:
    """Ask everybody."""

    async def rows(text: str) -> list[list[Any]]:
        return await store.rows(text, {}, deadline=time.monotonic() + _SECONDS)

    return Evidence(
        network=network,
        remembered=tuple(remembered),
        alarms=tuple(_alarm(*each) for each in await rows(_ALARMS)),
        services=tuple(_service(*each) for each in await rows(_SERVICES)),
        tickets=tuple(_ticket(*each) for each in await rows(_TICKETS)),
        deliveries=tuple(_delivery(*each) for each in await rows(_DELIVERIES)),
        events=tuple(KeptEvent(id=each[0], aggregate=each[1], version=each[2]) for each in await rows(_EVENTS)),
        journal=tuple(_received(each) for each in read_journal(system.journal)),
        held=tuple(_held(each) for each in await system.tickets()),
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
        version=version or 0,
    )


def _service(service: str, effect: str | None, affected: list[list[Any]]) -> KeptService:
    by = {alarm: Affect(effect=does, severity=severity, parts=parts) for alarm, does, severity, parts in affected}
    return KeptService(id=service, effect=effect, affected_by=by)


def _ticket(*row: Any) -> KeptTicket:
    key, their_id, alarm, customer, status, severity = row
    return KeptTicket(
        order_key=key, their_id=their_id, alarm=alarm, customer=customer, status=status, severity=severity
    )


def _delivery(*row: Any) -> KeptDelivery:
    delivery, key, version, state, error, payload, event = row
    says = orjson.loads(payload)
    return KeptDelivery(
        id=delivery,
        order_key=key,
        version=version,
        state=state,
        error=error,
        doing=says["doing"],
        status=says["status"],
        severity=says["severity"],
        event=event[0] if event else None,
        event_version=event[1] if event else None,
    )


def _received(line: Mapping[str, Any]) -> Received:
    return Received(
        method=line["method"],
        external_id=line["externalId"],
        status=line["status"],
        severity=line["severity"],
        delivery=line["idempotencyKey"],
    )


def _held(ticket: Mapping[str, Any]) -> Held:
    return Held(
        id=ticket["id"],
        external_id=ticket["externalId"],
        status=ticket["status"],
        severity=ticket["severity"],
        customer=ticket["relatedParty"][0]["id"],
    )
