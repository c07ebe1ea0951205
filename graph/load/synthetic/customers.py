"""Who buys, and what: customers and their services between access sites.

The first two customers are for demonstrations: one PREMIUM and one STANDARD, whose services all start at the same
access site, so that they share a site, an element, a card and a trunk. Then come the hub customers, with hundreds to
thousands of services that all meet in their data centres, and then ordinary ones until the scale is reached.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from graph.load.synthetic import catalogue as c
from graph.load.synthetic.history import write_history
from graph.load.synthetic.market import Market
from graph.load.synthetic.network import Access, Network
from graph.load.synthetic.service import Customer, Service, Wish, put_down
from graph.load.synthetic.sheet import Sheet

_ATTEMPTS = 8
"""to find a partner that there is room to, before a service is given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """One customer, complete."""

    customer: Customer
    services: tuple[Service, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Profile:
    """What kind of customer is to come. `sites` are where its services start; `tier` is empty for a mix."""

    name: str
    segment: str
    services: int
    sites: tuple[Access, ...]
    tier: str = ""
    top_rate: int = c.RATES[-1]
    full: bool = False
    """whatever the scale, with each kind of history: it is shown to people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shop:
    """What every sale needs."""

    sheet: Sheet
    network: Network
    market: Market
    scale: int
    numbers: Iterator[int]

    def goes_on(self, profile: _Profile) -> bool:
        """Tell whether the scale leaves room for more of such a customer."""
        return profile.full or self.sheet.nodes < self.scale


def sell(sheet: Sheet, network: Network, scale: int) -> Iterator[Sale]:
    """Put customers down, one by one, until there are `scale` nodes; the two for demonstrations in any case."""
    shop = _Shop(sheet=sheet, network=network, market=Market(network), scale=scale, numbers=count(1))
    for profile in _profiles(shop):
        if not shop.goes_on(profile):
            return
        customer = _customer(sheet, profile)
        services = tuple(_services(shop, profile, customer))
        write_history(sheet, customer, services, full=profile.full)
        yield Sale(customer=customer, services=services)


def _profiles(shop: _Shop) -> Iterator[_Profile]:
    market, chance, place = shop.market, shop.sheet.chance, (shop.market.showplace(),)
    for tier, name in c.DEMO_CUSTOMERS:
        yield _Profile(
            name=name, segment="enterprise", services=c.DEMO_SERVICES, sites=place, tier=tier, top_rate=200, full=True
        )
    for number in range(c.hub_count(shop.scale)):
        sites = tuple(market.data_centre(4 * number + each) for each in range(4))
        services = c.hub_services(shop.scale)
        yield _Profile(name=f"{c.HUB} {number + 1}", segment="retail", services=services, sites=sites)
    for number in count():
        sites = tuple(market.draw_site(chance) for _ in range(2))
        segment, services = chance.choice(c.SEGMENTS), chance.choices(c.SIZES, c.SIZE_ODDS)[0]
        yield _Profile(name=_made_up(number), segment=segment, services=services, sites=sites)


def _made_up(number: int) -> str:
    first, second = c.NAMES
    return f"{first[number % len(first)]} {second[number // len(first) % len(second)]} {number + 1}"


def _customer(sheet: Sheet, profile: _Profile) -> Customer:
    properties = {"segment": profile.segment, "status": "approved", "accountRef": f"ACC-{sheet.nodes:08d}"}
    return Customer(id=sheet.node("Customer", profile.name, properties), name=profile.name)


def _services(shop: _Shop, profile: _Profile, customer: Customer) -> Iterator[Service]:
    for _ in range(profile.services):
        if not shop.goes_on(profile):
            return
        number = next(shop.numbers)
        wishes = (_wish(shop, profile, number) for _ in range(_ATTEMPTS))
        sold = (put_down(shop.sheet, shop.network, customer, wish) for wish in wishes)
        service = next(filter(None, sold), None)
        if service:
            yield service


def _wish(shop: _Shop, profile: _Profile, number: int) -> Wish:
    chance = shop.sheet.chance
    a = chance.choice(profile.sites)
    return Wish(
        number=number,
        a=a,
        z=shop.market.draw_partner(chance, a),
        kind=chance.choice(c.SERVICE_KINDS),
        state=chance.choices(c.SERVICE_STATES, c.STATE_ODDS)[0],
        promise=c.promise(profile.tier) if profile.tier else chance.choices(c.PROMISES, c.TIER_ODDS)[0],
        mbps=min(profile.top_rate, chance.choices(c.RATES, c.RATE_ODDS)[0]),
    )
