"""A card fails under a gateway as it is served: the client's own subscriptions give what happened as values."""

from __future__ import annotations

import asyncio

import pytest

from gateway.settings.settings import Settings
from graph.store.store import Store
from tests.gateway.conftest import Mint
from tests.gateway.test_billing_wired import post
from tests.gateway.test_subscriptions import ALARMS, CLEARED, RAISED, serving
from tests.graph.changes.network import lay
from trunkline.client import AlertService, Client, RequestRefused


async def test_what_a_card_that_fails_does_is_heard_as_values(
    settings: Settings, mint: Mint, store_address: str, empty_store: Store
) -> None:
    await lay(empty_store)
    async with serving(settings, store_address) as http, asyncio.timeout(60):
        url = f"{http.base_url}/graphql"
        client = Client(url, token=mint.token("customer", customers=["customer-a"]))
        async with client.alerts() as alerts:
            first = asyncio.create_task(anext(alerts))
            while alerts.cursor is None:  # noqa: ASYNC110 - the first heartbeat says that it is subscribed
                await asyncio.sleep(0.02)
            await post(http, mint, ALARMS, RAISED)
            alert = await first
        assert (alert.kind, alert.severity, alert.total_services) == ("BEGAN", "CRITICAL", 1)
        assert alert.at.tzinfo is not None
        assert alert.tickets == (), "no ticketing system is there"
        assert alert.services == (
            AlertService(
                service_id="service-a",
                name="service-a",
                effect="DOWN",
                severity="CRITICAL",
                effect_before=None,
                severity_before=None,
            ),
        )
        await post(http, mint, ALARMS, CLEARED)
        async with client.alerts(after=alert.cursor, service=["service-a"], severity_at_least="MAJOR") as alerts:
            assert (await anext(alerts)).kind == "ENDED"
        with pytest.raises(RequestRefused) as refused:
            await anext(client.deliveries())
        assert refused.value.code == "FORBIDDEN"
        with pytest.raises(RequestRefused) as refused:
            await anext(client.service_events(after=alert.cursor))
        assert refused.value.code == "BAD_USER_INPUT"
        found = await client.execute("query ($id: ID!) { service(id: $id) { effect } }", {"id": "service-a"})
        assert found == {"service": {"effect": None}}
