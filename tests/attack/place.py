"""An attack needs something to attack: a loaded database, a gateway as it is in earnest, and the tokens of two customers."""

from __future__ import annotations

import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from gateway.auth.minting import local_issuer
from graph.load import load_topology
from graph.store.migrate import migrate
from graph.store.store import Store, open_store
from tests.conftest import wipe
from tests.faults.processes import Gateway, free_port
from tests.servers.neo4j_server import Neo4jServer

Product = Literal["embedded", "neo4j"]
_UP_SECONDS: Final = 180.0
_LOAD_SECONDS: Final = 600.0
_CUSTOMERS: Final = """
MATCH (c:Customer)-[:SUBSCRIBES_TO]->(s:Service)
WITH c.id AS id, count(s) AS services
RETURN id, services ORDER BY services DESC, id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """Somebody with a token."""

    id: str
    token: str
    services: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A gateway that serves."""

    gateway: Gateway
    attacker: Customer
    """the one with most services."""
    witness: Customer
    """one with few."""

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.gateway.address.rpartition(":")[2])

    def processes(self) -> dict[str, list[int]]:
        """Name what is running now, by kind."""
        database = self.gateway.database()
        return {"gateway": self.gateway.workers(), "database": [database] if database else []}


@asynccontextmanager
async def attacked(product: Product, directory: Path, *, scale: int, seconds: float) -> AsyncIterator[Place]:
    """Load a network and serve it while the block runs."""
    server = Neo4jServer.start() if product == "neo4j" else None
    try:
        address = server.address if server else f"embedded:{directory / 'graph'}"
        found = await _loaded(address, scale)
        issuer = local_issuer(directory / "issuer.json")
        port = free_port()
        settings = {
            "TRUNKLINE_STORE": address,
            "TRUNKLINE_LISTEN": f"127.0.0.1:{port}",
            "TRUNKLINE_ISSUERS": json.dumps([issuer.settings().model_dump(mode="json")]),
        }
        gateway = Gateway(
            address=f"http://127.0.0.1:{port}",
            environment={**{k: v for k, v in os.environ.items() if not k.startswith("TRUNKLINE_")}, **settings},
            directory=None if server else directory / "graph",
            log=directory / "gateway.log",
        )
        gateway.begin()
        try:
            await gateway.until_ready(_UP_SECONDS)
            first, last = found[0], found[-1]
            customers = [
                Customer(
                    id=id_,
                    services=services,
                    token=issuer.token(subject=id_, role="customer", customers=(id_,), seconds=int(seconds) + 3_600),
                )
                for id_, services in (first, last)
            ]
            yield Place(gateway=gateway, attacker=customers[0], witness=customers[1])
        finally:
            await gateway.end()
    finally:
        if server:
            server.stop()


async def _loaded(address: str, scale: int) -> list[tuple[str, int]]:
    """Load a network; give the customers with the number of their services, most first."""
    store: Store = await open_store(address)
    until = time.monotonic() + _LOAD_SECONDS
    try:
        await migrate(store, deadline=until)
        await wipe(store)
        await load_topology(store, scale=scale, seed=1, progress=lambda *_: None, deadline=until)
        rows = await store.rows(_CUSTOMERS, {}, deadline=until)
    finally:
        await store.close()
    return [(str(id_), int(str(services))) for id_, services in rows]
