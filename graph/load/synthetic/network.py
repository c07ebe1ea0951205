"""The network that services run over: access sites on core sites, core sites on each other, and trunks with room.

Two services of one trunk must not both believe that the last gigabit is theirs, and a path may only be called
protecting if it shares no trunk with the working one. So all trunks between the same two planes are a *bundle*: a
service reserves room in the bundle's newest trunk, and when that is full a parallel one is made, on ports of its own.

Protection. An access site has one or two uplink bundles, both to its own city, on different planes there; between
cities the two ways come from `disjoint.shortest_pair`. A link whose loss would part the network, and the uplink of an
access site that has only one, are *single*: they never get a parallel trunk (it would be protection on paper, in the
same ditch), so when they are full nothing more is sold across them. Hence a service has no protecting path exactly
where the trunks of the whole network, as a graph of sites, have no second path.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain

from graph.load.records import Value
from graph.load.synthetic.catalogue import (
    CORE,
    FAST_UPLINK,
    FILL,
    NODES_PER_ACCESS_SITE,
    SERVICES_PER_TRUNK,
    SINGLE_HOMED,
    SITES_PER_CITY,
    UPLINK,
    Rate,
)
from graph.load.synthetic.disjoint import Arcs, Pair, arcs_of, shortest_pair
from graph.load.synthetic.equipment import Port, Site, build_site, free_port
from graph.load.synthetic.sheet import Sheet
from graph.load.synthetic.topology import Topology


@dataclass(slots=True, kw_only=True, eq=False)
class Trunk:
    """The newest trunk of a bundle and what room it has left."""

    id: str
    a: Port
    z: Port
    free_mbps: float
    free_services: int = SERVICES_PER_TRUNK
    alarms: set[int] = field(default_factory=set)

    @property
    def struck(self) -> set[int]:
        """The alarms that make it fail: its own, and those that strike one of its ports."""
        return self.alarms | self.a.struck | self.z.struck

    def has_room(self, mbps: int) -> bool:
        """Tell whether one more service fits."""
        return self.free_services > 0 and self.free_mbps >= mbps


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What parallel trunks have in common."""

    name: str
    a: Site
    z: Site
    rate: Rate
    plane: int | None
    """the plane at both ends; None lets the trunks take turns."""
    single: bool


@dataclass(slots=True, kw_only=True, eq=False)
class Bundle:
    """Parallel trunks between two sites: how many there are, and the newest, which is being filled."""

    course: Course
    newest: Trunk
    count: int = 1

    def room_for(self, sheet: Sheet, mbps: int) -> Trunk:
        """Give a trunk with room, a new one if the newest has none."""
        if not self.newest.has_room(mbps):
            self.count += 1
            self.newest = _lay(sheet, self.course, self.count)
        return self.newest


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Access:
    """An access site: its city's number, and its uplinks, of which the first is the working one."""

    site: Site
    city: int
    uplinks: tuple[Bundle, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """The bundles that a service between two access sites takes; `protecting` is empty when there is no second way."""

    working: tuple[Bundle, ...]
    protecting: tuple[Bundle, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Everything that is sold from: nothing of it grows with the number of services but the trunks' own counts."""

    topology: Topology
    arcs: Arcs
    core: tuple[Site, ...]
    links: tuple[Bundle, ...]
    access: tuple[tuple[Access, ...], ...]
    """by city; the first of each is a data centre, with fast uplinks."""
    pairs: dict[tuple[int, int], Pair | None] = field(default_factory=dict)

    def way(self, a: Access, z: Access) -> Way | None:
        """Find the ways between two access sites; None when there is not even one."""
        pair = self._between(a.city, z.city)
        if pair is None:
            return None
        working = (a.uplinks[0], *(self.links[n] for n in pair.working), z.uplinks[0])
        if pair.protecting is None or len(a.uplinks) < 2 or len(z.uplinks) < 2:
            return Way(working=working, protecting=())
        return Way(working=working, protecting=(a.uplinks[1], *(self.links[n] for n in pair.protecting), z.uplinks[1]))

    def _between(self, a: int, z: int) -> Pair | None:
        if (a, z) not in self.pairs:
            pair = shortest_pair(self.arcs, a, z)
            self.pairs[a, z] = pair
            self.pairs[z, a] = pair.reversed() if pair else None
        return self.pairs[a, z]


def build_network(sheet: Sheet, topology: Topology, scale: int) -> Network:
    """Put down the sites, the first trunk of every bundle, and what they stand on."""
    core = tuple(
        build_site(sheet, city.name, "core", latitude=city.latitude, longitude=city.longitude)
        for city in topology.cities
    )
    links = tuple(_core_bundles(sheet, topology, core))
    access = _access_sites(sheet, topology, core, scale)
    return Network(topology=topology, arcs=arcs_of(topology.links), core=core, links=links, access=access)


def bridges_of(topology: Topology) -> frozenset[frozenset[int]]:
    """Give the links, as pairs of cities, whose loss parts the network."""
    import networkx as nx  # noqa: PLC0415 - a quarter of the time that a process takes to start, and only a load needs it

    return frozenset(map(frozenset, nx.bridges(nx.Graph([(link.a, link.z) for link in topology.links]))))


def reserve(sheet: Sheet, way: Way, mbps: int) -> tuple[tuple[Trunk, ...], tuple[Trunk, ...]] | None:
    """Reserve room all along both paths and give their trunks; None, and nothing is changed, where there is no room."""
    for bundle in chain(way.working, way.protecting):
        if bundle.course.single and not bundle.newest.has_room(mbps):
            return None
    working = tuple(_take(sheet, bundle, mbps) for bundle in way.working)
    return working, tuple(_take(sheet, bundle, mbps) for bundle in way.protecting)


def _take(sheet: Sheet, bundle: Bundle, mbps: int) -> Trunk:
    trunk = bundle.room_for(sheet, mbps)
    trunk.free_mbps -= mbps
    trunk.free_services -= 1
    return trunk


def _lay(sheet: Sheet, course: Course, number: int) -> Trunk:
    plane = number % 2 if course.plane is None else course.plane
    name, rate = f"{course.name} {number}", course.rate
    a, z = free_port(sheet, course.a, plane, rate.a_card), free_port(sheet, course.z, plane, rate.z_card)
    properties: dict[str, Value] = {
        "layerRate": rate.layer,
        "capacityMbps": rate.capacity,
        "operationalState": "enabled",
    }
    trunk = sheet.node("Trunk", name, properties)
    sheet.join(trunk, "TERMINATES_ON", a.id, {"end": "A"})
    sheet.join(trunk, "TERMINATES_ON", z.id, {"end": "Z"})
    sheet.known_as(trunk, name)
    return Trunk(id=trunk, a=a, z=z, free_mbps=rate.capacity * FILL)


def _bundle(sheet: Sheet, course: Course) -> Bundle:
    return Bundle(course=course, newest=_lay(sheet, course, 1))


def _core_bundles(sheet: Sheet, topology: Topology, core: tuple[Site, ...]) -> Iterator[Bundle]:
    bridges = bridges_of(topology)
    for link in topology.links:
        a, z = core[link.a], core[link.z]
        single = frozenset((link.a, link.z)) in bridges
        yield _bundle(sheet, Course(name=f"{a.name} - {z.name}", a=a, z=z, rate=CORE, plane=None, single=single))


def _access_sites(
    sheet: Sheet, topology: Topology, core: tuple[Site, ...], scale: int
) -> tuple[tuple[Access, ...], ...]:
    weights = [sum(row) for row in topology.weights]
    least = SITES_PER_CITY * len(core)
    more = max(0, scale // NODES_PER_ACCESS_SITE - least) / (sum(weights) or 1.0)
    return tuple(
        tuple(
            _access_site(sheet, topology, core, city, number) for number in range(SITES_PER_CITY + int(more * weight))
        )
        for city, weight in enumerate(weights)
    )


def _access_site(sheet: Sheet, topology: Topology, core: tuple[Site, ...], city: int, number: int) -> Access:
    home, place, chance = core[city], topology.cities[city], sheet.chance
    site = build_site(
        sheet,
        f"{home.name} {number + 1:03d}",
        "access",
        latitude=place.latitude + chance.uniform(-0.1, 0.1),
        longitude=place.longitude + chance.uniform(-0.1, 0.1),
    )
    single = number > 0 and (city + number) % SINGLE_HOMED == 0
    rate = UPLINK if number else FAST_UPLINK
    courses = (
        Course(name=f"{site.name} - {home.name} {'ab'[plane]}", a=site, z=home, rate=rate, plane=plane, single=single)
        for plane in range(1 if single else 2)
    )
    return Access(site=site, city=city, uplinks=tuple(_bundle(sheet, course) for course in courses))
