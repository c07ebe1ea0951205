"""What bandwidth costs may be decided in the product catalog: it is read there (TMF620 v4), and never written.

A product offering names its prices, or has them in it. Each is asked for by its id, so that whatever a list leaves out is there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from adapters.billing import PricedOffering
from adapters.billing.outbound.tmf620_resource import MOST_PRICES, is_sold, priced_offering, read_offering
from adapters.errors import Nonsense
from adapters.tmf_client.client import TmfClient
from adapters.transport.transport import Transport

BASE: Final = ("tmf-api", "productCatalogManagement", "v4")
OFFERING: Final = "productOffering"
PRICE: Final = "productOfferingPrice"


class Tmf620:
    """`adapters.billing.Prices` over a transport whose address is what `/tmf-api` is below."""

    def __init__(self, transport: Transport, *, characteristic: str) -> None:
        """Take the name of the characteristic that says for which rates a price is."""
        self._client = TmfClient(transport)
        self._characteristic = characteristic

    async def priced(self, offering: str, *, at: int, deadline: float) -> PricedOffering | None:
        """GET the offering, and each of its prices."""
        answer = (await self._client.one((*BASE, OFFERING, offering), deadline=deadline)).value
        read = read_offering(answer, offering)
        if not is_sold(read, OFFERING, at):
            return None
        prices = [await self._price(where, each, deadline) for where, each in _named(read)]
        return priced_offering(prices, self._characteristic, at)

    async def _price(self, where: str, named: Mapping[str, Any], deadline: float) -> object:
        """Give a price: the one that is in the offering, or the one that it names."""
        if "price" in named:
            return named
        price_id = named.get("id")
        if not isinstance(price_id, str) or not price_id:
            raise Nonsense("The product catalog names a price without an id", where=f"{where}.id")
        return (await self._client.one((*BASE, PRICE, price_id), deadline=deadline)).value


def _named(offering: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    found = offering.get(PRICE)
    if not isinstance(found, list) or len(found) > MOST_PRICES:
        raise Nonsense(f"A product offering has no list of at most {MOST_PRICES} prices", where=PRICE)
    for number, each in enumerate(found):
        where = f"{PRICE}[{number}]"
        if not isinstance(each, dict):
            raise Nonsense("A product offering names a price by no object", where=where)
        yield where, each
