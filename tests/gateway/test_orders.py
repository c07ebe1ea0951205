"""A whole gateway takes orders where its settings say so, by either API and by GraphQL, and tells of them; else it knows no orders."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson
import pytest
from pydantic import SecretStr, ValidationError
from structlog.testing import capture_logs

from adapters.order_management.api import APIS
from gateway.app import application
from gateway.cli import run
from gateway.policies import policy_of
from gateway.settings.hub import Hubs
from gateway.settings.orders import Orders
from gateway.settings.settings import Settings
from graph.changes.policy import Ordering
from tests.adapters.webhooks.test_outward import hearing, taken
from tests.gateway.conftest import Mint, serving

PARTY = {"id": "4711", "name": "New Ltd", "@referredType": "Organization", "@type": "RelatedParty"}
ADVANCE = """mutation($id: ID!, $key: String!) {
  advanceOrder(orderId: $id, state: IN_PROGRESS, idempotencyKey: $key) { order { state kind customer { name } } userErrors { code } }
}"""


async def until(true: Callable[[], Any]) -> None:
    for _ in range(2_000):
        if await true():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it never came to be")


@asynccontextmanager
async def gateway(store: str, mint: Mint, **chosen: Any) -> AsyncIterator[httpx.AsyncClient]:
    hubs = Hubs(loopback=True, secret=SecretStr("s" * 32))
    settings = Settings(listen="127.0.0.1:0", store=store, issuers=(mint.settings(),), hubs=hubs, **chosen)
    app = application(settings)
    async with app.router.lifespan_context(app), serving(app, settings) as client:
        client.timeout = httpx.Timeout(60)  # a database that is cold plans each statement anew

        async def ready() -> bool:
            return (await client.get("/readyz")).status_code == 200

        await until(ready)
        yield client


@pytest.mark.usefixtures("empty_store")
async def test_an_order_goes_from_order_management_to_people_and_its_states_go_back(
    store_address: str, mint: Mint
) -> None:
    crm, operator = mint.bearer("system:crm"), mint.bearer("operator")
    async with (
        gateway(store_address, mint, orders=Orders(systems=("crm",))) as client,
        hearing(taken) as (callback, heard),
    ):
        for api in APIS:
            hub = await client.post(f"{api.base}/hub", json={"callback": callback}, headers=crm)
            assert hub.status_code == 201, hub.text
            item = {"id": "1", "action": "add", api.kind: {"name": "Line"}}
            sent = {api.item: [item], "relatedParty": [PARTY], "externalId": "PO-1"}
            made = await client.post(api.place, json=sent, headers=crm)
            assert made.status_code == 201, made.text
            asked = {"query": ADVANCE, "variables": {"id": made.json()["id"], "key": api.kind}}
            answer = (await client.post("/graphql", json=asked, headers=operator)).json()
            order = {"state": "IN_PROGRESS", "kind": api.kind.upper(), "customer": {"name": "New Ltd"}}
            assert answer["data"]["advanceOrder"] == {"order": order, "userErrors": []}

        async def is_told() -> bool:
            return len(heard) >= 4

        await until(is_told)
    told = [orjson.loads(await each.read())["eventType"] for each in heard]
    assert sorted(told) == sorted(f"{api.type}{what}Event" for api in APIS for what in ("Create", "StateChange"))


@pytest.mark.usefixtures("empty_store")
async def test_without_the_section_there_are_no_orders(store_address: str, mint: Mint) -> None:
    async with gateway(store_address, mint) as client:
        for api in APIS:
            for path in (api.order, api.cancel, "hub"):
                answer = await client.get(f"{api.base}/{path}", headers=mint.bearer("operator"))
                assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")
        text = 'mutation { placeOrder(items: {id: "1"}, idempotencyKey: "k") { order { id } userErrors { code } } }'
        answer = await client.post("/graphql", json={"query": text}, headers=mint.bearer("operator"))
        assert answer.json()["data"]["placeOrder"] == {"order": None, "userErrors": [{"code": "NO_ORDERS"}]}


def test_the_section_says_who_places_orders_and_how_large_one_is() -> None:
    chosen = Settings(orders=Orders(systems=("crm", "shop"), most_items=7))
    assert policy_of(chosen).ordering == Ordering(systems=frozenset({"crm", "shop"}), most_items=7)
    assert policy_of(Settings(orders=Orders())).ordering == Ordering(systems=frozenset({"order-management"}))
    assert policy_of(Settings()).ordering is None
    for wrong in (
        {"most_items": 0},
        {"most_items": 1_001},
        {"systems": ["a:b"]},
        {"systems": ["operator"]},
        {"colour": "red"},
    ):
        with pytest.raises(ValidationError):
            Orders.model_validate(wrong)


PLACE = """mutation($customer: OrderCustomerInput!) {
  placeOrder(items: [{ id: "1", product: "Line 1G" }, { id: "2", product: "Router" }], customer: $customer, externalId: "PO-7", idempotencyKey: "k") {
    order { id } userErrors { code }
  }
}"""


@asynccontextmanager
async def quietly() -> AsyncIterator[None]:
    """Keep the gateway's log out of what the terminal shows: here both are one process."""
    with capture_logs():
        yield


@pytest.mark.usefixtures("empty_store")
async def test_the_terminal_shows_what_is_open_and_how_far_one_of_them_is(
    store_address: str, mint: Mint, capsys: pytest.CaptureFixture[str]
) -> None:
    operator = mint.bearer("operator")
    async with gateway(store_address, mint, orders=Orders()) as client, quietly():
        token = operator["Authorization"].removeprefix("Bearer ")

        async def typed(*words: str, who: str = token) -> tuple[int, str, str]:
            given = ["orders", *words, "--url", f"{client.base_url}/graphql".replace("//graphql", "/graphql")]
            code = await asyncio.to_thread(run, [*given, "--token", who])
            return (code, *capsys.readouterr())

        assert await typed() == (0, "There is none.\n", "")
        asked = {"query": PLACE, "variables": {"customer": {"id": "4711", "name": "New Ltd"}}}
        answer = (await client.post("/graphql", json=asked, headers=operator)).json()
        order = answer["data"]["placeOrder"]["order"]["id"]
        code, out, _ = await typed()
        assert code == 0
        assert f"{order}  PO-7 from operator: acknowledged, 2 items for New Ltd (customer-" in out
        asked = {"query": ADVANCE, "variables": {"id": order, "key": "x"}}
        await client.post("/graphql", json=asked, headers=operator)
        for name in (order, "PO-7"):
            code, out, _ = await typed(name)
            assert (code, out.splitlines()[0]) == (0, f"product order {order}  PO-7 from operator: in progress")
            assert "  item 1: add Line 1G, in progress" in out.splitlines()
        assert (await typed("PO-7", "--why"))[0] == 0
        [[seen]] = [orjson.loads((await typed("PO-7", "--json"))[1])]
        assert (seen["state"], seen["items"]["totalCount"]) == ("IN_PROGRESS", 2)
        customer = seen["customer"]["id"]
        assert order in (await typed("--customer", customer))[1]
        assert (await typed("--customer", "customer-none"))[::2] == (1, "There is no customer customer-none.\n")
        assert order not in (await typed("--state", "completed"))[1]
        assert (await typed("PO-8"))[0] == 1
        assert (await typed("PO-7", "--all"))[0] == 2
        other = mint.customer("customer-none")["Authorization"].removeprefix("Bearer ")
        assert (await typed("PO-7", who=other))[::2] == (
            1,
            "There is no order PO-7. trunkline orders --all lists what there is.\n",
        )
        code, _, errors = await typed(who="")
        assert code == 1
        assert "token" in errors
    code, _, errors = await typed()
    assert code == 1
    assert "does not answer" in errors
