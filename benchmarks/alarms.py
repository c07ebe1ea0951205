"""How many alarms a second go through everything they cause, and how soon the ticket is there.

A gateway as it is served, a ticketing stand-in as a process of its own, and this process as the fault manager, over HTTP.
Every alarm is new, is on a port or a trunk of a loaded network, and is a transaction of its own: effects, tickets, events
and deliveries are written before it is answered. Three questions:

*rate*      as many as possible, over one connection (each alarm after the answer to the one before) and over several; first
            while the ticketing system is away, so that deliveries are written and wait, then while they are told as well
*latency*   fifty a second: from the alarm's time in the graph, which its transaction reads before it commits, to the
            moment in which the ticketing system has opened the ticket, both by this machine's clock
*takeover*  how long a part of what waits is told by nobody after a process was killed (`takeover.py`)
"""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import aiohttp
import orjson

from benchmarks.alarm_figures import Rate, Row
from benchmarks.contestants import Callers, Server, gateway
from benchmarks.databases import Database, Product, database
from benchmarks.errors import BenchmarkFailed
from benchmarks.figures import percentile
from benchmarks.news import load_progress, news
from benchmarks.takeover import takeovers
from graph.load import load_topology

_LOAD_SECONDS: Final = 600
_QUIET_SECONDS: Final = 120
_NOTICED_SECONDS: Final = 1.0
_WARM: Final = 2_000
"""alarms before anything is measured, over several connections: statements are planned, and most of what Java compiles is."""
_OBJECTS: Final = """
MATCH (p:Port)<-[:ACCESSED_AT]-(s:Service) RETURN DISTINCT p.id ORDER BY p.id
"""
_WRITTEN: Final = """
MATCH (a:Alarm) WITH count(a) AS alarms
RETURN alarms, COUNT { MATCH (:Alarm)-[r:AFFECTS]->(:Service) RETURN r }, COUNT { MATCH (d:Delivery) RETURN d }
"""
_WAITING: Final = "MATCH (d:Delivery) WHERE d.state <> 'DONE' RETURN count(d)"
_TIMES: Final = "MATCH (d:Delivery)-[:TELLS]->(e:Event) WHERE e.at >= $since RETURN d.orderKey, e.at"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How long and how much."""

    scale: int = 100_000
    seconds: float = 10.0
    connections: tuple[int, ...] = (1, 8)
    rate: float = 50.0
    """alarms a second where the latency is measured."""


async def measure_alarms(products: Sequence[Product], plan: Plan) -> list[Row]:
    """Measure on one database after the other."""
    return [await _on(product, plan) for product in products]


async def _on(product: Product, plan: Plan) -> Row:
    with tempfile.TemporaryDirectory(prefix="trunkline-benchmark-") as name:
        place = Path(name)
        callers = Callers(place)
        async with database(product, place) as found:
            given = {"topology": "sndlib/germany50", "scale": plan.scale, "seed": 1, "alarms": 0}
            deadline = time.monotonic() + _LOAD_SECONDS
            await load_topology(found.store, progress=load_progress, deadline=deadline, **given)  # type: ignore[arg-type]  # by name
            with _desk() as desk:
                settings = {"ticketing": orjson.dumps({"address": desk["address"]}).decode()}
                with gateway(found, callers, place, settings) as server:
                    async with _session(callers) as session:
                        bench = _Bench(found=found, server=server, session=session, desk=desk)
                        row = await _row(bench, plan)
                    return replace(row, takeover_seconds=tuple(await takeovers(found, callers, place, settings)))


@contextmanager
def _desk() -> Iterator[Mapping[str, str]]:
    """Run the ticketing system while the block runs; gives its address, and where it is told to misbehave."""
    command = [sys.executable, "-m", "adapters.simulator", "ticketing", "--listen", "127.0.0.1:0", "--leash"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise BenchmarkFailed("The stand-in for ticketing did not start")
        yield orjson.loads(line)


@asynccontextmanager
async def _session(callers: Callers) -> AsyncIterator[aiohttp.ClientSession]:
    headers = {"Authorization": f"Bearer {callers.fault_manager()}"}
    async with aiohttp.ClientSession(headers=headers, connector=aiohttp.TCPConnector(limit=0)) as session:
        yield session


@dataclass(slots=True, kw_only=True)
class _Bench:
    """What is measured, and how to ask it."""

    found: Database
    server: Server
    session: aiohttp.ClientSession
    desk: Mapping[str, str]
    number: int = 0

    async def rows(self, text: str, **parameters: object) -> list[list[Any]]:
        return await self.found.store.rows(text, parameters, deadline=time.monotonic() + 60)

    async def post(self, target: str) -> float:
        """Raise one alarm; give how long the answer took."""
        self.number += 1
        now = datetime.now().astimezone().isoformat()
        body = {
            "sourceSystemId": "fault-management",
            "externalAlarmId": f"B{self.number}",
            "alarmType": "communicationsAlarm",
            "perceivedSeverity": "critical",
            "probableCause": "lossOfSignal",
            "alarmedObject": {"id": target},
            "state": "raised",
            "alarmRaisedTime": now,
        }
        url = f"http://127.0.0.1:{self.server.port}/tmf-api/alarmManagement/v4/alarm"
        began = time.perf_counter()
        async with self.session.post(url, json=body) as response:
            said = await response.read()
            if response.status != 201:
                raise BenchmarkFailed(f"An alarm was answered {response.status}: {said.decode()[:300]}")
        return (time.perf_counter() - began) * 1_000

    async def ticketing(self, *, away: bool) -> None:
        """Let the ticketing system be away, until the gateway has given up on it, or be there."""
        rules = [{"kind": "down"}] if away else []
        async with self.session.put(self.desk["faults"], json=rules) as response:
            response.raise_for_status()
        await asyncio.sleep(_NOTICED_SECONDS if away else 0)

    async def quiet(self) -> None:
        """Wait until everything is told."""
        end = time.monotonic() + _QUIET_SECONDS
        while (await self.rows(_WAITING))[0][0]:
            if time.monotonic() > end:
                raise BenchmarkFailed(f"Not all was told within {_QUIET_SECONDS} s")
            await asyncio.sleep(0.2)


async def _row(bench: _Bench, plan: Plan) -> Row:
    targets = [each for [each] in await bench.rows(_OBJECTS)]
    random.Random(1).shuffle(targets)
    supply = _each(targets)
    await _warmed(bench, supply, max(plan.connections))
    rates = []
    for connections in plan.connections:
        for told in (False, True):
            await bench.ticketing(away=not told)
            rates.append(await _rate(bench, supply, connections, plan.seconds, told=told))
            await bench.ticketing(away=False)
            await bench.quiet()
        news.print(f"  {bench.found.product}: {connections} connection(s) done", highlight=False)
    latencies = await _latencies(bench, supply, plan)
    return Row(
        store=bench.found.product,
        version=bench.found.version,
        rates=tuple(rates),
        rate=plan.rate,
        tickets=len(latencies),
        ticket_p50_ms=percentile(latencies, 50),
        ticket_p99_ms=percentile(latencies, 99),
        takeover_seconds=(),
    )


def _each(targets: Sequence[str]) -> Iterator[str]:
    """Give one after the other; an object is alarmed once."""
    yield from targets
    raise BenchmarkFailed(f"All {len(targets)} ports with services have an alarm: measure a larger network (--scale)")


async def _warmed(bench: _Bench, supply: Iterator[str], connections: int) -> None:
    async def some() -> None:
        for _ in range(_WARM // connections):
            await bench.post(next(supply))

    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(some())
    await bench.quiet()


async def _rate(bench: _Bench, supply: Iterator[str], connections: int, seconds: float, *, told: bool) -> Rate:
    before = (await bench.rows(_WRITTEN))[0]
    began = time.monotonic()
    taken: list[float] = []

    async def one() -> None:
        while time.monotonic() - began < seconds:
            taken.append(await bench.post(next(supply)))

    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(one())
    lasted = time.monotonic() - began
    alarms, effects, deliveries = (b - a for a, b in zip(before, (await bench.rows(_WRITTEN))[0], strict=True))
    return Rate(
        connections=connections,
        told=told,
        alarms_per_second=len(taken) / lasted,
        effects_per_alarm=effects / alarms,
        deliveries_per_alarm=deliveries / alarms,
        p50_ms=percentile(taken, 50),
        p99_ms=percentile(taken, 99),
    )


async def _latencies(bench: _Bench, supply: Iterator[str], plan: Plan) -> list[float]:
    """Raise alarms at a steady rate; give, for each ticket, how long after its alarm it was opened."""
    [[since]] = await bench.rows("RETURN timestamp()")
    began = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for number in range(int(plan.rate * plan.seconds)):
            await asyncio.sleep(max(0.0, began + number / plan.rate - time.monotonic()))
            group.create_task(bench.post(next(supply)))
    await bench.quiet()
    opened = dict(await _opened(bench))
    times = await bench.rows(_TIMES, since=since)
    return [opened[key] - at for key, at in times if key in opened]


async def _opened(bench: _Bench) -> list[tuple[str, float]]:
    found: list[tuple[str, float]] = []
    while True:
        url = f"{bench.desk['address']}/troubleTicket?fields=externalId,creationDate&limit=1000&offset={len(found)}"
        async with bench.session.get(url) as response:
            page = await response.json()
        found += [
            (each["externalId"], datetime.fromisoformat(each["creationDate"]).timestamp() * 1_000) for each in page
        ]
        if not page:
            return found
