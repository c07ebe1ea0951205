"""What stands round every endpoint, in one place, so that two endpoints can be compared under the same conditions.

From outside in: observation (request id, log line, metric), CORS where origins are set, authentication. All of it is
plain ASGI.
"""

from __future__ import annotations

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from gateway.auth.tokens import Tokens
from gateway.http.authenticated import Authenticated
from gateway.http.observe import Observed
from gateway.http.response import Refusing, refuse_graphql
from gateway.settings.settings import Settings
from gateway.telemetry.metrics import Metrics

METHODS = ("GET", "POST")
ASKED_HEADERS = ("Authorization", "Content-Type", "GraphQL-Preflight", "X-Request-Id")
SHOWN_HEADERS = ("X-Request-Id", "Retry-After")


def middleware(
    endpoint: ASGIApp, settings: Settings, tokens: Tokens, metrics: Metrics, refusing: Refusing = refuse_graphql
) -> ASGIApp:
    """Wrap an endpoint; `refusing` is how its callers are told no."""
    app: ASGIApp = Authenticated(endpoint, tokens, refusing)
    if settings.origins:
        app = CORSMiddleware(
            app,
            allow_origins=settings.origins,
            allow_methods=METHODS,
            allow_headers=ASKED_HEADERS,
            expose_headers=SHOWN_HEADERS,
        )
    return Observed(app, metrics, refusing)
