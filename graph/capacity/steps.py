"""A rate over time as a step function: it is what bookings add up to, and what is stored of them.

Sums of intervals are easy to get wrong where two are equal (a set keeps one), where they touch (closed intervals overlap),
and where one is taken away. Here the function itself is kept: the instants at which it changes, and its value from each on.
Adding a booking adds to the value within it, whatever else is booked, and taking it away is the same with the other sign.

>>> twice = StepFunction.of([Booking(start=10, end=20, mbps=5), Booking(start=10, end=20, mbps=5)])
>>> twice.peak(0, 100), twice.value_at(20), twice.minus(StepFunction.of([Booking(start=10, end=20, mbps=5)])).peak(0, 100)
(10, 0, 5)
"""

from __future__ import annotations

import binascii
import struct
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import sub
from typing import Final

_VERSION: Final = "1"
_PAUSES: Final = "HIQ"
"""codes of `struct`: unsigned integers of 2, 4 and 8 bytes,"""
_DELTAS: Final = "hiq"
"""and signed ones."""
_HEAD: Final = len(_VERSION) + 2
_EMPTY: Final = "1Hh"


class NotAnInterval(ValueError):
    """An interval must end after it begins."""


class BrokenSteps(ValueError):
    """A text is not one that `StepFunction.as_text` has written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """A rate from one instant to another; raises NotAnInterval. A negative rate gives back what another one took."""

    start: int
    end: int | None
    """the first instant that is not in it; None: for ever."""
    mbps: int

    def __post_init__(self) -> None:
        check_interval(self.start, self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """An interval in which a rate stays the same; raises NotAnInterval."""

    start: int
    end: int | None
    """the first instant that is not in it; None: for ever."""
    mbps: int

    def __post_init__(self) -> None:
        check_interval(self.start, self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFunction:
    """A rate at each instant: 0 before the first of `instants`, and from each on the one of `totals`.

    Made by `of` or `read_steps`, so that equal functions are equal values: instants ascend, and at each the rate changes.
    """

    instants: tuple[int, ...] = ()
    totals: tuple[int, ...] = ()

    @staticmethod
    def of(bookings: Iterable[Booking]) -> StepFunction:
        """Add up bookings."""
        deltas: defaultdict[int, int] = defaultdict(int)
        for each in bookings:
            deltas[each.start] += each.mbps
            if each.end is not None:
                deltas[each.end] -= each.mbps
        return _summed(deltas, 0)

    def plus(self, other: StepFunction) -> StepFunction:
        """Add another one. Takes as long as what lies between the first and the last instant of the smaller one."""
        small, large = sorted((self, other), key=lambda each: len(each.instants))
        return _added(large, small, 1) if small.instants else large

    def minus(self, other: StepFunction) -> StepFunction:
        """Take another one away."""
        return _added(self, other, -1) if other.instants else self

    def value_at(self, instant: int) -> int:
        """Give the rate at an instant."""
        return self._value(bisect_right(self.instants, instant))

    def peak(self, start: int, end: int | None) -> int:
        """Give the highest rate in the interval; raises NotAnInterval."""
        check_interval(start, end)
        first, last = self._inside(start, end)
        return max(self._value(first), max(self.totals[first:last], default=self._value(first)))

    def lowest(self, start: int, end: int | None) -> int:
        """Give the lowest rate in the interval; raises NotAnInterval."""
        check_interval(start, end)
        first, last = self._inside(start, end)
        return min(self._value(first), min(self.totals[first:last], default=self._value(first)))

    def segments(self, start: int, end: int | None) -> tuple[Segment, ...]:
        """Cut the interval where the rate changes, in order of time; raises NotAnInterval."""
        check_interval(start, end)
        first, last = self._inside(start, end)
        starts = (start, *self.instants[first:last])
        rates = (self._value(first), *self.totals[first:last])
        ends = (*starts[1:], end)
        return tuple(Segment(start=a, end=z, mbps=mbps) for a, z, mbps in zip(starts, ends, rates, strict=True))

    def from_(self, instant: int) -> StepFunction:
        """Fold the past into one step: the same from this instant on, and 0 before."""
        first = bisect_right(self.instants, instant)
        rate = self._value(first)
        if not rate:
            return StepFunction(instants=self.instants[first:], totals=self.totals[first:])
        return StepFunction(instants=(instant, *self.instants[first:]), totals=(rate, *self.totals[first:]))

    def as_text(self) -> str:
        """Write it for storing; `read_steps` reads it. Six to eleven bytes for each step, in most cases."""
        if not self.instants:
            return _EMPTY
        first, *pauses = _differences(self.instants, 0)
        deltas = _differences(self.totals, 0)
        codes = _code(_PAUSES, pauses), _code(_DELTAS, deltas)
        packed = struct.pack(f"<q{len(pauses)}{codes[0]}{len(deltas)}{codes[1]}", first, *pauses, *deltas)
        return "".join((_VERSION, *codes, binascii.b2a_base64(packed, newline=False).decode("ascii")))

    def _value(self, index: int) -> int:
        """Give the rate after so many steps."""
        return self.totals[index - 1] if index else 0

    def _inside(self, start: int, end: int | None) -> tuple[int, int]:
        """Give the range of the steps after the start and before the end."""
        first = bisect_right(self.instants, start)
        return first, len(self.instants) if end is None else bisect_left(self.instants, end, lo=first)


def read_steps(text: str) -> StepFunction:
    """Read what `as_text` wrote; raises BrokenSteps."""
    head = text[:_HEAD].ljust(_HEAD)
    if head[0] != _VERSION or head[1] not in _PAUSES or head[2] not in _DELTAS:
        raise BrokenSteps(f"begins with {text[:_HEAD]!r}, which is no version that is known")
    if text == _EMPTY:
        return StepFunction()
    try:
        first, pauses, deltas = _columns(binascii.a2b_base64(text[_HEAD:], strict_mode=True), head[1], head[2])
    except (ValueError, struct.error) as exc:
        raise BrokenSteps(str(exc)) from exc
    if 0 in pauses or 0 in deltas:
        raise BrokenSteps("has two steps at one instant, or one that changes nothing")
    return StepFunction(instants=tuple(accumulate(pauses, initial=first)), totals=tuple(accumulate(deltas)))


def check_interval(start: int, end: int | None) -> None:
    """Refuse what does not end after it begins; raises NotAnInterval."""
    if end is not None and end <= start:
        raise NotAnInterval(f"ends at {end}, which is not after its start, {start}")


def _code(codes: str, values: Sequence[int]) -> str:
    """Give the code of the shortest integers that hold all values."""
    most = max(max(values, default=0), -1 - min(values, default=0))
    signed = codes == _DELTAS
    return next(each for each in codes if most < 1 << (8 * struct.calcsize(f"<{each}") - signed))


def _columns(packed: bytes, pause: str, delta: str) -> tuple[int, tuple[int, ...], tuple[int, ...]]:
    """Give the first instant, the pauses between instants, which are never negative, and what is added at each."""
    start = struct.calcsize("<q")
    one, other = struct.calcsize(f"<{pause}"), struct.calcsize(f"<{delta}")
    count, rest = divmod(len(packed) - start + one, one + other)
    if rest or not count:
        raise BrokenSteps(f"has {len(packed)} bytes, which are no whole steps")
    pauses = struct.unpack_from(f"<{count - 1}{pause}", packed, start)
    return (
        *struct.unpack_from("<q", packed),
        pauses,
        struct.unpack_from(f"<{count}{delta}", packed, len(packed) - count * other),
    )


def _differences(values: Sequence[int], before: int) -> list[int]:
    return [*map(sub, values, (before, *values[:-1]))]


def _added(large: StepFunction, small: StepFunction, sign: int) -> StepFunction:
    """Add a function that has steps: what lies before its first step stays, and after its last it adds a constant."""
    first = bisect_left(large.instants, small.instants[0])
    last = bisect_right(large.instants, small.instants[-1])
    before = large.totals[first - 1] if first else 0
    deltas = dict(zip(large.instants[first:last], _differences(large.totals[first:last], before), strict=True))
    for instant, delta in zip(small.instants, _differences(small.totals, 0), strict=True):
        deltas[instant] = deltas.get(instant, 0) + sign * delta
    middle, after = _summed(deltas, before), sign * small.totals[-1]
    tail = large.totals[last:]
    return StepFunction(
        instants=(*large.instants[:first], *middle.instants, *large.instants[last:]),
        totals=(*large.totals[:first], *middle.totals, *(map(after.__add__, tail) if after else tail)),
    )


def _summed(deltas: Mapping[int, int], before: int) -> StepFunction:
    """Add up what changes at each instant, from the rate before all of them on."""
    steps = sorted(each for each in deltas.items() if each[1])
    totals = tuple(accumulate((delta for _, delta in steps), initial=before))
    return StepFunction(instants=tuple(instant for instant, _ in steps), totals=totals[1:])
