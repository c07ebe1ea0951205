"""A subgraph behind HTTP may be slow, down, or answer anything; what leaves here is always a GraphQL answer.

Reads are tried again when the subgraph could not be reached or said that it cannot answer now, with a pause that varies, and
never beyond the deadline; changes are never tried again. A subgraph that asks for a pause (429, or Retry-After) gets it from
everybody. What a subgraph answers is bounded in size, must be JSON of the right shape, and its words reach the log only: a
client reads a code and a sentence of ours, unless the operator has said that more may be shown. Redirects are not followed.

A circuit breaker spares a subgraph that is down. Only what says something of the subgraph counts: no connection, 502, 503,
504, and no answer though it had a fair time for one. Nothing is said of it by a request that came to it with little of its
deadline left, that found all connections in use, or whose client went away.
"""

from __future__ import annotations

import asyncio
import enum
import random
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import Any, Final, TypeAlias, assert_never

import aiohttp
import structlog

from adapters.transport.breaker import Breaker
from adapters.transport.retry_after import retry_after
from gateway import exact_json
from gateway.errors import Code
from gateway.federation.execution.forwarding import HOP_BY_HOP, Pairs, current
from gateway.federation.execution.reading import Unreadable, read_answer
from gateway.federation.execution.sharing import Deadline, Sharing
from gateway.federation.subgraph import Answer, Operation
from gateway.telemetry.tracing import onward as traced
from graph.model.scope import Principal

FIRST_PAUSE: Final = 0.02
THROTTLED: Final = 1.0
"""seconds that a subgraph is left alone after a 429 that does not say for how long."""
LONGEST_PAUSE: Final = 30.0
"""seconds; a subgraph that asks for more is asked again after this."""
FAILURES: Final = 5
"""in a row, after which the breaker opens."""
FAIR: Final = 0.5
"""of its timeout; a subgraph that had less of it before the deadline came is not taken for down."""
TRY_AGAIN: Final = frozenset({429, 502, 503, 504})
HEADERS: Final = {
    "content-type": "application/json",
    "accept": "application/graphql-response+json, application/json;q=0.9",
}
LARGE: Final = 1_000_000
"""bytes of an answer; to read so many takes longer than the loop should wait."""
_READER: Final = ThreadPoolExecutor(1, thread_name_prefix="answers")
LONGEST: Final = 300
"""of a subgraph's message, in the log and where it may be shown."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteSettings:
    """How one remote subgraph is asked."""

    url: str
    headers: Pairs = ()
    """sent with every request,"""
    forwarded: tuple[str, ...] = ()
    """those of a client's request that go on to it,"""
    returned: tuple[str, ...] = ()
    """and those of its answers that go back to clients."""
    timeout_seconds: float = 10.0
    """of one attempt."""
    connections: int = 100
    """at a time."""
    most_bytes: int = 20_000_000
    tries: int = 3
    """of a read, the first included."""
    share: bool = True
    show_messages: bool = False
    show_name: bool = False


class _Health(enum.Enum):
    """What a failure says of the subgraph."""

    DOWN = enum.auto()
    UP = enum.auto()
    UNKNOWN = enum.auto()


class _Failed(Exception):
    """The subgraph gave no answer; the message is for the log."""

    def __init__(
        self, reason: str, code: Code, *, health: _Health = _Health.UP, again: bool = False, pause: float = 0.0
    ) -> None:
        super().__init__(reason)
        self.code = code
        self.health = health
        self.again = again
        self.pause = pause
        """seconds before which it must not be tried again."""


@dataclass(frozen=True, slots=True)
class _Sent:
    """What goes over the wire."""

    body: bytes
    headers: Pairs


@dataclass(frozen=True, slots=True)
class _Reply:
    """What came over the wire: shared between those who asked, each of whom reads it for itself."""

    body: bytes
    returned: Pairs


_Key: TypeAlias = tuple[_Sent, Principal]


class RemoteSubgraph:
    """A subgraph behind HTTP."""

    sdl = ""

    def __init__(self, name: str, session: aiohttp.ClientSession, settings: RemoteSettings) -> None:
        self.name = name
        self._session = session
        self._settings = settings
        self._connections = asyncio.Semaphore(settings.connections)
        self._breaker = Breaker(failures=FAILURES, now=time.monotonic())
        self._resumes = 0.0
        """when it may be asked again, by time.monotonic(), after it asked for a pause."""
        self._sharing: Sharing[_Reply] = Sharing()
        self._onward = frozenset(each.lower() for each in settings.forwarded) - HOP_BY_HOP
        self._back = frozenset(each.lower() for each in settings.returned) - HOP_BY_HOP
        # An answer's headers may be meant for one client only, such as a cookie: RFC 6265, 3.
        self._shares = settings.share and not self._back

    async def execute(
        self, operation: Operation, variables: Mapping[str, Any], principal: Principal, deadline: float
    ) -> Answer:
        """Ask, and give an answer whatever happens."""
        forwarded = current()
        try:
            onward = tuple(each for each in forwarded.onward if each[0] in self._onward)
            sent = _Sent(_body(operation, variables), onward)
            reply = await self._reply((sent, principal), deadline, reading=operation.text.startswith("query"))
            forwarded.give_back(reply.returned)
            return await self._read(reply.body, deadline, decimals=operation.has_custom_scalars)
        except _Failed as failed:
            log.warning("a subgraph failed", subgraph=self.name, reason=str(failed))
            return {"errors": [_error(failed.code, self._sentence(failed.code))]}

    async def _reply(self, key: _Key, deadline: float, *, reading: bool) -> _Reply:
        sent, _ = key
        if not reading:
            return await self._attempt(sent, Deadline(deadline))
        if not self._shares:
            return await self._attempts(sent, Deadline(deadline))
        mine = Deadline(deadline)
        try:
            return await self._sharing.ask(key, lambda: self._attempts(sent, mine), mine)
        except TimeoutError as error:
            raise _late("it did not answer in time") from error

    async def _attempts(self, sent: _Sent, deadline: Deadline) -> _Reply:
        for number in range(1, self._settings.tries):
            try:
                return await self._attempt(sent, deadline)
            except _Failed as failed:
                pause = failed.pause + FIRST_PAUSE * 2**number * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load
                if not failed.again or time.monotonic() + pause >= deadline.at:
                    raise
                await asyncio.sleep(pause)
        return await self._attempt(sent, deadline)

    async def _attempt(self, sent: _Sent, deadline: Deadline) -> _Reply:
        self._check_pause()
        self._check_breaker()
        await self._take_connection(deadline)
        try:
            if wait := self._breaker.admit(now=time.monotonic()):
                raise _open(wait)
            return await self._judged(sent, deadline)
        finally:
            self._connections.release()

    def _check_pause(self) -> None:
        left = self._resumes - time.monotonic()
        if left > 0:
            raise _Failed(f"it wants no request for {left:.1f} s", Code.SUBGRAPH_UNAVAILABLE, again=True, pause=left)

    def _check_breaker(self) -> None:
        """Refuse at once while the breaker is open, so that nobody waits for a connection first."""
        now = time.monotonic()
        if self._breaker.retry_at is not None and now < self._breaker.retry_at:
            raise _open(self._breaker.retry_at - now)

    async def _take_connection(self, deadline: Deadline) -> None:
        if not self._connections.locked():
            await self._connections.acquire()  # at once
            return
        try:
            async with deadline.enforced():
                await self._connections.acquire()
        except TimeoutError as error:
            raise _late("none of its connections became free in time") from error

    async def _judged(self, sent: _Sent, deadline: Deadline) -> _Reply:
        """Send, and tell the breaker how that ended."""
        health = _Health.UNKNOWN  # who asked went away
        try:
            reply = await self._in_time(sent, deadline)
            health = _Health.UP
        except _Failed as failed:
            health = failed.health
            raise
        else:
            return reply
        finally:
            self._note(health, time.monotonic())

    def _note(self, health: _Health, now: float) -> None:
        match health:
            case _Health.DOWN:
                self._breaker.failed(now=now)
            case _Health.UP:
                self._breaker.succeeded(now=now)
            case _Health.UNKNOWN:
                self._breaker.abandoned(now=now)
            case _:
                assert_never(health)

    async def _in_time(self, sent: _Sent, deadline: Deadline) -> _Reply:
        begun = time.monotonic()
        try:
            async with deadline.enforced(begun + self._settings.timeout_seconds):
                return await self._post(sent)
        except TimeoutError as error:
            had = time.monotonic() - begun
            fair = had >= FAIR * self._settings.timeout_seconds
            health = _Health.DOWN if fair else _Health.UNKNOWN
            raise _late(f"it did not answer in the {had:.2f} s that it had", health) from error
        except (aiohttp.ClientConnectionError, OSError) as error:
            reason = type(error).__name__
            raise _Failed(reason, Code.SUBGRAPH_UNAVAILABLE, health=_Health.DOWN, again=True) from error
        except (aiohttp.ClientError, ValueError) as error:
            raise _Failed(type(error).__name__, Code.SUBGRAPH_FAILED) from error

    async def _post(self, sent: _Sent) -> _Reply:
        headers = {**HEADERS, **traced(), **dict(sent.headers), **dict(self._settings.headers)}
        async with self._session.post(
            self._settings.url, data=sent.body, headers=headers, allow_redirects=False
        ) as response:
            return await self._received(response)

    async def _received(self, response: aiohttp.ClientResponse) -> _Reply:
        media = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        status = response.status
        if status in TRY_AGAIN:
            raise self._not_now(status, response.headers.get("retry-after"))
        if media != "application/graphql-response+json" and not (200 <= status < 300 and media == "application/json"):
            raise _Failed(f"it answers {status} with {media[:LONGEST] or 'no media type'}", Code.SUBGRAPH_FAILED)
        returned = tuple(
            (name.lower(), value) for name, value in response.headers.items() if name.lower() in self._back
        )
        return _Reply(await self._body(response), returned)

    def _not_now(self, status: int, header: str | None) -> _Failed:
        """Take note of a pause that the subgraph asks for; 429 asks for one even where it does not say for how long."""
        throttled = status == HTTPStatus.TOO_MANY_REQUESTS
        asked = retry_after(header, now=datetime.now(UTC))
        pause = min(THROTTLED if asked is None and throttled else asked or 0.0, LONGEST_PAUSE)
        self._resumes = max(self._resumes, time.monotonic() + pause)
        health = _Health.UP if throttled else _Health.DOWN
        return _Failed(f"it answers {status}", Code.SUBGRAPH_UNAVAILABLE, health=health, again=True, pause=pause)

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        chunks, size = [], 0
        async for chunk in response.content.iter_any():
            size += len(chunk)
            if size > self._settings.most_bytes:
                raise _Failed(f"it answers more than {self._settings.most_bytes} bytes", Code.SUBGRAPH_FAILED)
            chunks.append(chunk)
        return b"".join(chunks)

    async def _read(self, body: bytes, deadline: float, *, decimals: bool) -> Answer:
        reading = partial(read_answer, body, decimals=decimals)
        try:
            data, errors = reading() if len(body) <= LARGE else await _aside(reading, deadline)
        except Unreadable as error:
            raise _Failed(str(error), Code.SUBGRAPH_FAILED) from error
        if errors:
            log.info("a subgraph answers errors", subgraph=self.name, messages=[_message(each) for each in errors[:9]])
        return {"data": data, "errors": [self._theirs(each) for each in errors]}

    def _theirs(self, error: Any) -> dict[str, Any]:
        if not isinstance(error, dict):
            error = {}
        message = _message(error) if self._settings.show_messages else ""
        made = _error(_code(error), message or self._sentence(Code.SUBGRAPH_FAILED))
        if isinstance(error.get("path"), list):
            made["path"] = error["path"]
        return made

    def _sentence(self, code: Code) -> str:
        subject = f"The subgraph {self.name}" if self._settings.show_name else "A subgraph"
        match code:
            case Code.SUBGRAPH_UNAVAILABLE:
                return f"{subject} cannot be reached."
            case Code.DEADLINE_EXCEEDED:
                return f"{subject} did not answer in time."
            case Code.BAD_USER_INPUT:
                return "A variable's value cannot be written as JSON."
            case _:
                return f"{subject} could not answer this."


SHOWN: Final = frozenset({Code.FORBIDDEN, Code.UNAUTHENTICATED, Code.BAD_USER_INPUT, Code.CONFLICT})
"""Codes that a client can do something about, so that they pass through."""


def _body(operation: Operation, variables: Mapping[str, Any]) -> bytes:
    try:
        return exact_json.dumps({"query": operation.text, "variables": dict(variables)})
    except TypeError as error:  # representations are checked before, so that it is a client's
        raise _Failed(f"what is to be sent cannot be written: {error}", Code.BAD_USER_INPUT) from error


async def _aside(
    reading: Callable[[], tuple[dict[str, Any] | None, list[Any]]], deadline: float
) -> tuple[dict[str, Any] | None, list[Any]]:
    try:
        async with asyncio.timeout(deadline - time.monotonic()):
            return await asyncio.get_running_loop().run_in_executor(_READER, reading)
    except TimeoutError as error:
        raise _late("its answer could not be read in time") from error


def _late(reason: str, health: _Health = _Health.UNKNOWN) -> _Failed:
    return _Failed(reason, Code.DEADLINE_EXCEEDED, health=health)


def _open(wait: float) -> _Failed:
    return _Failed(f"it has failed several times and is spared for {wait:.1f} s more", Code.SUBGRAPH_UNAVAILABLE)


def _error(code: Code, message: str) -> dict[str, Any]:
    return {"message": message, "extensions": {"code": code.value}}


def _code(error: Mapping[str, Any]) -> Code:
    extensions = error.get("extensions")
    code = extensions.get("code") if isinstance(extensions, dict) else None
    return next((each for each in SHOWN if each.value == code), Code.SUBGRAPH_FAILED)


def _message(error: Any) -> str:
    message = error.get("message") if isinstance(error, dict) else None
    return message[:LONGEST] if isinstance(message, str) else ""
