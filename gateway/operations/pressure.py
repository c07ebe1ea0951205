"""What waits for a system that is away would pile up for ever: at some age of the oldest, new work is refused instead.

Every process looks at the ledger now and then (systems.py), says here what it saw, and that is what `/metrics` shows. While the
oldest delivery of any system has waited longer than the operator allows, changes are refused with OVERLOADED and a time to
come back; those of operators are not, since they are the ones who mend it. Parked deliveries wait for a person, and so does what
is held behind them: neither counts.
"""

from __future__ import annotations

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

    def saw(self, system: str, *, oldest_seconds: float, counts: Backlog) -> None:
        """Take what was seen of a system."""
        self._oldest[system] = oldest_seconds
        self._metrics.waits(system, oldest_seconds=oldest_seconds, counts=counts)

    def retry_after(self) -> float:
        """Give the seconds after which to ask again; 0 where nothing is refused."""
        too_old = self._most and max(self._oldest.values(), default=0.0) > self._most
        return RETRY_SECONDS if too_old else 0.0
