"""Why a service cannot be built, how much is missing, and from when it could be.

A *barrier* is a set of full trunks of which one at least must have more room before there is a way. So the highest rate that fits is
no more than the most that one of a barrier has left, and the earliest time no sooner than the first at which one of a barrier has room. It
is looked again at that rate, or from that time on, until nothing is in the way.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, assert_never

from graph.routing.answers import EndFull, FitsFrom, FullEnd, Infeasible, NoDisjointPair, NoRoom, NoWay, Undecided
from graph.routing.apart import Blocked
from graph.routing.case import Asking, Case, Chosen, open_ports, read, settled
from graph.routing.demand import Side
from graph.routing.pairs import Found, GivenUp
from graph.routing.ports import of_speed
from graph.routing.ways import cheapest

MOST_LOOKS: Final = 100
"""at later times."""


def end_full(case: Case, chosen: Chosen) -> Asking[Infeasible]:
    """Say at which end no port is free."""
    ends = tuple(_full_end(case, side) for side in Side if not chosen[side])
    return EndFull(ends=ends, fits=(yield from _earliest(case)))


def why_not(case: Case, chosen: Chosen, blocked: Blocked) -> Asking[Infeasible]:
    """Say why there is no way, or no pair of ways, although both ends have ports."""
    ever = case.find(frozenset(case.room.gone), chosen)
    match ever:
        case Found():
            return (yield from _no_room(case, chosen, blocked))
        case Blocked():
            return (yield from _no_ways(case, chosen))
        case GivenUp(tried=tried):
            return Undecided(ways=tried)
        case never:
            assert_never(never)


def _full_end(case: Case, side: Side) -> FullEnd:
    room, demand = case.room, case.demand
    most = max((room.left(each.id, demand.start) for each in case.free[side] if each.id in room.known), default=0)
    return FullEnd(side=side, ports=len(of_speed(demand, side, case.ports)), missing=demand.mbps - most)


def _no_ways(case: Case, chosen: Chosen) -> Asking[NoWay | NoDisjointPair]:
    """Name what every way takes, whatever room there is; of a pair one would have to do without."""
    network, ends = case.network, case.ends(chosen)
    while True:
        search = case.search(frozenset(case.room.gone))
        way = cheapest(search, ends.starts, ends.goals)
        if way is None:
            return NoWay()
        if not case.room.unread(way.trunks):
            break
        yield from read(case, way.trunks)  # it may be gone since the snapshot
    sites = dict.fromkeys(
        network.site_of[each] for each in way.junctions if network.site_of[each] not in (ends.a, ends.z)
    )

    def is_on_all(trunk: str = "", site: str = "") -> bool:
        closed, avoided = search.without([trunk]), network.junctions([site])
        return cheapest(closed, ends.starts, ends.goals, avoided) is None

    return NoDisjointPair(
        sites=tuple(each for each in sites if is_on_all(site=each)),
        trunks=tuple(each for each in way.trunks if is_on_all(trunk=each)),
    )


def _no_room(case: Case, chosen: Chosen, blocked: Blocked) -> Asking[Infeasible]:
    """Find the highest rate for which there is room, and what keeps it from being higher."""
    demand = case.demand
    stretch = blocked.by - case.room.gone
    while stretch:
        rate = max(case.room.left(each, demand.start) for each in stretch)
        found = yield from settled(case, chosen, demand.start, rate)
        match found:
            case Found():
                fits = yield from _earliest(case)
                return NoRoom(stretch=tuple(sorted(stretch)), missing=demand.mbps - rate, fits=fits)
            case GivenUp(tried=tried):
                return Undecided(ways=tried)
            case Blocked(by=by):
                stretch = by - case.room.gone
    return (yield from _no_ways(case, chosen))  # what was there in the snapshot is gone


def _earliest(case: Case) -> Asking[FitsFrom]:
    """Find the first instant from which both ends and the ways between them have room."""
    at = case.demand.start
    for _ in range(MOST_LOOKS):
        chosen = yield from open_ports(case, at)
        waiting = {*_shut_ports(case, at)}
        if all(chosen.values()):
            found = yield from settled(case, chosen, at, case.demand.mbps)
            match found:
                case Found():
                    return FitsFrom(at=at)
                case GivenUp():
                    return FitsFrom(at=None, looked_until=at)
                case Blocked(by=by):
                    waiting |= by
        later = [each for thing in waiting if (each := case.room.opens(thing, at)) is not None]
        if not later:
            return FitsFrom(at=None)
        at = min(later)
    return FitsFrom(at=None, looked_until=at)


def _shut_ports(case: Case, at: int) -> Iterator[str]:
    """Give the ports that nobody has, and that have no room if the service began then."""
    room = case.room
    for side in Side:
        yield from (each.id for each in case.free[side] if each.id in room.known and not room.fits(each.id, at))
