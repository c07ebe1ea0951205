"""What is new costs a thousand times what is known: a principal may cause so much of it in a minute, by size and by time.

New work is a document that nobody brought before, a plan for values of `@skip` and `@include` that were not planned for, a
statement for another shape of variables, an introspection that nobody asked, the reading of a large request. All of it takes
from one allowance of a principal. The unit is one new document: a piece of work takes one for each UNIT_SECONDS of CPU time or UNIT_BYTES of text,
whichever is more. The size is known before and taken first; the time is known afterwards. An allowance may therefore fall
below nothing, by one minute's worth at most; it fills up evenly over a minute.

Work that would hold up the event loop runs in one thread, a piece at a time. Each principal has at most one piece in the queue,
so that nobody waits for more than one piece of each other principal. What several bring at the same time, as when a front end
has a new version, is done once, and the first pays.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from cachetools import LRUCache

from gateway.errors import Code, refuse

UNIT_SECONDS: Final = 0.025
"""of CPU time: what parsing, validating, planning and compiling a document of UNIT_BYTES takes on a slow core."""
UNIT_BYTES: Final = 1_500
MOST_PRINCIPALS: Final = 10_000
UNMETERED: Final = 1_000_000_000
"""units a minute where there is no principal to count for."""

T = TypeVar("T")


def units_of(text: str) -> float:
    """Give what a new document takes before it is read."""
    return max(1.0, len(text) / UNIT_BYTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Work(Generic[T]):
    """A piece of new work whose result is kept for the next who asks."""

    key: Hashable
    """equal for equal pieces: several who want one wait for it together."""
    units: float
    """taken before it begins; 0 where a document that was taken for covers it."""
    short: bool
    """whether the event loop can do it."""
    make: Callable[[], T]
    found: Callable[[], T | None]
    """gives the result where somebody has made it in the meantime."""
    keep: Callable[[T], None]
    """is called by the event loop, also when nobody waits for the result any more."""


@dataclass(slots=True)
class _Account:
    left: float
    since: float


@dataclass(slots=True)
class _Turn:
    lock: asyncio.Lock
    wanted: int = 0
    """by how many requests, the one that has it included."""


class NewWork:
    """The allowances of all principals, and the thread."""

    def __init__(
        self,
        per_minute: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        cpu: Callable[[], float] = time.thread_time,
    ) -> None:
        """Allow so many units a minute; `cpu` gives the CPU seconds of the calling thread."""
        self._most = float(per_minute)
        self._clock = clock
        self._cpu = cpu
        self._accounts: LRUCache[str, _Account] = LRUCache(MOST_PRINCIPALS)
        self._turns: dict[str, _Turn] = {}
        self._under_way: dict[Hashable, asyncio.Future[_Made[Any]]] = {}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="new-work")

    def take(self, subject: str, units: float) -> float:
        """Take units from a principal's allowance and give 0.0, or take nothing and give the seconds until there are some.

        More units than are left may be taken: only a principal with none left must wait. What a document covers is let
        through (0 units) until half a minute's allowance is owed.
        """
        account = self._account(subject)
        least = 1.0 if units else -self._most / 2
        if account.left < least:
            return (least - account.left) * 60 / self._most
        account.left = max(-self._most, account.left - units)
        return 0.0

    def settle(self, subject: str, units: float, seconds: float) -> None:
        """Take what CPU seconds are worth beyond the units that were taken before."""
        account = self._account(subject)
        account.left = max(-self._most, account.left - max(0.0, seconds / UNIT_SECONDS - units))

    def _account(self, subject: str) -> _Account:
        now = self._clock()
        account = self._accounts.get(subject)
        if account is None:
            account = self._accounts[subject] = _Account(self._most, now)
        account.left = min(self._most, account.left + (now - account.since) * self._most / 60)
        account.since = now
        return account

    def admit(self, subject: str, units: float) -> None:
        """Take units, or raise Refused with the time to come back."""
        wait = self.take(subject, units)
        if wait:
            message = f"More new documents or large requests in a minute than the allowance of {self._most:.0f} holds."
            raise refuse(Code.TOO_MANY_NEW_DOCUMENTS, message, retry_after=wait)

    @contextmanager
    def metered(self, subject: str, units: float) -> Iterator[None]:
        """Run a block as new work in this thread."""
        self.admit(subject, units)
        begun = self._cpu()
        try:
            yield
        finally:
            self.settle(subject, units, self._cpu() - begun)

    async def do(self, subject: str, work: Work[T]) -> T:
        """Do a piece of work for a principal, here or in the thread; raises Refused where nothing is left for it."""
        if not work.short:
            return await self._aside(subject, work)
        with self.metered(subject, work.units):
            result = work.make()
        work.keep(result)
        return result

    async def _aside(self, subject: str, work: Work[T]) -> T:
        """Do it in the thread, or wait for who does. Who stops waiting does not stop it: the turn ends when the work does."""
        if work.key in self._under_way:
            return await self._joined(work)
        await self._enter(subject)
        begun = False
        try:
            if work.key in self._under_way:
                return await self._joined(work)
            result = work.found()
            if result is not None:
                return result
            self.admit(subject, work.units)
            future = asyncio.get_running_loop().run_in_executor(self._thread, self._timed, work.make)
            begun = True
        finally:
            if not begun:
                self._leave(subject)
        self._under_way[work.key] = future
        future.add_done_callback(lambda done: self._done(subject, work, done))
        return await self._joined(work)

    async def _joined(self, work: Work[T]) -> T:
        made: _Made[T] = await asyncio.shield(self._under_way[work.key])
        return made.give()

    async def _enter(self, subject: str) -> None:
        turn = self._turns.setdefault(subject, _Turn(asyncio.Lock()))
        turn.wanted += 1
        try:
            await turn.lock.acquire()
        except asyncio.CancelledError:
            self._forget(subject)
            raise

    def _leave(self, subject: str) -> None:
        self._turns[subject].lock.release()
        self._forget(subject)

    def _forget(self, subject: str) -> None:
        turn = self._turns[subject]
        turn.wanted -= 1
        if not turn.wanted:
            del self._turns[subject]

    def _timed(self, make: Callable[[], T]) -> _Made[T]:
        begun = self._cpu()
        try:
            result = make()
        except Exception as error:  # noqa: BLE001 - it is raised where the result is awaited
            return _Made(error=error, seconds=self._cpu() - begun)
        return _Made(result=result, seconds=self._cpu() - begun)

    def _done(self, subject: str, work: Work[T], future: asyncio.Future[_Made[T]]) -> None:
        try:
            if not future.cancelled():
                made = future.result()
                self.settle(subject, work.units, made.seconds)
                if made.error is None:
                    work.keep(made.give())
        finally:
            del self._under_way[work.key]
            self._leave(subject)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made(Generic[T]):
    """What came of a piece of work, and its CPU seconds."""

    seconds: float
    result: T | None = None
    error: Exception | None = None

    def give(self) -> T:
        if self.error is not None:
            raise self.error
        return self.result  # type: ignore[return-value]  # None only beside an error, or where T has it
