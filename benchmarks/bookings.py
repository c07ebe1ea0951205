"""How many bookings a second go through, while several book over ways that overlap; and how late boundaries are.

A row of trunks is shared by services of which each runs over some that are beside each other. Each booker books for any of them, at any
time within a year, again and again. Afterwards what is kept of each port and trunk must be what is reserved there.

Lateness is measured at the timers as a process works them: boosts of many services begin and end within some minutes, and each boundary is
late by what lies between it and the request to the network, which is written in the same transaction.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from benchmarks.booked_schedules import HOUR, OPERATOR, POLICY, SECONDS, Counts, play, write
from benchmarks.databases import Product, database
from benchmarks.errors import BenchmarkFailed
from benchmarks.figures import percentile
from benchmarks.news import news
from graph.changes.bandwidth import boundaries
from graph.changes.bandwidth.booking import BookingRequest, Occurrence, book
from graph.changes.bandwidth.comparing import compare
from graph.ledger.timers import keep_ringing
from graph.store.store import Store

TRUNKS: Final = 20
SERVICES: Final = 200
SHARING: Final = 10
"""services for each trunk; each runs over two to eight of them."""
_YEAR_HOURS: Final = 300 * 24
_LAY: Final = """
UNWIND $batch.rows AS row
CREATE (:Customer {id: row.customer, name: row.customer, words: row.customer})-[:SUBSCRIBES_TO]->(s:Service {
  id: row.service, name: row.service, state: 'active', committedMbps: 100, effectiveMbps: 100
})
CREATE (s)-[:ACCESSED_AT {end: 'A'}]->(:Port {id: row.port, name: row.port, speedMbps: 100000})
WITH s, row UNWIND row.trunks AS trunk
MATCH (t:Trunk {id: trunk})
CREATE (s)-[:ROUTED_OVER {path: 'WORKING'}]->(t)
"""
_TRUNKS: Final = (
    "UNWIND $batch.rows AS row CREATE (:Trunk {id: row, name: row, layerRate: 'ODU4', capacityMbps: 1000000})"
)
_LATE: Final = """
MATCH (e:Event) WHERE e.type = 'ServiceRateRequested'
RETURN e.at, COLLECT { MATCH (s:Service {id: e.aggregateId})<-[:BOOSTS]-(b:Boost) RETURN [b.startAt, b.endAt] }
"""
# By the services: who looks at all boosts keeps the database from what is measured.
_NOT_BEGUN: Final = """
UNWIND $batch.services AS id
MATCH (:Service {id: id})<-[:BOOSTS]-(b:Boost) WHERE b.startAt = $begin AND b._askedAt IS NULL
RETURN count(b)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is measured."""

    bookers: tuple[int, ...] = (1, 8, 32)
    seconds: float = 20.0
    """of each number of bookers."""
    boundaries: int = 0
    """whose lateness is measured; 0: none."""
    per_second: float = 10.0
    """boundaries."""
    schedules: int = 0
    """that are decided beside brute force."""
    seed: int = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What so many bookers bring about."""

    store: str
    bookers: int
    per_second: float
    booked: int
    p50_ms: float
    p95_ms: float

    def sentence(self) -> str:
        """Say it."""
        return (
            f"{self.store:8} {self.bookers:3} bookers: {self.per_second:.1f} bookings a second ({self.booked}); "
            f"each p50 {self.p50_ms:.0f}, p95 {self.p95_ms:.0f} ms"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """How late boundaries are."""

    store: str
    boundaries: int
    p50_ms: float
    p99_ms: float
    most_ms: float
    after_start_ms: float
    """how long it took to work all that was due when a process started."""
    were_due: int

    def sentence(self) -> str:
        """Say it."""
        return (
            f"{self.store:8} {self.boundaries} boundaries: late p50 {self.p50_ms:.0f}, p99 {self.p99_ms:.0f}, at most {self.most_ms:.0f} ms; "
            f"after a start {self.were_due} that were due were done in {self.after_start_ms:.0f} ms"
        )


async def measure_bookings(stores: Sequence[Product], plan: Plan) -> tuple[list[Row], list[Late], dict[str, Counts]]:
    """Measure each database by itself."""
    rows: list[Row] = []
    late: list[Late] = []
    counts: dict[str, Counts] = {}
    for product in stores:
        with tempfile.TemporaryDirectory() as directory:
            async with database(product, Path(directory)) as found:
                if plan.schedules:
                    counts[product] = await play(found.store, plan.schedules, plan.seed)
                    news.print(f"{product}: {counts[product].sentence()}", highlight=False)
                await _lay(found.store, random.Random(plan.seed), "row", SERVICES)
                for bookers in plan.bookers:
                    rows.append(await _booked(found.store, product, bookers, plan))
                    news.print(rows[-1].sentence(), highlight=False)
                await _check(found.store)
                if plan.boundaries:
                    late.append(await _late(found.store, product, plan))
    return rows, late, counts


async def _lay(store: Store, chance: random.Random, name: str, services: int) -> None:
    trunks = [f"trunk-{name}{number}" for number in range(max(TRUNKS, services // SHARING))]
    await write(store, _TRUNKS, trunks)
    rows = []
    for number in range(services):
        first = chance.randrange(len(trunks) - 4)
        way = trunks[first : first + chance.randint(2, 8)]
        names = {label: f"{label}-{name}{number}" for label in ("customer", "service", "port")}
        rows.append({**names, "trunks": way})
    for at in range(0, len(rows), 500):
        await write(store, _LAY, rows[at : at + 500])


async def _booked(store: Store, product: Product, bookers: int, plan: Plan) -> Row:
    """Let so many book for some seconds."""
    times: list[float] = []
    until = time.perf_counter() + plan.seconds

    async def booker(number: int) -> None:
        chance = random.Random(f"{plan.seed} {bookers} {number}")
        while (began := time.perf_counter()) < until:
            await _book(store, chance, f"{bookers}-{number}-{len(times)}-{began}")
            times.append(time.perf_counter() - began)

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(bookers):
            group.create_task(booker(number))
    passed, milliseconds = time.perf_counter() - began, [each * 1_000 for each in times]
    return Row(
        store=product,
        bookers=bookers,
        per_second=len(times) / passed,
        booked=len(times),
        p50_ms=percentile(milliseconds, 50),
        p95_ms=percentile(milliseconds, 95),
    )


async def _book(store: Store, chance: random.Random, key: str) -> None:
    start = int(time.time() * 1_000) + chance.randrange(1, _YEAR_HOURS) * HOUR
    end = start + chance.randint(1, 48) * HOUR
    await book_one(store, f"service-row{chance.randrange(SERVICES)}", start, end, key)


async def book_one(store: Store, service: str, start: int | None, end: int, key: str) -> None:
    """Book; what is refused here is a fault."""
    taken = Occurrence(start=start, end=end, price=0)
    wanted = BookingRequest(service=service, mbps=10, occurrences=(taken,), currency="EUR")
    outcome = await book(store, OPERATOR, POLICY, wanted, idempotency_key=key, deadline=time.monotonic() + SECONDS)
    if outcome.user_errors:
        raise BenchmarkFailed(f"a booking was refused: {outcome.user_errors[0].code}")


async def _check(store: Store) -> None:
    """Refuse figures of bookings that do not add up."""
    differing = (await compare(store, deadline=time.monotonic() + SECONDS)).differing
    if differing:
        raise BenchmarkFailed(f"what is kept of {len(differing)} ports and trunks is not what is reserved there")


async def _late(store: Store, product: Product, plan: Plan) -> Late:
    """Book boosts of as many services, each with two boundaries; let half of them come while a process runs, and then start one late."""
    count = plan.boundaries // 2
    await _lay(store, random.Random(plan.seed), "late", count)
    spread, beside = int(count / plan.per_second * 2_000), asyncio.Semaphore(8)
    begin = int(time.time() * 1_000) + count * 60 + 5_000  # by then all are booked

    async def one(number: int) -> None:
        start = begin + int(spread * number / count / 2)
        async with beside:
            await book_one(store, f"service-late{number}", start, start + spread // 2, f"late {number}")

    await asyncio.gather(*(one(number) for number in range(count)))
    if (short := int(time.time() * 1_000) - begin) > 0:
        raise BenchmarkFailed(f"the bookings took {short} ms longer than thought")
    works = {boundaries.KIND: boundaries.working(POLICY)}
    ringing = asyncio.create_task(keep_ringing(store, works))
    await asyncio.sleep(max(0.0, (begin + spread) / 1_000 - time.time() + 5))
    ringing.cancel()
    await asyncio.gather(ringing, return_exceptions=True)
    late = await _lateness(store)
    after, due = await _after_start(store, begin)
    return Late(
        store=product,
        boundaries=len(late),
        p50_ms=percentile(late, 50),
        p99_ms=percentile(late, 99),
        most_ms=max(late),
        after_start_ms=after,
        were_due=due,
    )


async def _lateness(store: Store) -> list[float]:
    rows = await store.rows(_LATE, {}, deadline=time.monotonic() + SECONDS)
    found = []
    for at, spans in cast("list[tuple[int, list[tuple[int, int]]]]", [tuple(row) for row in rows]):
        passed = [at - each for span in spans for each in span if each <= at]
        found.append(float(min(passed)))
    return found


async def _after_start(store: Store, since: int) -> tuple[float, int]:
    """Let boundaries come while nobody is there, and see how long who starts then takes for all of them."""
    count = 40
    begin = int(time.time() * 1_000) + count * 60 + 2_000
    for number in range(count):
        await book_one(store, f"service-row{number}", begin, begin + HOUR, f"start {since} {number}")
    await asyncio.sleep(max(0.0, begin / 1_000 - time.time() + 0.5))
    given = {"batch": {"services": [f"service-row{number}" for number in range(count)]}, "begin": begin}
    began = time.perf_counter()
    ringing = asyncio.create_task(keep_ringing(store, {boundaries.KIND: boundaries.working(POLICY)}))
    while (await store.rows(_NOT_BEGUN, given, deadline=time.monotonic() + SECONDS))[0][0]:  # noqa: ASYNC110 - the database knows
        await asyncio.sleep(0.1)
    passed = (time.perf_counter() - began) * 1_000
    ringing.cancel()
    await asyncio.gather(ringing, return_exceptions=True)
    return passed, count
