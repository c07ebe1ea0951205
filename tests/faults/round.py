"""One history: a network is loaded, alarms flow, processes are killed at random moments, and then it must all be right.

Who is killed and when, how the other systems misbehave and what breaks in the network is drawn from the seed; what the
machine makes of it is not, so that a seed gives a similar history and not the same one.
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
from typing import Final

from gateway.auth.minting import LocalIssuer, local_issuer
from graph.errors import GraphError
from graph.load import load_topology
from graph.store.address import Credentials
from graph.store.migrate import migrate
from graph.store.store import Store, open_store
from tests.conftest import wipe
from tests.faults import meter
from tests.faults.checker import Violation, violations
from tests.faults.equipment import equipment_of
from tests.faults.evidence import gathered
from tests.faults.kept import untold
from tests.faults.network import SCALE, TOPOLOGY, network_of
from tests.faults.people import people
from tests.faults.processes import Gateway, Kill, Victim, free_port, server_of
from tests.faults.sources import NAMES
from tests.faults.systems import INVENTORY, Systems, systems
from tests.faults.takeover import takeovers

_UP_SECONDS: Final = 120.0
_QUIET_SECONDS: Final = 240.0
_LOOK_SECONDS: Final = 0.3


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
    acknowledged: int
    """what those who told the gateway of anything were told is heard."""
    repeated: int
    alarms: int
    tickets: int
    usage: int
    downtime: int
    settled: int
    deliveries: int
    received: dict[str, int]
    """changes that each system acted upon."""
    takeovers: dict[str, list[float]]
    """seconds from a death until all lanes of who died had another owner, by who was killed."""
    wire: dict[str, int]
    """how often the network between us and the other systems made which trouble."""
    violations: list[str]
    seconds: float


Say = Callable[[str], None]


async def play(place: Place, *, seed: str, kills: int, say: Say) -> Result:
    """Let it happen, and look at what is left."""
    began = time.monotonic()
    await _load(place.store, _number(seed))
    network, equipment = network_of(seed=_number(seed)), equipment_of(seed=_number(seed))
    async with AsyncExitStack() as stack:
        others = await stack.enter_async_context(systems(place.directory, {INVENTORY: [*equipment.state()]}))
        gateway, issuer = _gateway(place, others)
        stack.push_async_callback(gateway.end)
        gateway.begin()
        say(f"up in {await gateway.until_ready(_UP_SECONDS):.1f} s")
        told = await people(stack, gateway.address, issuer, others, network, seed)
        await told.send()
        told.begin()
        stack.push_async_callback(told.drop)
        done = await _kill(gateway, others, Random(seed), kills, say)
        await others.behave()
        await told.end()
        store = await stack.enter_async_context(_looking(gateway, place))
        problems = await _until_quiet(store)
        await told.send()
        evidence = await gathered(store, others, network, equipment, told.told)
        found = [*problems, *violations(evidence)]
        await stack.aclose()
    return Result(
        seed=seed,
        kills=dict(Counter(each.victim.value for each in done)),
        acknowledged=told.acknowledged,
        repeated=told.repeated,
        alarms=len(evidence.kept.alarms),
        tickets=len(evidence.books.tickets),
        usage=len(evidence.books.usage),
        downtime=len(evidence.books.downtime),
        settled=len(evidence.told.settled),
        deliveries=len(evidence.kept.deliveries),
        received=dict(Counter(each.system for each in evidence.books.journal)),
        takeovers=takeovers(gateway.log, done),
        wire=dict(sorted(sum((each.met for each in others.wires.values()), Counter[str]()).items())),
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


def _gateway(place: Place, others: Systems) -> tuple[Gateway, LocalIssuer]:
    issuer = local_issuer(place.directory / "issuer.json")
    port = free_port()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TRUNKLINE_")}
    settings = {
        "TRUNKLINE_STORE": place.store,
        "TRUNKLINE_STORE_HEAP_MEGABYTES": "512",
        "TRUNKLINE_LISTEN": f"127.0.0.1:{port}",
        "TRUNKLINE_ISSUERS": json.dumps([issuer.settings().model_dump(mode="json")]),
        "TRUNKLINE_SYSTEMS": json.dumps({name: {"sources": [name]} for name in (*NAMES, meter.NAME)}),
        "TRUNKLINE_REOPEN_SECONDS": "86400",
        **others.settings,
    }
    gateway = Gateway(
        address=f"http://127.0.0.1:{port}",
        environment={**kept, **settings},
        directory=place.embedded,
        log=place.directory / "gateway.log",
    )
    return gateway, issuer


async def _kill(gateway: Gateway, others: Systems, chance: Random, count: int, say: Say) -> list[Kill]:
    """Kill so many, one after the other: mostly when all is up again, now and then while it is coming back."""
    done: list[Kill] = []
    for number, victim in enumerate(_victims(chance, count, database=gateway.directory is not None), 1):
        await others.misbehave(chance)
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
