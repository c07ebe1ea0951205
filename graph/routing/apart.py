"""Two ways between two sites that share no trunk and no site but these, at the least cost together.

The shortest way, and then the shortest without its sites, is not good enough: the first may cut the second off although a pair exists
(the trap topology). So it is a flow of two units (Suurballe): after the first way is found, the second search may go back along it, which
takes those trunks out of the result. Whoever enters a site of the first way can do nothing else there: such a site is two states,
*entered* and not, so that no site is on both ways. Both searches are Dijkstra's, drawn towards Z (A*); the second one is over costs that the
distances of the first have made non-negative.

Each site is taken as one place here. So where a site's own inside matters (`network.py`), the pair may be one that cannot be walked, and is
no dearer than any that can; and where there is no pair here, there is none at all.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TypeAlias

from graph.routing.network import Links
from graph.routing.ways import NOTHING, Search

_State: TypeAlias = tuple[str, bool]
"""A site, and whether it was entered while the first way leads through it."""
_Step: TypeAlias = tuple[str, str, str]
"""A trunk, and from which site to which; the trunk is empty where only the state of a site changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Apart:
    """Both ways, as trunks in order; the one whose first trunk has the lower id comes first."""

    price: int
    ways: tuple[tuple[str, ...], tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """There is none, and of these trunks one at least must open before there is; where there are none of these, nothing would help."""

    by: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _First:
    """The shortest way by itself, or nothing where there is none."""

    steps: tuple[_Step, ...]
    distance: Mapping[str, int]
    """of the sites that the search has come to, Z the last."""
    before: Mapping[str, tuple[str, str]]
    """by the sites that it leads through: by which trunk, and from where."""
    trunks: frozenset[str]


def two_apart(search: Search, a: str, z: str) -> Apart | Blocked:
    """Find the pair between two sites; or what keeps one from being there."""
    first = _first(search, a, z)
    if not first.steps:
        return Blocked(by=_barrier(search, first, {(site, False) for site in first.distance}, a, z))
    second, seen = _second(search, first, a, z)
    if not second:
        return Blocked(by=_barrier(search, first, seen, a, z))
    return _untangled(search, first, second, a, z)


def _first(search: Search, a: str, z: str) -> _First:
    links, distance = search.network.links_towards(z), dict[str, int]()
    prices, closed, ahead = search.prices, search.closed, search.ahead
    queue, best, by = [(ahead.get(a, 0), a)], {a: 0}, dict[str, tuple[str, str]]()
    while queue and z not in distance:
        _, here = heapq.heappop(queue)
        if here in distance:
            continue
        price = distance[here] = best[here]
        search.budget.spend()
        for trunk, there in links.get(here, ()):
            if trunk in closed or there in distance:
                continue
            more = price + prices[trunk]
            if there not in best or more < best[there]:
                best[there], by[there] = more, (trunk, here)
                heapq.heappush(queue, (more + ahead.get(there, 0), there))
    steps = _walked(by, a, z) if z in distance else ()
    before = {there: (trunk, here) for trunk, here, there in steps[:-1]}
    return _First(steps=steps, distance=distance, before=before, trunks=frozenset(each[0] for each in steps))


def _walked(by: Mapping[str, tuple[str, str]], a: str, z: str) -> tuple[_Step, ...]:
    back, there = list[_Step](), z
    while there != a:
        trunk, here = by[there]
        back.append((trunk, here, there))
        there = here
    return tuple(back[::-1])


def _second(search: Search, first: _First, a: str, z: str) -> tuple[tuple[_Step, ...], set[_State]]:
    """Find the cheapest way beside the first one, its steps in any order; none where there is none. And the states that were come to."""
    start, beyond, far = (a, False), first.distance[z], _potentials(search, first, z)
    queue, best, by = [(0, start)], {start: 0}, dict[_State, tuple[str, _State]]()
    links, done = search.network.links_towards(z), set[_State]()
    while queue:
        so_far, here = heapq.heappop(queue)
        if here in done:
            continue
        done.add(here)
        search.budget.spend()
        if here == (z, False):
            return tuple(_traced(by, here)), done
        so_far += far.get(here[0], beyond)
        for trunk, there, price in _onward(search, first, here, links):
            more = so_far + price - far.get(there[0], beyond)
            if there not in done and (there not in best or more < best[there]):
                best[there], by[there] = more, (trunk, here)
                heapq.heappush(queue, (more, there))
    return (), done


def _potentials(search: Search, first: _First, z: str) -> Mapping[str, int]:
    """Give how far sites are from A; those that the first search did not come to are so far that a way over them is no shorter."""
    beyond = first.distance[z]
    return {site: beyond - ahead for site, ahead in search.ahead.items()} | dict(first.distance)


def _onward(
    search: Search, first: _First, here: _State, links: Links, *, all_open: bool = False
) -> Sequence[tuple[str, _State, int]]:
    """Give what comes after a state, by which trunk, and what it adds to the cost of both ways."""
    (site, entered), before, prices = here, first.before, search.prices
    if entered:
        trunk, back = before[site]
        return ((trunk, (back, False), -prices[trunk]),)
    closed, taken = NOTHING if all_open else search.closed, first.trunks
    found = [
        (trunk, (there, there in before), prices[trunk])
        for trunk, there in links.get(site, ())
        if trunk not in closed and trunk not in taken
    ]
    return [*found, ("", (site, True), 0)] if site in before else found


def _traced(by: Mapping[_State, tuple[str, _State]], there: _State) -> Iterator[_Step]:
    while there in by:
        trunk, here = by[there]
        yield trunk, here[0], there[0]
        there = here


def _untangled(search: Search, first: _First, second: Iterable[_Step], a: str, z: str) -> Apart:
    """Drop the trunks that the second search has gone back along; what is left are two ways."""
    back = {trunk for trunk, *_ in second} & first.trunks
    after: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for trunk, here, there in (*first.steps, *second):
        if trunk and trunk not in back:
            after[here].append((trunk, there))
    one, other = (_followed(after, each, z) for each in sorted(after[a]))
    return Apart(price=sum(search.prices[each] for each in (*one, *other)), ways=(one, other))


def _followed(after: Mapping[str, list[tuple[str, str]]], begin: tuple[str, str], z: str) -> tuple[str, ...]:
    trunk, there = begin
    way = [trunk]
    while there != z:
        [(trunk, there)] = after[there]
        way.append(trunk)
    return tuple(way)


def _barrier(search: Search, first: _First, seen: AbstractSet[_State], a: str, z: str) -> frozenset[str]:
    """Give the closed trunks that lead from the states that were come to, to others from which Z can be come to."""
    found, useless, links = set[str](), set[_State](), search.network.links_towards(z)
    for site, entered in seen:
        for trunk, there in () if entered else links.get(site, ()):
            state = (there, there in first.before)
            if trunk in search.closed and state not in seen and there != a and state not in useless:
                tried = _tried(search, first, state, seen | useless, z)
                if (z, False) in tried:
                    found.add(trunk)
                else:
                    useless |= tried
    return frozenset(found)


def _tried(search: Search, first: _First, start: _State, never: AbstractSet[_State], z: str) -> set[_State]:
    """Give the states that come after one, with every trunk open, as far as Z."""
    found, waiting, links = {start}, [start], search.network.links_towards(z)
    while waiting and (z, False) not in found:
        search.budget.spend()
        for _, there, _ in _onward(search, first, waiting.pop(), links, all_open=True):
            if there not in found and there not in never:
                found.add(there)
                waiting.append(there)
    return found
