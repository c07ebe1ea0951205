"""The cheapest pair of ways that can be walked: from one port to one port, from trunk to trunk where both end at one junction.

Where sites are taken as one place (`apart.py`), the cheapest pair is found at once, and nearly always it can be walked: then it is the answer.
Where it cannot, since it crosses a site between elements that no trunk joins, ways are tried one by one as the cheaper one of a
pair, the cheapest first, each with the cheapest that keeps apart from it. That ends where twice the price of the next way is
no less than that of the best pair. Such a search may take very long in the worst case, so it has a bound, and says when it came to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Final

from graph.routing.apart import Blocked, two_apart
from graph.routing.ways import Search, Way, barrier, cheapest, in_order

MOST_WAYS: Final = 100
"""that are tried as the cheaper one of a pair."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """Between which sites, and at which of their junctions, ways begin and end."""

    a: str
    z: str
    starts: frozenset[str]
    goals: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One way, or two, of which the cheaper one comes first."""

    ways: tuple[Way, ...]
    is_least: bool = True
    """False: the search came to its bound, and a cheaper pair may exist."""

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
    """The search came to its bound and has found no pair."""

    tried: int


def one_way(search: Search, ends: Ends) -> Found | Blocked:
    """Find the cheapest way."""
    way = cheapest(search, ends.starts, ends.goals)
    return Found(ways=(way,)) if way else Blocked(by=barrier(search, ends.starts, ends.goals))


def two_ways(search: Search, ends: Ends, most: int = MOST_WAYS) -> Found | Blocked | GivenUp:
    """Find the cheapest pair; `most` is the bound."""
    relaxed = two_apart(search, ends.a, ends.z)
    if isinstance(relaxed, Blocked):
        return relaxed
    ways = [way for each in relaxed.ways if (way := _walked(search, each, ends)) is not None]
    if len(ways) == 2 and (ways[0].junctions[0], ways[0].junctions[-1]) == (
        ways[1].junctions[0],
        ways[1].junctions[-1],
    ):
        return _pair(*ways)
    return _tried_all(search, ends, relaxed.price, most)


def _walked(search: Search, trunks: Sequence[str], ends: Ends) -> Way | None:
    """Give the way that trunks are in this order; None where two that follow each other end at different junctions."""
    network = search.network
    here = next(each for each in network.ends[trunks[0]] if network.site_of[each] == ends.a)
    junctions = [here]
    for trunk in trunks:
        a, z = network.ends[trunk]
        if here not in (a, z):
            return None
        here = z if here == a else a
        junctions.append(here)
    if junctions[0] not in ends.starts or here not in ends.goals:
        return None
    return Way(price=sum(map(search.prices.__getitem__, trunks)), trunks=tuple(trunks), junctions=tuple(junctions))


def _pair(one: Way, other: Way, *, is_least: bool = True) -> Found:
    cheaper, dearer = sorted((one, other), key=lambda each: (each.price, each.trunks))
    return Found(ways=(cheaper, dearer), is_least=is_least)


def _tried_all(search: Search, ends: Ends, least: int, most: int) -> Found | Blocked | GivenUp:
    """Try way after way; no pair is cheaper than `least`."""
    best: Found | None = None
    tried, single = 0, search.without(_dearer(search))
    for start, goal in product(sorted(ends.starts), sorted(ends.goals)):
        for way in in_order(single, start, goal):
            if best is not None and (best.price == least or 2 * way.price >= best.price):
                break
            if tried == most:
                return replace(best, is_least=False) if best else GivenUp(tried=tried)
            tried += 1
            other = _beside(search, way)
            if other is not None and (best is None or way.price + other.price < best.price):
                best = _pair(way, other)
    return best or Blocked(by=frozenset(search.closed))


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
