"""When will it be full? What is booked says so exactly, for as far as people book; the rest is a line through the past.

The line is that of least squares through the highest load of each day. Its slope has a standard error, and the day on which
the line meets the limit is said with it: at the earliest, as expected, and at the latest, with twice that error. Highest
loads of neighbouring days are often of one booking, so that the error is rather too small than too large.

>>> found = fit([100, 112, 118, 130])
>>> round(found.slope, 2), round(found.level), round(found.error, 2)
(9.6, 129, 0.85)
>>> crossing(found, 200, 30)
Crossing(earliest=6.2, expected=7.4, latest=8.9)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from graph.capacity.limits import Limit
from graph.capacity.steps import StepFunction

DAY: Final = 86_400_000
"""in milliseconds."""
LEAST_DAYS: Final = 3
"""Through two there is always a line, without an error."""
_ERRORS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """A line through daily peaks."""

    slope: float
    """Mbit/s a day."""
    error: float
    """the standard error of the slope."""
    level: float
    """Mbit/s, of the line at the last day."""
    days: int
    """that it rests on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """In how many days from the last one a line meets a limit; None: not within the days that were asked for."""

    earliest: float | None
    expected: float | None
    latest: float | None


def daily_peaks(load: StepFunction, end: int, days: int) -> list[int]:
    """Give the highest load of each of so many days before an instant, in order of time."""
    return [load.peak(end - back * DAY, end - (back - 1) * DAY) for back in range(days, 0, -1)]


def fit(peaks: Sequence[float]) -> Trend | None:
    """Lay a line through the peaks of days that follow each other; None where they are too few."""
    count = len(peaks)
    if count < LEAST_DAYS:
        return None
    mean_day, mean = (count - 1) / 2, sum(peaks) / count
    spread = sum((day - mean_day) ** 2 for day in range(count))
    slope = sum((day - mean_day) * (peak - mean) for day, peak in enumerate(peaks)) / spread
    rest = sum((peak - mean - slope * (day - mean_day)) ** 2 for day, peak in enumerate(peaks))
    error = (rest / (count - 2) / spread) ** 0.5
    return Trend(slope=slope, error=error, level=mean + slope * mean_day, days=count)


def crossing(trend: Trend, mbps: float, within: int) -> Crossing:
    """Give when the line meets a rate, within so many days; with a slope of twice the error more, its own, and twice less."""

    def meets(slope: float) -> float | None:
        if trend.level >= mbps:
            return 0.0
        days = (mbps - trend.level) / slope if slope > 0 else None
        return None if days is None or days > within else round(days, 1)

    more = _ERRORS * trend.error
    return Crossing(earliest=meets(trend.slope + more), expected=meets(trend.slope), latest=meets(trend.slope - more))


def full_from(limit: Limit, start: int, end: int, room: int) -> int | None:
    """Give the first instant of the interval at which less than `room` Mbit/s is left; None where there always is. Raises NotAnInterval."""
    full = (each.start for each in limit.load.segments(start, end) if limit.mbps - each.mbps < room)
    return next(full, None)
