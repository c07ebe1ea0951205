"""A network small enough to know by heart: two customers, two paths, what they share and what they do not.

service-a (PREMIUM, customer-a)   port-a on card-1 ... port-z on card-3   working trunk-1, protecting trunk-2
service-b (STANDARD, customer-b)  port-b on card-2 ... port-y on card-3   working trunk-1
service-c (BASIC, customer-b)     port-c on card-2 ... port-y on card-3   working trunk-2
trunk-1: port-t1 on card-1 to port-u1 on card-3      trunk-2: port-t2 on card-2 to port-u2 on card-4
element-1 holds card-1 and card-2, element-2 card-3 and card-4; the fault manager calls card-1 "shelf 1/slot 1"
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from graph.changes.alarms.alarms import AlarmPolicy, Amend, amend_alarm, clear_alarm, raise_alarm
from graph.changes.outcome import Outcome
from graph.model.alarm import Alarm
from graph.model.identity import external_key
from graph.model.scope import Principal, Role
from graph.store.store import Store, Transaction

SOURCE: Final = "ems"
SYSTEM: Final = Principal(subject="9:issuer-a:ems", role=Role.SYSTEM, system="ems", sources=(SOURCE,))
POLICY: Final = AlarmPolicy(ticketing="desk")
NAME: Final = "shelf 1/slot 1"
AT: Final = int(time.time() * 1_000) - 3_600_000
"""an hour ago: a time that is believed."""

SERVICES: Final[Mapping[str, tuple[str, str, str, str]]] = {
    "service-a": ("customer-a", "PREMIUM", "port-a", "port-z"),
    "service-b": ("customer-b", "STANDARD", "port-b", "port-y"),
    "service-c": ("customer-b", "BASIC", "port-c", "port-y"),
}
CARDS: Final = {
    "card-1": ("port-a", "port-t1"),
    "card-2": ("port-b", "port-c", "port-t2"),
    "card-3": ("port-z", "port-y", "port-u1"),
    "card-4": ("port-u2",),
}
ELEMENTS: Final = {"networkelement-1": ("card-1", "card-2"), "networkelement-2": ("card-3", "card-4")}
TRUNKS: Final = {"trunk-1": ("port-t1", "port-u1"), "trunk-2": ("port-t2", "port-u2")}
ROUTES: Final = (
    ("service-a", "trunk-1", "WORKING"),
    ("service-a", "trunk-2", "PROTECTING"),
    ("service-b", "trunk-1", "WORKING"),
    ("service-c", "trunk-2", "WORKING"),
)


async def lay(store: Store) -> None:
    """Put the network into an empty store, by one statement: hundreds of tests begin so."""

    async def work(transaction: Transaction) -> None:
        for element, cards in ELEMENTS.items():
            transaction.later("CREATE (:NetworkElement {id: $id})", {"id": element})
            for card in cards:
                text = "MATCH (e:NetworkElement {id: $e}) CREATE (e)-[:HOLDS]->(:Card {id: $id})"
                transaction.later(text, {"e": element, "id": card})
        for card, ports in CARDS.items():
            text = "MATCH (k:Card {id: $card}) UNWIND $ports AS id CREATE (k)-[:HAS_PORT]->(:Port {id: id})"
            transaction.later(text, {"card": card, "ports": list(ports)})
        for trunk, (a, z) in TRUNKS.items():
            text = (
                "MATCH (a:Port {id: $a}) MATCH (z:Port {id: $z}) CREATE (t:Trunk {id: $id}) "
                "CREATE (t)-[:TERMINATES_ON {end: 'A'}]->(a) CREATE (t)-[:TERMINATES_ON {end: 'Z'}]->(z)"
            )
            transaction.later(text, {"id": trunk, "a": a, "z": z})
        transaction.later("UNWIND ['a', 'b'] AS n CREATE (:Customer {id: 'customer-' + n, name: n})", {})
        for service, (customer, tier, a, z) in SERVICES.items():
            text = (
                "MATCH (c:Customer {id: $customer}) MATCH (a:Port {id: $a}) MATCH (z:Port {id: $z}) "
                "CREATE (c)-[:SUBSCRIBES_TO]->(s:Service {id: $id, name: $id}) "
                "CREATE (s)-[:GOVERNED_BY]->(:Sla {id: 'sla-' + $id, tier: $tier}) "
                "CREATE (s)-[:ACCESSED_AT {end: 'A'}]->(a) CREATE (s)-[:ACCESSED_AT {end: 'Z'}]->(z)"
            )
            transaction.later(text, {"id": service, "customer": customer, "tier": tier, "a": a, "z": z})
        for service, trunk, path in ROUTES:
            text = (
                "MATCH (s:Service {id: $s}) MATCH (t:Trunk {id: $t}) "
                "CREATE (s)-[:ROUTED_OVER {path: $path, position: 0}]->(t)"
            )
            transaction.later(text, {"s": service, "t": trunk, "path": path})
        text = (
            "MATCH (k:Card {id: 'card-1'}) "
            "CREATE (:ExternalName {id: 'externalname-1', key: $key, system: $source, name: $name})-[:NAMES]->(k)"
        )
        transaction.later(text, {"key": external_key(SOURCE, NAME), "source": SOURCE, "name": NAME})

    await store.write(work, deadline=soon())


def soon() -> float:
    return time.monotonic() + 60


def report(target: str, number: int | None = 1, **more: Any) -> Alarm:
    given: dict[str, Any] = {
        "source_system_id": SOURCE,
        "external_alarm_id": None if number is None else f"X{number}",
        "alarmed_object": target,
        "alarm_type": "equipmentAlarm",
        "probable_cause": "replaceableUnitProblem",
        "perceived_severity": "critical",
        "raised_at": AT,
        **more,
    }
    told = {name: value for name, value in given.items() if value is not None}
    return Alarm(**{"record": {"told": told}, **given})


@dataclass(frozen=True, slots=True, kw_only=True)
class Laid:
    """The network in a store, and how to ask it."""

    store: Store

    async def raise_(self, alarm: Alarm, principal: Principal = SYSTEM, policy: AlarmPolicy = POLICY) -> str:
        outcome = await raise_alarm(self.store, principal, policy, alarm, deadline=soon())
        return outcome.ids["alarm"]

    async def clear(self, alarm_id: str, key: str = "clear", policy: AlarmPolicy = POLICY) -> Outcome:
        return await clear_alarm(self.store, SYSTEM, policy, alarm_id=alarm_id, idempotency_key=key, deadline=soon())

    async def amend(self, alarm_id: str, amend: Amend) -> Outcome:
        return await amend_alarm(self.store, SYSTEM, POLICY, alarm_id=alarm_id, amend=amend, deadline=soon())

    async def rows(self, text: str, **parameters: object) -> list[list[Any]]:
        return await self.store.rows(text, parameters, deadline=soon())

    async def run(self, text: str, **parameters: object) -> None:
        async def work(transaction: Transaction) -> None:
            await transaction.run(text, parameters)

        await self.store.write(work, deadline=soon())

    async def alarm(self, alarm_id: str) -> dict[str, Any]:
        text = (
            "MATCH (a:Alarm {id: $id}) RETURN a.state, a.perceivedSeverity, a.ackState, a.clearedAt, a._version, "
            "a.awaits, HEAD(COLLECT { MATCH (a)-[:RAISED_ON]->(o) RETURN o.id })"
        )
        [row] = await self.rows(text, id=alarm_id)
        return dict(zip(("state", "severity", "ack", "cleared", "version", "awaits", "object"), row, strict=True))

    async def effects(self) -> dict[str, tuple[str | None, list[list[str | None]]]]:
        """Give each service's effect, and each alarm's effect and severity on it, in the order of ids."""
        text = (
            "MATCH (s:Service) RETURN s.id, s.effect, "
            "COLLECT { MATCH (a:Alarm)-[r:AFFECTS]->(s) RETURN [r.effect, r.severity] ORDER BY a.id } ORDER BY s.id"
        )
        return {service: (effect, affects) for service, effect, affects in await self.rows(text)}

    async def tickets(self) -> dict[str, tuple[str, str, list[str]]]:
        text = (
            "MATCH (t:Ticket) RETURN t.orderKey, t.status, t.severity, "
            "COLLECT { MATCH (t)-[:CONCERNS]->(s:Service) RETURN s.id ORDER BY s.id }"
        )
        return {key: (status, severity, services) for key, status, severity, services in await self.rows(text)}

    async def told(self) -> list[tuple[str, int, str, str]]:
        """Give what is to be told, by order key and version: what to do, and how severe it is."""
        text = "MATCH (d:Delivery)-[:TELLS]->(e:Event) RETURN d.orderKey, d.version, d.payload ORDER BY d.orderKey, d.version"
        rows = [(key, version, orjson.loads(payload)) for key, version, payload in await self.rows(text)]
        return [(key, version, payload["doing"], payload["severity"]) for key, version, payload in rows]

    async def events(self, begin: str = "") -> list[tuple[str, int, str, list[str]]]:
        """Give those whose types begin so, by aggregate and version."""
        text = (
            "MATCH (e:Event) WHERE e.type STARTS WITH $begin RETURN e.aggregateId, e.aggregateVersion, e.type, "
            "COLLECT { MATCH (e)-[:CONCERNS_CUSTOMER]->(c:Customer) RETURN c.id ORDER BY c.id } "
            "ORDER BY e.aggregateId, e.aggregateVersion"
        )
        return [(of, version, kind, customers) for of, version, kind, customers in await self.rows(text, begin=begin)]
