from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from gateway.settings.settings import Settings
from graph.store.store import Store
from tests.adapters.endpoint.composed import Port, application, calling, settings_of
from tests.gateway.conftest import Mint
from tests.resolvers.tenants import tenants
from tests.resolvers.world import load


@pytest.fixture(scope="session")
def mint(tmp_path_factory: pytest.TempPathFactory) -> Mint:
    return Mint(tmp_path_factory.mktemp("issuer"))


@pytest.fixture(scope="session")
def settings(mint: Mint) -> Settings:
    return settings_of(mint)


@pytest.fixture(scope="module")
async def port(store: Store, settings: Settings) -> Port:
    """The two tenants of the resolvers' tests, and the way to them."""
    await load(store, tenants())
    return Port(store, settings)


@pytest.fixture(scope="module")
async def client(port: Port, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with calling(application(port, settings), settings) as client:
        yield client
