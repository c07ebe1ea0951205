"""The floor: what an answer costs when nothing in between has to be general.

A Starlette endpoint as one writes it by hand: it reads the JSON body, takes the variables, runs the case's statement and
answers. There is no GraphQL in it: the operation's name chooses the statement. The middleware round it (request id,
tokens, log line, metric) is the gateway's own, and the store is the gateway's too.
"""

from __future__ import annotations

import time
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from benchmarks.floor_cases import STATEMENTS
from gateway.exchange import exchange_of
from graph.model.scope import Principal, ScopeKind, scope_of
from graph.store.store import Store

_SECONDS: Final = 10.0
_HEADERS: Final = {"cache-control": "no-store", "vary": "Accept, Authorization"}


class FloorEndpoint:
    """Answers the cases, and nothing else."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        body = orjson.loads(await request.body())
        exchange = exchange_of(scope)
        exchange.operation = body["operationName"]
        assert exchange.principal is not None, "authentication stands before the endpoint"
        answer = await self._answer(exchange.operation, body["variables"], exchange.principal)
        response = Response(orjson.dumps(answer), media_type="application/json", headers=_HEADERS)
        await response(scope, receive, send)

    async def _answer(self, operation: str, variables: dict[str, Any], principal: Principal) -> dict[str, Any]:
        statement = STATEMENTS[operation]
        caller = scope_of(principal)
        if caller.kind is not statement.scope:
            raise PermissionError(f"{operation} is asked by another kind of caller")
        parameters = statement.parameters(variables)
        if caller.kind is ScopeKind.CUSTOMERS:
            parameters["scope"] = list(caller.customers)
        row = await self._store.read(statement.text, parameters, deadline=time.monotonic() + _SECONDS)
        return {"data": statement.answer(row)}
