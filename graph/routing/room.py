"""What is known of the loads of ports and trunks while a demand is decided, and what room they leave for it.

Loads are read when they are needed, and not before: a network has thousands of trunks, and a service takes ten. So a trunk is either
unread, or known, or *gone*, where it was in the snapshot and is no more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from graph.capacity.limits import Limit
from graph.routing.demand import Demand


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """The loads that were read, for one demand."""

    demand: Demand
    known: dict[str, Limit] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)

    def unread(self, things: Iterable[str]) -> frozenset[str]:
        """Give those of which nothing is known."""
        return frozenset(each for each in things if each not in self.known and each not in self.gone)

    def take(self, asked: Collection[str], found: Mapping[str, Limit]) -> None:
        """Learn what was read; what was asked for and is not there is gone."""
        self.known.update((each, found[each]) for each in asked if each in found)
        self.gone.update(each for each in asked if each not in found)

    def left(self, thing: str, start: int) -> int:
        """Give what a known thing has left throughout, if the service began then; never below 0."""
        limit = self.known[thing]
        return max(0, limit.mbps - limit.load.peak(start, self.demand.ends_at(start)))

    def fits(self, thing: str, start: int, mbps: int) -> bool:
        """Tell whether a known thing has so much left, if the service began then; what is gone has nothing."""
        return thing in self.known and self.left(thing, start) >= mbps

    def closed(self, things: Iterable[str], start: int, mbps: int) -> frozenset[str]:
        """Give those of known things that have not so much left, if the service began then; and all that are gone."""
        lacking = (each for each in things if self.left(each, start) < mbps)
        return frozenset(self.gone).union(lacking)

    def opens(self, thing: str, start: int) -> int | None:
        """Give the first instant, from `start` on, from which a thing has room for as long as the service is; None: never."""
        if thing not in self.known:
            return None
        limit, begin, end = self.known[thing], None, self.demand.ends_at(0)
        for each in limit.load.segments(start, None):
            if limit.mbps - each.mbps < self.demand.mbps:
                begin = None
                continue
            begin = each.start if begin is None else begin
            if each.end is None or (end is not None and each.end - begin >= end):
                return begin
        return None

    def percent(self, thing: str) -> int:
        """Give how much of what a known thing may carry is taken at the busiest moment, the service included, rounded up."""
        limit, demand = self.known[thing], self.demand
        taken = limit.load.peak(demand.start, demand.end) + demand.mbps
        return -(-100 * taken // limit.mbps) if limit.mbps else 0

    def price(self, trunk: str, km: int) -> int:
        """Give what a trunk costs; one that is unread costs that at least."""
        weights = self.demand.weights
        percent = self.percent(trunk) if weights.percent and trunk in self.known else 0
        return weights.hop + weights.km * km + weights.percent * percent
