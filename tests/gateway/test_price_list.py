"""Tariffs whose prices are in a product catalog, on a real one: what is sold by, and until when."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import httpx
import pytest
from pydantic import ValidationError
from structlog.testing import capture_logs

from adapters.billing.outbound.tmf620 import Tmf620
from adapters.simulator.billing.billing import BillingSystem, serving
from adapters.simulator.faults import Kind, Rule
from adapters.simulator.provisioning import provisioning
from adapters.tmf.tmf630 import write_time
from adapters.transport.transport import System, opened
from gateway.app import application
from gateway.background import beside
from gateway.errors import SettingsBroken
from gateway.price_list import PriceList, keep_refreshing, price_list_of
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
        self.catalog = prices

    async def look(self) -> Tariff | NoTariff:
        await self.list.refresh(self.catalog, seconds=5.0)
        return self.list["PREMIUM"]


@pytest.fixture
async def looking() -> AsyncIterator[Looking]:
    async with serving() as system, opened(System(name="catalog", address=system.address, failures=100)) as transport:
        yield Looking(system, Tmf620(transport, characteristic="bandwidth", sold_in=("Launched",)))


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
    looking.now = HOUR - 1
    assert await looking.look() == first
    looking.now = HOUR
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


ELSEWHERE = Catalog(address="http://127.0.0.1:1")


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        pytest.param({"bandwidth": Bandwidth(tariffs={"any": OFFERED})}, r"any\.offering: there is no section `catalog`", id="no catalog"),
        pytest.param({"catalog": ELSEWHERE, "bandwidth": Bandwidth(tariffs={"any": FIXED})}, "catalog: no tariff", id="no offering"),
        pytest.param(
            {"catalog": ELSEWHERE, "bandwidth": Bandwidth(tariffs={"any": OFFERED.model_copy(update={"currency": "EUX"})})},
            "any has the currency 'EUX'",
            id="no currency",
        ),
    ],
)  # fmt: skip
def test_settings_that_cannot_work_together_are_refused(chosen: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsBroken, match=said):
        price_list_of(Settings(**chosen))


def test_prices_are_kept_for_longer_than_between_two_readings() -> None:
    with pytest.raises(ValidationError, match="has refresh_seconds that are not below keep_hours"):
        Catalog(address="http://127.0.0.1:1", refresh_seconds=3_600, keep_hours=1)


async def test_prices_are_sold_by_no_longer_than_the_catalog_says(looking: Looking) -> None:
    ends = write_time(time.time_ns() // 1_000_000 + 600_000)
    looking.system.offer("bod", [{**MEDIUM, "validFor": {"endDateTime": ends}}, LARGE])
    await looking.look()
    looking.system.faults.order(Rule(kind=Kind.DOWN, times=100))
    looking.now = 590
    assert rate(await looking.look(), 500) == Decimal("0.02")
    assert 0 < looking.list.seconds_left() <= 10
    looking.now = 601
    assert await looking.look() is NoTariff.NOT_READ
    assert looking.list.seconds_left() == HOUR


async def test_two_tariffs_of_one_offering_are_said_apart(looking: Looking) -> None:
    """The steps of one do not fit its tiers: said once, however often it is read."""
    chosen = {"PREMIUM": OFFERED, "any": OFFERED.model_copy(update={"step_mbps": 300})}
    prices = PriceList(chosen, keep_seconds=HOUR, clock=lambda: looking.now)
    looking.system.offer("bod", [MEDIUM, LARGE])
    with capture_logs() as logs:
        for _ in range(4):
            await prices.refresh(looking.catalog, seconds=5.0)
    assert isinstance(prices["PREMIUM"], Tariff)
    assert prices["any"] is NoTariff.NOT_READ
    assert [(each["event"], each["tariff"]) for each in logs] == [
        ("prices were read", "PREMIUM"),
        ("prices cannot be read", "any"),
    ]


async def test_a_fault_of_ours_does_not_end_the_reading(looking: Looking, monkeypatch: pytest.MonkeyPatch) -> None:
    looking.system.offer("bod", [MEDIUM, LARGE])
    first, tried = asyncio.Event(), asyncio.Event()

    def fault(*_: object, **__: object) -> None:
        tried.set()
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr("gateway.price_list._tariff", fault)
        patched.setattr("gateway.price_list._AGAIN_SECONDS", 0.0)
        reading = keep_refreshing(looking.list, looking.catalog, every=60.0, seconds=5.0, first=first)
        async with beside(reading):
            await tried.wait()
            await first.wait()
            patched.undo()

            async def is_read() -> bool:
                return isinstance(looking.list["PREMIUM"], Tariff)

            await eventually(is_read)


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
