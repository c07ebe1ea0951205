"""What many ask for at about the same time is made once, by whoever asks first.

No task of its own does it, so nothing goes on when nobody asks any more: where the first one leaves, the next one makes it.
What was made looks up how things were then. So nobody is given what was begun before it has come itself: what it may see
could have been another.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, Final, TypeVar, cast

from cachetools import TTLCache

SECONDS: Final = 1.0
"""for which it is given to others after it was begun: what it looks up is as of now."""
MOST: Final = 2_000

T = TypeVar("T")


class _Left(Exception):
    """Whoever was making it has left."""


class Shared:
    """What is being made, and was made a moment ago, by its key."""

    def __init__(self) -> None:
        self._made: TTLCache[Hashable, tuple[float, asyncio.Future[Any]]] = TTLCache(MOST, SECONDS)

    async def get(self, key: Hashable, make: Callable[[], Awaitable[T]], *, since: float) -> T:
        """Give what was begun after `since` (`time.monotonic()`), or make it; what fails is not kept."""
        while (found := self._made.get(key)) is not None and found[0] >= since:
            if found[1].done():  # what failed is not kept
                return cast("T", found[1].result())
            with contextlib.suppress(_Left):
                return cast("T", await asyncio.shield(found[1]))
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        mine = self._made[key] = (time.monotonic(), future)
        try:
            value = await make()
        except BaseException as error:
            if self._made.get(key) is mine:
                del self._made[key]
            future.set_exception(error if isinstance(error, Exception) else _Left())
            future.exception()  # nobody else may be waiting for it
            raise
        future.set_result(value)
        return value
