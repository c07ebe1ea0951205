"""Whoever asks to be told of events hears of each after the last that it has taken, in order, whoever of us dies in between.

A *hub* is one such wish: who it is, as what it may read, where it wants to hear, and the position up to which it has been
told. Positions have no gaps (`positions.py`), so "after 8" misses nothing. One process at a time tells a hub: it holds the
hub's lease, by the database's clock, and what it has told counts only while it does. What was told and not yet counted when
a process died is told once more.

    await register(store, Wish(...), deadline=soon)              # False: there is that hub already
    [mine, *_] = await take_hubs(store, owner="process-1", deadline=soon)
    upto, events = await events_after(store, Span(after=mine.after, upto=mine.after + 1_000), kinds, deadline=soon)
    await told(store, mine, Reached(after=upto), owner="process-1", deadline=soon)
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, cast

import orjson

from graph.model.event_kinds import ALARM_KINDS, KINDS, EventKind, kind_of, kind_of_doing
from graph.model.identity import loaded_id
from graph.store.store import Store, Transaction

TTL_MS: Final = 10_000
_ENOUGH_MS: Final = 7_000
"""of a lease: for a look and a request."""
ALARM: Final = "alarm"
"""The topic of a hub for which none is kept."""
TICKET: Final = "troubleTicket"
EVENT: Final = "event"
PRODUCT_ORDER: Final = "productOrder"
SERVICE_ORDER: Final = "serviceOrder"
MOST_OF_ONE: Final = 20
"""hubs of one principal;"""
MOST_OF_ALL: Final = 1_000
"""and of all: each is looked at by every process, several times a second."""

_COUNT: Final = """
RETURN COUNT { MATCH (h:Hub {principal: $principal}) }, COUNT { MATCH (h:Hub) }
"""
_THERE: Final = "MATCH (h:Hub {id: $id}) RETURN h.id"
_CREATE: Final = """
OPTIONAL MATCH (s:Sequence {id: 'sequence-events'})
CREATE (h:Hub {id: $id, principal: $principal, reads: $reads, callback: $callback, query: $query, topic: $topic, state: 'active',
  after: coalesce(s.next, 1) - 1, owner: '', until: 0, nextAt: 0, attempts: 0, refusals: 0, skipped: 0})
"""
_LIST: Final = """
MATCH (h:Hub) WHERE ($principal = '' OR h.principal = $principal) AND coalesce(h.topic, 'alarm') = $topic
RETURN h.id, h.principal, h.reads, h.callback, h.query, h.state, h.after, h.attempts, h.refusals, h.skipped, h.reason
ORDER BY h.id
"""
_ONE: Final = """
MATCH (h:Hub {id: $id}) WHERE coalesce(h.topic, 'alarm') = $topic
RETURN h.id, h.principal, h.reads, h.callback, h.query, h.state, h.after, h.attempts, h.refusals, h.skipped, h.reason
"""
_REMOVE: Final = "MATCH (h:Hub {id: $id}) DELETE h"
_LOOK: Final = """
MATCH (h:Hub {state: 'active'})
WITH h, datetime.realtime().epochMillis AS now
WHERE coalesce(h.topic, 'alarm') = $topic AND h.nextAt <= now AND (h.owner = $owner OR h.until < now)
RETURN h.id, h.principal, h.reads, h.callback, h.query, h.state, h.after, h.attempts, h.refusals, h.skipped, h.reason, h.owner = $owner AND h.until > now + $enough
"""
# Lock first, then look at the clock, then write: two that find the lease run out must not both take it.
_TAKE: Final = """
UNWIND $ids AS id
MATCH (h:Hub {id: id})
SET h._lock = true
REMOVE h._lock
WITH h, datetime.realtime().epochMillis AS now
WHERE h.state = 'active' AND h.nextAt <= now AND (h.owner = $owner OR h.until < now)
SET h.owner = $owner, h.until = now + $ttl
RETURN h.id, h.principal, h.reads, h.callback, h.query, h.state, h.after, h.attempts, h.refusals, h.skipped, h.reason
"""
_UPTO: Final = "MATCH (s:Sequence {id: 'sequence-events'}) RETURN s.next - 1"
_EVENTS: Final = """
MATCH (e:Event) WHERE e.position > $after AND e.position <= $upto AND e.type IN $types
RETURN e.id, e.type, e.aggregateId, e.at, e.position, CASE WHEN $whole THEN e.payload ELSE null END ORDER BY e.position
"""
# Of an alarm's event that which the ticketing system is told because of it. What concerns other customers is not looked at.
_TICKETS: Final = """
MATCH (e:Event) WHERE e.position > $after AND e.position <= $upto AND e.type IN $types AND ($everyone
  OR EXISTS { MATCH (e)-[:CONCERNS_CUSTOMER]->(c:Customer) WHERE c.id IN $customers })
RETURN e.id, e.type, CASE WHEN e.type IN $own THEN e.payload ELSE null END, e.at, e.position,
  CASE WHEN e.type IN $own THEN [] ELSE COLLECT {
    MATCH (d:Delivery)-[:TELLS]->(e)
    WHERE d.system = $system AND ($everyone OR d.subject IN $customers)
    RETURN d.payload ORDER BY d.id
  } END
ORDER BY e.position
"""
# What a process says counts only while it holds the lease, and renews it.
_TOLD: Final = """
MATCH (h:Hub {id: $id})
SET h._lock = true
REMOVE h._lock
WITH h, datetime.realtime().epochMillis AS now
WHERE h.owner = $owner AND h.until >= now
SET h.after = $after, h.until = now + $ttl, h.attempts = 0, h.refusals = 0, h.failingSince = null, h.skipped = h.skipped + $skipped,
    h.reason = coalesce($reason, h.reason)
RETURN h.id
"""
_FAILED: Final = """
MATCH (h:Hub {id: $id})
SET h._lock = true
REMOVE h._lock
WITH h, datetime.realtime().epochMillis AS now
WHERE h.owner = $owner AND h.until >= now
SET h.attempts = h.attempts + 1, h.refusals = h.refusals + $refused, h.nextAt = now + $pause, h.failingSince = coalesce(h.failingSince, now),
    h.reason = $reason, h.state = CASE WHEN coalesce(h.failingSince, now) < now - $patience THEN 'parked' ELSE 'active' END
RETURN h.state
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Who wants to hear what, and where."""

    principal: str
    reads: str
    """as what it may read, as JSON: whoever tells knows how to read it."""
    callback: str
    query: str
    topic: str = ALARM
    """what it wants to hear of."""

    @property
    def id(self) -> str:
        """The same wish has the same id."""
        about = "" if self.topic == ALARM else f"{self.topic} "
        return loaded_id("Hub", self.principal, f"{about}{len(self.callback)}:{self.callback}{self.query}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """A wish, and how far it has been told."""

    id: str
    principal: str
    reads: str
    callback: str
    query: str
    state: str
    after: int
    attempts: int
    """since it last took something."""
    refusals: int
    """among these: what it has said no to, and would again."""
    skipped: int
    """events that it refused, and that were passed over."""
    reason: str | None
    """what last went wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Positions that are looked at together."""

    after: int
    upto: int
    """this one included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """An event."""

    id: str
    kind: EventKind
    type: str
    """the type of our event."""
    about: str
    at: int
    position: int
    payload: Mapping[str, Any] = field(default_factory=dict)
    """what the event says, where this was asked for."""
    is_last: bool = True
    """whether nothing else has happened at its position."""

    @property
    def reached(self) -> int:
        """The position up to which everything is told with it."""
        return self.position if self.is_last else self.position - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """How far a hub has been told."""

    after: int
    """up to this position."""
    skipped: int = 0
    """events on the way that were not."""
    reason: str | None = None
    """why, of the last of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a hub could not be told now."""

    pause: int
    """milliseconds until it is tried again."""
    patience: int
    """milliseconds: one that has failed for longer is parked."""
    reason: str
    refused: int = 0
    """1: it has said no, and would again."""


class TooMany(Exception):
    """A principal has as many hubs as it may have, or all have: so many."""

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self.most = most


async def register(store: Store, wish: Wish, *, deadline: float) -> bool:
    """Tell it from now on; False: there is that wish already. Raises TooMany."""

    async def work(transaction: Transaction) -> bool:
        if await transaction.run(_THERE, {"id": wish.id}):
            return False
        [counts] = await transaction.run(_COUNT, {"principal": wish.principal})
        for count, most in zip(counts, (MOST_OF_ONE, MOST_OF_ALL), strict=True):
            if cast("int", count) >= most:
                raise TooMany(most)
        await transaction.run(_CREATE, {"id": wish.id, **asdict(wish)})
        return True

    return await store.write(work, deadline=deadline)


async def listed(store: Store, *, principal: str, deadline: float, topic: str = ALARM) -> list[Hub]:
    """Give those of a principal, for a topic; of all with an empty one."""
    given = {"principal": principal, "topic": topic}
    return [_hub(row) for row in await store.rows(_LIST, given, deadline=deadline)]


async def hub_of(store: Store, hub_id: str, *, deadline: float, topic: str = ALARM) -> Hub | None:
    """Give one of a topic."""
    rows = await store.rows(_ONE, {"id": hub_id, "topic": topic}, deadline=deadline)
    return _hub(rows[0]) if rows else None


async def remove(store: Store, hub_id: str, *, deadline: float) -> None:
    """Tell it no more."""

    async def work(transaction: Transaction) -> None:
        await transaction.run(_REMOVE, {"id": hub_id})

    await store.write(work, deadline=deadline)


async def take_hubs(store: Store, *, owner: str, deadline: float, topic: str = ALARM) -> list[Hub]:
    """Take, or keep, what nobody else tells of a topic, and give it as it is now; a lease that lasts a while is not written anew."""
    given = {"owner": owner, "enough": _ENOUGH_MS, "topic": topic}
    rows: list[list[Any]] = await store.rows(_LOOK, given, deadline=deadline)
    held = [_hub(row[:-1]) for row in rows if row[-1]]
    ids = sorted(str(row[0]) for row in rows if not row[-1])
    if not ids:
        return held

    async def work(transaction: Transaction) -> list[Hub]:
        return [_hub(row) for row in await transaction.run(_TAKE, {"ids": ids, "owner": owner, "ttl": TTL_MS})]

    return [*held, *await store.write(work, deadline=deadline, quiet=True)]


async def latest(store: Store, *, deadline: float) -> int:
    """Give the last position that there is; 0 before the first."""
    rows: list[list[Any]] = await store.rows(_UPTO, {}, deadline=deadline)
    return int(rows[0][0]) if rows else 0


async def events_after(
    store: Store, span: Span, kinds: Collection[EventKind], *, whole: bool = False, deadline: float
) -> list[Happened]:
    """Give the events of these kinds in a span; with `whole`, what they say too."""
    types = sorted(event for kind in kinds for event in kind.events)
    given = {"after": span.after, "upto": span.upto, "types": types, "whole": whole}
    rows: list[list[Any]] = await store.rows(_EVENTS, given, deadline=deadline)
    return [_happened(row, kind) for row in rows if (kind := kind_of(row[1])) is not None]


async def tickets_after(
    store: Store, span: Span, *, system: str, customers: Collection[str] | None, deadline: float
) -> list[Happened]:
    """Give what happened to tickets in a span, of these customers or (None) of all.

    What happens to an alarm is given as what the ticketing system is told because of it.
    """
    own = sorted(event for kind in _OF_TICKETS for event in kind.events)
    given = {
        "after": span.after,
        "upto": span.upto,
        "system": system,
        "everyone": customers is None,
        "customers": sorted(customers or ()),
        "own": own,
        "types": [*own, *_LEADING_TO_TICKETS],
    }
    rows: list[list[Any]] = await store.rows(_TICKETS, given, deadline=deadline)
    return [each for row in rows for each in _of_tickets(row)]


_OF_TICKETS: Final = tuple(each for each in KINDS.values() if each.about == "ticket")
_LEADING_TO_TICKETS: Final = (*ALARM_KINDS, "AlarmTicketFollowed")
"""The events of alarms for which a ticket may be opened, amended, resolved or reopened."""


def _happened(row: Sequence[Any], kind: EventKind) -> Happened:
    event, type_, about, at, position, payload = row
    said = orjson.loads(payload) if payload else {}
    return Happened(id=event, kind=kind, type=type_, about=about, at=at, position=position, payload=said)


def _of_tickets(row: Sequence[Any]) -> list[Happened]:
    event, type_, payload, at, position, deliveries = row
    if payload is not None and (own := kind_of(type_)) is not None:
        found = [(event, own, str(orjson.loads(payload)["ticket"]))]
    else:
        said = map(orjson.loads, deliveries)
        made = ((kind_of_doing(each["doing"]), str(each["ticket"])) for each in said)
        found = [(f"{event}:{ticket}", kind, ticket) for kind, ticket in made if kind is not None]
    last = len(found) - 1
    return [
        Happened(id=each, kind=kind, type=type_, about=ticket, at=at, position=position, is_last=number == last)
        for number, (each, kind, ticket) in enumerate(found)
    ]


async def told(store: Store, hub: Hub, reached: Reached, *, owner: str, deadline: float) -> bool:
    """Note how far it has been told; False: it is another's now."""
    given = {"id": hub.id, "owner": owner, "ttl": TTL_MS, **asdict(reached)}

    async def work(transaction: Transaction) -> bool:
        return bool(await transaction.run(_TOLD, given))

    return await store.write(work, deadline=deadline, quiet=True)


async def failed(store: Store, hub: Hub, failure: Failure, *, owner: str, deadline: float) -> None:
    """Note that it could not be told, and when to try again."""
    given = {"id": hub.id, "owner": owner, **asdict(failure)}

    async def work(transaction: Transaction) -> None:
        await transaction.run(_FAILED, given)

    await store.write(work, deadline=deadline, quiet=True)


def _hub(row: Sequence[Any]) -> Hub:
    hub_id, principal, reads, callback, query, state, after, attempts, refusals, skipped, reason = row
    return Hub(
        id=hub_id,
        principal=principal,
        reads=reads,
        callback=callback,
        query=query,
        state=state,
        after=after,
        attempts=attempts,
        refusals=refusals,
        skipped=skipped,
        reason=reason,
    )
