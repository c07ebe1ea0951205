"""An operator must see what waits, for whom, since when and why, before a customer does.

Two looks, since one is made by every process every few seconds and the other by people. `system_backlogs` asks an index for
the oldest of each system, and counts; it sorts nothing. `lane_states` and `parked_deliveries` show the rest when asked.

What waits behind a parked delivery is `held`: like the parked one it waits for a person, so it is neither counted as waiting
nor does it make anything old.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, cast

from graph.store.store import Product, Store

MOST_KEYS: Final = 100

_SYSTEMS: Final = """
MATCH (l:Lane)
RETURN l.id, datetime.realtime().epochMillis,
  COUNT { MATCH (d:Delivery {waiting: l.id}) },
  COUNT { MATCH (d:Delivery {held: l.id}) },
  COLLECT { MATCH (d:Delivery {suspended: l.id}) RETURN d.suspendedSince },
  COLLECT { MATCH (d:Delivery {parked: l.id}) RETURN d.parkedFor }
"""

_PAUSED: Final = """
MATCH (w:Worker) WHERE w.paused AND w.until >= datetime.realtime().epochMillis
RETURN DISTINCT w.system
"""

# Neo4j reads the index in order and stops at the first; the embedded database does so only where it is not asked to sort.
_OLDEST: Final[Mapping[Product, str]] = {
    Product.NEO4J: """
MATCH (d:Delivery) WHERE d.queued >= $low AND d.queued < $high
RETURN d.since ORDER BY d.queued LIMIT 1
""",
    Product.ARCADEDB: """
MATCH (d:Delivery) WHERE d.queued >= $low AND d.queued < $high
RETURN d.since LIMIT 1
""",
}

_LANES: Final = """
MATCH (l:Lane)
RETURN l.id, l.owner, l.until, datetime.realtime().epochMillis,
  COUNT { MATCH (d:Delivery {waiting: l.id}) },
  COLLECT {
    MATCH (d:Delivery {due: l.id})
    RETURN [d.since, d.attempts, d.lastError] ORDER BY d.since LIMIT 1
  },
  COUNT { MATCH (p:Delivery {parked: l.id}) },
  COLLECT { MATCH (p:Delivery {parked: l.id}) RETURN p.orderKey ORDER BY p.orderKey LIMIT $most },
  COUNT { MATCH (h:Delivery {held: l.id}) }
ORDER BY l.id
"""

# `coalesce` keeps a planner from the index of the id, by which it would look at all deliveries that there ever were.
_PARKED: Final = """
MATCH (l:Lane) WHERE l.id STARTS WITH $lanes
MATCH (d:Delivery {parked: l.id})
WHERE coalesce(d.id, '') > $after AND ($reason = '' OR d.parkedFor = $reason)
RETURN d.id, d.system, d.subject, d.orderKey, d.lane, d.parkedFor, d.lastError, d.lastAnswer, d.attempts, d.createdAt,
  COUNT { MATCH (h:Delivery {openKey: d.orderKey}) WHERE h.system = d.system AND h.held IS NOT NULL }
ORDER BY d.id LIMIT $most
"""

_STATES: Final = "UNWIND $ids AS id MATCH (d:Delivery {id: id}) RETURN d.id, d.state"


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
    """the order keys that they hold up (a hundred at most),"""
    held: int = 0
    """and what waits behind them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemBacklog:
    """All lanes of one system together."""

    system: str
    waiting: int
    oldest_seconds: float
    parked: int
    held: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    """how many are parked for each of `graph.model.vocabulary.PARKING_REASONS`."""
    suspended: int = 0
    """of those that wait: how many its people have suspended,"""
    suspended_seconds: float = 0.0
    """and for how long the first of them; 0 where there are none."""
    is_paused: bool = False
    """whether it does not let one of the processes in that tell it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedDelivery:
    """A delivery that waits for a person."""

    id: str
    system: str
    subject: str
    order_key: str
    lane: str
    reason: str | None
    """one of `graph.model.vocabulary.PARKING_REASONS`; None where an earlier version parked it."""
    error: str | None
    """what went wrong, in a sentence of ours."""
    answer: str | None
    """what the other system said, as far as it is kept."""
    attempts: int
    created_at: int
    """epoch milliseconds."""
    held: int
    """how many deliveries wait behind it."""


async def system_backlogs(store: Store, *, deadline: float) -> list[SystemBacklog]:
    """Sum up what waits for each system that was ever told anything; cheap enough to be asked every few seconds."""
    counted: dict[str, list[tuple[int, int, list[int], list[str]]]] = {}
    now = 0
    for row in await store.rows(_SYSTEMS, {}, deadline=deadline):
        lane, at, waiting, held, since, reasons = cast(
            "tuple[str, int, int, int, list[int], list[str | None]]", tuple(row)
        )
        now = max(now, at)
        counted.setdefault(_system_of(lane), []).append((waiting, held, since, [each or "" for each in reasons]))
    paused = {str(row[0]) for row in await store.rows(_PAUSED, {}, deadline=deadline)}
    return [
        SystemBacklog(
            system=system,
            waiting=sum(waiting for waiting, _, _, _ in lanes),
            oldest_seconds=await _oldest_seconds(store, system, now, deadline),
            held=sum(held for _, held, _, _ in lanes),
            parked=sum(len(reasons) for _, _, _, reasons in lanes),
            reasons=_counts(reason for _, _, _, reasons in lanes for reason in reasons),
            suspended=sum(len(since) for _, _, since, _ in lanes),
            suspended_seconds=max((now - each for _, _, since, _ in lanes for each in since), default=0) / 1_000,
            is_paused=system in paused,
        )
        for system, lanes in sorted(counted.items())
    ]


async def lane_states(store: Store, *, deadline: float) -> list[LaneState]:
    """Give all lanes of all systems that were ever told anything."""
    rows = await store.rows(_LANES, {"most": MOST_KEYS}, deadline=deadline)
    return sorted((_state(row) for row in rows), key=lambda each: (each.system, each.shard))


async def parked_deliveries(
    store: Store, *, system: str = "", reason: str = "", after: str = "", most: int, deadline: float
) -> list[ParkedDelivery]:
    """Give parked deliveries by id, from the one behind `after` on; of one system, or for one reason, where they are given."""
    given = {"lanes": f"{system}#" if system else "", "reason": reason, "after": after, "most": most}
    return [_parked(row) for row in await store.rows(_PARKED, given, deadline=deadline)]


async def states_of(store: Store, ids: Sequence[str], *, deadline: float) -> Mapping[str, str]:
    """Give the state of each of these deliveries that is there."""
    rows = await store.rows(_STATES, {"ids": list(ids)}, deadline=deadline)
    return {str(delivery): str(state) for delivery, state in rows}


async def _oldest_seconds(store: Store, system: str, now: int, deadline: float) -> float:
    bounds = {"low": f"{system}#", "high": f"{system}$"}  # no name has a `#`, and `$` follows it
    rows = await store.rows(_OLDEST[store.product], bounds, deadline=deadline)
    return max(0.0, (now - cast("int", rows[0][0])) / 1_000) if rows else 0.0


def _counts(reasons: Iterable[str]) -> Mapping[str, int]:
    found: dict[str, int] = {}
    for each in reasons:
        found[each or "unknown"] = found.get(each or "unknown", 0) + 1
    return found


def _system_of(lane: str) -> str:
    return lane.rpartition("#")[0]


def _state(row: list[object]) -> LaneState:
    lane, owner, until, now, waiting, oldest, parked, keys, held = cast(
        "tuple[str, str, int, int, int, list[tuple[int, int, str | None]], int, list[str], int]", tuple(row)
    )
    at, attempts, error = oldest[0] if oldest else (None, 0, None)
    alive = until >= now
    return LaneState(
        id=lane,
        system=_system_of(lane),
        shard=int(lane.rpartition("#")[2]),
        owner=owner if alive else None,
        until=until if alive else None,
        waiting=waiting,
        oldest_at=at,
        oldest_seconds=0.0 if at is None else max(0.0, (now - at) / 1_000),
        attempts=attempts,
        last_error=error,
        parked=parked,
        parked_keys=tuple(keys),
        held=held,
    )


def _parked(row: list[object]) -> ParkedDelivery:
    delivery, system, subject, key, lane, reason, error, answer, attempts, created, held = row
    return ParkedDelivery(
        id=str(delivery),
        system=str(system),
        subject=str(subject),
        order_key=str(key),
        lane=str(lane),
        reason=cast("str | None", reason),
        error=cast("str | None", error),
        answer=cast("str | None", answer),
        attempts=cast("int", attempts),
        created_at=cast("int", created),
        held=cast("int", held),
    )
