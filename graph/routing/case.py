"""One demand while it is decided: what is known of it, and a search that asks for the loads it needs, and reads nothing itself.

Trunks that are unread are taken as empty, so that no way is said to cost more than it does. The best ways are looked for by that; the loads
on them are asked for, and it is looked again, until all on the best ways is known. What is found then is the best of all: every other
way costs at least what it is said to.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias, TypeVar

from graph.capacity.limits import Limit
from graph.routing.apart import Blocked
from graph.routing.budget import READ, Budget, Spent
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

_FIRST_PORTS: Final = 20
"""that are read at both ends together: nearly always one of them has room;"""
_PORTS_AT_ONCE: Final = 1_000
"""after that."""
_BESIDE: Final = 8
"""trunks that are read together with one that they are beside: the next best way often takes them."""
_AHEAD: Final = 8
"""steps that are looked ahead, where it matters how busy trunks are,"""
_AHEAD_SHARE: Final = 16
"""and for no more than one of so many shares of what is left of the budget."""
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
    budget: Budget = field(default_factory=Budget)

    @staticmethod
    def of(demand: Demand, network: Network, ports: AccessPorts, budget: Budget) -> Case:
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
            budget=budget,
        )

    def search(self, closed: frozenset[str], prices: Prices | None = None) -> Search:
        """Look over the network with some trunks closed, by what is known of prices, or by others."""
        prices = self.prices if prices is None else prices
        return Search(network=self.network, prices=prices, closed=closed, ahead=self.ahead, budget=self.budget)

    def ends(self, chosen: Chosen) -> Ends:
        """Give where ways begin and end with these ports."""
        a, z = self.demand.a.site, self.demand.z.site
        return Ends(a=a, z=z, starts=frozenset(chosen[Side.A]), goals=frozenset(chosen[Side.Z]))

    def everywhere(self) -> Ends:
        """Give where ways begin and end with any ports at both sites."""
        a, z = self.demand.a.site, self.demand.z.site
        return Ends(a=a, z=z, starts=self.network.junctions([a]), goals=self.network.junctions([z]))

    def find(
        self, closed: frozenset[str], ends: Ends, prices: Prices | None = None, *, is_quick: bool = False
    ) -> Found | Blocked | GivenUp:
        """Find the best ways by what is known of prices, or by others; who is quick goes without what takes long. Raises Spent."""
        search = self.search(closed, prices)
        return two_ways(search, ends, is_quick=is_quick) if self.demand.protected else one_way(search, ends)

    def busy(self) -> int:
        """Give what trunks that are known cost for being busy, on average."""
        known = [self.room.percent(each) for each in self.room.known if each in self.network.ends]
        return self.demand.weights.percent * (sum(known) // len(known) if known else _USUAL_PERCENT)

    def closed(self, start: int, mbps: int) -> frozenset[str]:
        """Give the trunks that are known not to have so much left, if the service began then; and those that are gone."""
        trunks = (each for each in self.room.known if each in self.network.ends)
        return self.room.closed(trunks, start, mbps)


def read(case: Case, things: Iterable[str]) -> Asking[None]:
    """Ask for what is unread of these; raises Spent."""
    asked = case.room.unread(things)
    if asked:
        case.budget.spend(READ)
        case.room.take(asked, (yield asked))
        km = case.network.km
        case.prices.update((each, case.room.price(each, km[each])) for each in asked if each in km)


def open_ports(case: Case, start: int, mbps: int) -> Asking[Chosen]:
    """Give at each junction of both sites the first port that has so much room, if the service began then."""
    wide = {side: [each for each in case.free[side] if each.limit >= mbps] for side in Side}
    yield from read(case, (each.id for side in Side for each in wide[side][:_FIRST_PORTS]))
    found: dict[Side, Mapping[str, str]] = {}
    for side in Side:
        found[side] = yield from _open_at(case, wide[side], start, mbps)
    return found


def shut_ports(case: Case, side: Side, chosen: Chosen) -> Sequence[AccessPort]:
    """Give the ports that nobody has, at the junctions where none was chosen; that of the highest limit first."""
    junction_of = case.network.junction_of
    shut = (each for each in case.free[side] if junction_of[each.element] not in chosen[side])
    return sorted(shut, key=lambda each: -each.limit)


def _open_at(case: Case, ports: Sequence[AccessPort], start: int, mbps: int) -> Asking[Mapping[str, str]]:
    junction_of = case.network.junction_of
    wanted, found = {junction_of[each.element] for each in ports}, dict[str, str]()
    for some in _chunks(ports):
        if found.keys() == wanted:
            break
        yield from read(case, (each.id for each in some))
        case.budget.spend(len(some))
        for each in some:
            if case.room.fits(each.id, start, mbps):
                found.setdefault(junction_of[each.element], each.id)
    return found


def _chunks(ports: Sequence[AccessPort]) -> Iterator[Sequence[AccessPort]]:
    yield ports[:_FIRST_PORTS]
    for at in range(_FIRST_PORTS, len(ports), _PORTS_AT_ONCE):
        yield ports[at : at + _PORTS_AT_ONCE]


def settled(case: Case, ends: Ends, start: int, mbps: int) -> Asking[Found | Blocked | GivenUp]:
    """Find the best ways with so much room, if the service began then, of which all is known; or what is in the way."""
    known: Found | None = None
    try:
        while True:
            closed = case.closed(start, mbps)
            found = case.find(closed, ends, is_quick=True)
            if _is_known(case, found):
                known = found if isinstance(found, Found) else known
                found = found if _is_certain(found) else case.find(closed, ends)
            if _is_known(case, found):
                return found
            yield from read(case, _wanted(case, ends, closed, found))
    except Spent:
        return replace(known, is_least=False) if known else GivenUp()


def _is_known(case: Case, found: Found | Blocked | GivenUp) -> bool:
    return not isinstance(found, Found) or not case.room.unread(found.trunks)


def _is_certain(found: Found | Blocked | GivenUp) -> bool:
    return found.is_least if isinstance(found, Found) else isinstance(found, Blocked)


def _wanted(case: Case, ends: Ends, closed: frozenset[str], found: Found | Blocked | GivenUp) -> set[str]:
    """Give what is worth reading together: what is unread of the ways that were found, what is beside it, and so of the ways that would come next.

    Next come those that are best if what is read now is about as busy as what is known. Where that costs nothing, there are none; and
    where looking for them takes long, fewer.
    """
    wanted, prices, busy, until = set[str](), dict(case.prices), case.busy(), case.budget.after(_AHEAD_SHARE)
    for _ in range(_AHEAD):
        unread = case.room.unread(found.trunks) - wanted if isinstance(found, Found) else frozenset()
        some = {each for trunk in unread for each in (trunk, *case.network.beside[trunk][:_BESIDE])} - wanted
        wanted |= some
        if not busy or not some or case.budget.left < until:
            break
        prices.update((each, case.prices[each] + busy) for each in case.room.unread(some))
        found = case.find(closed, ends, prices, is_quick=True)
    return wanted
