"""Whoever runs us asks three things, without a token: are you alive, may I send requests, how are you doing.

`/livez` answers as long as the process can answer at all; a database that is away is no reason to be restarted.
`/readyz` answers 503 with the reason while requests would fail. `/metrics` is Prometheus's. None of them is logged: they
are asked every few seconds.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.telemetry.metrics import CONTENT_TYPE, Metrics

Ready = Callable[[], Awaitable[str]]
"""Gives the reason why requests would fail; empty if they would not."""


def health_routes(ready: Ready, metrics: Metrics) -> list[Route]:
    """Make the three routes."""

    async def livez(_: Request) -> Response:
        return JSONResponse({"status": "live"})

    async def readyz(_: Request) -> Response:
        reason = await ready()
        if reason:
            return JSONResponse({"status": "not ready", "reason": reason}, 503, {"Retry-After": "1"})
        return JSONResponse({"status": "ready"})

    async def numbers(_: Request) -> Response:
        return Response(metrics.text(), headers={"content-type": CONTENT_TYPE.decode()})

    return [Route("/livez", livez), Route("/readyz", readyz), Route("/metrics", numbers)]
