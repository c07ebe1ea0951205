"""What waits for a system that is away would pile up for ever: at some age of the oldest, new work is refused instead.

Every process looks at the ledger now and then (systems.py), says here what it saw, and that is what `/metrics` shows. While the
oldest delivery of any system has waited longer than the operator allows, changes are refused with OVERLOADED and a time to
come back; those of operators are not, since they are the ones who mend it. Parked deliveries wait for a person, and so does what
is held behind them: neither counts.

A system that does not let us in is no reason to refuse anything either: alarms must be taken though the token for another system
has ended. What waits for such a system grows old only from when it lets us in again. That it is paused is in the log, in
`/metrics` and in `/readyz`.
"""

from __future__ import annotations

import math
from typing import Final

from gateway.telemetry.metrics import Backlog, Metrics

RETRY_SECONDS: Final = 30.0


class Pressure:
    """What waited when somebody looked last."""

    def __init__(self, most_seconds: float, metrics: Metrics) -> None:
        """Refuse from this age on; 0 refuses nothing."""
        self._most = most_seconds
        self._metrics = metrics
        self._oldest: dict[str, float] = {}
        self._paused_at: dict[str, float] = {}

    def saw(self, system: str, *, oldest_seconds: float, is_paused: bool, counts: Backlog, now: float) -> None:
        """Take what was seen of a system at a time of time.monotonic(); `is_paused`: it does not let us in."""
        if is_paused:
            self._paused_at[system] = now
        self._oldest[system] = min(oldest_seconds, now - self._paused_at.get(system, -math.inf))
        self._metrics.waits(system, oldest_seconds=oldest_seconds, counts=counts)

    def retry_after(self) -> float:
        """Give the seconds after which to ask again; 0 where nothing is refused."""
        too_old = self._most and max(self._oldest.values(), default=0.0) > self._most
        return RETRY_SECONDS if too_old else 0.0
