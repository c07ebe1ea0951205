"""Many small messages cost what a large one costs: what a client says over one WebSocket is counted together."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

PERIOD: Final = 10.0
"""seconds that are counted together."""


class Said:
    """What one client has said, in bytes of UTF-8."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since = clock()
        self.bytes = 0
        """in all,"""
        self.lately = 0
        """and since the last period began."""
        self.messages = 0

    def note(self, size: int) -> None:
        """Count a message of so many bytes."""
        now = self._clock()
        if now - self._since >= PERIOD:
            self._since, self.lately = now, 0
        self.messages += 1
        self.bytes += size
        self.lately += size
