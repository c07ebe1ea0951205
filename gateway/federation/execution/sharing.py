"""A hundred clients who ask the same at the same time make a hundred requests to a subgraph where one would do.

`Sharing` lets those who ask a question that is under way wait for its answer. Questions are the same only if everything
that is sent is: the text, the variables and the headers that go on, so that one caller's answer never reaches another
whom the subgraph knows by other headers. Who waits may leave; the question is dropped when nobody waits any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class _Question(Generic[T]):
    task: asyncio.Task[T]
    waiting: int


class Sharing(Generic[T]):
    """The questions under way."""

    def __init__(self) -> None:
        self._questions: dict[Hashable, _Question[T]] = {}

    async def ask(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """Ask, or wait for the answer to the same question."""
        question = self._questions.get(key)
        if question is None:
            question = _Question(asyncio.create_task(_awaited(make)), 0)
            self._questions[key] = question
            question.task.add_done_callback(lambda _: self._forget(key, question))
        question.waiting += 1
        try:
            return await asyncio.shield(question.task)
        finally:
            question.waiting -= 1
            if not question.waiting and not question.task.done():
                self._forget(key, question)
                question.task.cancel()

    def _forget(self, key: Hashable, question: _Question[T]) -> None:
        if self._questions.get(key) is question:
            del self._questions[key]


async def _awaited(make: Callable[[], Awaitable[T]]) -> T:
    return await make()
