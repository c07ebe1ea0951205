"""A gateway as it is served, beside customer management: its customers are there, it calls us, and a person settles what is one company."""

from __future__ import annotations

from typing import Any

import httpx
from pydantic import SecretStr

from adapters.simulator.customers.customer_management import CustomerManagement
from adapters.simulator.customers.customer_management import serving as customer_management
from gateway.app import application
from gateway.http.serving import bound, listening
from gateway.settings.customers import Customers
from gateway.settings.settings import Settings
from graph.store.store import Store
from tests.gateway.conftest import Mint
from tests.gateway.federation.test_arriving import eventually

LIST = "{ customers(first: 20) { nodes { id name segment externalNames { nodes { system name } } } } }"
MATCHES = "{ customerMatches { nodes { id state customers { nodes { id name } } } } tasks { nodes { kind state } } }"
MERGE = """mutation($from: ID!, $into: ID!) {
  mergeCustomers(from: $from, into: $into, idempotencyKey: "m") { moved { externalNames } userErrors { code } }
}"""


async def made(system: CustomerManagement, name: str) -> str:
    body = {
        "name": name,
        "engagedParty": {"id": "P", "@referredType": "Organization"},
        "characteristic": [{"name": "branch", "value": "retail"}],
    }
    async with httpx.AsyncClient() as person:
        answer = await person.post(f"{system.address}/customer", json=body)
    return str(answer.json()["id"])


async def ask(client: httpx.AsyncClient, headers: dict[str, str], query: str, **variables: Any) -> Any:
    answer = await client.post("/graphql", json={"query": query, "variables": variables}, headers=headers, timeout=60)
    found = answer.json()
    assert "errors" not in found, found
    return found["data"]


async def test_customers_come_and_one_company_is_merged(
    settings: Settings, mint: Mint, store_address: str, empty_store: Store
) -> None:
    assert await empty_store.rows("MATCH (c:Customer) RETURN c.id", {}, deadline=1e12) == []
    token = SecretStr(mint.bearer("system:customer-management")["Authorization"])
    sock = bound(settings)
    here = f"http://127.0.0.1:{sock.getsockname()[1]}"
    async with customer_management(callback_authorization=token) as system:
        first = await made(system, "Acme GmbH")
        chosen = Customers(
            address=system.address, callback=f"{here}/tmf-api/customerManagement/v4", segment="branch", poll_seconds=1
        )
        app = application(
            settings.model_copy(update={"store": store_address, "deadline_seconds": 30.0, "customers": chosen})
        )
        headers = mint.bearer()
        async with listening(app, sock), httpx.AsyncClient(base_url=here, timeout=60) as client:

            async def names() -> dict[str, str]:
                if (await client.get("/readyz")).status_code != 200:
                    return {}
                nodes = (await ask(client, headers, LIST))["customers"]["nodes"]
                assert all(each["segment"] == "retail" for each in nodes)
                return {each["externalNames"]["nodes"][0]["name"]: each["id"] for each in nodes}

            async def are_there(*wanted: str) -> bool:
                return (await names()).keys() == set(wanted)

            await eventually(lambda: are_there(first))
            second = await made(system, "ACME")
            await eventually(lambda: are_there(first, second))
            found = await ask(client, headers, MATCHES)
            [match] = found["customerMatches"]["nodes"]
            assert (match["state"], found["tasks"]["nodes"]) == (
                "PROPOSED",
                [{"kind": "customerMatch", "state": "OPEN"}],
            )
            by_name = await names()
            merged = await ask(client, headers, MERGE, **{"from": by_name[second], "into": by_name[first]})
            assert merged["mergeCustomers"] == {"moved": {"externalNames": 1}, "userErrors": []}
            assert [each["state"] for each in (await ask(client, headers, MATCHES))["tasks"]["nodes"]] == ["DONE"]
