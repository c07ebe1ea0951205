"""How soon thousands of subscribers hear of an event, and what each of them takes of the server.

A gateway as it is served has all subscribers; a second one stands beside it; a floor is the same server pushing a constant
(`stream_floor.py`). Two client processes have half of the subscribers each (`stream_client.py`). Alarms come over HTTP, one by one;
each is on a port of one service of one customer, who has SHARE subscribers, and one is on a card with a port of everybody. What is
asked is looked up in the graph in part: `alerts { ... alarm { state } services { ... service { name } } }`.

*kB*          resident memory of the server's process, by which it grew as they came, for each of them
*steady*      so many alarms a second, in the process that has the subscribers, and in the other: from an event's time in the graph,
              which its transaction reads before it commits, to its frame at the client, by this machine's clock
*broadcast*   from the time of one event to the last of all subscribers who has it; and when its alarm was answered, which has to be
              written with what follows from it for every customer before anybody can hear of it
"""

from __future__ import annotations

import asyncio
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import aiohttp
import orjson

from benchmarks.contestants import Callers, Server, gateway, stream_floor
from benchmarks.databases import Database, Product, database
from benchmarks.errors import BenchmarkFailed
from benchmarks.figures import percentile
from benchmarks.news import news
from graph.store.store import Store, Transaction

QUERY: Final = "subscription { alerts { kind at alarmId severity alarm { state } services { serviceId effect service { name } } } }"
SHARE: Final = 50
"""subscribers of one customer: so many hear of an alarm on one of its services."""
SERVICES: Final = 40
"""of one customer; the first has a port on the card of everybody."""
_ADDRESSES: Final = ("127.0.0.2", "127.0.0.3")
"""A client process each: an address has not enough ports for all."""
_ROOM: Final = {"connections": "30000", "connections_per_address": "30000", "streams": '{"most": 30000}'}
_OPEN_SECONDS: Final = 600
_LATE_SECONDS: Final = 60
_SETTLED_SECONDS: Final = 2.0
_WARM: Final = 1_000
"""alarms before anything is measured, of which nobody who listens hears: a database that has just begun compiles its code in the first."""
_HEARD_SECONDS: Final = 2.0
"""of alarms that subscribers hear before anything is measured: a database plans their statements for the first."""
_WARM_CUSTOMER: Final = "warm"
_WARM_CONNECTIONS: Final = 4

_NETWORK: Final = """
UNWIND $batch.rows AS row
CREATE (c:Customer {id: row.id, name: row.id})
WITH c, row
UNWIND row.services AS s
MATCH (k:Card {id: s.card})
CREATE (c)-[:SUBSCRIBES_TO]->(n:Service {id: s.id, name: s.id, state: 'active'})-[:ACCESSED_AT {end: 'A'}]->(p:Port {id: s.port})
CREATE (k)-[:HAS_PORT]->(p)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How many and how long."""

    subscribers: tuple[int, ...] = (1_000, 10_000)
    seconds: float = 10.0
    rate: float = 20.0
    """alarms a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Steady:
    """How late events were at a steady rate."""

    events: int
    p50_ms: float
    p99_ms: float
    answered_ms: float
    """p99 of the answers to whoever brought the alarms: where it is long, the alarms themselves were not kept up with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One server with so many subscribers."""

    store: str
    server: str
    subscribers: int
    kilobytes: float
    """of memory for each,"""
    open_seconds: float
    """until all had subscribed."""
    here: Steady
    """committed in the process that has the subscribers,"""
    there: Steady | None
    """and in another."""
    broadcast_ms: float
    broadcast_answered_ms: float

    def sentence(self) -> str:
        """Say it."""
        there = f", committed in another {_said(self.there)}" if self.there else ""
        return (
            f"{self.store}, {self.server}, {self.subscribers} subscribers: {self.kilobytes:.1f} kB each, open after "
            f"{self.open_seconds:.1f} s; committed here {_said(self.here)}{there}; one to all {self.broadcast_ms:.0f} ms "
            f"(its alarm answered in {self.broadcast_answered_ms:.0f} ms)"
        )


def _said(steady: Steady) -> str:
    heard = f"p50 {steady.p50_ms:.0f} ms, p99 {steady.p99_ms:.0f} ms ({steady.events} events"
    return f"{heard}, alarms answered in {steady.answered_ms:.0f} ms at p99)"


def sentences(rows: Sequence[Row]) -> Iterator[str]:
    """Say all, with ours over the floor."""
    for each in rows:
        yield each.sentence()
    for ours, floor in zip(rows[::2], rows[1::2], strict=True):
        yield (
            f"{ours.store}, {ours.subscribers} subscribers, of the floor: memory {ours.kilobytes / floor.kilobytes:.2f}, "
            f"p99 {ours.here.p99_ms / floor.here.p99_ms:.1f}, one to all {ours.broadcast_ms / floor.broadcast_ms:.1f}"
        )


def as_objects(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Give them for JSON."""
    return [asdict(each) for each in rows]


async def measure_streams(products: Sequence[Product], plan: Plan) -> list[Row]:
    """Measure on one database after the other, each number of subscribers beside the floor."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if most < max(plan.subscribers) + 1_000:
        raise BenchmarkFailed(f"A process may open {most} files here: raise the limit (ulimit -Hn), or ask for fewer")
    rows: list[Row] = []
    for product in products:
        with tempfile.TemporaryDirectory(prefix="trunkline-benchmark-") as name:
            async with database(product, Path(name)) as found:
                await _lay(found.store, max(plan.subscribers) // SHARE)
                for number in plan.subscribers:
                    rows += await _beside(found, Path(name), plan, number)
    return rows


async def _lay(store: Store, customers: int) -> None:
    """Make the customers, their services and ports, and the two cards."""

    async def cards(transaction: Transaction) -> None:
        await transaction.run("UNWIND ['card-all', 'card-each'] AS id CREATE (:Card {id: id, name: id})", {})

    await store.write(cards, deadline=time.monotonic() + 60)
    for begin in range(0, customers, 20):
        rows = [_customer(str(number)) for number in range(begin, min(begin + 20, customers))]
        rows += [] if begin else [_customer(_WARM_CUSTOMER)]

        async def some(transaction: Transaction, rows: list[dict[str, object]] = rows) -> None:
            await transaction.run(_NETWORK, {"batch": {"rows": rows}})

        await store.write(some, deadline=time.monotonic() + 120)


def _customer(name: str) -> dict[str, object]:
    services = [
        {
            "id": f"service-{name}-{each}",
            "port": f"port-{name}-{each}",
            "card": "card-each" if each else "card-all",
        }
        for each in range(SERVICES)
    ]
    return {"id": f"customer-{name}", "services": services}


async def _beside(found: Database, place: Path, plan: Plan, number: int) -> list[Row]:
    callers = Callers(place)
    async with _session(callers) as session:
        with (
            gateway(found, callers, place, _ROOM) as here,
            gateway(found, callers, place, _ROOM, name="there") as there,
        ):
            bench = _Bench(store=found.product, session=session, here=here, there=there, plan=plan)
            ours = await bench.row(callers, number)
        with stream_floor(found, callers, place, _ROOM) as floor:
            bench = _Bench(store=found.product, session=session, here=floor, there=None, plan=plan)
            return [ours, await bench.row(callers, number)]


@asynccontextmanager
async def _session(callers: Callers) -> AsyncIterator[aiohttp.ClientSession]:
    headers = {"Authorization": f"Bearer {callers.fault_manager()}"}
    async with aiohttp.ClientSession(headers=headers, connector=aiohttp.TCPConnector(limit=0)) as session:
        yield session


class _Clients:
    """The client processes."""

    def __init__(self, processes: Sequence[subprocess.Popen[bytes]]) -> None:
        self._processes = processes

    async def all(self, given: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Let each do one thing."""
        return await asyncio.gather(*map(asyncio.to_thread, [_ask] * len(given), self._processes, given))

    async def latencies(self, expected: int) -> list[float]:
        """Wait for so many events; what does not come ends the run."""
        half = {"do": "take", "expected": expected // len(self._processes), "seconds": _LATE_SECONDS}
        taken = await self.all([half] * len(self._processes))
        found = [each for one in taken for each in one["latencies"]]
        if len(found) != expected or any(one["lost"] or one["wrong"] for one in taken):
            problem = [(one["lost"], one["wrong"]) for one in taken]
            raise BenchmarkFailed(f"{len(found)} events of {expected} came; sockets lost, and other answers: {problem}")
        return found


def _ask(process: subprocess.Popen[bytes], given: Mapping[str, Any]) -> dict[str, Any]:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(orjson.dumps(given) + b"\n")
    process.stdin.flush()
    line = process.stdout.readline()
    if not line:
        raise BenchmarkFailed("A client process ended")
    found: dict[str, Any] = orjson.loads(line)
    return found


@contextmanager
def _clients() -> Iterator[_Clients]:
    command = [sys.executable, "-m", "benchmarks.stream_client"]
    with ExitStack() as stack:
        yield _Clients(
            [
                stack.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
                for _ in _ADDRESSES
            ]
        )


@dataclass(slots=True, kw_only=True)
class _Bench:
    """What is measured, and how to ask it."""

    store: str
    session: aiohttp.ClientSession
    here: Server
    there: Server | None
    """None: the floor, which is poked instead."""
    plan: Plan
    number: int = 0
    answered: list[float] = field(default_factory=list)
    """milliseconds until each alarm was answered, since the last measurement began."""

    async def row(self, callers: Callers, subscribers: int) -> Row:
        """Measure one server."""
        customers = subscribers // SHARE
        await self._warm()
        for target in (f"port-{each}-{SERVICES - 1}" for each in range(min(20, customers))):
            await self._happens(target, self.here)
            await self._happens(target, self.there or self.here)
        before, begun = _resident(self.here.pid), time.monotonic()
        with _clients() as clients:
            await clients.all([{**each, "port": self.here.port} for each in _halves(callers, customers)])
            opened = time.monotonic() - begun
            await asyncio.sleep(_SETTLED_SECONDS)
            kilobytes = (_resident(self.here.pid) - before) / 1_000 / subscribers
            await self._steady(clients, customers, self.here, 0, _HEARD_SECONDS)
            here = await self._steady(clients, customers, self.here, 1, self.plan.seconds)
            there = await self._steady(clients, customers, self.there, 2, self.plan.seconds) if self.there else None
            self.answered = []
            await self._happens("card-all", self.here, most=subscribers)
            last = max(await clients.latencies(subscribers))
            await clients.all([{"do": "close"}] * len(_ADDRESSES))
        made = Row(
            store=self.store,
            server="floor" if self.there is None else "trunkline",
            subscribers=subscribers,
            kilobytes=kilobytes,
            open_seconds=opened,
            here=here,
            there=there,
            broadcast_ms=last,
            broadcast_answered_ms=self.answered[0],
        )
        news.print(f"  {made.sentence()}", highlight=False)
        return made

    async def _warm(self) -> None:
        """Let alarms happen in both processes, as quickly as they are answered, on services that nobody listens to."""
        if self.there is None:
            return
        numbers = iter(range(_WARM))

        async def some(server: Server) -> None:
            for each in numbers:
                await self._happens(f"port-{_WARM_CUSTOMER}-{1 + each % (SERVICES - 1)}", server)

        await asyncio.gather(*(some(each) for each in (self.here, self.there) for _ in range(_WARM_CONNECTIONS // 2)))

    async def _steady(self, clients: _Clients, customers: int, server: Server, part: int, seconds: float) -> Steady:
        """Let alarms happen at a steady rate, each on a service that had none."""
        self.answered = []
        count, begun = int(self.plan.rate * seconds), time.monotonic()
        third = (SERVICES - 2) // 3
        targets = [f"port-{each % customers}-{1 + part * third + each // customers % third}" for each in range(count)]
        async with asyncio.TaskGroup() as group:
            for each, target in enumerate(targets):
                await asyncio.sleep(max(0.0, begun + each / self.plan.rate - time.monotonic()))
                group.create_task(self._happens(target, server))
        found = await clients.latencies(count * SHARE)
        return Steady(
            events=len(found),
            p50_ms=percentile(found, 50),
            p99_ms=percentile(found, 99),
            answered_ms=percentile(self.answered, 99),
        )

    async def _happens(self, target: str, server: Server, most: int = SHARE) -> None:
        begun = time.monotonic()
        await self._brought(target, server, most)
        self.answered.append((time.monotonic() - begun) * 1_000)

    async def _brought(self, target: str, server: Server, most: int) -> None:
        self.number += 1
        if self.there is None:
            async with self.session.post(f"http://127.0.0.1:{server.port}/push?most={most}") as response:
                response.raise_for_status()
            return
        body = {
            "sourceSystemId": "fault-management",
            "externalAlarmId": f"{self.here.pid}-{self.number}",
            "alarmType": "communicationsAlarm",
            "perceivedSeverity": "critical",
            "probableCause": f"lossOfSignal {self.here.pid} {self.number}",
            "alarmedObject": {"id": target},
            "state": "raised",
            "alarmRaisedTime": datetime.now().astimezone().isoformat(),
        }
        url = f"http://127.0.0.1:{server.port}/tmf-api/alarmManagement/v4/alarm"
        async with self.session.post(url, json=body) as response:
            if response.status != 201:
                raise BenchmarkFailed(f"An alarm was answered {response.status}: {(await response.text())[:300]}")


def _halves(callers: Callers, customers: int) -> Iterator[dict[str, Any]]:
    """Give each client process its part of the customers, and half of the subscribers of each."""
    tokens = [callers.token(f"customer-{each}") for each in range(customers)]
    for address in _ADDRESSES:
        yield {"do": "open", "address": address, "query": QUERY, "tokens": tokens, "each": SHARE // len(_ADDRESSES)}


def _resident(pid: int) -> int:
    """Give the bytes of memory that a process has."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1])
    return pages * resource.getpagesize()
