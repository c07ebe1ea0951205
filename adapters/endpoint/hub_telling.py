"""Whoever has asked at the hub is told of each alarm's events in order, at least once, and nobody else waits for it.

One process tells a hub at a time; each hub is a task of its own. An event is told with the alarm or ticket as it is when it is told, if
whoever registered may read it and it is among those that were asked for. What a callback refuses three times is passed over
and counted, and so is what it answers with 403 while it takes the event behind; a callback that cannot be reached is tried again, later and later, and parked after a week.

Events are read a span of positions at a time. Where the database does not answer in time, the next span is half as long: one that is
full of large events must not hold up a hub for good.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

import structlog

from adapters.endpoint.edge import Port
from adapters.endpoint.errors import Refusal
from adapters.endpoint.hub import Topic, read_wanted, reader
from adapters.errors import AdapterError, Busy, Nonsense, NotAdmitted, Rejected
from adapters.tmf.tmf630 import Filter, write_time
from adapters.webhooks.outward import Outward
from graph.errors import DeadlineExceeded, GraphError
from graph.ledger import hubs
from graph.ledger.hubs import Failure, Happened, Hub, Reached, Span
from graph.ledger.retry import MOST_AGE_MS, MOST_REFUSALS, pause_ms
from graph.model.scope import Principal

POLL_SECONDS: Final = 0.25
MOST_POSITIONS: Final = 1_000
"""that are read together."""
_AT_ONCE: Final = 20
"""hubs whose events are read at the same time."""
_IDLE_SECONDS: Final = 1.0
"""between looks while there is nobody to tell."""
_STORE_SECONDS: Final = 5.0
_POST_SECONDS: Final = 5.0
"""well within the lease."""

log = structlog.get_logger(__name__)


class News(Protocol):
    """What the hubs of a topic are told."""

    @property
    def topic(self) -> Topic:
        """What it is about."""
        ...

    @property
    def member(self) -> str:
        """What an event calls the thing that it is about: `alarm`."""
        ...

    @property
    def wrapped(self) -> str:
        """The event in which each is told; empty: it is told as itself."""
        ...

    async def within(self, port: Port, principal: Principal, span: Span, *, deadline: float) -> list[Happened]:
        """Give what happened in a span, as far as it may concern whoever has registered."""
        ...

    async def shown(
        self, port: Port, principal: Principal, event: Happened, wanted: Sequence[Filter], *, deadline: float
    ) -> Mapping[str, Any] | None:
        """Give what an event is about as a caller sees it; None where it may not, or the filters do not hold."""
        ...


@dataclass(slots=True, kw_only=True)
class HubTeller:
    """Tells all hubs of a topic that nobody else tells."""

    port: Port
    outward: Outward
    owner: str
    news: News
    _telling: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _spans: dict[str, int] = field(default_factory=dict)
    """how many positions of a hub are read together, where these are fewer than `MOST_POSITIONS`."""
    _reading: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    async def run(self) -> None:
        """Do so until cancelled."""
        try:
            while True:
                is_anybody = await self._look()
                await asyncio.sleep(POLL_SECONDS if is_anybody else _IDLE_SECONDS)
        finally:
            for each in self._telling.values():
                each.cancel()
            await asyncio.gather(*self._telling.values(), return_exceptions=True)

    async def _look(self) -> bool:
        """Take what is free, and tell what has news and is not being told; False: there is nobody here to tell."""
        self._telling = {hub_id: task for hub_id, task in self._telling.items() if not task.done()}
        try:
            topic = self.news.topic.name
            taken = await hubs.take_hubs(self.port.store, owner=self.owner, deadline=_soon(), topic=topic)
            upto = await hubs.latest(self.port.store, deadline=_soon()) if taken else 0
        except GraphError as error:
            log.warning("hubs wait for the database", reason=str(error))
            return False
        except Exception:  # a fault of ours: it must be seen, and must not end the telling for good
            log.exception("hubs are looked at anew")
            return False
        self._spans = {hub.id: self._spans[hub.id] for hub in taken if hub.id in self._spans}
        for hub in taken:
            if hub.id not in self._telling and hub.after < upto:
                self._telling[hub.id] = asyncio.create_task(self._tell(hub, upto))
        return bool(taken)

    async def _tell(self, hub: Hub, upto: int) -> None:
        try:
            span, events = await self._read(hub, upto)
            for number, event in enumerate(events):
                if event.position <= hub.after:
                    continue  # it was told before its turn
                told = await self._told(hub, event, events[number + 1 :])
                if told is None:
                    return
                hub = told
            await hubs.told(self.port.store, hub, Reached(after=span.upto), owner=self.owner, deadline=_soon())
        except (GraphError, Refusal) as error:
            log.warning("a hub waits for the graph", hub=hub.id, reason=str(error))
        except Exception:
            log.exception("a hub could not be told", hub=hub.id)
            await self._put_off(hub, "A fault of ours")

    async def _read(self, hub: Hub, upto: int) -> tuple[Span, list[Happened]]:
        """Read the next events of a hub; where that takes too long, fewer the next time."""
        length = self._spans.get(hub.id, MOST_POSITIONS)
        span = Span(after=hub.after, upto=min(upto, hub.after + length))
        try:
            async with self._reading:
                events = await self.news.within(self.port, reader(hub), span, deadline=_soon())
        except DeadlineExceeded:
            self._spans[hub.id] = max(1, (span.upto - span.after) // 2)
            raise
        if length * 2 < MOST_POSITIONS:
            self._spans[hub.id] = length * 2
        else:
            self._spans.pop(hub.id, None)
        return span, events

    async def _told(self, hub: Hub, event: Happened, behind: Sequence[Happened]) -> Hub | None:
        """Tell one event, and count it; give the hub as it is then. None: it is for later, or for another process."""
        try:
            if not await self._post(hub, event):
                return hub  # it is counted with the next that is told
            reached = Reached(after=event.reached)
        except AdapterError as error:
            passed = await self._passed_over(hub, event, behind, error)
            if passed is None:
                await self._put_off(hub, str(error), error)
                return None
            reached = passed
        mine = await hubs.told(self.port.store, hub, reached, owner=self.owner, deadline=_soon())
        return replace(hub, after=reached.after, attempts=0, refusals=0) if mine else None

    async def _passed_over(
        self, hub: Hub, event: Happened, behind: Sequence[Happened], error: AdapterError
    ) -> Reached | None:
        """Say how far a hub is that will never take this event; None: it is told again.

        Whether a 403 is about us or about this event, only another event shows: so the next one is told in its place. Where that
        is taken, this one is passed over; where it is not, both are told again.
        """
        if _is_refusal(error) and hub.refusals + 1 >= MOST_REFUSALS:
            return Reached(after=event.reached, skipped=1, reason=str(error))
        if not (isinstance(error, NotAdmitted) and error.may_be_of_one and hub.attempts + 1 >= MOST_REFUSALS):
            return None
        with contextlib.suppress(AdapterError):
            for each in behind:
                if await self._post(hub, each):
                    return Reached(after=each.reached, skipped=1, reason=str(error))
        return None

    async def _post(self, hub: Hub, event: Happened) -> bool:
        """Tell it, if it is among what was asked for; whoever registered may not read it any more: it is not."""
        wanted = read_wanted(self.news.topic, hub.query)
        if event.kind.name not in wanted.kinds:
            return False
        found = await self.news.shown(self.port, reader(hub), event, wanted.filters, deadline=_soon())
        if found is None:
            return False
        topic, name = self.news.topic, event.kind.name
        kind = self.news.wrapped or topic.words[name]
        body = {
            "eventId": event.id,
            "eventTime": write_time(event.at),
            "eventType": kind,
            "event": {topic.members.get(name, self.news.member): found},
        }
        listener = f"{kind[0].lower()}{kind[1:]}"
        await self.outward.post(hub.callback, listener, body, deadline=time.monotonic() + _POST_SECONDS)
        return True

    async def _put_off(self, hub: Hub, reason: str, error: AdapterError | None = None) -> None:
        wait = error.retry_after if isinstance(error, Busy) and error.retry_after else 0.0
        pause = pause_ms(hub.attempts + 1, at_least_ms=int(wait * 1_000))
        refused = int(error is not None and _is_refusal(error))
        failure = Failure(pause=pause, patience=MOST_AGE_MS, reason=reason, refused=refused)
        await hubs.failed(self.port.store, hub, failure, owner=self.owner, deadline=_soon())


def _is_refusal(error: AdapterError) -> bool:
    return isinstance(error, Rejected | Nonsense)


def _soon() -> float:
    return time.monotonic() + _STORE_SECONDS
