"""The events that have their positions, as whoever follows them reads them.

Positions have no gaps (`positions.py`), so a reader that has come to 8 knows that 9 is next: where the database shows 10 and
not yet 9, it reads no further than 8, and looks again.

A position means one event for as long as the database goes on. Where a backup was restored, positions that were given after it
are given anew, to other events. So whoever keeps a position keeps with it which event was there, and finds out.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import orjson
import structlog

from graph.store.store import Store

PATIENCE_SECONDS: Final = 5.0
"""for a position that is not to be seen: then it is taken to have been taken away by hand."""

log = structlog.get_logger(__name__)

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
# With how many there are at all, so that here too a gap is seen.
_WANTED: Final = """
RETURN [COUNT { MATCH (a:Event) WHERE a.position > $after AND a.position <= $upto RETURN a }, COLLECT {
  MATCH (e:Event) WHERE e.position > $after AND e.position <= $upto AND e.type IN $types
  RETURN [e.position, e.id, e.type, e.aggregateId, e.at, e.payload,
    COLLECT { MATCH (e)-[:CONCERNS_CUSTOMER]->(c:Customer) RETURN c.id }]
  ORDER BY e.position
}] AS data
"""
_OF_CUSTOMERS: Final = """
RETURN [COUNT { MATCH (a:Event) WHERE a.position > $after AND a.position <= $upto RETURN a }, COLLECT {
  MATCH (e:Event) WHERE e.position > $after AND e.position <= $upto AND e.type IN $types
    AND EXISTS { MATCH (e)-[:CONCERNS_CUSTOMER]->(k:Customer) WHERE k.id IN $customers }
  RETURN [e.position, e.id, e.type, e.aggregateId, e.at, e.payload,
    COLLECT { MATCH (e)-[:CONCERNS_CUSTOMER]->(c:Customer) RETURN c.id }]
  ORDER BY e.position
}] AS data
"""
_POSITIONS: Final = """
MATCH (e:Event) WHERE e.position > $after AND e.position <= $upto
RETURN e.position ORDER BY e.position
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
    replayed: bool = False
    """whether it was read for somebody who comes back, and not as it came."""
    size: int = 0
    """characters of its payload."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Events that have their positions and cannot be found: nobody knows what they were, or for whom."""

    position: int
    """the last of them, without a gap between;"""
    count: int
    at: int
    """when the event before them or after them was, in epoch milliseconds."""
    id: str = ""
    """of the event at the position, which nobody knows."""


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


class Gap:
    """A position that is not to be seen, though a later one is: a read that ran while a commit was applied, most likely.

    One that does not come for PATIENCE_SECONDS has been taken away by hand, and is passed over. Each gap is waited for anew:
    whoever follows may have lost its lease, or have had nothing to do, since it saw the last one.
    """

    __slots__ = ("_after", "_since")

    def __init__(self) -> None:
        self._after: int | None = None
        self._since = 0.0

    def is_given_up(self, after: int) -> bool:
        """Tell whether what should come after a position has been waited for long enough."""
        now = time.monotonic()
        if after != self._after:
            self._after, self._since = after, now
        if now - self._since < PATIENCE_SECONDS:
            return False
        log.error("an event is missing in the sequence", after=after)
        self.close()
        return True

    def close(self) -> None:
        """Take note that the next event is there."""
        self._after = None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What is after a position, up to another."""

    count: int
    """how many events there are, of interest or not;"""
    events: tuple[Sequenced, ...]
    """and those of interest, in order."""


async def wanted_between(store: Store, after: int, upto: int, interest: Interest, *, deadline: float) -> Page:
    """Give the events of interest after a position up to another, for somebody who comes back."""
    given: dict[str, object] = {"after": after, "upto": upto, "types": sorted(interest.types)}
    text = _WANTED
    if interest.customers is not None:
        given["customers"], text = sorted(interest.customers), _OF_CUSTOMERS
    count, rows = cast("tuple[int, list[list[Any]]]", await store.read(text, given, deadline=deadline))
    return Page(count=count, events=tuple(_sequenced(row, replayed=True) for row in rows))


async def missing_between(store: Store, after: int, upto: int, at: int, *, deadline: float) -> list[Missing]:
    """Give the gaps after a position up to another; `at` is when they may have been."""
    rows = await store.rows(_POSITIONS, {"after": after, "upto": upto}, deadline=deadline)
    there = [after, *(int(str(row[0])) for row in rows), upto + 1]
    return [
        Missing(position=later - 1, count=later - earlier - 1, at=at)
        for earlier, later in itertools.pairwise(there)
        if later > earlier + 1
    ]


def _sequenced(row: Sequence[Any], *, replayed: bool = False) -> Sequenced:
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
        replayed=replayed,
        size=len(text) if isinstance(text, str) else 0,
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
