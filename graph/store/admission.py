"""One principal must not have the whole database to itself: so many statements at a time, and the rest wait.

Those that wait are let in in their order, within their deadlines: whoever leaves hands its place to the first of them. The
count is of this process; several processes let in as many each. Whoever has nothing under way is not remembered.

Every read passes here, so that a place is taken without a generator, a semaphore or a timeout of its own: over sixteen
connections of one principal these had cost a tenth of a read.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final

from graph.errors import TooManyStatements

_MOST_WAITING: Final = 256
"""of one principal: each holds its request in memory."""
_RETRY_SECONDS: Final = 1.0


@dataclass(slots=True)
class _Principal:
    running: int = 0
    waiting: deque[asyncio.Future[bool]] = field(default_factory=deque)
    """answered with True by whoever hands over its place, with False at the deadline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """Lets `most` statements of each principal run at a time."""

    most: int
    _principals: dict[str, _Principal] = field(default_factory=dict)

    def place(self, subject: str, deadline: float) -> Place:
        """Hold a place of a principal while the block runs.

        Waits for one until `deadline`, by `time.monotonic()`; raises TooManyStatements when there is none until then,
        and at once when too many wait already.
        """
        return Place(self, subject, deadline)

    async def take(self, subject: str, deadline: float) -> None:
        """Take a place, or wait for one."""
        principal = self._principals.get(subject)
        if principal is None:
            principal = self._principals[subject] = _Principal()
        if principal.running < self.most:  # then nobody waits, since places are handed over
            principal.running += 1
        elif len(principal.waiting) >= _MOST_WAITING or not await self._handed(subject, principal, deadline):
            raise self._too_many()

    def leave(self, subject: str) -> None:
        """Hand a place to the first who waits for it."""
        principal = self._principals[subject]
        while principal.waiting:
            first = principal.waiting.popleft()
            if not first.done():
                first.set_result(True)
                return
        principal.running -= 1
        if not principal.running:
            del self._principals[subject]

    async def _handed(self, subject: str, principal: _Principal, deadline: float) -> bool:
        """Wait for somebody's place; tell whether there was one in time."""
        loop = asyncio.get_running_loop()
        handed: asyncio.Future[bool] = loop.create_future()
        late = loop.call_at(deadline, _give_up, handed, principal.waiting)
        principal.waiting.append(handed)
        try:
            return await handed
        except asyncio.CancelledError:
            if handed.cancelled():
                _forget(handed, principal.waiting)
            elif handed.result():  # handed over in the very turn of the loop in which it was cancelled
                self.leave(subject)
            raise
        finally:
            late.cancel()

    def _too_many(self) -> TooManyStatements:
        return TooManyStatements(
            f"More than {self.most} requests of yours are being answered at this moment",
            hint="Wait for the answers to your earlier requests; send fewer at a time",
            retry_after=_RETRY_SECONDS,
        )


@dataclass(frozen=True, slots=True)
class Place:
    """One place, as a context manager."""

    _admission: Admission
    _subject: str
    _deadline: float

    async def __aenter__(self) -> None:
        await self._admission.take(self._subject, self._deadline)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._admission.leave(self._subject)


def _give_up(handed: asyncio.Future[bool], waiting: deque[asyncio.Future[bool]]) -> None:
    if not handed.done():
        handed.set_result(False)
        _forget(handed, waiting)


def _forget(handed: asyncio.Future[bool], waiting: deque[asyncio.Future[bool]]) -> None:
    """Leave the row; whoever left a place in the same turn of the loop may have passed over this one already."""
    if handed in waiting:
        waiting.remove(handed)
