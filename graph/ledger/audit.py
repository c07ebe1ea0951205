"""Whoever can write to the database could change what happened; a chain of hashes shows that somebody has.

Each event that gets its position gets the hash of the event before it and its own: SHA-256 (FIPS 180-4) over that one and over all
that is written of it, each part with its length in front. So whoever changes, removes, adds or reorders an event must change all
that came after; and a head that was noted elsewhere (`Head`, printed by `trunkline audit head`) is no longer found then.

Retention takes old events away, not always in their order. So each event has both hashes: each is judged by itself, and with its
neighbour where that is still there. Up to the position that retention has come to, one may be missing; after it none may.

>>> first = link(START, ChainedEvent(position=1, id="event-1", type="A", about="x", version=1, at=5, principal="p", payload="{}"))
>>> first.previous == START, len(first.hash)
(True, 64)
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, cast

from graph.store.store import Store

START: Final = "0" * 64
"""what stands in the place of the hash before the first."""
_AT_ONCE: Final = 2_000
_SHOWN: Final = 20

_EVENTS: Final = """
MATCH (e:Event) WHERE e.position > $after AND e.position <= $upto
RETURN e.position, e.id, e.type, e.aggregateId, e.aggregateVersion, e.at, e.principal, e.payload, e.previousHash, e.hash
ORDER BY e.position LIMIT $most
"""
_ENDS: Final = """
OPTIONAL MATCH (s:Sequence {id: 'sequence-events'})
RETURN coalesce(s.next, 1) - 1, coalesce(s.swept, 0), coalesce(s.chainedFrom, s.next, 1), coalesce(s.head, $start)
"""
_AT: Final = "OPTIONAL MATCH (e:Event {position: $position}) RETURN e.hash"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainedEvent:
    """All of an event that its hash is made of."""

    position: int
    id: str
    type: str
    about: str
    """the id of the aggregate."""
    version: int
    """of the aggregate."""
    at: int
    """epoch milliseconds."""
    principal: str
    payload: str
    """JSON, as it is stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hashes:
    """What an event carries of the chain, in hexadecimal."""

    previous: str
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Where the chain ends: to be noted where nobody of the database can write."""

    position: int
    hash: str

    def __str__(self) -> str:
        """Give it as it is typed: POSITION:HASH."""
        return f"{self.position}:{self.hash}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """What a look at the chain has found."""

    events: int
    """that are there and were looked at."""
    first: int
    """the first position that is chained."""
    swept: int
    """the position that retention has come to."""
    head: Head
    faults: tuple[str, ...]
    """what is wrong, the first twenty; empty: the chain is whole."""


def link(previous: str, event: ChainedEvent) -> Hashes:
    """Give the hashes of an event that comes after the one with the hash `previous`."""
    digest = hashlib.sha256()
    for part in (previous, *(str(each) for each in _parts(event))):
        written = part.encode()
        digest.update(len(written).to_bytes(8))
        digest.update(written)
    return Hashes(previous=previous, hash=digest.hexdigest())


def _parts(event: ChainedEvent) -> tuple[object, ...]:
    first = (event.position, event.id, event.type, event.about)
    return (*first, event.version, event.at, event.principal, event.payload)


def chain(head: str, events: Sequence[ChainedEvent]) -> list[Hashes]:
    """Give the hashes of events that follow each other, the first of them the one with the hash `head`."""
    made: list[Hashes] = []
    for event in events:
        made.append(link(made[-1].hash if made else head, event))
    return made


async def head_of(store: Store, *, deadline: float) -> Head:
    """Give where the chain ends now."""
    [[position, _, _, head]] = await store.rows(_ENDS, {"start": START}, deadline=deadline)
    return Head(position=cast("int", position), hash=str(head))


async def verify(store: Store, *, noted: Head | None, deadline: Callable[[], float]) -> AuditReport:
    """Look through the chain up to where it ends now; `noted` is a head of an earlier time, and must be in it.

    `deadline` gives that of one page of events. Raises GraphError where the database does not answer.
    """
    [[upto, _, first, head]] = await store.rows(_ENDS, {"start": START}, deadline=deadline())
    looked = _Looked(first=cast("int", first))
    while page := await _page(store, looked.last, cast("int", upto), deadline()):
        for event, hashes in page:
            looked.see(event, hashes)
    [[_, swept, _, _]] = await store.rows(_ENDS, {"start": START}, deadline=deadline())  # it may have gone on meanwhile
    looked.end(Head(position=cast("int", upto), hash=str(head)), swept=cast("int", swept))
    if noted is not None:
        rows = await store.rows(_AT, {"position": noted.position}, deadline=deadline())
        looked.compare(noted, rows[0][0])
    return AuditReport(
        events=looked.events,
        first=looked.first,
        swept=looked.swept,
        head=Head(position=cast("int", upto), hash=str(head)),
        faults=tuple(looked.faults[:_SHOWN]),
    )


async def _page(store: Store, after: int, upto: int, deadline: float) -> list[tuple[ChainedEvent, Hashes | None]]:
    rows = await store.rows(_EVENTS, {"after": after, "upto": upto, "most": _AT_ONCE}, deadline=deadline)
    return list(_read(rows))


def _read(rows: Sequence[Sequence[object]]) -> Iterator[tuple[ChainedEvent, Hashes | None]]:
    for position, id_, type_, about, version, at, principal, payload, previous, hash_ in rows:
        event = ChainedEvent(
            position=cast("int", position),
            id=str(id_),
            type=str(type_),
            about=str(about),
            version=cast("int", version),
            at=cast("int", at),
            principal=str(principal),
            payload=str(payload),
        )
        yield event, None if hash_ is None else Hashes(previous=str(previous), hash=str(hash_))


class _Looked:
    """What was seen of the chain so far, in the order of positions."""

    def __init__(self, *, first: int) -> None:
        self.first, self.swept = first, 0
        self.last = 0
        self._gaps: list[tuple[int, int]] = []
        """positions at which nothing is, from and to."""
        self.events = 0
        self.faults: list[str] = []
        self._before: str | None = None
        """the hash of the event at `last`; None where that is not chained."""

    def see(self, event: ChainedEvent, hashes: Hashes | None) -> None:
        """Take the next event that is there."""
        self._gap(event.position)
        if event.position >= self.first:
            self.faults += self._wrong(event, hashes)
        self._before = hashes.hash if hashes else None
        self.last, self.events = event.position, self.events + 1

    def end(self, head: Head, *, swept: int) -> None:
        """Compare with where the chain is said to end, and with what retention has swept by then."""
        self._gap(head.position + 1)
        self.swept = swept
        self.faults += self._missing()
        if self.last == head.position >= self.first and self._before != head.hash:
            self.faults.append(f"position {head.position}: the end of the chain has another hash than the last event")

    def compare(self, noted: Head, found: object) -> None:
        """Compare with a head that was noted before."""
        is_swept = found is None and noted.position <= self.swept
        if found != noted.hash and not is_swept:
            self.faults.append(f"position {noted.position}: the hash that was noted is not there")

    def _gap(self, position: int) -> None:
        """Note where nothing is between the last event and a position."""
        if self.last + 1 < position:
            self._gaps.append((self.last + 1, position - 1))

    def _missing(self) -> Iterator[str]:
        """Say where events are missing that were chained and that nobody has swept."""
        for start, end in self._gaps:
            gone = max(start, self.swept + 1, self.first)
            if gone <= end:
                which = f"position {gone} is" if gone == end else f"positions {gone} to {end} are"
                yield f"{which} missing, and retention has come to {self.swept}"

    def _wrong(self, event: ChainedEvent, hashes: Hashes | None) -> Iterator[str]:
        if hashes is None:
            yield f"position {event.position}: {event.id} has no hash"
            return
        if hashes != link(hashes.previous, event):
            yield f"position {event.position}: {event.id} is not what it was when it got its position"
        if event.position == self.last + 1 and self._before is not None and hashes.previous != self._before:
            yield f"position {event.position}: {event.id} does not follow the event before it"
        if event.position == self.first and hashes.previous != START:
            yield f"position {event.position}: {event.id} does not begin the chain"
