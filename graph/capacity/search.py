"""What fits instead: who is told no wants to know what would have been yes.

All searches read a curve of what is free (`availability`, or what a customer may learn of it), so that what they find
fits wherever the curve says so. Times are found at the steps of the curve: where more becomes free, or at the beginning.
"""

from __future__ import annotations

from dataclasses import dataclass

from graph.capacity.steps import StepFunction, check_interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Which rates may be booked: the multiples of a step, up to a highest one.

    >>> offer = Offer(step=50, most=500)
    >>> offer.nearest(249), offer.nearest(49), offer.nearest(10_000)
    (200, 0, 500)
    """

    step: int
    """in Mbit/s, and so is the highest rate; both of the tariff, and of the contract where that allows less."""
    most: int

    def __post_init__(self) -> None:
        if self.step <= 0 or self.most < 0:
            raise ValueError(f"rates in steps of {self.step} up to {self.most} are none")

    def nearest(self, free: int) -> int:
        """Give the highest rate on offer that fits into what is free; 0 where none does."""
        return max(0, min(free, self.most)) // self.step * self.step


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotRequest:
    """What is looked for: a rate for some time, within a window."""

    mbps: int
    length: int
    """in milliseconds."""
    start: int
    """not before,"""
    end: int
    """and over by then."""


def earliest_slot(free: StepFunction, wanted: SlotRequest) -> int | None:
    """Give the earliest start from which the rate is free for so long; None where it never is within the window.

    For the nearest later start of a booking, the window begins at the start that it cannot have.
    """
    check_interval(wanted.start, wanted.start + wanted.length)
    if wanted.end - wanted.start < wanted.length:
        return None
    begin: int | None = None
    for each in free.segments(wanted.start, wanted.end):
        if each.mbps < wanted.mbps:
            begin = None
            continue
        begin = each.start if begin is None else begin
        if (each.end or wanted.end) - begin >= wanted.length:
            return begin
    return None
