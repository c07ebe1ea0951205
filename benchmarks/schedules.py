"""Whether anything is over-booked, or refused though it would have fitted, over a million random schedules.

A schedule is some services that share hops, and a row of bookings, extensions, changes and cancellations while time goes on.
Each is decided twice: by `graph.capacity`, and by a table that has the rate of each boost at each instant and adds up.
Instants, rates and limits are few, so that beginnings and ends coincide, and limits are met exactly.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import repeat
from typing import Final, Literal, TypeAlias

from graph.capacity.holds import difference, shortfall
from graph.capacity.limits import Limit, LimitKind
from graph.capacity.steps import Booking, StepFunction, read_steps

HORIZON: Final = 16
"""instants."""
LENGTH: Final = 8
"""wishes in a schedule."""
_CHUNK: Final = 5_000

Kind: TypeAlias = Literal["book", "extend", "change", "cancel"]
KINDS: Final[tuple[Kind, ...]] = ("book", "book", "book", "extend", "change", "cancel")
Rates: TypeAlias = tuple[int, ...]
"""of one boost, at each instant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody asks for."""

    kind: Kind
    pause: int
    """instants that pass before."""
    lot: int
    """which service books, or which boost is changed: modulo how many there are."""
    start: int
    length: int
    mbps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """What is asked for in a network."""

    limits: tuple[int, ...]
    """of each hop, in Mbit/s."""
    ways: tuple[tuple[int, ...], ...]
    """the hops of each service."""
    wishes: tuple[Wish, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What became of all wishes."""

    schedules: int = 0
    accepted: int = 0
    refused: int = 0
    over_bookings: int = 0
    """accepted, though a limit is exceeded at some instant."""
    false_refusals: int = 0
    """refused, though no limit would have been exceeded."""
    drifts: int = 0
    """hops whose load is not the sum of what is booked, after a schedule."""

    def __add__(self, other: Counts) -> Counts:
        """Add up."""
        names = Counts.__slots__
        return Counts(**{name: getattr(self, name) + getattr(other, name) for name in names})

    @property
    def is_well(self) -> bool:
        """Tell whether nothing was decided wrongly."""
        return not (self.over_bookings or self.false_refusals or self.drifts)

    def sentence(self) -> str:
        """Say it."""
        wishes = self.accepted + self.refused
        return (
            f"{self.schedules} schedules, {wishes} wishes: {self.accepted} accepted, {self.refused} refused; "
            f"{self.over_bookings} over-bookings, {self.false_refusals} false refusals, {self.drifts} loads that drifted"
        )


Fits: TypeAlias = Callable[[Sequence[Limit], StepFunction], bool]


def fits(limits: Sequence[Limit], more: StepFunction) -> bool:
    """Decide as the product does."""
    return shortfall(limits, more) is None


def run(count: int, seed: int, processes: int | None = None) -> Counts:
    """Play so many schedules, shared by some processes; the same seed plays the same ones."""
    parts = [range(at, min(at + _CHUNK, count)) for at in range(0, count, _CHUNK)]
    with ProcessPoolExecutor(processes or os.cpu_count()) as pool:
        return sum(pool.map(_part, repeat(seed), parts), Counts())


def _part(seed: int, numbers: range) -> Counts:
    return sum((play(a_schedule(f"{seed} {number}")) for number in numbers), Counts())


def a_schedule(lot: random.Random | str | int) -> Schedule:
    """Draw a schedule."""
    rnd = lot if isinstance(lot, random.Random) else random.Random(lot)
    hops = rnd.randint(1, 4)
    limits = tuple(rnd.randint(3, 20) for _ in range(hops))
    ways = tuple(tuple(sorted(rnd.sample(range(hops), rnd.randint(1, hops)))) for _ in range(3))
    return Schedule(limits=limits, ways=ways, wishes=tuple(_wishes(rnd)))


def _wishes(rnd: random.Random) -> Iterator[Wish]:
    for _ in range(LENGTH):
        start = rnd.randrange(HORIZON - 1)
        yield Wish(
            kind=rnd.choice(KINDS),
            pause=rnd.choice((0, 0, 1, 2)),
            lot=rnd.randrange(12),
            start=start,
            length=rnd.randint(1, HORIZON - start),
            mbps=rnd.randint(1, 9),
        )


@dataclass(slots=True, kw_only=True, eq=False)
class _Boost:
    """A boost as both sides keep it."""

    way: tuple[int, ...]
    bookings: list[Booking]
    rates: Rates = (0,) * HORIZON


def play(schedule: Schedule, decide: Fits = fits) -> Counts:
    """Grant and refuse wishes one after the other, and count what was decided otherwise than by the table."""
    loads = [StepFunction() for _ in schedule.limits]
    boosts: list[_Boost] = []
    now = accepted = refused = over = vain = 0
    for wish in schedule.wishes:
        now = min(now + wish.pause, HORIZON - 1)
        boost = _asked(wish, schedule, boosts)
        plan = _plan(wish, boost, now)
        more = difference(boost.bookings, plan, now)
        limits = [_limit(hop, schedule.limits[hop], loads[hop]) for hop in boost.way]
        rates = _table(plan)
        granted, allowed = decide(limits, more), _allowed(schedule.limits, boosts, boost, rates)
        over += granted and not allowed
        vain += allowed and not granted
        refused += not granted
        if granted:
            accepted += 1
            for hop in boost.way:
                loads[hop] = loads[hop].plus(more).from_(now)
            boost.bookings, boost.rates = plan, rates
            boosts += [] if boost in boosts else [boost]
    drifts = sum(_differs(read_steps(load.as_text()), hop, boosts, now) for hop, load in enumerate(loads))
    return Counts(
        schedules=1, accepted=accepted, refused=refused, over_bookings=over, false_refusals=vain, drifts=drifts
    )


def _asked(wish: Wish, schedule: Schedule, boosts: Sequence[_Boost]) -> _Boost:
    """Give the boost that a wish is about: a new one for a booking, and where there is none yet."""
    if wish.kind == "book" or not boosts:
        return _Boost(way=schedule.ways[wish.lot % len(schedule.ways)], bookings=[])
    return boosts[wish.lot % len(boosts)]


def _plan(wish: Wish, boost: _Boost, now: int) -> list[Booking]:
    """Give what the boost will be: what has been stays as it was."""
    if not boost.bookings:
        start = max(now, wish.start)
        return [Booking(start=start, end=min(start + wish.length, HORIZON), mbps=wish.mbps)]
    match wish.kind:
        case "book" | "extend":
            return _extended(boost.bookings, now, wish.length)
        case "change":
            return [*_until(boost.bookings, now), *_from(boost.bookings, now, wish.mbps)]
        case "cancel":
            return _until(boost.bookings, now)


def _extended(bookings: Sequence[Booking], now: int, length: int) -> list[Booking]:
    *before, last = bookings
    if last.end is None or last.end <= now:
        return [*bookings]  # it is over
    return [*before, Booking(start=last.start, end=min(last.end + length, HORIZON), mbps=last.mbps)]


def _until(bookings: Sequence[Booking], now: int) -> list[Booking]:
    ends = [(each, min(each.end or HORIZON, now)) for each in bookings]
    return [Booking(start=each.start, end=end, mbps=each.mbps) for each, end in ends if end > each.start]


def _from(bookings: Sequence[Booking], now: int, mbps: int) -> list[Booking]:
    starts = [(each, max(each.start, now)) for each in bookings]
    return [Booking(start=start, end=each.end, mbps=mbps) for each, start in starts if (each.end or HORIZON) > start]


def _limit(hop: int, mbps: int, load: StepFunction) -> Limit:
    return Limit(thing=f"trunk-{hop}", kind=LimitKind.NETWORK, mbps=mbps, load=load)


# The table ---------------------------------------------------------------------------------------------------------------


def _table(plan: Sequence[Booking]) -> Rates:
    """Give the rate at each instant."""
    rates = [0] * HORIZON
    for each in plan:
        for instant in range(each.start, each.end or HORIZON):
            rates[instant] += each.mbps
    return tuple(rates)


def _allowed(limits: Sequence[int], boosts: Sequence[_Boost], boost: _Boost, rates: Rates) -> bool:
    """Tell whether no hop has more than its limit at an instant at which the boost takes more than it did."""
    more = [instant for instant, (old, new) in enumerate(zip(boost.rates, rates, strict=True)) if new > old]
    others = [each for each in boosts if each is not boost]
    return all(
        sum(each.rates[instant] for each in others if hop in each.way) + rates[instant] <= limits[hop]
        for hop in boost.way
        for instant in more
    )


def _differs(load: StepFunction, hop: int, boosts: Sequence[_Boost], now: int) -> bool:
    wanted = [sum(each.rates[at] for each in boosts if hop in each.way) for at in range(now, HORIZON)]
    return [load.value_at(at) for at in range(now, HORIZON)] != wanted
