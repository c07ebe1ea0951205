"""How many orders a second are carried out, from the request of order management to a service that is in use.

A gateway as it is served, and stand-ins for provisioning and the inventory that answer at once, each a process of its own; this process is
order management, over HTTP. Each order is for a new service between two sites of a grown network, half of them with a second way that shares nothing
with the first. As many people place orders side by side as is said, each the next one when the one before is answered; an order is *completed* when the
network has made its service, and customer, contract, ports and trunks are linked.
"""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import aiohttp
import orjson

from benchmarks.contestants import Callers, gateway
from benchmarks.databases import Product, database
from benchmarks.errors import BenchmarkFailed
from benchmarks.feasibility import Places, tied_in
from benchmarks.figures import percentile
from benchmarks.news import load_progress, news
from graph.load import load_topology
from graph.store.store import Store

_LOAD_SECONDS: Final = 1_800
_QUIET_SECONDS: Final = 600
_WARM: Final = 10
"""orders before anything is measured."""
_KINDS: Final = ("plain", "protected")
_PRODUCTS: Final = {
    kind: {"service_type": "E-Line", "tier": "PREMIUM", "mbps": 100, "protected": kind == "protected"}
    for kind in _KINDS
}
_OPEN: Final = "MATCH (o:Order) WHERE o.system = 'order-management' AND NOT o.state IN $over RETURN count(o)"
_OVER: Final = ["completed", "failed", "partial", "cancelled", "rejected"]
_TIMES: Final = """
MATCH (o:Order) WHERE o.system = 'order-management' AND o.externalId STARTS WITH $run
RETURN o.state, o.orderedAt, o.completedAt
"""
_WHY: Final = """
MATCH (o:Order)-[:HAS_ITEM]->(i:OrderItem) WHERE o.externalId STARTS WITH $run AND NOT i.failure IN ['PORT', 'NETWORK']
RETURN i.failureDetail LIMIT 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much."""

    scale: int = 10_000
    """nodes of the network."""
    orders: int = 100
    """of each number of people."""
    people: tuple[int, ...] = (1, 8)
    seed: int = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What so many people bring about."""

    store: str
    nodes: int
    people: int
    orders: int
    failed: int
    """of these, since there was no port or no way, or no two that share nothing."""
    placed_per_second: float
    completed_per_second: float
    """from the first request to the last completion."""
    p50_ms: float
    """from an order to its completion, by the database's clock;"""
    p95_ms: float

    def sentence(self) -> str:
        """Say it."""
        return (
            f"{self.store:8} {self.nodes} nodes, {self.people:2} people: {self.orders} orders, of which {self.failed} have no port or no way, "
            f"{self.placed_per_second:.1f} placed and {self.completed_per_second:.1f} completed a second; each p50 {self.p50_ms:.0f}, p95 {self.p95_ms:.0f} ms"
        )


async def measure_orders(stores: Sequence[Product], plan: Plan) -> list[Row]:
    """Measure each database by itself."""
    return [row for product in stores for row in await _on(product, plan)]


async def _on(product: Product, plan: Plan) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="trunkline-benchmark-") as name:
        place = Path(name)
        callers = Callers(place)
        async with database(product, place) as found:
            news.print(f"{product}: loading {plan.scale} nodes", highlight=False)
            deadline = time.monotonic() + _LOAD_SECONDS
            report = await load_topology(found.store, scale=plan.scale, progress=load_progress, deadline=deadline)
            places = await tied_in(found.store, random.Random(plan.seed))
            with _stand_in("provisioning") as network, _stand_in("inventory") as inventory:
                settings = {
                    "provisioning": orjson.dumps({"address": network}).decode(),
                    "inventory": orjson.dumps({"address": inventory}).decode(),
                    "orders": orjson.dumps({"products": _PRODUCTS}).decode(),
                }
                with gateway(found, callers, place, settings) as server:
                    headers = {"Authorization": f"Bearer {callers.order_management()}"}
                    async with aiohttp.ClientSession(
                        f"http://127.0.0.1:{server.port}", headers=headers, connector=aiohttp.TCPConnector(limit=0)
                    ) as session:
                        bench = _Bench(store=found.store, session=session, places=places, plan=plan)
                        await bench.carried_out("warm", 1, _WARM)
                        return [await _row(bench, product, report.nodes, people) for people in plan.people]


@contextmanager
def _stand_in(kind: str) -> Iterator[str]:
    """Run a stand-in while the block runs; gives its address."""
    command = [sys.executable, "-m", "adapters.simulator", kind, "--listen", "127.0.0.1:0", "--leash"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise BenchmarkFailed(f"The stand-in for {kind} did not start")
        yield cast("Mapping[str, str]", orjson.loads(line))["address"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bench:
    """Who places orders, and where."""

    store: Store
    session: aiohttp.ClientSession
    places: Places
    plan: Plan

    async def carried_out(self, run: str, people: int, count: int) -> float:
        """Place so many orders, and wait until all are completed; give for how many seconds they were placed."""
        chance = random.Random(f"{self.plan.seed} {run}")
        orders = iter([_order(f"{run}-{number}", number, self.places, chance) for number in range(count)])

        async def somebody() -> None:
            for each in orders:
                await self._place(each)

        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for _ in range(people):
                group.create_task(somebody())
        placed = time.monotonic() - began
        await self._until_over()
        return placed

    async def rows(self, text: str, **given: object) -> list[list[Any]]:
        return await self.store.rows(text, given, deadline=time.monotonic() + 60)

    async def _place(self, order: Mapping[str, Any]) -> None:
        async with self.session.post("/tmf-api/productOrderingManagement/v4/productOrder", json=order) as response:
            said = await response.read()
            if response.status != 201:
                raise BenchmarkFailed(f"An order was answered {response.status}: {said.decode()[:300]}")

    async def _until_over(self) -> None:
        end = time.monotonic() + _QUIET_SECONDS
        while (await self.rows(_OPEN, over=_OVER))[0][0]:
            if time.monotonic() > end:
                raise BenchmarkFailed(f"Not all orders were carried out within {_QUIET_SECONDS} s")
            await asyncio.sleep(0.2)


def _order(name: str, number: int, places: Places, chance: random.Random) -> Mapping[str, Any]:
    kind = _KINDS[number % len(_KINDS)]
    a, z = places.ends(kind, chance)
    ends = [{"id": site, "role": end, "@referredType": "GeographicSite"} for end, site in (("A", a), ("Z", z))]
    return {
        "externalId": name,
        "relatedParty": [
            {"id": f"C-{number % 50}", "name": f"Customer {number % 50}", "@referredType": "Organization"}
        ],
        "productOrderItem": [
            {
                "id": "1",
                "action": "add",
                "quantity": 1,
                "productOffering": {"id": kind, "name": kind},
                "product": {"place": ends},
            }
        ],
    }


async def _row(bench: _Bench, product: Product, nodes: int, people: int) -> Row:
    run = f"of {people}"
    placed = await bench.carried_out(run, people, bench.plan.orders)
    rows = await bench.rows(_TIMES, run=f"{run}-")
    completed = [(ordered, done) for state, ordered, done in rows if state == "completed"]
    if bad := await bench.rows(_WHY, run=f"{run}-"):
        raise BenchmarkFailed(f"An order was not completed: {bad[0][0]}")
    first, last = min(ordered for ordered, _ in completed), max(done for _, done in completed)
    times = [float(done - ordered) for ordered, done in completed]
    row = Row(
        store=product,
        nodes=nodes,
        people=people,
        orders=len(rows),
        failed=len(rows) - len(completed),
        placed_per_second=len(rows) / placed,
        completed_per_second=len(completed) / ((last - first) / 1_000),
        p50_ms=percentile(times, 50),
        p95_ms=percentile(times, 95),
    )
    news.print(row.sentence(), highlight=False)
    return row
