"""A gateway as it is served: a card fails, and whoever subscribes hears it, over each transport, each what is theirs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson
import pytest

from adapters.simulator.billing.billing import serving as billing_system
from gateway.app import application
from gateway.cli import run
from gateway.settings.billing import Billing
from gateway.settings.settings import Settings
from graph.store.store import Store
from tests.gateway.conftest import Mint
from tests.gateway.conftest import serving as served
from tests.gateway.federation.test_arriving import eventually
from tests.gateway.http.test_socket import ready as connected
from tests.gateway.test_billing_wired import alarm, post
from tests.graph.changes.network import lay

ALERTS = "subscription { alerts { kind severity services { serviceId effect } } }"
BILLED = "subscription { alerts { kind services { service { customer { name bills { number } } } } } }"
ALARMS = "/tmf-api/alarmManagement/v4/alarm"
RAISED = alarm(alarmedObject={"id": "card-1"})  # type: ignore[arg-type]  # an object, as in every alarm
CLEARED = {**RAISED, "state": "cleared", "alarmClearedTime": "2026-01-01T00:10:00Z"}


@asynccontextmanager
async def serving(settings: Settings, store_address: str, **more: Any) -> AsyncIterator[httpx.AsyncClient]:
    given = {"store": store_address, "deadline_seconds": 30.0, "late_seconds": 1e9, **more}
    async with served(application(settings.model_copy(update=given)), settings) as client:

        async def ready() -> bool:
            return (await client.get("/readyz")).status_code == 200

        await eventually(ready)
        yield client


def effects(alert: dict[str, Any]) -> list[tuple[str, str | None]]:
    return [(each["serviceId"], each["effect"]) for each in alert["services"]]


async def test_a_card_that_fails_is_heard_over_a_websocket_by_each_whose_it_is(
    settings: Settings, mint: Mint, store_address: str, empty_store: Store
) -> None:
    await lay(empty_store)
    async with serving(settings, store_address) as client:
        url = f"ws://{client.base_url.host}:{client.base_url.port}/graphql"
        tokens = [mint.token("customer", customers=[f"customer-{each}"], sub=each) for each in "ab"]
        async with connected(url, tokens[0]) as a, connected(url, tokens[1]) as b:
            for each in (a, b):
                await each.subscribe(ALERTS)
            await asyncio.sleep(1)  # both are subscribed: nothing says so before the first event
            await post(client, mint, ALARMS, RAISED)
            heard = [(await each.hear_answer())["payload"] for each in (a, b)]
            assert [effects(each["data"]["alerts"]) for each in heard] == [
                [("service-a", "DOWN")],
                [("service-b", "DOWN")],
            ]
            await post(client, mint, ALARMS, CLEARED)
            assert [(await each.hear_answer())["payload"]["data"]["alerts"]["kind"] for each in (a, b)] == ["ENDED"] * 2
            cursor = heard[0]["extensions"]["cursor"]
            again = f'subscription {{ alerts(after: "{cursor}") {{ kind }} }}'
            await a.subscribe(again, "2")
            assert (await a.hear_answer())["payload"]["data"] == {"alerts": {"kind": "ENDED"}}
            await b.subscribe(again, "2")
            refused = await b.hear_answer()
            assert (refused["type"], refused["payload"][0]["extensions"]["code"]) == ("error", "BAD_USER_INPUT")


async def test_what_another_system_knows_of_an_event_is_asked_there_and_watched_on_a_terminal(
    settings: Settings, mint: Mint, store_address: str, empty_store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    await lay(empty_store)

    async def account(transaction: Any) -> None:
        await transaction.run(
            "MATCH (c:Customer) SET c.accountRef = 'acc-' + c.name, c.segment = '', c.status = ''", {}
        )

    await empty_store.write(account, deadline=1e12)
    async with billing_system() as system:
        system.bill("acc-b", {"billNo": "7", "amountDue": {"unit": "EUR", "value": 1}})
        async with serving(settings, store_address, billing=Billing(address=system.address)) as client:
            given = ["watch", BILLED, "--url", f"{client.base_url}/graphql", "--count", "2"]
            token = mint.token("customer", customers=["customer-b"])
            watching = asyncio.create_task(asyncio.to_thread(run, [*given, "--token", token]))
            await asyncio.sleep(2)
            await post(client, mint, ALARMS, RAISED)
            await post(client, mint, ALARMS, CLEARED)
            assert await asyncio.wait_for(watching, 60) == 0
    lines = [orjson.loads(each) for each in capsys.readouterr().out.splitlines() if each.startswith('{"cursor"')]
    assert [each["data"]["alerts"] for each in lines] == [
        {"kind": kind, "services": [{"service": {"customer": {"name": "b", "bills": [{"number": "7"}]}}}]}
        for kind in ("BEGAN", "ENDED")
    ]
