"""What becomes of a demand: a design, or the reason why there is none. A design holds nothing; who reserves it looks again.

Reasons are a closed set, so that whoever shows them misses none. What is *full* is always a stretch: trunks of which one at least must
have room before any way can lead on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from graph.routing.demand import Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a way costs, and of what that is made."""

    total: int
    """the weights times what follows."""
    hops: int
    km: int
    percent: int
    """of all its trunks together, how much is taken at the busiest moment, the new service included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedWay:
    """A way from end A to end Z."""

    trunks: tuple[str, ...]
    """their ids, in order."""
    sites: tuple[str, ...]
    """that it leads through, in order, both ends included."""
    cost: Cost


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """A service as it could be built, at the least cost."""

    a: str
    """the id of the port at end A,"""
    z: str
    """and at end Z."""
    working: PlannedWay
    protecting: PlannedWay | None
    """None where no protection was wanted."""
    is_least: bool
    """False: the search for a pair of ways was given up, and a cheaper pair may exist."""

    @property
    def cost(self) -> int:
        """Give what both ways cost."""
        return self.working.cost.total + (self.protecting.cost.total if self.protecting else 0)

    @property
    def things(self) -> tuple[str, ...]:
        """Give the ids of all that it takes, in the order in which they are locked."""
        protecting = self.protecting.trunks if self.protecting else ()
        return tuple(sorted({self.a, self.z, *self.working.trunks, *protecting}))


@dataclass(frozen=True, slots=True, kw_only=True)
class FitsFrom:
    """When it would fit, if it were wanted for as long as it is, but later."""

    at: int | None
    """the first instant, in epoch milliseconds; None: never, by what is booked now, or not known."""
    looked_until: int | None = None
    """the search was given up: it does not fit before this instant. None: the search was complete."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownSite:
    """There is no such site."""

    sides: tuple[Side, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FullEnd:
    """An end where no port can be had that helps."""

    side: Side
    ports: int
    """of the speed that was asked for, in service at the site; all are taken, have not so much left, or are where no way begins."""
    missing: int
    """how many Mbit/s the port lacks that has the most left of those that nobody has, at elements where none has enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndFull:
    """No port is free at one end, or at both; or none at an element from which a way leads on."""

    ends: tuple[FullEnd, ...]
    fits: FitsFrom


@dataclass(frozen=True, slots=True, kw_only=True)
class NoWay:
    """No trunks in service lead from one end to the other, whatever they carry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoDisjointPair:
    """There is a way, but no two that share nothing, whatever they carry: what is named here is on every way."""

    sites: tuple[str, ...]
    trunks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NoRoom:
    """There are ways, but a stretch is full."""

    stretch: tuple[str, ...]
    """the trunks of which one at least must have more room, in the order of their ids."""
    missing: int | None
    """how many Mbit/s less would fit throughout the time that was asked for; None: the search for that was given up."""
    fits: FitsFrom


@dataclass(frozen=True, slots=True, kw_only=True)
class Undecided:
    """The search was given up: there may be a design, or none."""


Infeasible: TypeAlias = UnknownSite | EndFull | NoWay | NoDisjointPair | NoRoom | Undecided
