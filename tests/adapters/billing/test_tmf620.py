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
from graph.capacity.tariff import BrokenTariff, Rounding, Tariff, Tier
from tests.adapters.conftest import JSON, asking, http, saying, soon

AT = 1_800_000_000_000
LONG_AGO, IN_A_YEAR = "2020-01-01T00:00:00Z", "2028-01-01T00:00:00+01:00"


def for_rates(most: object, unit: str = "Mbps", *, member: str = "value", name: str = "bandwidth") -> list[Any]:
    return [{"name": name, "productSpecCharacteristicValue": [{member: most, "unitOfMeasure": unit}]}]


def for_range(least: object, most: object, **more: Any) -> list[Any]:
    value = {"valueFrom": least, "valueTo": most, "unitOfMeasure": "Mbps", **more}
    return [{"name": "bandwidth", "productSpecCharacteristicValue": [value]}]


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


PRICED = PricedOffering(currency="EUR", tiers=TIERS, until=None)
SOLD_IN = ("Active", "Launched")
NOT_SOLD = PricedOffering(currency="", tiers=(), until=None)


async def read(address: str, *, at: int = AT) -> PricedOffering:
    async with opened(System(name="catalog", address=address)) as transport:
        catalog = Tmf620(transport, characteristic="bandwidth", sold_in=SOLD_IN)
        return await catalog.priced("bod", step_mbps=50, at=at, deadline=soon())


async def test_the_prices_of_an_offering_are_tiers_by_ascending_rate(system: BillingSystem) -> None:
    system.offer("another", [price("S", 100, 9)])
    system.offer("bod", [LARGE, MEDIUM], lifecycleStatus="Active", isSellable=True)
    assert await read(system.address) == PRICED


@pytest.mark.parametrize(
    "put",
    [
        pytest.param({"unitOfMeasure": {"amount": 1000, "units": "mbit/s·hour"}, "price": {"unit": "eur", "value": "20"}}, id="of a thousand, as text"),
        pytest.param({"unitOfMeasure": {"units": "Gbps h"}, "price": {"unit": "EUR", "value": 20}}, id="by gigabits"),
        pytest.param({"prodSpecCharValueUse": for_rates(0.5, "Gbit/s", member="valueTo")}, id="a range to half a gigabit"),
        pytest.param({"prodSpecCharValueUse": for_rates("500", "MBIT/S".lower())}, id="as text"),
        pytest.param({"prodSpecCharValueUse": for_range(0, 500)}, id="a range from nothing"),
        pytest.param({"prodSpecCharValueUse": for_range(50, 500, rangeInterval="closed")}, id="a range from the first step"),
        pytest.param({"id": "POP-00000001", "isBundle": False, "name": "M", "lifecycleStatus": None, "validFor": None}, id="as Java writes it"),
        pytest.param({"unitOfMeasure": {"amount": None, "units": "Mbps * h"}}, id="of no amount"),
        pytest.param({"priceType": "Usage", "lifecycleStatus": "Launched", "validFor": {"startDateTime": LONG_AGO}}, id="launched"),
        pytest.param({"validFor": {"endDateTime": IN_A_YEAR}}, id="until later"),
        pytest.param({"price": {"unit": "EUR", "value": 0.02}, "taxIncluded": False, "version": "2"}, id="with more than we read"),
    ],
)  # fmt: skip
async def test_the_same_price_is_read_however_it_is_put(system: BillingSystem, put: dict[str, Any]) -> None:
    system.offer("bod", [{**MEDIUM, **put}, LARGE])
    found = await read(system.address)
    assert (found.currency, found.tiers) == ("EUR", TIERS)


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
    found = await read(system.address)
    assert (found.tiers, found.until) == (TIERS, 1_830_294_000_000), "until the next one comes"
    system.offer("bod", others)
    assert (await read(system.address)).tiers == ()


@pytest.mark.parametrize(
    "state",
    [
        {"lifecycleStatus": "retired"},
        {"lifecycleStatus": " In design "},
        {"isSellable": False},
        {"validFor": {"endDateTime": LONG_AGO}},
        {"validFor": {"startDateTime": IN_A_YEAR}},
    ],
)
async def test_an_offering_that_is_not_sold_has_no_prices(system: BillingSystem, state: dict[str, Any]) -> None:
    system.offer("bod", [MEDIUM], **state)
    assert (await read(system.address)).tiers == ()


async def test_what_is_valid_for_a_while_says_until_when(system: BillingSystem) -> None:
    begins, ends = "2027-02-01T00:00:00Z", "2027-01-20T00:00:00Z"  # the instant of the tests is 2027-01-15
    system.offer("bod", [{**MEDIUM, "validFor": {"endDateTime": begins}}, LARGE], validFor={"endDateTime": ends})
    found = await read(system.address)
    assert (found.tiers, found.until) == (TIERS, 1_800_403_200_000)
    system.offer("bod", [{**MEDIUM, "validFor": {"startDateTime": begins}}, LARGE])
    found = await read(system.address)
    assert (found.tiers, found.until) == (TIERS[1:], 1_801_440_000_000)


async def test_a_reference_with_empty_members_is_asked_for(system: BillingSystem) -> None:
    """As Jackson writes one."""
    system.offer("bod", [MEDIUM, LARGE])
    offering = system.records._held["productOffering"]["bod"]
    offering["productOfferingPrice"] = [
        {**each, "price": None, "priceType": None} for each in offering["productOfferingPrice"]
    ]
    assert await read(system.address) == PRICED
    offering["productOfferingPrice"] = [{**each, "price": {"unit": "EUR"}} for each in offering["productOfferingPrice"]]
    assert await read(system.address) == PRICED, "in short"


async def test_a_price_that_is_in_the_offering_is_not_asked_for() -> None:
    offering = {"id": "bod", "productOfferingPrice": [MEDIUM, LARGE]}
    async with saying(http("200 OK", orjson.dumps(offering), JSON), http("500 No")) as other:
        assert await read(other.address) == PRICED


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        pytest.param({"price": None}, "POP-1.price", id="no price"),
        pytest.param({"price": {"value": 1}}, "POP-1.price.unit", id="no currency"),
        pytest.param({"price": {"unit": "EUR", "value": "dear"}}, "POP-1.price.value", id="a price in words"),
        pytest.param({"price": {"unit": "EUR", "value": -1}}, "POP-1.price.value", id="a price below zero"),
        pytest.param({"price": {"unit": "EUR", "value": True}}, "POP-1.price.value", id="a price that is true"),
        pytest.param({"price": {"unit": "USD", "value": 1}}, "POP-1", id="another currency"),
        pytest.param({"unitOfMeasure": None}, "POP-1.unitOfMeasure", id="of no unit"),
        pytest.param({"unitOfMeasure": {"amount": 1, "units": "GB"}}, "POP-1.unitOfMeasure", id="by volume"),
        pytest.param({"unitOfMeasure": {"amount": 1, "units": "Mbps"}}, "POP-1.unitOfMeasure", id="without a time"),
        pytest.param({"unitOfMeasure": {"amount": 0, "units": "Mbps*h"}}, "POP-1.unitOfMeasure", id="of nothing"),
        pytest.param({"prodSpecCharValueUse": []}, "POP-1.prodSpecCharValueUse", id="for no rates"),
        pytest.param({"prodSpecCharValueUse": for_rates(500, name="speed")}, "POP-1.prodSpecCharValueUse", id="for another characteristic"),
        pytest.param({"prodSpecCharValueUse": for_rates(0.0005)}, "POP-1.prodSpecCharValueUse.productSpecCharacteristicValue", id="for a part of a bit"),
        pytest.param({"prodSpecCharValueUse": for_rates(500, "furlongs")}, "POP-1.prodSpecCharValueUse.productSpecCharacteristicValue", id="for another unit"),
        pytest.param({"prodSpecCharValueUse": for_rates(10**12)}, "POP-1.prodSpecCharValueUse.productSpecCharacteristicValue", id="beyond all rates"),
        pytest.param({"prodSpecCharValueUse": "500"}, "POP-1.prodSpecCharValueUse", id="for a text"),
        pytest.param({"prodSpecCharValueUse": [*for_rates(500), *for_rates("gold", name="class")]}, "POP-1.prodSpecCharValueUse", id="for a class, too"),
        pytest.param({"prodSpecCharValueUse": [*for_rates(500), *for_rates(1_000)]}, "POP-1.prodSpecCharValueUse", id="for two rates"),
        pytest.param({"prodSpecCharValueUse": for_range(100, 500)}, "POP-1", id="a gap below"),
        pytest.param({"prodSpecCharValueUse": for_range(0, 500, rangeInterval="closedBottom")}, "POP-1.prodSpecCharValueUse.productSpecCharacteristicValue.rangeInterval", id="without its highest"),
        pytest.param({"prodSpecCharValueUse": for_rates(500, "10 Mbps")}, "POP-1.prodSpecCharValueUse.productSpecCharacteristicValue", id="tens of units"),
        pytest.param({"prodSpecCharValueUse": for_rates(500, "MBps")}, "POP-1.prodSpecCharValueUse.productSpecCharacteristicValue", id="megabytes"),
        pytest.param({"unitOfMeasure": {"amount": 1, "units": "MBps*h"}}, "POP-1.unitOfMeasure", id="by megabytes"),
        pytest.param({"unitOfMeasure": {"amount": 1, "units": "100 Mbps*h"}}, "POP-1.unitOfMeasure", id="a number in the unit"),
        pytest.param({"unitOfMeasure": {"amount": 1, "units": "Mbps*24h"}}, "POP-1.unitOfMeasure", id="by the day"),
        pytest.param({"unitOfMeasure": {"amount": "1e-999999999", "units": "Mbps*h"}}, "POP-1.unitOfMeasure", id="of next to nothing"),
        pytest.param({"unitOfMeasure": {"amount": 1e-18, "units": "Mbps*h"}}, "POP-1.unitOfMeasure", id="of hardly anything"),
        pytest.param({"price": {"unit": "EUR", "value": 1e16}}, "POP-1.price.value", id="beyond all prices"),
        pytest.param({"price": {"unit": "EUR", "value": "0_0.0_2"}}, "POP-1.price.value", id="as Python writes it"),
        pytest.param({"priceType": "usageCharge"}, "POP-1.priceType", id="a type of its own"),
        pytest.param({"priceType": None}, "POP-1.priceType", id="of no type"),
        pytest.param({"lifecycleStatus": "Published"}, "POP-1.lifecycleStatus", id="a state of its own"),
        pytest.param({"isBundle": True}, "POP-1.isBundle", id="of others"),
        pytest.param({"name": ["M"]}, "POP-1.name", id="a name that is none"),
        pytest.param({"validFor": {"endDateTime": "tomorrow"}}, "POP-1.validFor.endDateTime", id="a time in words"),
        pytest.param({"validFor": "always"}, "POP-1.validFor", id="a period in words"),
    ],
)  # fmt: skip
async def test_a_price_that_cannot_be_read_spoils_the_whole(
    system: BillingSystem, wrong: dict[str, Any], where: str
) -> None:
    """With a tier less, its rates would have the price of the next."""
    system.offer("bod", [{**MEDIUM, **wrong}, LARGE])
    with pytest.raises(Nonsense) as caught:
        await read(system.address)
    assert caught.value.where == where.replace("POP-1", "productOfferingPrice/POP-00000001")


@pytest.mark.parametrize("other", [price("S", 500, 0.1), price("M", 300, 0.1)], ids=["the same rates", "the same name"])
async def test_two_prices_for_one_thing_are_no_tariff(system: BillingSystem, other: dict[str, Any]) -> None:
    """That is for the tariff to say."""
    system.offer("bod", [MEDIUM, other])
    found = await read(system.address)
    with pytest.raises(BrokenTariff):
        Tariff(currency="EUR", step_mbps=50, tiers=found.tiers, minimum=Decimal(0), rounding=Rounding.UP)


@pytest.mark.parametrize(
    ("answer", "where"),
    [
        pytest.param([], "productOffering", id="a list"),
        pytest.param({"id": "another", "productOfferingPrice": []}, "productOffering.id", id="another offering"),
        pytest.param({"id": "bod"}, "productOfferingPrice", id="no list of prices"),
        pytest.param({"id": "bod", "productOfferingPrice": [MEDIUM] * 51}, "productOfferingPrice", id="too many prices"),
        pytest.param({"id": "bod", "productOfferingPrice": ["M"]}, "productOfferingPrice[0]", id="a name for a price"),
        pytest.param({"id": "bod", "productOfferingPrice": [{"name": "M"}]}, "productOfferingPrice[0].id", id="a price without an id"),
        pytest.param({"id": "bod", "isSellable": "false"}, "productOffering.isSellable", id="false as text"),
        pytest.param({"id": "bod", "lifecycleStatus": 7}, "productOffering.lifecycleStatus", id="a number for a state"),
        pytest.param({"id": "bod", "validFor": {"startDateTime": "then"}}, "productOffering.validFor.startDateTime", id="a time that is none"),
    ],
)  # fmt: skip
async def test_an_offering_that_makes_no_sense_is_said_by_its_place(answer: object, where: str) -> None:
    async with saying(http("200 OK", orjson.dumps(answer), JSON)) as other, asking(other.address) as transport:
        catalog = Tmf620(transport, characteristic="bandwidth", sold_in=SOLD_IN)
        with pytest.raises(Nonsense) as caught:
            await catalog.priced("bod", step_mbps=50, at=AT, deadline=soon())
    assert caught.value.where == where


async def test_an_offering_that_is_not_there_is_a_refusal(system: BillingSystem) -> None:
    with pytest.raises(Rejected) as caught:
        await read(system.address)
    assert caught.value.status == 404
