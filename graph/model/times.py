"""A moment is epoch milliseconds in the graph; people and other programs write it as RFC 3339 has it.

A leap second (23:59:60 in UTC, RFC 3339 section 5.7) has no number of its own in epoch time: it is read as the second that
follows it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)
_LEAP: Final = re.compile(r"(.{11}[0-9]{2}:[0-9]{2}:)60(?![0-9])", re.DOTALL)
_LAST_OF_A_DAY: Final = (23, 59, 59)
MOMENTS: Final = range(-62_135_596_800_000, 253_402_300_800_000)
"""Those that can be written again: of the years 1 to 9999 in UTC."""


class NoTime(ValueError):
    """A text is no moment."""


class NoZone(NoTime):
    """It lacks a zone, and so nobody knows when it was."""


def epoch_milliseconds(text: str) -> int:
    """Read an RFC 3339 time; raises NoTime, or NoZone. `T` and `Z` may be in lower case (section 5.6).

    >>> epoch_milliseconds("1970-01-01T00:00:01.500Z"), epoch_milliseconds("1970-01-01t00:00:01.500z")
    (1500, 1500)
    >>> epoch_milliseconds("2016-12-31T23:59:60Z") == epoch_milliseconds("2017-01-01T00:00:00Z")
    True
    """
    if not isinstance(text, str):
        raise NoTime(text)
    written, leaps = _LEAP.subn(r"\g<1>59", text, count=1)
    try:
        moment = datetime.fromisoformat(written.upper())
    except ValueError as exc:
        raise NoTime(text) from exc
    if moment.tzinfo is None:
        raise NoZone(text)
    if leaps and not _ends_a_day(moment):
        raise NoTime(text)
    return (moment - _EPOCH + leaps * _SECOND) // timedelta(milliseconds=1)


def _ends_a_day(moment: datetime) -> bool:
    """Tell whether it is in the last second of a day in UTC, which alone can be followed by a leap second."""
    try:
        utc = moment.astimezone(UTC)
    except OverflowError:
        return False
    return (utc.hour, utc.minute, utc.second) == _LAST_OF_A_DAY
