"""The stand-ins themselves: they keep what they are told over their own death, and refuse what the real ones refuse."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from adapters.simulator.fault_management import alarm_management, alerta, event_management, notified
from tests.adapters.fault_management.sides import order, payload

pytestmark = pytest.mark.process

ALERT = {"resource": "r", "event": "e", "environment": "Production", "severity": "major", "service": ["s"]}

EVENT = {"eventId": "e-1", "eventType": "ServiceStateChangeEvent", "event": {"service": {}}, "source": {"id": "s"}}


def alarm() -> dict[str, Any]:
    return dict(order(payload()).body)


@pytest.mark.parametrize(
    ("name", "path", "body"),
    [("fault-management", "alarm", alarm()), ("events", "event", EVENT), ("alerta", "alert", ALERT)],
    ids=["fault-management", "events", "alerta"],
)
def test_it_keeps_what_it_was_told_when_it_is_killed(
    tmp_path: Path, name: str, path: str, body: dict[str, Any]
) -> None:
    command = [sys.executable, "-m", "adapters.simulator", name, "--state", str(tmp_path / "state"), "--leash"]
    ids: list[list[str]] = []
    for _ in range(2):
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            address = orjson.loads(process.stdout.readline())["address"]
            if not ids:
                assert httpx.post(f"{address}/{path}", json=body).is_success
            found = httpx.get(f"{address}/{path}s" if name == "alerta" else f"{address}/{path}").json()
            ids.append([each["id"] for each in (found["alerts"] if name == "alerta" else found)])
            process.kill()
    assert ids[0] == ids[1] != []


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({}, 201),
        ({"state": None}, 400),
        ({"state": "unwell"}, 400),
        ({"ackState": "perhaps"}, 400),
        ({"alarmRaisedTime": None}, 400),
    ],
    ids=str,
)
async def test_an_alarm_is_checked(change: dict[str, Any], status: int) -> None:
    body = {name: value for name, value in {**alarm(), **change}.items() if value is not None}
    async with alarm_management.serving() as served, httpx.AsyncClient() as client:
        assert (await client.post(f"{served.address}/alarm", json=body)).status_code == status
        assert (await client.get(f"{served.address}/alarm/none")).status_code == 404
        assert (await client.post(f"{served.address}/alarm", content=b"x")).status_code == 415


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({}, 201),
        ({"service": []}, 400),
        ({"environment": "Moon"}, 400),
        ({"severity": "awful"}, 400),
        ({"event": ""}, 400),
        ({"attributes": {"a.b": "c"}}, 400),
    ],
    ids=str,
)
async def test_an_alert_is_checked(change: dict[str, Any], status: int) -> None:
    async with alerta.serving() as served, httpx.AsyncClient() as client:
        assert (await client.post(f"{served.address}/alert", json={**ALERT, **change})).status_code == status
        assert (await client.get(f"{served.address}/alert/none")).status_code == 404


async def test_a_message_that_is_no_notification_gets_a_fault() -> None:
    async with notified.serving() as served, httpx.AsyncClient() as client:
        xml = {"Content-Type": "text/xml"}
        for body in (b"<a/>", b"", b"<a>&lt;"):
            answer = await client.post(served.address, content=body, headers=xml)
            assert answer.status_code == 500
            assert b"faultstring" in answer.content


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({}, 201),
        ({"id": "mine"}, 400),
        ({"colour": "red"}, 400),
        ({"eventTime": "yesterday"}, 400),
        ({"event": "no object"}, 400),
        ({"source": {"name": "without an id"}}, 400),
        ({"title": 7}, 400),
    ],
    ids=str,
)
async def test_an_event_is_checked(change: dict[str, Any], status: int) -> None:
    async with event_management.serving() as served, httpx.AsyncClient() as client:
        assert (await client.post(f"{served.address}/event", json={**EVENT, **change})).status_code == status
        for each in served.events:
            changed = await client.patch(f"{served.address}/event/{each}", json={})
            assert changed.status_code == 409, "what has happened has happened"


NOTIFICATION = """<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>
<n:notify xmlns:n="http://www.tmforum.org/mtop/fmw/xsd/notmsg/v1"><n:topic>Inventory</n:topic><n:message>{}</n:message></n:notify>
</s:Body></s:Envelope>"""
DELETION = """<d:{0} xmlns:d="http://www.tmforum.org/mtop/nrb/xsd/{1}/v1" xmlns:c="http://www.tmforum.org/mtop/fmw/xsd/cei/v1"
 xmlns:e="http://www.tmforum.org/mtop/fmw/xsd/ei/v1"><c:notificationId>1</c:notificationId>{2}</d:{0}>"""
NAMED = "<e:objectType>ME</e:objectType><e:objectName/>"


@pytest.mark.parametrize(
    ("name", "module", "inside", "status"),
    [
        pytest.param("resourceObjectDeletion", "rscodel", NAMED, 202, id="as published"),
        pytest.param("resourceObjectGone", "rscodel", NAMED, 500, id="no event of the standard"),
        pytest.param("resourceObjectDeletion", "rscodel", "", 500, id="of nothing"),
        pytest.param("resourceObjectDeletion", "rscodel", "<e:osTime/>" + NAMED, 500, id="out of order"),
        pytest.param("resourceObjectDeletion", "rscodel", NAMED + "<e:state/>", 500, id="with more than it has"),
        pytest.param(
            "resourceStateChange",
            "rscsc",
            NAMED + '<s:attributeList xmlns:s="http://www.tmforum.org/mtop/fmw/xsd/sc/v1"/>',
            500,
            id="with no attributes in their list",
        ),
    ],
)
async def test_an_event_of_mtosi_is_checked(name: str, module: str, inside: str, status: int) -> None:
    async with notified.serving() as served, httpx.AsyncClient() as client:
        body = NOTIFICATION.format(DELETION.format(name, module, inside))
        answer = await client.post(served.address, content=body, headers={"Content-Type": "text/xml"})
        assert answer.status_code == status, answer.text
        assert list(served.events) == (["1"] if status == 202 else [])
