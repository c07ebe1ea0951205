"""Whether real bookings over-book anything, or are refused though they would have fitted, while several book at once.

A schedule is a small network of its own, three services over shared trunks with little room, for which several book at the same time.
Nobody knows in which order the database has taken them. So two things are asked of what became of them, by brute force at each instant:
all that was booked fits together, and nothing that was refused would fit beside all that was booked. Nothing is given back meanwhile, so
that a refusal that was right stays right.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from graph.changes.bandwidth.asking import NO_CAPACITY
from graph.changes.bandwidth.booking import BookingRequest, Occurrence, book
from graph.changes.bandwidth.policy import BandwidthPolicy
from graph.model.scope import Principal, Role
from graph.store.store import Store, Transaction

OPERATOR: Final = Principal(subject="9:benchmarks:ann", role=Role.OPERATOR)
POLICY: Final = BandwidthPolicy(provisioning="provisioning", leads=())
HOUR: Final = 3_600_000
SECONDS: Final = 120.0
"""for one booking."""
BOOKERS: Final = 6
"""of one schedule, all at once;"""
_BESIDE: Final = 4
"""and so many schedules beside each other."""
_INSTANTS: Final = 8
"""hours in which all of a schedule happens."""
_AT_ONCE: Final = 200
WAYS: Final[Mapping[str, tuple[str, ...]]] = {
    "a": ("port-a", "trunk-1", "trunk-2"),
    "b": ("port-b", "trunk-1"),
    "c": ("port-c", "trunk-2", "trunk-3"),
}
_LAY: Final = """
UNWIND $batch.rows AS row
CREATE (c:Customer {id: 'customer-' + row.lot, name: row.lot, words: row.lot})
WITH row, c UNWIND row.services AS s
CREATE (c)-[:SUBSCRIBES_TO]->(:Service {id: s.id, name: s.id, state: 'active', committedMbps: s.mbps, effectiveMbps: s.mbps})
"""
_PORTS: Final = "UNWIND $batch.rows AS row CREATE (:Port {id: row.id, name: row.id, speedMbps: row.mbps})"
_TRUNKS: Final = (
    "UNWIND $batch.rows AS row CREATE (:Trunk {id: row.id, name: row.id, layerRate: 'ODU2', capacityMbps: row.mbps})"
)
_AT: Final = "UNWIND $batch.rows AS row MATCH (s:Service {id: row.service}) MATCH (t:Port {id: row.thing}) CREATE (s)-[:ACCESSED_AT {end: 'A'}]->(t)"
_OVER: Final = "UNWIND $batch.rows AS row MATCH (s:Service {id: row.service}) MATCH (t:Trunk {id: row.thing}) CREATE (s)-[:ROUTED_OVER {path: 'WORKING'}]->(t)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What one booker asks for; hours from the beginning of the schedule."""

    service: str
    start: int
    end: int
    mbps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """One schedule."""

    name: str
    limits: Mapping[str, int]
    """of ports and trunks, in Mbit/s."""
    committed: Mapping[str, int]
    wishes: tuple[Wish, ...]


@dataclass(slots=True, kw_only=True)
class Counts:
    """What became of all schedules."""

    schedules: int = 0
    booked: int = 0
    refused: int = 0
    over_booked: int = 0
    """schedules in which more is booked than fits."""
    falsely_refused: int = 0
    """bookings that would have fitted."""
    seconds: float = 0.0

    def sentence(self) -> str:
        """Say it."""
        return (
            f"{self.schedules} schedules of {BOOKERS} bookers at once in {self.seconds:.0f} s: {self.booked} booked, {self.refused} refused; "
            f"{self.over_booked} over-bookings, {self.falsely_refused} false refusals"
        )

    @property
    def is_well(self) -> bool:
        """Whether nothing was decided wrongly, and both was decided at all."""
        return not self.over_booked and not self.falsely_refused and bool(self.booked and self.refused)


async def play(store: Store, count: int, seed: int) -> Counts:
    """Play so many schedules in an empty store, and judge them."""
    chance = random.Random(seed)
    counts, began = Counts(), time.perf_counter()
    for first in range(0, count, _AT_ONCE):
        lots = [draw(chance, f"{seed}x{number}") for number in range(first, min(first + _AT_ONCE, count))]
        await _lay(store, lots)
        waiting = iter(lots)

        async def work(waiting: object = waiting) -> None:
            for lot in waiting:  # type: ignore[attr-defined]  # shared, so that each lot is played once
                _judge(counts, lot, await _play(store, lot))

        async with asyncio.TaskGroup() as group:
            for _ in range(_BESIDE):
                group.create_task(work())
    counts.seconds = time.perf_counter() - began
    return counts


def draw(chance: random.Random, name: str) -> Lot:
    """Draw a schedule: rates and limits are few, so that limits are met exactly."""
    things = sorted({thing for way in WAYS.values() for thing in way})
    wishes = []
    for _ in range(BOOKERS):
        start = chance.randrange(_INSTANTS - 1)
        end = chance.randint(start + 1, _INSTANTS)
        wishes.append(Wish(service=chance.choice(sorted(WAYS)), start=start, end=end, mbps=chance.choice((1, 2, 3))))
    return Lot(
        name=name,
        limits={thing: chance.randint(3, 8) for thing in things},
        committed={service: chance.randint(0, 1) for service in WAYS},
        wishes=tuple(wishes),
    )


async def _play(store: Store, lot: Lot) -> Sequence[bool]:
    """Let all book at once; tell of each whether it has got what it asked for."""
    [[now]] = await store.rows("RETURN datetime.realtime().epochMillis", {}, deadline=time.monotonic() + SECONDS)
    begin = int(str(now)) + HOUR

    async def once(number: int, wish: Wish) -> bool:
        taken = Occurrence(start=begin + wish.start * HOUR, end=begin + wish.end * HOUR, price=0)
        wanted = BookingRequest(service=_id(lot, wish.service), mbps=wish.mbps, occurrences=(taken,), currency="EUR")
        key, deadline = f"{lot.name}-{number}", time.monotonic() + SECONDS
        outcome = await book(store, OPERATOR, POLICY, wanted, idempotency_key=key, deadline=deadline)
        codes = [each.code for each in outcome.user_errors]
        assert codes in ([], [NO_CAPACITY]), codes
        return not codes

    return await asyncio.gather(*(once(number, wish) for number, wish in enumerate(lot.wishes)))


def _judge(counts: Counts, lot: Lot, booked: Sequence[bool]) -> None:
    taken = [wish for wish, is_booked in zip(lot.wishes, booked, strict=True) if is_booked]
    refused = [wish for wish, is_booked in zip(lot.wishes, booked, strict=True) if not is_booked]
    counts.schedules += 1
    counts.booked += len(taken)
    counts.refused += len(refused)
    counts.over_booked += not fits(lot, taken)
    counts.falsely_refused += sum(fits(lot, [*taken, each]) for each in refused)


def fits(lot: Lot, wishes: Sequence[Wish]) -> bool:
    """Add up at each instant, on each thing."""
    for thing, limit in lot.limits.items():
        beside = sum(mbps for service, mbps in lot.committed.items() if thing in WAYS[service])
        over = [each for each in wishes if thing in WAYS[each.service]]
        for at in range(_INSTANTS):
            if beside + sum(each.mbps for each in over if each.start <= at < each.end) > limit:
                return False
    return True


def _id(lot: Lot, name: str) -> str:
    """Give the id of a service of a schedule, or of a thing: its label comes first."""
    label, _, rest = name.rpartition("-")
    return f"{label or 'service'}-{lot.name}{rest}"


async def _lay(store: Store, lots: Sequence[Lot]) -> None:
    services = [
        {"lot": lot.name, "services": [{"id": _id(lot, name), "mbps": mbps} for name, mbps in lot.committed.items()]}
        for lot in lots
    ]
    things = [{"id": _id(lot, thing), "mbps": mbps} for lot in lots for thing, mbps in lot.limits.items()]
    ways = [
        {"service": _id(lot, name), "thing": _id(lot, thing)}
        for lot in lots
        for name, way in WAYS.items()
        for thing in way
    ]
    await write(store, _LAY, services)
    await write(store, _PORTS, [each for each in things if str(each["id"]).startswith("port-")])
    await write(store, _TRUNKS, [each for each in things if str(each["id"]).startswith("trunk-")])
    await write(store, _AT, [each for each in ways if each["thing"].startswith("port-")])
    await write(store, _OVER, [each for each in ways if each["thing"].startswith("trunk-")])


async def write(store: Store, text: str, rows: Sequence[object]) -> None:
    """Write rows of a network."""

    async def work(transaction: Transaction) -> None:
        await transaction.run(text, {"batch": {"rows": list(rows)}})

    await store.write(work, deadline=time.monotonic() + SECONDS)
