"""A hundred clients who ask the same at the same time make a hundred requests to a subgraph where one would do.

`Sharing` lets those who ask a question that is under way wait for its answer. Questions are the same only if everything
that is sent is, and if the same principal asks, so that one caller's answer never reaches another. Who waits may leave; the
question is dropped when nobody waits any more.

Each caller waits until its own deadline. A question may have a `Deadline` too: whoever joins moves it to its own if that is
later, so that the work lives as long as its longest waiter.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


class Deadline:
    """When work must have ended, by time.monotonic(); it can be moved to later while the work goes on."""

    def __init__(self, at: float) -> None:
        self.at = at
        self._enforced: asyncio.Timeout | None = None

    def extend(self, at: float) -> None:
        """Move it, unless it is later already."""
        if at > self.at:
            self.at = at
            if self._enforced is not None and not self._enforced.expired():
                self._enforced.reschedule(self._by_the_loop())

    @asynccontextmanager
    async def enforced(self) -> AsyncIterator[None]:
        """Raise TimeoutError in the block once it has passed. One block at a time."""
        async with asyncio.timeout_at(self._by_the_loop()) as timeout:
            self._enforced = timeout
            try:
                yield
            finally:
                self._enforced = None

    def _by_the_loop(self) -> float:
        return asyncio.get_running_loop().time() + self.at - time.monotonic()


@dataclass(slots=True)
class _Question(Generic[T]):
    task: asyncio.Task[T]
    deadline: Deadline | None
    waiting: int = 0


class Sharing(Generic[T]):
    """The questions under way."""

    def __init__(self) -> None:
        self._questions: dict[Hashable, _Question[T]] = {}

    async def ask(self, key: Hashable, make: Callable[[], Awaitable[T]], deadline: Deadline | None = None) -> T:
        """Ask, or wait for the answer to the same question; TimeoutError once the caller's deadline has passed.

        `make` answers, within `deadline`, which those who join may move.
        """
        own = None if deadline is None else deadline.at
        question = self._joined(key, make, deadline)
        question.waiting += 1
        late = False
        try:
            async with asyncio.timeout(None if own is None else own - time.monotonic()) as waited:
                return await asyncio.shield(question.task)
        except TimeoutError:
            late = waited.expired()
            raise
        finally:
            question.waiting -= 1
            if not question.waiting:
                self._forget(key, question)
                if not late:  # else it ends by its own deadline, and can tell that from being called off
                    question.task.cancel()

    def _joined(self, key: Hashable, make: Callable[[], Awaitable[T]], deadline: Deadline | None) -> _Question[T]:
        question = self._questions.get(key)
        if question is None or question.task.done():
            question = self._questions[key] = _Question(asyncio.create_task(_awaited(make)), deadline)
            question.task.add_done_callback(lambda _: self._forget(key, question))
        elif deadline is not None and question.deadline is not None:
            question.deadline.extend(deadline.at)
        return question

    def _forget(self, key: Hashable, question: _Question[T]) -> None:
        if self._questions.get(key) is question:
            del self._questions[key]


async def _awaited(make: Callable[[], Awaitable[T]]) -> T:
    return await make()
