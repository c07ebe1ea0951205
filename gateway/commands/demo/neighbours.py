"""A provider's other systems, for the demonstration: each a stand-in on a port of its own, told and asked as real ones are."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, get_args

from pydantic import SecretStr

from gateway.settings.bandwidth import Bandwidth, TariffSettings, TierSettings
from gateway.settings.billing import Billing
from gateway.settings.fault_management import AlarmEvent, FaultManagement
from gateway.settings.inventory import Inventory
from gateway.settings.orders import Orders, ProductSettings, WeightSettings
from gateway.settings.performance import Performance
from gateway.settings.provisioning import Provisioning
from gateway.settings.sales import Sales
from gateway.settings.settings import Settings
from gateway.settings.ticketing import Ticketing
from gateway.stand_ins import (
    alarm_management_system,
    billing_system,
    events_system,
    inventory_system,
    performance_system,
    provisioning_system,
    sales_system,
    ticketing_system,
)

CENTRE: Final = "noc"
"""The central fault management system's name; the fault manager that raises alarms is another."""
METER: Final = "meter"
ROLES: Final = {
    "fault management": "system:fault-management",
    "ticketing": "system:ticketing",
    CENTRE: f"system:{CENTRE}",
    METER: f"system:{METER}",
    "inventory": "system:inventory",
    "order management": "system:order-management",
}
"""of the systems that call the gateway."""
_TARIFF: Final = TariffSettings(
    currency="EUR",
    step_mbps=50,
    minimum=Decimal("5.00"),
    tiers=(
        TierSettings(name="M", mbps=500, per_mbps_hour=Decimal("0.02")),
        TierSettings(name="L", mbps=10_000, per_mbps_hour=Decimal("0.015")),
    ),
)
PRODUCT: Final = "E-Line 500"
PRODUCT_MBPS: Final = 500
_PRODUCT: Final = ProductSettings(
    service_type="E-Line",
    tier="PREMIUM",
    mbps=PRODUCT_MBPS,
    protected=True,
    weights=WeightSettings(hop=100, km=1),
    availability_percent=99.95,
    repair_hours=4,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """Where each of them is, as the gateway's settings have it."""

    ticketing: str
    centre: str
    billing: str
    inventory: str
    provisioning: str
    performance: str
    events: str
    """the topic of what the central fault management system hears beside alarms."""
    sales: str

    @property
    def services(self) -> str:
        """Give where the inventory keeps services."""
        return Inventory(address=self.inventory).services_address

    @property
    def provisioning_root(self) -> str:
        """Give what the stand-in's own paths are below."""
        return self.provisioning.partition("/tmf-api/")[0]

    @property
    def shown(self) -> Mapping[str, str]:
        """Give what a person can look at."""
        return {
            "ticketing": f"{self.ticketing}/troubleTicket",
            "fault management": f"{self.centre}/alarm",
            "billing": f"{self.billing}/tmf-api/usageManagement/v4/usage",
            "inventory": f"{self.inventory}/resource",
            "provisioning": f"{self.provisioning}/service",
            "performance monitoring": f"{self.performance}/measurementCollectionJob",
            "sales": f"{self.sales}/salesLead",
        }


@asynccontextmanager
async def neighbours(tokens: Mapping[str, str]) -> AsyncIterator[Neighbours]:
    """Serve them while the block runs; two of them call back with their tokens."""

    def bearer(name: str) -> SecretStr:
        return SecretStr(f"Bearer {tokens[name]}")

    async with AsyncExitStack() as stack:
        ticketing = await stack.enter_async_context(ticketing_system(callback_authorization=bearer("ticketing")))
        centre = await stack.enter_async_context(alarm_management_system(callback_authorization=bearer(CENTRE)))
        billing = await stack.enter_async_context(billing_system())
        inventory = await stack.enter_async_context(inventory_system())
        provisioning = await stack.enter_async_context(provisioning_system())
        performance = await stack.enter_async_context(performance_system())
        events = await stack.enter_async_context(events_system())
        sales = await stack.enter_async_context(sales_system())
        yield Neighbours(
            ticketing=ticketing.address,
            centre=centre.address,
            billing=billing.address,
            inventory=inventory.address,
            provisioning=provisioning.address,
            performance=performance.address,
            events=events.address,
            sales=sales.address,
        )


def connected(settings: Settings, base: str, found: Neighbours) -> Settings:
    """Give the settings by which the gateway at this address tells them all."""
    sections = {
        "ticketing": Ticketing(address=found.ticketing, callback=f"{base}/tmf-api/troubleTicketManagement/v4"),
        "fault_management": FaultManagement(
            name=CENTRE,
            address=found.centre,
            callback=f"{base}/tmf-api/alarmManagement/v4",
            events=(*get_args(AlarmEvent), "ServiceRateChanged"),
            events_address=found.events,
        ),
        "billing": Billing(address=found.billing),
        "inventory": Inventory(address=found.inventory),
        "provisioning": Provisioning(address=found.provisioning),
        "performance": Performance(address=found.performance),
        "sales": Sales(address=found.sales),
        "orders": Orders(products={PRODUCT: _PRODUCT}),
        "bandwidth": Bandwidth(tariffs={"any": _TARIFF}, notice_seconds=0),
    }
    return settings.model_copy(update=sections)
