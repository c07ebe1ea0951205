"""What a customer may learn of what others use: enough to book, and too little to watch them.

What is free on a shared trunk tells when somebody else's booking begins, and how large it is. So a customer learns it
rounded down: to the rates that are on offer, for whole quarter hours, and no more than its own contract allows.
Whole quarter hours are those of UTC, whatever was asked for: whoever moves the start of a question by a second learns nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from graph.capacity.curve import availability
from graph.capacity.limits import Headroom, Limit, LimitKind, headroom
from graph.capacity.search import Offer
from graph.capacity.steps import Booking, StepFunction, check_interval

QUARTER_HOUR: Final = 900_000
"""in milliseconds."""


def whole_quarters(start: int, end: int) -> tuple[int, int]:
    """Give the quarter hours that an interval touches, as one interval; raises NotAnInterval.

    >>> whole_quarters(900_001, 1_800_001)
    (900000, 2700000)
    """
    check_interval(start, end)
    return start - start % QUARTER_HOUR, end + -end % QUARTER_HOUR


def shown_headroom(limits: Sequence[Limit], offer: Offer, interval: tuple[int, int]) -> Headroom:
    """Give what a customer may learn of the headroom in an interval: a rate on offer, or 0; raises NotAnInterval.

    What limits is CONTRACT where the network would have carried more. The id of what limits is left out.
    """
    exact = headroom(limits, *whole_quarters(*interval))
    kind = LimitKind.CONTRACT if offer.most <= exact.mbps else exact.limiting
    return Headroom(mbps=offer.nearest(exact.mbps), limiting=kind, thing=None)


def shown_curve(limits: Sequence[Limit], offer: Offer, interval: tuple[int, int]) -> StepFunction:
    """Give what a customer may learn of the headroom over time, for the whole quarter hours of an interval.

    Each rate is one on offer, or 0. Raises NotAnInterval.
    """
    start, end = whole_quarters(*interval)
    exact = availability(limits, start, end)
    return StepFunction.of(
        Booking(start=at, end=at + QUARTER_HOUR, mbps=offer.nearest(exact.lowest(at, at + QUARTER_HOUR)))
        for at in range(start, end, QUARTER_HOUR)
    )
