"""Records of a topic are taken by several processes, each its partitions; none is lost, none counts twice, and none blocks the rest.

Each process is a member of the consumer group. It takes the records of a partition in order, several partitions at a time, and
commits behind what is done. Where the database is away, or other systems are too far behind, it waits with the records unread.

Rules. 1. An offset is committed after our transaction; a record that is read again is known by its key (`alarms.py`). 2. A record
that cannot be taken is put aside: into the dead-letter topic, with the reason, or else it stays where it is; either way it is
counted and logged, and its offset is committed. 3. What was begun of a partition is done before it goes to another member.
4. What should be taken and is not, again and again, is put aside too, as a fault: of the record or of ours, never of the database.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

import structlog

from adapters.errors import AdapterError, Rejected
from adapters.kafka.cloud_events import Headers, Record
from adapters.kafka.publishing import LONGEST_PAUSE_MS, STORE_PAUSE_MS, Producer, Producers, finished
from graph.errors import ConstraintViolated, GraphError, StatementFailed
from graph.ledger.retry import pause_ms

Outcome = Literal["taken", "dead-lettered", "passed-over"]

REASON: Final = "trunkline-reason"
"""The header of a record in the dead-letter topic that says why it is there;"""
ORIGIN: Final = "trunkline-origin"
"""where it was: topic/partition/offset;"""
TIMESTAMP: Final = "trunkline-timestamp"
"""and when it was written there, in epoch milliseconds. In the dead-letter topic it has the time of its arrival, from which a broker
counts for how long it is kept: one that was old would be deleted before anybody has seen it."""
_MOST: Final = 100
"""records that are taken together: what goes to another member waits for these."""
_FAULTS: Final = 3
"""times that a record fails with nothing being away, before it is put aside."""
_LONGEST_REASON: Final = 1_000
_SEND_SECONDS: Final = 15.0
"""longer than a broker may take to say that there is no such topic."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A partition of a topic."""

    topic: str
    partition: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A record, as it was read."""

    place: Place
    offset: int
    at_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers

    @property
    def origin(self) -> str:
        """Where it is: topic/partition/offset."""
        return f"{self.place.topic}/{self.place.partition}/{self.offset}"


class Consumer(Protocol):
    """A member of a consumer group; every method raises AdapterError."""

    async def records(self, most: int) -> Mapping[Place, Sequence[Received]]:
        """Give the next records by partition, in order; none where there are none for a moment."""
        ...

    async def commit(self, offsets: Mapping[Place, int]) -> bool:
        """Commit what is to be read next of each partition; False: some are another member's now."""
        ...

    def seek(self, where: Place, offset: int) -> None:
        """Read a partition from an offset on, if it is still ours."""
        ...


class Intake(Protocol):
    """What takes a record."""

    async def take(self, record: Received) -> str:
        """Take one in; give why it cannot be taken, empty where it was. Raises GraphError where it may be taken later."""
        ...


@dataclass(slots=True)
class _Progress:
    """How far a batch of one partition has come."""

    next: int
    """the offset that is to be read next."""
    failure: Exception | None = None
    """what keeps us from that."""


@dataclass(slots=True, kw_only=True)
class Consuming:
    """Takes the records of a topic, as a member of a group."""

    consumers: Callable[[Callable[[], Awaitable[None]]], AbstractAsyncContextManager[Consumer]]
    """joins the group; given what is to be awaited before partitions go."""
    producers: Producers
    """for the dead-letter topic."""
    dead_letter: str
    """the topic; empty: there is none."""
    intake: Intake
    pressure: Callable[[], float]
    """seconds for which nothing new is to be taken; 0: now."""
    count: Callable[[Outcome], None]
    _busy: asyncio.Lock = field(default_factory=asyncio.Lock)
    _leaving: bool = False
    """partitions are to go to another member."""
    _faults: dict[str, int] = field(default_factory=dict)
    """how often a record has failed, by its origin."""
    _failures: int = 0
    _failed_for: str = ""

    async def run(self) -> None:
        """Do so until cancelled."""
        while True:
            try:
                async with AsyncExitStack() as stack:
                    dead = await stack.enter_async_context(self.producers()) if self.dead_letter else None
                    consumer = await stack.enter_async_context(self.consumers(self._revoked))
                    while True:
                        await self._step(consumer, dead)
            except AdapterError as error:
                await self._pause(str(error))
            except Exception as error:  # a fault of ours: it is seen, and tried again
                log.exception("alarms from kafka cannot be taken, which is tried again")
                await self._pause(type(error).__name__)

    async def _revoked(self) -> None:
        """Wait until what was begun is done and committed; the rest is another member's."""
        self._leaving = True
        try:
            async with self._busy:
                pass
        finally:
            self._leaving = False

    def _hurry(self) -> None:
        """End the batch that was begun with the records that are being taken."""
        self._leaving = True

    async def _step(self, consumer: Consumer, dead: Producer | None) -> None:
        """Take some records, or wait while nothing new is to be taken."""
        wait = self.pressure()
        if wait:
            await asyncio.sleep(min(wait, LONGEST_PAUSE_MS / 1_000))
            return
        failure = await finished(self._batch(consumer, dead), hurry=self._hurry)
        if isinstance(failure, AdapterError):
            raise failure
        if failure is not None:
            await self._pause(str(failure), STORE_PAUSE_MS)

    async def _batch(self, consumer: Consumer, dead: Producer | None) -> Exception | None:
        """Take a batch, and commit what is done of it; give what kept us from the rest."""
        async with self._busy:
            found = await consumer.records(_MOST)
            progress = {where: _Progress(records[0].offset) for where, records in found.items() if records}
            await asyncio.gather(*(self._partition(found[where], each, dead) for where, each in progress.items()))
            done = {where: each.next for where, each in progress.items() if each.next > found[where][0].offset}
            is_ours = await consumer.commit(done) if done else True
            for where, each in progress.items():
                if each.next <= found[where][-1].offset:
                    consumer.seek(where, each.next)
        if not is_ours:
            log.info("partitions went to another member of the group, which takes some records again")
        failures = [each.failure for each in progress.values() if each.failure is not None]
        if not failures:
            self._well()
        return failures[0] if failures else None

    async def _partition(self, records: Sequence[Received], progress: _Progress, dead: Producer | None) -> None:
        """Take records in order, until one cannot be taken now, or the partition is to go."""
        for each in records:
            if self._leaving:
                return
            try:
                await self._taken(each, dead)
            except (AdapterError, GraphError) as error:
                progress.failure = error
                return
            self._faults.pop(each.origin, None)
            progress.next = each.offset + 1

    async def _taken(self, record: Received, dead: Producer | None) -> None:
        """Take one, or put it aside."""
        try:
            reason = await self.intake.take(record)
        except Exception as error:
            # Whatever else the database says (away, slow, credentials that were changed) is true of every record: it waits.
            if isinstance(error, GraphError) and not isinstance(error, ConstraintViolated | StatementFailed):
                raise
            if not self._is_stuck(record):
                raise error if isinstance(error, GraphError) else _Fault(type(error).__name__) from error
            log.exception("a record from kafka fails again and again, and is put aside", origin=record.origin)
            reason = f"It failed {_FAULTS} times: {type(error).__name__}"
        if reason:
            await self._put_aside(record, reason[:_LONGEST_REASON], dead)
        else:
            self.count("taken")

    def _is_stuck(self, record: Received) -> bool:
        """Count a failure; tell whether there were enough."""
        failed = self._faults[record.origin] = self._faults.get(record.origin, 0) + 1
        return failed >= _FAULTS

    async def _put_aside(self, record: Received, reason: str, dead: Producer | None) -> None:
        """Put a record into the dead-letter topic, if there is one and it takes it, and say so."""
        if dead is not None:
            try:
                await dead.send([self._dead(record, reason)], deadline=time.monotonic() + _SEND_SECONDS)
            except Rejected as refused:  # it is larger with the reason than without
                log.warning("the dead-letter topic does not take a record", origin=record.origin, reason=str(refused))
            else:
                self.count("dead-lettered")
                log.warning("a record is in the dead-letter topic", origin=record.origin, reason=reason)
                return
        self.count("passed-over")
        log.warning("a record is passed over", origin=record.origin, reason=reason)

    def _dead(self, record: Received, reason: str) -> Record:
        told = ((REASON, reason.encode()), (ORIGIN, record.origin.encode()), (TIMESTAMP, str(record.at_ms).encode()))
        headers, now = (*record.headers, *told), time.time_ns() // 1_000_000
        return Record(topic=self.dead_letter, key=record.key, value=record.value, headers=headers, at_ms=now)

    async def _pause(self, reason: str, longest: int = LONGEST_PAUSE_MS) -> None:
        if reason != self._failed_for:
            log.warning("alarms from kafka wait", reason=reason)
        self._failed_for = reason
        self._failures += 1
        await asyncio.sleep(min(longest, pause_ms(self._failures)) / 1_000)

    def _well(self) -> None:
        if self._failed_for:
            log.info("alarms from kafka are taken again")
        self._failures, self._failed_for = 0, ""


class _Fault(GraphError):
    """Something of ours that nobody has thought of."""
