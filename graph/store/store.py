"""Two databases behind one door: statements go in, rows come out, and nothing of the driver is seen on this side.

A database goes away and comes back, the embedded one at another port; transactions get in each other's way. Callers
should know of it only what they can act on: an error that says when to ask again.

Rules. 1. `deadline` is absolute, on the clock of `time.monotonic()`; nothing here invents one for a caller. 2. Whoever
stops waiting, by deadline or cancellation, stops the statement in the database too. 3. A read whose connection turns
out to be dead is asked once more; a write is done again only where it is certain that it has not happened. 4. READ
access does not keep the embedded database from writing: never pass a caller's text.
"""

from __future__ import annotations

import asyncio
import copy
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, TypeAlias, TypeVar

import structlog
from neo4j import Auth, basic_auth, bearer_auth

from graph.errors import (
    ConstraintViolated,
    Contended,
    DeadlineExceeded,
    DiskFull,
    GraphError,
    OutcomeUnknown,
    StatementFailed,
    StoreStarting,
    StoreUnavailable,
)
from graph.store.address import Credentials, EmbeddedAddress, ServerAddress, parse_address
from graph.store.embedded import EmbeddedDatabase, EmbeddedSettings, Endpoint, check_room, prepare
from graph.store.embedded_server import DATABASE
from graph.store.link import Link, Product, Transaction, Work
from graph.store.turns import Turn, Turns

__all__ = ["Product", "Run", "Store", "Transaction", "open_store"]

T = TypeVar("T")
Run: TypeAlias = Callable[[str, dict[str, object]], Awaitable[list[list[object]]]]
"""Runs a statement that reads, in a transaction or by itself."""

log = structlog.get_logger(__name__)

_MERGE_ATTEMPTS: Final = 5
"""two concurrent MERGE of one key: the loser is told of a violation, and finds the node when it looks again."""
_PAUSE_SECONDS: Final = (0.005, 0.05)
_ALIVE: Final = "RETURN COUNT { MATCH (v:SchemaVersion) RETURN v } AS data"
"""The embedded database answers for its version without its engine, so that is no sign of life."""
_OPEN_SECONDS: Final = 150.0
"""longer than a child may take to start."""


class Store:
    """An open database."""

    def __init__(self, product: Product) -> None:
        self.product: Final = product
        self.version = ""
        """empty until `ping` has been answered."""
        self._link: Link | None = None
        self._leaving: set[asyncio.Task[None]] = set()
        self._committed: set[Callable[[], None]] = set()
        self._turns = Turns()
        self._absence: GraphError = StoreStarting("The database is being started")

    async def read(self, text: str, parameters: Mapping[str, object], *, deadline: float) -> object:
        """Give the value of the only column of the only record."""
        records = await self._fetch(text, parameters, deadline)
        if len(records) != 1:
            raise StatementFailed(f"A read gave {len(records)} records instead of one")
        return records[0][0]

    async def rows(self, text: str, parameters: Mapping[str, object], *, deadline: float) -> list[list[object]]:
        """Give all rows of a statement that only reads."""
        return [list(each) for each in await self._fetch(text, parameters, deadline)]

    async def write(self, work: Work[T], *, deadline: float, quiet: bool = False) -> T:
        """Run a unit of work in one transaction, and again when another transaction was in its way.

        `quiet`: nothing is written that anybody waits for, so that nobody is woken (`heard`).

        `work` may run several times and must have no effect but through its transaction. A commit whose answer is lost
        is not repeated, since it may have happened: `OutcomeUnknown`.
        """
        outcome = await self._written(work, deadline)
        for each in () if quiet else self._committed:
            each()
        return outcome

    async def _written(self, work: Work[T], deadline: float) -> T:
        violations = losses = 0
        async with Turn(self._turns, deadline) as turn:
            while True:
                try:
                    return await self._present().attempt(work, deadline)
                except ConstraintViolated:
                    violations += 1
                    if violations == _MERGE_ATTEMPTS:
                        raise
                except Contended:
                    if time.monotonic() + _PAUSE_SECONDS[1] > deadline:
                        raise
                    await turn.again()
                    continue
                except (OutcomeUnknown, DiskFull, StoreStarting):
                    raise
                except StoreUnavailable:
                    # Nothing was committed: most often a connection that had died while it was idle.
                    losses += 1
                    if losses > 1:
                        raise
                await asyncio.sleep(random.uniform(*_PAUSE_SECONDS))  # noqa: S311 - to get out of step, not to hide

    @contextmanager
    def heard(self, committed: Callable[[], None]) -> Iterator[None]:
        """Call this after every commit of this process that is not quiet, while the block runs."""
        self._committed.add(committed)
        try:
            yield
        finally:
            self._committed.discard(committed)

    async def ping(self, *, deadline: float) -> str:
        """Ask the database whether it answers; give its version."""
        await self.read(_ALIVE, {}, deadline=deadline)
        text = "CALL dbms.components() YIELD versions RETURN versions[0] AS version"
        self.version = str(await self.read(text, {}, deadline=deadline))
        return self.version

    async def close(self) -> None:
        """Let go of the database."""
        self._absence = StoreUnavailable("The store has been closed")
        self._move(None)
        await asyncio.gather(*self._leaving, return_exceptions=True)

    async def _fetch(self, text: str, parameters: Mapping[str, object], deadline: float) -> list[Any]:
        try:
            return await self._present().fetch(text, parameters, deadline)
        except StoreUnavailable:
            # A connection that died while it was idle is found out by the first who uses it.
            return await self._present().fetch(text, parameters, deadline)

    def _present(self) -> Link:
        if self._link is None:
            raise copy.copy(self._absence)
        return self._link

    def _move(self, link: Link | None) -> None:
        """Use another link from now on. The old one may be to a server that is gone: nobody waits until it is closed."""
        old, self._link = self._link, link
        if old is not None:
            leaving = asyncio.create_task(old.close(), name="close a link")
            self._leaving.add(leaving)
            leaving.add_done_callback(self._leaving.discard)


class ServerStore(Store):
    """A Neo4j server; the driver finds it again by itself."""

    def __init__(self, address: ServerAddress, credentials: Credentials, database: str) -> None:
        super().__init__(Product.NEO4J)
        self._link = Link(Product.NEO4J, address.uri, _auth(credentials), database)


class EmbeddedStore(Store):
    """The embedded database, wherever its server is at the moment."""

    def __init__(self, address: EmbeddedAddress, settings: EmbeddedSettings) -> None:
        super().__init__(Product.ARCADEDB)
        prepare(address.directory)
        self._directory = address.directory
        self._told = asyncio.Event()
        self._database = EmbeddedDatabase(address.directory, settings, self._hear, self._answers)

    async def open(self) -> None:
        """Wait until it answers, or until it is clear that it will not."""
        self._database.start()
        try:
            async with asyncio.timeout(_OPEN_SECONDS):
                await self._told.wait()
            self._present()
        except TimeoutError as exc:
            absence = copy.copy(self._absence)
            await self.close()
            raise absence from exc
        except (GraphError, asyncio.CancelledError):
            await self.close()
            raise

    async def write(self, work: Work[T], *, deadline: float, quiet: bool = False) -> T:
        """Write as on any store; where there is no room left, say so."""
        try:
            return await super().write(work, deadline=deadline, quiet=quiet)
        except StatementFailed as exc:
            try:
                check_room(self._directory)  # the server hides its reasons from clients; the file system does not
            except DiskFull as full:
                raise full from exc
            raise

    async def close(self) -> None:
        """Let go of the database; if its server is this process's child, it has ended when this returns."""
        await self._database.close()
        await super().close()

    async def _answers(self, endpoint: Endpoint, seconds: float) -> bool:
        """Tell whether the server answers, whatever it says: over a connection of its own, since all others may be in use."""
        link = self._linked(endpoint)
        try:
            await link.fetch(_ALIVE, {}, time.monotonic() + seconds)
        except (DeadlineExceeded, StoreUnavailable):
            return False
        except Exception:  # a fault of ours must not end a server that may be well
            log.exception("the embedded database could not be asked whether it answers")
        finally:
            await link.close()
        return True

    def _linked(self, endpoint: Endpoint) -> Link:
        auth = basic_auth("root", endpoint.password)
        return Link(self.product, f"bolt://127.0.0.1:{endpoint.port}", auth, DATABASE)

    async def _hear(self, state: Endpoint | GraphError) -> None:
        if isinstance(state, Endpoint):
            self._move(self._linked(state))
        else:
            self._absence = state
            self._move(None)
        if not isinstance(state, StoreStarting):
            self._told.set()


def _auth(credentials: Credentials) -> Auth | None:
    if credentials.bearer:
        return bearer_auth(credentials.bearer)
    return basic_auth(credentials.user, credentials.password) if credentials.user else None


async def open_store(
    address: str,
    *,
    credentials: Credentials | None = None,
    database: str = DATABASE,
    embedded: EmbeddedSettings | None = None,
) -> Store:
    """Open the database at `embedded:DIR`, `bolt://HOST:PORT` or `neo4j+s://HOST`.

    The embedded one is there when this returns. A server is not asked: it may be away, and is used when it is back;
    `Store.ping` tells. Whether they fit this program is for `graph.store.migrate` to say.
    """
    match parse_address(address):
        case EmbeddedAddress() as place:
            store = EmbeddedStore(place, embedded or EmbeddedSettings())
            await store.open()
            return store
        case ServerAddress() as server:
            return ServerStore(server, credentials or Credentials(), database)
