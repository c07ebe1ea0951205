"""The embedded database goes on with a statement whose client is gone, so we must know which statement was ours.

When a task is cancelled, the driver cuts the connection that the task held and forgets it. The database lists what it
runs by the client's address, and on loopback the client's port tells it from all others: `StoreSession` notes the port
at the moment in which the driver gives the connection up. This is the one place that leans on the driver's insides
(its hook for cancellation, and a session made from a configuration that was read once); a test holds it.
"""

from __future__ import annotations

from typing import Any

from neo4j import AsyncDriver, AsyncSession


class StoreSession(AsyncSession):
    """A session that remembers which connection was cut."""

    cut_port: int | None = None

    def _handle_cancellation(self, message: str = "General") -> None:
        connection: Any = self._connection
        if connection is not None:
            self.cut_port = connection.local_port
        super()._handle_cancellation(message)  # type: ignore[no-untyped-call]


def session_config(driver: AsyncDriver, access: str, database: str) -> Any:
    """Read a session's configuration once, instead of for each statement."""
    return driver._read_session_config(  # type: ignore[no-untyped-call]  # noqa: SLF001 - see above
        {
            "database": database,
            "default_access_mode": access,
            "fetch_size": -1,  # no paging: a record of nested lists comes whole
            "disable_auto_commit_retries": True,  # ours are faster, and know the deadline
        }
    )


def open_session(driver: AsyncDriver, config: Any) -> StoreSession:
    """Open a session, without a connection yet."""
    return StoreSession(driver._pool, config)  # type: ignore[no-untyped-call]  # noqa: SLF001 - see above
