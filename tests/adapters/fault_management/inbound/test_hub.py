"""Who may ask to be told of alarms, where, of which; and that it is told: in order, at least once, and only what it may read."""

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
from adapters.fault_management.inbound.alarms import BASE
from adapters.fault_management.inbound.hub import AlarmNews
from adapters.webhooks.outward import Rules, outward
from gateway.settings.settings import Settings
from graph.ledger import hubs, retry
from graph.ledger.positions import keep_placed
from graph.model.scope import Principal, Role
from graph.store.store import Store
from tests.adapters.delivery.test_delivery import until
from tests.adapters.endpoint.composed import Port, application, calling
from tests.adapters.fault_management.inbound.published import check_as
from tests.adapters.webhooks.test_outward import hearing, taken
from tests.gateway.conftest import Mint
from tests.graph.changes.network import Laid, lay, report, soon

HERE = "http://127.0.0.1:9/hear"


@pytest.fixture
async def laid(empty_store: Store) -> Laid:
    await lay(empty_store)
    return Laid(store=empty_store)


@pytest.fixture
async def port(laid: Laid, settings: Settings) -> Port:
    return Port(laid.store, settings)


@pytest.fixture
async def client(port: Port, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with calling(application(port, settings), settings) as client:
        yield client


@asynccontextmanager
async def telling(port: Port, *, owner: str = "one") -> AsyncIterator[None]:
    """One process that tells hubs, and gives events their positions."""
    async with outward(port.outward) as way:
        teller = HubTeller(port=port, outward=way, owner=owner, news=AlarmNews(base=BASE))
        tasks = [asyncio.create_task(teller.run()), asyncio.create_task(keep_placed(port.store, owner=owner))]
        try:
            yield
        finally:
            for each in tasks:
                each.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def bodies(heard: list[web.Request]) -> list[dict[str, Any]]:
    return [orjson.loads(await each.read()) for each in heard]


def said(bodies: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(each["eventType"], each["event"]["alarm"]["externalAlarmId"]) for each in bodies]


def count(heard: list[web.Request], wanted: int) -> Callable[[], Any]:
    async def is_enough() -> bool:
        return len(heard) >= wanted

    return is_enough


async def test_a_hub_is_made_shown_and_removed(client: httpx.AsyncClient, mint: Mint) -> None:
    headers = mint.bearer("operator", sub="ann")
    wish = {"callback": HERE, "query": "perceivedSeverity=critical,major&eventType=AlarmCreateEvent"}
    made = await client.post("/hub", json=wish, headers=headers)
    assert made.status_code == 201, made.text
    assert made.json() == {**wish, "id": made.json()["id"]}
    assert made.headers["location"] == f"{BASE}/hub/{made.json()['id']}"
    again = await client.post("/hub", json=wish, headers=headers)
    assert (again.status_code, again.json()["code"]) == (409, "CONFLICT")
    shown = {**made.json(), "state": "active", "skipped": 0}
    place = f"/hub/{made.json()['id']}"
    assert (await client.get(place, headers=headers)).json() == shown
    assert (await client.get("/hub", headers=headers)).json() == [shown]
    assert (await client.delete(place, headers=headers)).status_code == 204
    assert (await client.delete(place, headers=headers)).status_code == 404
    assert (await client.get("/hub", headers=headers)).json() == []


async def test_what_somebody_else_has_asked_for_is_not_there(client: httpx.AsyncClient, mint: Mint) -> None:
    nms, other = (mint.bearer(f"system:{name}", sub=name) for name in ("nms", "other"))
    place = f"/hub/{(await client.post('/hub', json={'callback': HERE}, headers=nms)).json()['id']}"
    for method in ("GET", "DELETE"):
        refused = await client.request(method, place, headers=other)
        unknown = await client.request(method, "/hub/hub-0197a7a2-0000-5000-8000-000000000000", headers=other)
        assert (refused.status_code, refused.content) == (404, unknown.content)
    assert (await client.get("/hub", headers=other)).json() == []
    assert (await client.post("/hub", json={"callback": HERE}, headers=other)).status_code == 201
    assert len((await client.get("/hub", headers=mint.bearer("operator", sub="ann"))).json()) == 2
    assert (await client.delete(place, headers=mint.bearer("operator", sub="ann"))).status_code == 204


@pytest.mark.parametrize("role", ["customer", "analyst"])
async def test_who_reads_a_slice_or_nothing_that_lasts_is_not_told(
    client: httpx.AsyncClient, mint: Mint, role: str
) -> None:
    headers = mint.customer("customer-a") if role == "customer" else mint.bearer(role)
    for method, path in (("POST", "/hub"), ("GET", "/hub"), ("DELETE", "/hub/hub-1")):
        assert (await client.request(method, path, json={"callback": HERE}, headers=headers)).status_code == 403


@pytest.mark.sampled(7)
@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({}, "callback"),
        ([], ""),
        ({"callback": 7}, "callback"),
        ({"callback": HERE, "query": 7}, "query"),
        ({"callback": "https://169.254.169.254/latest/meta-data"}, "callback"),
        ({"callback": "https://10.0.0.1"}, "callback"),
        ({"callback": "https://evil.example"}, "callback"),
        ({"callback": "http://noc.example.com"}, "callback"),
        ({"callback": HERE, "query": "colour=red"}, "colour"),
        ({"callback": HERE, "query": "perceivedSeverity=dreadful"}, "perceivedSeverity"),
        ({"callback": HERE, "query": "eventType=AlarmDeleteEvent"}, "query"),
        ({"callback": HERE, "query": "alarmRaisedTime.gt=yesterday"}, "alarmRaisedTime.gt"),
        ({"callback": HERE, "query": "id=" + "x" * 2_000}, "query"),
    ],
)
async def test_what_cannot_be_is_refused_with_its_place(
    client: httpx.AsyncClient, mint: Mint, body: object, where: str
) -> None:
    headers = mint.bearer("operator", sub="ann")
    refused = await client.post("/hub", json=body, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (400, "BAD_USER_INPUT"), refused.text
    assert where in refused.json()["message"]
    assert (await client.get("/hub", headers=headers)).json() == []


async def test_nobody_asks_for_more_than_so_many(client: httpx.AsyncClient, mint: Mint) -> None:
    headers = mint.bearer("operator", sub="ann")
    for number in range(hubs.MOST_OF_ONE):
        made = await client.post("/hub", json={"callback": f"{HERE}/{number}"}, headers=headers)
        assert made.status_code == 201
    refused = await client.post("/hub", json={"callback": HERE}, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (409, "CONFLICT")


async def test_without_the_setting_nobody_is_told(client: httpx.AsyncClient, port: Port, mint: Mint) -> None:
    port.outward = Rules(hosts=(), secret=port.outward.secret)
    refused = await client.post("/hub", json={"callback": HERE}, headers=mint.bearer("operator"))
    assert (refused.status_code, "hubs" in refused.json()["message"]) == (403, True)


async def test_each_event_is_told_in_order_to_whom_it_concerns(
    client: httpx.AsyncClient, port: Port, laid: Laid, mint: Mint
) -> None:
    ann, nms = mint.bearer("operator", sub="ann"), mint.bearer("system:nms", sub="nms")
    await laid.raise_(report("nowhere-9", 9))  # before anybody asked
    async with telling(port), hearing(taken) as (all_of_it, heard), hearing(taken) as (new, heard_new):
        await placed(laid)
        async with hearing(taken) as (theirs, heard_theirs):
            assert (await client.post("/hub", json={"callback": all_of_it}, headers=ann)).is_success
            query = "eventType=AlarmCreateEvent&perceivedSeverity=critical"
            assert (await client.post("/hub", json={"callback": new, "query": query}, headers=ann)).is_success
            assert (await client.post("/hub", json={"callback": theirs}, headers=nms)).is_success
            first = await laid.raise_(report("nowhere-1", 1))
            await laid.clear(first)
            sender = Principal(subject="nms", role=Role.SYSTEM, system="nms", sources=("nms-1",))
            await laid.raise_(report("nowhere-2", 2, source_system_id="nms-1", perceived_severity="minor"), sender)
            await until(count(heard, 3))
            await until(count(heard_theirs, 1))
            await asyncio.sleep(0.6)
            assert said(await bodies(heard)) == [
                ("AlarmCreateEvent", "X1"),
                ("AlarmStateChangeEvent", "X1"),
                ("AlarmCreateEvent", "X2"),
            ]
            assert said(await bodies(heard_theirs)) == [("AlarmCreateEvent", "X2")], "of its own sources only"
            assert said(await bodies(heard_new)) in ([], [("AlarmCreateEvent", "X1")]), "it may be cleared by then"
    for each in await bodies(heard):
        check_as(each, each["eventType"])
    [body, *_] = await bodies(heard)
    assert {"eventId", "eventTime", "eventType", "event"} == body.keys()
    assert body["event"]["alarm"]["href"] == f"{BASE}/alarm/{first}"
    assert [each.path.rpartition("/")[2] for each in heard][:2] == ["alarmCreateEvent", "alarmStateChangeEvent"]


@pytest.fixture
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "BASE_MS", 50)


@pytest.mark.sampled(2)
@pytest.mark.usefixtures("brisk")
@pytest.mark.parametrize("status", [500, 429, 302])
async def test_what_is_not_taken_is_told_again_and_nothing_overtakes_it(
    client: httpx.AsyncClient, port: Port, laid: Laid, mint: Mint, status: int
) -> None:
    answers = [status, status]

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=answers.pop() if answers else 204, headers={"Location": "http://127.0.0.1:9/"})

    async with telling(port), hearing(answer) as (callback, heard):
        assert (await client.post("/hub", json={"callback": callback}, headers=mint.bearer("operator"))).is_success
        for number in (1, 2):
            await laid.raise_(report(f"nowhere-{number}", number))
        await until(count(heard, 4))
    assert said(await bodies(heard)) == [("AlarmCreateEvent", each) for each in ("X1", "X1", "X1", "X2")]


@pytest.mark.usefixtures("brisk")
@pytest.mark.parametrize("status", [400, 403])
async def test_what_is_refused_three_times_is_passed_over_and_counted(
    client: httpx.AsyncClient, port: Port, laid: Laid, mint: Mint, status: int
) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        told = orjson.loads(await request.read())["event"]["alarm"]["externalAlarmId"]
        return web.Response(status=status if told == "X1" else 204)

    headers = mint.bearer("operator")
    async with telling(port), hearing(answer) as (callback, heard):
        made = (await client.post("/hub", json={"callback": callback}, headers=headers)).json()
        for number in (1, 2, 3):
            await laid.raise_(report(f"nowhere-{number}", number))
        await until(count(heard, 5))
    assert said(await bodies(heard)) == [("AlarmCreateEvent", each) for each in ("X1", "X1", "X1", "X2", "X3")]
    shown = (await client.get(f"/hub/{made['id']}", headers=headers)).json()
    assert (shown["skipped"], shown["state"]) == (1, "active")
    assert str(status) in shown["reason"]


@pytest.mark.sampled(3)
@pytest.mark.usefixtures("brisk")
@pytest.mark.parametrize(
    ("answers", "wanted"),
    [
        ((503, 503, 204, 404, 204), ("X1", "X1", "X1", "X2", "X2")),
        ((503, 503, 404, 204, 204), ("X1", "X1", "X1", "X1", "X2")),
        ((404, 404, 503, 204, 204), ("X1", "X1", "X1", "X1", "X2")),
        ((401, 403, 401, 204, 204), ("X1", "X1", "X1", "X1", "X2")),
        ((403, 403, 401, 401, 204, 204), ("X1", "X1", "X1", "X1", "X1", "X2")),
        ((403, 403, 403, 403, 204, 204), ("X1", "X1", "X1", "X2", "X1", "X2")),
    ],
)
async def test_only_refusals_of_one_event_count(
    client: httpx.AsyncClient, port: Port, laid: Laid, mint: Mint, answers: tuple[int, ...], wanted: tuple[str, ...]
) -> None:
    statuses = [*answers]

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=statuses.pop(0))

    for number in (1, 2):  # both in one look
        await laid.raise_(report(f"nowhere-{number}", number))
    async with telling(port), hearing(answer) as (callback, heard):
        await placed(laid)
        headers = mint.bearer("operator")
        made = (await client.post("/hub", json={"callback": callback}, headers=headers)).json()
        await laid.run("MATCH (h:Hub) SET h.after = 0")
        await until(count(heard, len(wanted)))
    assert said(await bodies(heard)) == [("AlarmCreateEvent", each) for each in wanted]
    assert (await client.get(f"/hub/{made['id']}", headers=headers)).json()["skipped"] == 0


async def test_one_that_has_failed_for_a_week_is_parked(laid: Laid) -> None:
    wish = hubs.Wish(principal="ann", reads="{}", callback=HERE, query="")
    assert await hubs.register(laid.store, wish, deadline=soon())
    for state in ("active", "parked"):
        [hub] = await hubs.take_hubs(laid.store, owner="one", deadline=soon())
        failure = hubs.Failure(pause=0, patience=1_000, reason="away")
        await hubs.failed(laid.store, hub, failure, owner="one", deadline=soon())
        found = await hubs.hub_of(laid.store, wish.id, deadline=soon())
        assert found is not None
        assert (found.state, found.reason) == (state, "away")
        await laid.run("MATCH (h:Hub) SET h.failingSince = h.failingSince - 2000")
    assert await hubs.take_hubs(laid.store, owner="one", deadline=soon()) == []


async def test_only_who_holds_the_lease_counts(laid: Laid) -> None:
    wish = hubs.Wish(principal="ann", reads="{}", callback=HERE, query="")
    assert await hubs.register(laid.store, wish, deadline=soon())
    [hub] = await hubs.take_hubs(laid.store, owner="one", deadline=soon())
    assert await hubs.take_hubs(laid.store, owner="two", deadline=soon()) == []
    await laid.run("MATCH (h:Hub) SET h.until = 1")
    assert await hubs.take_hubs(laid.store, owner="two", deadline=soon()) == [hub]
    assert not await hubs.told(laid.store, hub, hubs.Reached(after=7), owner="one", deadline=soon())
    assert await hubs.told(laid.store, hub, hubs.Reached(after=5), owner="two", deadline=soon())
    found = await hubs.hub_of(laid.store, wish.id, deadline=soon())
    assert found is not None
    assert found.after == 5


async def test_two_processes_tell_each_event_once(
    client: httpx.AsyncClient, port: Port, laid: Laid, mint: Mint
) -> None:
    async with telling(port), telling(port, owner="two"), hearing(taken) as (callback, heard):
        assert (await client.post("/hub", json={"callback": callback}, headers=mint.bearer("operator"))).is_success
        for number in range(12):
            await laid.raise_(report(f"nowhere-{number}", number))
        await until(count(heard, 12))
        await asyncio.sleep(0.6)
    assert said(await bodies(heard)) == [("AlarmCreateEvent", f"X{number}") for number in range(12)]


async def placed(laid: Laid) -> None:
    """Wait until every event has its position."""

    async def are() -> bool:
        return await laid.rows("MATCH (e:Event) WHERE e.unplaced > 0 RETURN e.id") == []

    await until(are)
