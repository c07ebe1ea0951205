"""What will be full, and when: what is booked says so for certain, and what was booked week by week says where it goes.

The trend is the straight line of least squares through the weekly peaks of the last weeks; its error is the standard deviation of the
weeks from the line. With fewer than four weeks nothing is said: a line through three points fits by chance.

Pure. Times are epoch milliseconds UTC.

>>> trend([100.0, 120.0, 140.0, 160.0])
Trend(last=160.0, per_week=20.0, error=0.0)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final

from graph.capacity.limits import Limit

WEEKS: Final = 12
"""that are looked at."""
LEAST_WEEKS: Final = 4
DAY: Final = 86_400_000
WEEK: Final = 7 * DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """A line through the last weeks, in Mbit/s."""

    last: float
    """where the line is in the last of them."""
    per_week: float
    error: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """When a thing is full: by what is booked, and by the trend apart from it. None: not within the days, or not known."""

    limit: Limit
    booked_full: int | None
    trend_full: int | None
    per_week: float | None
    error: float | None


def forecast(limit: Limit, now: int, days: int) -> Forecast | None:
    """Say when a thing is full within some days; None: it is not, by either."""
    until = now + days * DAY
    booked = next(
        (each.start for each in limit.load.segments(now, until) if each.mbps >= limit.mbps),
        None,
    )
    line = trend(_weeks(limit, now))
    full = None if line is None else _full(limit, line, now, until)
    if booked is None and full is None:
        return None
    return Forecast(
        limit=limit,
        booked_full=booked,
        trend_full=full,
        per_week=None if line is None else line.per_week,
        error=None if line is None else line.error,
    )


def trend(weeks: Sequence[float]) -> Trend | None:
    """Draw the line of least squares through weekly values, the oldest first; None: there are too few."""
    count = len(weeks)
    if count < LEAST_WEEKS:
        return None
    middle, mean = (count - 1) / 2, sum(weeks) / count
    spread = sum((each - middle) ** 2 for each in range(count))
    slope = sum((number - middle) * (value - mean) for number, value in enumerate(weeks)) / spread
    line = [mean + slope * (number - middle) for number in range(count)]
    error = sqrt(sum((value - at) ** 2 for value, at in zip(weeks, line, strict=True)) / count)
    return Trend(last=line[-1], per_week=slope, error=error)


def _weeks(limit: Limit, now: int) -> list[float]:
    """Give the peak of each of the last weeks, from the first in which anything was booked."""
    since = [each for each in limit.load.instants if each > 0]
    if not since:
        return []
    weeks = min(WEEKS, max(0, (now - since[0]) // WEEK))
    return [float(limit.load.peak(now - (each + 1) * WEEK, now - each * WEEK)) for each in reversed(range(weeks))]


def _full(limit: Limit, line: Trend, now: int, until: int) -> int | None:
    if line.last >= limit.mbps:
        return now
    if line.per_week <= 0:
        return None
    at = now + round((limit.mbps - line.last) / line.per_week * WEEK)
    return at if at < until else None
