"""Both databases, each started for one run in a directory of its own, and gone after it.

This process owns the embedded one; the servers attach to it by its address, as workers do. Neo4j is the server that the
tests use.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from benchmarks.errors import BenchmarkFailed
from graph.store.migrate import migrate
from graph.store.store import Store, open_store
from tests.servers.errors import ServerUnavailable
from tests.servers.neo4j_server import Neo4jServer

Product = Literal["embedded", "neo4j"]
PRODUCTS: Final[tuple[Product, ...]] = ("embedded", "neo4j")
_MIGRATE_SECONDS: Final = 120
_PING_SECONDS: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A running database, and this process's way into it."""

    product: Product
    address: str
    version: str
    store: Store


@asynccontextmanager
async def database(product: Product, directory: Path) -> AsyncIterator[Database]:
    """Run a migrated, empty database while the block runs."""
    match product:
        case "embedded":
            async with _opened(product, f"embedded:{directory / 'embedded'}") as found:
                yield found
        case "neo4j":
            try:
                server = Neo4jServer.start()
            except ServerUnavailable as error:
                raise BenchmarkFailed(f"{error}\nTo go without Neo4j: --store embedded") from error
            try:
                async with _opened(product, server.address) as found:
                    yield found
            finally:
                server.stop()


@asynccontextmanager
async def _opened(product: Product, address: str) -> AsyncIterator[Database]:
    store = await open_store(address)
    try:
        await migrate(store, deadline=time.monotonic() + _MIGRATE_SECONDS)
        version = await store.ping(deadline=time.monotonic() + _PING_SECONDS)
        yield Database(product=product, address=address, version=version, store=store)
    finally:
        await store.close()
