"""The events that have their positions, as whoever follows them reads them.

Positions have no gaps (`positions.py`), so a reader that has come to 8 knows that 9 is next: where the database shows 10 and
not yet 9, it reads no further than 8, and looks again.

A position means one event for as long as the database goes on. Where a backup was restored, positions that were given after it
are given anew, to other events. So whoever keeps a position keeps with it which event was there, and finds out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from graph.store.store import Store

_END: Final = """
OPTIONAL MATCH (s:Sequence {id: 'sequence-events'})
WITH coalesce(s.next, 1) - 1 AS position, coalesce(s.swept, 0) AS swept
OPTIONAL MATCH (e:Event {position: position})
RETURN position, datetime.realtime().epochMillis, coalesce(e.id, ''), swept
"""
_AT: Final = "OPTIONAL MATCH (e:Event {position: $position}) RETURN coalesce(e.id, '')"
# Every event, since a gap must be seen; but only what is wanted is read whole.
_ALL: Final = """
MATCH (e:Event) WHERE e.position > $after AND e.position <= $upto
RETURN e.position, e.id, e.type, e.aggregateId, e.at,
  CASE WHEN e.type IN $types THEN e.payload ELSE null END,
  CASE WHEN e.type IN $types THEN COLLECT { MATCH (e)-[:CONCERNS_CUSTOMER]->(c:Customer) RETURN c.id } ELSE [] END
ORDER BY e.position
"""
_WANTED: Final = """
MATCH (e:Event) WHERE e.position > $after AND e.position <= $upto AND e.type IN $types
RETURN e.position, e.id, e.type, e.aggregateId, e.at, e.payload,
  COLLECT { MATCH (e)-[:CONCERNS_CUSTOMER]->(c:Customer) RETURN c.id }
ORDER BY e.position
"""
_OF_CUSTOMERS: Final = """
MATCH (e:Event) WHERE e.position > $after AND e.position <= $upto AND e.type IN $types
  AND EXISTS { MATCH (e)-[:CONCERNS_CUSTOMER]->(c:Customer) WHERE c.id IN $customers }
RETURN e.position, e.id, e.type, e.aggregateId, e.at, e.payload,
  COLLECT { MATCH (e)-[:CONCERNS_CUSTOMER]->(c:Customer) RETURN c.id }
ORDER BY e.position
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequenced:
    """An event that has its position."""

    position: int
    id: str
    type: str
    about: str
    """the id of the aggregate."""
    at: int
    """epoch milliseconds by the database's clock."""
    payload: Mapping[str, Any]
    customers: frozenset[str]
    """the ids of those whom it concerned when it happened."""
    broken: bool = False
    """its payload is no JSON object, as after a change by hand: it has its place in the sequence, and nothing to say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interest:
    """Which events somebody follows."""

    types: frozenset[str]
    customers: frozenset[str] | None = None
    """only what concerned one of these; None: whomever it concerned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How far the sequence has come, and when that was looked at."""

    position: int
    """0 before the first event."""
    now: int
    """epoch milliseconds by the database's clock."""
    event: str = ""
    """the id of the event there; empty where it is not there any more, or not yet to be seen."""
    swept: int = 0
    """the last position that retention has taken away."""


async def end_of(store: Store, *, deadline: float) -> End:
    """Give the last position."""
    [[position, now, event, swept]] = await store.rows(_END, {}, deadline=deadline)
    return End(position=int(str(position)), now=int(str(now)), event=str(event), swept=int(str(swept)))


async def event_at(store: Store, position: int, *, deadline: float) -> str:
    """Give the id of the event at a position; empty where there is none."""
    [[event]] = await store.rows(_AT, {"position": position}, deadline=deadline)
    return str(event)


async def all_between(store: Store, after: int, upto: int, types: Sequence[str], *, deadline: float) -> list[Sequenced]:
    """Give every event after a position up to another, in order; those of other types without payload and customers."""
    given = {"after": after, "upto": upto, "types": list(types)}
    return [_sequenced(row) for row in await store.rows(_ALL, given, deadline=deadline)]


async def wanted_between(
    store: Store, after: int, upto: int, interest: Interest, *, deadline: float
) -> list[Sequenced]:
    """Give the events of interest after a position up to another, in order."""
    given: dict[str, object] = {"after": after, "upto": upto, "types": sorted(interest.types)}
    if interest.customers is None:
        return [_sequenced(row) for row in await store.rows(_WANTED, given, deadline=deadline)]
    given["customers"] = sorted(interest.customers)
    return [_sequenced(row) for row in await store.rows(_OF_CUSTOMERS, given, deadline=deadline)]


def _sequenced(row: Sequence[Any]) -> Sequenced:
    position, event, type_, about, at, text, customers = row
    payload = _payload(text)
    return Sequenced(
        position=position,
        id=event,
        type=type_,
        about=about,
        at=at,
        payload=payload or {},
        customers=frozenset(customers or ()),
        broken=payload is None,
    )


def _payload(text: object) -> Mapping[str, Any] | None:
    """Read a payload; None where it cannot be read: one such event must not hide those after it."""
    if text is None or text == "":
        return {}
    try:
        payload = orjson.loads(text) if isinstance(text, str) else None
    except orjson.JSONDecodeError:
        return None
    return payload if isinstance(payload, dict) else None
