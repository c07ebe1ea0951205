"""A snapshot of the network is kept by each process for some seconds: reading it takes as long as many questions.

It has no loads, which are read for every question. So what is kept may be wrong in what was built, moved, or taken out of service within the last
seconds, and never in what is sold. Whoever reserves looks again, under locks.

Deciding takes a processor. So only some decisions are made at a time in a process (`turn`), and whoever comes later waits.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from graph.errors import DeadlineExceeded
from graph.routing.network import Network
from graph.routing.reading import are_sites, read_network
from graph.store.store import Store

SECONDS: Final = 10.0
"""after which it is read again by whoever asks next."""
AT_ONCE: Final = 2
"""decisions of a process."""
_READING_SECONDS: Final = 60.0


class CachedNetwork:
    """The snapshot of one process."""

    def __init__(self, store: Store, *, seconds: float = SECONDS, at_once: int = AT_ONCE) -> None:
        """Keep what is read for so many seconds; so many decide at once."""
        self._store = store
        self._seconds = seconds
        self._kept: tuple[float, Network] | None = None
        self._reading: asyncio.Task[Network] | None = None
        self._turns = asyncio.Semaphore(at_once)

    async def network(self, sites: Collection[str], *, deadline: float) -> Network:
        """Give the network; it is read again where it is too old, or where one of these sites is new. Raises DeadlineExceeded."""
        network = self._fresh() or await self._shared(deadline)
        missing = [each for each in sites if each not in network.sites]
        if missing and await are_sites(partial(self._store.rows, deadline=deadline), missing):
            network = await self._shared(deadline)
        return network

    @asynccontextmanager
    async def turn(self, *, deadline: float) -> AsyncIterator[None]:
        """Wait until it is one's turn to decide, and hold it while the block runs; raises DeadlineExceeded."""
        try:
            async with asyncio.timeout_at(deadline):
                await self._turns.acquire()
        except TimeoutError as exc:
            raise DeadlineExceeded("The time was over before it was decided") from exc
        try:
            yield
        finally:
            self._turns.release()

    def _fresh(self) -> Network | None:
        if self._kept is None or time.monotonic() - self._kept[0] >= self._seconds:
            return None
        return self._kept[1]

    async def _shared(self, deadline: float) -> Network:
        """Wait for the reading that is under way, or begin one: it goes on for the others where one stops waiting."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read(time.monotonic() + _READING_SECONDS))
        try:
            async with asyncio.timeout_at(deadline):
                return await asyncio.shield(self._reading)
        except TimeoutError as exc:
            raise DeadlineExceeded("The time was over before the network was read") from exc

    async def _read(self, deadline: float) -> Network:
        network = await read_network(partial(self._store.rows, deadline=deadline))
        self._kept = time.monotonic(), network
        return network
