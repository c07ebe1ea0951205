"""A session is opened for each statement; the driver would read its configuration anew each time.

This is the one place that leans on the driver's insides: a session made from a configuration that was read once.
"""

from __future__ import annotations

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


def open_session(driver: AsyncDriver, config: Any) -> AsyncSession:
    """Open a session, without a connection yet."""
    return AsyncSession(driver._pool, config)  # type: ignore[no-untyped-call]  # noqa: SLF001 - see above
