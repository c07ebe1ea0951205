"""What a customer may learn of what others use: enough to book, and too little to watch them.

What is free on a shared trunk tells when somebody else's booking begins, and how large it is. So a customer learns it
rounded down: to the rates that are on offer, for whole quarter hours, and no more than its own contract allows.
Whole quarter hours are those of UTC, whatever was asked for: whoever moves the start of a question by a second learns nothing.
Its own bookings a customer knows to the second: where one ends within a quarter hour, another may begin.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from graph.capacity.curve import availability
from graph.capacity.limits import Headroom, Limit, LimitKind
from graph.capacity.search import Offer
from graph.capacity.steps import Booking, StepFunction, check_interval

QUARTER_HOUR: Final = 900_000
"""in milliseconds."""
_NOTHING: Final = StepFunction()


def whole_quarters(start: int, end: int) -> tuple[int, int]:
    """Give the quarter hours that an interval touches, as one interval; raises NotAnInterval.

    >>> whole_quarters(900_001, 1_800_001)
    (900000, 2700000)
    """
    check_interval(start, end)
    return start - start % QUARTER_HOUR, end + -end % QUARTER_HOUR


def shown_left(limit: Limit, own: StepFunction, interval: tuple[int, int], now: int) -> int:
    """Give what a customer may take of one limit throughout an interval, as far as it may learn that; raises NotAnInterval.

    `own` is what the load has of the customer's own bookings, which it knows to the second. Of others only the highest load of each
    quarter hour counts, from `now` on. Quotes and bookings are judged by this, so that what was quoted can be booked. It may be below 0.

    >>> load = StepFunction.of([Booking(start=0, end=1_000_000, mbps=70), Booking(start=0, end=None, mbps=20)])
    >>> port, own = Limit(thing="port-1", kind=LimitKind.PORT, mbps=100, load=load), StepFunction.of([Booking(start=0, end=1_000_000, mbps=70)])
    >>> shown_left(port, own, (1_000_000, 1_800_000), 0), shown_left(port, StepFunction(), (1_000_000, 1_800_000), 0)
    (80, 10)
    """
    return _left(_Shared(limit=limit, own=own, others=limit.load.minus(own)), interval, now)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shared:
    """A limit, and whose its load is: told apart once for all intervals."""

    limit: Limit
    own: StepFunction
    others: StepFunction


def _shared(limits: Sequence[Limit], own: Mapping[str, StepFunction]) -> list[_Shared]:
    parts = ((each, own.get(each.thing, _NOTHING)) for each in limits)
    return [_Shared(limit=each, own=mine, others=each.load.minus(mine)) for each, mine in parts]


def _left(shared: _Shared, interval: tuple[int, int], now: int) -> int:
    limit, own, others = shared.limit, shared.own, shared.others
    start, end = interval
    most = 0
    for first, last in pairwise(_edges(own, start, end)):
        if last <= now:
            continue
        seen = max(first, now), last
        beside = others.peak(*seen) + own.peak(max(first, start), min(last, end))
        most = max(most, min(limit.load.peak(*seen), beside))
    return limit.mbps - most


def _edges(own: StepFunction, start: int, end: int) -> list[int]:
    """Cut the quarter hours of an interval: apart are the first and the last one, and each within which own bookings change."""
    begin, over = whole_quarters(start, end)
    within = [*own.instants[bisect_right(own.instants, begin) : bisect_left(own.instants, over)], start, end]
    cuts = {edge for each in within if each % QUARTER_HOUR for edge in whole_quarters(each, each + 1)}
    return sorted({begin, over, *cuts})


def shown_headroom(
    limits: Sequence[Limit], own: Mapping[str, StepFunction], offer: Offer, interval: tuple[int, int], now: int
) -> Headroom:
    """Give what a customer may learn of the headroom in an interval: a rate on offer, or 0; raises NotAnInterval.

    `own` is what own bookings take, by the id of the thing. What limits is CONTRACT where the network would have carried more. The id of
    what limits is left out.
    """
    return _headroom(_shared(limits, own), offer, interval, now)


def _headroom(shared: Sequence[_Shared], offer: Offer, interval: tuple[int, int], now: int) -> Headroom:
    left = [(_left(each, interval, now), each.limit.kind) for each in shared]
    least, limiting = min(left, key=lambda each: each[0], default=(0, None))
    kind = LimitKind.CONTRACT if offer.most <= max(0, least) else limiting
    return Headroom(mbps=offer.nearest(least), limiting=kind, thing=None)


def shown_curve(
    limits: Sequence[Limit], own: Mapping[str, StepFunction], offer: Offer, interval: tuple[int, int], now: int
) -> StepFunction:
    """Give what a customer may learn of the headroom over time, for the whole quarter hours of an interval.

    Each rate is one on offer, or 0: of each quarter hour it is what `shown_headroom` says. Raises NotAnInterval.
    """
    start, end = whole_quarters(*interval)
    exact, shared = availability(limits, start, end), _shared(limits, own)
    apart = {each - each % QUARTER_HOUR for each in (now, *(at for steps in own.values() for at in steps.instants))}

    def left(at: int) -> int:
        if at in apart:  # else own bookings stay the same within it, and it makes no difference whose a load is
            return _headroom(shared, offer, (at, at + QUARTER_HOUR), now).mbps
        return offer.nearest(exact.lowest(at, at + QUARTER_HOUR))

    return StepFunction.of(
        Booking(start=at, end=at + QUARTER_HOUR, mbps=left(at)) for at in range(start, end, QUARTER_HOUR)
    )
