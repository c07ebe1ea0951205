"""A subgraph behind HTTP may be slow, down, or answer anything; what leaves here is always a GraphQL answer.

Reads are tried again when the subgraph could not be reached or said that it cannot answer now, with a pause that varies, and
never beyond the deadline; changes are never tried again. What a subgraph answers is bounded in size, must be JSON of the
right shape, and its words reach the log only: a client hears which subgraph, which code, and a sentence of ours, unless
the operator has said that this subgraph's messages may be shown. Redirects are not followed.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
import orjson
import structlog

from gateway.errors import Code
from gateway.federation.execution.breaker import Breaker
from gateway.federation.execution.forwarding import HOP_BY_HOP, Pairs, current
from gateway.federation.execution.sharing import Sharing
from gateway.federation.subgraph import Answer, Operation
from gateway.telemetry.tracing import onward as traced
from graph.model.scope import Principal

FIRST_PAUSE: Final = 0.02
TRY_AGAIN: Final = frozenset({429, 502, 503, 504})
HEADERS: Final = {
    "content-type": "application/json",
    "accept": "application/graphql-response+json, application/json;q=0.9",
}
LONGEST: Final = 300
"""of a subgraph's message, in the log and where it may be shown."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteSettings:
    """How one remote subgraph is asked."""

    url: str
    headers: Pairs = ()
    """sent with every request,"""
    returned: tuple[str, ...] = ()
    """and those of its answers that go back to clients."""
    most_bytes: int = 20_000_000
    tries: int = 3
    """of a read, the first included."""
    share: bool = True
    show_messages: bool = False


class _Failed(Exception):
    """The subgraph gave no answer; the message is for the log."""

    def __init__(self, reason: str, code: Code, *, again: bool = False, down: bool = False) -> None:
        super().__init__(reason)
        self.code = code
        self.again = again
        self.down = down


@dataclass(frozen=True, slots=True)
class _Reply:
    """What came over the wire: shared between those who asked, each of whom reads it for itself."""

    body: bytes
    returned: Pairs


class RemoteSubgraph:
    """A subgraph behind HTTP."""

    sdl = ""

    def __init__(self, name: str, session: aiohttp.ClientSession, settings: RemoteSettings) -> None:
        self.name = name
        self._session = session
        self._settings = settings
        self._breaker = Breaker()
        self._sharing: Sharing[_Reply] = Sharing()
        self._back = frozenset(each.lower() for each in settings.returned) - HOP_BY_HOP

    async def execute(
        self,
        operation: Operation,
        variables: Mapping[str, Any],
        principal: Principal,  # noqa: ARG002 - who asks is known to the subgraph by the headers that go on
        deadline: float,
    ) -> Answer:
        """Ask, and give an answer whatever happens."""
        forwarded = current()
        body = orjson.dumps({"query": operation.text, "variables": dict(variables)})
        try:
            reply = await self._reply(body, forwarded.onward, deadline, reading=operation.text.startswith("query"))
            forwarded.give_back(reply.returned)
            return self._read(reply.body)
        except _Failed as failed:
            log.warning("a subgraph failed", subgraph=self.name, reason=str(failed))
            return {"errors": [self._error(failed.code, self._sentence(failed.code))]}

    async def _reply(self, body: bytes, onward: Pairs, deadline: float, *, reading: bool) -> _Reply:
        if not reading:
            return await self._attempt(body, onward, deadline)
        if not self._settings.share:
            return await self._attempts(body, onward, deadline)
        return await self._sharing.ask((body, onward), lambda: self._attempts(body, onward, deadline))

    async def _attempts(self, body: bytes, onward: Pairs, deadline: float) -> _Reply:
        for number in range(1, self._settings.tries):
            try:
                return await self._attempt(body, onward, deadline)
            except _Failed as failed:
                pause = FIRST_PAUSE * 2**number * random.uniform(0.5, 1.0)  # noqa: S311 - it only spreads load
                if not failed.again or time.monotonic() + pause >= deadline:
                    raise
                await asyncio.sleep(pause)
        return await self._attempt(body, onward, deadline)

    async def _attempt(self, body: bytes, onward: Pairs, deadline: float) -> _Reply:
        wait = self._breaker.wait()
        if wait:
            raise _Failed(f"it is spared for {wait:.1f} s more", Code.SUBGRAPH_UNAVAILABLE)
        try:
            reply = await self._post(body, onward, deadline)
        except _Failed as failed:
            if failed.down:
                self._breaker.failed()
            raise
        self._breaker.succeeded()
        return reply

    async def _post(self, body: bytes, onward: Pairs, deadline: float) -> _Reply:
        headers = {**HEADERS, **traced(), **dict(onward), **dict(self._settings.headers)}
        try:
            async with (
                asyncio.timeout(deadline - time.monotonic()),
                self._session.post(self._settings.url, data=body, headers=headers, allow_redirects=False) as response,
            ):
                return await self._received(response)
        except TimeoutError as error:
            raise _Failed("it did not answer in time", Code.DEADLINE_EXCEEDED, down=True) from error
        except (aiohttp.ClientConnectionError, OSError) as error:
            raise _Failed(type(error).__name__, Code.SUBGRAPH_UNAVAILABLE, again=True, down=True) from error
        except (aiohttp.ClientError, ValueError) as error:
            raise _Failed(type(error).__name__, Code.SUBGRAPH_FAILED) from error

    async def _received(self, response: aiohttp.ClientResponse) -> _Reply:
        media = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        status = response.status
        if status in TRY_AGAIN:
            raise _Failed(f"it answers {status}", Code.SUBGRAPH_UNAVAILABLE, again=True, down=True)
        if media != "application/graphql-response+json" and not (200 <= status < 300 and media == "application/json"):
            raise _Failed(f"it answers {status} with {media[:LONGEST] or 'no media type'}", Code.SUBGRAPH_FAILED)
        if not self._back:
            return _Reply(await self._body(response), ())
        returned = tuple(
            (name.lower(), value) for name, value in response.headers.items() if name.lower() in self._back
        )
        return _Reply(await self._body(response), returned)

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        chunks, size = [], 0
        async for chunk in response.content.iter_any():
            size += len(chunk)
            if size > self._settings.most_bytes:
                raise _Failed(f"it answers more than {self._settings.most_bytes} bytes", Code.SUBGRAPH_FAILED)
            chunks.append(chunk)
        return b"".join(chunks)

    def _read(self, body: bytes) -> Answer:
        try:
            answer = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise _Failed("it answers what is no JSON", Code.SUBGRAPH_FAILED) from error
        if not isinstance(answer, dict):
            raise _Failed("it answers what is no object", Code.SUBGRAPH_FAILED)
        data, errors = answer.get("data"), answer.get("errors") or []
        if not (data is None or isinstance(data, dict)) or not isinstance(errors, list):
            raise _Failed("it answers what is no GraphQL response", Code.SUBGRAPH_FAILED)
        if data is None and not errors:
            raise _Failed("it answers neither data nor errors", Code.SUBGRAPH_FAILED)
        if errors:
            log.info("a subgraph answers errors", subgraph=self.name, messages=[_message(each) for each in errors[:9]])
        return {"data": data, "errors": [self._theirs(each) for each in errors]}

    def _theirs(self, error: Any) -> dict[str, Any]:
        if not isinstance(error, dict):
            error = {}
        message = _message(error) if self._settings.show_messages else ""
        made = self._error(_code(error), message or self._sentence(Code.SUBGRAPH_FAILED))
        if isinstance(error.get("path"), list):
            made["path"] = error["path"]
        return made

    def _sentence(self, code: Code) -> str:
        match code:
            case Code.SUBGRAPH_UNAVAILABLE:
                return f"The subgraph {self.name} cannot be reached."
            case Code.DEADLINE_EXCEEDED:
                return f"The subgraph {self.name} did not answer in time."
            case _:
                return f"The subgraph {self.name} could not answer this."

    def _error(self, code: Code, message: str) -> dict[str, Any]:
        return {"message": message, "extensions": {"code": code.value, "subgraph": self.name}}


SHOWN: Final = frozenset({Code.FORBIDDEN, Code.UNAUTHENTICATED, Code.BAD_USER_INPUT, Code.CONFLICT})
"""Codes that a client can do something about, so that they pass through."""


def _code(error: Mapping[str, Any]) -> Code:
    extensions = error.get("extensions")
    code = extensions.get("code") if isinstance(extensions, dict) else None
    return next((each for each in SHOWN if each.value == code), Code.SUBGRAPH_FAILED)


def _message(error: Any) -> str:
    message = error.get("message") if isinstance(error, dict) else None
    return message[:LONGEST] if isinstance(message, str) else ""
