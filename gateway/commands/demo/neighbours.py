"""A provider's other systems, for the demonstration: each a stand-in on a port of its own, told and asked as real ones are."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

from pydantic import SecretStr

from gateway.settings.billing import Billing
from gateway.settings.fault_management import FaultManagement
from gateway.settings.inventory import Inventory
from gateway.settings.settings import Settings
from gateway.settings.ticketing import Ticketing
from gateway.stand_ins import alarm_management_system, billing_system, inventory_system, ticketing_system

CENTRE: Final = "noc"
"""The central fault management system's name; the fault manager that raises alarms is another."""
METER: Final = "meter"
ROLES: Final = {
    "fault management": "system:fault-management",
    "ticketing": "system:ticketing",
    CENTRE: f"system:{CENTRE}",
    METER: f"system:{METER}",
    "inventory": "system:inventory",
}
"""of the systems that call the gateway."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """Where each of them is, as the gateway's settings have it."""

    ticketing: str
    centre: str
    billing: str
    inventory: str

    @property
    def shown(self) -> Mapping[str, str]:
        """Give what a person can look at."""
        return {
            "ticketing": f"{self.ticketing}/troubleTicket",
            "fault management": f"{self.centre}/alarm",
            "billing": f"{self.billing}/tmf-api/usageManagement/v4/usage",
            "inventory": f"{self.inventory}/resource",
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
        yield Neighbours(
            ticketing=ticketing.address, centre=centre.address, billing=billing.address, inventory=inventory.address
        )


def connected(settings: Settings, base: str, found: Neighbours) -> Settings:
    """Give the settings by which the gateway at this address tells them all."""
    sections = {
        "ticketing": Ticketing(address=found.ticketing, callback=f"{base}/tmf-api/troubleTicketManagement/v4"),
        "fault_management": FaultManagement(
            name=CENTRE, address=found.centre, callback=f"{base}/tmf-api/alarmManagement/v4"
        ),
        "billing": Billing(address=found.billing),
        "inventory": Inventory(address=found.inventory),
    }
    return settings.model_copy(update=sections)
