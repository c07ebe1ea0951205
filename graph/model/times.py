"""A moment is epoch milliseconds in the graph; people and other programs write it as RFC 3339 has it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MOMENTS: Final = range(-62_135_596_800_000, 253_402_300_800_000)
"""Those that can be written again: of the years 1 to 9999 in UTC."""


class NoTime(ValueError):
    """A text is no moment."""


class NoZone(NoTime):
    """It lacks a zone, and so nobody knows when it was."""


def epoch_milliseconds(text: str) -> int:
    """Read an RFC 3339 time; raises NoTime, or NoZone.

    >>> epoch_milliseconds("1970-01-01T00:00:01.500Z")
    1500
    """
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError) as exc:
        raise NoTime(text) from exc
    if moment.tzinfo is None:
        raise NoZone(text)
    return round((moment - _EPOCH).total_seconds() * 1000)
