"""What stands round every endpoint, in one place, so that two endpoints can be compared under the same conditions.

From outside in: observation (request id, log line, metric), admission (is it one request, and for us), CORS where origins
are set, authentication. All of it is plain ASGI.
"""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Lifespan

from gateway.auth.tokens import Tokens
from gateway.http.admission import Admission, rules_of
from gateway.http.authenticated import Authenticated
from gateway.http.observe import Observed
from gateway.http.response import Refusing, refuse_graphql
from gateway.settings.settings import Settings
from gateway.telemetry.metrics import Metrics

METHODS = ("GET", "POST")
ASKED_HEADERS = ("Authorization", "Content-Type", "GraphQL-Preflight", "Last-Event-ID", "X-Request-Id")
SHOWN_HEADERS = ("X-Request-Id", "Retry-After")


def middleware(
    endpoint: ASGIApp, settings: Settings, tokens: Tokens, metrics: Metrics, refusing: Refusing = refuse_graphql
) -> ASGIApp:
    """Wrap an endpoint whose callers have tokens; `refusing` is how they are told no."""
    return open_middleware(Authenticated(endpoint, tokens, refusing), settings, metrics, refusing)


def open_middleware(
    endpoint: ASGIApp, settings: Settings, metrics: Metrics, refusing: Refusing = refuse_graphql
) -> ASGIApp:
    """Wrap an endpoint that knows who is calling, or need not know."""
    app = endpoint
    if settings.origins:
        app = CORSMiddleware(
            app,
            allow_origins=settings.origins,
            allow_methods=METHODS,
            allow_headers=ASKED_HEADERS,
            expose_headers=SHOWN_HEADERS,
        )
    return Observed(Admission(app, rules_of(settings), refusing), metrics, refusing)


async def _not_found(_: Request, __: Exception) -> Response:
    return PlainTextResponse("Nothing is here. GraphQL is at /graphql.\n", HTTPStatus.NOT_FOUND)


def routed(routes: Sequence[BaseRoute], lifespan: Lifespan[Starlette] | None = None) -> Starlette:
    """Make an application of routes; no path is redirected, which would lead to the Host that the client has named."""
    app = Starlette(routes=routes, lifespan=lifespan, exception_handlers={HTTPStatus.NOT_FOUND: _not_found})
    app.router.redirect_slashes = False
    return app
