"""Why a service cannot be built, how much is missing, and from when it could be.

A *barrier* is a set of full trunks of which one at least must have more room before there is a way between the ports that are free. So the
highest rate that fits is no more than the most that one of a barrier has left, or one of the ports that have too little; and the
earliest time no sooner than the first at which one of these has room. It is looked again at that rate, or from that time on, with the
ports that are free then, until nothing is in the way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from graph.routing.answers import EndFull, FitsFrom, FullEnd, Infeasible, NoDisjointPair, NoRoom, NoWay
from graph.routing.apart import Blocked
from graph.routing.budget import Spent
from graph.routing.case import Asking, Case, Chosen, open_ports, read, settled, shut_ports
from graph.routing.demand import Side
from graph.routing.network import Network
from graph.routing.pairs import Ends, Found, GivenUp
from graph.routing.ports import of_speed
from graph.routing.ways import Way, cheapest

MOST_LOOKS: Final = 100
"""at later times."""
_PORTS_AT_ONCE: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _InTheWay:
    """At some rate: the ports that are free, and the barrier between them."""

    chosen: Chosen
    barrier: frozenset[str]


def end_full(case: Case, chosen: Chosen) -> Asking[Infeasible]:
    """Say at which end no port is free."""
    return (yield from _full(case, chosen, tuple(side for side in Side if not chosen[side])))


def why_not(case: Case, chosen: Chosen, blocked: Blocked) -> Asking[Infeasible]:
    """Say why there is no way, or no pair of ways, although both ends have ports."""
    ever = yield from settled(case, case.everywhere(), case.demand.start, 0)
    if isinstance(ever, Blocked):
        return (yield from _no_ways(case))
    first = _InTheWay(chosen=chosen, barrier=blocked.by)
    last, rate = yield from _highest(case, first)
    stretch = tuple(sorted(last.barrier - case.room.gone))
    if not stretch:
        sides = _at_fault(case, last.chosen)
        return (yield from _full(case, last.chosen, sides)) if sides else (yield from _no_ways(case))
    missing = None if rate is None else case.demand.mbps - rate
    return NoRoom(stretch=stretch, missing=missing, fits=(yield from _earliest(case)))


def _highest(case: Case, last: _InTheWay) -> Asking[tuple[_InTheWay, int | None]]:
    """Find the highest rate for which there is room, and what is in the way of any higher; None: there is none, or the search was given up."""
    start = case.demand.start
    try:
        while (rate := _next_rate(case, last)) is not None:
            chosen = yield from open_ports(case, start, rate)
            found = yield from settled(case, case.ends(chosen), start, rate)
            if not isinstance(found, Blocked):
                return last, rate if isinstance(found, Found) else None
            last = _InTheWay(chosen=chosen, barrier=found.by)
    except Spent:
        pass
    return last, None


def _next_rate(case: Case, last: _InTheWay) -> int | None:
    """Give the most that one of what is in the way has left; of a port that is unread, its limit. None: nothing helps."""
    start, room = case.demand.start, case.room
    trunks = (room.left(each, start) for each in last.barrier if each in room.known)
    ports = (
        room.left(each.id, start) if each.id in room.known else each.limit
        for side in Side
        for each in shut_ports(case, side, last.chosen)
        if each.id not in room.gone
    )
    return max((*trunks, *ports), default=None)


def _full(case: Case, chosen: Chosen, sides: tuple[Side, ...]) -> Asking[EndFull]:
    ends = list[FullEnd]()
    for side in sides:
        ends.append((yield from _full_end(case, side, chosen)))
    return EndFull(ends=tuple(ends), fits=(yield from _earliest(case)))


def _full_end(case: Case, side: Side, chosen: Chosen) -> Asking[FullEnd]:
    room, demand, most = case.room, case.demand, 0
    shut = shut_ports(case, side, chosen)
    for at in range(0, len(shut), _PORTS_AT_ONCE):
        some = [each.id for each in shut[at : at + _PORTS_AT_ONCE] if each.limit > most]
        yield from read(case, some)
        most = max((most, *(room.left(each, demand.start) for each in some if each in room.known)))
    return FullEnd(side=side, ports=len(of_speed(demand, side, case.ports)), missing=demand.mbps - most)


def _at_fault(case: Case, chosen: Chosen) -> tuple[Side, ...]:
    """Give the ends whose free ports are at elements from which no way leads, whatever trunks carry: one where that tells, or those that may be."""
    here, anywhere, gone = case.ends(chosen), case.everywhere(), frozenset(case.room.gone)
    tried = {
        Side.A: Ends(a=here.a, z=here.z, starts=anywhere.starts, goals=here.goals),
        Side.Z: Ends(a=here.a, z=here.z, starts=here.starts, goals=anywhere.goals),
    }
    try:
        for side, ends in tried.items():
            if isinstance(case.find(gone, ends), Found):
                return (side,)
    except Spent:
        pass
    return tuple(side for side, ends in tried.items() if ends != here)


def _no_ways(case: Case) -> Asking[NoWay | NoDisjointPair]:
    """Name what every way takes, whatever room there is; of a pair one would have to do without."""
    ends = case.everywhere()
    while (way := cheapest(case.search(frozenset(case.room.gone)), ends.starts, ends.goals)) is not None:
        if not case.room.unread(way.trunks):
            return _shared(case, ends, way)
        yield from read(case, way.trunks)  # it may be gone since the snapshot
    return NoWay()


def _shared(case: Case, ends: Ends, way: Way) -> NoDisjointPair:
    network, search = case.network, case.search(frozenset(case.room.gone))

    def is_on_all(trunk: str = "", site: str = "") -> bool:
        closed, avoided = search.without([trunk]), network.junctions([site])
        return cheapest(closed, ends.starts, ends.goals, avoided) is None

    return NoDisjointPair(
        sites=tuple(each for each in _between(network, way) if is_on_all(site=each)),
        trunks=tuple(each for each in way.trunks if is_on_all(trunk=each)),
    )


def _between(network: Network, way: Way) -> Iterator[str]:
    """Give the sites that a way leads through, in order."""
    passed = way.passes(network)
    return (each for each in dict.fromkeys(network.site_of[junction] for junction in way.junctions) if each in passed)


def _earliest(case: Case) -> Asking[FitsFrom]:
    """Find the first instant from which both ends and the ways between them have room."""
    at = case.demand.start
    try:
        for _ in range(MOST_LOOKS):
            later = yield from _later(case, at)
            if later is None or later == at:
                return FitsFrom(at=later)
            at = later
    except Spent:
        pass
    return FitsFrom(at=None, looked_until=at)


def _later(case: Case, at: int) -> Asking[int | None]:
    """Give this instant if it fits from then on, or the first at which something opens that is in the way; None: never. Raises Spent."""
    chosen = yield from open_ports(case, at, case.demand.mbps)
    waiting = [each.id for side in Side for each in shut_ports(case, side, chosen)]
    if all(chosen.values()):
        found = yield from settled(case, case.ends(chosen), at, case.demand.mbps)
        if isinstance(found, Found):
            return at
        if isinstance(found, GivenUp):
            raise Spent
        waiting += found.by
    case.budget.spend(len(waiting))
    later = (each for thing in waiting if (each := case.room.opens(thing, at)) is not None)
    return min(later, default=None)
