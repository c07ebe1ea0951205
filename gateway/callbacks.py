"""Where callbacks that others name may lead, and who tells them: whoever has asked at a hub."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from pydantic import SecretStr

from adapters.endpoint.edge import Port
from adapters.endpoint.hub_telling import HubTeller, News
from adapters.webhooks.outward import Rules, outward
from gateway.background import beside, owner
from gateway.settings.settings import Settings


def callbacks_of(settings: Settings) -> Rules:
    """Give what the settings say about callbacks that others name."""
    chosen = settings.hubs
    if chosen is None:
        return Rules(hosts=(), secret=SecretStr(""))
    return Rules(hosts=chosen.hosts, loopback=chosen.loopback, secret=chosen.secret)


@asynccontextmanager
async def hubs_told(port: Port, news: Sequence[News]) -> AsyncIterator[None]:
    """Tell whoever has asked at the hubs of these; nobody where no callback may be called."""
    if not (port.outward.hosts or port.outward.loopback):
        yield
        return
    async with outward(port.outward) as way, AsyncExitStack() as stack:
        for each in news:
            teller = HubTeller(port=port, outward=way, owner=owner(), news=each)
            await stack.enter_async_context(beside(teller.run()))
        yield
