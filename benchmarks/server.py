"""One contestant written in Python, as a process: `python -m benchmarks.server NAME`.

Settings come from the environment, as in any process of the gateway. *ours* is the gateway's own composition root. The
others get the same middleware, address, server and log, and the same store; their endpoint is what differs. The process
ends with its standard input, however the run ended.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

import click
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from benchmarks.floor import FloorEndpoint
from benchmarks.ordinary import ordinary_view
from gateway.app import application, middleware
from gateway.auth.keys import key_rings
from gateway.auth.tokens import Tokens
from gateway.http.health import health_routes
from gateway.http.serving import bound, bounds_of, serve_here
from gateway.settings.settings import Settings, load_settings
from gateway.stores import opened
from gateway.telemetry.log import configure_log
from gateway.telemetry.metrics import Metrics
from graph.store.store import Store

MakeEndpoint = Callable[[Store], ASGIApp]
OTHERS: Final[dict[str, MakeEndpoint]] = {"floor": FloorEndpoint, "ordinary": ordinary_view}


class _Later:
    """An endpoint that is made when the store is open."""

    def __init__(self) -> None:
        self.endpoint: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.endpoint is not None, "the server listens only after its lifespan has begun"
        await self.endpoint(scope, receive, send)


def around(make: MakeEndpoint, settings: Settings) -> Starlette:
    """Put an endpoint where the gateway's own would be."""
    metrics, later = Metrics(), _Later()
    tokens = Tokens(settings.issuers, key_rings(settings.issuers), settings.sources)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with opened(settings) as store:
            later.endpoint = make(store)
            yield

    async def ready() -> str:
        return ""

    wrapped = middleware(later, settings, tokens, metrics)
    return Starlette(routes=[Route("/graphql", wrapped), *health_routes(ready, metrics)], lifespan=lifespan)


def _end_with_input() -> None:
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


@click.command()
@click.argument("name", type=click.Choice(["ours", *OTHERS]))
def main(name: str) -> None:
    """Serve one contestant."""
    settings = load_settings()
    configure_log(settings.log_level)
    threading.Thread(target=_end_with_input, daemon=True).start()
    app = application(settings) if name == "ours" else around(OTHERS[name], settings)
    serve_here(app, bound(settings), bounds_of(settings))


if __name__ == "__main__":
    main()
