"""Every request leaves one line in the log and one observation in the metrics, also when nothing else works.

The outermost middleware: it names the request (the caller's `X-Request-Id` where that is sane, else one of its own),
says the name in the response, and is the last to see an exception: whatever was not turned into an answer below becomes
one here, and its reason goes to the log under the request's id. Plain ASGI: a coroutine per request is not paid twice.
"""

from __future__ import annotations

import re
import secrets
from typing import Final

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from gateway.errors import Code, refuse
from gateway.exchange import KEY, Exchange
from gateway.http.response import Refusing, refuse_graphql
from gateway.telemetry.metrics import Metrics
from gateway.telemetry.tracing import request_span

SANE: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}")

log = structlog.get_logger(__name__)


class Observed:
    """Wrap an ASGI application."""

    def __init__(self, app: ASGIApp, metrics: Metrics, refusing: Refusing = refuse_graphql) -> None:
        self._app = app
        self._metrics = metrics
        self._refusing = refusing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through and note what became of it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = scope[KEY] = Exchange(request_id_of(scope))
        name = (b"x-request-id", exchange.request_id.encode())

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                message["headers"] = [*message["headers"], name]
            await send(message)

        try:
            # Whatever is logged on the way of this request, in any room, has its id.
            with request_span(scope["headers"]), bound_contextvars(request_id=exchange.request_id):
                await self._app(scope, receive, noting)
        except Exception:
            log.exception("request failed", request_id=exchange.request_id)
            if not exchange.status:
                reason = refuse(Code.INTERNAL, "The request could not be answered.")
                await self._refusing(noting, exchange, {}, reason)
        finally:
            self._note(scope, exchange)

    def _note(self, scope: Scope, exchange: Exchange) -> None:
        seconds = self._metrics.count(exchange)
        principal = exchange.principal
        log.info(
            "request",
            request_id=exchange.request_id,
            method=scope["method"],
            path=scope["path"],
            status=exchange.status,
            code=exchange.code,
            operation=exchange.operation,
            role=principal.effective.value if principal else "",
            subject=principal.subject if principal else "",
            milliseconds=round(seconds * 1000, 2),
        )


def request_id_of(scope: Scope) -> str:
    """Give the name that a request brings, where it is sane, or a new one."""
    given: bytes = dict(scope["headers"]).get(b"x-request-id", b"")
    return given.decode() if SANE.fullmatch(given) else secrets.token_hex(8)
