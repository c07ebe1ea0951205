from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote_plus

import httpx
import orjson
import pytest

from adapters.endpoint import listing, reading
from adapters.endpoint.listing import LAST_OFFSET
from adapters.fault_management.inbound import reads as alarm_reads
from adapters.fault_management.inbound.alarms import BASE
from adapters.tmf.tmf630 import matches, read_query, read_sorts, read_time, sorted_by
from gateway.settings.settings import Settings
from graph.store.store import Store, Transaction
from tests.adapters.endpoint.composed import Port, application, calling, soon
from tests.gateway.conftest import Mint
from tests.resolvers.tenants import A, B, tenants
from tests.resolvers.world import load

LINK = re.compile(r'<([^>]+)>; rel="(\w+)"')
TIMES = ("alarmRaisedTime", "alarmChangedTime", "alarmClearedTime")
TYPED = {
    *("id", "href", "sourceSystemId", "externalAlarmId", "alarmType", "probableCause", "specificProblem", "state"),
    *("perceivedSeverity", "ackState", "alarmedObject", "affectedService", *TIMES),
}


@pytest.fixture
def operator(mint: Mint) -> dict[str, str]:
    return mint.bearer("operator")


@pytest.fixture
def customer(mint: Mint) -> dict[str, str]:
    return mint.customer(A)


@pytest.fixture
async def everything(client: httpx.AsyncClient, operator: dict[str, str]) -> list[dict[str, Any]]:
    alarms: list[dict[str, Any]] = (await client.get("/alarm", headers=operator)).json()
    assert len(alarms) == len(tenants().ids("Alarm"))
    return alarms


async def ids(client: httpx.AsyncClient, query: str, headers: dict[str, str]) -> list[str]:
    answer = await client.get(f"/alarm?{query}", headers=headers)
    assert answer.status_code in (200, 206), answer.text
    return [each["id"] for each in answer.json()]


# Filters


@pytest.mark.sampled(13)
@pytest.mark.parametrize(
    "query",
    [
        "",
        "id=alarm-s1",
        "id=alarm-s1,alarm-b1,alarm-none",
        "id=alarm-s1&id=alarm-b2",
        "sourceSystemId=nms-1",
        "sourceSystemId=nms-1&perceivedSeverity=critical,major",
        "externalAlarmId=ext-a1",
        "externalAlarmId=",
        "alarmedObject.id=card-c1,port-p1",
        "alarmType=equipmentAlarm",
        "alarmType=mechanismViolation",
        "probableCause=lossOfSignal",
        'probableCause="lossOfSignal"',
        "probableCause=loss",
        "specificProblem=LOS",
        "perceivedSeverity=cleared",
        "state=raised",
        "state=raised,cleared&ackState=unacknowledged",
        "state=updated",
        "alarmDetails=x",
        "reportingSystemId=trunkline",
        "affectedService.id=service-a1",
        "affectedService.id=service-a1,service-b1&state=raised",
        "alarmedObject.href=x",
        "alarmReportingTime.gte=2026-01-01T00:00:00Z",
        "alarmRaisedTime=2026-01-01T12:00:00.053Z,2026-01-01T13:00:00.101%2B01:00",
    ],
)
async def test_a_filter_is_exact(
    client: httpx.AsyncClient, operator: dict[str, str], everything: list[dict[str, Any]], query: str
) -> None:
    answer = await client.get(f"/alarm?{query}", headers=operator)
    assert answer.status_code == 200, answer.text
    asked = read_query(httpx.QueryParams(query).multi_items())
    if "alarmRaisedTime" in query:
        wanted = {read_time(value, "") for value in asked.filters[0].values}
        assert answer.json() == [each for each in everything if read_time(each["alarmRaisedTime"], "") in wanted]
        return
    assert answer.json() == [each for each in everything if matches(each, asked.filters)]


@pytest.mark.parametrize(
    "sort",
    [
        "id",
        "-id",
        "-alarmRaisedTime",
        "perceivedSeverity,-id",
        "-state,alarmRaisedTime",
        "alarmClearedTime",
        "-affectedService.id",
        "sourceSystemId,probableCause",
    ],
)
async def test_a_list_is_sorted_by_any_attribute(
    client: httpx.AsyncClient, operator: dict[str, str], everything: list[dict[str, Any]], sort: str
) -> None:
    wanted = [str(each["id"]) for each in sorted_by(everything, read_sorts([("sort", sort)]))]
    found: list[dict[str, Any]] = []
    for offset in range(0, len(everything), 3):
        answer = await client.get(f"/alarm?sort={sort}&limit=3&offset={offset}", headers=operator)
        assert answer.headers["x-total-count"] == str(len(everything))
        assert f"sort={quote_plus(sort)}" in answer.headers["link"]
        found += answer.json()
    assert sorted(each["id"] for each in found) == sorted(wanted)
    keys = [read_sorts([("sort", sort)])]
    assert [each["id"] for each in sorted_by(found, keys[0])] == [each["id"] for each in found]
    if "id" in sort.replace("-", "").split(","):
        assert [each["id"] for each in found] == wanted


async def test_too_long_a_list_is_not_looked_through(
    client: httpx.AsyncClient, operator: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "MOST_SCANNED", 3)
    answer = await client.get("/alarm?alarmDetails=x", headers=operator)
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("alarmDetails: can be asked for among at most 3, and there are ")
    assert (await client.get("/alarm?alarmDetails=x&id=alarm-s1", headers=operator)).status_code == 200


@pytest.mark.parametrize("name", TIMES)
async def test_times_are_compared(
    client: httpx.AsyncClient, operator: dict[str, str], everything: list[dict[str, Any]], name: str
) -> None:
    at = max(each[name] for each in everything if name in each)
    known = {each["id"]: each[name] for each in everything if name in each}
    assert set(await ids(client, f"{name}.gte={at}", operator)) == {key for key, value in known.items() if value >= at}
    assert set(await ids(client, f"{name}.gt={at}", operator)) == set()
    assert set(await ids(client, f"{name}.lt={at}", operator)) == {key for key, value in known.items() if value < at}
    assert set(await ids(client, f"{name}.lte={at}&{name}.gte={at}", operator)) == {
        key for key, value in known.items() if value == at
    }


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("colour=x", "colour: cannot be filtered by; what can: id, sourceSystemId, externalAlarmId, alarmed"),
        ("sort=-colour", "sort: takes up to 5 published attributes"),
        ("sort=state,state,state,state,state,state", "sort: takes up to 5 published attributes"),
        ("alarmReportingTime.gt=yesterday", "alarmReportingTime.gt"),
        ("state.x=raised", "state.x: cannot be filtered by; "),
        ("alarmRaisedTime.near=2026-01-01T12:00:00Z", "alarmRaisedTime.near: cannot be filtered by; "),
        ("state=open", "state: is none of raised, updated, cleared"),
        ("perceivedSeverity=MAJOR", "perceivedSeverity: is none of "),
        ("alarmRaisedTime=yesterday", "alarmRaisedTime: is no date and time with a zone"),
        ("alarmRaisedTime.gt=2026-01-01T12:00:00", "alarmRaisedTime.gt: is no date and time with a zone"),
        ("alarmRaisedTime.gt=2026-01-01T12:00:00+01:00", "alarmRaisedTime.gt: is no date and time with a zone"),
        ("alarmRaisedTime.gt=2026-01-01T12:00:00Z,2026-01-02T12:00:00Z", "alarmRaisedTime.gt: takes one time"),
        ("id=" + "x," * 100, "id: has more than 100 values"),
        ("offset=-1", "offset: offset is a whole number"),
        ("limit=0", "limit: limit is a whole number"),
        ("limit=many", "limit: limit is a whole number"),
        (f"offset={LAST_OFFSET + 1}", "offset: is more than 100000; filter by alarmRaisedTime.gt instead"),
    ],
)
async def test_what_cannot_be_asked_is_refused_by_name(
    client: httpx.AsyncClient, operator: dict[str, str], query: str, message: str
) -> None:
    answer = await client.get(f"/alarm?{query}", headers=operator)
    assert (answer.status_code, answer.json()["code"]) == (400, "BAD_USER_INPUT")
    assert answer.json()["message"].startswith(message)


async def test_a_plus_in_an_address_is_explained(client: httpx.AsyncClient, operator: dict[str, str]) -> None:
    answer = await client.get("/alarm?alarmRaisedTime=2026-01-01T12:00:00+01:00", headers=operator)
    assert "%2B" in answer.json()["message"]


async def test_values_do_not_make_new_texts(client: httpx.AsyncClient, port: Port, operator: dict[str, str]) -> None:
    port.asked.clear()
    for number in range(5):
        await client.get(f"/alarm?probableCause=cause {number}&offset={number}", headers=operator)
        await client.get(f"/alarm/alarm-{number}", headers=operator)
    lists = alarm_reads.LIST[False]
    assert set(port.asked) <= {lists.page, lists.walk, lists.count, alarm_reads.ONE[False]}


# Pages


@pytest.mark.parametrize("limit", [1, 3, 8, 100])
@pytest.mark.parametrize("step", [1, 2, 1_000])
async def test_pages_are_the_list_in_order(
    client: httpx.AsyncClient, operator: dict[str, str], monkeypatch: pytest.MonkeyPatch, limit: int, step: int
) -> None:
    monkeypatch.setattr(reading, "STEP", step)
    whole = await ids(client, "", operator)
    found: list[str] = []
    address = f"/alarm?limit={limit}&state=raised,cleared"
    while address:
        answer = await client.get(address, headers=operator)
        found += [each["id"] for each in answer.json()]
        links = {rel: target for target, rel in LINK.findall(answer.headers["link"])}
        assert links.keys() >= {"self", "first", "last"}
        assert answer.headers["x-total-count"] == str(len(whole))
        assert answer.headers["x-result-count"] == str(len(answer.json()))
        assert answer.status_code == (200 if limit >= len(whole) else 206)
        address = links.get("next", "").removeprefix(BASE)
    assert found == whole


async def test_an_offset_behind_the_end_gives_an_empty_part(
    client: httpx.AsyncClient, operator: dict[str, str]
) -> None:
    answer = await client.get("/alarm?offset=5000", headers=operator)
    assert (answer.status_code, answer.json()) == (206, [])
    assert answer.headers["x-total-count"] == str(len(tenants().ids("Alarm")))
    assert answer.headers["x-result-count"] == "0"


async def test_a_page_has_a_maximum(client: httpx.AsyncClient, operator: dict[str, str]) -> None:
    answer = await client.get("/alarm?limit=999999", headers=operator)
    links = {rel: target for target, rel in LINK.findall(answer.headers["link"])}
    assert links["self"] == f"{BASE}/alarm?offset=0&limit=100"


async def test_fields_are_what_was_asked_for(client: httpx.AsyncClient, operator: dict[str, str]) -> None:
    for address in ("/alarm?fields=state,probableCause,nothing", "/alarm/alarm-s1?fields=state,probableCause,nothing"):
        answer = (await client.get(address, headers=operator)).json()
        for each in answer if isinstance(answer, list) else [answer]:
            assert each.keys() == {"id", "href", "state", "probableCause"}


async def test_head_is_get_without_a_body(client: httpx.AsyncClient, operator: dict[str, str]) -> None:
    answer = await client.head("/alarm?limit=2", headers=operator)
    assert (answer.status_code, answer.headers["x-result-count"]) == (206, "2")


async def test_every_affected_service_is_told_however_many(
    client: httpx.AsyncClient, store: Store, operator: dict[str, str]
) -> None:
    made = [f"service-many-{number:04d}" for number in range(1_250)]

    async def affect(transaction: Transaction) -> None:
        text = """MATCH (a:Alarm {id: 'alarm-n1'}) UNWIND $ids AS id
        CREATE (s:Service {id: id}) CREATE (a)-[:AFFECTS {effect: 'down', parts: 'working'}]->(s)"""
        await transaction.run(text, {"ids": made})

    async def undo(transaction: Transaction) -> None:
        await transaction.run("UNWIND $ids AS id MATCH (s:Service {id: id}) DETACH DELETE s", {"ids": made})

    await store.write(affect, deadline=soon())
    try:
        one = (await client.get("/alarm/alarm-n1", headers=operator)).json()
        [listed] = (await client.get("/alarm?id=alarm-n1", headers=operator)).json()
    finally:
        await store.write(undo, deadline=soon())
    assert sorted(each["id"] for each in one["affectedService"]) == made
    assert listed == one


# Slices


async def test_an_analyst_reads_what_an_operator_does(
    client: httpx.AsyncClient, mint: Mint, everything: list[dict[str, Any]]
) -> None:
    assert (await client.get("/alarm", headers=mint.bearer("analyst"))).json() == everything


async def test_a_customer_reads_its_slice_and_typed_fields_only(
    client: httpx.AsyncClient, customer: dict[str, str], everything: list[dict[str, Any]]
) -> None:
    alarms = (await client.get("/alarm", headers=customer)).json()
    assert {each["id"] for each in alarms} == {"alarm-s1", "alarm-s2", "alarm-a1", "alarm-a2"}
    for alarm in alarms:
        assert alarm.keys() <= TYPED
        assert all(each["id"].startswith("service-a") for each in alarm["affectedService"])
        assert (await client.get(f"/alarm/{alarm['id']}", headers=customer)).json() == alarm
    seen = {each["id"]: each.get("alarmedObject") for each in alarms}
    assert seen["alarm-s1"] == {"id": "card-c1", "@type": "Card"}
    assert seen["alarm-a2"] is None
    assert any("list" in each for each in everything), "operators see the record"


async def test_to_a_customer_unknown_and_forbidden_are_one_answer(
    client: httpx.AsyncClient, customer: dict[str, str]
) -> None:
    answers = [
        await client.get(f"/alarm/{each}", headers=customer) for each in ("alarm-b1", "alarm-n1", "alarm-none", "x")
    ]
    assert {each.status_code for each in answers} == {404}
    assert len({each.content for each in answers}) == 1
    assert len({tuple(sorted(name for name in each.headers)) for each in answers}) == 1
    assert await ids(client, "id=alarm-b1,alarm-none", customer) == []


async def test_a_customer_filters_by_what_it_sees(client: httpx.AsyncClient, customer: dict[str, str]) -> None:
    seen = (await client.get("/alarm", headers=customer)).json()
    named = {each["alarmedObject"]["id"] for each in seen if "alarmedObject" in each}
    assert named
    for each in (*named, "card-c1", "card-c5"):
        shown = [one["id"] for one in seen if one.get("alarmedObject", {}).get("id") == each]
        assert await ids(client, f"alarmedObject.id={each}", customer) == shown


QUESTIONS = (
    "/alarm",
    "/alarm?limit=1",
    "/alarm?limit=2&offset=1",
    "/alarm?limit=2&offset=3",
    "/alarm?offset=4",
    "/alarm?sourceSystemId=nms-1",
    "/alarm?sourceSystemId=nms-2&perceivedSeverity=critical,major",
    "/alarm?externalAlarmId=ext-b1,ext-a1",
    "/alarm?alarmRaisedTime.gt=2026-01-01T12:00:00.060Z",
    "/alarm?fields=affectedService",
    "/alarm?alarmedObject.id=card-c5",
    "/alarm?sort=-perceivedSeverity",
    "/alarm?affectedService.id=service-b1",
    *(f"/alarm/{each}" for each in (*tenants().ids("Alarm"), "alarm-none")),
)


async def test_what_a_customer_is_told_does_not_depend_on_others(store: Store, settings: Settings, mint: Mint) -> None:
    told: list[list[bytes]] = []
    for with_others in (True, False):
        await load(store, tenants(with_others=with_others))
        fresh = Port(store, settings)
        async with calling(application(fresh, settings), settings) as client:
            answers = [
                await client.get(each, headers=headers)
                for headers in (mint.customer(A), _acting(mint, A))
                for each in QUESTIONS
            ]
            told.append([orjson.dumps([each.status_code, _named(each)]) + each.content for each in answers])
    await load(store, tenants())
    assert told[0] == told[1]
    assert len(set(told[0])) > len(QUESTIONS) // 2, "the questions differ"


def _acting(mint: Mint, customer: str) -> dict[str, str]:
    user = mint.customer(customer)["Authorization"]
    return {**mint.bearer("router", sub="router"), "X-Acts-For": user}


def _named(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in ("x-request-id", "date")}


async def test_customers_of_one_network_are_told_different_things(client: httpx.AsyncClient, mint: Mint) -> None:
    a, b = [(await client.get("/alarm/alarm-s1", headers=mint.customer(each))).json() for each in (A, B)]
    assert a["affectedService"] == [{"id": "service-a1"}]
    assert b["affectedService"] == [{"id": "service-b1"}, {"id": "service-b2"}]
    assert {**a, "affectedService": 0} == {**b, "affectedService": 0}


async def test_a_deadline_that_has_passed_is_told(store: Store, settings: Settings, mint: Mint) -> None:
    app = application(Port(store, settings), settings, seconds=-1)
    async with calling(app, settings) as client:
        answer = await client.get("/alarm", headers=mint.bearer("operator"))
        assert (answer.status_code, answer.json()["code"]) == (504, "DEADLINE_EXCEEDED")
