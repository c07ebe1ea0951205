"""Work for a client that has left, or that can no longer be in time, must stop, also in the database.

ASGI tells of a client that leaves only to whoever asks, and asking means a task beside each request. Nearly all answers
are out before anyone could hang up, so a request is watched only when it has taken longer than PATIENCE: until then it
costs one timer. Whatever ends the watch cancels the task that works; the cancellation travels down to the driver and is
turned into an exception here, at the same place as in `asyncio.timeout`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Final, Self

from starlette.types import Receive

from gateway.errors import Code, Refused, refuse

PATIENCE: Final = 0.02
"""seconds before a request is watched."""
GRACE: Final = 0.5
"""seconds by which the store's own deadline comes first: its answer says more."""


class ClientGone(Exception):
    """The client closed the connection; nobody is there to be answered."""


class Watch:
    """Watch the current task's request while the block runs."""

    __slots__ = ("_deadline", "_listener", "_loop", "_receive", "_requested", "_task", "_timer", "_verdict")

    def __init__(self, receive: Receive, deadline: float | None) -> None:
        """Watch until a time of time.monotonic(), or for as long as the client is there."""
        self._receive = receive
        self._deadline = deadline
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._timer: asyncio.TimerHandle | None = None
        self._listener: asyncio.Task[None] | None = None
        self._verdict: Exception | None = None
        self._requested = 0

    def __enter__(self) -> Self:
        self._timer = self._loop.call_later(PATIENCE, self._begin)
        return self

    def _begin(self) -> None:
        if self._deadline is not None:
            left = self._deadline + GRACE - time.monotonic()
            self._timer = self._loop.call_later(left, self._end, _too_late())
        self._listener = self._loop.create_task(self._listen())

    async def _listen(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._end(ClientGone())

    def _end(self, verdict: Exception) -> None:
        if self._verdict is None and self._task is not None:
            self._verdict = verdict
            self._requested = self._task.cancelling()
            self._task.cancel()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._listener is not None:
            self._listener.cancel()
        if self._verdict is None or self._task is None:
            return
        if self._task.uncancel() <= self._requested and kind is asyncio.CancelledError:
            raise self._verdict from error


@asynccontextmanager
async def in_time(deadline: float) -> AsyncIterator[None]:
    """End the block at the deadline (`time.monotonic()`) as a `Watch` does, where nobody tells whether the client is there."""
    try:
        async with asyncio.timeout(deadline + GRACE - time.monotonic()) as running:
            yield
    except TimeoutError as error:
        if running.expired():
            raise _too_late() from error
        raise


def _too_late() -> Refused:
    return refuse(Code.DEADLINE_EXCEEDED, "The deadline has passed.")
