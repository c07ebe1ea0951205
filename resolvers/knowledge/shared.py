"""What many ask for at about the same time is made once, by whoever asks first.

No task of its own does it, so nothing goes on when nobody asks any more: where the first one leaves, the next one makes it.
"""

from __future__ import annotations

import asyncio
import contextlib
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
        self._made: TTLCache[Hashable, asyncio.Future[Any]] = TTLCache(MOST, SECONDS)

    async def get(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """Give what is being made, or make it; what fails is not kept."""
        while (found := self._made.get(key)) is not None:
            with contextlib.suppress(_Left):
                return cast("T", await asyncio.shield(found))
        future = self._made[key] = asyncio.get_running_loop().create_future()
        try:
            value = await make()
        except BaseException as error:
            if self._made.get(key) is future:
                del self._made[key]
            future.set_exception(error if isinstance(error, Exception) else _Left())
            future.exception()  # nobody else may be waiting for it
            raise
        future.set_result(value)
        return value
