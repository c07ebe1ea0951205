"""One demand while it is decided: what is known of it, and a search that asks for the loads it needs, and reads nothing itself.

Trunks that are unread are taken as empty, so that no way is said to cost more than it does. The best ways are looked for by that; the loads
on them are asked for, and it is looked again, until all on the best ways is known. What is found then is the best of all: every other
way costs at least what it is said to.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias, TypeVar

from graph.capacity.limits import Limit
from graph.routing.apart import Blocked
from graph.routing.demand import Demand, Side
from graph.routing.network import Network
from graph.routing.pairs import Ends, Found, GivenUp, one_way, two_ways
from graph.routing.ports import AccessPort, AccessPorts, candidates
from graph.routing.room import Room
from graph.routing.ways import Search

T = TypeVar("T")
Asking: TypeAlias = Generator[frozenset[str], Mapping[str, Limit], T]
"""Yields ids, is sent the limits of those that are there, and returns an answer."""
Chosen: TypeAlias = Mapping[Side, Mapping[str, str]]
"""By side and junction: the port that would be taken there."""

_PORTS_AT_ONCE: Final = 20
_BESIDE: Final = 8
"""trunks that are read together with one that they are beside: the next best way often takes them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A demand, and all that is known for deciding it; `of` makes it."""

    demand: Demand
    network: Network
    ports: AccessPorts
    free: Mapping[Side, Sequence[AccessPort]]
    """those that could be taken, in the order in which they are."""
    room: Room
    prices: dict[str, int]
    """of every trunk what it costs, or what it costs at least."""

    @staticmethod
    def of(demand: Demand, network: Network, ports: AccessPorts) -> Case:
        """Begin with nothing read."""
        room = Room(demand=demand)
        free = {side: candidates(demand, side, network, ports) for side in Side}
        prices = {trunk: room.price(trunk, km) for trunk, km in network.km.items()}
        return Case(demand=demand, network=network, ports=ports, free=free, room=room, prices=prices)

    def search(self, closed: frozenset[str]) -> Search:
        """Look over the network with some trunks closed, by what is known of prices."""
        return Search(network=self.network, prices=self.prices, closed=closed)

    def ends(self, chosen: Chosen) -> Ends:
        """Give where ways begin and end with these ports."""
        a, z = self.demand.a.site, self.demand.z.site
        return Ends(a=a, z=z, starts=frozenset(chosen[Side.A]), goals=frozenset(chosen[Side.Z]))

    def find(self, closed: frozenset[str], chosen: Chosen) -> Found | Blocked | GivenUp:
        """Find the best ways by what is known."""
        search, ends = self.search(closed), self.ends(chosen)
        return two_ways(search, ends) if self.demand.protected else one_way(search, ends)

    def closed(self, start: int, mbps: int) -> frozenset[str]:
        """Give the trunks that are known not to have so much left, if the service began then; and those that are gone."""
        trunks = (each for each in self.room.known if each in self.network.ends)
        return self.room.closed(trunks, start, mbps)


def read(case: Case, things: Iterable[str]) -> Asking[None]:
    """Ask for what is unread of these."""
    asked = case.room.unread(things)
    if asked:
        case.room.take(asked, (yield asked))
        km = case.network.km
        case.prices.update((each, case.room.price(each, km[each])) for each in asked if each in km)


def open_ports(case: Case, start: int) -> Asking[Chosen]:
    """Give at each junction of both sites the first port that has room, if the service began then."""
    yield from read(case, (each.id for side in Side for each in case.free[side][:_PORTS_AT_ONCE]))
    found: dict[Side, Mapping[str, str]] = {}
    for side in Side:
        found[side] = yield from _open_at(case, case.free[side], start)
    return found


def _open_at(case: Case, ports: Sequence[AccessPort], start: int) -> Asking[Mapping[str, str]]:
    junction_of = case.network.junction_of
    wanted, found = {junction_of[each.element] for each in ports}, dict[str, str]()
    for at in range(0, len(ports), _PORTS_AT_ONCE):
        if found.keys() == wanted:
            break
        some = ports[at : at + _PORTS_AT_ONCE]
        yield from read(case, (each.id for each in some))
        for each in some:
            if case.room.fits(each.id, start):
                found.setdefault(junction_of[each.element], each.id)
    return found


def settled(case: Case, chosen: Chosen, start: int, mbps: int) -> Asking[Found | Blocked | GivenUp]:
    """Find the best ways with so much room, if the service began then, of which all is known; or what is in the way."""
    while True:
        found = case.find(case.closed(start, mbps), chosen)
        if not isinstance(found, Found) or not case.room.unread(found.trunks):
            return found
        beside = (other for each in sorted(found.trunks) for other in case.network.beside[each][:_BESIDE])
        yield from read(case, {*found.trunks, *beside})
