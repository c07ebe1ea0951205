"""What is free at each instant: who looks for a time needs all of them at once, over every hop.

Ten hops with ten thousand bookings change some hundred thousand times. A hop that leaves more than another one throughout
is left out first: most trunks are much larger than the port behind which a customer is. What is left is walked once, in
order of time; the least rate is looked for anew only where the hop that had it leaves more than before.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
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
    return _steps([*_walk(scarce, start, end), (end, 0)] if scarce else [])


def _scarce(limits: Sequence[Limit], start: int, end: int) -> list[Limit]:
    """Leave out each limit that never leaves less than the one that leaves the least at its best."""

    def best(limit: Limit) -> int:
        return limit.mbps - limit.load.lowest(start, end)

    if not limits:
        return []
    scarcest = min(limits, key=best)
    most = best(scarcest)
    return [each for each in limits if each is scarcest or each.mbps - each.load.peak(start, end) < most]


def _walk(limits: Sequence[Limit], start: int, end: int) -> list[tuple[int, int]]:
    """Give the least headroom at the start and wherever it may change, in order of time. Of one instant the last counts."""
    count = len(limits)
    keys: list[int] = []  # an instant and the index of a limit, as one integer: tuples take twice as long
    nexts = []
    left = [each.mbps - each.load.value_at(start) for each in limits]
    for index, each in enumerate(limits):
        first, last = _inside(each.load.instants, start, end)
        keys += [instant * count + index for instant in each.load.instants[first:last]]
        nexts.append(iter([each.mbps - total for total in each.load.totals[first:last]]).__next__)
    keys.sort()
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
