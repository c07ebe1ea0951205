"""An operator must see what waits, for whom, since when and why, before a customer does."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, cast

from graph.store.store import Store

MOST_KEYS: Final = 100

_LANES: Final = """
MATCH (l:Lane)
RETURN l.id, l.owner, l.until, datetime.realtime().epochMillis,
  COUNT { MATCH (d:Delivery {waiting: l.id}) },
  COLLECT {
    MATCH (d:Delivery {waiting: l.id})
    RETURN [d.createdAt, d.attempts, d.lastError] ORDER BY d.createdAt LIMIT 1
  },
  COUNT { MATCH (p:Delivery {parked: l.id}) },
  COLLECT { MATCH (p:Delivery {parked: l.id}) RETURN p.orderKey ORDER BY p.orderKey LIMIT $most }
ORDER BY l.id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneState:
    """A lane as it is now."""

    id: str
    system: str
    shard: int
    owner: str | None
    """the process that tells it; None where nobody does."""
    until: int | None
    """when its lease runs out, epoch milliseconds."""
    waiting: int
    """deliveries that are still to be told,"""
    oldest_at: int | None
    """since when the oldest of them waits, epoch milliseconds,"""
    oldest_seconds: float
    """and how long that is; 0 where nothing waits."""
    attempts: int
    """how often the oldest was tried,"""
    last_error: str | None
    """and what came of it last."""
    parked: int
    """deliveries that a person must look at,"""
    parked_keys: tuple[str, ...]
    """and the order keys that they hold up; a hundred at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemBacklog:
    """All lanes of one system together."""

    system: str
    waiting: int
    oldest_seconds: float
    parked: int


async def lane_states(store: Store, *, deadline: float) -> list[LaneState]:
    """Give all lanes of all systems that were ever told anything."""
    rows = await store.rows(_LANES, {"most": MOST_KEYS}, deadline=deadline)
    return sorted((_state(row) for row in rows), key=lambda each: (each.system, each.shard))


def by_system(lanes: Iterable[LaneState]) -> list[SystemBacklog]:
    """Sum lanes up."""
    found: dict[str, list[LaneState]] = {}
    for each in lanes:
        found.setdefault(each.system, []).append(each)
    return [
        SystemBacklog(
            system=system,
            waiting=sum(each.waiting for each in lanes),
            oldest_seconds=max(each.oldest_seconds for each in lanes),
            parked=sum(each.parked for each in lanes),
        )
        for system, lanes in sorted(found.items())
    ]


def _state(row: list[object]) -> LaneState:
    lane, owner, until, now, waiting, oldest, parked, keys = cast(
        "tuple[str, str, int, int, int, list[tuple[int, int, str | None]], int, list[str]]", tuple(row)
    )
    system, _, shard = lane.rpartition("#")
    at, attempts, error = oldest[0] if oldest else (None, 0, None)
    alive = until >= now
    return LaneState(
        id=lane,
        system=system,
        shard=int(shard),
        owner=owner if alive else None,
        until=until if alive else None,
        waiting=waiting,
        oldest_at=at,
        oldest_seconds=0.0 if at is None else max(0.0, (now - at) / 1_000),
        attempts=attempts,
        last_error=error,
        parked=parked,
        parked_keys=tuple(keys),
    )
