"""The cheapest way, all ways in order of cost, and what keeps every way from leading on.

Where two ways cost the same, the one counts whose trunks come first by their ids. A price is above 0, so of two such ways none is the
beginning of the other, and the order of lists of ids is kept when both are continued.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from graph.routing.budget import Budget
from graph.routing.network import Links, Network

Prices: TypeAlias = Mapping[str, int]
"""What each trunk costs."""
NOTHING: Final = frozenset[str]()
_Entry: TypeAlias = tuple[int, tuple[str, ...], tuple[str, ...]]
"""Of a heap: a price, trunks, and the junctions along them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A way from junction to junction."""

    price: int
    trunks: tuple[str, ...]
    junctions: tuple[str, ...]
    """one more than trunks."""

    def passes(self, network: Network) -> frozenset[str]:
        """Give the sites that it leads through, but for those at its ends."""
        ends = {network.site_of[self.junctions[0]], network.site_of[self.junctions[-1]]}
        return frozenset(network.site_of[each] for each in self.junctions) - ends


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Where ways are looked for: a network with its prices, and what is closed there."""

    network: Network
    prices: Prices
    closed: AbstractSet[str]
    """trunks that no way may take."""
    ahead: Mapping[str, int] = field(default_factory=dict)
    """what it costs at least from a site to where ways lead; 0 where nothing is known of that."""
    budget: Budget = field(default_factory=Budget)
    """of the decision that looks."""

    def without(self, trunks: Iterable[str]) -> Search:
        """Close more trunks."""
        return replace(self, closed=self.closed | frozenset(trunks))


def cheapest(
    search: Search,
    starts: Collection[str],
    goals: Collection[str],
    avoided: AbstractSet[str] = NOTHING,
    within: AbstractSet[str] | None = None,
) -> Way | None:
    """Find the cheapest way from any start to any goal (Dijkstra); None: there is none.

    It goes through no junction that is `avoided`, and through those `within` only, where these are given.
    """
    links, prices, closed = search.network.links_at, search.prices, search.closed
    best: dict[str, tuple[int, tuple[str, ...]]] = {each: (0, ()) for each in starts if each not in avoided}
    queue: list[_Entry] = [(0, (), (each,)) for each in sorted(best)]
    done: set[str] = set()
    while queue:
        price, trunks, junctions = heapq.heappop(queue)
        here = junctions[-1]
        if here in done:
            continue
        if here in goals:
            return Way(price=price, trunks=trunks, junctions=junctions)
        done.add(here)
        search.budget.spend()
        for trunk, there in links.get(here, ()):
            if trunk in closed or there in done or there in avoided or (within is not None and there not in within):
                continue
            more = (price + prices[trunk], (*trunks, trunk))
            if there not in best or more < best[there]:
                best[there] = more
                heapq.heappush(queue, (*more, (*junctions, there)))
    return None


def in_order(search: Search, start: str, goal: str) -> Iterator[Way]:
    """Give all ways between two junctions that come to none twice, the cheapest first (Yen)."""
    given: list[Way] = []
    waiting: list[_Entry] = []
    seen: set[tuple[str, ...]] = set()
    found = cheapest(search, (start,), (goal,))
    while found is not None:
        yield found
        given.append(found)
        for each in _deviations(search, found, given, goal):
            if each.trunks not in seen:
                seen.add(each.trunks)
                heapq.heappush(waiting, (each.price, each.trunks, each.junctions))
        found = _taken(heapq.heappop(waiting)) if waiting else None


def reached(
    links: Links, starts: Iterable[str], closed: AbstractSet[str], never: AbstractSet[str] = NOTHING
) -> set[str]:
    """Give the places that can be reached without what is closed, and without going to where it is `never`."""
    found = {each for each in starts if each not in never}
    waiting = list(found)
    while waiting:
        for trunk, there in links.get(waiting.pop(), ()):
            if trunk not in closed and there not in found and there not in never:
                found.add(there)
                waiting.append(there)
    return found


def hops_to(links: Links, goal: str) -> Mapping[str, int]:
    """Give from each place that leads to a goal how many trunks it takes at least."""
    found, waiting = {goal: 0}, deque([goal])
    while waiting:
        here = waiting.popleft()
        for _, there in links.get(here, ()):
            if there not in found:
                found[there] = found[here] + 1
                waiting.append(there)
    return found


def barrier(search: Search, starts: Collection[str], goals: Collection[str]) -> frozenset[str]:
    """Give the closed trunks of which one at least must open before there is a way, where there is none.

    They part what can be reached from what the goal can be reached from; where there are none of these, no trunk that opens helps.
    """
    links = search.network.links_at
    near = reached(links, starts, search.closed)
    far = reached(links, goals, NOTHING, never=near)
    search.budget.spend(len(near) + len(far))
    return frozenset(
        trunk for here in near for trunk, there in links.get(here, ()) if trunk in search.closed and there in far
    )


def _deviations(search: Search, way: Way, given: Sequence[Way], goal: str) -> Iterator[Way]:
    """Give the cheapest way that leaves this one at each of its junctions, by none of the trunks that ways before have left by."""
    price = 0
    for place, trunk in enumerate(way.trunks):
        search.budget.spend(len(given))
        root, junctions = way.trunks[:place], way.junctions[:place]
        gone = {each.trunks[place] for each in given if len(each.trunks) > place and each.trunks[:place] == root}
        rest = cheapest(search.without(gone), (way.junctions[place],), (goal,), avoided=frozenset(junctions))
        if rest is not None:
            yield Way(price=price + rest.price, trunks=(*root, *rest.trunks), junctions=(*junctions, *rest.junctions))
        price += search.prices[trunk]


def _taken(waiting: _Entry) -> Way:
    price, trunks, junctions = waiting
    return Way(price=price, trunks=trunks, junctions=junctions)
