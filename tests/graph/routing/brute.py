"""Services designed by trying everything: every way, every pair, every instant, every rate. Slow, and without an idea that could be wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

from hypothesis import strategies as st

from graph.capacity.limits import Limit, LimitKind
from graph.capacity.steps import Booking, StepFunction
from graph.routing.answers import Design, Infeasible
from graph.routing.budget import Budget
from graph.routing.case import Asking
from graph.routing.deciding import decide
from graph.routing.demand import Access, Demand, Side, Weights
from graph.routing.network import Element, Network, Site, Trunk
from graph.routing.ports import AccessPort

HORIZON = 8
"""Nothing changes from then on; instants are few, so that many coincide."""
A, Z = "site-0", "site-1"


@dataclass(frozen=True, kw_only=True)
class World:
    """A small network with what it carries, and a demand from site-0 to site-1."""

    sites: tuple[Site, ...]
    elements: tuple[Element, ...]
    trunks: tuple[Trunk, ...]
    ports: dict[Side, tuple[AccessPort, ...]]
    limits: dict[str, int]
    bookings: dict[str, tuple[Booking, ...]]
    gone: frozenset[str]
    """trunks that are in the snapshot only."""
    demand: Demand

    def limit(self, thing: str) -> Limit:
        kind = LimitKind.NETWORK if thing.startswith("trunk") else LimitKind.PORT
        load = StepFunction.of(self.bookings[thing])
        return Limit(thing=thing, kind=kind, mbps=self.limits[thing], load=load)

    def decided(self, budget: Budget | None = None) -> tuple[Design | Infeasible, list[str]]:
        """What the product says, and all that it asked for."""
        asked: list[str] = []
        found = _driven(
            decide(self.demand, Network.of(self.sites, self.elements, self.trunks), self.ports, budget), self, asked
        )
        return found, asked

    @cached_property
    def home(self) -> dict[str, str]:
        return {each.id: each.site for each in self.elements}

    @cached_property
    def junction(self) -> dict[str, str]:
        """By element in service; a site with trunks inside has one for each element, whatever their state."""
        inside = {self.home[each.a] for each in self.trunks if self.home[each.a] == self.home[each.z]}
        return {each.id: each.id if each.site in inside else each.site for each in self.elements if each.in_service}

    @cached_property
    def site(self) -> dict[str, str]:
        return {junction: self.home[element] for element, junction in self.junction.items()}

    def left(self, thing: str, start: int) -> int:
        """What is left throughout, instant by instant."""
        end = self.demand.ends_at(start)
        last = HORIZON + 1 if end is None else min(end, HORIZON + 1)
        instants = range(min(start, HORIZON), max(last, min(start, HORIZON) + 1))
        return max(0, self.limits[thing] - max(self._rate(thing, at) for at in instants))

    def _rate(self, thing: str, at: int) -> int:
        return sum(
            each.mbps for each in self.bookings[thing] if each.start <= at and (each.end is None or at < each.end)
        )

    def starts(self, side: Side, start: int, mbps: int) -> set[str]:
        """The junctions where a port could be taken for so much."""
        return {
            self.junction[each.element]
            for each in self.ports[side]
            if not each.is_taken
            and self.demand.access(side).speed in (None, each.speed)
            and each.element in self.junction
            and self.left(each.id, start) >= mbps
        }

    @cached_property
    def ways(self) -> list[Route]:
        """Every way from any junction of site A to any of site Z, whatever it carries."""
        begin = {junction for junction, site in self.site.items() if site == A}
        return [each for start in sorted(begin) for each in self._walks((start,), ())]

    def _walks(self, junctions: tuple[str, ...], trunks: tuple[str, ...]) -> Iterator[Route]:
        here = junctions[-1]
        if self.site[here] == Z:
            yield Route(trunks=trunks, junctions=junctions, inside=self._inside(junctions))
        for each in self.trunks:
            ends = (self.junction.get(each.a), self.junction.get(each.z))
            if each.in_service and None not in ends and here in ends and each.id not in self.gone:
                there = ends[1] if here == ends[0] else ends[0]
                if there is not None and there not in junctions:
                    yield from self._walks((*junctions, there), (*trunks, each.id))

    def _inside(self, junctions: Sequence[str]) -> frozenset[str]:
        return frozenset(self.site[each] for each in junctions) - {A, Z}

    @cached_property
    def choices(self) -> list[tuple[Route, ...]]:
        """Everything that could be built if there were room: ways, or pairs of ways that are apart."""
        if not self.demand.protected:
            return [(each,) for each in self.ways]
        return [
            (one, other)
            for one, other in product(self.ways, repeat=2)
            if one.trunks < other.trunks
            and one.ends == other.ends
            and not one.inside & other.inside
            and not set(one.trunks) & set(other.trunks)
        ]

    def fitting(self, start: int, mbps: int) -> list[tuple[Route, ...]]:
        """What has so much room, between ports that are free then."""
        begin, end = self.starts(Side.A, start, mbps), self.starts(Side.Z, start, mbps)
        left = {each.id: self.left(each.id, start) for each in self.trunks if each.id not in self.gone}
        return [
            routes
            for routes in self.choices
            if routes[0].ends[0] in begin
            and routes[0].ends[1] in end
            and all(left[trunk] >= mbps for route in routes for trunk in route.trunks)
        ]

    def price(self, routes: Sequence[Route]) -> int:
        weights, demand = self.demand.weights, self.demand
        found = 0
        for trunk in (each for route in routes for each in route.trunks):
            taken = self.limits[trunk] - self.left(trunk, demand.start) + demand.mbps
            found += weights.hop + weights.percent * -(-100 * taken // self.limits[trunk])
        return found


@dataclass(frozen=True, kw_only=True)
class Route:
    trunks: tuple[str, ...]
    junctions: tuple[str, ...]
    inside: frozenset[str]

    @property
    def ends(self) -> tuple[str, str]:
        return self.junctions[0], self.junctions[-1]


def _driven(deciding: Asking[Design | Infeasible], world: World, asked: list[str]) -> Design | Infeasible:
    try:
        wanted = next(deciding)
        while True:
            asked += sorted(wanted)
            wanted = deciding.send({each: world.limit(each) for each in wanted if each not in world.gone})
    except StopIteration as done:
        found: Design | Infeasible = done.value
        return found


@st.composite
def some_bookings(draw: st.DrawFn, count: st.SearchStrategy[int]) -> tuple[Booking, ...]:
    found = []
    for _ in range(draw(count)):
        start = draw(st.integers(0, HORIZON - 1))
        end = draw(st.one_of(st.none(), st.integers(start + 1, HORIZON)))
        found.append(Booking(start=start, end=end, mbps=draw(st.integers(1, 4))))
    return tuple(found)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    sites = draw(st.integers(2, 4))
    elements = [
        Element(
            id=f"networkelement-{site}{number}",
            site=f"site-{site}",
            in_service=draw(st.sampled_from((*[True] * 11, False))),
        )
        for site in range(sites)
        for number in range(draw(st.sampled_from((1, 1, 2))))
    ]
    ids = [each.id for each in elements]
    pairs = st.tuples(st.sampled_from(ids), st.sampled_from(ids)).filter(lambda pair: pair[0] != pair[1])
    trunks = [
        Trunk(id=f"trunk-{number}", a=a, z=z, in_service=draw(st.sampled_from((*[True] * 11, False))))
        for number, (a, z) in enumerate(draw(st.lists(pairs, min_size=2, max_size=8)))
    ]
    ports = {side: draw(_ports(side, [each for each in elements if each.site == site])) for side, site in _ENDS.items()}
    held = [each.id for side in Side for each in ports[side]]
    limits = {each.id: draw(st.integers(2, 6)) for each in trunks}
    limits |= {each.id: each.limit for side in Side for each in ports[side]}
    quiet, busy = st.sampled_from((0, 0, 0, 0, 1)), st.integers(0, 3)
    start = draw(st.integers(0, 3))
    return World(
        sites=tuple(Site(id=f"site-{each}", latitude=None, longitude=None) for each in range(sites)),
        elements=tuple(elements),
        trunks=tuple(trunks),
        ports=ports,
        limits=limits,
        bookings={each: draw(some_bookings(quiet if each in held else busy)) for each in limits},
        gone=frozenset(each.id for each in trunks if draw(st.integers(0, 19)) == 0),
        demand=Demand(
            a=Access(site=A, speed=draw(st.sampled_from((None, None, None, 1)))),
            z=Access(site=Z),
            mbps=draw(st.integers(1, 4)),
            start=start,
            end=draw(st.one_of(st.none(), st.integers(start + 1, start + 4))),
            protected=draw(st.booleans()),
            weights=Weights(hop=draw(st.integers(1, 60)), percent=draw(st.sampled_from((0, 1, 2)))),
        ),
    )


_ENDS = {Side.A: A, Side.Z: Z}


@st.composite
def _ports(draw: st.DrawFn, side: Side, elements: Sequence[Element]) -> tuple[AccessPort, ...]:
    return tuple(
        AccessPort(
            id=f"port-{side}{number}",
            element=draw(st.sampled_from(elements)).id,
            speed=draw(st.sampled_from((1, 8))),
            limit=draw(st.sampled_from((5, 9, 8, 3, 2, 6))),
            is_taken=draw(st.sampled_from((False, False, False, False, True))),
        )
        for number in range(draw(st.sampled_from((3, 2, 1, 3, 2, 4, 2, 3, 0))))
    )
