"""What is booked by many at once is what one after the other would have booked, on overlapping ways."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

import pytest

from graph.capacity.holds import difference, shortfall
from graph.capacity.limits import LimitKind, Overbooking, headroom
from graph.capacity.steps import Booking, StepFunction
from graph.changes.bandwidth import loads
from graph.changes.bandwidth.comparing import compare, rebuild
from graph.changes.bandwidth.loads import limits_of, loads_of
from graph.changes.bandwidth.profiles import KEPT_MS, lock_limits, lock_profiles, write_profiles
from graph.errors import Refused
from graph.store.store import Store, Transaction
from tests.selection import choose_seed, is_full

HOUR = 3_600_000
EXACT = Overbooking(by_layer={}, otherwise=Fraction(1))
WAYS = {
    "service-1": ("port-1", "trunk-1", "trunk-2", "port-2"),
    "service-2": ("port-1", "trunk-1", "trunk-3", "port-3"),
    "service-3": ("port-2", "trunk-2", "trunk-3", "port-3"),
    "service-4": ("port-4", "trunk-3", "trunk-4", "trunk-1", "port-1"),
}
LAY = """
UNWIND range(1, 4) AS n
CREATE (p:Port {id: 'port-' + toString(n), speedMbps: 1000})
CREATE (t:Trunk {id: 'trunk-' + toString(n), capacityMbps: 1000, layerRate: 'ODU' + toString(n)})
CREATE (k:Card {id: 'card-' + toString(n)})-[:HAS_PORT]->(p)
CREATE (k)-[:HAS_PORT]->(:Port {id: 'port-t' + toString(n), speedMbps: 1000})<-[:TERMINATES_ON {end: 'A'}]-(t)
"""
HOLD = """
MATCH (a:Card {id: 'card-1'}), (b:Card {id: 'card-2'})
CREATE (x:Site {id: 'site-1'})<-[:LOCATED_AT]-(e:NetworkElement {id: 'networkelement-1'})-[:HOLDS]->(a)
CREATE (e)-[:HOLDS]->(b)
"""
SERVE = "UNWIND $ids AS id CREATE (s:Service {id: id, state: 'active', committedMbps: 100, effectiveMbps: 100})"
ACCESS = "UNWIND $rows AS row MATCH (s:Service {id: row[0]}) MATCH (p:Port {id: row[1]}) CREATE (s)-[:ACCESSED_AT {end: 'A'}]->(p)"
ROUTE = """
UNWIND $rows AS row MATCH (s:Service {id: row[0]}) MATCH (t:Trunk {id: row[1]})
CREATE (s)-[:ROUTED_OVER {path: 'WORKING', position: 0}]->(t)
"""
BOOST = """
MATCH (s:Service {id: $service})
CREATE (b:Boost {id: $id, status: 'SCHEDULED', startAt: $start, endAt: $end, mbps: $mbps})-[:BOOSTS]->(s)
WITH b, s
MATCH (s)-[:ACCESSED_AT|ROUTED_OVER]->(t)
WITH DISTINCT b, t
CREATE (b)-[:RESERVES]->(t)
"""


def soon() -> float:
    return time.monotonic() + 280


async def run(store: Store, text: str, **given: object) -> list[list[object]]:
    async def work(transaction: Transaction) -> list[list[object]]:
        return await transaction.run(text, given)

    return await store.write(work, deadline=soon())


@pytest.fixture
async def laid(empty_store: Store) -> Store:
    """Ports and trunks of 1,000 Mbit/s, and four services of 100 that share them."""
    await run(empty_store, LAY)
    await run(empty_store, HOLD)
    await run(empty_store, SERVE, ids=sorted(WAYS))
    for text, label in ((ACCESS, "port"), (ROUTE, "trunk")):
        rows = [[service, each] for service, way in WAYS.items() for each in way if each.startswith(label)]
        await run(empty_store, text, rows=rows)
    return empty_store


async def now(store: Store) -> int:
    [[found]] = await store.rows("RETURN datetime.realtime().epochMillis", {}, deadline=soon())
    assert isinstance(found, int)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What was decided, and how many bookings on each thing were seen."""

    service: str
    booking: Booking
    granted: bool
    seen: Mapping[str, int]


async def decide(transaction: Transaction, service: str, booking: Booking, key: str) -> Decision:
    limits = await lock_limits(transaction, service, EXACT)
    seen = {each.thing: each.version for each in await lock_profiles(transaction, WAYS[service])}
    granted = shortfall(limits, StepFunction.of([booking])) is None
    if granted:
        given = {"id": key, "service": service, "start": booking.start, "end": booking.end, "mbps": booking.mbps}
        await transaction.run(BOOST, given)
        await write_profiles(transaction, {each.thing: StepFunction.of([booking]) for each in limits})
    return Decision(service=service, booking=booking, granted=granted, seen=seen)


async def book(store: Store, service: str, booking: Booking, key: str = "boost-1") -> Decision:
    work = partial(decide, service=service, booking=booking, key=key)
    return await store.write(work, deadline=soon())


@pytest.mark.timeout(1_800)  # in a full run on Neo4j: 1,280 bookings that wait for one another
async def test_many_who_book_at_once_take_what_there_is_and_no_more(laid: Store) -> None:
    begin, each_of = await now(laid) + HOUR, 40 if is_full() else 2
    decisions: list[Decision] = []

    async def booker(number: int) -> None:
        rnd = random.Random(f"{choose_seed()} {number}")
        for turn in range(each_of):
            start = rnd.randrange(24)
            hours = (begin + start * HOUR, begin + (start + rnd.randint(1, 6)) * HOUR)
            booking = Booking(start=hours[0], end=hours[1], mbps=rnd.choice((50, 100, 300)))
            service = rnd.choice(sorted(WAYS))
            decisions.append(await book(laid, service, booking, f"boost-{number}-{turn}"))

    async with asyncio.TaskGroup() as group:
        for number in range(32):
            group.create_task(booker(number))
    assert len(decisions) == 32 * each_of
    assert {each.granted for each in decisions} == {True, False}
    assert wrong(decisions, begin) == ([], [])
    assert (await compare(laid, deadline=soon())).differing == ()


def wrong(decisions: Sequence[Decision], begin: int) -> tuple[list[Decision], list[Decision]]:
    """Over-bookings and refusals in vain, hour by hour: of what each saw of each thing, in the order of its versions."""
    committed = {thing: 100 * sum(thing in way for way in WAYS.values()) for way in WAYS.values() for thing in way}
    order: dict[str, list[Booking]] = {}
    for thing in committed:
        granted = [each for each in decisions if each.granted and thing in each.seen]
        granted.sort(key=lambda each: each.seen[thing])
        assert [each.seen[thing] for each in granted] == list(range(len(granted)))  # none has overwritten another
        order[thing] = [each.booking for each in granted]
    over, vain = [], []
    for each in decisions:
        fits = all(
            committed[thing] + peak(order[thing][:seen], each.booking, begin) + each.booking.mbps <= 1_000
            for thing, seen in each.seen.items()
        )
        if each.granted and not fits:
            over.append(each)
        if fits and not each.granted:
            vain.append(each)
    return over, vain


def peak(taken: Sequence[Booking], within: Booking, begin: int) -> int:
    hours = [begin + hour * HOUR for hour in range(30) if holds(within, begin + hour * HOUR)]
    return max(sum(each.mbps for each in taken if holds(each, hour)) for hour in hours)


def holds(booking: Booking, instant: int) -> bool:
    assert booking.end is not None
    return booking.start <= instant < booking.end


async def test_the_limits_of_a_service_are_of_both_ends_and_all_trunks(laid: Store) -> None:
    start = await now(laid) + HOUR
    await book(laid, "service-1", Booking(start=start, end=start + HOUR, mbps=500))
    limits = await limits_of(laid, "service-2", EXACT, deadline=soon())
    assert [(each.thing, each.kind) for each in limits] == [
        ("port-1", LimitKind.PORT),
        ("port-3", LimitKind.PORT),
        ("trunk-1", LimitKind.NETWORK),
        ("trunk-3", LimitKind.NETWORK),
    ]
    free = [each.mbps - each.load.peak(start, start + HOUR) for each in limits]
    assert free == [200, 800, 200, 700]
    assert headroom(limits, start + HOUR, start + 2 * HOUR).mbps == 700
    half = Overbooking(by_layer={"ODU3": Fraction(1, 2)}, otherwise=Fraction(2))
    assert [each.mbps for each in await limits_of(laid, "service-2", half, deadline=soon())] == [2000, 2000, 2000, 500]
    assert await limits_of(laid, "service-none", EXACT, deadline=soon()) == ()


@pytest.mark.parametrize(
    ("change", "carried"),
    [
        ("SET s.state = 'terminated'", 200),
        ("SET s.state = 'feasibilityChecked'", 200),
        ("SET s.state = 'designed'", 300),
        ("REMOVE s.state", 300),
        ("SET s.effectiveMbps = 400", 600),
        ("SET s.effectiveMbps = 400, s.bookedMbps = 350", 350),
        ("SET s.effectiveMbps = 400, s.bookedMbps = 600", 300),
        ("REMOVE s.effectiveMbps, s.committedMbps", 200),
    ],
)
async def test_what_a_service_holds(laid: Store, change: str, carried: int) -> None:
    await run(laid, f"MATCH (s:Service {{id: 'service-2'}}) {change}")
    [limit] = (await loads_of(laid, ["trunk-1"], EXACT, deadline=soon()))["trunk-1"]
    assert limit.load.value_at(await now(laid)) == carried


async def test_a_service_with_both_ways_over_one_trunk_counts_once(laid: Store) -> None:
    await run(laid, ROUTE, rows=[["service-1", "trunk-1"]])
    limits = await limits_of(laid, "service-1", EXACT, deadline=soon())
    assert {each.thing: each.load.value_at(1) for each in limits}["trunk-1"] == 300


async def test_loads_of_what_holds_ports(laid: Store) -> None:
    ids = ["port-1", "card-1", "networkelement-1", "site-1", "trunk-4", "card-none", "trunk-none", "service-1"]
    found = await loads_of(laid, ids, EXACT, deadline=soon())
    things = {key: [each.thing for each in limits] for key, limits in found.items()}
    assert things == {
        "port-1": ["port-1"],
        "card-1": ["port-1", "trunk-1"],
        "networkelement-1": ["port-1", "port-2", "trunk-1", "trunk-2"],
        "site-1": ["port-1", "port-2", "trunk-1", "trunk-2"],
        "trunk-4": ["trunk-4"],
        "card-none": [],
        "trunk-none": [],
        "service-1": [],
    }


async def test_more_ports_than_are_read_at_once_are_refused(laid: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loads, "MOST_THINGS", 3)
    with pytest.raises(Refused):
        await loads_of(laid, ["site-1"], EXACT, deadline=soon())
    assert len(await loads_of(laid, ["card-1", "port-1", "port-2", "port-3"], EXACT, deadline=soon())) == 4


async def test_a_change_is_written_as_a_difference_and_what_is_past_is_folded(laid: Store) -> None:
    at = await now(laid)
    old, new = (
        Booking(start=at - 3 * HOUR, end=at + HOUR, mbps=100),
        Booking(start=at - HOUR, end=at + 2 * HOUR, mbps=300),
    )

    async def work(transaction: Transaction) -> None:
        await write_profiles(transaction, {"port-1": StepFunction.of([old])})
        await write_profiles(transaction, {"port-1": difference([old], [new], at), "port-2": StepFunction()})

    await laid.write(work, deadline=soon())
    [limit] = (await loads_of(laid, ["port-1"], EXACT, deadline=soon()))["port-1"]
    assert [limit.load.value_at(each) - 300 for each in (at, at + HOUR, at + 2 * HOUR)] == [300, 300, 0]
    assert limit.load.instants[1] >= at - KEPT_MS
    versions = await laid.rows("MATCH (c:CapacityProfile) RETURN c.id, c.version", {}, deadline=soon())
    assert versions == [["capacityprofile-port-1", 2]]


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    "fault",
    [
        "MATCH (c:CapacityProfile {id: 'capacityprofile-trunk-1'}) DELETE c",
        "MATCH (c:CapacityProfile {id: 'capacityprofile-trunk-1'}) SET c.deltas = 'nonsense'",
        "MATCH (c:CapacityProfile {id: 'capacityprofile-trunk-1'}) REMOVE c.deltas",
        "MATCH (b:Boost)-[r:RESERVES]->(:Trunk {id: 'trunk-1'}) DELETE r",
        "MATCH (b:Boost {id: 'boost-2'}) SET b.mbps = 11",
        "MATCH (b:Boost {id: 'boost-2'}) SET b.status = 'TERMINATED'",
    ],
)
async def test_a_profile_that_differs_is_named_and_made_again(laid: Store, fault: str) -> None:
    start = await now(laid) + HOUR
    await book(laid, "service-1", Booking(start=start, end=start + HOUR, mbps=10), "boost-1")
    await book(laid, "service-4", Booking(start=start, end=start + HOUR, mbps=10), "boost-2")
    assert await compare(laid, deadline=soon()) == await compare(laid, deadline=soon())
    assert (await compare(laid, deadline=soon())).differing == ()
    await run(laid, fault)
    differing = (await compare(laid, deadline=soon())).differing
    assert "trunk-1" in differing
    assert await rebuild(laid, deadline=soon()) == len(differing)
    found = await compare(laid, deadline=soon())
    assert (found.profiles, found.differing) == (7, ())


async def test_what_is_past_makes_no_difference(laid: Store) -> None:
    at = await now(laid)
    given = {"id": "boost-1", "service": "service-1", "start": at - 2 * HOUR, "end": at - HOUR, "mbps": 5}
    await run(laid, BOOST, **given)
    found = await compare(laid, deadline=soon())
    assert (found.profiles, found.differing) == (4, ())
