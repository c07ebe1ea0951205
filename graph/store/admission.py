"""One principal must not have the whole database to itself: so many statements at a time, and the rest wait.

Those that wait are let in in their order, within their deadlines. The count is of this process; several processes let in
as many each. Whoever has nothing under way is not remembered.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from graph.errors import TooManyStatements

_MOST_WAITING: Final = 256
"""of one principal: each holds its request in memory."""
_RETRY_SECONDS: Final = 1.0


@dataclass(slots=True)
class _Principal:
    places: asyncio.Semaphore
    present: int = 0
    """how many run or wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """Lets `most` statements of each principal run at a time."""

    most: int
    _principals: dict[str, _Principal] = field(default_factory=dict)

    @asynccontextmanager
    async def place(self, subject: str, deadline: float) -> AsyncIterator[None]:
        """Hold a place of a principal while the block runs.

        Waits for one until `deadline`, by `time.monotonic()`; raises TooManyStatements when there is none until then,
        and at once when too many wait already.
        """
        principal = self._principals.setdefault(subject, _Principal(asyncio.Semaphore(self.most)))
        if principal.present >= self.most + _MOST_WAITING:
            raise self._too_many()
        principal.present += 1
        try:
            await self._enter(principal.places, deadline)
            try:
                yield
            finally:
                principal.places.release()
        finally:
            principal.present -= 1
            if not principal.present:
                del self._principals[subject]

    async def _enter(self, places: asyncio.Semaphore, deadline: float) -> None:
        if not places.locked():
            await places.acquire()  # at once
            return
        try:
            async with asyncio.timeout_at(deadline):
                await places.acquire()
        except TimeoutError as exc:
            raise self._too_many() from exc

    def _too_many(self) -> TooManyStatements:
        return TooManyStatements(
            f"More than {self.most} requests of yours are being answered at this moment",
            hint="Wait for the answers to your earlier requests; send fewer at a time",
            retry_after=_RETRY_SECONDS,
        )
