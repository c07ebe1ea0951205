"""A hundred clients who ask the same at the same time make a hundred requests to a subgraph where one would do.

`Sharing` lets those who ask a question that is under way wait for its answer. Questions are the same only if everything
that is sent is, and if the same principal asks, so that one caller's answer never reaches another. Who waits may leave; the
question is dropped when nobody waits any more.

Each caller waits until its own deadline. A question may have a `Deadline` too: whoever joins moves it to its own if that is
later, so that the work lives as long as its longest waiter. Work that ends by itself at a fixed time says so instead (`ends`).
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from types import TracebackType
from typing import Generic, TypeVar

T = TypeVar("T")


class Deadline:
    """When work must have ended, by time.monotonic(); it can be moved to later while the work goes on."""

    def __init__(self, at: float) -> None:
        self.at = at
        self._enforced: _Enforced | None = None

    def extend(self, at: float) -> None:
        """Move it, unless it is later already."""
        if at > self.at:
            self.at = at
            if self._enforced is not None:
                self._enforced.reschedule()

    def enforced(self, latest: float = math.inf) -> _Enforced:
        """Raise TimeoutError in the block once it has passed, or once it is `latest`, which does not move. One block at a time."""
        self._enforced = _Enforced(self, latest)
        return self._enforced

    def left(self) -> None:
        """Enforce it no more."""
        self._enforced = None


class _Enforced:
    """A block that ends in time: every request to a subgraph has one, so it is no generator."""

    def __init__(self, deadline: Deadline, latest: float) -> None:
        self._deadline = deadline
        self._latest = latest
        self._timeout = asyncio.timeout_at(self._by_the_loop())

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._deadline.left()
        await self._timeout.__aexit__(kind, error, trace)

    def reschedule(self) -> None:
        """Go by where the deadline is now."""
        if not self._timeout.expired():
            self._timeout.reschedule(self._by_the_loop())

    def _by_the_loop(self) -> float:
        return asyncio.get_running_loop().time() + min(self._deadline.at, self._latest) - time.monotonic()


@dataclass(slots=True)
class _Question(Generic[T]):
    task: asyncio.Task[T]
    deadline: Deadline | None
    ends: float
    waiting: int = 0


class Sharing(Generic[T]):
    """The questions under way."""

    def __init__(self) -> None:
        self._questions: dict[Hashable, _Question[T]] = {}

    def ends(self, key: Hashable, *, otherwise: float) -> float:
        """Tell when a question that is under way ends by itself, by time.monotonic()."""
        question = self._under_way(key)
        return otherwise if question is None else question.ends

    async def ask(
        self,
        key: Hashable,
        make: Callable[[], Awaitable[T]],
        deadline: Deadline | None = None,
        *,
        ends: float = math.inf,
    ) -> T:
        """Ask, or wait for the answer to the same question; TimeoutError once the caller's deadline has passed.

        `make` answers, within `deadline`, which those who join may move, or at `ends`, which they cannot.
        """
        own = None if deadline is None else deadline.at
        question = self._joined(key, deadline) or self._begun(key, _Question(_task(make), deadline, ends))
        question.waiting += 1
        late = False
        try:
            late = not await _is_done(question.task, own)
            if late:
                raise TimeoutError
            return question.task.result()
        finally:
            question.waiting -= 1
            if not question.waiting:
                self._forget(key, question)
                if not late:  # else it ends by its own deadline, and can tell that from being called off
                    question.task.cancel()

    def _under_way(self, key: Hashable) -> _Question[T] | None:
        question = self._questions.get(key)
        return None if question is None or question.task.done() else question

    def _joined(self, key: Hashable, deadline: Deadline | None) -> _Question[T] | None:
        question = self._under_way(key)
        if question is not None and question.deadline is not None and deadline is not None:
            question.deadline.extend(deadline.at)
        return question

    def _begun(self, key: Hashable, question: _Question[T]) -> _Question[T]:
        self._questions[key] = question
        question.task.add_done_callback(lambda _: self._forget(key, question))
        return question

    def _forget(self, key: Hashable, question: _Question[T]) -> None:
        if self._questions.get(key) is question:
            del self._questions[key]


def _task(make: Callable[[], Awaitable[T]]) -> asyncio.Task[T]:
    task = asyncio.create_task(_awaited(make))
    task.add_done_callback(_retrieve)
    return task


async def _is_done(task: asyncio.Task[T], until: float | None) -> bool:
    """Wait for a task that others may wait for too, by time.monotonic(); tell whether it is done.

    Every request to a subgraph is waited for like this: a shield and a timeout around it would cost as much as its own work here.
    """
    loop = asyncio.get_running_loop()
    waiting: asyncio.Future[bool] = loop.create_future()

    def end(*_: object) -> None:
        if not waiting.done():
            waiting.set_result(True)

    task.add_done_callback(end)
    timer = None if until is None else loop.call_later(until - time.monotonic(), end)
    try:
        await waiting
    finally:
        task.remove_done_callback(end)
        if timer is not None:
            timer.cancel()
    return task.done()


def _retrieve(task: asyncio.Task[T]) -> None:
    """Look at how it ended, so that asyncio does not log an error that nobody waits for any more."""
    if not task.cancelled():
        task.exception()


async def _awaited(make: Callable[[], Awaitable[T]]) -> T:
    return await make()
