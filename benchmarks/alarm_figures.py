"""What was measured of alarms on one database, for people and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.figures import percentile


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """What one number of connections brings through."""

    connections: int
    told: bool
    """whether the ticketing system was told meanwhile; else it was away."""
    alarms_per_second: float
    effects_per_alarm: float
    deliveries_per_alarm: float
    p50_ms: float
    p99_ms: float
    """of a request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One database."""

    store: str
    version: str
    rates: tuple[Rate, ...]
    rate: float
    tickets: int
    ticket_p50_ms: float
    ticket_p99_ms: float
    takeover_seconds: tuple[float, ...]

    def as_object(self) -> dict[str, Any]:
        """Give it for JSON."""
        rates = [
            {name: value if isinstance(value, bool) else round(value, 3) for name, value in asdict(each).items()}
            for each in self.rates
        ]
        ticket = {"alarms_per_second": self.rate, "tickets": self.tickets}
        times = {"p50_ms": round(self.ticket_p50_ms, 1), "p99_ms": round(self.ticket_p99_ms, 1)}
        latency = {"commit_to_ticket": {**ticket, **times}}
        taken = {"takeover_seconds": [round(each, 2) for each in self.takeover_seconds]}
        return {"store": self.store, "version": self.version, "rates": rates, **latency, **taken}

    def sentences(self) -> Iterator[str]:
        """Say it."""
        for each in self.rates:
            yield (
                f"{self.store}, {each.connections} connection(s), {'told' if each.told else 'not told'}: "
                f"{each.alarms_per_second:.0f} alarms a second, "
                f"p50 {each.p50_ms:.1f} ms, p99 {each.p99_ms:.1f} ms; {each.effects_per_alarm:.1f} effects and "
                f"{each.deliveries_per_alarm:.1f} deliveries each"
            )
        yield (
            f"{self.store}, {self.rate:.0f} alarms a second: commit to ticket p50 {self.ticket_p50_ms:.0f} ms, "
            f"p99 {self.ticket_p99_ms:.0f} ms, {self.tickets} tickets"
        )
        yield (
            f"{self.store}, a process was killed {len(self.takeover_seconds)} times: its lanes had another owner after "
            f"{percentile(self.takeover_seconds, 50):.1f} s, {max(self.takeover_seconds):.1f} s at the longest"
        )
