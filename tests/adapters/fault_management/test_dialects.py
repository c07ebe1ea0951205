"""What one dialect says in its own words."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from lxml import etree
from pydantic import SecretStr

from adapters.errors import AdapterError, Busy, NotAdmitted, Rejected, Suspended
from adapters.fault_management import TheirAlarm
from adapters.fault_management.alarms.read import read_alarm
from adapters.fault_management.outbound.alerta import Alerta
from adapters.fault_management.outbound.mtosi import Mtosi
from adapters.fault_management.outbound.tmf642 import UPDATED, Tmf642, plain, update
from adapters.simulator.fault_management import alarm_management, alerta
from adapters.simulator.manners import Manners
from adapters.tmf.tmf630 import read_time, write_time
from adapters.transport.credentials import Token, fixed
from adapters.transport.transport import System, opened
from tests.adapters.conftest import JSON, asking, http, saying, soon
from tests.adapters.fault_management.alarms.published import faults
from tests.adapters.fault_management.sides import OURS, of_alerta, of_mtosi, of_tmf642, order, payload
from tests.adapters.schema import published

SOAP = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault><faultcode>s:{}</faultcode>'
    "<faultstring>no</faultstring></s:Fault></s:Body></s:Envelope>"
)


async def test_a_tmf642_alarm_says_whose_services_it_affects_as_published(tmp_path: Path) -> None:
    async with of_tmf642(tmp_path / "journal") as side:
        await side.system.report(order(payload()), delivery_id="event-1:u:a", deadline=soon())
        [alarm] = side.served.alarms.values()
    assert (alarm["externalAlarmId"], alarm["sourceSystemId"], alarm["reportingSystemId"]) == (OURS, "ems", "trunkline")
    assert alarm["affectedService"] == [
        {
            "id": "service-a",
            "@type": "AffectedServiceEffect",
            "@baseType": "AffectedService",
            "name": "Ada's line",
            "effect": "down",
            "severity": "critical",
            "customer": {"id": "customer-a", "name": "Ada", "@referredType": "Customer"},
        }
    ]
    assert (alarm["serviceAffecting"], alarm["x-vendor"], alarm["alarmDetails"]) == (True, {"row": 3}, "no light")
    assert [
        *published("Alarm_Create", 642).iter_errors({n: v for n, v in alarm.items() if n not in ("id", "href")})
    ] == []


@pytest.mark.parametrize("by_id", [True, False])
async def test_to_an_alarm_of_theirs_only_effect_and_acknowledgement_are_added(tmp_path: Path, *, by_id: bool) -> None:
    async with of_tmf642(tmp_path / "journal") as side, httpx.AsyncClient() as person:
        body = {k: v for k, v in order(payload()).body.items() if k not in ("affectedService", "serviceAffecting")}
        theirs = {**body, "externalAlarmId": "X1", "sourceSystemId": "umbrella", "alarmDetails": "theirs"}
        made = (await person.post(f"{side.served.address}/alarm", json=theirs)).json()
        told = payload("AlarmAcknowledged", theirs=True, ackState="acknowledged", perceivedSeverity="warning")
        told["record"] = {"id": made["id"]} if by_id else {}
        their = await side.system.find(order(told), deadline=soon())
        assert their is not None
        assert their.id == made["id"]
        await side.system.amend(their, order(told), delivery_id="event-1:u:a", deadline=soon())
        [alarm] = side.served.alarms.values()
    added = {"affectedService": alarm["affectedService"], "ackState": "acknowledged", "serviceAffecting": True}
    assert alarm == {**made, **added}
    assert len(alarm["affectedService"]) == 1


@pytest.mark.parametrize("record", [{}, {"id": "FM-1"}, {"id": ".."}, {"id": {"no": "id"}}])
async def test_an_alarm_of_theirs_that_is_gone_is_not_found(tmp_path: Path, record: dict[str, Any]) -> None:
    async with of_tmf642(tmp_path / "journal") as side:
        told = {**payload("AlarmAcknowledged", theirs=True), "record": record}
        assert await side.system.find(order(told), deadline=soon()) is None


async def test_the_hub_gives_a_registration_that_can_be_taken_back(tmp_path: Path) -> None:
    async with of_tmf642(tmp_path / "journal") as side:
        first = await side.system.subscribe("http://127.0.0.1:9/there", deadline=soon())
        assert first
        assert await side.system.subscribe("http://127.0.0.1:9/there", deadline=soon()) == ""
        await side.system.unsubscribe(first, deadline=soon())
        assert await side.system.subscribe("http://127.0.0.1:9/there", deadline=soon())


@pytest.mark.parametrize("event", ["AlarmUpdated", "AlarmCleared", "AlarmAcknowledged", "AlarmEffectChanged"])
@pytest.mark.parametrize("theirs", [False, True])
def test_a_change_of_an_alarm_is_what_is_published(event: str, *, theirs: bool) -> None:
    told = payload(event, theirs=theirs, state="cleared" if event == "AlarmCleared" else "updated")
    told["record"] |= {"x733": {"trendIndication": "noChange"}, "@type": "X733Alarm", "@schemaLocation": "/x"}
    body = update(TheirAlarm(id="1", acknowledged=False), order(told))
    assert body.keys() <= UPDATED
    assert None not in body.values()
    assert [*published("Alarm_Update", 642).iter_errors(body)] == []
    assert plain(body)["affectedService"] == [{"id": "service-a"}]


def test_one_that_is_back_is_not_over_any_more() -> None:
    for is_cleared in (True, False):
        body = update(TheirAlarm(id="1", acknowledged=False, is_cleared=is_cleared), order(payload("AlarmReopened")))
        assert ("alarmClearedTime" in body) is is_cleared


@pytest.mark.parametrize(
    ("manners", "members", "taken_away"),
    [
        pytest.param({"nulls": False}, {"id", "name", "effect", "severity", "customer", "@type", "@baseType"}, False),
        pytest.param({"extensions": False}, {"id"}, True),
        pytest.param({"extensions": False, "nulls": False}, {"id"}, False),
    ],
)
async def test_of_nulls_and_members_of_ours_only_what_is_refused_is_left_out(
    manners: dict[str, bool], members: set[str], *, taken_away: bool
) -> None:
    back = order(payload("AlarmReopened"))
    async with (
        alarm_management.serving(manners=Manners(**manners)) as served,
        opened(System(name="umbrella", address=served.address)) as transport,
    ):
        system = Tmf642(transport)
        await system.report(order(payload()), delivery_id="event-1:u:a", deadline=soon())
        [their_id] = served.alarms
        for again in range(2):
            served.alarms[their_id]["alarmClearedTime"] = "2026-03-01T12:00:00.000Z"
            was = TheirAlarm(id=their_id, acknowledged=False, is_cleared=True)
            await system.amend(was, back, delivery_id=f"event-{again}:u:a", deadline=soon())
            alarm = served.alarms[their_id]
            assert set(alarm["affectedService"][0]) == members
            assert (alarm.get("alarmClearedTime") is None) is taken_away


async def test_an_alert_says_whose_services_it_affects(tmp_path: Path) -> None:
    async with of_alerta(tmp_path / "journal") as side:
        await side.system.report(order(payload()), delivery_id="event-1:u:a", deadline=soon())
        [alert] = side.served.alerts.values()
    assert (alert["resource"], alert["event"]) == ("trunk-1", f"lossOfSignal {OURS}")
    assert (alert["service"], alert["severity"], alert["group"]) == (["Ada's line"], "major", "communicationsAlarm")
    assert alert["attributes"] == {
        "alarmId": OURS,
        "deliveryId": "event-1:u:a",
        "raisedAt": "2026-03-01T11:00:00.000Z",
        "customer": "Ada",
        "effect": "down",
        "customerSeverity": "critical",
        "affectedServices": "1",
    }


async def test_an_alert_names_a_hundred_customers_and_says_how_many_more_there_are(tmp_path: Path) -> None:
    async with of_alerta(tmp_path / "journal") as side:
        [one] = payload()["affected"][:1]
        many = [{**one, "id": f"service-{each}", "customerName": f"c{each:03}"} for each in range(103)]
        await side.system.report(order({**payload(), "affected": many}), delivery_id="event-1:u:a", deadline=soon())
        [alert] = side.served.alerts.values()
    assert alert["attributes"]["customer"].endswith("c098, c099 and 3 more")


def test_an_order_says_how_many_services_there_are_where_it_does_not_list_them_all() -> None:
    assert "affectedServiceCount" not in order(payload()).body
    assert order({**payload(), "affectedCount": 1_500}).body["affectedServiceCount"] == 1_500


async def test_an_alert_that_affects_nobody_has_a_service_all_the_same(tmp_path: Path) -> None:
    async with of_alerta(tmp_path / "journal") as side:
        told = order({**payload(), "affected": [], "affectedCount": 0})
        await side.system.report(told, delivery_id="event-1:u:a", deadline=soon())
        [alert] = side.served.alerts.values()
    assert alert["service"] == ["network"]


async def test_an_alert_of_theirs_gets_attributes_and_their_status(tmp_path: Path) -> None:
    async with of_alerta(tmp_path / "journal") as side, httpx.AsyncClient() as person:
        own = {
            "resource": "trunk-1",
            "event": "LOS",
            "environment": "Production",
            "severity": "major",
            "service": ["x"],
        }
        made = (await person.post(f"{side.served.address}/alert", json=own)).json()["alert"]
        told = payload("AlarmAcknowledged", theirs=True, ackState="acknowledged", externalAlarmId=made["id"])
        their = await side.system.find(order({**told, "record": {}}), deadline=soon())
        assert their is not None
        await side.system.amend(their, order({**told, "record": {}}), delivery_id="event-1:u:a", deadline=soon())
        [alert] = side.served.alerts.values()
    assert (alert["event"], alert["status"], alert["attributes"]["customer"]) == ("LOS", "ack", "Ada")


@pytest.mark.parametrize(
    "body",
    [
        b'{"status": "ok", "message": "Suppressed alert during blackout period"}',
        b'{"status": "ok", "message": "Suppressed alert during blackout period", "id": "a-1"}',
        b'{"status": "ok", "message": "The night belongs to lovers", "id": "a-1"}',
    ],
)
async def test_an_alert_that_a_blackout_swallows_is_told_again(body: bytes) -> None:
    async with saying(http("202 Accepted", body, JSON)) as server, asking(server.address) as transport:
        with pytest.raises(Suspended) as caught:
            await Alerta(transport).report(order(payload()), delivery_id="event-1:u:a", deadline=soon())
    assert not caught.value.may_have_happened, "it was thrown away: nothing is waited out"


@pytest.mark.parametrize(
    "body",
    [
        b'{"status": "ok", "message": "Alert forwarded by alerta-1 already processed by alerta-2"}',
        b'{"status": "ok", "message": "Heartbeat received", "id": "h-1"}',
    ],
)
async def test_an_alert_that_came_round_in_a_circle_is_told_and_that_is_all(body: bytes) -> None:
    async with saying(http("202 Accepted", body, JSON)) as server, asking(server.address) as transport:
        note = await Alerta(transport).report(order(payload()), delivery_id="event-1:u:a", deadline=soon())
    assert note
    assert len(server.heard) == 1


async def test_an_alert_is_created_when_it_is_told_and_says_when_its_alarm_was_raised(tmp_path: Path) -> None:
    async with of_alerta(tmp_path / "journal") as side:
        raised = await _within_a_blackout(side.served.address)
        # Where it said that it was created then, it would be thrown away although the blackout is over: Suspended.
        await side.system.report(order(payload(raisedAt=raised)), delivery_id="event-1:u:a", deadline=soon())
        [alert] = side.served.alerts.values()
    assert read_time(alert["attributes"]["raisedAt"], "raisedAt") == raised


async def _within_a_blackout(address: str) -> int:
    """Let a blackout begin and end; give a time in it, epoch milliseconds."""
    async with httpx.AsyncClient(base_url=address) as person:
        known_as = (await person.post("/blackout", json={"environment": "Production"})).json()["id"]
        within = time.time_ns() // 1_000_000 + 1
        ended = {"endTime": write_time(within + 1)}
        (await person.put(f"/blackout/{known_as}", json=ended)).raise_for_status()
    await asyncio.sleep(0.01)
    return within


async def test_alerta_is_asked_with_its_key() -> None:
    async with alerta.serving(key=SecretStr("key")) as served:
        async with opened(System(name="alerta", address=served.address)) as transport:
            with pytest.raises(NotAdmitted):
                await Alerta(transport).report(order(payload()), delivery_id="e:u:a", deadline=soon())
        key = Token(secret=fixed(SecretStr("key")), header="X-API-Key", scheme="")
        async with opened(System(name="alerta", address=served.address, credential=key)) as transport:
            await Alerta(transport).report(order(payload()), delivery_id="e:u:a", deadline=soon())
        assert len(served.alerts) == 1


async def test_a_notification_is_valid_as_published_and_is_known_by_its_delivery(tmp_path: Path) -> None:
    async with of_mtosi(tmp_path / "journal") as side:
        for _ in range(2):
            await side.system.report(order(payload()), delivery_id="event-1:u:a", deadline=soon())
        [heard] = side.served.alarms.values()
        assert heard.notifications == ("event-1:u:a",)
        body = read_alarm(heard.element).body
        assert (body["externalAlarmId"], body["x-vendor"], body["sourceSystemId"]) == (OURS, {"row": 3}, "ems")
        assert body["affectedService"][0]["customer"]["name"] == "Ada"
        assert faults(side.served.messages[0]) == []


async def test_an_alarm_that_came_by_mtosi_is_named_as_it_was(tmp_path: Path) -> None:
    named = [{"type": "MD", "value": "north"}, {"type": "ME", "value": "W1"}]
    told = payload("AlarmAcknowledged", theirs=True, ackState="acknowledged", alarmedObjectRef="MD=north;ME=W1")
    told["record"] = {"x733": {"objectName": named, "vendorExtensions": ["<a>b</a>"]}}
    async with of_mtosi(tmp_path / "journal") as side:
        await side.system.report(order(told), delivery_id="event-1:u:a", deadline=soon())
        [heard] = side.served.alarms.values()
    values = [each.text for each in heard.element.iter() if etree.QName(each).localname == "value"]
    assert values == ["north", "W1"]


@pytest.mark.parametrize(
    ("status", "who", "error"),
    [
        ("500 Internal Server Error", "Client", Rejected),
        ("500 Internal Server Error", "Server", Busy),
        ("200 OK", "Client", Rejected),
        ("200 OK", "Server", Busy),
    ],
)
async def test_a_soap_fault_says_whether_to_tell_it_again(status: str, who: str, error: type[AdapterError]) -> None:
    body = SOAP.format(who).encode()
    async with saying(http(status, body, "Content-Type: text/xml")) as server, asking(server.address) as transport:
        with pytest.raises(error) as raised:
            await Mtosi(transport).report(order(payload()), delivery_id="event-1:u:a", deadline=soon())
        assert raised.value.answer.startswith("<")
        assert "faultcode" in raised.value.answer
        assert server.heard[0].startswith(b"POST / HTTP/1.1")


async def test_what_is_kept_of_a_soap_fault_holds_no_credential() -> None:
    key = Token(secret=fixed(SecretStr("s3cr3t-key")))
    body = SOAP.format("Client").replace("no<", "no right for s3cr3t-key<").encode()
    async with (
        saying(http("500 Internal Server Error", body, "Content-Type: text/xml")) as server,
        opened(System(name="umbrella", address=server.address, credential=key)) as transport,
    ):
        with pytest.raises(Rejected) as raised:
            await Mtosi(transport).report(order(payload()), delivery_id="event-1:u:a", deadline=soon())
    assert "no right for [hidden]" in raised.value.answer
