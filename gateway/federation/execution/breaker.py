"""A subgraph that is down is asked by every request, and every request waits for it: after some failures it is spared.

Closed, it lets everything through and counts failures in a row. Open, it lets nothing through for a while; then one
request, and by what becomes of that it closes or stays open.
"""

from __future__ import annotations

import time
from typing import Final

FAILURES: Final = 5
"""in a row, that open it."""
PAUSE: Final = 5.0


class Breaker:
    """Counts failures in a row."""

    def __init__(self) -> None:
        self._failures = 0
        self._until = 0.0

    def wait(self) -> float:
        """Give how long nothing is let through; 0 lets the caller through."""
        left = self._until - time.monotonic()
        if self._failures < FAILURES:
            return 0.0
        if left <= 0:
            self._until = time.monotonic() + PAUSE  # for all but this one, which tries
            return 0.0
        return left

    def succeeded(self) -> None:
        """Close."""
        self._failures = 0

    def failed(self) -> None:
        """Count a failure."""
        self._failures += 1
        if self._failures >= FAILURES:
            self._until = time.monotonic() + PAUSE
