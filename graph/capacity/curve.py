"""What is free at each instant: who looks for a time needs all of them at once, over every hop.

Ten hops with ten thousand bookings change some hundred thousand times. A hop that leaves more than another one throughout
is left out first: most trunks are much larger than the port behind which a customer is. Hops that change at the same instants are
taken together, rate by rate. What is left is walked once, in order of time; the least rate is looked for anew only where the hop that had it leaves more than before.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import compress
from operator import ne

from graph.capacity.limits import Limit
from graph.capacity.steps import StepFunction, check_interval


def availability(limits: Sequence[Limit], start: int, end: int) -> StepFunction:
    """Give the headroom over all limits at each instant of the interval, and 0 outside; raises NotAnInterval.

    It is never below 0. Without limits nothing is left.
    """
    check_interval(start, end)
    scarce = _scarce(limits, start, end)
    return _steps([*_walk(_joined(scarce, start, end), start), (end, 0)] if scarce else [])


def _scarce(limits: Sequence[Limit], start: int, end: int) -> list[Limit]:
    """Leave out each limit that never leaves less than the one that leaves the least at its best."""

    def best(limit: Limit) -> int:
        return limit.mbps - limit.load.lowest(start, end)

    if not limits:
        return []
    scarcest = min(limits, key=best)
    most = best(scarcest)
    return [each for each in limits if each is scarcest or each.mbps - each.load.peak(start, end) < most]


@dataclass(frozen=True, slots=True)
class _Left:
    """What some limits leave within an interval, of which all change at the same instants."""

    first: int
    """from the start of the interval on;"""
    instants: tuple[int, ...]
    rates: list[int]
    """and from each instant on."""


def _joined(limits: Sequence[Limit], start: int, end: int) -> list[_Left]:
    """Take limits together that change at the same instants, as where every booking runs over the whole way."""
    alike: defaultdict[tuple[int, ...], list[Limit]] = defaultdict(list)
    for each in limits:
        alike[each.load.instants].append(each)
    return [_least(instants, some, start, end) for instants, some in alike.items()]


def _least(instants: tuple[int, ...], limits: Sequence[Limit], start: int, end: int) -> _Left:
    first, last = _inside(instants, start, end)
    rates = [[each.mbps - total for total in each.load.totals[first:last]] for each in limits]
    least = rates[0] if len(rates) == 1 else [*map(min, *rates)]
    return _Left(min(each.mbps - each.load.value_at(start) for each in limits), instants[first:last], least)


def _walk(lefts: Sequence[_Left], start: int) -> list[tuple[int, int]]:
    """Give the least headroom at the start and wherever it may change, in order of time. Of one instant the last counts."""
    if len(lefts) == 1:
        return [(start, lefts[0].first), *zip(lefts[0].instants, lefts[0].rates, strict=True)]
    count = len(lefts)
    keys: list[int] = []  # an instant and the index of what is left, as one integer: tuples take twice as long
    for index, each in enumerate(lefts):
        keys += [instant * count + index for instant in each.instants]
    keys.sort()
    nexts = [iter(each.rates).__next__ for each in lefts]
    left = [each.first for each in lefts]
    least = min(left)
    found = [(start, least)]
    for key in keys:
        index = key % count
        before, now = left[index], nexts[index]()
        left[index] = now
        if now < least:
            least = now
        elif before == least != now:
            least = min(left)
        else:
            continue
        found.append((key // count, least))
    return found


def _inside(instants: Sequence[int], start: int, end: int) -> tuple[int, int]:
    """Give the range of the instants after the start and before the end."""
    first = bisect_right(instants, start)
    return first, bisect_left(instants, end, lo=first)


def _steps(rates: Iterable[tuple[int, int]]) -> StepFunction:
    """Leave out what changes nothing: of one instant the last rate counts, of equal rates the first. None is below 0."""
    last = dict(rates)
    instants, totals = tuple(last), tuple(max(0, each) for each in last.values())
    changed = [*map(ne, totals, (0, *totals))]
    return StepFunction(instants=tuple(compress(instants, changed)), totals=tuple(compress(totals, changed)))
