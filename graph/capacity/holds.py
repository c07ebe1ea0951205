"""A change is a hold of the difference: what a boost will take, less what it takes already, from now on.

Whoever checks only what is new over-books where a boost is moved into its own future, and refuses where it keeps what it
has. So the old and the new plan of a boost are two functions, and what must be free is where their difference is above 0,
over the whole remaining time. Where it is below 0 something is given back, which always fits.

>>> old, new = [Booking(start=0, end=20, mbps=5)], [Booking(start=0, end=30, mbps=5)]
>>> difference(old, new, 10).segments(10, 40)[1]
Segment(start=20, end=30, mbps=5)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from graph.capacity.limits import Headroom, Limit, headroom
from graph.capacity.steps import Booking, Segment, StepFunction


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortfall:
    """Where a plan does not fit, and what is left there."""

    wanted: Segment
    """what the plan wants more than is taken already."""
    left: Headroom


def difference(old: Iterable[Booking], new: Iterable[Booking], now: int) -> StepFunction:
    """Give what a plan takes more than another one, from now on; what has been cannot be changed."""
    return StepFunction.of(new).minus(StepFunction.of(old)).from_(now)


def shortfall(limits: Sequence[Limit], more: StepFunction) -> Shortfall | None:
    """Give the first part of what is to be added that does not fit; None where all does.

    The load of each limit has all that is booked, what the same boost has until now as well.
    """
    if not more.instants:
        return None
    for each in more.segments(more.instants[0], None):
        if each.mbps > 0:
            left = headroom(limits, each.start, each.end)
            if left.mbps < each.mbps:
                return Shortfall(wanted=each, left=left)
    return None
