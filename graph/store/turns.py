"""Transactions that are in one another's way begin anew, all but one; many at a time do most of their work in vain.

The embedded database finds at commit that another has written to the same page, and Neo4j ends one of those that wait for each other.
So the writers of one process that had to begin anew take turns. Others still write beside whoever has the turn, since most are in
nobody's way; but after PATIENCE failures they wait until it is done, or it would be overtaken for ever.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from types import TracebackType
from typing import Final, Self

from graph.errors import Contended

PATIENCE: Final = 3


class Turns:
    """The turns of one process at one database."""

    def __init__(self) -> None:
        self.lock: Final = asyncio.Lock()
        self.open: Final = asyncio.Event()
        """Set, but while one that was overtaken too often has the database for itself."""
        self.open.set()


class Turn:
    """One writer, while the block runs."""

    def __init__(self, turns: Turns, deadline: float) -> None:
        self._turns = turns
        self._deadline = deadline
        self._failures = 0

    async def __aenter__(self) -> Self:
        """Begin, once nobody has the database for itself; raises Contended where that is not so in time."""
        if not self._turns.open.is_set():
            await self._in_time(self._turns.open.wait())
        return self

    async def again(self) -> None:
        """Wait for the turn to begin anew, after others were in the way; raises Contended where it does not come in time."""
        if not self._failures:
            await self._in_time(self._turns.lock.acquire())
        self._failures += 1
        if self._failures == PATIENCE:
            self._turns.open.clear()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let the next one have it."""
        if self._failures:
            self._turns.open.set()
            self._turns.lock.release()

    async def _in_time(self, waiting: Coroutine[object, object, object]) -> None:
        try:
            async with asyncio.timeout(self._deadline - time.monotonic()):
                await waiting
        except TimeoutError as error:
            raise Contended("Others were in the way of a change until its deadline") from error
