"""Tariffs whose prices are in a product catalog, on a real one: what is sold by, and until when."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from adapters.billing.outbound.tmf620 import Tmf620
from adapters.simulator.billing.billing import BillingSystem, serving
from adapters.simulator.faults import Kind, Rule
from adapters.simulator.provisioning import provisioning
from adapters.transport.transport import System, opened
from gateway.app import application
from gateway.errors import SettingsBroken
from gateway.price_list import PriceList, price_list_of
from gateway.settings.bandwidth import Bandwidth, TariffSettings
from gateway.settings.catalog import Catalog
from gateway.settings.provisioning import Provisioning
from gateway.settings.settings import Settings
from graph.capacity.tariff import Tariff
from graph.changes.bandwidth.policy import BandwidthPolicy, NoTariff
from graph.store.store import Store
from tests.adapters.billing.test_tmf620 import LARGE, MEDIUM, price
from tests.gateway.conftest import Mint
from tests.gateway.conftest import serving as served
from tests.gateway.federation.test_arriving import eventually
from tests.graph.changes.bandwidth.network import laid_out

HOUR = 3_600.0
OFFERED = TariffSettings(offering="bod", step_mbps=50, minimum=Decimal(5), currency="EUR")
FIXED = TariffSettings.model_validate(
    {"currency": "USD", "step_mbps": 10, "tiers": [{"name": "S", "mbps": 100, "per_mbps_hour": "1"}]}
)


class Looking:
    """A price list beside a catalog, and a clock."""

    def __init__(self, system: BillingSystem, prices: Tmf620) -> None:
        self.now = 0.0
        self.system = system
        chosen = {"PREMIUM": OFFERED, "any": FIXED}
        self.list = PriceList(chosen, keep_seconds=HOUR, clock=lambda: self.now)
        self._prices = prices

    async def look(self) -> Tariff | NoTariff:
        await self.list.look(self._prices, seconds=5.0)
        return self.list["PREMIUM"]


@pytest.fixture
async def looking() -> AsyncIterator[Looking]:
    async with serving() as system, opened(System(name="catalog", address=system.address, failures=100)) as transport:
        yield Looking(system, Tmf620(transport, characteristic="bandwidth"))


def rate(tariff: Tariff | NoTariff, mbps: int) -> Decimal:
    assert isinstance(tariff, Tariff)
    return tariff.tier_of(mbps).per_mbps_hour


async def test_it_is_sold_by_the_prices_of_the_last_look(looking: Looking) -> None:
    assert looking.list["PREMIUM"] is NoTariff.NOT_READ, "before the first look"
    looking.system.offer("bod", [MEDIUM, LARGE])
    first = await looking.look()
    assert isinstance(first, Tariff)
    assert (first.currency, first.step_mbps, first.minimum, first.most_mbps) == ("EUR", 50, Decimal(5), 1_000)
    assert rate(first, 500) == Decimal("0.02")
    looking.system.offer("bod", [price("M", 500, 0.03), LARGE])
    assert rate(looking.list["PREMIUM"], 500) == Decimal("0.02")
    assert rate(await looking.look(), 500) == Decimal("0.03")
    assert set(looking.list) == {"PREMIUM", "any"}
    assert rate(looking.list["any"], 100) == Decimal(1), "of the settings"


@pytest.mark.parametrize(
    "broken", ["away", "refusing", "nonsense", "another currency", "no multiple of the step", "gone"]
)
async def test_what_cannot_be_read_again_is_sold_by_for_a_while(looking: Looking, broken: str) -> None:
    looking.system.offer("bod", [MEDIUM, LARGE])
    first = await looking.look()
    match broken:
        case "away":
            looking.system.faults.order(Rule(kind=Kind.DOWN, times=100))
        case "refusing":
            looking.system.faults.order(Rule(kind=Kind.ERROR, times=100))
        case "nonsense":
            looking.system.offer("bod", [{**MEDIUM, "unitOfMeasure": None}])
        case "another currency":
            looking.system.offer("bod", [{**MEDIUM, "price": {"unit": "USD", "value": 1}}])
        case "no multiple of the step":
            looking.system.offer("bod", [price("M", 499, 0.02)])
        case "gone":
            looking.system.records._held["productOffering"].clear()
    assert await looking.look() == first
    looking.now = HOUR
    assert await looking.look() == first
    looking.now = HOUR + 1
    assert await looking.look() is NoTariff.NOT_READ
    looking.system.faults.behave()
    looking.system.offer("bod", [MEDIUM, LARGE])
    assert await looking.look() == first


async def test_what_the_catalog_does_not_sell_any_more_is_not_sold(looking: Looking) -> None:
    looking.system.offer("bod", [MEDIUM])
    await looking.look()
    looking.system.offer("bod", [MEDIUM], lifecycleStatus="retired")
    assert await looking.look() is NoTariff.NOT_SOLD
    policy = BandwidthPolicy(tariffs=looking.list)
    assert policy.tariff_of("PREMIUM") is NoTariff.NOT_SOLD, "and not by the tariff for any"
    assert policy.tariff_of("BASIC") == looking.list["any"]
    assert policy.tariff_of(None) == looking.list["any"]
    assert BandwidthPolicy().tariff_of("BASIC") is NoTariff.NOT_SOLD


@pytest.mark.parametrize(
    ("tariff", "said"),
    [
        pytest.param({"step_mbps": 50}, "must have either tiers or an offering", id="nothing"),
        pytest.param(
            {"step_mbps": 50, "currency": "EUR", "offering": "x", "tiers": [{"name": "S", "mbps": 50, "per_mbps_hour": "1"}]},
            "must have either tiers or an offering",
            id="both",
        ),
        pytest.param({"step_mbps": 50, "offering": "x", "minimum": "1"}, "has no currency", id="a minimum of what"),
        pytest.param({"step_mbps": 50, "tiers": [{"name": "S", "mbps": 50, "per_mbps_hour": "1"}]}, "has no currency", id="tiers of what"),
    ],
)  # fmt: skip
def test_a_tariff_that_says_too_much_or_too_little_is_refused(tariff: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Bandwidth.model_validate({"tariffs": {"any": tariff}})


def test_an_offering_needs_a_catalog() -> None:
    chosen = Settings(bandwidth=Bandwidth(tariffs={"any": OFFERED}))
    with pytest.raises(SettingsBroken, match=r"bandwidth\.tariffs\.any\.offering: there is no section `catalog`"):
        price_list_of(chosen)


QUOTE = """{ quoteBandwidth(serviceId: "service-a", mbps: 400, hours: 2) {
    quote { price { amount currency } } userErrors { code path } } }"""


async def quoted(client: httpx.AsyncClient, mint: Mint) -> Any:
    """What is answered; None while the database is being opened."""
    answer = await client.post("/graphql", json={"query": QUOTE}, headers=mint.bearer("operator"), timeout=60)
    return answer.json()["data"]["quoteBandwidth"] if answer.status_code == 200 else None


async def test_a_gateway_quotes_by_the_catalog(
    settings: Settings, mint: Mint, store_address: str, empty_store: Store
) -> None:
    await laid_out(empty_store)
    async with serving() as catalog, provisioning.serving() as network:
        more = {
            "store": store_address,
            "provisioning": Provisioning(address=network.address),
            "catalog": Catalog(address=catalog.address, refresh_seconds=1),
            "bandwidth": Bandwidth(tariffs={"any": OFFERED}),
        }
        chosen = settings.model_copy(update=more)
        async with served(application(chosen), settings) as client:

            async def is_refused() -> bool:
                unread = [{"code": "PRICES_UNAVAILABLE", "path": ["serviceId"]}]
                return bool(await quoted(client, mint) == {"quote": None, "userErrors": unread})

            async def is_sold() -> bool:
                return not (await quoted(client, mint))["userErrors"]

            await eventually(is_refused)
            catalog.offer("bod", [MEDIUM, LARGE])
            await eventually(is_sold)
            assert (await quoted(client, mint))["quote"] == {"price": {"amount": "1600", "currency": "EUR"}}
