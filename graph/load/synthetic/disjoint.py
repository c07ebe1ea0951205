"""The shortest pair of ways between two cities that share no link.

The shortest way, and then the shortest way without its links, is not good enough: the first may cut the second off
although a pair exists (the trap topology). Suurballe's algorithm finds the pair of least total length whenever there
is one: after the shortest way is found, its links may be walked *backwards*, which takes them out of the result again.

The result is found in two searches by Dijkstra. The second one is over lengths that the first one's distances have
made non-negative ("reduced"), in which every link of the shortest way is free.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from graph.load.synthetic.topology import Link

Arc: TypeAlias = tuple[int, int, int]
"""From a city, to a city, by a link's number."""
Arcs: TypeAlias = Mapping[int, tuple[tuple[Arc, float], ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """The numbers of the links of each way, in order; `protecting` is None when no second way exists."""

    working: tuple[int, ...]
    protecting: tuple[int, ...] | None

    def reversed(self) -> Pair:
        """Give the same ways from the other end."""
        return Pair(
            working=self.working[::-1], protecting=self.protecting[::-1] if self.protecting else self.protecting
        )


def arcs_of(links: Iterable[Link]) -> Arcs:
    """Give what leaves each city, with its length."""
    out: dict[int, list[tuple[Arc, float]]] = {}
    for number, link in enumerate(links):
        out.setdefault(link.a, []).append(((link.a, link.z, number), link.km))
        out.setdefault(link.z, []).append(((link.z, link.a, number), link.km))
    return {city: tuple(each) for city, each in out.items()}


def shortest_pair(arcs: Arcs, start: int, end: int) -> Pair | None:
    """Find the pair, the shorter way first; None when there is no way at all. From a city to itself it is empty."""
    if start == end:
        return Pair(working=(), protecting=())
    distance, by = _search(arcs, start)
    if end not in by:
        return None
    first = _walk(by, start, end)
    _, by = _search(_residual(arcs, first, distance), start)
    if end not in by:
        return Pair(working=tuple(arc[2] for arc in first), protecting=None)
    return _untangled(first, _walk(by, start, end), start, end, _lengths(arcs))


def _search(arcs: Arcs, start: int) -> tuple[dict[int, float], dict[int, Arc]]:
    distance, by, queue = {start: 0.0}, dict[int, Arc](), [(0.0, start)]
    while queue:
        so_far, city = heapq.heappop(queue)
        if so_far > distance[city]:
            continue
        for arc, length in arcs.get(city, ()):
            there = so_far + length
            if arc[1] not in distance or there < distance[arc[1]]:
                distance[arc[1]], by[arc[1]] = there, arc
                heapq.heappush(queue, (there, arc[1]))
    return distance, by


def _walk(by: Mapping[int, Arc], start: int, end: int) -> list[Arc]:
    back = []
    while end != start:
        back.append(by[end])
        end = by[end][0]
    return back[::-1]


def _residual(arcs: Arcs, first: list[Arc], distance: Mapping[int, float]) -> Arcs:
    taken = {(arc[0], arc[2]) for arc in first}
    backwards = {(arc[1], arc[2]) for arc in first}
    reduced: dict[int, tuple[tuple[Arc, float], ...]] = {}
    for city in distance:
        reduced[city] = tuple(
            (arc, 0.0 if (city, arc[2]) in backwards else max(0.0, length + distance[city] - distance[arc[1]]))
            for arc, length in arcs[city]
            if (city, arc[2]) not in taken
        )
    return reduced


def _lengths(arcs: Arcs) -> dict[int, float]:
    return {arc[2]: length for each in arcs.values() for arc, length in each}


def _untangled(first: list[Arc], second: list[Arc], start: int, end: int, lengths: Mapping[int, float]) -> Pair:
    """Drop the links that one way walks forwards and the other backwards; what is left is the two ways."""
    both = {arc[2] for arc in first} & {arc[2] for arc in second}
    after: dict[int, list[Arc]] = {}
    for arc in (*first, *second):
        if arc[2] not in both:
            after.setdefault(arc[0], []).append(arc)
    ways = sorted(
        (_follow(after, start, end) for _ in range(2)), key=lambda way: (sum(map(lengths.__getitem__, way)), way)
    )
    return Pair(working=ways[0], protecting=ways[1])


def _follow(after: dict[int, list[Arc]], city: int, end: int) -> tuple[int, ...]:
    way = []
    while city != end:
        arc = after[city].pop()
        way.append(arc[2])
        city = arc[1]
    return tuple(way)
