"""Strawberry's own view; each request gets loaders of its own."""

from __future__ import annotations

import strawberry
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.extensions import ParserCache, ValidationCache

from benchmarks.ordinary.loaders import Context, Loaders
from benchmarks.ordinary.types import Query
from gateway.exchange import exchange_of
from graph.store.store import Store


class View(GraphQL[Context, None]):
    """Gives resolvers their context."""

    def __init__(self, store: Store) -> None:
        super().__init__(strawberry.Schema(Query, extensions=[ParserCache, ValidationCache]))
        self._store = store

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:  # noqa: ARG002  # Strawberry's signature
        """Make what every resolver of a request has."""
        principal = exchange_of(request.scope).principal
        assert principal is not None, "authentication stands before the view"
        return Context(store=self._store, principal=principal, loaders=Loaders(self._store))


def ordinary_view(store: Store) -> View:
    """Make the view over a store."""
    return View(store)
