"""Whoever has registered hears of each state of an order, in order, and of nobody else's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from aiohttp import web

from adapters.endpoint.hub_telling import HubTeller
from adapters.order_management.api import APIS, PRODUCTS, SERVICES, Api
from adapters.order_management.hub import as_it_was, news_of
from adapters.webhooks.outward import outward
from gateway.settings.settings import Settings
from graph.ledger.positions import keep_placed
from graph.store.store import Store
from tests.adapters.delivery.test_delivery import until
from tests.adapters.endpoint.composed import Port
from tests.adapters.order_management.desk import body, calling, crm, customer, faults, item, laid_in, port_of
from tests.adapters.webhooks.test_outward import hearing, taken
from tests.gateway.conftest import Mint
from tests.graph.changes.network import Laid


@pytest.fixture
async def laid(empty_store: Store) -> Laid:
    return await laid_in(empty_store)


@asynccontextmanager
async def telling(port: Port, *apis: Api) -> AsyncIterator[None]:
    async with outward(port.outward) as way:
        tellers = [HubTeller(port=port, outward=way, owner="one", news=news_of(each)) for each in apis]
        tasks = [asyncio.create_task(each.run()) for each in tellers]
        tasks.append(asyncio.create_task(keep_placed(port.store, owner="one")))
        try:
            yield
        finally:
            for each in tasks:
                each.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def count(heard: list[web.Request], wanted: int) -> Callable[[], Any]:
    async def is_enough() -> bool:
        return len(heard) >= wanted

    return is_enough


@pytest.mark.parametrize("api", APIS, ids=lambda each: each.kind)
async def test_each_state_goes_back_to_whoever_has_placed_the_order(
    api: Api, laid: Laid, settings: Settings, mint: Mint
) -> None:
    port, mine, operator = port_of(laid, settings), crm(mint), mint.bearer("operator")
    async with (
        calling(api, port, settings) as client,
        hearing(taken) as (callback, heard),
        hearing(taken) as (other, nothing),
    ):
        for headers, where in ((mine, callback), (crm(mint, "shop"), other), (customer(mint, "customer-b"), other)):
            assert (await client.post("/hub", json={"callback": where}, headers=headers)).status_code == 201
        assert (await client.post("/hub", json={"callback": callback}, headers=mine)).status_code == 409
        sent = body(api, item(api, "1"), item(api, "2"), externalId="PO-1")
        order = (await client.post(f"/{api.order}", json=sent, headers=mine)).json()["id"]
        where = f"/{api.order}/{order}"
        for patch in (
            {"priority": "1"},
            {api.item: [{"id": "1", "state": "inProgress"}]},
            {api.item: [{"id": "1", "state": "completed"}]},
        ):
            assert (await client.patch(where, json=patch, headers=operator)).status_code == 200
        cancel = await client.post(f"/{api.cancel}", json={api.order: {"id": order}}, headers=mine)
        assert cancel.json()["state"] == "accepted"
        for state in ("pendingCancellation", "cancelled"):
            patch = {api.item: [{"id": "2", "state": state}]}
            assert (await client.patch(where, json=patch, headers=operator)).status_code == 200
        async with telling(port, *APIS):
            await until(count(heard, 10))
            await asyncio.sleep(0.5)
    bodies = [orjson.loads(await each.read()) for each in heard]
    kind = api.type
    assert [each["eventType"] for each in bodies] == [
        f"{kind}CreateEvent",
        f"{kind}AttributeValueChangeEvent",
        f"{kind}StateChangeEvent",
        f"{kind}StateChangeEvent",
        f"Cancel{kind}CreateEvent",
        f"{kind}StateChangeEvent",
        f"{kind}StateChangeEvent",
        f"Cancel{kind}StateChangeEvent",
        f"{kind}StateChangeEvent",
        f"Cancel{kind}StateChangeEvent",
    ]
    orders = [each["event"][api.order] for each in bodies if api.order in each["event"]]
    assert [each["state"] for each in orders] == [
        *("acknowledged", "acknowledged", "inProgress", "inProgress"),
        *("assessingCancellation", "pendingCancellation", "partial"),
    ]
    assert {each["externalId"] for each in orders} == {"PO-1"}
    requests = [each["event"][api.cancel] for each in bodies if api.cancel in each["event"]]
    assert [each["state"] for each in requests] == ["accepted", "inProgress", "done"]
    for each in bodies:
        assert faults(each["eventType"], each, api) == []
    assert heard[0].path.endswith(f"/listener/{api.order}CreateEvent")
    assert heard[4].path.endswith(f"/listener/{api.cancel}CreateEvent")
    assert len({each["eventId"] for each in bodies}) == len(bodies)
    assert nothing == []


async def test_a_query_chooses_events_and_orders(laid: Laid, settings: Settings, mint: Mint) -> None:
    port, operator = port_of(laid, settings), mint.bearer("operator")
    async with calling(PRODUCTS, port, settings) as client, hearing(taken) as (callback, heard):
        query = "eventType=ProductOrderCreateEvent&priority=1"
        wanted = {"callback": callback, "query": query}
        assert (await client.post("/hub", json=wanted, headers=operator)).status_code == 201
        for bad in ("eventType=ServiceOrderCreateEvent", "colour=red", "state=gone"):
            answer = await client.post("/hub", json={"callback": callback, "query": bad}, headers=operator)
            assert answer.status_code == 400
        for priority in ("1", "2"):
            sent = body(PRODUCTS, priority=priority)
            assert (await client.post("/productOrder", json=sent, headers=operator)).status_code == 201
        async with calling(SERVICES, port, settings) as other:
            sent = body(SERVICES, priority="1")
            assert (await other.post("/serviceOrder", json=sent, headers=operator)).status_code == 201
        async with telling(port, *APIS):
            await until(count(heard, 1))
            await asyncio.sleep(0.5)
    [told] = [orjson.loads(await each.read()) for each in heard]
    assert told["event"]["productOrder"]["priority"] == "1"


async def test_a_customer_hears_of_its_own_orders(laid: Laid, settings: Settings, mint: Mint) -> None:
    port, ada, bob = port_of(laid, settings), customer(mint, "customer-a"), customer(mint, "customer-b")
    async with (
        calling(PRODUCTS, port, settings) as client,
        hearing(taken) as (to_ada, ada_heard),
        hearing(taken) as (to_bob, bob_heard),
    ):
        for headers, callback in ((ada, to_ada), (bob, to_bob)):
            assert (await client.post("/hub", json={"callback": callback}, headers=headers)).status_code == 201
            sent = {"productOrderItem": [item(PRODUCTS)]}
            assert (await client.post("/productOrder", json=sent, headers=headers)).status_code == 201
        async with telling(port, PRODUCTS):
            await until(count(ada_heard, 1))
            await until(count(bob_heard, 1))
            await asyncio.sleep(0.5)
    for heard, name in ((ada_heard, "customer-a"), (bob_heard, "customer-b")):
        [told] = [orjson.loads(await each.read()) for each in heard]
        assert [each["id"] for each in told["event"]["productOrder"]["relatedParty"]] == [name]


def test_an_event_shows_the_states_that_it_tells_of() -> None:
    order = {
        "id": "o",
        "state": "completed",
        "productOrderItem": [{"id": "1", "state": "completed"}, {"id": "2", "state": "held"}],
    }
    told = as_it_was(PRODUCTS, order, {"state": "inProgress", "items": {"1": "inProgress"}})
    assert told["state"] == "inProgress"
    assert [each["state"] for each in told["productOrderItem"]] == ["inProgress", "held"]
