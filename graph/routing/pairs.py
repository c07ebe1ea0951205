"""The cheapest pair of ways that can be walked: from one port to one port, from trunk to trunk where both end at one junction.

Where sites are taken as one place (`apart.py`), the cheapest pair is found at once, and no pair that can be walked is cheaper. So the
cheapest pair is walked through the same sites, each way on the trunks that join their elements. Where that costs no more, it is the answer;
so it is wherever no inside of a site is known.

Where it costs more, ways are tried one by one as the cheaper one of a pair, the cheapest first, each with the cheapest that keeps apart from it:
between every two ports in turn, so that none is left out. That ends where twice the price of the next way is no less than that of the
best pair. Such a search may take very long in the worst case. So each has a share of what is left of the budget, and says when that was used.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Final

from graph.routing.apart import Blocked, two_apart
from graph.routing.budget import Spent
from graph.routing.ways import Search, Way, barrier, cheapest, in_order

_SHARE: Final = 8
"""A search may use one of so many shares of what is left of the budget: it is looked again when more loads are known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """Between which sites, and at which of their junctions, ways begin and end."""

    a: str
    z: str
    starts: frozenset[str]
    goals: frozenset[str]

    def each(self) -> Iterator[tuple[str, str]]:
        """Give every start with every goal, in the order of their ids."""
        return product(sorted(self.starts), sorted(self.goals))


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One way, or two, of which the cheaper one comes first."""

    ways: tuple[Way, ...]
    is_least: bool = True
    """False: the search was given up, and a cheaper pair may exist."""

    @property
    def price(self) -> int:
        """Give what they cost together."""
        return sum(each.price for each in self.ways)

    @property
    def trunks(self) -> frozenset[str]:
        """Give all that they take."""
        return frozenset(trunk for each in self.ways for trunk in each.trunks)


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenUp:
    """The search used its share of the budget and has found no pair."""


def one_way(search: Search, ends: Ends) -> Found | Blocked:
    """Find the cheapest way."""
    way = cheapest(search, ends.starts, ends.goals)
    return Found(ways=(way,)) if way else Blocked(by=barrier(search, ends.starts, ends.goals))


def two_ways(search: Search, ends: Ends, *, is_quick: bool = False) -> Found | Blocked | GivenUp:
    """Find the cheapest pair; who is quick tries none after the first. Raises Spent."""
    relaxed = two_apart(search, ends.a, ends.z)
    if isinstance(relaxed, Blocked):
        return relaxed
    walked = _walked(search, ends, *relaxed.ways)
    if walked is not None and walked.price == relaxed.price:
        return walked
    return _given_up(walked) if is_quick else _tried_all(search, ends, walked, relaxed.price)


def _given_up(best: Found | None) -> Found | GivenUp:
    return replace(best, is_least=False) if best else GivenUp()


def _walked(search: Search, ends: Ends, one: Iterable[str], other: Iterable[str]) -> Found | None:
    """Give the cheapest pair through the sites of two ways that are apart, each on the trunks that join the elements of its own."""
    near_one, near_other = _junctions(search, one), _junctions(search, other)
    first, pairs = search.without(other), list[Found]()
    for start, goal in ends.each():
        way = cheapest(first, (start,), (goal,), within=near_one)
        beside = cheapest(search.without(way.trunks), (start,), (goal,), within=near_other) if way else None
        if way and beside:
            pairs.append(_pair(way, beside))
    return min(pairs, key=lambda each: each.price, default=None)


def _junctions(search: Search, trunks: Iterable[str]) -> frozenset[str]:
    """Give all junctions of the sites that trunks lead to."""
    network = search.network
    return network.junctions({network.site_of[junction] for trunk in trunks for junction in network.ends[trunk]})


def _pair(one: Way, other: Way) -> Found:
    cheaper, dearer = sorted((one, other), key=lambda each: (each.price, each.trunks))
    return Found(ways=(cheaper, dearer))


def _tried_all(search: Search, ends: Ends, best: Found | None, least: int) -> Found | Blocked | GivenUp:
    """Try way after way, from a pair that is known; none is cheaper than `least`."""
    until, turns = search.budget.after(_SHARE), _in_turns(search, ends)
    while turns and (best is None or best.price > least):
        if search.budget.left < until:
            return _given_up(best)
        try:
            way = next(turns[0], None)
            other = _beside(search, way) if way else None
        except Spent:
            return _given_up(best)
        if way is None or (best is not None and 2 * way.price >= best.price):
            turns.popleft()  # nothing cheaper comes between these two
            continue
        if other is not None and (best is None or way.price + other.price < best.price):
            best = _pair(way, other)
        turns.rotate(-1)
    return best or Blocked(by=frozenset(search.closed))


def _in_turns(search: Search, ends: Ends) -> deque[Iterator[Way]]:
    """Give the ways between every two ports, each the cheapest first."""
    search.budget.spend(len(search.network.ends))
    single = search.without(_dearer(search))
    return deque(in_order(single, start, goal) for start, goal in ends.each())


def _beside(search: Search, way: Way) -> Way | None:
    """Find the cheapest way between the same junctions that keeps apart from one."""
    avoided = search.network.junctions(way.passes(search.network))
    return cheapest(search.without(way.trunks), way.junctions[:1], way.junctions[-1:], avoided=avoided)


def _dearer(search: Search) -> set[str]:
    """Give the trunks beside which a cheaper one is open: the cheaper way of a pair may do without them.

    Only at the ends can both ways of a pair go between the same two junctions, and there it does not matter which takes which trunk.
    """
    least: dict[str, str] = {}
    for trunk in search.network.ends:
        bundle = search.network.beside[trunk][0]
        if trunk not in search.closed and (bundle not in least or search.prices[trunk] < search.prices[least[bundle]]):
            least[bundle] = trunk
    return set(search.network.ends) - set(least.values())
