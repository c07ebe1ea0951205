"""The database may be away when we start, and callers must get an answer that says so instead of no connection.

`Arriving` is a subgraph whose SDL is known and whose database may not be there yet. While it is not, every operation is
answered STORE_UNAVAILABLE with the reason that is safe to tell; `keep` goes on trying until it has opened once. From
then on the store itself follows its database through restarts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

import structlog

from gateway.errors import Code
from gateway.execution import Answer, Operation, Subgraph
from graph.scope import Principal

PAUSE: Final = 1.0

log = structlog.get_logger(__name__)


class Away(Exception):
    """What is to be opened cannot be opened now."""


Open = Callable[[], AbstractAsyncContextManager[Subgraph]]


class Arriving:
    """A subgraph that comes when its database does."""

    def __init__(self, name: str, sdl: str, opening: Open) -> None:
        self.name = name
        self.sdl = sdl
        self._opening = opening
        self._subgraph: Subgraph | None = None
        self.reason = "the database has not been reached yet"
        """why it is not there; empty once it is."""

    async def keep(self) -> None:
        """Open, again and again until it works, and hold open until cancelled."""
        while True:
            try:
                async with self._opening() as subgraph:
                    self._subgraph, self.reason = subgraph, ""
                    await asyncio.Event().wait()
            except Away as error:
                if self.reason != str(error):
                    log.warning("the database is away", reason=str(error))
                self.reason = str(error)
                await asyncio.sleep(PAUSE)
            finally:
                self._subgraph = None

    async def execute(
        self, operation: Operation, variables: Mapping[str, Any], principal: Principal, deadline: float
    ) -> Answer:
        """Let the subgraph answer, or say that it is not there."""
        if self._subgraph is None:
            extensions = {"code": Code.STORE_UNAVAILABLE.value, "retryAfter": PAUSE}
            return {"errors": [{"message": "The database cannot be reached.", "extensions": extensions}]}
        return await self._subgraph.execute(operation, variables, principal, deadline)
