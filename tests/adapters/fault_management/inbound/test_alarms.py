from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest
from structlog.testing import capture_logs

from adapters.fault_management.inbound.alarms import BASE
from gateway.settings.settings import Settings
from graph.errors import DeadlineExceeded, OutcomeUnknown, StoreUnavailable
from graph.model.scope import Principal, Role
from graph.store.store import Store
from tests.adapters.endpoint.bodies import FULL, LEAST
from tests.adapters.endpoint.composed import BODY_BYTES, Port, application, calling, sent, soon
from tests.gateway.conftest import Mint

COUNTS = "RETURN [COUNT { MATCH (n) WHERE NOT n:SchemaVersion RETURN n }, COUNT { MATCH ()-[r]->() RETURN r }]"
NOT_FOUND = {"code": "NOT_FOUND", "reason": "There is no such resource", "status": "404"}
CLEARED_BY_HAND = {"perceivedSeverity": "cleared", "state": "cleared"}


async def counted(store: Store) -> object:
    return await store.read(COUNTS, {}, deadline=soon())


def alarm_of(name: str, **more: Any) -> dict[str, Any]:
    """An alarm that no other test raises."""
    return {**LEAST, "externalAlarmId": name, **more}


async def raised(client: httpx.AsyncClient, headers: dict[str, str], body: dict[str, Any]) -> dict[str, Any]:
    answer = await client.post("/alarm", json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    alarm: dict[str, Any] = answer.json()
    return alarm


class Away(Port):
    """A way to the graph on which every question fails."""

    code = "STORE_UNAVAILABLE"
    client: httpx.AsyncClient

    async def ask(self, *_: object) -> dict[str, Any]:
        return {"data": None, "errors": [{"message": "secret", "extensions": {"code": self.code}}]}


class Leaving(Port):
    """A store that is there for so many changes more."""

    left = 0

    @property
    def store(self) -> Store:
        if self.left == 0:
            raise StoreUnavailable("It has just left")
        self.left -= 1
        return super().store


@pytest.fixture
async def away(port: Port, store: Store, settings: Settings) -> AsyncIterator[Away]:
    assert port.store is store
    failing = Away(store, settings)
    async with calling(application(failing, settings), settings) as failing.client:
        yield failing


@pytest.fixture
def operator(mint: Mint) -> dict[str, str]:
    return mint.bearer("operator")


@pytest.fixture
def system(mint: Mint) -> dict[str, str]:
    return mint.bearer("system:nms")


@pytest.fixture
def other(mint: Mint) -> dict[str, str]:
    return mint.bearer("system:other")


# Raising


async def test_an_alarm_is_taken_in_and_says_whom_it_hits(client: httpx.AsyncClient, system: dict[str, str]) -> None:
    answer = await client.post("/alarm", json=alarm_of("hits"), headers=system)
    assert answer.status_code == 201
    alarm = answer.json()
    assert answer.headers["location"] == alarm["href"] == f"{BASE}/alarm/{alarm['id']}"
    assert alarm["id"].startswith("alarm-")
    assert {name: alarm[name] for name in LEAST} == LEAST
    assert alarm["ackState"] == "unacknowledged"
    assert {each["id"] for each in alarm["affectedService"]} >= {"service-a1", "service-b1"}
    read = await client.get(f"/alarm/{alarm['id']}", headers=system)
    assert (read.status_code, read.json()) == (200, alarm)


@pytest.mark.parametrize("named", [{}, {"href": "/resource/none-such"}], ids=["nothing", "an address"])
async def test_what_is_raised_on_something_without_an_id_is_kept_and_can_be_changed(
    client: httpx.AsyncClient, port: Port, system: dict[str, str], named: dict[str, str]
) -> None:
    alarm = await raised(client, system, alarm_of(f"unnamed {len(named)}", alarmedObject=named))
    assert alarm["alarmedObject"] == named
    assert "affectedService" not in alarm
    patched = await client.patch(f"/alarm/{alarm['id']}", json={"perceivedSeverity": "major"}, headers=system)
    assert (patched.status_code, patched.json()["perceivedSeverity"]) == (200, "major")
    assert patched.json()["alarmedObject"] == named
    text = "query ($id: ID!) { alarm(id: $id) { alarmedObjectRef awaits alarmedObject { __typename } } }"
    operator = Principal(subject="o", role=Role.OPERATOR)
    [kept] = (await port.ask(text, {"id": alarm["id"]}, operator, soon()))["data"].values()
    assert (kept["alarmedObjectRef"], kept["alarmedObject"]) == (named.get("href", ""), None)
    assert kept["awaits"]


async def test_all_that_came_is_kept(client: httpx.AsyncClient, system: dict[str, str]) -> None:
    body = {name: value for name, value in FULL.items() if name != "alarmClearedTime"} | {"externalAlarmId": "full"}
    alarm = await raised(client, system, body)
    ours = ("id", "href", "affectedService", "alarmChangedTime")
    assert {name: value for name, value in alarm.items() if name not in ours} == {
        name: value for name, value in body.items() if name not in ours
    }


async def test_a_known_alarm_is_not_a_second_one(client: httpx.AsyncClient, system: dict[str, str]) -> None:
    first = await raised(client, system, alarm_of("known"))
    again = await raised(client, system, alarm_of("known"))
    assert again == first
    later = alarm_of("known", state="updated", perceivedSeverity="major", alarmChangedTime="2026-01-01T13:00:00Z")
    changed = await raised(client, system, later)
    assert (changed["id"], changed["state"], changed["perceivedSeverity"]) == (first["id"], "updated", "major")


@pytest.mark.parametrize("word", CLEARED_BY_HAND)
async def test_a_post_can_clear(client: httpx.AsyncClient, system: dict[str, str], word: str) -> None:
    first = await raised(client, system, alarm_of(f"cleared by {word}"))
    when = "2026-01-01T15:00:00+01:00"
    cleared = await raised(client, system, alarm_of(f"cleared by {word}", **{word: "cleared"}, alarmClearedTime=when))
    assert cleared["id"] == first["id"]
    assert cleared.items() >= {**CLEARED_BY_HAND, "alarmClearedTime": when}.items()
    assert "affectedService" not in cleared


async def test_under_one_key_one_outcome(client: httpx.AsyncClient, system: dict[str, str]) -> None:
    headers = {**system, "Idempotency-Key": "k1"}
    first = await raised(client, headers, alarm_of("keyed"))
    assert await raised(client, headers, alarm_of("keyed")) == first
    answer = await client.post("/alarm", json=alarm_of("keyed otherwise"), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (409, "IDEMPOTENCY_CONFLICT")


async def test_an_alarm_that_matches_nothing_is_taken_in(client: httpx.AsyncClient, system: dict[str, str]) -> None:
    alarm = await raised(client, system, alarm_of("unmatched", alarmedObject={"id": "NE=99"}))
    assert alarm["alarmedObject"] == {"id": "NE=99"}
    assert "affectedService" not in alarm


async def test_a_source_that_is_not_the_callers_is_refused(
    client: httpx.AsyncClient, store: Store, other: dict[str, str]
) -> None:
    before = await counted(store)
    answer = await client.post("/alarm", json=alarm_of("foreign"), headers=other)
    assert answer.status_code == 403
    assert answer.json()["message"].startswith("sourceSystemId: ")
    assert await counted(store) == before


async def test_an_alarm_that_cannot_be_read_back_is_in_all_the_same(
    away: Away, store: Store, system: dict[str, str]
) -> None:
    new = await raised(away.client, system, alarm_of("blind"))  # what is new need not be read
    worse = alarm_of("blind", perceivedSeverity="major", alarmChangedTime="2026-01-01T13:00:00Z")
    alarm = await raised(away.client, system, worse)
    text = "MATCH (a:Alarm {id: $id}) RETURN a.perceivedSeverity"
    assert await store.read(text, {"id": new["id"]}, deadline=soon()) == "major"
    assert alarm == {**worse, "id": new["id"], "href": f"{BASE}/alarm/{new['id']}"}


# Bad input


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param({**LEAST, "state": "open"}, "state: is none of raised, updated, cleared", id="a word"),
        pytest.param({**LEAST, "alarmedObject": {"id": 7}}, "alarmedObject.id: is a number, not a string", id="a type"),
        pytest.param(
            {**LEAST, "alarmRaisedTime": "2026-01-01T12:00:00", "comment": [{}, {"time": "now"}]},
            "alarmRaisedTime: is no date and time with a zone, such as 2026-01-31T12:00:00Z or "
            "2026-01-31T13:00:00.250+01:00; comment[1].time: is no date and time with a zone, such as "
            "2026-01-31T12:00:00Z or 2026-01-31T13:00:00.250+01:00",
            id="every fault is named",
        ),
        pytest.param([LEAST], "the body: is a list, not an object", id="a list"),
        pytest.param({**LEAST, "place": [{}] * 20_000}, "place: has 20000 items; at most 1000 are taken", id="items"),
    ],
)
async def test_a_bad_body_names_its_fields_and_nothing_is_written(
    client: httpx.AsyncClient, store: Store, system: dict[str, str], body: object, message: str
) -> None:
    before = await counted(store)
    answer = await client.post("/alarm", json=body, headers=system)
    assert answer.status_code == 400
    assert answer.json() == {
        "code": "BAD_USER_INPUT",
        "reason": "A value is not one that can be taken",
        "message": message,
        "status": "400",
    }
    assert await counted(store) == before


async def test_a_body_over_the_cap_is_refused_with_the_cap(
    client: httpx.AsyncClient, store: Store, system: dict[str, str]
) -> None:
    before = await counted(store)
    fits = alarm_of("x", x=["y" * 1_000] * 199)
    assert len(orjson.dumps(fits)) < BODY_BYTES
    for size in (BODY_BYTES, 3 * BODY_BYTES):
        answer = await client.post("/alarm", json=alarm_of("x", alarmDetails="y" * size), headers=system)
        assert (answer.status_code, answer.json()["code"]) == (413, "PAYLOAD_TOO_LARGE")
        assert str(BODY_BYTES) in answer.json()["message"]
    assert await counted(store) == before


async def test_a_body_in_chunks_is_counted_as_it_comes(client: httpx.AsyncClient, system: dict[str, str]) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b" " * (BODY_BYTES // 2)

    answer = await client.post("/alarm", content=chunks(), headers={**system, "Content-Type": "application/json"})
    assert answer.status_code == 413


async def test_a_body_that_is_announced_too_large_is_not_waited_for(
    client: httpx.AsyncClient, system: dict[str, str]
) -> None:
    headers = {**system, "Content-Type": "application/json", "Content-Length": str(5 * BODY_BYTES)}
    answer = await sent(client, headers, b"{")
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close" in answer.lower()
    assert f"{BODY_BYTES} bytes".encode() in answer


async def test_a_body_that_does_not_come_is_not_waited_for(
    store: Store, settings: Settings, system: dict[str, str]
) -> None:
    headers = {**system, "Content-Type": "application/json", "Content-Length": "100"}
    async with calling(application(Port(store, settings), settings, seconds=0.3), settings) as client:
        answer = await sent(client, headers, b"{")
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"REQUEST_TIMEOUT" in answer


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Content-Type": "text/xml"}, id="another media type"),
        pytest.param({"Content-Type": "application/json; charset=latin-1"}, id="another charset"),
        pytest.param({"Content-Type": "application/json", "Content-Encoding": "gzip"}, id="compressed"),
        pytest.param({"Content-Type": "application/merge-patch+json"}, id="a patch where there is none"),
        pytest.param({"Content-Type": ""}, id="none"),
    ],
)
async def test_another_media_type_is_refused(
    client: httpx.AsyncClient, system: dict[str, str], headers: dict[str, str]
) -> None:
    answer = await client.post("/alarm", content=orjson.dumps(LEAST), headers={**system, **headers})
    assert (answer.status_code, answer.json()["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("text", [b"", b"{", b"\xff\xfe", b"NaN", b"[" * 100_000])
async def test_what_is_not_json_is_refused(client: httpx.AsyncClient, system: dict[str, str], text: bytes) -> None:
    headers = {**system, "Content-Type": "application/json"}
    answer = await client.post("/alarm", content=text, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "BAD_REQUEST")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("DELETE", "/alarm", "GET, POST, HEAD, OPTIONS"),
        ("PUT", "/alarm/alarm-s1", "GET, PATCH, HEAD, OPTIONS"),
        ("DELETE", "/alarm/alarm-s1", "GET, PATCH, HEAD, OPTIONS"),
        ("PATCH", "/ackAlarms", "GET, POST, HEAD, OPTIONS"),
        ("POST", "/clearAlarms/1", "GET, HEAD, OPTIONS"),
    ],
)
async def test_another_method_is_refused_and_told_which_there_are(
    client: httpx.AsyncClient, operator: dict[str, str], method: str, path: str, allow: str
) -> None:
    answer = await client.request(method, path, headers=operator)
    assert (answer.status_code, answer.headers["allow"]) == (405, allow)
    asked = await client.request("OPTIONS", path)
    assert (asked.status_code, asked.headers["allow"]) == (204, allow)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/alarm/alarm-none"),
        ("GET", "/alarm/alarm-s1/more"),
        ("GET", "/alarm/"),
        ("GET", "/hub/hub-none"),
        ("GET", "/"),
        ("GET", "/ackAlarms"),
        ("GET", "/ackAlarms/ackalarms-1"),
        ("GET", "/clearAlarms/clearalarms-1"),
    ],
)
async def test_what_is_not_there_is_not_found(
    client: httpx.AsyncClient, operator: dict[str, str], method: str, path: str
) -> None:
    answer = await client.request(method, path, headers=operator)
    assert (answer.status_code, answer.json()) == (404, NOT_FOUND)


# Who may


@pytest.mark.parametrize(
    ("method", "path", "roles"),
    [
        ("GET", "/alarm", ("router",)),
        ("GET", "/alarm/alarm-s1", ("router",)),
        ("POST", "/alarm", ("router", "analyst", "customer")),
        ("PATCH", "/alarm/alarm-s1", ("router", "analyst", "customer")),
        ("POST", "/ackAlarms", ("router", "analyst", "customer")),
        ("POST", "/clearAlarms", ("router", "analyst", "customer")),
    ],
)
async def test_a_role_that_may_not_is_told_so_before_anything_is_read(
    client: httpx.AsyncClient, mint: Mint, method: str, path: str, roles: tuple[str, ...]
) -> None:
    for role in roles:
        headers = mint.bearer(role, customers=["customer-a"])
        answer = await client.request(method, path, content=b"{", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "FORBIDDEN")


async def test_without_a_token_the_answer_has_the_same_shape(client: httpx.AsyncClient, mint: Mint) -> None:
    answer = await client.get("/alarm")
    assert (answer.status_code, answer.json()["code"]) == (401, "UNAUTHENTICATED")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    answer = await client.post("/alarm", json=LEAST, headers=mint.bearer("nobody"))
    assert (answer.status_code, answer.json()["code"]) == (403, "INSUFFICIENT_SCOPE")


async def test_a_router_has_the_rights_of_its_user(client: httpx.AsyncClient, mint: Mint) -> None:
    router = mint.bearer("router", sub="router")
    acting = {**router, "X-Acts-For": mint.bearer("system:nms")["Authorization"]}
    alarm = await raised(client, acting, alarm_of("by a router"))
    assert (await client.get(f"/alarm/{alarm['id']}", headers=acting)).status_code == 200
    foreign = await client.post("/alarm", json=alarm_of("x", sourceSystemId="nms-2"), headers=acting)
    assert foreign.status_code == 403


async def test_to_a_system_an_alarm_of_another_source_is_one_that_does_not_exist(
    client: httpx.AsyncClient, store: Store, system: dict[str, str], other: dict[str, str]
) -> None:
    alarm = await raised(client, system, alarm_of("mine"))
    before = await counted(store)
    for verb, extra in (("GET", {}), ("PATCH", {"json": {"state": "cleared"}})):
        foreign = await client.request(verb, f"/alarm/{alarm['id']}", headers=other, **extra)  # type: ignore[arg-type]  # httpx takes them by name
        unknown = await client.request(verb, "/alarm/alarm-none", headers=other, **extra)  # type: ignore[arg-type]  # httpx takes them by name
        assert foreign.status_code == unknown.status_code == 404
        assert foreign.content == unknown.content
    assert await counted(store) == before
    listed = (await client.get("/alarm?limit=100", headers=other)).json()
    assert {each["sourceSystemId"] for each in listed} == {"nms-2"}
    assert (await client.get("/alarm?sourceSystemId=nms-1", headers=other)).json() == []


# Patches


async def test_a_patch_is_merged_into_the_alarm_as_it_is(client: httpx.AsyncClient, system: dict[str, str]) -> None:
    alarm = await raised(client, system, alarm_of("patched", **{"x-vendor": {"a": 1, "b": 2}}, alarmDetails="old"))
    patch = {"perceivedSeverity": "minor", "alarmDetails": None, "x-vendor": {"b": None, "c": [3]}}
    headers = {**system, "Content-Type": "application/merge-patch+json"}
    answer = await client.patch(alarm["href"].removeprefix(BASE), content=orjson.dumps(patch), headers=headers)
    assert answer.status_code == 200
    changed = answer.json()
    assert (changed["perceivedSeverity"], changed["state"], changed["x-vendor"]) == (
        "minor",
        "updated",
        {"a": 1, "c": [3]},
    )
    assert "alarmDetails" not in changed
    assert "affectedService" not in changed, "a minor alarm asserts no failure"
    assert (await client.get(f"/alarm/{alarm['id']}", headers=system)).json() == changed


@pytest.mark.parametrize("word", CLEARED_BY_HAND)
async def test_a_patch_can_clear_and_open_again(client: httpx.AsyncClient, system: dict[str, str], word: str) -> None:
    alarm = await raised(client, system, alarm_of(f"patched by {word}"))
    address = f"/alarm/{alarm['id']}"
    cleared = (await client.patch(address, json={word: "cleared"}, headers=system)).json()
    assert cleared.items() >= CLEARED_BY_HAND.items()
    assert "alarmClearedTime" in cleared
    assert "affectedService" not in cleared
    answer = await client.patch(address, json={"state": "raised", "perceivedSeverity": "critical"}, headers=system)
    opened = answer.json()
    assert (opened["state"], opened["perceivedSeverity"]) == ("raised", "critical")
    assert "alarmClearedTime" not in opened
    assert opened["affectedService"] == alarm["affectedService"]


async def test_a_patch_of_something_else_leaves_a_cleared_alarm_cleared(
    client: httpx.AsyncClient, operator: dict[str, str]
) -> None:
    alarm = await raised(client, operator, alarm_of("stays cleared"))
    task = {"clearSystemId": "noc", "clearUserId": "ann", "alarmClearedTime": "2026-01-01T13:00:00Z"}
    await client.post("/clearAlarms", json={**task, "alarmPattern": [{"id": alarm["id"]}]}, headers=operator)
    cleared = (await client.get(f"/alarm/{alarm['id']}", headers=operator)).json()
    patched = (await client.patch(f"/alarm/{alarm['id']}", json={"alarmDetails": "why"}, headers=operator)).json()
    assert {**patched, "alarmChangedTime": ""} == {**cleared, "alarmDetails": "why", "alarmChangedTime": ""}


async def test_a_cleared_alarm_is_opened_with_the_severity_it_had_or_a_given_one(
    client: httpx.AsyncClient, operator: dict[str, str]
) -> None:
    alarm = await raised(client, operator, alarm_of("back", perceivedSeverity="major"))
    address = f"/alarm/{alarm['id']}"
    await client.patch(address, json={"state": "cleared"}, headers=operator)
    assert (await client.patch(address, json={"state": "raised"}, headers=operator)).json()[
        "perceivedSeverity"
    ] == "major"
    await client.patch(address, json={"perceivedSeverity": "cleared"}, headers=operator)
    answer = await client.patch(address, json={"state": "raised"}, headers=operator)
    assert (answer.status_code, answer.json()["message"].partition(":")[0]) == (400, "perceivedSeverity")
    answer = await client.patch(address, json={"state": "raised", "perceivedSeverity": "minor"}, headers=operator)
    assert answer.json()["perceivedSeverity"] == "minor"


async def test_a_patch_that_changes_nothing_writes_nothing(
    client: httpx.AsyncClient, store: Store, system: dict[str, str]
) -> None:
    alarm = await raised(client, system, alarm_of("unchanged"))
    before = await counted(store)
    for patch in ({}, {"state": "raised"}, {"id": alarm["id"], "href": alarm["href"], "sourceSystemId": "nms-1"}):
        answer = await client.patch(f"/alarm/{alarm['id']}", json=patch, headers=system)
        assert (answer.status_code, answer.json()) == (200, alarm)
    assert await counted(store) == before


@pytest.mark.parametrize(
    ("patch", "message"),
    [
        ({"id": "alarm-2"}, "id: cannot be changed"),
        ({"id": None, "href": "elsewhere"}, "id: cannot be changed; href: cannot be changed"),
        ({"sourceSystemId": "nms-3"}, "sourceSystemId: cannot be changed"),
        ({"sourceSystemId": None}, "sourceSystemId: is missing"),
        ({"alarmedObject": {"id": "card-c2"}}, "alarmedObject.id: cannot be changed"),
        (
            {"state": 7, "isRootCause": "yes"},
            "state: is a number, not a string; isRootCause: is a string, not true or false",
        ),
        ([], "the body: is not an object"),
        ({"x": {"y": [[0] * 1_001]}}, "x.y[0]: has 1001 items; at most 1000 are taken"),
    ],
)
async def test_a_bad_patch_names_its_fields_and_nothing_is_written(
    client: httpx.AsyncClient, store: Store, system: dict[str, str], patch: object, message: str
) -> None:
    alarm = await raised(client, system, alarm_of("fixed"))
    before = await counted(store)
    answer = await client.patch(f"/alarm/{alarm['id']}", json=patch, headers=system)
    assert (answer.status_code, answer.json()["message"]) == (400, message)
    assert await counted(store) == before
    assert (await client.get(f"/alarm/{alarm['id']}", headers=system)).json() == alarm


async def test_patches_cannot_make_an_alarm_larger_than_the_cap(
    client: httpx.AsyncClient, system: dict[str, str]
) -> None:
    alarm = await raised(client, system, alarm_of("growing"))
    sizes = []
    for number in range(4):
        patch = {f"x{number}{part}": "y" * 30_000 for part in range(3)}
        sizes.append((await client.patch(f"/alarm/{alarm['id']}", json=patch, headers=system)).status_code)
    assert sizes == [200, 200, 413, 413]


# Tasks


def acknowledging(*patterns: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"ackSystemId": "noc", "ackUserId": "ann", "alarmPattern": list(patterns), **more}


def clearing(*patterns: dict[str, Any], **more: Any) -> dict[str, Any]:
    task = {"clearSystemId": "noc", "clearUserId": "ann", "alarmClearedTime": "2026-01-01T13:00:00Z"}
    return {**task, "alarmPattern": list(patterns), **more}


def done_to(answer: httpx.Response, field: str) -> set[str]:
    assert answer.status_code == 201
    assert answer.headers["location"] == answer.json()["href"]
    return {each["id"] for each in answer.json()[field]}


async def test_alarms_are_acknowledged_by_id_and_by_the_sources_name(
    client: httpx.AsyncClient, system: dict[str, str]
) -> None:
    one, two = [await raised(client, system, alarm_of(name)) for name in ("ack 1", "ack 2")]
    task = acknowledging({"id": one["id"]}, {"externalAlarmId": "ack 2", "sourceSystemId": "nms-1"}, **{"@type": "x"})
    answer = await client.post("/ackAlarms", json=task, headers=system)
    assert done_to(answer, "ackedAlarm") == {one["id"], two["id"]}
    assert answer.json().items() >= {**task, "state": "done"}.items()
    for each in (one, two):
        read = (await client.get(f"/alarm/{each['id']}", headers=system)).json()
        assert (read["ackState"], read["state"]) == ("acknowledged", "raised")


async def test_alarms_are_cleared(client: httpx.AsyncClient, operator: dict[str, str]) -> None:
    alarm = await raised(client, operator, alarm_of("clear 1"))
    answer = await client.post("/clearAlarms", json=clearing({"externalAlarmId": "clear 1"}), headers=operator)
    assert done_to(answer, "clearedAlarm") == {alarm["id"]}
    read = (await client.get(f"/alarm/{alarm['id']}", headers=operator)).json()
    assert read.items() >= CLEARED_BY_HAND.items()
    assert "affectedService" not in read


async def test_what_a_task_cannot_find_is_given_back_whether_unknown_or_forbidden(
    client: httpx.AsyncClient, store: Store, system: dict[str, str], other: dict[str, str]
) -> None:
    mine, foreign = (
        await raised(client, system, alarm_of("task mine")),
        await raised(client, other, alarm_of("task theirs", sourceSystemId="nms-2")),
    )
    patterns = ({"id": foreign["id"]}, {"id": "alarm-none"}, {"externalAlarmId": "task theirs"})
    wrong = {"id": mine["id"], "externalAlarmId": "something else"}
    answer = await client.post("/clearAlarms", json=clearing(*patterns, wrong, {"id": mine["id"]}), headers=system)
    assert done_to(answer, "clearedAlarm") == {mine["id"]}
    assert answer.json()["state"] == "terminatedWithError"
    assert answer.json()["unmatchedPattern"] == [*patterns, wrong]
    before = await counted(store)
    alone = [await client.post("/clearAlarms", json=clearing(each), headers=system) for each in patterns[:2]]
    told = [{**each.json(), "id": "", "href": "", "alarmPattern": "", "unmatchedPattern": ""} for each in alone]
    assert told[0] == told[1]
    assert await counted(store) == before
    assert (await client.get(f"/alarm/{foreign['id']}", headers=other)).json() == foreign


async def test_a_task_sent_again_does_nothing_twice(
    client: httpx.AsyncClient, store: Store, system: dict[str, str]
) -> None:
    alarm = await raised(client, system, alarm_of("task again"))
    headers = {**system, "Idempotency-Key": "task 1"}
    first = await client.post("/ackAlarms", json=acknowledging({"id": alarm["id"]}), headers=headers)
    before = await counted(store)
    again = await client.post("/ackAlarms", json=acknowledging({"id": alarm["id"]}), headers=headers)
    assert done_to(first, "ackedAlarm") == done_to(again, "ackedAlarm") == {alarm["id"]}
    assert await counted(store) == before


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "ackSystemId: is missing; ackUserId: is missing; alarmPattern: is missing"),
        (acknowledging(), "alarmPattern: is empty"),
        (acknowledging({}), "alarmPattern[0]: has neither id nor externalAlarmId"),
        (acknowledging({"sourceSystemId": "nms-1"}), "alarmPattern[0]: has neither id nor externalAlarmId"),
        (
            acknowledging({"id": "alarm-1", "state": "raised"}),
            "alarmPattern[0].state: is not matched; what is: id, externalAlarmId, sourceSystemId",
        ),
        (acknowledging({"id": 7}), "alarmPattern[0].id: is a number, not a string"),
        (acknowledging(*[{"id": "x"}] * 101), "alarmPattern: has 101 items; at most 100 are taken"),
        (acknowledging({"id": "x"}, ackTime=7), "ackTime: is a number, not a string"),
    ],
)
async def test_a_bad_task_names_its_fields(
    client: httpx.AsyncClient, system: dict[str, str], body: dict[str, Any], message: str
) -> None:
    answer = await client.post("/ackAlarms", json=body, headers=system)
    assert (answer.status_code, answer.json()["message"]) == (400, message)


# The database


@pytest.mark.parametrize(
    ("error", "status", "retry"),
    [
        (StoreUnavailable("secret", retry_after=2.5), 503, "3"),
        (OutcomeUnknown("secret"), 503, "1"),
        (DeadlineExceeded("secret"), 504, None),
    ],
)
async def test_a_database_that_is_away_is_told_with_when_to_ask_again(
    client: httpx.AsyncClient, port: Port, system: dict[str, str], error: Any, status: int, retry: str | None
) -> None:
    kept, port.open = port.open, error
    try:
        answer = await client.post("/alarm", json=alarm_of("away"), headers=system)
        patched = await client.patch("/alarm/alarm-s1", json={}, headers=system)
    finally:
        port.open = kept
    for each in (answer, patched):
        assert (each.status_code, each.headers.get("retry-after")) == (status, retry)
        assert "secret" not in each.text


@pytest.mark.parametrize(
    ("code", "answered"),
    [
        ("STORE_UNAVAILABLE", (503, "1")),
        ("DEADLINE_EXCEEDED", (504, None)),
        ("FORBIDDEN", (403, None)),
        ("INCONSISTENT_DATA", (500, None)),
        ("something new", (500, None)),
    ],
)
async def test_a_read_that_fails_is_told_as_what_it_is(
    away: Away, system: dict[str, str], code: str, answered: tuple[int, str | None]
) -> None:
    away.code = code
    answer = await away.client.get("/alarm", headers=system)
    assert (answer.status_code, answer.headers.get("retry-after")) == answered
    assert ("secret" in answer.text) == (code == "FORBIDDEN")


async def test_a_fault_of_ours_is_in_the_log_and_not_in_the_answer(away: Away, system: dict[str, str]) -> None:
    away.code = "INCONSISTENT_DATA"
    with capture_logs() as lines:
        answer = await away.client.get("/alarm", headers=system)
    assert "secret" not in answer.text
    fault, request = lines
    assert (fault["event"], fault["log_level"]) == ("request failed", "error")
    assert fault["request_id"] == request["request_id"] == answer.headers["x-request-id"]
    assert (request["status"], request["code"]) == (500, "INTERNAL_SERVER_ERROR")


async def test_a_task_that_ends_early_tells_what_was_done(
    store: Store, settings: Settings, mint: Mint, client: httpx.AsyncClient, system: dict[str, str]
) -> None:
    one, two = [await raised(client, system, alarm_of(name)) for name in ("early 1", "early 2")]
    port = Leaving(store, settings)
    async with calling(application(port, settings), settings) as leaving:
        task = acknowledging({"id": one["id"]}, {"id": two["id"]})
        port.left = 1
        answer = await leaving.post("/ackAlarms", json=task, headers=mint.bearer("operator"))
        assert done_to(answer, "ackedAlarm") == {one["id"]}
        assert answer.json()["unmatchedPattern"] == [{"id": two["id"]}]
        port.left = 0
        answer = await leaving.post("/ackAlarms", json=task, headers=mint.bearer("operator"))
        assert answer.status_code == 503
    for alarm, state in ((one, "acknowledged"), (two, "unacknowledged")):
        assert (await client.get(f"/alarm/{alarm['id']}", headers=system)).json()["ackState"] == state


async def test_a_request_leaves_its_name_and_code_in_the_log(client: httpx.AsyncClient, system: dict[str, str]) -> None:
    with capture_logs() as lines:
        await client.get("/alarm/alarm-none", headers=system)
        await client.post("/alarm", json=alarm_of("logged"), headers=system)
    told = [(line["operation"], line["code"], line["status"]) for line in lines if line["event"] == "request"]
    assert told == [("retrieveAlarm", "NOT_FOUND", 404), ("createAlarm", "", 201)]


async def test_new_work_is_refused_while_too_much_waits_and_nothing_is_written(
    store: Store, settings: Settings, system: dict[str, str], operator: dict[str, str]
) -> None:
    port = Port(store, settings)
    port.pressure = 29.5
    async with calling(application(port, settings), settings) as client:
        before = await counted(store)
        answer = await client.post("/alarm", json=alarm_of("too-much"), headers=system)
        assert (answer.status_code, answer.json()["code"]) == (503, "OVERLOADED")
        assert answer.headers["retry-after"] == "30"
        assert await counted(store) == before
        assert (await client.get("/alarm", headers=system)).status_code in (200, 206)
        await raised(client, operator, alarm_of("of-an-operator"))
        port.pressure = 0.0
        await raised(client, system, alarm_of("too-much"))


async def test_an_acknowledgement_is_taken_back_by_a_task(client: httpx.AsyncClient, mint: Mint) -> None:
    alarm = await raised(client, mint.bearer("system:nms"), alarm_of("unack-1"))
    pattern = [{"id": alarm["id"]}, {"id": "alarm-none"}]
    task = {"ackSystemId": "noc", "ackUserId": "ann", "alarmPattern": pattern}
    for name, done, state in (
        ("ackAlarms", "ackedAlarm", "acknowledged"),
        ("unAckAlarms", "unAckedAlarm", "unacknowledged"),
    ):
        answer = (await client.post(f"/{name}", json=task, headers=mint.bearer("operator"))).json()
        assert [each["id"] for each in answer[done]] == [alarm["id"]]
        assert (answer["state"], answer["unmatchedPattern"]) == ("terminatedWithError", [{"id": "alarm-none"}])
        seen = (await client.get(f"/alarm/{alarm['id']}", headers=mint.bearer("operator"))).json()
        assert seen["ackState"] == state


async def test_a_comment_is_in_the_record_and_outlives_the_next_report(client: httpx.AsyncClient, mint: Mint) -> None:
    source = mint.bearer("system:nms")
    body = alarm_of("comment-1", comment=[{"comment": "theirs"}])
    alarm = await raised(client, source, body)
    comment = {"comment": "on my way", "systemId": "noc", "userId": "ann", "time": "2026-01-01T12:00:00Z"}
    task = {"alarmPattern": [{"externalAlarmId": "comment-1", "sourceSystemId": "nms-1"}], "comment": comment}
    headers = {**mint.bearer("operator"), "Idempotency-Key": "comment-1"}
    for _ in range(2):
        answer = (await client.post("/commentAlarms", json=task, headers=headers)).json()
        assert ([each["id"] for each in answer["commentedAlarm"]], answer["state"]) == ([alarm["id"]], "done")
    await raised(client, source, {**body, "perceivedSeverity": "major", "alarmChangedTime": "2026-01-01T13:00:00Z"})
    seen = (await client.get(f"/alarm/{alarm['id']}", headers=mint.bearer("operator"))).json()
    assert seen["comment"] == [{"comment": "theirs"}, comment]
    assert seen["perceivedSeverity"] == "major"
    ours = (await client.get(f"/alarm/{alarm['id']}", headers=mint.customer("customer-a"))).json()
    assert "comment" not in ours


@pytest.mark.parametrize(
    "task",
    [
        {"comment": {"comment": "x"}},
        {"alarmPattern": [{"id": "alarm-1"}]},
        {"alarmPattern": [{"id": "alarm-1"}], "comment": {}},
        {"alarmPattern": [{"id": "alarm-1"}], "comment": {"comment": ""}},
        {"alarmPattern": [{"id": "alarm-1"}], "comment": {"comment": 7}},
        {"alarmPattern": [{"id": "alarm-1"}], "comment": {"comment": "x", "time": "noon"}},
    ],
    ids=str,
)
async def test_a_comment_that_is_none_is_refused(client: httpx.AsyncClient, mint: Mint, task: dict[str, Any]) -> None:
    assert (await client.post("/commentAlarms", json=task, headers=mint.bearer("operator"))).status_code == 400
