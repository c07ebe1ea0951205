"""What it costs to say what is free: ten hops, ten thousand bookings, a year.

Measured is all that a reader does: the stored texts of the loads are read, committed rates are added, and the curve is made;
and beside it what a booking adds to it: the load is added to, folded and written again, on every hop. Three networks:

*way*      what a network looks like: two ports of 10 Gbit/s and eight trunks of 100; each booking runs over some of the hops
*all*      each booking runs over every hop, of which all are alike, so that they change at the same instants
*apart*    as many bookings on every hop, each hop with its own: ten times as many instants
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from benchmarks.figures import percentile
from graph.capacity.curve import availability
from graph.capacity.limits import Limit, LimitKind, headroom
from graph.capacity.steps import Booking, StepFunction, read_steps

HOPS: Final = 10
BOOKINGS: Final = 10_000
RUNS: Final = 60
YEAR: Final = 366 * 86_400_000
_SECOND: Final = 1_000
_COMMITTED: Final = StepFunction.of([Booking(start=0, end=None, mbps=1_000)])
_RATES: Final = (10, 50, 100, 200)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one network costs, in milliseconds of CPU time."""

    network: str
    steps: int
    """of all loads."""
    kilobytes: int
    """as they are stored."""
    curve_p50_ms: float
    curve_p95_ms: float
    headroom_p50_ms: float
    """of two hours, with the reading of the loads, and p95."""
    headroom_p95_ms: float
    book_p50_ms: float
    """beside the reading: added, folded, written on every hop; and p95."""
    book_p95_ms: float

    def sentence(self) -> str:
        """Say it."""
        return (
            f"{self.network:6} {self.steps} steps in {self.kilobytes} kB: the curve p50 {self.curve_p50_ms:.1f}, "
            f"p95 {self.curve_p95_ms:.1f} ms; the headroom of two hours p50 {self.headroom_p50_ms:.1f}, "
            f"p95 {self.headroom_p95_ms:.1f} ms; what a booking adds p50 {self.book_p50_ms:.1f}, p95 {self.book_p95_ms:.1f} ms"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Network:
    name: str
    limits: tuple[int, ...]
    texts: tuple[str, ...]


def measure(seed: int = 7, runs: int = RUNS) -> list[Row]:
    """Measure each network."""
    rnd = random.Random(seed)
    return [_row(each, runs) for each in (_way(rnd), _all(rnd), _apart(rnd))]


def _way(rnd: random.Random) -> _Network:
    hops: list[list[Booking]] = [[] for _ in range(HOPS)]
    for booking in _bookings(rnd):
        first = rnd.randrange(HOPS)
        for hop in hops[first : rnd.randint(first, HOPS) + 1]:
            hop.append(booking)
    limits = (10_000, *[100_000] * (HOPS - 2), 10_000)
    return _Network(name="way", limits=limits, texts=tuple(StepFunction.of(each).as_text() for each in hops))


def _all(rnd: random.Random) -> _Network:
    text = StepFunction.of(_bookings(rnd)).as_text()
    return _Network(name="all", limits=(100_000,) * HOPS, texts=(text,) * HOPS)


def _apart(rnd: random.Random) -> _Network:
    texts = tuple(StepFunction.of(_bookings(rnd)).as_text() for _ in range(HOPS))
    return _Network(name="apart", limits=(100_000,) * HOPS, texts=texts)


def _bookings(rnd: random.Random) -> list[Booking]:
    starts = [rnd.randrange(0, YEAR, _SECOND) for _ in range(BOOKINGS)]
    return [
        Booking(start=each, end=each + rnd.randrange(900_000, 2 * 86_400_000, _SECOND), mbps=rnd.choice(_RATES))
        for each in starts
    ]


def _row(network: _Network, runs: int) -> Row:
    rnd = random.Random(network.name)
    limits = _read(network)

    def two_hours() -> tuple[int, int]:
        start = rnd.randrange(YEAR)
        return start, start + 7_200_000

    curve = _milliseconds(lambda: availability(_read(network), 0, YEAR), runs)
    free = _milliseconds(lambda: headroom(_read(network), *two_hours()), runs)
    book = _milliseconds(lambda: _booked(limits, *two_hours()), runs)
    return Row(
        network=network.name,
        steps=sum(len(each.load.instants) - 1 for each in limits),
        kilobytes=sum(map(len, network.texts)) // 1_000,
        curve_p50_ms=percentile(curve, 50),
        curve_p95_ms=percentile(curve, 95),
        headroom_p50_ms=percentile(free, 50),
        headroom_p95_ms=percentile(free, 95),
        book_p50_ms=percentile(book, 50),
        book_p95_ms=percentile(book, 95),
    )


def _read(network: _Network) -> list[Limit]:
    return [
        Limit(thing=f"trunk-{hop}", kind=LimitKind.NETWORK, mbps=mbps, load=read_steps(text).plus(_COMMITTED))
        for hop, (mbps, text) in enumerate(zip(network.limits, network.texts, strict=True))
    ]


def _booked(limits: list[Limit], start: int, end: int) -> list[str]:
    more = StepFunction.of([Booking(start=start, end=end, mbps=100)])
    return [each.load.plus(more).from_(0).as_text() for each in limits]


def _milliseconds(work: Callable[[], object], runs: int) -> list[float]:
    """Give the CPU time of each run, since nothing is waited for; of the first, which warms up, nothing is said."""
    found = []
    for _ in range(runs + 1):
        began = time.process_time()
        work()
        found.append((time.process_time() - began) * 1_000)
    return found[1:]
