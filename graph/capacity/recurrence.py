"""The same hours every week: of a clock on the wall, which is put forward in spring and back in autumn.

So starts are counted in the customer's time zone, and not in hours. The length is what was ordered and stays as it is: it is
what is paid for. Where a clock is put forward, a start may not exist; it is then as much later as the clock jumps. Where
it is put back, a start may come twice; the first one counts (RFC 5545, section 3.3.5). A month without that day has
its last one instead (RFC 7529, SKIP=BACKWARD).
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import count, takewhile
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from graph.capacity.steps import check_interval

MOST_OCCURRENCES: Final = 200
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY: Final = 86_400_000


class Every(StrEnum):
    """How often a boost comes again."""

    WEEK = "WEEK"
    """every week, on the same weekday."""
    MONTH = "MONTH"
    """every month, on the same day, or on the last of a shorter month."""


_SHORTEST: Final = {Every.WEEK: 7 * _DAY - 3_600_000, Every.MONTH: 28 * _DAY - 3_600_000}
"""between two starts, in milliseconds: an hour is lost where clocks are put forward."""


class BadRecurrence(ValueError):
    """A recurrence has no zone that is known, no end in reach, or occurrences that overlap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence:
    """When an interval comes again; raises BadRecurrence."""

    every: Every
    until: int
    """the last instant at which an occurrence may start."""
    zone: str
    """a name of the IANA time zone database, such as Europe/Berlin."""

    def __post_init__(self) -> None:
        _zone(self.zone)


def occurrences(start: int, end: int, recurrence: Recurrence) -> tuple[tuple[int, int], ...]:
    """Give the interval itself and each that follows it, in order of time; raises BadRecurrence, NotAnInterval."""
    check_interval(start, end)
    if recurrence.until < start:
        raise BadRecurrence("ends before the first occurrence starts: choose a later `until`")
    if end - start > _SHORTEST[recurrence.every]:
        raise BadRecurrence(
            f"has occurrences that last until the next {recurrence.every.lower()}: choose a shorter time"
        )
    found: list[tuple[int, int]] = []
    for at in takewhile(lambda at: at <= recurrence.until, _starts(start, recurrence)):
        if len(found) == MOST_OCCURRENCES:
            raise BadRecurrence(f"has more than {MOST_OCCURRENCES} occurrences: choose an earlier `until`")
        found.append((at, at + end - start))
    return tuple(found)


def _starts(start: int, recurrence: Recurrence) -> Iterator[int]:
    """Give starts without end; the first as it is, since its clock may have shown the same twice."""
    zone = _zone(recurrence.zone)
    first = (_EPOCH + timedelta(milliseconds=start)).astimezone(zone).replace(tzinfo=None, fold=0)
    yield start
    for number in count(1):
        yield _instant(_later(first, recurrence.every, number), zone)


def _later(first: datetime, every: Every, number: int) -> datetime:
    """Give the time on the wall so many weeks or months later."""
    if every is Every.WEEK:
        return first + timedelta(weeks=number)
    year, month = divmod(first.year * 12 + first.month - 1 + number, 12)
    day = min(first.day, calendar.monthrange(year, month + 1)[1])
    return first.replace(year=year, month=month + 1, day=day)


def _instant(wall: datetime, zone: ZoneInfo) -> int:
    # With fold=0 a time that does not exist has the offset before the jump, and one that comes twice the earlier instant.
    return (wall.replace(tzinfo=zone) - _EPOCH) // timedelta(milliseconds=1)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
        raise BadRecurrence(f"has the time zone {name!r}, which is unknown: give a name such as Europe/Berlin") from exc
