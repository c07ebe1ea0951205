"""No request reaches anything that reads the graph without a principal.

ASGI middleware round every endpoint that does: the bearer token becomes the `Principal` in the request's exchange, or
the request ends here. There is no anonymous mode. OPTIONS passes: it reads nothing, and a browser sends it bare.

A router forwards what its users ask. It sends its own token in `Authorization` and the user's, as the user's client sent
it, in `X-Acts-For: Bearer <token>`; both are verified alike, so that a router can act for those only who have lately
called it. The principal then is the user's in all that decides what is read or written, and the router's in what only a
router may ask.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.errors import Code, Refused, refuse
from gateway.exchange import exchange_of
from gateway.response import Refusing, refuse_graphql
from gateway.tokens import CHALLENGE, Tokens, insufficient, invalid
from graph.scope import Principal, Role

ACTS_FOR: Final = b"x-acts-for"


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
                exchange.principal = await self._principal(headers)
            except Refused as refused:
                await self._refusing(send, exchange, headers, refused)
                return
        await self._app(scope, receive, send)

    async def _principal(self, headers: dict[bytes, bytes]) -> Principal:
        given = headers.get(b"authorization")
        if given is None:
            raise refuse(Code.UNAUTHENTICATED, "The request has no token.", headers=CHALLENGE)
        principal = await self._believed(given)
        user = headers.get(ACTS_FOR)
        return principal if user is None else _acting(principal, await self._believed(user))

    async def _believed(self, header: bytes) -> Principal:
        scheme, _, token = header.partition(b" ")
        token = token.strip()
        if scheme.lower() != b"bearer" or not token:
            raise invalid("The header is not of the form Bearer, space, token.")
        return self._tokens.remembered(token) or await self._tokens.verify(token)


def _acting(router: Principal, user: Principal) -> Principal:
    if router.role is not Role.ROUTER or user.role is Role.ROUTER:
        raise insufficient("Only a router acts for a user, and never for a router.", "Leave out `X-Acts-For`.")
    return replace(user, role=Role.ROUTER, acts_for=user.role)
