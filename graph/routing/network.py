"""The network as ways are looked for: trunks between places where a way can go on, and nothing of what they carry.

A way goes from trunk to trunk where both end at the same *junction*. In a site that has trunks between its own elements, each element is a
junction: from one to the other a way takes such a trunk. Most inventories do not have the inside of a site. There the whole site is one
junction: what has to be patched between its elements is not planned here.

What is out of service for good leads nowhere, so that nothing is planned on it. But a site whose inside is known stays so where a trunk
of it goes out of service: nobody has patched it otherwise.

>>> site = [Site(id=f"site-{each}", latitude=None, longitude=None) for each in "ab"]
>>> element = [Element(id=f"networkelement-{each}", site=f"site-{each}") for each in "ab"]
>>> trunk = Trunk(id="trunk-1", a="networkelement-a", z="networkelement-b")
>>> network = Network.of(site, element, [trunk])
>>> network.links_at["site-a"]
(('trunk-1', 'site-b'),)
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

EARTH_KM: Final = 6371.0088
"""the mean radius (IUGG)."""

Links: TypeAlias = Mapping[str, tuple[tuple[str, str], ...]]
"""By where they begin: trunks, each with where it leads to, in the order of their ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A place; its coordinates are degrees, None where they are not known."""

    id: str
    latitude: float | None
    longitude: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """A device, and the site that it is at."""

    id: str
    site: str
    in_service: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Trunk:
    """A link between two elements."""

    id: str
    a: str
    z: str
    in_service: bool = True
    """with the cards and ports at both ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A snapshot; `of` makes it."""

    sites: frozenset[str]
    junction_of: Mapping[str, str]
    """by the id of an element in service."""
    site_of: Mapping[str, str]
    """by junction."""
    junctions_at: Mapping[str, frozenset[str]]
    """by site."""
    ends: Mapping[str, tuple[str, str]]
    """the junctions that each trunk joins, A first."""
    km: Mapping[str, int]
    """the length of each trunk, as the great circle between its sites, rounded up; 0 where that is not known."""
    links_at: Links
    """by junction, to junctions."""
    links_from: Links
    """by site, to other sites."""
    beside: Mapping[str, tuple[str, ...]]
    """by trunk: all that join the same two junctions, itself included."""
    dead_ends: frozenset[str]
    """sites from which trunks lead to one other site, or to none: no way leads through them."""
    links_through: Links
    """by site, to other sites that are no dead ends."""

    @staticmethod
    def of(sites: Iterable[Site], elements: Iterable[Element], trunks: Iterable[Trunk]) -> Network:
        """Lay out the network; a trunk that does not join two known elements is left out."""
        at = {each.id: each for each in sites}
        placed = [each for each in elements if each.site in at]
        home = {each.id: each.site for each in placed}
        known = [each for each in trunks if each.a in home and each.z in home and each.a != each.z]
        inside = {home[each.a] for each in known if home[each.a] == home[each.z]}
        junction_of = {each.id: each.id if each.site in inside else each.site for each in placed if each.in_service}
        site_of = {junction: home[element] for element, junction in junction_of.items()}
        ends = _ends(known, junction_of)
        links_from = _links({trunk: (site_of[a], site_of[z]) for trunk, (a, z) in ends.items()})
        dead_ends = frozenset(site for site in at if len({there for _, there in links_from.get(site, ())}) < 2)
        return Network(
            sites=frozenset(at),
            junction_of=junction_of,
            site_of=site_of,
            junctions_at=_grouped((site, junction) for junction, site in site_of.items()),
            ends=ends,
            km={trunk: _km(at[site_of[a]], at[site_of[z]]) for trunk, (a, z) in ends.items()},
            links_at=_links(ends),
            links_from=links_from,
            beside=_beside(ends),
            dead_ends=dead_ends,
            links_through=_without(links_from, dead_ends),
        )

    def links_towards(self, goal: str) -> Links:
        """Give, by site, what may be on a way to another site: what leads into a dead end is not, unless that is the goal."""
        return self.links_from if goal in self.dead_ends else self.links_through

    def junctions(self, sites: Iterable[str]) -> frozenset[str]:
        """Give all junctions of some sites."""
        return frozenset(junction for site in sites for junction in self.junctions_at.get(site, ()))


def _ends(trunks: Iterable[Trunk], junction_of: Mapping[str, str]) -> Mapping[str, tuple[str, str]]:
    """Give the junctions that each trunk joins which is in service from end to end, in the order of the ids of trunks."""
    leading = (each for each in trunks if each.in_service and each.a in junction_of and each.z in junction_of)
    return {each.id: (junction_of[each.a], junction_of[each.z]) for each in sorted(leading, key=lambda one: one.id)}


def _grouped(pairs: Iterable[tuple[str, str]]) -> Mapping[str, frozenset[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for key, value in pairs:
        found[key].add(value)
    return {key: frozenset(values) for key, values in found.items()}


def _links(ends: Mapping[str, tuple[str, str]]) -> Links:
    """Give what leads away from each place, in both directions; what leads back to where it began is left out."""
    found: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for trunk, (a, z) in ends.items():
        if a != z:
            found[a].append((trunk, z))
            found[z].append((trunk, a))
    return {place: tuple(each) for place, each in found.items()}


def _without(links: Links, sites: Collection[str]) -> Links:
    return {site: tuple(each for each in some if each[1] not in sites) for site, some in links.items()}


def _beside(ends: Mapping[str, tuple[str, str]]) -> Mapping[str, tuple[str, ...]]:
    bundles: defaultdict[frozenset[str], list[str]] = defaultdict(list)
    for trunk, (a, z) in ends.items():
        bundles[frozenset((a, z))].append(trunk)
    return {trunk: tuple(each) for each in bundles.values() for trunk in each}


def _km(a: Site, z: Site) -> int:
    """Give the great circle between two sites (haversine), in whole kilometres, rounded up."""
    if a.latitude is None or a.longitude is None or z.latitude is None or z.longitude is None:
        return 0
    north_a, north_z = math.radians(a.latitude), math.radians(z.latitude)
    north, east = (north_z - north_a) / 2, math.radians(z.longitude - a.longitude) / 2
    chord = math.sin(north) ** 2 + math.cos(north_a) * math.cos(north_z) * math.sin(east) ** 2
    return math.ceil(round(2 * EARTH_KM * math.asin(min(1.0, math.sqrt(chord))), 6))
