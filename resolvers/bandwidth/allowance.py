"""Whoever asks a thousand times what is free learns what others book: how often one may ask is bounded.

A principal has an allowance for each service: so many questions at once, which come back evenly within a minute. Each process counts
for itself.

>>> allowance = Allowance(per_minute=2)
>>> [allowance.take("ada", "service-1", now=each) for each in (0.0, 0.0, 0.0, 30.0)]
[0.0, 0.0, 30.0, 0.0]
"""

from __future__ import annotations

from typing import Final

from cachetools import LRUCache

MOST: Final = 20_000
"""pairs of principal and service that are remembered; who is forgotten has a whole allowance again."""
_MINUTE: Final = 60.0


class Allowance:
    """What principals may still ask."""

    def __init__(self, *, per_minute: int) -> None:
        self._most = float(per_minute)
        self._left: LRUCache[tuple[str, str], tuple[float, float]] = LRUCache(MOST)

    def take(self, subject: str, service: str, *, now: float) -> float:
        """Take one question and give 0.0; or take none, and give the seconds until there is one. `now` is `time.monotonic()`."""
        left, since = self._left.get((subject, service), (self._most, now))
        left = min(self._most, left + (now - since) * self._most / _MINUTE)
        if left < 1.0:
            self._left[subject, service] = (left, now)
            return (1.0 - left) * _MINUTE / self._most
        self._left[subject, service] = (left - 1.0, now)
        return 0.0
