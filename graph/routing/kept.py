"""A snapshot of the network is kept by each process for some seconds: reading it takes as long as many questions.

It has no loads, which are read for every question. So what is kept may be wrong in what was built, moved, or taken out of service within the last
seconds, and never in what is sold. Whoever reserves looks again, under locks.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection
from functools import partial
from typing import Final

from graph.routing.network import Network
from graph.routing.reading import read_network
from graph.store.store import Store

SECONDS: Final = 10.0
"""after which it is read again by whoever asks next."""


class KeptNetwork:
    """The snapshot of one process."""

    def __init__(self, store: Store, *, seconds: float = SECONDS) -> None:
        """Keep what is read for so many seconds."""
        self._store = store
        self._seconds = seconds
        self._kept: tuple[float, Network] | None = None
        self._reading = asyncio.Lock()

    async def network(self, sites: Collection[str], *, deadline: float) -> Network:
        """Give the network; it is read again where it is too old, or does not have one of these sites."""
        async with self._reading:  # whoever comes meanwhile waits for the same reading
            if self._kept is None or not self._is_good(*self._kept, sites):
                self._kept = time.monotonic(), await read_network(partial(self._store.rows, deadline=deadline))
            return self._kept[1]

    def _is_good(self, at: float, network: Network, sites: Collection[str]) -> bool:
        return time.monotonic() - at < self._seconds and all(each in network.sites for each in sites)
