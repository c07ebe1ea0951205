from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from gateway.settings.settings import Settings
from graph.changes.alarms.alarms import AlarmPolicy
from graph.changes.policy import Hearing
from graph.errors import StoreUnavailable
from graph.store.store import Store
from tests.adapters.endpoint.composed import Port, application, calling
from tests.gateway.conftest import Mint
from tests.graph.changes.network import Laid, lay, report

POLICY = AlarmPolicy(fault_management=Hearing(name="umbrella"))
CHANGED = "/listener/alarmAttributeValueChangeEvent"


@pytest.fixture
async def laid(empty_store: Store) -> Laid:
    await lay(empty_store)
    return Laid(store=empty_store)


@pytest.fixture
async def alarm(laid: Laid) -> str:
    found = await laid.raise_(report("trunk-1"), policy=POLICY)
    await laid.run("MATCH (d:Delivery) SET d.state = 'DONE'")
    return found


@pytest.fixture
async def port(laid: Laid, settings: Settings) -> Port:
    port = Port(laid.store, settings)
    port.policy = POLICY
    return port


@pytest.fixture
async def client(port: Port, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with calling(application(port, settings), settings) as client:
        client.event_hooks = {}
        yield client


def event(alarm: Any, **more: Any) -> dict[str, Any]:
    said = {"id": "FM-1", "externalAlarmId": alarm, **more}
    return {"eventType": "AlarmAttributeValueChangeEvent", "event": {"alarm": said}}


async def ack(laid: Laid, alarm: str) -> str:
    return str((await laid.alarm(alarm))["ack"])


async def test_who_has_taken_note_there_has_taken_note_here(
    client: httpx.AsyncClient, mint: Mint, laid: Laid, alarm: str
) -> None:
    headers = mint.bearer("system:umbrella")
    for state in ("acknowledged", "acknowledged", "unacknowledged"):
        answer = await client.post(CHANGED, json=event(alarm, ackState=state), headers=headers)
        assert (answer.status_code, answer.content) == (204, b"")
        assert await ack(laid, alarm) == state
    kinds = [kind for _, _, kind, _ in await laid.events() if kind.startswith("Alarm")]
    assert kinds == ["AlarmRaised", "AlarmAcknowledged", "AlarmUnacknowledged"]
    assert await laid.rows("MATCH (d:Delivery) RETURN count(d)") == [[1]], "nobody is told back"


async def test_a_doubled_registration_has_no_doubled_effect(
    client: httpx.AsyncClient, mint: Mint, laid: Laid, alarm: str
) -> None:
    """The hub tells each registration for itself, in order, and the slower one tells all again."""
    told = [
        {**event(alarm, ackState=state), "eventId": f"e-{minute}", "eventTime": f"2026-01-01T10:0{minute}:00Z"}
        for minute, state in enumerate(("acknowledged", "unacknowledged"))
    ]
    for each in (*told, *told):
        answer = await client.post(CHANGED, json=each, headers=mint.bearer("system:umbrella"))
        assert (answer.status_code, answer.content) == (204, b"")
    kinds = [kind for _, _, kind, _ in await laid.events() if kind.startswith("Alarm")]
    assert kinds == ["AlarmRaised", "AlarmAcknowledged", "AlarmUnacknowledged"]


async def test_what_was_not_taken_is_taken_when_it_is_told_again(
    client: httpx.AsyncClient, mint: Mint, laid: Laid, alarm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {**event(alarm, ackState="acknowledged"), "eventId": "e", "eventTime": "2026-01-01T10:00:00Z"}
    headers, real = mint.bearer("system:umbrella"), type(laid.store).write

    async def away(*_: object, **__: object) -> None:
        raise StoreUnavailable("The database cannot be reached")

    monkeypatch.setattr(type(laid.store), "write", away)
    assert (await client.post(CHANGED, json=told, headers=headers)).status_code == 503
    monkeypatch.setattr(type(laid.store), "write", real)
    assert (await client.post(CHANGED, json=told, headers=headers)).status_code == 204
    assert await ack(laid, alarm) == "acknowledged"


@pytest.mark.parametrize(
    ("path", "role", "body", "status"),
    [
        pytest.param(CHANGED, "system:other", event("a", ackState="acknowledged"), 403, id="another system"),
        pytest.param(CHANGED, "analyst", event("a", ackState="acknowledged"), 403, id="another role"),
        pytest.param("/listener/gossip", "operator", event("a"), 404, id="another event"),
        pytest.param(CHANGED, "operator", event("alarm-none", ackState="acknowledged"), 204, id="an alarm of nobody"),
        pytest.param(CHANGED, "operator", event("a"), 204, id="nothing of note"),
        pytest.param(CHANGED, "operator", [], 400, id="a list"),
        pytest.param(CHANGED, "operator", {"event": {"alarm": 7}}, 400, id="no alarm"),
        pytest.param(CHANGED, "operator", event(7), 400, id="a number for an id"),
        pytest.param(CHANGED, "operator", event("a", ackState="maybe"), 400, id="a word that there is not"),
    ],
)
async def test_what_else_is_said(
    client: httpx.AsyncClient, mint: Mint, path: str, role: str, body: Any, status: int
) -> None:
    assert (await client.post(path, json=body, headers=mint.bearer(role))).status_code == status


async def test_without_such_a_system_nothing_is_kept(
    client: httpx.AsyncClient, port: Port, mint: Mint, laid: Laid, alarm: str
) -> None:
    port.policy = AlarmPolicy()
    body = event(alarm, ackState="acknowledged")
    assert (await client.post(CHANGED, json=body, headers=mint.bearer("operator"))).status_code == 204
    assert await ack(laid, alarm) == "unacknowledged"


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    "task", ["ackAlarms", "unAckAlarms", "clearAlarms", "commentAlarms", "groupAlarms", "unGroupAlarms"]
)
@pytest.mark.parametrize("what", ["CreateEvent", "StateChangeEvent"])
async def test_the_event_of_a_task_is_taken_and_changes_nothing(
    client: httpx.AsyncClient, mint: Mint, laid: Laid, alarm: str, task: str, what: str
) -> None:
    body = {"eventType": task, "event": {task: {"id": "1", "alarmPattern": [{"externalAlarmId": alarm}]}}}
    answer = await client.post(f"/listener/{task}{what}", json=body, headers=mint.bearer("system:umbrella"))
    assert answer.status_code == 204
    assert await ack(laid, alarm) == "unacknowledged"
