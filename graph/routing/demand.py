"""What somebody wants between two sites, and by what cost one way is better than another.

A cost is stated as weights, and is a whole number: equal inputs give equal costs on every machine, so that ids can decide where two
ways cost the same. A hop always costs something, so that no way is longer than it must be.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from graph.capacity.steps import check_interval


class BrokenDemand(ValueError):
    """A demand, or its weights, cannot be meant."""


class Side(StrEnum):
    """Which end of a service, in the words of TM Forum and MTOSI."""

    A = "A"
    Z = "Z"


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """What a trunk costs on a way; raises BrokenDemand."""

    hop: int = 1
    """each trunk; at least 1."""
    km: int = 0
    """each kilometre of its length."""
    percent: int = 0
    """each percent of what it may carry that is taken at the busiest moment, the new service included."""

    def __post_init__(self) -> None:
        if self.hop < 1:
            raise BrokenDemand("A hop costs at least 1")
        if self.km < 0 or self.percent < 0:
            raise BrokenDemand("No weight is below 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Where a service is to be handed over."""

    site: str
    """its id."""
    speed: int | None = None
    """of the port, in Mbit/s; None: any port that carries the rate, the slowest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """A new point-to-point service; raises BrokenDemand or NotAnInterval."""

    a: Access
    z: Access
    mbps: int
    start: int
    """in epoch milliseconds;"""
    end: int | None
    """the first instant at which it is not wanted any more; None: for ever."""
    protected: bool
    """whether it needs a second way that shares nothing with the first."""
    weights: Weights

    def __post_init__(self) -> None:
        check_interval(self.start, self.end)
        if self.mbps < 1:
            raise BrokenDemand("A service has a rate of at least 1 Mbit/s")
        if self.a.site == self.z.site:
            raise BrokenDemand("Both ends are at one site: within a site there is no way to look for")

    def ends_at(self, start: int) -> int | None:
        """Give when it would end if it began then: it is as long as it was wanted for."""
        return None if self.end is None else start + self.end - self.start

    def access(self, side: Side) -> Access:
        """Give one of the ends."""
        return self.a if side is Side.A else self.z
