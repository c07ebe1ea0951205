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
from graph.routing.ways import Prices, Search, hops_to

T = TypeVar("T")
Asking: TypeAlias = Generator[frozenset[str], Mapping[str, Limit], T]
"""Yields ids, is sent the limits of those that are there, and returns an answer."""
Chosen: TypeAlias = Mapping[Side, Mapping[str, str]]
"""By side and junction: the port that would be taken there."""

_PORTS_AT_ONCE: Final = 20
_BESIDE: Final = 8
"""trunks that are read together with one that they are beside: the next best way often takes them."""
_AHEAD: Final = 8
"""steps that are looked ahead, where it matters how busy trunks are."""
_USUAL_PERCENT: Final = 50


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
    ahead: Mapping[str, int]
    """by site: what it costs at least from there to end Z."""

    @staticmethod
    def of(demand: Demand, network: Network, ports: AccessPorts) -> Case:
        """Begin with nothing read."""
        room = Room(demand=demand)
        free = {side: candidates(demand, side, network, ports) for side in Side}
        prices = {trunk: room.price(trunk, km) for trunk, km in network.km.items()}
        hops = (
            hops_to(network.links_from, demand.z.site) if demand.protected else {}
        )  # only pairs are looked for with it
        return Case(
            demand=demand,
            network=network,
            ports=ports,
            free=free,
            room=room,
            prices=prices,
            ahead={site: demand.weights.hop * each for site, each in hops.items()},
        )

    def search(self, closed: frozenset[str], prices: Prices | None = None) -> Search:
        """Look over the network with some trunks closed, by what is known of prices, or by others."""
        prices = self.prices if prices is None else prices
        return Search(network=self.network, prices=prices, closed=closed, ahead=self.ahead)

    def ends(self, chosen: Chosen) -> Ends:
        """Give where ways begin and end with these ports."""
        a, z = self.demand.a.site, self.demand.z.site
        return Ends(a=a, z=z, starts=frozenset(chosen[Side.A]), goals=frozenset(chosen[Side.Z]))

    def find(self, closed: frozenset[str], chosen: Chosen, prices: Prices | None = None) -> Found | Blocked | GivenUp:
        """Find the best ways by what is known of prices, or by others."""
        search, ends = self.search(closed, prices), self.ends(chosen)
        return two_ways(search, ends) if self.demand.protected else one_way(search, ends)

    def busy(self) -> int:
        """Give what trunks that are known cost for being busy, on average."""
        known = [self.room.percent(each) for each in self.room.known if each in self.network.ends]
        return self.demand.weights.percent * (sum(known) // len(known) if known else _USUAL_PERCENT)

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
        closed = case.closed(start, mbps)
        found = case.find(closed, chosen)
        if not isinstance(found, Found) or not case.room.unread(found.trunks):
            return found
        yield from read(case, _wanted(case, chosen, closed, found))


def _wanted(case: Case, chosen: Chosen, closed: frozenset[str], found: Found | Blocked | GivenUp) -> set[str]:
    """Give what is worth reading together: what is unread of the ways that were found, what is beside it, and so of the ways that would come next.

    Next come those that are best if what is read now is about as busy as what is known. Where that costs nothing, there are none.
    """
    wanted, prices, busy = set[str](), dict(case.prices), case.busy()
    for _ in range(_AHEAD):
        unread = case.room.unread(found.trunks) - wanted if isinstance(found, Found) else frozenset()
        some = {each for trunk in unread for each in (trunk, *case.network.beside[trunk][:_BESIDE])} - wanted
        wanted |= some
        if not busy or not some:
            break
        prices.update((each, case.prices[each] + busy) for each in case.room.unread(some))
        found = case.find(closed, chosen, prices)
    return wanted
