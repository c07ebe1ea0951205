"""GraphQL over HTTP, in our own hands: a library's view follows the specification less and costs more.

In: an ASGI request whose principal is known. Out: one response: an answer, or a stream of them as server-sent events (sse.py) for
a client that reads those. The way of a request reads from top to bottom in `__call__` and `_run`; a refusal anywhere on it
becomes the same kind of answer.
"""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Final

import structlog
from starlette.types import Receive, Scope, Send

from gateway.errors import Code, Headers, Refused, code_of, refuse
from gateway.exchange import Exchange, exchange_of
from gateway.federation.subgraph import Answer
from gateway.http import sse
from gateway.http.request import read_body, read_parameters, receive_body
from gateway.http.response import Media, accepts_events, answered, negotiate, prefers_events, refusal
from gateway.http.streams import OpenStreams, finished
from gateway.http.watch import ClientGone, Watch
from gateway.operations.documents import Prepared
from gateway.operations.pipeline import GraphRequest, Pipeline
from gateway.settings.settings import Settings
from graph.model.scope import Principal, Role

LONGEST_NAME: Final = 64
"""of an operation, in the log."""
LONGEST_CURSOR: Final = 4_096
METHODS: Final[Headers] = ((b"allow", b"GET, POST, OPTIONS"),)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    """One request, and the two ends of its connection."""

    scope: Scope
    headers: dict[bytes, bytes]
    receive: Receive
    send: Send
    exchange: Exchange
    deadline: float

    @property
    def accept(self) -> bytes:
        return self.headers.get(b"accept", b"")

    @property
    def principal(self) -> Principal:
        principal = self.exchange.principal
        assert principal is not None, "authentication stands before the endpoint"
        return principal


class GraphQLEndpoint:
    """The ASGI application behind one path."""

    def __init__(
        self, pipeline: Pipeline, settings: Settings, streams: OpenStreams, for_routers: Pipeline | None = None
    ) -> None:
        """Take what answers, what counts streams, and what answers other routers if that is something else."""
        self._pipeline = pipeline
        self._for_routers = for_routers or pipeline
        self._streams = streams
        self._most_bytes = settings.limits.body_bytes
        self._seconds = settings.deadline_seconds
        self._comment_seconds = settings.streams.comment_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        exchange = exchange_of(scope)
        media = Media.JSON
        try:
            headers = dict(scope["headers"])
            media = negotiate(headers.get(b"accept", b""))
            if scope["method"] == "OPTIONS":
                await send({"type": "http.response.start", "status": 204, "headers": list(METHODS)})
                await send({"type": "http.response.body"})
                return
            deadline = exchange.started + self._seconds
            call = _Call(scope=scope, headers=headers, receive=receive, send=send, exchange=exchange, deadline=deadline)
            answer = await self._run(call)
            if answer is None:
                return
            if "data" in answer and prefers_events(call.accept):
                await sse.answer_once(send, finished(answer, exchange.request_id))
            else:
                await answered(send, exchange, media, answer)
        except Refused as refused:
            await refusal(send, exchange, media, refused)
        except ClientGone:
            exchange.code = "CLIENT_GONE"
        except Exception:
            log.exception("request failed", request_id=exchange.request_id)
            await refusal(send, exchange, media, refuse(Code.INTERNAL, "The request could not be answered."))

    async def _run(self, call: _Call) -> Answer | None:
        """Give the answer; None where there were several, which have been sent."""
        pipeline = self._for_routers if call.principal.role is Role.ROUTER else self._pipeline
        request = await self._read(call, pipeline)
        with Watch(call.receive, call.deadline):
            prepared = await pipeline.prepare(request, call.principal)
            call.exchange.operation = prepared.name[:LONGEST_NAME]
            if not prepared.is_subscription:
                return await pipeline.answer(prepared, request, call.principal, call.deadline)
        return await self._stream(call, pipeline, prepared, request)

    async def _read(self, call: _Call, pipeline: Pipeline) -> GraphRequest:
        match call.scope["method"]:
            case "POST":
                body = await receive_body(call.headers, call.receive, self._most_bytes, call.deadline)
                with pipeline.metered(call.principal, len(body)):
                    request = read_body(body)
            case "GET":
                request = read_parameters(call.scope["query_string"], call.headers)
            case _:
                raise refuse(Code.METHOD_NOT_ALLOWED, "GraphQL is asked by POST or GET.", headers=METHODS)
        if not accepts_events(call.accept):
            return request
        return replace(request, can_stream=True, after=_last_event(call.headers))

    async def _stream(
        self, call: _Call, pipeline: Pipeline, prepared: Prepared, request: GraphRequest
    ) -> Answer | None:
        """Send what a subscription brings; give the answer of one that cannot begin."""
        with self._streams.room("sse", call.principal, call.exchange) as opened:
            with Watch(call.receive, call.deadline):
                begun = await pipeline.subscribe(prepared, request, call.principal, call.deadline)
            if isinstance(begun, dict):
                opened.reason = code_of(begun["errors"][0]).value
                return begun
            with Watch(call.receive, None):
                async with aclosing(self._streams.payloads(opened, begun)) as payloads:
                    await sse.stream(call.send, opened, payloads, self._comment_seconds)
        return None


def _last_event(headers: dict[bytes, bytes]) -> str | None:
    """Give the cursor that a client goes on from."""
    given = headers.get(b"last-event-id", b"")
    if len(given) > LONGEST_CURSOR or not given.isascii():
        raise refuse(
            Code.BAD_USER_INPUT, "The header Last-Event-ID is none of our cursors.", "Send the last `id` as it came."
        )
    return given.decode() or None
