"""Whoever runs us asks three things, without a token: are you alive, may I send requests, how are you doing.

`/livez` answers as long as the process can answer at all; a database that is away is no reason to be restarted.
`/readyz` answers 503 with the reason while requests would fail: it runs a statement, and a database that does not answer
that in time is a reason. Whoever asks meanwhile, or right after, gets the same answer. `/metrics` is Prometheus's. None of them is logged: they
are asked every few seconds.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.http.numbers import PATH
from gateway.telemetry.metrics import CONTENT_TYPE, Metrics

Ready = Callable[[], Awaitable[str]]
"""Gives the reason why requests would fail; empty if they would not."""

KEPT_SECONDS: Final = 0.25
"""for which an answer is given again: everybody may ask, and each look costs a statement."""


class _Readiness:
    """One look at a time, for all who ask."""

    def __init__(self, ready: Ready) -> None:
        self._ready = ready
        self._look: asyncio.Task[str] | None = None
        self._until = 0.0

    async def reason(self) -> str:
        """Give the reason why requests would fail; empty if they would not."""
        if self._look is None or (self._look.done() and time.monotonic() > self._until):
            self._look = asyncio.create_task(self._asked(), name="readiness")
        return await asyncio.shield(self._look)

    async def _asked(self) -> str:
        reason = await self._ready()
        self._until = time.monotonic() + KEPT_SECONDS
        return reason


def health_routes(ready: Ready, metrics: Metrics | None) -> list[Route]:
    """Make the three routes; two where the numbers have an address of their own (numbers.py)."""
    readiness = _Readiness(ready)

    async def livez(_: Request) -> Response:
        return JSONResponse({"status": "live"})

    async def readyz(_: Request) -> Response:
        reason = await readiness.reason()
        if reason:
            return JSONResponse({"status": "not ready", "reason": reason}, 503, {"Retry-After": "1"})
        return JSONResponse({"status": "ready"})

    routes = [Route("/livez", livez), Route("/readyz", readyz)]
    return routes if metrics is None else [*routes, _numbers(metrics)]


def _numbers(metrics: Metrics) -> Route:
    async def numbers(_: Request) -> Response:
        return Response(metrics.text(), headers={"content-type": CONTENT_TYPE.decode()})

    return Route(PATH, numbers)
