"""Prices of bandwidth, read from a product catalog as catalogs put them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import orjson
import pytest

from adapters.billing import PricedOffering
from adapters.billing.outbound.tmf620 import Tmf620
from adapters.errors import Nonsense, Rejected
from adapters.simulator.billing.billing import BillingSystem, serving
from adapters.transport.transport import System, opened
from graph.capacity.tariff import Tier
from tests.adapters.conftest import JSON, asking, http, saying, soon

AT = 1_800_000_000_000
LONG_AGO, IN_A_YEAR = "2020-01-01T00:00:00Z", "2028-01-01T00:00:00+01:00"


def for_rates(most: object, unit: str = "Mbps", *, member: str = "value", name: str = "bandwidth") -> list[Any]:
    return [{"name": name, "productSpecCharacteristicValue": [{member: most, "unitOfMeasure": unit}]}]


def price(name: str, most: object, value: object, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "priceType": "usage",
        "price": {"unit": "EUR", "value": value},
        "unitOfMeasure": {"amount": 1, "units": "Mbps*h"},
        "prodSpecCharValueUse": for_rates(most),
        **more,
    }


MEDIUM, LARGE = price("M", 500, 0.02), price("L", 1000, 0.015)
TIERS = (
    Tier(name="M", mbps=500, per_mbps_hour=Decimal("0.02")),
    Tier(name="L", mbps=1_000, per_mbps_hour=Decimal("0.015")),
)


@pytest.fixture
async def system() -> AsyncIterator[BillingSystem]:
    async with serving() as found:
        yield found


async def read(address: str, characteristic: str = "bandwidth") -> PricedOffering | None:
    async with opened(System(name="catalog", address=address)) as transport:
        return await Tmf620(transport, characteristic=characteristic).priced("bod", at=AT, deadline=soon())


async def test_the_prices_of_an_offering_are_tiers_by_ascending_rate(system: BillingSystem) -> None:
    system.offer("another", [price("S", 100, 9)])
    system.offer("bod", [LARGE, MEDIUM], lifecycleStatus="Active", isSellable=True)
    assert await read(system.address) == PricedOffering(currency="EUR", tiers=TIERS)


@pytest.mark.parametrize(
    "put",
    [
        pytest.param({"unitOfMeasure": {"amount": 1000, "units": "mbit/s·hour"}, "price": {"unit": "eur", "value": "20"}}, id="of a thousand, as text"),
        pytest.param({"unitOfMeasure": {"units": "Gbps h"}, "price": {"unit": "EUR", "value": 20}}, id="by gigabits"),
        pytest.param({"prodSpecCharValueUse": for_rates(0.5, "Gbit/s", member="valueTo")}, id="a range to half a gigabit"),
        pytest.param({"prodSpecCharValueUse": [*for_rates("gold", name="class"), *for_rates("500")]}, id="beside another characteristic"),
        pytest.param({"priceType": "Usage", "lifecycleStatus": "Launched", "validFor": {"startDateTime": LONG_AGO}}, id="launched"),
        pytest.param({"validFor": {"endDateTime": IN_A_YEAR}}, id="until later"),
        pytest.param({"price": {"unit": "EUR", "value": 0.02}, "taxIncluded": False, "version": "2"}, id="with more than we read"),
    ],
)  # fmt: skip
async def test_the_same_price_is_read_however_it_is_put(system: BillingSystem, put: dict[str, Any]) -> None:
    system.offer("bod", [{**MEDIUM, **put}, LARGE])
    found = await read(system.address)
    assert found
    assert found == PricedOffering(currency="EUR", tiers=TIERS)


async def test_what_is_no_price_of_bandwidth_now_does_not_count(system: BillingSystem) -> None:
    others = [
        price("monthly", 500, 99, priceType="recurring"),
        price("set-up", 500, 50, priceType="oneTime"),
        {"name": "of no type"},
        price("old", 500, 0.03, lifecycleStatus="retired"),
        price("over", 500, 0.03, validFor={"endDateTime": LONG_AGO}),
        price("to come", 500, 0.03, validFor={"startDateTime": IN_A_YEAR}),
    ]
    system.offer("bod", [*others, MEDIUM, LARGE])
    assert await read(system.address) == PricedOffering(currency="EUR", tiers=TIERS)
    system.offer("bod", others)
    assert await read(system.address) is None


@pytest.mark.parametrize(
    "state",
    [
        {"lifecycleStatus": "retired"},
        {"lifecycleStatus": 7},
        {"isSellable": False},
        {"validFor": {"endDateTime": LONG_AGO}},
        {"validFor": {"startDateTime": IN_A_YEAR}},
    ],
)
async def test_an_offering_that_is_not_sold_has_no_prices(system: BillingSystem, state: dict[str, Any]) -> None:
    system.offer("bod", [MEDIUM], **state)
    assert await read(system.address) is None


async def test_a_price_that_is_in_the_offering_is_not_asked_for() -> None:
    offering = {"id": "bod", "productOfferingPrice": [MEDIUM, LARGE]}
    async with saying(http("200 OK", orjson.dumps(offering), JSON), http("500 No")) as other:
        assert await read(other.address) == PricedOffering(currency="EUR", tiers=TIERS)


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        pytest.param({"price": None}, "[0].price", id="no price"),
        pytest.param({"price": {"value": 1}}, "[0].price.unit", id="no currency"),
        pytest.param({"price": {"unit": "EUR", "value": "dear"}}, "[0].price.value", id="a price in words"),
        pytest.param({"price": {"unit": "EUR", "value": -1}}, "[0].price.value", id="a price below zero"),
        pytest.param({"price": {"unit": "EUR", "value": True}}, "[0].price.value", id="a price that is true"),
        pytest.param({"price": {"unit": "USD", "value": 1}}, "price.unit", id="another currency"),
        pytest.param({"unitOfMeasure": None}, "[0].unitOfMeasure", id="of no unit"),
        pytest.param({"unitOfMeasure": {"amount": 1, "units": "GB"}}, "[0].unitOfMeasure", id="by volume"),
        pytest.param({"unitOfMeasure": {"amount": 1, "units": "Mbps"}}, "[0].unitOfMeasure", id="without a time"),
        pytest.param({"unitOfMeasure": {"amount": 0, "units": "Mbps*h"}}, "[0].unitOfMeasure", id="of nothing"),
        pytest.param({"prodSpecCharValueUse": []}, "[0].prodSpecCharValueUse", id="for no rates"),
        pytest.param({"prodSpecCharValueUse": for_rates(500, name="speed")}, "[0].prodSpecCharValueUse", id="for another characteristic"),
        pytest.param({"prodSpecCharValueUse": for_rates(0.0005)}, "[0].prodSpecCharValueUse.productSpecCharacteristicValue", id="for a part of a bit"),
        pytest.param({"prodSpecCharValueUse": for_rates(500, "furlongs")}, "[0].prodSpecCharValueUse.productSpecCharacteristicValue", id="for another unit"),
        pytest.param({"prodSpecCharValueUse": for_rates(10**12)}, "[0].prodSpecCharValueUse.productSpecCharacteristicValue", id="beyond all rates"),
        pytest.param({"prodSpecCharValueUse": for_rates(1000)}, "", id="the rates of another"),
        pytest.param({"name": "L"}, "", id="the name of another"),
        pytest.param({"name": ["M"]}, "[0].name", id="a name that is none"),
        pytest.param({"validFor": {"endDateTime": "tomorrow"}}, "[0].validFor.endDateTime", id="a time in words"),
        pytest.param({"validFor": "always"}, "[0].validFor", id="a period in words"),
    ],
)  # fmt: skip
async def test_a_price_that_cannot_be_read_spoils_the_whole(
    system: BillingSystem, wrong: dict[str, Any], where: str
) -> None:
    """With a tier less, its rates would have the price of the next."""
    system.offer("bod", [{**MEDIUM, **wrong}, LARGE])
    with pytest.raises(Nonsense) as caught:
        await read(system.address)
    assert caught.value.where == where


@pytest.mark.parametrize(
    ("answer", "where"),
    [
        pytest.param([], "body", id="a list"),
        pytest.param({"id": "another", "productOfferingPrice": []}, "id", id="another offering"),
        pytest.param({"id": "bod"}, "productOfferingPrice", id="no list of prices"),
        pytest.param({"id": "bod", "productOfferingPrice": [MEDIUM] * 101}, "productOfferingPrice", id="too many prices"),
        pytest.param({"id": "bod", "productOfferingPrice": ["M"]}, "productOfferingPrice[0]", id="a name for a price"),
        pytest.param({"id": "bod", "productOfferingPrice": [{"name": "M"}]}, "productOfferingPrice[0].id", id="a price without an id"),
        pytest.param({"id": "bod", "validFor": {"startDateTime": "then"}}, "productOffering.validFor.startDateTime", id="a time that is none"),
    ],
)  # fmt: skip
async def test_an_offering_that_makes_no_sense_is_said_by_its_place(answer: object, where: str) -> None:
    async with saying(http("200 OK", orjson.dumps(answer), JSON)) as other, asking(other.address) as transport:
        with pytest.raises(Nonsense) as caught:
            await Tmf620(transport, characteristic="bandwidth").priced("bod", at=AT, deadline=soon())
    assert caught.value.where == where


async def test_an_offering_that_is_not_there_is_a_refusal(system: BillingSystem) -> None:
    with pytest.raises(Rejected) as caught:
        await read(system.address)
    assert caught.value.status == 404
