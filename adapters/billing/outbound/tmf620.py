"""What bandwidth costs may be decided in the product catalog: it is read there (TMF620 v4), and never written.

A product offering names its prices, or has them in it. Each is asked for by its id, so that whatever a list leaves out is there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from adapters.billing import PricedOffering
from adapters.billing.outbound.tmf620_resource import (
    Catalogued,
    Price,
    Reading,
    priced_offering,
    prices_of,
    read_offering,
    read_price,
)
from adapters.tmf_client.client import TmfClient
from adapters.transport.transport import Transport

BASE: Final = ("tmf-api", "productCatalogManagement", "v4")
OFFERING: Final = "productOffering"
PRICE: Final = "productOfferingPrice"
_AT_ONCE: Final = 10
"""prices that are asked for at the same time."""


class Tmf620:
    """`adapters.billing.Prices` over a transport whose address is what `/tmf-api` is below."""

    def __init__(self, transport: Transport, *, characteristic: str, sold_in: Sequence[str]) -> None:
        """Take the name of the characteristic that says for which rates a price is, and in which states things are sold."""
        self._client = TmfClient(transport)
        self._reading = Reading(characteristic=characteristic, sold_in=frozenset(each.lower() for each in sold_in))

    async def priced(self, offering: str, *, step_mbps: int, at: int, deadline: float) -> PricedOffering:
        """GET the offering, and each of its prices."""
        answer = (await self._client.one((*BASE, OFFERING, offering), deadline=deadline)).value
        read = read_offering(self._reading, answer, offering, at)
        if not read.is_sold:
            return PricedOffering(currency="", tiers=(), until=read.until)
        return priced_offering(read, await self._prices(read, at, deadline), step_mbps)

    async def _prices(self, read: Catalogued, at: int, deadline: float) -> list[Price]:
        """Give the prices of an offering that are of bandwidth, some at a time."""
        named = list(prices_of(read))
        found: list[Price | None] = []
        for first in range(0, len(named), _AT_ONCE):
            some = named[first : first + _AT_ONCE]
            found += await asyncio.gather(*(self._price(where, each, at, deadline) for where, each in some))
        return [each for each in found if each is not None]

    async def _price(self, where: str, named: Mapping[str, Any], at: int, deadline: float) -> Price | None:
        """Give a price: the one that is in the offering, or the one that it names."""
        if named.get("price") is not None and named.get("priceType") is not None:
            return read_price(self._reading, named, where, at)
        price_id = str(named["id"])
        there = (await self._client.one((*BASE, PRICE, price_id), deadline=deadline)).value
        return read_price(self._reading, there, f"{PRICE}/{price_id}", at, expected=price_id)
