"""A service suffers from all open alarms together, so an alarm that comes or goes can change what others mean to it.

The services that an alarm hits, or has hit until now, are locked, each with every alarm that takes part in its effect
and the parts of it that these hit. From that the new effect follows without another look at the network; whatever
differs from before is written, to the service and to each `AFFECTS` that leads to it. Where the network, the service's
state or its contract has changed, all alarms of a service are looked for anew (`hits.hits_on`).

Rules. 1. `AFFECTS` is there exactly while the alarm is open, asserts a failure and hits the service, and the service is in
use; all of a service's carry the same effect and severity, and the service has that effect. 2. A service without a contract
is judged by the tier that the policy names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import orjson

from graph.changes.services.hits import Harms, Hits
from graph.model.effects import Effect, effect_of_parts, is_in_use, parts_text, severity_of
from graph.store.store import Transaction

_SHOWN: Final = """
OPTIONAL MATCH (s)-[:GOVERNED_BY]->(l:Sla)
WITH s, l
OPTIONAL MATCH (c:Customer)-[:SUBSCRIBES_TO]->(s)
RETURN s.id, s.name, s.effect, l.tier, c.id, c.name,
  EXISTS { MATCH (s)-[r:ROUTED_OVER]->(:Trunk) WHERE r.path = 'PROTECTING' },
  COLLECT { MATCH (a:Alarm)-[r:AFFECTS]->(s) RETURN [a.id, r.parts, r.effect, r.severity] ORDER BY a.id },
  [c.accountRef, l.availabilityPercent, coalesce(s._version, 0), s._downtime, s._suffers, s._blamed, coalesce(s._effectAt, 0),
   s.state, datetime.realtime().epochMillis]
"""
_LOOK: Final = f"""
UNWIND $batch.services AS id
MATCH (s:Service {{id: id}})
WITH s
{_SHOWN}
"""

# Sorted by id: two transactions that lock the same services do it in the same order. The lock is counted: the embedded
# database tells of a conflict only where a record differs in the end, and here two may leave all but the edges as it was.
_LOCK: Final = f"""
UNWIND $batch.services AS id
MATCH (s:Service {{id: id}})
SET s._locked = coalesce(s._locked, 0) + 1
WITH s
{_SHOWN}
"""

_AFFECT: Final = """
UNWIND $batch.rows AS row
MATCH (s:Service {id: row.service})
MATCH (a:Alarm {id: row.alarm})
MERGE (a)-[r:AFFECTS]->(s)
SET r.effect = row.effect, r.severity = row.severity, r.parts = row.parts, s.effect = row.effect
"""

_SPARE: Final = """
UNWIND $batch.rows AS row
MATCH (:Alarm {id: row.alarm})-[r:AFFECTS]->(s:Service {id: row.service})
SET s.effect = row.effect
DELETE r
"""

_SET: Final = """
UNWIND $batch.rows AS row
MATCH (s:Service {id: row.service})
SET s.effect = row.effect
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Affect:
    """What one alarm does to one service."""

    parts: str
    effect: str
    severity: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A locked service, and every alarm that takes part in its effect."""

    id: str
    name: str
    effect: str | None
    state: str | None
    """a word of `graph.model.vocabulary.SERVICE_STATES`."""
    tier: str
    """of its contract, or the one that the policy names for a service without one."""
    customer: str
    customer_name: str
    protected: bool
    alarms: Mapping[str, Affect]
    account: str
    """what billing knows the customer by; empty where it does not."""
    target: float | None
    """the availability in percent that its contract promises."""
    version: int
    """how often anything was told of it."""
    downtime: str | None
    """the interval that its effect lasts (`downtime.py`), if one is open,"""
    suffers: str | None
    """with which effect,"""
    blamed: tuple[str, ...]
    """the alarms that have taken part in it until now,"""
    effect_at: int
    """and when its effect last changed; 0 when it never has."""
    now: int
    """epoch milliseconds by the database's clock, read under the lock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What becomes of one service."""

    service: Service
    effect: Effect | None
    severity: str | None
    parts: Mapping[str, frozenset[str]]
    """by alarm."""

    def touched(self) -> Iterable[tuple[str, Affect]]:
        """Give each alarm whose `AFFECTS` must be written, with what it will say."""
        if self.effect is None:
            return
        for alarm, parts in self.parts.items():
            new = Affect(parts=parts_text(parts), effect=self.effect, severity=self.severity)
            if self.service.alarms.get(alarm) != new:
                yield alarm, new

    def spared(self) -> Iterable[str]:
        """Give each alarm that affects it no more."""
        return (each for each in self.service.alarms if each not in self.parts)

    @property
    def is_one(self) -> bool:
        """Whether anything will be another than before."""
        return self.effect != self.service.effect or bool(self.alarms)

    @property
    def alarms(self) -> frozenset[str]:
        """The alarms for which anything changes here."""
        return frozenset(alarm for alarm, _ in self.touched()) | frozenset(self.spared())


async def lock(transaction: Transaction, services: Iterable[str], default_tier: str) -> list[Service]:
    """Lock services and give them as they are. One without a customer is nobody's: it is left out."""
    wanted = sorted(set(services))
    rows = await transaction.run(_LOCK, {"batch": {"services": wanted}}) if wanted else []
    return _owned(rows, default_tier)


async def look(transaction: Transaction, services: Iterable[str], default_tier: str) -> list[Service]:
    """Give the same without a lock."""
    wanted = sorted(set(services))
    rows = await transaction.run(_LOOK, {"batch": {"services": wanted}}) if wanted else []
    return _owned(rows, default_tier)


def changes(services: Sequence[Service], alarm: str, hits: Hits) -> list[Change]:
    """Compute what becomes of services when an alarm hits just this from now on."""
    return [_change(each, _with(each, alarm, hits.get(each.id, frozenset()))) for each in services]


def changes_anew(services: Sequence[Service], harms: Harms) -> list[Change]:
    """Compute what becomes of services that just these alarms hit; those that stay as they are are left out."""
    found = (_change(each, harms.get(each.id, {})) for each in services)
    return [each for each in found if each.is_one]


def write(transaction: Transaction, changed: Sequence[Change]) -> None:
    """Write what differs from before; an alarm that is new is there already."""
    rows = [
        {"service": each.service.id, "alarm": other, "effect": a.effect, "severity": a.severity, "parts": a.parts}
        for each in changed
        for other, a in each.touched()
    ]
    spared = [
        {"service": each.service.id, "alarm": alarm, "effect": each.effect}
        for each in changed
        for alarm in each.spared()
    ]
    rest = [{"service": each.service.id, "effect": each.effect} for each in changed if each.is_one and not each.alarms]
    for text, several in ((_AFFECT, rows), (_SPARE, spared), (_SET, rest)):
        if several:
            transaction.later(text, {"batch": {"rows": several}})


def _with(service: Service, alarm: str, hit: frozenset[str]) -> Hits:
    """Give what hits a service when one alarm hits just this, and the others what they did."""
    parts = {each: frozenset(affect.parts.split()) for each, affect in service.alarms.items() if each != alarm}
    return {**parts, alarm: hit} if hit else parts


def _change(service: Service, hits: Hits) -> Change:
    parts = hits if is_in_use(service.state) else {}
    effect = effect_of_parts(frozenset().union(*parts.values()), protected=service.protected)
    severity = severity_of(effect, service.tier) if effect else None
    return Change(service=service, effect=effect, severity=severity, parts=parts)


def _owned(rows: Iterable[list[object]], default_tier: str) -> list[Service]:
    return [_service(row, default_tier) for row in rows if row[4] is not None]


def _service(row: list[object], default_tier: str) -> Service:
    service, name, effect, tier, customer, customer_name, protected, alarms, contract = row
    account, target, version, downtime, suffers, blamed, effect_at, state, now = cast("list[Any]", contract)
    return Service(
        id=str(service),
        name=str(name),
        effect=cast("str | None", effect),
        state=state,
        tier=str(tier or default_tier),
        customer=str(customer),
        customer_name=str(customer_name),
        protected=bool(protected),
        alarms={
            alarm: Affect(parts=parts, effect=effect, severity=severity)
            for alarm, parts, effect, severity in cast("list[tuple[str, str, str, str | None]]", alarms)
        },
        account=account or "",
        target=target,
        version=version,
        downtime=downtime,
        suffers=suffers,
        blamed=tuple(orjson.loads(blamed)) if blamed else (),
        effect_at=effect_at,
        now=now,
    )
