"""Decisions, compared with trying everything; and the cases that simpler searches get wrong."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise, product
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.capacity.steps import Booking, NotAnInterval
from graph.routing.answers import (
    Design,
    EndFull,
    FitsFrom,
    NoDisjointPair,
    NoRoom,
    NoWay,
    Undecided,
    UnknownSite,
)
from graph.routing.budget import Budget, Spent
from graph.routing.demand import Access, BrokenDemand, Demand, Side, Weights
from graph.routing.network import Element, Network, Site, Trunk
from graph.routing.pairs import Ends, Found, two_ways
from graph.routing.ports import AccessPort
from graph.routing.ways import NOTHING, Search, in_order
from tests.graph.routing.brute import HORIZON, A, World, Z, worlds

T = TypeVar("T")


@given(worlds())
def test_a_service_is_designed_where_one_fits_and_at_the_least_cost(world: World) -> None:
    found, _ = world.decided()
    fitting = world.fitting(world.demand.start, world.demand.mbps)
    assert isinstance(found, Design) == bool(fitting)
    if isinstance(found, Design):
        assert found.is_least
        assert found.cost == min(map(world.price, fitting))
        ways = [each.trunks for each in (found.working, found.protecting) if each]
        assert tuple(sorted(ways)) in {tuple(sorted(each.trunks for each in routes)) for routes in fitting}
        _check_ports(world, found)


def _check_ports(world: World, found: Design) -> None:
    """The ports are free, and on the element where both ways begin and end."""
    routes = {each.trunks: each for each in world.ways}
    for side, port in ((Side.A, found.a), (Side.Z, found.z)):
        [taken] = [each for each in world.ports[side] if each.id == port]
        assert not taken.is_taken
        assert world.left(port, world.demand.start) >= world.demand.mbps
        for way in (found.working, found.protecting):
            if way is not None:
                assert world.junction[taken.element] == routes[way.trunks].ends[side is Side.Z]


@given(worlds())
def test_reasons_are_right(world: World) -> None:
    found, _ = world.decided()
    demand = world.demand
    match found:
        case EndFull(ends=ends):
            full = {side for side in Side if not world.starts(side, demand.start, demand.mbps)}
            assert {each.side for each in ends} == full or (not full and _is_for_want_of_ports(world))
            assert all(0 < each.missing <= demand.mbps for each in ends)
        case NoWay():
            assert not world.ways
        case NoDisjointPair(sites=sites, trunks=trunks):
            assert demand.protected
            assert world.ways
            assert not world.choices
            inside = frozenset.intersection(*(each.inside for each in world.ways))
            taken = frozenset.intersection(*(frozenset(each.trunks) for each in world.ways))
            assert inside >= set(sites)
            assert taken >= set(trunks)
            assert world.gone or (inside, taken) == (frozenset(sites), frozenset(trunks))
        case NoRoom(stretch=stretch, missing=int(missing)):
            rate = demand.mbps - missing
            assert world.fitting(demand.start, rate)
            assert not world.fitting(demand.start, rate + 1)
            assert not _widened(world, but=stretch).fitting(demand.start, rate + 1)
        case Design():
            pass
        case _:
            pytest.fail(f"a small network is {found}")


def _is_for_want_of_ports(world: World) -> bool:
    """It would fit if trunks had room and there were ports; trunks alone do not help."""
    anything = world.choices and not _widened(world, but=()).fitting(world.demand.start, world.demand.mbps)
    return bool(anything) and not world.fitting(world.demand.start, world.demand.mbps)


def _widened(world: World, but: tuple[str, ...]) -> World:
    others = {each.id: 100 for each in world.trunks if each.id not in but}
    return replace(world, limits={**world.limits, **others})


@given(worlds())
def test_it_fits_from_then_on_and_not_before(world: World) -> None:
    found, _ = world.decided()
    if isinstance(found, EndFull | NoRoom):
        demand = world.demand
        later = (at for at in range(demand.start, HORIZON + 1) if world.fitting(at, demand.mbps))
        assert found.fits == FitsFrom(at=next(later, None))


@given(worlds(), st.randoms(use_true_random=False))
def test_the_order_in_which_things_are_read_does_not_matter(world: World, chance: random.Random) -> None:
    def mixed(things: tuple[T, ...]) -> tuple[T, ...]:
        return tuple(chance.sample(things, len(things)))

    other = replace(
        world,
        sites=mixed(world.sites),
        elements=mixed(world.elements),
        trunks=mixed(world.trunks),
        ports={side: mixed(each) for side, each in world.ports.items()},
    )
    assert other.decided() == world.decided()


@given(worlds())
def test_nothing_is_asked_for_twice(world: World) -> None:
    _, asked = world.decided()
    assert len(asked) == len(set(asked))


def laid(*trunks: str, inside: tuple[str, ...] = (), mbps: int = 10, **demand: object) -> World:
    """A network by its trunks, such as "ab": from site-a to site-b; "a1-b" is from an element a1 of site-a."""
    ends = [tuple(each.split("-")) if "-" in each else tuple(each) for each in (*trunks, *inside)]
    elements = sorted({each for pair in ends for each in pair} | {"a", "z"})
    names = {"a": A, "z": Z}
    sites = {each: names.get(each[0], f"site-{each[0]}") for each in elements}
    free = {
        side: tuple(
            AccessPort(id=f"port-{each}", element=f"networkelement-{each}", speed=10, limit=mbps, is_taken=False)
            for each in elements
            if sites[each] == site
        )
        for side, site in ((Side.A, A), (Side.Z, Z))
    }
    things = [*(f"trunk-{''.join(pair)}{number}" for number, pair in enumerate(ends))]
    ports = [each.id for side in Side for each in free[side]]
    given = {"mbps": 1, "start": 0, "end": None, "protected": True, "weights": Weights(), **demand}
    return World(
        sites=tuple(Site(id=each, latitude=None, longitude=None) for each in sorted(set(sites.values()))),
        elements=tuple(Element(id=f"networkelement-{each}", site=site) for each, site in sites.items()),
        trunks=tuple(
            Trunk(id=id_, a=f"networkelement-{a}", z=f"networkelement-{z}")
            for id_, (a, z) in zip(things, ends, strict=True)
        ),
        ports=free,
        limits=dict.fromkeys([*things, *ports], mbps),
        bookings=dict.fromkeys([*things, *ports], ()),
        gone=frozenset(),
        demand=Demand(a=Access(site=A), z=Access(site=Z), **given),  # type: ignore[arg-type]  # of what a test says
    )


def test_a_pair_is_found_that_the_shortest_way_cuts_off() -> None:
    # a-b-c-z is the shortest; without b and c nothing is left. a-b-...-z and a-...-c-z are apart.
    found, _ = laid("ab", "bc", "cz", "bd", "de", "ez", "af", "fg", "gc").decided()
    assert isinstance(found, Design)
    assert found.protecting is not None
    assert found.working.sites == (A, "site-b", "site-d", "site-e", Z)
    assert found.protecting.sites == (A, "site-f", "site-g", "site-c", Z)
    assert found.cost == 8


def test_a_site_whose_inside_is_known_is_not_crossed_where_no_trunk_joins_its_elements() -> None:
    # The inside of site-b is known: b1 and b3 are joined, and b2 is joined to neither.
    crossed = laid("a-b1", "b2-z", inside=("b1-b3",), protected=False)
    assert crossed.decided()[0] == NoWay()
    joined, _ = laid("a-b1", "b3-z", inside=("b1-b3",), protected=False).decided()
    assert isinstance(joined, Design)
    assert joined.working.trunks == ("trunk-ab10", "trunk-b1b32", "trunk-b3z1")
    assert joined.working.sites == (A, "site-b", Z)


def test_a_pair_that_cannot_be_walked_is_not_taken() -> None:
    # As places, a-b-z and a-c-z are the cheapest; but b1 and b2 are joined by nothing but a longer way inside.
    inside = ("b1-b3", "b3-b4", "b4-b2")
    found, _ = laid("a-b1", "b2-z", "ac", "cz", "ad", "de", "ez", inside=inside).decided()
    assert isinstance(found, Design)
    assert found.protecting is not None
    assert (found.working.sites, found.protecting.sites) == ((A, "site-c", Z), (A, "site-d", "site-e", Z))
    assert found.is_least


def test_a_search_that_is_given_up_says_so() -> None:
    # As places, a-b-z is the shortest. Of those that can be walked a-c-d-z is, and the cheapest beside it is long; without it, two of 4 are apart.
    long = ("am", "mn", "no", "op", "pq", "qr", "rz")
    world = laid("a-b1", "b2-z", "ac", "cd", "dz", "ce", "ef", "fz", "ag", "gh", "hd", *long, inside=("b1-b3",))
    network = Network.of(world.sites, world.elements, world.trunks)
    ends = Ends(a=A, z=Z, starts=frozenset({A}), goals=frozenset({Z}))

    def found(left: int) -> str:
        budget = Budget(left=left)
        search = Search(network=network, prices=dict.fromkeys(network.ends, 1), closed=NOTHING, budget=budget)
        try:
            pair = two_ways(search, ends)
        except Spent:
            return "spent"
        return f"{pair.price} {pair.is_least}" if isinstance(pair, Found) else type(pair).__name__

    more_and_more = list(dict.fromkeys(found(left) for left in range(0, 10_000, 40)))
    assert more_and_more == ["spent", "GivenUp", "10 False", "8 False", "8 True"]


def test_ways_come_in_order_and_none_twice() -> None:
    world = laid("ab", "bz", "ac", "cz", "bc", "ab", "az")
    network = Network.of(world.sites, world.elements, world.trunks)
    search = Search(network=network, prices=dict.fromkeys(network.ends, 1), closed=NOTHING)
    found = list(in_order(search, A, Z))
    assert [each.price for each in found] == sorted(each.price for each in found)
    assert sorted(each.trunks for each in found) == sorted(each.trunks for each in world.ways)


def test_what_both_ways_must_share_is_named() -> None:
    found, _ = laid("ab", "ab", "bc", "cz", "dz", "cd").decided()
    assert found == NoDisjointPair(sites=("site-b", "site-c"), trunks=("trunk-bc2",))


def test_a_stretch_that_is_full_names_what_would_help_and_nothing_else() -> None:
    # b-x is as full, but leads nowhere.
    world = laid("ab", "bz", "bz", "bx", protected=False, mbps=10)
    taken = {each: (Booking(start=0, end=50, mbps=10),) for each in ("trunk-bz1", "trunk-bx3")}
    taken["trunk-bz2"] = (Booking(start=0, end=90, mbps=4),)
    full = replace(world, bookings={**world.bookings, **taken}, demand=replace(world.demand, mbps=8))
    assert full.decided()[0] == NoRoom(stretch=("trunk-bz1", "trunk-bz2"), missing=2, fits=FitsFrom(at=50))


def test_what_never_fits_has_no_time() -> None:
    world = laid("az", protected=False, mbps=10)
    too_much = replace(world, demand=replace(world.demand, mbps=10))
    held = {**too_much.bookings, "trunk-az0": (Booking(start=0, end=None, mbps=1),)}
    found, _ = replace(too_much, bookings=held).decided()
    assert found == NoRoom(stretch=("trunk-az0",), missing=1, fits=FitsFrom(at=None))


def test_a_search_for_a_time_ends_and_says_where() -> None:
    # One trunk has room in even hours, the other in odd ones, for years.
    world = laid("ab", "bz", protected=False, mbps=10, end=1)
    busy = {
        "trunk-ab0": tuple(Booking(start=at, end=at + 1, mbps=10) for at in range(0, 2_000, 2)),
        "trunk-bz1": tuple(Booking(start=at, end=at + 1, mbps=10) for at in range(1, 2_000, 2)),
    }
    found, _ = replace(world, bookings={**world.bookings, **busy}).decided()
    assert isinstance(found, NoRoom)
    assert found.fits.at is None
    assert found.fits.looked_until is not None
    assert 0 < found.fits.looked_until < 2_000


def test_an_end_without_a_port_of_the_speed_says_how_much_is_missing() -> None:
    world = laid("az", protected=False, mbps=10)
    held = {**world.bookings, "port-z": (Booking(start=0, end=70, mbps=7),)}
    wanted = replace(world.demand, mbps=5, a=Access(site=A, speed=1_000))
    found, _ = replace(world, bookings=held, demand=wanted).decided()
    assert isinstance(found, EndFull)
    assert [(each.side, each.ports, each.missing) for each in found.ends] == [(Side.A, 0, 5), (Side.Z, 1, 2)]
    assert found.fits == FitsFrom(at=None)
    one, _ = replace(world, bookings=held, demand=replace(wanted, a=Access(site=A))).decided()
    assert isinstance(one, EndFull)
    assert one.fits == FitsFrom(at=70)


def test_the_slowest_port_that_is_fast_enough_is_taken() -> None:
    world = laid("az", protected=False, mbps=1_000)
    speeds = {"port-1": 1, "port-2": 100, "port-3": 10, "port-4": 10}
    ports = tuple(
        AccessPort(id=each, element="networkelement-a", speed=speed, limit=1_000, is_taken=each == "port-3")
        for each, speed in speeds.items()
    )
    things = {**world.limits, **dict.fromkeys(speeds, 1_000)}
    bookings = {**world.bookings, **dict.fromkeys(speeds, ())}
    found, _ = replace(
        world,
        ports={**world.ports, Side.A: ports},
        limits=things,
        bookings=bookings,
        demand=replace(world.demand, mbps=10),
    ).decided()
    assert isinstance(found, Design)
    assert found.a == "port-4"


def test_a_longer_way_is_taken_where_the_shorter_one_is_busier() -> None:
    world = laid("az", "ab", "bz", protected=False, mbps=100, weights=Weights(hop=10, percent=1))
    busy = {**world.bookings, "trunk-az0": (Booking(start=0, end=None, mbps=80),)}
    found, _ = replace(world, bookings=busy).decided()
    assert isinstance(found, Design)
    assert found.working.sites == (A, "site-b", Z)
    assert (found.working.cost.hops, found.working.cost.percent, found.cost) == (2, 2, 22)


def test_distance_counts_in_kilometres() -> None:
    berlin, munich, hamburg = (52.52, 13.405), (48.137, 11.575), (53.551, 9.994)
    sites = [
        Site(id=name, latitude=place[0], longitude=place[1])
        for name, place in (("site-b", berlin), ("site-m", munich), ("site-h", hamburg))
    ]
    elements = [Element(id=f"networkelement-{each.id}", site=each.id) for each in sites]
    ends = (("b", "m"), ("b", "h"))
    trunks = [Trunk(id=f"trunk-{a}{z}", a=f"networkelement-site-{a}", z=f"networkelement-site-{z}") for a, z in ends]
    assert dict(Network.of(sites, elements, trunks).km) == {"trunk-bm": 505, "trunk-bh": 256}


def test_a_site_that_is_not_there_is_named() -> None:
    world = laid("az", protected=False)
    found, asked = replace(world, demand=replace(world.demand, z=Access(site="site-nowhere"))).decided()
    assert found == UnknownSite(sides=(Side.Z,))
    assert asked == []


@pytest.mark.parametrize(
    ("given", "error"),
    [
        pytest.param({"mbps": 0}, BrokenDemand, id="no rate"),
        pytest.param({"z": Access(site=A)}, BrokenDemand, id="one site"),
        pytest.param({"end": 0}, NotAnInterval, id="no time"),
    ],
)
def test_a_demand_that_cannot_be_meant_is_refused(given: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error):
        replace(laid("az").demand, **given)  # type: ignore[arg-type]  # of what a case says


@pytest.mark.parametrize("given", [{"hop": 0}, {"km": -1}, {"percent": -1}])
def test_weights_that_make_nothing_dear_are_refused(given: dict[str, int]) -> None:
    with pytest.raises(BrokenDemand):
        Weights(**given)


def test_only_what_may_be_on_the_best_way_is_asked_for() -> None:
    far = [f"{chr(ord('f') + number)}{chr(ord('g') + number)}" for number in range(12)]
    _, asked = laid("ab", "bz", *far, protected=False).decided()
    assert sorted(asked) == ["port-a", "port-z", "trunk-ab0", "trunk-bz1"]


MEETING = ("f", "g", "h", "i", "j", "k")


def _meeting_again(a: str, z: str) -> list[str]:
    """Seven times the way divides and meets again, so that 128 ways share what they meet at."""
    return [
        trunk
        for at, (here, there) in enumerate(pairwise((a, *MEETING, z)))
        for by in ("qrstuvw"[at], "QRSTUVW"[at])
        for trunk in (f"{here}-{by}", f"{by}-{there}")
    ]


def test_a_search_that_finds_no_pair_within_its_budget_is_undecided() -> None:
    world = laid("a-b1", "b2-z", *_meeting_again("a", "z"), inside=("b1-b3",))  # the inside of site-b leads nowhere
    assert world.decided(Budget(left=50_000))[0] == Undecided()
    certain, _ = world.decided(Budget(left=5_000_000))
    assert isinstance(certain, NoDisjointPair)
    assert certain.sites == tuple(f"site-{each}" for each in MEETING)


def _doubled(rows: int) -> World:
    """A grid of sites, each with two elements that a trunk joins: trunks along rows join first elements, those along columns second ones."""
    places = list(product(range(rows), repeat=2))
    names = {place: chr(0x100 + number) for number, place in enumerate(places)} | {
        places[0]: "a",
        places[-1]: "z",
    }
    around = [
        f"{names[row, column]}{kind}-{names[there]}{kind}"
        for row, column in places
        for there, kind in (((row, column + 1), 1), ((row + 1, column), 2))
        if there in names
    ]
    return laid(*around, inside=tuple(f"{each}1-{each}2" for each in names.values()))


@pytest.mark.parametrize("weights", [Weights(), Weights(hop=10, percent=1)], ids=["hops", "busy"])
@pytest.mark.parametrize("protected", [True, False])
def test_sites_with_two_elements_are_decided_within_the_budget(weights: Weights, *, protected: bool) -> None:
    world, budget = _doubled(20), Budget(left=200_000)
    found, _ = replace(world, demand=replace(world.demand, weights=weights, protected=protected)).decided(budget)
    assert isinstance(found, Design)
    assert (found.working.sites[0], found.working.sites[-1]) == (A, Z)
    assert budget.left > -2_000


def test_whoever_stops_a_decision_ends_it() -> None:
    budget = Budget()
    budget.stop()
    assert laid("az", protected=False).decided(budget)[0] == Undecided()


def test_what_is_known_is_said_though_the_search_for_a_time_is_given_up() -> None:
    world = laid("ab", "bz", protected=False, mbps=10, end=1)
    busy = {
        f"trunk-{each}": tuple(Booking(start=at, end=at + 1, mbps=10) for at in range(first, 60, 2))
        for first, each in enumerate(("ab0", "bz1"))
    }
    full = replace(world, bookings={**world.bookings, **busy})
    found, _ = full.decided(Budget(left=2_100))  # for reading the ports and the trunks, and some looks
    assert isinstance(found, NoRoom)
    assert found.missing == 1
    assert found.fits.at is None
    assert found.fits.looked_until is not None


def test_a_stretch_is_full_whether_or_not_a_pair_would_be_found_with_room() -> None:
    # Without a-p there is certainly no pair. With it there is one over y, but that is dear, and the cheapest as places cannot be walked.
    weights = Weights(hop=1, percent=10)
    world = laid("a-p", "p-y", "y-z", "p-b1", "b2-z", *_meeting_again("a", "z"), inside=("b1-b3",), weights=weights)
    held = {
        "trunk-ap0": (Booking(start=0, end=None, mbps=10),),
        "trunk-py1": (Booking(start=0, end=None, mbps=9),),
    }
    found, _ = replace(world, bookings={**world.bookings, **held}).decided(Budget(left=4_000))
    assert found == NoRoom(stretch=("trunk-ap0",), missing=None, fits=FitsFrom(at=None))


def test_a_site_stays_known_inside_where_a_trunk_of_it_is_out_of_service() -> None:
    world = laid("a-b1", "b2-z", inside=("b1-b2",), protected=False)
    assert isinstance(world.decided()[0], Design)
    inside = replace(world.trunks[-1], in_service=False)
    assert replace(world, trunks=(*world.trunks[:-1], inside)).decided()[0] == NoWay()
    out = tuple(replace(each, in_service=each.id != "networkelement-b2") for each in world.elements)
    assert replace(world, elements=out).decided()[0] == NoWay()


def test_a_free_port_at_an_element_that_leads_nowhere_is_no_port() -> None:
    world = laid("a1-z", inside=("a2-a3",), protected=False, mbps=10)
    held = {"port-a1": (Booking(start=0, end=60, mbps=9),)}
    full = replace(world, bookings={**world.bookings, **held}, demand=replace(world.demand, mbps=3))
    found, _ = full.decided()
    assert isinstance(found, EndFull)
    assert [(each.side, each.missing) for each in found.ends] == [(Side.A, 2)]
    assert found.fits == FitsFrom(at=60)


def test_for_a_lower_rate_other_ports_are_chosen() -> None:
    world = laid("a1-z", "a2-z", inside=("a3-a4",), protected=False, mbps=10_000)
    ports = tuple(
        AccessPort(id=f"port-{each}", element=f"networkelement-{each}", speed=limit, limit=limit, is_taken=False)
        for each, limit in (("a1", 10_000), ("a2", 1_000))
    )
    held = {
        "trunk-a1z0": (Booking(start=0, end=None, mbps=9_900),),
        "port-a2": (Booking(start=0, end=None, mbps=100),),
    }
    found, _ = replace(
        world,
        ports={**world.ports, Side.A: ports},
        limits={**world.limits, "port-a2": 1_000},
        bookings={**world.bookings, **held},
        demand=replace(world.demand, mbps=2_000),
    ).decided()
    assert found == NoRoom(stretch=("trunk-a1z0",), missing=1_100, fits=FitsFrom(at=None))


def test_every_port_is_tried_though_the_first_has_more_ways_than_can_be_looked_at() -> None:
    # As places, a-n-z is the shortest, and cannot be walked. From a1 128 ways share what they meet at; from a2 two are apart, and long.
    apart = ["a2-l", "l-z1", *(f"{a}-{z}" for a, z in pairwise(("a2", *"ABCDEFGHIJ", "z1")))]
    world = laid(*_meeting_again("a1", "z1"), *apart, "a3-n", "n-z2", inside=("a4-a5", "z1-z3"))
    found, _ = world.decided(Budget(left=100_000))
    assert isinstance(found, Design)
    assert found.a == "port-a2"


def test_ports_that_are_too_slow_are_not_read() -> None:
    world = laid("az", protected=False, mbps=100)
    slow = tuple(
        AccessPort(id=f"port-{each:05}", element="networkelement-a", speed=10, limit=20, is_taken=False)
        for each in range(3_000)
    )
    things = [each.id for each in slow]
    wide = replace(
        world,
        ports={**world.ports, Side.A: (*slow, *world.ports[Side.A])},
        limits={**world.limits, **dict.fromkeys(things, 20)},
        bookings={**world.bookings, **dict.fromkeys(things, ())},
        demand=replace(world.demand, mbps=50),
    )
    found, asked = wide.decided()
    assert isinstance(found, Design)
    assert asked == ["port-a", "port-z", "trunk-az0"]
