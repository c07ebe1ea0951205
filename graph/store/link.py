"""One endpoint of a database, and one statement or one transaction over it, with an end that is certain.

The same official driver speaks to both databases. Whoever stops waiting, by deadline or cancellation, makes it cut the
connection, and both databases end a statement whose client is gone (the embedded one by `embedded_abandoned.py`). Neo4j is
told the deadline as well.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeVar, cast

from neo4j import READ_ACCESS, WRITE_ACCESS, AsyncGraphDatabase, AsyncTransaction, Auth, Query
from neo4j import NotificationMinimumSeverity as Severity
from neo4j.api import AsyncBookmarkManager
from neo4j.exceptions import ConfigurationError, DriverError, Neo4jError

from graph.errors import DeadlineExceeded, GraphError, OutcomeUnknown, StoreMisconfigured, StoreUnavailable
from graph.store.faults import fault_of
from graph.store.joined import joined, joined_parameters
from graph.store.session import Openings, open_session, session_config

T = TypeVar("T")

# The driver reports a lost connection on standard error too, where nobody has set up logging; it is in our error.
logging.getLogger("neo4j").addHandler(logging.NullHandler())

_CONNECT_SECONDS: Final = 5.0
_CLOSE_SECONDS: Final = 5.0
_ROUTED: Final = ("neo4j:", "neo4j+s:", "neo4j+ssc:")
_SHORTEST_SECONDS: Final = 0.001
"""0 would mean no limit."""


class Product(enum.Enum):
    """Which database it is."""

    NEO4J = "neo4j"
    ARCADEDB = "arcadedb"


class Transaction:
    """What a unit of work runs its statements in."""

    def __init__(self, inner: AsyncTransaction) -> None:
        self._inner = inner
        self._later: list[tuple[str, Mapping[str, object]]] = []

    def later(self, text: str, parameters: Mapping[str, object]) -> None:
        """Run a statement that returns nothing before the next one that is run, or before the commit.

        All that wait go to the database as one.
        """
        self._later.append((text, parameters))

    async def settle(self) -> None:
        """Run what waits."""
        if self._later:
            texts, parameters = zip(*self._later, strict=True)
            self._later.clear()
            await self._run(joined(texts), joined_parameters(parameters))

    async def run(self, text: str, parameters: Mapping[str, object]) -> list[list[object]]:
        """Run one statement; give its rows."""
        await self.settle()
        return await self._run(text, parameters)

    async def _run(self, text: str, parameters: Mapping[str, object]) -> list[list[object]]:
        try:
            result = await self._inner.run(text, dict(parameters))
            return await result.values()
        except (Neo4jError, DriverError) as exc:
            raise fault_of(exc) from exc


Work = Callable[[Transaction], Awaitable[T]]


class Link:
    """A driver for one endpoint. `close` it."""

    def __init__(self, product: Product, uri: str, auth: Auth | None, database: str) -> None:
        self._product = product
        self._driver = _driver(uri, auth)
        self._openings = Openings(self._driver, _CONNECT_SECONDS)
        bookmarks = _bookmarks(uri)
        self._reading = session_config(self._driver, READ_ACCESS, database, bookmarks)
        self._writing = session_config(self._driver, WRITE_ACCESS, database, bookmarks)

    async def fetch(self, text: str, parameters: Mapping[str, object], deadline: float) -> list[Any]:
        """Run one statement that only reads, as a transaction of its own; give its records."""
        before = _cancellations()
        try:
            return await self._fetch(text, parameters, deadline)
        finally:
            _end_if_cancelled(before)

    async def attempt(self, work: Work[T], deadline: float) -> T:
        """Run a unit of work in one transaction, once."""
        before = _cancellations()
        try:
            return await self._attempt(work, deadline)
        finally:
            _end_if_cancelled(before)

    async def _fetch(self, text: str, parameters: Mapping[str, object], deadline: float) -> list[Any]:
        session = open_session(self._driver, self._reading)
        try:
            async with asyncio.timeout_at(deadline), session:
                result = await session.run(self._query(text, deadline), cast("dict[str, Any]", parameters))
                return [record async for record in result]
        except TimeoutError as exc:
            raise DeadlineExceeded("The database did not answer in time") from exc
        except (Neo4jError, DriverError) as exc:
            raise fault_of(exc) from exc

    async def _attempt(self, work: Work[T], deadline: float) -> T:
        session = open_session(self._driver, self._writing)
        committing = False
        try:
            async with asyncio.timeout_at(deadline), session:
                inner = await session.begin_transaction(timeout=self._seconds_left(deadline))
                transaction = Transaction(inner)
                outcome = await work(transaction)
                await transaction.settle()
                committing = True
                await inner.commit()
                return outcome
        except TimeoutError as exc:
            raise _unanswered(committing=committing) from exc
        except Neo4jError as exc:
            raise fault_of(exc) from exc
        except DriverError as exc:
            fault = fault_of(exc)
            lost = committing and isinstance(fault, StoreUnavailable)
            raise (_unanswered(committing=True) if lost else fault) from exc

    async def close(self) -> None:
        """Close all connections; those to a server that is gone may never say that they are, and are left then."""
        with contextlib.suppress(TimeoutError, DriverError, Neo4jError, OSError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._driver.close()
                await self._openings.ended()

    def _query(self, text: str, deadline: float) -> Query:
        return Query(text, timeout=self._seconds_left(deadline))

    def _seconds_left(self, deadline: float) -> float | None:
        if self._product is Product.NEO4J:
            return max(deadline - time.monotonic(), _SHORTEST_SECONDS)
        return None  # the embedded database ignores it


def _cancellations() -> int:
    task = asyncio.current_task()
    return task.cancelling() if task else 0


def _end_if_cancelled(before: int) -> None:
    """End a task that was cancelled meanwhile, also where that went down in the driver, or became another error there.

    Whoever asks in a loop would go on for ever otherwise. A task that had been cancelled before may still tidy up.
    """
    if _cancellations() > before:
        raise asyncio.CancelledError


def _bookmarks(uri: str) -> AsyncBookmarkManager | None:
    """Make what carries, from each statement to the next, how far the database had come; None where one server answers all.

    Where reads are routed to replicas, one may be behind what was written, or read from another, a moment ago. It waits
    until it has come as far as the bookmarks say. They are of this link, that is of this process.
    """
    return AsyncGraphDatabase.bookmark_manager() if uri.startswith(_ROUTED) else None


def _driver(uri: str, auth: Auth | None) -> Any:
    try:
        return AsyncGraphDatabase.driver(
            uri,
            auth=auth,
            connection_timeout=_CONNECT_SECONDS,
            notifications_min_severity=Severity.OFF,
            warn_notification_severity=Severity.OFF,
            telemetry_disabled=True,
            user_agent="trunkline",
        )
    except (ConfigurationError, ValueError) as exc:
        raise StoreMisconfigured(f"The driver cannot use the address of the store: {exc}") from exc


def _unanswered(*, committing: bool) -> GraphError:
    if committing:
        return OutcomeUnknown("The answer to a commit was lost", hint="Ask again with the same idempotency key")
    return DeadlineExceeded("The database did not answer in time")
