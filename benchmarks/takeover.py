"""How long nobody tells a part of what waits, after the process that told it has died.

Beside a gateway that stays, another is started, gets its share of the lanes, and is killed. What is measured is the time
from there until the last of its lanes has another owner, as the graph has it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from benchmarks.contestants import Callers, Server, gateway
from benchmarks.databases import Database
from benchmarks.errors import BenchmarkFailed
from graph.ledger.lanes import SHARDS

TIMES: Final = 5
_LOOK_SECONDS: Final = 0.05
_MOST_SECONDS: Final = 60.0
_OWNERS: Final = "MATCH (l:Lane) RETURN l.owner"


async def takeovers(found: Database, callers: Callers, place: Path, settings: Mapping[str, str]) -> list[float]:
    """Give the seconds of each takeover; another gateway is running already."""

    def another() -> AbstractContextManager[Server]:
        return gateway(found, callers, place, settings)

    return [await _takeover(found, another) for _ in range(TIMES)]


async def _takeover(found: Database, another: Callable[[], AbstractContextManager[Server]]) -> float:
    with another() as server:
        await _until(found, server, lambda lanes: lanes == SHARDS // 2)
        os.kill(server.pid, signal.SIGKILL)
        died = time.monotonic()
        await _until(found, server, lambda lanes: lanes == 0)
        return time.monotonic() - died


async def _until(found: Database, server: Server, true: Callable[[int], bool]) -> None:
    end = time.monotonic() + _MOST_SECONDS
    while not true(await _lanes_of(found, server)):
        if time.monotonic() > end:
            raise BenchmarkFailed(f"The lanes of a gateway did not change hands within {_MOST_SECONDS:.0f} s")
        await asyncio.sleep(_LOOK_SECONDS)


async def _lanes_of(found: Database, server: Server) -> int:
    """Count the lanes that a process has; an owner's name begins with its process."""
    rows = await found.store.rows(_OWNERS, {}, deadline=time.monotonic() + _MOST_SECONDS)
    return sum(str(owner).startswith(f"{server.pid}-") for [owner] in rows)
