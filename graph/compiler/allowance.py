"""How many new statement texts one principal may cause in a minute.

A new text costs the compiler milliseconds, and Neo4j up to half a second of planning; the same document with another
structure of filters is a new text. So every miss of the cache of compiled reads is counted against whoever asked.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from graph.errors import Throttled


@dataclass(slots=True, kw_only=True)
class Allowance:
    """A count per principal that starts anew each minute; it never holds more than one minute's principals."""

    per_minute: int
    clock: Callable[[], float] = time.monotonic
    _minute: int = -1
    _taken: dict[str, int] = field(default_factory=dict)

    def take(self, subject: str) -> None:
        """Count one new text; raises Throttled when the minute's are used up."""
        now = self.clock()
        if int(now // 60) != self._minute:
            self._minute = int(now // 60)
            self._taken.clear()
        taken = self._taken.get(subject, 0)
        if taken >= self.per_minute:
            raise Throttled(
                f"More than {self.per_minute} new shapes of operations in a minute",
                hint="Keep the structure of filters and orders the same, and put values into variables.",
                retry_after=60 - now % 60,
            )
        self._taken[subject] = taken + 1
