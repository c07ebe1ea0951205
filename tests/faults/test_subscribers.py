"""Those who listen, without kills: over both transports, at two gateways, while connections are cut and tokens expire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from gateway.app import application
from gateway.auth.minting import LocalIssuer, local_issuer
from gateway.settings.settings import Limits, Settings
from graph.store.store import Store
from tests.faults import subscribers
from tests.faults.about_streams import folds, privacy, streams
from tests.faults.fitting import GOOD
from tests.faults.network import Network, Service
from tests.faults.stream_records import read_sequence
from tests.faults.subscribers import Audience, audience
from tests.faults.transports import EXPIRED
from tests.faults.wire import Wire, wired
from tests.gateway.conftest import serving
from tests.gateway.federation.test_arriving import eventually
from tests.graph.changes.network import SERVICES, Laid, lay, report
from tests.naive_effects import Needs

ALARMS = 8
OPEN_AT_ONCE = 3
SEED = "nothing that is random here decides what is heard"
CUSTOMERS = ("customer-a", "customer-b")
SOLD = Network(
    services={
        name: Service(id=name, customer=customer, tier=tier, needs=Needs(access=(), working=()))
        for name, (customer, tier, *_) in SERVICES.items()
    },
    fails_with={},
)


@asynccontextmanager
async def reached(store: str, issuer: LocalIssuer) -> AsyncIterator[Wire]:
    """Serve a gateway behind a network while the block runs."""
    settings = Settings(
        store=store,
        listen="127.0.0.1:0",
        issuers=(issuer.settings(),),
        deadline_seconds=30.0,
        late_seconds=1e9,
        limits=Limits(new_documents_per_minute=100_000),
        connections_per_address=1_000,
    )
    async with serving(application(settings), settings) as client:

        async def ready() -> bool:
            return (await client.get("/readyz")).status_code == 200

        await eventually(ready)
        async with wired(str(client.base_url)) as way:
            yield way


async def ended_by(listening: Audience, reason: str) -> None:
    """Wait until a connection has ended so."""
    async with asyncio.timeout(120):
        while not listening.ends[reason]:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.02)


async def test_each_hears_each_event_of_its_scope_once_however_it_is_cut_off(
    store_address: str, empty_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscribers, "_STAYS_SECONDS", (0.1, 1.0))
    monkeypatch.setattr(subscribers, "_AWAY_SECONDS", (0.01, 0.1))
    monkeypatch.setattr(subscribers, "_SHORT_SECONDS", 1)
    await lay(empty_store)
    laid, issuer, chance = Laid(store=empty_store), local_issuer(tmp_path / "issuer.json"), Random(SEED)
    async with AsyncExitStack() as stack:
        raised: list[str] = []
        ways = [await stack.enter_async_context(reached(store_address, issuer)) for _ in range(2)]
        listening = await stack.enter_async_context(audience(ways, issuer, CUSTOMERS, SEED))
        for number in range(ALARMS):
            for way in ways:
                way.trouble(0.02, number)
            raised.append(await laid.raise_(report(chance.choice(("card-1", "trunk-2", "port-b")), number)))
            await asyncio.sleep(chance.uniform(0.0, 0.3))
            if len(raised) == OPEN_AT_ONCE or number == ALARMS - 1:
                for each in raised:
                    await laid.clear(each, key=each)
                raised.clear()
        for way in ways:
            way.trouble(0.0, 0)
        await ended_by(listening, "went away")
        if not listening.ends[EXPIRED]:  # on a slow machine everybody has gone away before that
            monkeypatch.setattr(subscribers, "_STAYS_SECONDS", (60.0, 60.0))
            monkeypatch.setattr(subscribers, "_SHORT_TOKENS", 1.0)
            monkeypatch.setattr(subscribers, "_SHORT_SECONDS", 5)
        await ended_by(listening, EXPIRED)
        heard = await listening.heard(empty_store)
        happened = await read_sequence(empty_store)
    nothing_fails = replace(GOOD.told, alarms=())
    evidence = replace(GOOD, heard=heard, happened=happened, network=SOLD, told=nothing_fails)
    assert [*streams(evidence), *privacy(evidence), *folds(evidence)] == []
    whole = [each for each in heard if each.customer is None and each.stream == "alerts"]
    assert min(len(each.seen) for each in whole) >= 2 * ALARMS
