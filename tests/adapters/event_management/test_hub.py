"""Who may ask to be told of all that happens, of which of it; and that it is told: in order, as published, what is gone too."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import httpx
import orjson
import pytest
from aiohttp import web

from adapters.endpoint.hub_telling import HubTeller
from adapters.event_management.inbound import BASE, event_routes
from adapters.event_management.news import EventNews, _turns
from adapters.fault_management.inbound.alarms import BASE as ALARMS
from adapters.fault_management.inbound.hub import AlarmNews
from adapters.ticketing.hub import TicketNews
from adapters.ticketing.inbound import DESK_PLACE
from adapters.webhooks.outward import outward
from gateway.settings.settings import Settings
from graph.changes.alarms.consequences import By
from graph.changes.events import Event, append
from graph.errors import DeadlineExceeded
from graph.inventory.equipment import Hand, change, remove
from graph.ledger import hubs
from graph.ledger.hubs import Happened, Span
from graph.ledger.positions import keep_placed
from graph.model.event_kinds import KINDS
from graph.model.scope import Principal, Role
from graph.store.store import Store, Transaction
from tests.adapters.delivery.test_delivery import until
from tests.adapters.endpoint.composed import Port, endpoint, routed
from tests.adapters.schema import published
from tests.adapters.webhooks.test_outward import hearing, taken
from tests.gateway.conftest import Mint
from tests.graph.changes.network import POLICY, Laid, lay, report, soon

HERE = "http://127.0.0.1:9/hear"
OPERATOR = Principal(subject="9:issuer-a:ann", role=Role.OPERATOR)
NEWS = EventNews(parts=(AlarmNews(base=ALARMS), TicketNews(place=DESK_PLACE)))


@pytest.fixture
async def laid(empty_store: Store) -> Laid:
    await lay(empty_store)
    return Laid(store=empty_store)


@pytest.fixture
async def port(laid: Laid, settings: Settings) -> Port:
    port = Port(laid.store, settings)
    port.policy = POLICY
    return port


@pytest.fixture
async def client(port: Port, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with routed(endpoint(BASE, event_routes, port, settings), settings, BASE) as client:
        yield client


@asynccontextmanager
async def telling(port: Port, news: EventNews = NEWS) -> AsyncIterator[None]:
    async with outward(port.outward) as way:
        teller = HubTeller(port=port, outward=way, owner="one", news=news)
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


async def events(heard: list[web.Request]) -> list[dict[str, Any]]:
    """Give the events that were told, each in a notification as published."""
    found = []
    for each in heard:
        assert each.path.endswith("/listener/eventCreateEvent")
        body = orjson.loads(await each.read())
        assert body["eventType"] == "EventCreateEvent"
        assert [*published("EventCreateEvent", 688).iter_errors(body)] == []
        found.append(body["event"]["event"])
    return found


def said(found: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(each["eventType"], each["source"]["id"]) for each in found]


async def test_a_hub_is_made_and_removed_as_published(client: httpx.AsyncClient, mint: Mint) -> None:
    headers = mint.bearer("operator", sub="ann")
    wish = {"callback": HERE, "query": "eventType=ServiceStateChangeEvent,ResourceCreateEvent&domain=service"}
    made = await client.post("/hub", json=wish, headers=headers)
    assert made.status_code == 201, made.text
    assert [*published("EventSubscription", 688).iter_errors(made.json())] == []
    assert made.headers["location"] == f"{BASE}/hub/{made.json()['id']}"
    assert (await client.delete(f"/hub/{made.json()['id']}", headers=headers)).status_code == 204


async def test_the_topics_are_the_domains(client: httpx.AsyncClient, mint: Mint) -> None:
    headers = mint.bearer("operator", sub="ann")
    answer = await client.get("/topic", headers=headers)
    assert (answer.status_code, answer.headers["x-total-count"]) == (200, "4")
    for each in answer.json():
        assert [*published("Topic", 688).iter_errors(each)] == []
        assert (await client.get(f"/topic/{each['id']}", headers=headers)).json() == each
        wish = {"callback": f"{HERE}/{each['id']}", "query": each["headerQuery"]}
        assert (await client.post("/hub", json=wish, headers=headers)).status_code == 201
    part = await client.get("/topic?fields=name&limit=1", headers=headers)
    assert (part.status_code, part.json()[0].keys()) == (206, {"id", "href", "name"})
    assert (await client.get("/topic/weather", headers=headers)).status_code == 404


@pytest.mark.parametrize("role", ["customer", "analyst", "system:nms"])
async def test_only_operators_hear_of_everybody(client: httpx.AsyncClient, mint: Mint, role: str) -> None:
    headers = mint.customer("customer-a") if role == "customer" else mint.bearer(role)
    for method, path in (("POST", "/hub"), ("GET", "/hub"), ("GET", "/topic")):
        assert (await client.request(method, path, json={"callback": HERE}, headers=headers)).status_code == 403


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ("eventType=RouterCreateEvent", "eventType is RouterCreateEvent"),
        ("kind=RouterAdded", "kind is RouterAdded"),
        ("domain=router", "domain: router is none of"),
        ("perceivedSeverity=major", "perceivedSeverity: cannot be filtered by"),
    ],
)
async def test_a_query_that_no_event_answers_is_refused(
    client: httpx.AsyncClient, mint: Mint, query: str, where: str
) -> None:
    refused = await client.post("/hub", json={"callback": HERE, "query": query}, headers=mint.bearer("operator"))
    assert (refused.status_code, where in refused.json()["message"]) == (400, True), refused.text


async def test_there_are_at_most_so_many_in_all(
    client: httpx.AsyncClient, mint: Mint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hubs, "MOST_OF_ALL", 1)
    for name, status in (("ann", 201), ("bob", 409)):
        made = await client.post("/hub", json={"callback": HERE}, headers=mint.bearer("operator", sub=name))
        assert made.status_code == status
    assert made.json()["message"] == "There are 1 hubs already."


async def test_all_that_happens_is_told_in_one_order_and_filters_choose(
    client: httpx.AsyncClient, mint: Mint, laid: Laid, port: Port
) -> None:
    ann = mint.bearer("operator", sub="ann")
    async with hearing(taken) as (everything, heard), hearing(taken) as (some, chosen), hearing(taken) as (one, lone):
        for callback, query in (
            (everything, ""),
            (some, "domain=service,resource"),
            (one, "kind=AlarmCleared&source.id=alarm-none"),
        ):
            made = await client.post("/hub", json={"callback": callback, "query": query}, headers=ann)
            assert made.status_code == 201, made.text
        alarm = await laid.raise_(report("trunk-1"))
        hand = Hand(by=By(principal=OPERATOR, policy=POLICY), system="inventory")
        await laid.run("CREATE (:Card {id: 'card-9', name: 'N1/9', operationalState: 'enabled'})")
        for step in (partial(change_card, hand=hand), partial(remove_card, hand=hand)):
            await laid.store.write(step, deadline=soon())
        async with telling(port):
            await until(count(heard, 7))
            await until(count(chosen, 4))
            await asyncio.sleep(0.5)
    found = await events(heard)
    assert said(found)[0] == ("AlarmCreateEvent", alarm)
    assert {name for name, _ in said(found)[1:3]} == {"TroubleTicketCreateEvent"}
    assert said(found)[3:] == [
        ("ServiceStateChangeEvent", "service-a"),
        ("ServiceStateChangeEvent", "service-b"),
        ("ResourceStateChangeEvent", "card-9"),
        ("ResourceDeleteEvent", "card-9"),
    ]
    assert len({each["id"] for each in found}) == 7
    assert found[0]["event"]["alarm"]["id"] == alarm
    assert found[3]["event"]["service"]["serviceCharacteristic"][0]["value"] == "degraded"
    assert found[5]["event"]["resource"]["operationalState"] == "disable"
    assert found[6]["event"]["resource"]["name"] == "N1/9", "what is gone says what it was"
    assert said(await events(chosen)) == said(found)[3:]
    assert lone == []


async def test_a_new_rate_of_a_service_is_told_with_its_threshold(
    client: httpx.AsyncClient, mint: Mint, laid: Laid, port: Port
) -> None:
    rates = {"effectiveMbps": 500, "bookedMbps": 500, "committedMbps": 100, "threshold": 400}
    changed = Event(
        type="ServiceRateChanged",
        aggregate_id="service-a",
        aggregate_version=1,
        at=1_772_362_800_000,
        principal="network",
        payload={"service": "service-a", "customer": "customer-a", **rates},
        customers=("customer-a",),
    )

    async def work(transaction: Transaction) -> None:
        append(transaction, changed)

    async with hearing(taken) as (callback, heard):
        wish = {"callback": callback, "query": "kind=ServiceRateChanged"}
        made = await client.post("/hub", json=wish, headers=mint.bearer("operator", sub="ann"))
        assert made.status_code == 201, made.text
        await laid.store.write(work, deadline=soon())
        async with telling(port):
            await until(count(heard, 1))
    [found] = await events(heard)
    assert said([found]) == [("ServiceAttributeValueChangeEvent", "service-a")]
    service = found["event"]["service"]
    assert {each["name"]: each["value"] for each in service["serviceCharacteristic"]} == rates
    assert [*published("Service", 638).iter_errors(service)] == []


async def change_card(transaction: Transaction, hand: Hand) -> None:
    assert await change(transaction, hand, "card-9", {"operationalState": "disabled"})


async def remove_card(transaction: Transaction, hand: Hand) -> None:
    assert await remove(transaction, hand, "card-9")


@pytest.mark.parametrize(("becomes", "told"), [("down", 0), (None, 1)])
def test_whether_an_end_is_told_depends_on_itself_alone(becomes: str | None, told: int) -> None:
    """Not on what else is read with it: a span may end between it and what takes its place."""
    kind = KINDS["ServiceStateChanged"]
    ended = Happened(
        id="e", kind=kind, type="DowntimeEnded", about="service-a", at=1, position=1, payload={"becomes": becomes}
    )
    assert len([*_turns([ended])]) == told


async def test_a_span_that_takes_too_long_is_halved_until_it_is_read(
    client: httpx.AsyncClient, mint: Mint, laid: Laid, port: Port
) -> None:
    read: list[int] = []

    class Slow(EventNews):
        async def within(self, port: Any, principal: Principal, span: Span, *, deadline: float) -> list[Happened]:
            read.append(span.upto - span.after)
            if read[-1] > 1:
                raise DeadlineExceeded("too large")
            return await super().within(port, principal, span, deadline=deadline)

    async with hearing(taken) as (callback, heard):
        made = await client.post("/hub", json={"callback": callback}, headers=mint.bearer("operator", sub="ann"))
        assert made.status_code == 201
        await laid.raise_(report("trunk-1"))
        async with telling(port, Slow(parts=NEWS.parts)):
            await until(count(heard, 5))
    assert max(read) == 3
    assert next(iter(said(await events(heard))))[0] == "AlarmCreateEvent"
