"""A subscription is the same over every transport: it is counted, begun, read until it ends, and why it ended is noted.

In: a request that passes the gates. Out: `Open`, an iterator over answers that are ready to be sent, each with the cursor by which
the client can go on; or one answer with errors, where it cannot begin. What a transport adds is its framing.

1. At most `streams.most` are open in a process, and `streams.per_principal` of one principal, which may have as many WebSockets.
2. An event's cursor is in its answer's `extensions.cursor`. Those who ask the same are given one event, which is written once.
3. A source that ends a stream says why in a last answer (`StreamEnded`): nothing of it was skipped silently.
4. Closing the iterator closes the source, whoever does it.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

import orjson
import structlog
from cachetools import LRUCache

from gateway import exact_json
from gateway.errors import Code, completed, printed, refuse
from gateway.exchange import Exchange
from gateway.federation.subgraph import Answer, Heard, Heartbeat, StreamEnded, StreamEvent
from gateway.settings.streams import Streams
from gateway.telemetry.metrics import Metrics
from graph.model.scope import Principal

Transport: TypeAlias = Literal["sse", "websocket"]
CLIENT: Final = "client"
"""The reason of a stream that its client has ended, or whose client is gone."""
COMPLETE: Final = "complete"
EXPIRED: Final = "expired"
FAILED: Final = "failed"
WRITTEN: Final = 512
"""events whose text is kept, for others who are given the same."""
LONGEST_SLEEP: Final = 86_400.0
"""seconds: an event loop's timers do not reach to the end of every token."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """One answer of a stream, as it is sent."""

    answer: Mapping[str, Any] | orjson.Fragment | None
    """a fragment is written already; None: no event, only how far the stream has come."""
    cursor: str | None
    """None where there is nothing to go on from."""


@dataclass(slots=True, kw_only=True)
class Open:
    """A stream that is open."""

    transport: Transport
    principal: Principal
    exchange: Exchange
    reason: str = CLIENT
    """why it ends; until something else is known, because its client wants it so."""
    cursor: str | None = None
    """up to which all was sent."""
    events: int = 0


class OpenStreams:
    """All streams of a process."""

    def __init__(self, settings: Streams, metrics: Metrics) -> None:
        self._settings = settings
        self._metrics = metrics
        self._of: Counter[str] = Counter()
        self._sockets: Counter[str] = Counter()
        self._all = 0
        self._written: LRUCache[int, tuple[StreamEvent, orjson.Fragment]] = LRUCache(WRITTEN)
        """by the identity of the event, which lives as long as its entry."""

    @contextmanager
    def room(self, transport: Transport, principal: Principal, exchange: Exchange) -> Iterator[Open]:
        """Count a stream while the block runs; raises Refused where there is no room for it."""
        self._check_room(principal)
        stream = Open(transport=transport, principal=principal, exchange=exchange)
        self._all += 1
        self._of[principal.subject] += 1
        self._metrics.stream_began(transport)
        try:
            yield stream
        finally:
            self._all -= 1
            self._of[principal.subject] -= 1
            if not self._of[principal.subject]:
                del self._of[principal.subject]
            self._metrics.stream_ended(transport, stream.reason)
            _log(stream)

    @contextmanager
    def socket(self, subject: str) -> Iterator[None]:
        """Count a WebSocket of a known caller while the block runs; raises Refused where it has as many as it may."""
        if self._sockets[subject] >= self._settings.per_principal:
            message = (
                f"You have {self._settings.per_principal} WebSockets, as many as you may (`streams.per_principal`)."
            )
            raise refuse(Code.TOO_MANY_STREAMS, message)
        self._sockets[subject] += 1
        try:
            yield
        finally:
            self._sockets[subject] -= 1
            if not self._sockets[subject]:
                del self._sockets[subject]

    def _check_room(self, principal: Principal) -> None:
        if self._of[principal.subject] >= self._settings.per_principal:
            message = f"You have {self._settings.per_principal} subscriptions, which is as many as you may (`streams.per_principal`)."
            raise refuse(Code.TOO_MANY_STREAMS, message)
        if self._all >= self._settings.most:
            raise refuse(Code.OVERLOADED, "There are too many subscriptions.", "Try again later.", retry_after=1.0)

    async def payloads(self, stream: Open, events: AsyncGenerator[Heard, None]) -> AsyncGenerator[Payload, None]:
        """Give the answers of a stream until its source ends."""
        request_id = stream.exchange.request_id
        async with aclosing(events):
            try:
                async for event in events:
                    if isinstance(event, Heartbeat):
                        yield Payload(answer=None, cursor=event.cursor)
                        stream.cursor = event.cursor
                        continue
                    yield Payload(answer=self._answer(event, request_id), cursor=event.cursor)
                    stream.cursor, stream.events = event.cursor, stream.events + 1
                    self._metrics.event_sent(stream.transport, event.at, replayed=event.replayed)
                stream.reason = COMPLETE
            except StreamEnded as ended:
                answer = finished({"data": None, **ended.answer}, request_id)
                stream.reason = stream.exchange.code = str(answer["errors"][0]["extensions"]["code"])
                yield Payload(answer=answer, cursor=None)
            except Exception:
                log.exception("subscription failed", request_id=request_id)
                stream.reason, stream.exchange.code = FAILED, Code.INTERNAL.value
                failed = refuse(Code.INTERNAL, "The subscription could not go on.")
                answer = {"data": None, "errors": [printed(each, request_id) for each in failed.problems]}
                yield Payload(answer=answer, cursor=None)

    def _answer(self, event: StreamEvent, request_id: str) -> Answer | orjson.Fragment:
        """Give the answer of an event with its cursor; errors have the id of the request, so that nobody else's answer is the same."""
        if event.answer.get("errors"):
            return _with_cursor(event.answer, event.cursor, request_id)
        found = self._written.get(id(event))
        if found is None:
            text = exact_json.dumps(_with_cursor(event.answer, event.cursor, request_id))
            found = self._written[id(event)] = event, orjson.Fragment(text)
        return found[1]


def finished(answer: Answer, request_id: str) -> Answer:
    """Give an answer whose errors say what to do, and under which id the log has more."""
    errors = answer.get("errors")
    return {**answer, "errors": completed(errors, request_id)} if errors else answer


def _with_cursor(answer: Answer, cursor: str, request_id: str) -> Answer:
    extensions = {**(answer.get("extensions") or {}), "cursor": cursor}
    return {**finished(answer, request_id), "extensions": extensions}


def _log(stream: Open) -> None:
    log.info(
        "stream",
        request_id=stream.exchange.request_id,
        transport=stream.transport,
        operation=stream.exchange.operation,
        reason=stream.reason,
        events=stream.events,
        role=stream.principal.effective.value,
        subject=stream.principal.subject,
        seconds=round(time.monotonic() - stream.exchange.started, 1),
    )


async def until_expired(expires: float) -> None:
    """Wait until a token is refused: `expires` by time.time()."""
    while (left := expires - time.time()) > 0:  # noqa: ASYNC110 - it is a time that is waited for, and nobody's event
        await asyncio.sleep(min(left, LONGEST_SLEEP))


def has_expired(request_id: str) -> Answer:
    """Give the last answer of a stream whose caller's token is refused by now."""
    expired = refuse(
        Code.UNAUTHENTICATED, "The token has expired.", "Subscribe again with a new token, after the last cursor."
    )
    return {"data": None, "errors": [printed(each, request_id) for each in expired.problems]}
