"""The stand-ins themselves: they keep what they are told over their own death, and refuse what the real ones refuse."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from adapters.simulator.fault_management import alarm_management, alerta, notified
from tests.adapters.fault_management.sides import order, payload

pytestmark = pytest.mark.process

ALERT = {"resource": "r", "event": "e", "environment": "Production", "severity": "major", "service": ["s"]}


def alarm() -> dict[str, Any]:
    return dict(order(payload()).body)


@pytest.mark.parametrize(
    ("name", "path", "body"),
    [("fault-management", "alarm", alarm()), ("alerta", "alert", ALERT)],
    ids=["fault-management", "alerta"],
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
