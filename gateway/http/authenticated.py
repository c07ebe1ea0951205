"""No request reaches anything that reads the graph without a principal.

ASGI middleware round every endpoint that does: gateway/auth says who is calling, and its refusal becomes an answer here.
There is no anonymous mode. OPTIONS passes: it reads nothing, and a browser sends it bare.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.auth.principals import caller_of
from gateway.auth.tokens import Tokens
from gateway.errors import Refused
from gateway.exchange import exchange_of
from gateway.http.response import Refusing, refuse_graphql


class Authenticated:
    """Wrap an ASGI application."""

    def __init__(self, app: ASGIApp, tokens: Tokens, refusing: Refusing = refuse_graphql) -> None:
        self._app = app
        self._tokens = tokens
        self._refusing = refusing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Find out who is calling, then let the request through."""
        if scope["method"] != "OPTIONS":
            exchange = exchange_of(scope)
            headers = dict(scope["headers"])
            try:
                caller = await caller_of(self._tokens, headers)
            except Refused as refused:
                await self._refusing(send, exchange, headers, refused)
                return
            exchange.principal, exchange.expires = caller.principal, caller.expires
        await self._app(scope, receive, send)
