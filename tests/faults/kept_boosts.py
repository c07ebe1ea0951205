"""What the graph says of boosts in the end: rates, charges, steps and tasks, in plain values."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Final

from graph.store.store import Store

_SECONDS: Final = 60.0
OURSELVES: Final = "trunkline"
"""The source of what we have found out ourselves: usage of boosts, and alarms of services that do not return."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptBoost:
    """A boost that somebody has booked. Times are epoch milliseconds UTC."""

    id: str
    service: str
    mbps: int
    start: int
    end: int
    status: str
    reason: str | None
    activated_at: int | None
    ended_at: int | None
    reserves: int
    """how many ports and trunks it holds capacity of."""

    @property
    def held_until(self) -> int:
        """When its capacity was free again: one that never began may have ended before its time."""
        if self.activated_at is None and self.ended_at is not None:
            return min(self.end, self.ended_at)
        return self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptCharge:
    """A record of usage of a boost, or its credit."""

    id: str
    kind: str
    boost: str
    service: str
    mbps: int
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptStep:
    """What one system had to do where a boost begins or ends."""

    boost: str
    boundary: str
    system: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptTask:
    """What waits, or has waited, for a person."""

    kind: str
    about: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRate:
    """The rates of a service, in Mbit/s."""

    service: str
    committed: int
    booked: int
    effective: int
    may_carry: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptLead:
    """A lead for sales."""

    id: str
    service: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptBoosts:
    """All of it."""

    boosts: tuple[KeptBoost, ...]
    charges: tuple[KeptCharge, ...]
    steps: tuple[KeptStep, ...]
    tasks: tuple[KeptTask, ...]
    rates: tuple[KeptRate, ...]
    """of services that were boosted."""
    leads: tuple[KeptLead, ...]


_BOOSTS: Final = """
MATCH (b:Boost)-[:BOOSTS]->(s:Service) WHERE b.orderedAt IS NOT NULL
RETURN b.id, s.id, b.mbps, b.startAt, b.endAt, b.status, b.statusReason, b.activatedAt, b.endedAt, COUNT { MATCH (b)-[:RESERVES]->() }
"""
_CHARGES: Final = """
MATCH (u:Usage)-[:USED_BY]->(s:Service) WHERE u.source = $source
RETURN u.id, u.kind, u.externalId, s.id, u.mbps, u.from, u.to
"""
_STEPS: Final = "MATCH (p:ProcessStep)-[:STEP_OF]->(b:Boost) RETURN b.id, p.boundary, p.system, p.state"
_TASKS: Final = "MATCH (t:Task) RETURN t.kind, t.about, t.state"
_RATES: Final = """
MATCH (b:Boost)-[:BOOSTS]->(s:Service) WHERE b.orderedAt IS NOT NULL
WITH DISTINCT s
RETURN s.id, s.committedMbps, coalesce(s.bookedMbps, s.committedMbps), coalesce(s.effectiveMbps, s.committedMbps), s._mayCarry
"""
_LEADS: Final = "MATCH (l:Lead)-[:SUGGESTED_FOR]->(s:Service) RETURN l.id, s.id"
_UNFINISHED: Final = """
RETURN COUNT { MATCH (b:Boost) WHERE b.orderedAt IS NOT NULL AND b.status <> 'TERMINATED' }
  + COUNT { MATCH (s:Service) WHERE s._mayCarry IS NOT NULL OR s.effectiveMbps <> s.committedMbps OR s.bookedMbps <> s.committedMbps }
  + COUNT { MATCH (a:Alarm) WHERE a.sourceSystemId = $source AND a.state <> 'cleared' }
"""


async def unfinished(store: Store) -> int:
    """Count boosts that are not over, services that have not returned, and alarms of such."""
    [[count]] = await store.rows(_UNFINISHED, {"source": OURSELVES}, deadline=time.monotonic() + _SECONDS)
    assert isinstance(count, int)
    return count


async def read_boosts(store: Store) -> KeptBoosts:
    """Ask the graph."""

    async def rows(text: str, **given: Any) -> list[list[Any]]:
        return await store.rows(text, given, deadline=time.monotonic() + _SECONDS)

    return KeptBoosts(
        boosts=tuple(_boost(*each) for each in await rows(_BOOSTS)),
        charges=tuple(_charge(*each) for each in await rows(_CHARGES, source=OURSELVES)),
        steps=tuple(
            KeptStep(boost=boost, boundary=boundary, system=system, state=state)
            for boost, boundary, system, state in await rows(_STEPS)
        ),
        tasks=tuple(KeptTask(kind=kind, about=about, state=state) for kind, about, state in await rows(_TASKS)),
        rates=tuple(
            KeptRate(service=service, committed=committed, booked=booked, effective=effective, may_carry=may_carry)
            for service, committed, booked, effective, may_carry in await rows(_RATES)
        ),
        leads=tuple(KeptLead(id=lead, service=service) for lead, service in await rows(_LEADS)),
    )


def _boost(*row: Any) -> KeptBoost:
    boost, service, mbps, start, end, status, reason, activated, ended, reserves = row
    return KeptBoost(
        id=boost,
        service=service,
        mbps=mbps,
        start=start,
        end=end,
        status=status,
        reason=reason,
        activated_at=activated,
        ended_at=ended,
        reserves=reserves,
    )


def _charge(*row: Any) -> KeptCharge:
    usage, kind, external, service, mbps, start, end = row
    return KeptCharge(
        id=usage, kind=kind, boost=external.partition(":")[0], service=service, mbps=mbps, start=start, end=end
    )
