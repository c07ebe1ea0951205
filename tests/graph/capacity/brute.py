"""Loads counted instant by instant: slow, and without an idea that could be wrong."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import strategies as st

from graph.capacity.limits import Limit, LimitKind
from graph.capacity.steps import Booking, StepFunction

HORIZON = 24
"""All that happens in these tests happens before; instants are few, so that many coincide."""


@st.composite
def intervals(draw: st.DrawFn) -> tuple[int, int]:
    start = draw(st.integers(0, HORIZON - 1))
    return start, draw(st.integers(start + 1, HORIZON))


@st.composite
def some_bookings(draw: st.DrawFn, *, lowest: int = 1) -> list[Booking]:
    found = []
    for start, end in draw(st.lists(intervals(), max_size=8)):
        last = draw(st.sampled_from((end, end, end, None)))
        found.append(Booking(start=start, end=last, mbps=draw(st.integers(lowest, 6))))
    return [*found, *draw(st.sampled_from(([], found[:1], found)))]  # some of them twice


@st.composite
def some_limits(draw: st.DrawFn) -> tuple[list[Limit], list[list[int]]]:
    """Some limits, and what each leaves at each instant; maybe below 0."""
    limits, left = [], []
    for number in range(draw(st.integers(1, 4))):
        mbps, taken = draw(st.integers(0, 20)), draw(some_bookings())
        kind = draw(st.sampled_from((LimitKind.PORT, LimitKind.NETWORK)))
        limits.append(Limit(thing=f"trunk-{number}", kind=kind, mbps=mbps, load=StepFunction.of(taken)))
        left.append([mbps - each for each in counted(taken)])
    return limits, left


def counted(taken: Iterable[Booking]) -> list[int]:
    """The rate at each instant before the horizon."""
    rates = [0] * HORIZON
    for each in taken:
        for instant in range(each.start, HORIZON if each.end is None else min(each.end, HORIZON)):
            rates[instant] += each.mbps
    return rates


def values(function: StepFunction) -> list[int]:
    return [function.value_at(instant) for instant in range(HORIZON)]
