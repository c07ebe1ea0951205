"""A gateway as it is served, beside a billing system: what comes in goes out, and what billing knows is asked for there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from adapters.billing.inbound import usage
from adapters.fault_management.inbound import alarms
from adapters.simulator.billing.billing import BillingSystem, serving
from adapters.simulator.billing.records import PROBLEM, USAGE
from gateway.app import application
from gateway.http.serving import bound, listening
from gateway.settings.billing import Billing
from gateway.settings.settings import Settings
from graph.store.store import Store
from tests.gateway.conftest import Mint
from tests.gateway.conftest import serving as served
from tests.gateway.federation.test_arriving import eventually
from tests.graph.changes.network import lay

METER = "system:ems"


def record(number: int, service: str = "service-b") -> dict[str, Any]:
    named = {
        "externalId": f"U{number}",
        "service": service,
        "startDateTime": "2026-01-01T00:00:00Z",
        "endDateTime": "2026-01-01T01:00:00Z",
        "octets": number,
        "mbps": 10,
    }
    return {
        "usageSpecification": {"id": "s"},
        "usageCharacteristic": [{"name": name, "value": value} for name, value in named.items()],
    }


def alarm(**changes: str) -> dict[str, Any]:
    return {
        "sourceSystemId": "ems",
        "externalAlarmId": "A1",
        "alarmType": "equipmentAlarm",
        "perceivedSeverity": "critical",
        "probableCause": "powerProblem",
        "alarmedObject": {"id": "port-b"},
        "state": "raised",
        "alarmRaisedTime": "2026-01-01T00:00:00Z",
        **changes,
    }


async def post(client: httpx.AsyncClient, mint: Mint, path: str, body: Any) -> None:
    answer = await client.post(path, json=body, headers=mint.bearer(METER), timeout=60)
    assert answer.status_code == 201, answer.text


async def ask(client: httpx.AsyncClient, headers: dict[str, str], query: str) -> Any:
    answer = await client.post("/graphql", json={"query": query}, headers=headers, timeout=60)
    return answer.json()


@pytest.mark.parametrize("dialect", ["tmf635", "spool"])
async def test_what_comes_in_goes_out_and_is_billed(
    settings: Settings, mint: Mint, store_address: str, empty_store: Store, tmp_path: Path, dialect: str
) -> None:
    await lay(empty_store)

    async def account(transaction: Any) -> None:
        await transaction.run(
            "MATCH (c:Customer) SET c.accountRef = 'acc-' + c.name, c.segment = '', c.status = ''", {}
        )

    await empty_store.write(account, deadline=1e12)
    async with serving() as system:
        told = Billing(address=system.address)
        if dialect == "spool":
            told = Billing(dialect="ipdr", spool=tmp_path, bills=system.address)
        more = {"store": store_address, "deadline_seconds": 30.0, "billing": told, "late_seconds": 1e9}
        app = application(settings.model_copy(update=more))
        async with served(app, settings) as client:

            async def ready() -> bool:
                return (await client.get("/readyz")).status_code == 200

            await eventually(ready)
            await post(client, mint, f"{usage.BASE}/usage", record(1))
            await post(client, mint, f"{alarms.BASE}/alarm", alarm())
            cleared = {"state": "cleared", "alarmClearedTime": "2026-01-01T00:10:00Z"}
            await post(client, mint, f"{alarms.BASE}/alarm", alarm(**cleared))

            async def heard() -> bool:
                rows = await empty_store.rows("MATCH (d:Delivery) RETURN d.state", {}, deadline=1e12)
                return [state for [state] in rows] == ["DONE"] * 3

            await eventually(heard)
            check_told(system, tmp_path, dialect)
            system.bill("acc-b", {"billNo": "7", "amountDue": {"unit": "EUR", "value": 1}})
            query = """{ customer(id: "customer-b") { bills { number amountDue { amount } }
                services(first: 1) { nodes { usage { nodes { octets } } downtime { nodes { effect from to } } } } } }"""
            answer = await ask(client, mint.customer("customer-b"), query)
    assert answer == {
        "data": {
            "customer": {
                "bills": [{"number": "7", "amountDue": {"amount": "100"}}],
                "services": {
                    "nodes": [
                        {
                            "usage": {"nodes": [{"octets": "1"}]},
                            "downtime": {
                                "nodes": [
                                    {
                                        "effect": "DOWN",
                                        "from": "2026-01-01T00:00:00.000Z",
                                        "to": "2026-01-01T00:10:00.000Z",
                                    }
                                ]
                            },
                        }
                    ]
                },
            }
        }
    }


def check_told(system: BillingSystem, spool: Path, dialect: str) -> None:
    if dialect == "spool":
        assert sorted(each.name.partition("-")[0] for each in spool.iterdir()) == ["downtime", "usage"]
        assert system.records.all(USAGE) == []
        return
    assert len(system.records.all(USAGE)) == 1
    [problem] = system.records.all(PROBLEM)
    assert (problem["status"], problem["resolutionDate"]) == ("resolved", "2026-01-01T00:10:00.000Z")


async def test_what_billing_has_rated_arrives_where_it_was_asked_to_tell(
    settings: Settings, mint: Mint, store_address: str, empty_store: Store
) -> None:
    await lay(empty_store)
    sock = bound(settings)
    here = f"http://127.0.0.1:{sock.getsockname()[1]}"
    token = SecretStr(mint.bearer("system:billing")["Authorization"])
    async with serving(callback_authorization=token) as system:
        told = Billing(address=system.address, callback=f"{here}{usage.BASE}")
        more = {"store": store_address, "deadline_seconds": 30.0, "billing": told, "late_seconds": 1e9}
        app = application(settings.model_copy(update=more))
        async with listening(app, sock), httpx.AsyncClient(base_url=here) as client:

            async def ready() -> bool:
                return (await client.get("/readyz")).status_code == 200

            await eventually(ready)
            await post(client, mint, f"{usage.BASE}/usage", record(1))

            async def heard() -> bool:
                registered = await empty_store.rows("MATCH (r:Registration) RETURN r.id, r.callback", {}, deadline=1e12)
                return registered == [["billing", told.callback]] and len(system.records.all(USAGE)) == 1

            await eventually(heard)
            [theirs] = system.records.all(USAGE)
            system.rate(theirs["id"], "rated", ratedProductUsage=[{"bucketValueConvertedInAmount": 3}])

            async def arrived() -> bool:
                found = "MATCH (u:Usage) WHERE u.state = 'rated' RETURN u.record"
                rows = await empty_store.rows(found, {}, deadline=1e12)
                return ["bucketValueConvertedInAmount" in str(row[0]) for row in rows] == [True]

            await eventually(arrived)
            assert len(system.records.all(USAGE)) == 1


def test_a_callback_is_for_who_calls() -> None:
    with pytest.raises(ValueError, match="has a callback, which is for the dialect tmf635"):
        Billing(dialect="ipdr", address="http://127.0.0.1:9", callback="http://127.0.0.1:9")


async def test_without_billing_usage_is_taken_all_the_same(
    settings: Settings, mint: Mint, store_address: str, empty_store: Store
) -> None:
    await lay(empty_store)
    app = application(settings.model_copy(update={"store": store_address, "deadline_seconds": 30.0}))
    async with served(app, settings) as client:

        async def ready() -> bool:
            return (await client.get("/readyz")).status_code == 200

        await eventually(ready)
        await post(client, mint, f"{usage.BASE}/usage", record(1))
        answer = await client.get(f"{usage.BASE}/usage", headers=mint.bearer(), timeout=60)
        assert len(answer.json()) == 1
        assert (await client.post(f"{usage.IPDR_BASE}/document", headers=mint.bearer("analyst"))).status_code == 403
    assert await empty_store.rows("MATCH (d:Delivery) RETURN d.id", {}, deadline=1e12) == []
