"""One history: a network is loaded, alarms flow, processes are killed at random moments, and then it must all be right.

Who is killed and when, how the ticketing system misbehaves and what breaks in the network is drawn from the seed; what
the machine makes of it is not, so that a seed gives a similar history and not the same one.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

from pydantic import SecretStr

from adapters.northbound.alarms import BASE
from gateway.minting import LocalIssuer, local_issuer
from graph.address import Credentials
from graph.errors import GraphError
from graph.load import load_topology
from graph.migrate import migrate
from graph.store import Store, open_store
from tests.conftest import wipe
from tests.faults.checker import SYSTEM, Violation, violations
from tests.faults.evidence import gathered, untold
from tests.faults.network import SCALE, TOPOLOGY, network_of
from tests.faults.processes import Desk, Gateway, Kill, Victim, desk, free_port, server_of
from tests.faults.sources import NAMES, sources
from tests.faults.takeover import takeovers
from tests.faults.wire import Wire, wired

_UP_SECONDS: Final = 120.0
_QUIET_SECONDS: Final = 240.0
_LOOK_SECONDS: Final = 0.3
REQUEST_SECONDS: Final = 2.0
PROCESSING_SECONDS: Final = 4.0
_SLOW_SECONDS: Final = (0.1, 2.6)
"""within the processing time, and not always within that of a request."""
_BAD: Final = ("slow", "silent", "truncated", "error", "unavailable", "down")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a history takes place."""

    store: str
    """`embedded:DIR`, or the address of a server that is not killed."""
    directory: Path
    """for all files of it."""

    @property
    def embedded(self) -> Path | None:
        """The directory of the embedded database."""
        kind, _, rest = self.store.partition(":")
        return Path(rest) if kind == "embedded" else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of one history."""

    seed: str
    kills: dict[str, int]
    alarms: int
    acknowledged: int
    repeated: int
    tickets: int
    deliveries: int
    received: int
    takeovers: dict[str, list[float]]
    """seconds from a death until all lanes of who died had another owner, by who was killed."""
    wire: dict[str, int]
    """how often the network between us and the ticketing system made which trouble."""
    violations: list[str]
    seconds: float


Say = Callable[[str], None]


async def play(place: Place, *, seed: str, kills: int, say: Say) -> Result:
    """Let it happen, and look at what is left."""
    began = time.monotonic()
    await _load(place.store, _number(seed))
    network = network_of(seed=_number(seed))
    async with AsyncExitStack() as stack:
        system = desk(place.directory)
        stack.callback(system.end)
        wire = await stack.enter_async_context(wired(system.address))
        gateway, issuer = _gateway(place, wire.address)
        stack.push_async_callback(gateway.end)
        gateway.begin()
        say(f"up in {await gateway.until_ready(_UP_SECONDS):.1f} s")
        tokens = {name: SecretStr(issuer.token(subject=name, role=f"system:{name}")) for name in NAMES}
        told = await sources(stack, f"{gateway.address}{BASE}", tokens, network, seed)
        told.begin()
        stack.push_async_callback(told.drop)
        done = await _kill(gateway, Between(system=system, wire=wire), Random(seed), kills, say)
        await told.end()
        await system.misbehave(())
        wire.trouble(0.0, 0)
        store = await stack.enter_async_context(_looking(gateway, place))
        problems = await _until_quiet(store)
        evidence = await gathered(store, system, network, told.remembered)
        found = [*problems, *violations(evidence)]
        await stack.aclose()
    return Result(
        seed=seed,
        kills=dict(Counter(each.victim.value for each in done)),
        alarms=len(evidence.alarms),
        acknowledged=told.acknowledged,
        repeated=told.repeated,
        tickets=len(evidence.held),
        deliveries=len(evidence.deliveries),
        received=len(evidence.journal),
        takeovers=takeovers(gateway.log, done),
        wire=dict(sorted(wire.met.items())),
        violations=[str(each) for each in found],
        seconds=round(time.monotonic() - began, 1),
    )


def _number(seed: str) -> int:
    return Random(seed).randrange(1_000_000)


async def _load(address: str, seed: int) -> None:
    store = await open_store(address)
    try:
        await migrate(store, deadline=time.monotonic() + _UP_SECONDS)
        await wipe(store)
        await load_topology(
            store,
            topology=TOPOLOGY,
            scale=SCALE,
            seed=seed,
            progress=lambda *_: None,
            deadline=time.monotonic() + _UP_SECONDS,
        )
    finally:
        await store.close()


def _gateway(place: Place, address: str) -> tuple[Gateway, LocalIssuer]:
    issuer = local_issuer(place.directory / "issuer.json")
    port = free_port()
    ticketing: dict[str, Any] = {
        "address": address,
        "name": SYSTEM,
        "poll_seconds": 5.0,
        "request_seconds": REQUEST_SECONDS,
        "processing_seconds": PROCESSING_SECONDS,
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TRUNKLINE_")}
    settings = {
        "TRUNKLINE_STORE": place.store,
        "TRUNKLINE_STORE_HEAP_MEGABYTES": "512",
        "TRUNKLINE_LISTEN": f"127.0.0.1:{port}",
        "TRUNKLINE_ISSUERS": json.dumps([issuer.settings().model_dump(mode="json")]),
        "TRUNKLINE_SYSTEMS": json.dumps({name: {"sources": [name]} for name in NAMES}),
        "TRUNKLINE_TICKETING": json.dumps(ticketing),
        "TRUNKLINE_REOPEN_SECONDS": "86400",
    }
    gateway = Gateway(
        address=f"http://127.0.0.1:{port}",
        environment={**kept, **settings},
        directory=place.embedded,
        log=place.directory / "gateway.log",
    )
    return gateway, issuer


@dataclass(frozen=True, slots=True, kw_only=True)
class Between:
    """The ticketing system, and the way to it."""

    system: Desk
    wire: Wire


async def _kill(gateway: Gateway, between: Between, chance: Random, count: int, say: Say) -> list[Kill]:
    """Kill so many, one after the other: mostly when all is up again, now and then while it is coming back."""
    done: list[Kill] = []
    for number, victim in enumerate(_victims(chance, count, database=gateway.directory is not None), 1):
        await between.system.misbehave(_rules(chance))
        between.wire.trouble(chance.choice((0.0, 0.02, 0.08)), chance.randrange(1_000_000))
        await asyncio.sleep(chance.uniform(0.3, 2.0))
        if chance.random() < 0.6:
            await gateway.until_ready(_UP_SECONDS)
            await asyncio.sleep(chance.uniform(0.0, 2.0))
        done.append(await gateway.kill(victim, chance.random(), _UP_SECONDS))
        say(f"kill {number} of {count}: {done[-1].victim} {done[-1].process}")
    await gateway.until_ready(_UP_SECONDS)
    return done


def _victims(chance: Random, count: int, *, database: bool) -> list[Victim]:
    """Draw who is killed; at most a third of them are the database."""
    databases = chance.randint(count // 6, count // 3) if database else 0
    gateways = [chance.choice((Victim.SUPERVISOR, Victim.WORKER)) for _ in range(count - databases)]
    return chance.sample([Victim.DATABASE] * databases + gateways, count)


def _rules(chance: Random) -> list[dict[str, object]]:
    """Draw how the ticketing system misbehaves for a while."""
    kinds = chance.sample(_BAD, chance.randint(1, 3))
    return [
        {
            "kind": kind,
            "probability": chance.uniform(0.02, 0.15),
            "seconds": round(chance.uniform(*_SLOW_SECONDS), 2) if kind == "slow" else 0.0,
            "seed": chance.randrange(1_000_000),
        }
        for kind in kinds
    ]


@asynccontextmanager
async def _looking(gateway: Gateway, place: Place) -> AsyncIterator[Store]:
    """Look into the database as one more client of it: whoever opened it as an owner could become its parent."""
    if place.embedded is None:
        store = await open_store(place.store)
    else:
        await gateway.until_ready(_UP_SECONDS)
        where = server_of(place.embedded)
        assert where is not None, "it was ready"
        credentials = Credentials(user="root", password=where["password"], bearer="")
        store = await open_store(f"bolt://127.0.0.1:{where['port']}", credentials=credentials)
    try:
        yield store
    finally:
        await store.close()


async def _until_quiet(store: Store) -> list[Violation]:
    """Wait until nothing waits to be told any more; it is a violation if that never comes."""
    end = time.monotonic() + _QUIET_SECONDS
    while time.monotonic() < end:
        with contextlib.suppress(GraphError):
            if await untold(store) == 0:
                return []
        await asyncio.sleep(_LOOK_SECONDS)
    return [Violation(rule="quiet", about="deliveries", what=f"not all told within {_QUIET_SECONDS:.0f} s")]
