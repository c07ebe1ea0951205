"""Customers' own systems are told of their tickets: whoever opened or changed them, in order, and of nobody else's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson
import pytest
from aiohttp import web

from adapters.endpoint.hub_telling import HubTeller
from adapters.ticketing.hub import TicketNews
from adapters.ticketing.inbound import DESK_BASE, DESK_PLACE, desk_routes
from adapters.webhooks.outward import outward
from gateway.settings.settings import Settings
from graph.changes.tickets.ticketing import Heard, note_tickets
from graph.ledger.positions import keep_placed
from graph.model.scope import CLAIMABLE
from graph.store.store import Store
from tests.adapters.delivery.test_delivery import until
from tests.adapters.endpoint.composed import Port, endpoint, routed
from tests.adapters.schema import published
from tests.adapters.webhooks.test_outward import hearing, taken
from tests.gateway.conftest import Mint
from tests.graph.changes.network import POLICY, Laid, lay, report, soon

HERE = "http://127.0.0.1:9/hear"


@pytest.fixture
async def laid(empty_store: Store) -> Laid:
    await lay(empty_store)
    laid = Laid(store=empty_store)
    await laid.run("MATCH (s:Service) SET s.kind = 'x', s.state = 'active'")
    await laid.run("MATCH (c:Customer) SET c.segment = 'x', c.status = 'active'")
    return laid


@pytest.fixture
async def port(laid: Laid, settings: Settings) -> Port:
    port = Port(laid.store, settings)
    port.policy = POLICY
    return port


@pytest.fixture
async def client(port: Port, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with routed(endpoint(DESK_BASE, desk_routes, port, settings), settings, DESK_BASE) as client:
        yield client


def bearer(mint: Mint, customer: str) -> dict[str, str]:
    return mint.bearer("customer", sub=customer, customers=[customer], changes=list(CLAIMABLE))


@asynccontextmanager
async def telling(port: Port) -> AsyncIterator[None]:
    async with outward(port.outward) as way:
        teller = HubTeller(port=port, outward=way, owner="one", news=TicketNews(place=DESK_PLACE))
        tasks = [asyncio.create_task(teller.run()), asyncio.create_task(keep_placed(port.store, owner="one"))]
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


async def test_each_customer_is_told_of_its_own_tickets_in_order(
    client: httpx.AsyncClient, mint: Mint, laid: Laid, port: Port
) -> None:
    ada, bob = bearer(mint, "customer-a"), bearer(mint, "customer-b")
    async with hearing(taken) as (to_ada, ada_heard), hearing(taken) as (to_bob, bob_heard):
        for headers, callback in ((ada, to_ada), (bob, to_bob)):
            made = await client.post("/hub", json={"callback": callback}, headers=headers)
            assert made.status_code == 201, made.text
            again = await client.post("/hub", json={"callback": callback}, headers=headers)
            assert again.status_code == 409
        alarm = await laid.raise_(report("trunk-1"))
        heard = Heard(order_key=f"{alarm}:customer-a", their_id="TT-1", status="held", changed_at=None)
        await laid.run("MATCH (d:Delivery) SET d.state = 'DONE'")
        await note_tickets(laid.store, POLICY, [heard], subject="desk", deadline=soon())
        entity = {"id": "service-a", "role": "affected", "@referredType": "Service"}
        body = {"description": "Slow", "severity": "minor", "ticketType": "complaint", "relatedEntity": [entity]}
        ticket = (await client.post("/troubleTicket", json=body, headers=ada)).json()["id"]
        for patch in ({"note": [{"text": "Very"}]}, {"status": "closed"}):
            done = await client.patch(f"/troubleTicket/{ticket}", json=patch, headers=ada)
            assert done.status_code == 200, done.text
        async with telling(port):
            await until(count(ada_heard, 5))
            await until(count(bob_heard, 1))
    bodies = [orjson.loads(await each.read()) for each in ada_heard]
    told = [each["eventType"].removeprefix("TroubleTicket").removesuffix("Event") for each in bodies]
    assert told == ["Create", "StatusChange", "Create", "AttributeValueChange", "StatusChange"]
    assert [each["event"]["troubleTicket"]["id"] for each in bodies][2:] == [ticket] * 3
    assert bodies[1]["event"]["troubleTicket"]["externalId"] == "TT-1"
    assert len({each["eventId"] for each in bodies}) == 5
    for each in bodies:
        assert [*published("TroubleTicketCreateEvent").iter_errors(each)] == []
        assert each["event"]["troubleTicket"]["relatedParty"][0]["id"] == "customer-a"
    assert ada_heard[0].path.endswith("/listener/troubleTicketCreateEvent")
    [other] = [orjson.loads(await each.read()) for each in bob_heard]
    assert other["event"]["troubleTicket"]["relatedParty"][0]["id"] == "customer-b"


async def test_a_query_chooses_events_and_tickets(
    client: httpx.AsyncClient, mint: Mint, laid: Laid, port: Port
) -> None:
    async with hearing(taken) as (callback, heard):
        query = "eventType=TroubleTicketCreateEvent&severity=major,critical"
        wanted = {"callback": callback, "query": query}
        assert (await client.post("/hub", json=wanted, headers=mint.bearer("operator"))).status_code == 201
        await laid.raise_(report("trunk-1"))
        await laid.raise_(report("trunk-1", cleared=True))
        async with telling(port):
            await until(count(heard, 2))
            await asyncio.sleep(1)
    assert len(heard) == 2, "one for each customer, and nothing of the clear"


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("eventType=AlarmCreateEvent", "eventType is AlarmCreateEvent"),
        ("colour=red", "colour: cannot be filtered by"),
        ("status=broken", "status: is none of"),
    ],
)
async def test_a_query_that_no_ticket_answers_is_refused(
    client: httpx.AsyncClient, mint: Mint, query: str, said: str
) -> None:
    wanted = {"callback": HERE, "query": query}
    answer = await client.post("/hub", json=wanted, headers=mint.bearer("operator"))
    assert answer.status_code == 400
    assert said in answer.json()["message"]


async def test_a_hub_is_its_own_topics_and_its_callers(client: httpx.AsyncClient, mint: Mint, laid: Laid) -> None:
    ada, bob = bearer(mint, "customer-a"), bearer(mint, "customer-b")
    made = (await client.post("/hub", json={"callback": HERE}, headers=ada)).json()
    assert [each["id"] for each in (await client.get("/hub", headers=ada)).json()] == [made["id"]]
    assert (await client.get("/hub", headers=bob)).json() == []
    assert (await client.delete(f"/hub/{made['id']}", headers=bob)).status_code == 404
    assert (await client.get("/hub", headers=mint.bearer("analyst"))).status_code == 403
    assert await laid.rows("MATCH (h:Hub) RETURN h.topic") == [["troubleTicket"]]
    assert (await client.delete(f"/hub/{made['id']}", headers=mint.bearer("operator"))).status_code == 204
