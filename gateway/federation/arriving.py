"""The database may be away when we start, and callers must get an answer that says so instead of no connection.

`Arriving` is a subgraph whose SDL is known and whose database may not be there yet. While it is not, every operation is
answered STORE_UNAVAILABLE with the reason that is safe to tell; `keep` goes on trying until it has opened once. From
then on the store itself follows its database through restarts. Who has others beside it that answer already may wait for
the first try (`tried`) before it takes requests.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any, Final

import structlog

from gateway.errors import Code
from gateway.federation.subgraph import Answer, Heard, Operation, StreamingSubgraph, Subgraph, not_streamed
from graph.model.scope import Principal

PAUSE: Final = 1.0

log = structlog.get_logger(__name__)


class Away(Exception):
    """What is to be opened cannot be opened now."""


Ping = Callable[[], Awaitable[str]]
"""Gives the reason why the database does not answer; empty if it does."""
Opening = Callable[[], AbstractAsyncContextManager[tuple[Subgraph, Ping]]]


class Arriving:
    """A subgraph that comes when its database does."""

    def __init__(self, name: str, sdl: str, opening: Opening) -> None:
        self.name = name
        self.sdl = sdl
        self._opening = opening
        self._subgraph: Subgraph | None = None
        self._ping: Ping | None = None
        self._reason = "The database has not been reached yet."
        self._tried = asyncio.Event()

    async def keep(self) -> None:
        """Open, again and again until it works, and hold open until cancelled."""
        while True:
            try:
                async with self._opening() as (self._subgraph, self._ping):
                    self._tried.set()
                    await asyncio.Event().wait()
            except Away as error:
                if self._reason != str(error):
                    log.warning("the database is away", reason=str(error))
                self._reason = str(error)
            finally:
                self._subgraph = self._ping = None
                self._tried.set()
            await asyncio.sleep(PAUSE)

    async def tried(self, seconds: float) -> None:
        """Wait until it has opened, or could not for the first time, but for so many seconds at most."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._tried.wait()

    async def ready(self) -> str:
        """Give the reason why operations would fail; empty if they would not."""
        return self._reason if self._ping is None else await self._ping()

    async def execute(
        self, operation: Operation, variables: Mapping[str, Any], principal: Principal, deadline: float
    ) -> Answer:
        """Let the subgraph answer, or say that it is not there."""
        if self._subgraph is None:
            return _AWAY
        return await self._subgraph.execute(operation, variables, principal, deadline)

    async def subscribe(
        self,
        operation: Operation,
        variables: Mapping[str, Any],
        principal: Principal,
        after: str | None,
        deadline: float,
    ) -> AsyncGenerator[Heard, None] | Answer:
        """Let the subgraph begin a subscription, or say that it is not there."""
        if self._subgraph is None:
            return _AWAY
        if not isinstance(self._subgraph, StreamingSubgraph):
            return not_streamed(f"The subgraph {self.name} serves no subscriptions.")
        return await self._subgraph.subscribe(operation, variables, principal, after, deadline)


_AWAY: Final[Answer] = {
    "errors": [
        {
            "message": "The database cannot be reached.",
            "extensions": {"code": Code.STORE_UNAVAILABLE.value, "retryAfter": PAUSE},
        }
    ]
}
