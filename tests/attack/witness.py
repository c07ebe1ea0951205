"""What another customer sees meanwhile, and how much memory is used: the two things that are promised."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import aiohttp

QUESTIONS: Final = ("{ services(first: 5) { nodes { name } } }", "{ viewer { role } }")
_PAUSE_SECONDS: Final = 0.1
_LOOK_SECONDS: Final = 1.0
_TIMEOUT: Final = aiohttp.ClientTimeout(total=30)


@dataclass(slots=True)
class Witness:
    """Another customer, who asks small questions all the time."""

    address: str
    token: str
    seconds: list[float] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)

    async def work(self, until: float) -> None:
        """Ask until then."""
        headers = {"Authorization": f"Bearer {self.token}"}
        async with aiohttp.ClientSession(headers=headers, timeout=_TIMEOUT) as session:
            while time.monotonic() < until:
                for each in QUESTIONS:
                    await self._ask(session, each)
                await asyncio.sleep(_PAUSE_SECONDS)

    async def _ask(self, session: aiohttp.ClientSession, question: str) -> None:
        began = time.monotonic()
        try:
            async with session.post(f"{self.address}/graphql", json={"query": question}) as answer:
                await answer.read()
                self.statuses[str(answer.status)] += 1
        except (aiohttp.ClientError, TimeoutError) as error:
            self.statuses[type(error).__name__] += 1
        self.seconds.append(time.monotonic() - began)

    async def apart(self, process: ProcessPoolExecutor, seconds: float) -> None:
        """Ask for so long in another process: another customer does not wait for the attacker's computer."""
        seen = await asyncio.get_running_loop().run_in_executor(process, _asked, self, seconds)
        self.seconds, self.statuses = seen.seconds, seen.statuses

    def milliseconds(self, percent: float) -> float:
        """Give a percentile of how long an answer took."""
        ordered = sorted(self.seconds)
        return 1_000 * ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] if ordered else 0.0

    @property
    def failures(self) -> int:
        """How many questions were not answered with 200."""
        return sum(count for status, count in self.statuses.items() if status != "200")


def _asked(witness: Witness, seconds: float) -> Witness:
    asyncio.run(witness.work(time.monotonic() + seconds))
    return witness


@dataclass(slots=True)
class Memory:
    """The most that a process of each kind had resident, in megabytes."""

    most: dict[str, int] = field(default_factory=dict)

    async def watch(self, processes: Callable[[], dict[str, list[int]]], until: float) -> None:
        """Look once a second until then."""
        while time.monotonic() < until:
            for kind, pids in processes().items():
                for pid in pids:
                    self.most[kind] = max(self.most.get(kind, 0), resident(pid))
            await asyncio.sleep(_LOOK_SECONDS)


def resident(pid: int) -> int:
    """Read how many megabytes of a process are in memory; 0 where it is gone."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) // 1_024
    return 0
