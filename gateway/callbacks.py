"""Where callbacks that others name may lead, and who tells them: whoever has asked at the hub of alarms."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic import SecretStr

from adapters.endpoint.edge import Port
from adapters.fault_management.inbound.hub_telling import HubTeller
from adapters.webhooks.outward import Rules, outward
from gateway.settings.settings import Settings
from gateway.systems import beside, owner


def callbacks_of(settings: Settings) -> Rules:
    """Give what the settings say about callbacks that others name."""
    chosen = settings.hubs
    if chosen is None:
        return Rules(hosts=(), secret=SecretStr(""))
    return Rules(hosts=chosen.hosts, loopback=chosen.loopback, secret=chosen.secret)


@asynccontextmanager
async def hubs_told(port: Port, base: str) -> AsyncIterator[None]:
    """Tell whoever has asked at the hub of alarms; nobody where no callback may be called."""
    if not (port.outward.hosts or port.outward.loopback):
        yield
        return
    async with outward(port.outward) as way, beside(HubTeller(port=port, outward=way, owner=owner(), base=base).run()):
        yield
