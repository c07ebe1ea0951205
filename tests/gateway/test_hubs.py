"""Who asked to be told of alarms is told of each, in order, though processes of the gateway are killed in between."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from aiohttp import web
from pydantic import SecretStr, ValidationError

from adapters.simulator.fault_management.fault_management import reporting
from gateway.auth.minting import local_issuer
from gateway.errors import SettingsBroken
from gateway.settings.hub import Hubs
from gateway.settings.settings import load_settings
from tests.adapters.webhooks.test_outward import hearing, taken
from tests.faults.processes import Gateway, Victim, free_port
from tests.selection import is_full

pytestmark = [pytest.mark.process, pytest.mark.long(80)]

BASE = "/tmf-api/alarmManagement/v4"
ALARMS = 40 if is_full() else 20
KILLS = (Victim.WORKER, Victim.SUPERVISOR, Victim.WORKER) if is_full() else (Victim.WORKER, Victim.SUPERVISOR)
SECONDS = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A gateway of two workers, somebody who asks there, and somebody who is told."""

    gateway: Gateway
    client: httpx.AsyncClient
    callback: str
    heard: list[web.Request]
    token: SecretStr

    async def register(self) -> None:
        """Ask to be told, as any client does: again, while a process that has just been started has no database yet."""
        end = time.monotonic() + SECONDS
        made = await self.client.post(f"{BASE}/hub", json={"callback": self.callback})
        while made.status_code == 503 and time.monotonic() < end:
            await asyncio.sleep(float(made.headers["Retry-After"]))
            made = await self.client.post(f"{BASE}/hub", json={"callback": self.callback})
        assert made.status_code == 201, made.text

    async def events(self) -> list[tuple[str, str]]:
        """Give the first telling of each event: its type, and the alarm."""
        bodies: list[Any] = [orjson.loads(await each.read()) for each in self.heard]
        first = {each["eventId"]: each for each in reversed(bodies)}
        times = {each["eventId"]: number for number, each in reversed(list(enumerate(bodies)))}
        ordered = sorted(first.values(), key=lambda each: times[each["eventId"]])
        return [(each["eventType"], each["event"]["alarm"]["externalAlarmId"]) for each in ordered]


@pytest.fixture
async def scene(store_address: str, tmp_path: Path) -> AsyncIterator[Scene]:
    embedded = store_address.startswith("embedded:")
    issuer, port = local_issuer(tmp_path / "issuer.json"), free_port()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TRUNKLINE_")}
    settings = {
        "TRUNKLINE_STORE": f"embedded:{tmp_path / 'graph'}" if embedded else store_address,
        "TRUNKLINE_STORE_HEAP_MEGABYTES": "256",
        "TRUNKLINE_LISTEN": f"127.0.0.1:{port}",
        "TRUNKLINE_ISSUERS": json.dumps([issuer.settings().model_dump(mode="json")]),
        "TRUNKLINE_HUBS": json.dumps({"loopback": True, "secret": "s" * 32}),
    }
    address = f"http://127.0.0.1:{port}"
    gateway = Gateway(
        address=address,
        environment={**kept, **settings},
        directory=tmp_path / "graph" if embedded else None,
        log=tmp_path / "gateway.log",
    )
    headers = {"Authorization": f"Bearer {issuer.token(subject='ann', role='operator')}"}
    token = SecretStr(issuer.token(subject="nms", role="system:nms"))
    async with AsyncExitStack() as stack:
        stack.push_async_callback(gateway.end)
        gateway.begin()
        await gateway.until_ready(SECONDS)
        callback, heard = await stack.enter_async_context(hearing(taken))
        client = await stack.enter_async_context(httpx.AsyncClient(base_url=address, headers=headers, timeout=30))
        yield Scene(gateway=gateway, client=client, callback=callback, heard=heard, token=token)


@asynccontextmanager
async def alarms_flow(scene: Scene) -> AsyncIterator[None]:
    """Raise and clear alarms one after the other while the block runs, and to their end."""

    async def flow() -> None:
        async with reporting(f"{scene.gateway.address}{BASE}", scene.token, source="nms") as faults:
            for number in range(ALARMS):
                soon = time.monotonic() + SECONDS
                raised = await faults.raise_alarm(f"thing-{number}", number=number, deadline=soon)
                await faults.clear_alarm(raised.external_alarm_id, deadline=soon)

    task = asyncio.create_task(flow())
    try:
        yield
        await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.timeout(400)
async def test_nothing_is_missed_and_nothing_overtakes_whoever_is_killed(scene: Scene) -> None:
    await scene.register()
    async with alarms_flow(scene):
        for victim in KILLS:
            await asyncio.sleep(1.5)
            await scene.gateway.until_ready(SECONDS)
            await scene.gateway.kill(victim, 0.5, SECONDS)
    wanted = [
        (event, f"FM-{number:08d}")
        for number in range(ALARMS)
        for event in ("AlarmCreateEvent", "AlarmStateChangeEvent")
    ]
    end = time.monotonic() + SECONDS
    while len(await scene.events()) < len(wanted) and time.monotonic() < end:  # noqa: ASYNC110 - only looking tells
        await asyncio.sleep(0.2)
    assert await scene.events() == wanted
    assert len(scene.heard) <= len(wanted) + 2 * len(KILLS), "what is told again is what was not yet counted"


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"hosts": ["noc.example.com"]},
        {"hosts": ["noc.example.com"], "secret": "short"},
        {"hosts": ["https://noc.example.com"], "secret": "s" * 32},
        {"hosts": ["NOC.example.com"], "secret": "s" * 32},
        {"hosts": ["*"], "secret": "s" * 32},
        {"hosts": [], "secret": "s" * 32},
        {"hosts": ["a"], "secret": "s" * 32, "port": 1},
    ],
)
def test_settings_that_allow_nothing_or_anything_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Hubs(**given)


def test_settings_say_where_callbacks_may_lead() -> None:
    assert Hubs(hosts=("noc.example.com", ".oss.example.com"), secret=SecretStr("s" * 32)).hosts


@pytest.mark.parametrize(("text", "fault"), [("x" * 32 + "\n", ""), ("short", "less than"), (None, "cannot be read")])
def test_the_secret_may_be_in_a_file(tmp_path: Path, text: str | None, fault: str) -> None:
    file = tmp_path / "secret"
    if text is not None:
        file.write_text(text)
    given = Hubs(hosts=("a.example",), secret_file=file)
    if fault:
        with pytest.raises(SettingsBroken, match=fault):
            load_settings(hubs=given)
        return
    found = load_settings(hubs=given).hubs
    assert found is not None
    assert found.secret.get_secret_value() == "x" * 32
