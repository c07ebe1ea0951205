"""One history: a network is loaded, alarms flow, processes are killed at random moments, and then it must all be right.

Who is killed and when, how the other systems misbehave and what breaks in the network is drawn from the seed; what the
machine makes of it is not, so that a seed gives a similar history and not the same one.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

from gateway.auth.minting import local_issuer
from graph.errors import GraphError
from graph.load import load_topology
from graph.store.address import Credentials
from graph.store.migrate import migrate
from graph.store.store import Store, open_store
from tests.conftest import wipe
from tests.faults.bookings import booked_services
from tests.faults.checker import Violation, violations
from tests.faults.equipment import equipment_of
from tests.faults.evidence import Evidence, gathered
from tests.faults.kept import untold
from tests.faults.kept_boosts import unfinished
from tests.faults.network import SCALE, TOPOLOGY, network_of
from tests.faults.people import People, people
from tests.faults.processes import Kill, Victim, server_of
from tests.faults.replicas import Replicas, replicas
from tests.faults.subscribers import audience
from tests.faults.systems import INVENTORY, Systems, states_of, systems
from tests.faults.takeover import takeovers

_UP_SECONDS: Final = 600.0
"""on a machine that does much else; a gateway is up in some seconds on a quiet one."""
_QUIET_SECONDS: Final = 600.0
_LOOK_SECONDS: Final = 0.3
_CUSTOMERS: Final = 3
"""who listen, beside an operator."""


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
    boosts: dict[str, int]
    """by how they ended, and what they brought about;"""
    bookings: dict[str, int]
    """what customers were told of bookings: the mutation that was done, or why it was not."""
    deliveries: int
    received: dict[str, int]
    """changes that each system acted upon."""
    takeovers: dict[str, list[float]]
    """seconds from a death until all lanes of who died had another owner, by who was killed."""
    wire: dict[str, int]
    """how often the network between us and the other systems, and subscribers, made which trouble."""
    subscribers: int
    heard: int
    """events that all subscribers were sent,"""
    cuts: dict[str, int]
    """over so many connections that ended, by why;"""
    milliseconds: dict[str, list[int]]
    """and for how long those on their way were, by replica: only the second is never where it happened."""
    violations: list[str]
    seconds: float


Say = Callable[[str], None]


async def play(place: Place, *, seed: str, kills: int, say: Say) -> Result:
    """Let it happen, and look at what is left."""
    began = time.monotonic()
    await _load(place.store, _number(seed))
    network, equipment = network_of(seed=_number(seed)), equipment_of(seed=_number(seed))
    states = states_of(booked_services(network))
    states[INVENTORY] += [*equipment.state()]
    async with AsyncExitStack() as stack:
        others = await stack.enter_async_context(systems(place.directory, states))
        issuer = local_issuer(place.directory / "issuer.json")
        gateways = await stack.enter_async_context(replicas(place.store, place.directory, issuer, others.settings))
        say(f"up in {await gateways.until_ready(_UP_SECONDS):.1f} s")
        told = await people(stack, gateways.first.address, issuer, others, network, seed)
        customers = network.most_hit(told.hands[0].targets, _CUSTOMERS)
        listening = await stack.enter_async_context(audience(gateways.ways, issuer, customers, seed))
        await told.send()
        told.begin()
        stack.push_async_callback(told.drop)
        done = await _kill(gateways, others, Random(seed), kills, say)
        await others.behave()
        gateways.behave()
        await told.end()
        store = await stack.enter_async_context(_looking(gateways, place))
        problems = await _until_quiet(store)
        await told.send()
        heard = await listening.heard(store)
        evidence = await gathered(store, others, network, equipment, told.told, heard)
        found = [*problems, *violations(evidence)]
        await stack.aclose()
    return Result(
        seed=seed,
        kills=dict(Counter(each.victim.value for each in done)),
        **_happened(told, evidence),
        takeovers=takeovers((gateways.first.log, gateways.second.log), done),
        wire=dict(sorted(sum((each.met for each in (*others.wires.values(), *gateways.ways)), Counter[str]()).items())),
        cuts=dict(sorted(listening.ends.items())),
        milliseconds=listening.milliseconds,
        violations=[str(each) for each in found],
        seconds=round(time.monotonic() - began, 1),
    )


def _happened(told: People, evidence: Evidence) -> dict[str, Any]:
    """Count what has happened, for a `Result`."""
    return {
        "acknowledged": told.acknowledged,
        "repeated": told.repeated,
        "alarms": len(evidence.kept.alarms),
        "tickets": len(evidence.books.tickets),
        "usage": len(evidence.books.usage),
        "downtime": len(evidence.books.downtime),
        "settled": len(evidence.told.settled),
        "boosts": _boosts(evidence),
        "bookings": dict(sum((each.changed + each.refused for each in told.bookers), Counter[str]())),
        "deliveries": len(evidence.kept.deliveries),
        "received": dict(Counter(each.system for each in evidence.books.journal)),
        "subscribers": len(evidence.heard),
        "heard": sum(len(each.seen) for each in evidence.heard),
    }


def _boosts(evidence: Evidence) -> dict[str, int]:
    kept, carried = evidence.kept.boosts, evidence.books.rates.carried
    counted = Counter(each.reason or each.status for each in kept.boosts)
    counted["activated"] = sum(each.activated_at is not None for each in kept.boosts)
    counted["charges"] = len(kept.charges)
    counted["rates that the network has set"] = len(carried)
    counted["leads"] = len(kept.leads)
    return dict(counted + Counter(each.kind for each in kept.tasks))


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


async def _kill(gateways: Replicas, others: Systems, chance: Random, count: int, say: Say) -> list[Kill]:
    """Kill so many, one after the other: mostly when all is up again, now and then while it is coming back."""
    done: list[Kill] = []
    for number, victim in enumerate(_victims(chance, count, database=gateways.directory is not None), 1):
        await others.misbehave(chance)
        gateways.trouble(chance)
        await asyncio.sleep(chance.uniform(0.3, 2.0))
        if chance.random() < 0.6:
            await gateways.until_ready(_UP_SECONDS)
            await asyncio.sleep(chance.uniform(0.0, 2.0))
        done.append(await gateways.kill(victim, chance.random(), _UP_SECONDS))
        say(f"kill {number} of {count}: {done[-1].victim} {done[-1].process}")
    await gateways.until_ready(_UP_SECONDS)
    return done


def _victims(chance: Random, count: int, *, database: bool) -> list[Victim]:
    """Draw who is killed; at most a third of them are the database."""
    databases = chance.randint(count // 6, count // 3) if database else 0
    gateways = [chance.choice((Victim.SUPERVISOR, Victim.WORKER)) for _ in range(count - databases)]
    return chance.sample([Victim.DATABASE] * databases + gateways, count)


@asynccontextmanager
async def _looking(gateways: Replicas, place: Place) -> AsyncIterator[Store]:
    """Look into the database as one more client of it: whoever opened it as an owner could become its parent."""
    if place.embedded is None:
        store = await open_store(place.store)
    else:
        await gateways.until_ready(_UP_SECONDS)
        where = server_of(place.embedded)
        assert where is not None, "it was ready"
        credentials = Credentials(user="root", password=where["password"], bearer="")
        store = await open_store(f"bolt://127.0.0.1:{where['port']}", credentials=credentials)
    try:
        yield store
    finally:
        await store.close()


async def _until_quiet(store: Store) -> list[Violation]:
    """Wait until nothing waits to be told any more, and all services have returned; it is a violation if that never comes."""
    end = time.monotonic() + _QUIET_SECONDS
    while time.monotonic() < end:
        with contextlib.suppress(GraphError):
            if await untold(store) == 0 and await unfinished(store) == 0:
                return []
        await asyncio.sleep(_LOOK_SECONDS)
    return [
        Violation(
            rule="quiet", about="deliveries", what=f"not all told, or not all returned, within {_QUIET_SECONDS:.0f} s"
        )
    ]
