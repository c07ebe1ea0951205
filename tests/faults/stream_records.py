"""What subscribers have heard, and the sequence of events that they ought to have heard: plain values, to be compared."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from graph.store.store import Store

_SECONDS: Final = 60.0
_SEQUENCE: Final = """
MATCH (e:Event) WHERE e.position > 0
RETURN e.position, e.type, e.aggregateId, e.at, e.payload,
  COLLECT { MATCH (e)-[:CONCERNS_CUSTOMER]->(c:Customer) RETURN c.id }
ORDER BY e.position
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """An event of the sequence."""

    position: int
    type: str
    about: str
    at: int
    customers: frozenset[str]
    """whom it concerned."""
    payload: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """An event as a subscriber was told of it."""

    position: int
    """that its cursor has,"""
    at: int
    """and the time, which the cursor has too."""
    kind: str
    about: str
    services: frozenset[tuple[str, str | None, str | None]] = frozenset()
    """of an alert: each with effect and severity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What one subscriber has heard, over all of its connections."""

    name: str
    stream: str
    customer: str | None
    """None: it is an operator's."""
    after: int
    """the position at which it began."""
    seen: tuple[Seen, ...]
    """in the order in which it came."""
    faults: tuple[str, ...] = ()
    """what it was told and ought not to have been: an error in an event's place, or that it cannot go on."""


async def read_sequence(store: Store) -> tuple[Happened, ...]:
    """Read every event that has its position."""
    rows = await store.rows(_SEQUENCE, {}, deadline=time.monotonic() + _SECONDS)
    return tuple(_happened(row) for row in rows)


def _happened(row: Sequence[Any]) -> Happened:
    position, type_, about, at, payload, customers = row
    return Happened(
        position=position,
        type=type_,
        about=about,
        at=at,
        customers=frozenset(customers),
        payload=orjson.loads(payload) if payload else {},
    )
