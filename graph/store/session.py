"""A session is opened for each statement; the driver would read its configuration anew each time.

This is the one place that leans on the driver's insides: a session made from a configuration that was read once, one that is
closed to the end, and a connection that is opened to the end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any

from neo4j import AsyncDriver, AsyncSession
from neo4j.api import AsyncBookmarkManager


def session_config(driver: AsyncDriver, access: str, database: str, bookmarks: AsyncBookmarkManager | None) -> Any:
    """Read a session's configuration once, instead of for each statement; sessions share the bookmarks."""
    return driver._read_session_config(  # type: ignore[no-untyped-call]  # noqa: SLF001 - see above
        {
            "database": database,
            "default_access_mode": access,
            "fetch_size": -1,  # no paging: a record of nested lists comes whole
            "bookmark_manager": bookmarks,
            "disable_auto_commit_retries": True,  # ours are faster, and know the deadline
        }
    )


class Session(AsyncSession):
    """A session that is closed when its block has ended, also where the closing is cancelled.

    The driver (6.4) lets go of the connection then, and forgets to say that the session is closed: it warns of a session that
    nobody has closed when that is collected.
    """

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close it; where that is cancelled, cut the connection."""
        try:
            await super().__aexit__(kind, error, traceback)  # type: ignore[no-untyped-call]
        except asyncio.CancelledError:
            self.cancel()
            self._closed = True
            raise


def open_session(driver: AsyncDriver, config: Any) -> Session:
    """Open a session, without a connection yet."""
    return Session(driver._pool, config)  # type: ignore[no-untyped-call]  # noqa: SLF001 - see above


class Openings:
    """Opens a driver's connections, and leaves nothing behind where whoever asked for one waits no more.

    The driver (6.4) leaves the socket of a connection to the garbage collector if it is cancelled before the socket is
    connected. So an opening is a task of its own: it is cancelled only when it must be connected by then, and a connection
    that nobody waits for any more is closed.
    """

    def __init__(self, driver: AsyncDriver, connected_after: float) -> None:
        """Take the driver and its `connection_timeout`, in seconds."""
        self._connected_after = connected_after
        self._open: Callable[..., Awaitable[Any]] = driver._pool.opener  # noqa: SLF001 - see above
        self._under_way: set[asyncio.Task[Any]] = set()
        driver._pool.opener = self._opened  # noqa: SLF001 - see above

    async def ended(self) -> None:
        """Wait until no connection is being opened."""
        if self._under_way:
            await asyncio.wait(self._under_way)

    async def _opened(self, *arguments: object) -> Any:
        opening = asyncio.ensure_future(self._open(*arguments))
        self._under_way.add(opening)
        opening.add_done_callback(self._under_way.discard)
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            asyncio.get_running_loop().call_later(self._connected_after, opening.cancel)
            opening.add_done_callback(_kill)
            raise


def _kill(opening: asyncio.Future[Any]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().kill()
