"""Two gateways over one database: who was cut off by the one comes back to the other, and nothing tells them apart."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from gateway.auth.minting import LocalIssuer
from tests.faults import meter
from tests.faults.processes import WORKERS, Gateway, Kill, Victim, free_port
from tests.faults.sources import NAMES
from tests.faults.wire import Wire, wired


@dataclass(frozen=True, slots=True, kw_only=True)
class Replicas:
    """The one that everybody tells of what happens, with workers; and one of a single process, for subscribers."""

    first: Gateway
    second: Gateway
    ways: tuple[Wire, Wire]
    """by which subscribers reach them."""

    @property
    def directory(self) -> Path | None:
        """The directory of the embedded database."""
        return self.first.directory

    def trouble(self, chance: Random) -> None:
        """Trouble the network between subscribers and us for a while."""
        for each in self.ways:
            each.trouble(chance.choice((0.0, 0.0, 0.02, 0.08)), chance.randrange(1_000_000))

    def behave(self) -> None:
        """Trouble it no more."""
        for each in self.ways:
            each.trouble(0.0, 0)

    async def until_ready(self, seconds: float) -> float:
        """Wait until both answer and have their database; give how long that took, or raise TimeoutError."""
        return max(await asyncio.gather(self.first.until_ready(seconds), self.second.until_ready(seconds)))

    async def kill(self, victim: Victim, pick: float, seconds: float) -> Kill:
        """Kill one; `pick`, from 0 to 1, says which of several. Of supervisors, half are the second gateway."""
        among = self.second if victim is Victim.SUPERVISOR and pick < 1 / 2 else self.first
        return await among.kill(victim, pick, seconds)


@asynccontextmanager
async def replicas(
    store: str, directory: Path, issuer: LocalIssuer, systems: Mapping[str, str]
) -> AsyncIterator[Replicas]:
    """Run both while the block runs, each with a network before it; `systems` are the settings of those around them."""
    settings = {
        "TRUNKLINE_STORE": store,
        "TRUNKLINE_STORE_HEAP_MEGABYTES": "512",
        "TRUNKLINE_ISSUERS": json.dumps([issuer.settings().model_dump(mode="json")]),
        "TRUNKLINE_SYSTEMS": json.dumps({name: {"sources": [name]} for name in (*NAMES, meter.NAME)}),
        "TRUNKLINE_REOPEN_SECONDS": "86400",
        "TRUNKLINE_CONNECTIONS_PER_ADDRESS": str(_CONNECTIONS),
        **systems,
    }
    first = _gateway(store, directory / "gateway.log", settings, WORKERS)
    second = _gateway(store, directory / "second.log", settings, 1)
    async with wired(first.address) as to_first, wired(second.address) as to_second:
        first.begin()
        second.begin()
        try:
            yield Replicas(first=first, second=second, ways=(to_first, to_second))
        finally:
            await asyncio.gather(first.end(), second.end())


_CONNECTIONS: Final = 2_000
"""of one address: all of this machine."""


def _gateway(store: str, log: Path, settings: Mapping[str, str], count: int) -> Gateway:
    port = free_port()
    kind, _, directory = store.partition(":")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TRUNKLINE_")}
    return Gateway(
        address=f"http://127.0.0.1:{port}",
        environment={**kept, **settings, "TRUNKLINE_LISTEN": f"127.0.0.1:{port}"},
        directory=Path(directory) if kind == "embedded" else None,
        log=log,
        count=count,
    )
