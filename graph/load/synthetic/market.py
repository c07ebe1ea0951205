"""Between which access sites a service is wanted: chance, weighted by the demands of the topology."""

from __future__ import annotations

from itertools import accumulate
from random import Random

from graph.load.synthetic.catalogue import LOCAL_SHARE
from graph.load.synthetic.network import Access, Network


class Market:
    """The demands, prepared for drawing from them."""

    def __init__(self, network: Network) -> None:
        weights = network.topology.weights
        self._access = network.access
        self._cities = range(len(weights))
        self._partners = [_odds(row) for row in weights]
        self._total = _odds(tuple(map(sum, weights)))
        self._busiest = sorted(self._cities, key=lambda city: (-sum(weights[city]), city))

    def draw_site(self, chance: Random) -> Access:
        """Give any access site, the likelier the more its city talks."""
        city = chance.choices(self._cities, cum_weights=self._total)[0]
        return chance.choice(self._access[city])

    def draw_partner(self, chance: Random, site: Access) -> Access:
        """Give a site for the other end, never the same one: now and then in the same city, else by the demands."""
        if chance.random() < LOCAL_SHARE:
            return self.neighbour(chance, site)
        city = chance.choices(self._cities, cum_weights=self._partners[site.city])[0]
        return self.neighbour(chance, site) if city == site.city else chance.choice(self._access[city])

    def neighbour(self, chance: Random, site: Access) -> Access:
        """Give another access site of the same city."""
        return chance.choice([each for each in self._access[site.city] if each is not site])

    def data_centre(self, number: int) -> Access:
        """Give a data centre, in the busiest cities first."""
        return self._access[self._busiest[number % len(self._busiest)]][0]

    def showplace(self) -> Access:
        """Give the access site for demonstrations: in the busiest city where an ordinary one has two uplinks."""
        sites = (each for city in self._busiest for each in self._access[city][1:] if len(each.uplinks) == 2)
        return next(sites, self.data_centre(0))


def _odds(row: tuple[float, ...]) -> list[float]:
    return list(accumulate(row if sum(row) else (1.0,) * len(row)))
