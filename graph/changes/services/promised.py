"""Other systems must be told what a contract promises of a service; it is read when they are told, since contracts change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from graph.store.store import Store

_PROMISED: Final = """
MATCH (s:Service {id: $service})-[:GOVERNED_BY]->(a:Sla)
RETURN a.tier, a.availabilityPercent
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What a contract promises of a service."""

    tier: str | None = None
    """one of `graph.model.vocabulary.TIERS`; None: there is no contract."""
    availability_percent: float | None = None


async def promise_of(store: Store, service_id: str, *, deadline: float) -> Promise:
    """Give what the contract of a service promises; nothing where there is none, or no such service."""
    rows: list[list[Any]] = await store.rows(_PROMISED, {"service": service_id}, deadline=deadline)
    return Promise(tier=rows[0][0], availability_percent=rows[0][1]) if rows else Promise()
