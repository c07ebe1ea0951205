"""GraphQL over HTTP, in our own hands: a library's view follows the specification less and costs more.

In: an ASGI request whose principal is known. Out: one response. The way of a request reads from top to bottom in
`__call__`; a refusal anywhere on it becomes the same kind of answer.
"""

from __future__ import annotations

from typing import Final

import structlog
from starlette.types import Receive, Scope, Send

from gateway.errors import Code, Headers, Refused, refuse
from gateway.exchange import Exchange, exchange_of
from gateway.federation.subgraph import Answer
from gateway.http.request import read_body, read_parameters, receive_body
from gateway.http.response import Media, answered, negotiate, refusal
from gateway.http.watch import ClientGone, Watch
from gateway.operations.pipeline import GraphRequest, Pipeline
from gateway.settings.settings import Settings
from graph.model.scope import Principal, Role

LONGEST_NAME: Final = 64
"""of an operation, in the log."""
METHODS: Final[Headers] = ((b"allow", b"GET, POST, OPTIONS"),)

log = structlog.get_logger(__name__)


class GraphQLEndpoint:
    """The ASGI application behind one path."""

    def __init__(self, pipeline: Pipeline, settings: Settings, for_routers: Pipeline | None = None) -> None:
        """Take what answers, and what answers other routers if that is something else."""
        self._pipeline = pipeline
        self._for_routers = for_routers or pipeline
        self._most_bytes = settings.limits.body_bytes
        self._seconds = settings.deadline_seconds

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
            pipeline, principal = self._pipeline_for(exchange)
            request = await self._read(scope, headers, receive, deadline, pipeline, principal)
            answer = await _run(pipeline, principal, request, exchange, receive, deadline)
            await answered(send, exchange, media, answer)
        except Refused as refused:
            await refusal(send, exchange, media, refused)
        except ClientGone:
            exchange.code = "CLIENT_GONE"
        except Exception:
            log.exception("request failed", request_id=exchange.request_id)
            await refusal(send, exchange, media, refuse(Code.INTERNAL, "The request could not be answered."))

    def _pipeline_for(self, exchange: Exchange) -> tuple[Pipeline, Principal]:
        principal = exchange.principal
        assert principal is not None, "authentication stands before the endpoint"
        return self._for_routers if principal.role is Role.ROUTER else self._pipeline, principal

    async def _read(
        self,
        scope: Scope,
        headers: dict[bytes, bytes],
        receive: Receive,
        deadline: float,
        pipeline: Pipeline,
        principal: Principal,
    ) -> GraphRequest:
        match scope["method"]:
            case "POST":
                body = await receive_body(headers, receive, self._most_bytes, deadline)
                with pipeline.metered(principal, len(body)):
                    return read_body(body)
            case "GET":
                return read_parameters(scope["query_string"], headers)
            case _:
                raise refuse(Code.METHOD_NOT_ALLOWED, "GraphQL is asked by POST or GET.", headers=METHODS)


async def _run(
    pipeline: Pipeline,
    principal: Principal,
    request: GraphRequest,
    exchange: Exchange,
    receive: Receive,
    deadline: float,
) -> Answer:
    with Watch(receive, deadline):
        prepared = await pipeline.prepare(request, principal)
        exchange.operation = prepared.name[:LONGEST_NAME]
        return await pipeline.answer(prepared, request, principal, deadline)
