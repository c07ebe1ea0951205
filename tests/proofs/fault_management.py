"""Fault management, proven on an Alerta: an alarm is an alert there, with the customer that it hurts, people come back, and a
blackout loses nothing.

The person who works there is Grace; she logs in, and what is true over there is asked as her.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from adapters.fault_management.outbound.alerta import ENVIRONMENT
from adapters.tmf.tmf630 import write_time
from tests.faults.processes import TOP
from tests.proofs.alerta import FROM_PYPI, PACKAGES, PERSON, RealAlerta, alerta
from tests.proofs.debian import present
from tests.proofs.ours import Ours, Protected, ours
from tests.proofs.running import PATIENT, until
from tests.proofs.steps import Say, Steps, Summary

NAME: Final = "alerta"
POLL_SECONDS: Final = 1.0
_SECONDS: Final = 120.0
"""for each thing to come to be."""
_FIRST, _SECOND, _HUSHED, _HEARD = 1, 2, 3, 4
"""numbers of alarms, of which the last two come in a blackout: one of what it is about, one of something else."""
_NOTED: Final = "query ($id: ID!) { alarm(id: $id) { ackState } }"
_ACKNOWLEDGE: Final = """
mutation ($id: ID!, $key: String!) {
  acknowledgeAlarm(alarmId: $id, idempotencyKey: $key) { alarm { ackState } userErrors { message } }
}
"""
_WAITING: Final = """
query ($alarm: String!) {
  deliveries(filter: {subject: {eq: $alarm}, state: {eq: READY}}) { nodes { attempts lastError } }
}
"""
_TRIED: Final = 2
"""attempts of a delivery after which it is clear that it is told again."""
_NOT_ON_ORDER: Final = "real-alerta and not misbehaviour and not slow and not named_in_what"
"""A real one does not misbehave to order, and shows nobody which header was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grace:
    """Works with the alerts, by Alerta's own API."""

    client: httpx.AsyncClient

    async def alert(self, alarm: str) -> dict[str, Any] | None:
        """Give the one alert of an alarm of ours, as it stands there."""
        answer = await self.client.get("/alerts", params={"attributes.alarmId": alarm})
        found: list[dict[str, Any]] = answer.raise_for_status().json()["alerts"]
        assert len(found) <= 1, f"several alerts are one alarm: {found}"
        return found[0] if found else None

    async def takes_note(self, alert: str, status: str) -> None:
        """Acknowledge it, or take that back."""
        body = {"status": status, "text": "I have seen it"}
        (await self.client.put(f"/alert/{alert}/status", json=body)).raise_for_status()

    async def begins_blackout(self, resource: str) -> str:
        """Let no news of a resource in, as for planned work on it; gives the blackout's id."""
        body = {"environment": ENVIRONMENT, "resource": resource, "duration": 3_600, "text": "Planned work"}
        answer = (await self.client.post("/blackout", json=body)).raise_for_status()
        return str(answer.json()["id"])

    async def ends_blackout(self, blackout: str) -> None:
        """Let it end now: it stays in the list of blackouts, among those that are over."""
        body = {"endTime": write_time(time.time_ns() // 1_000_000)}
        (await self.client.put(f"/blackout/{blackout}", json=body)).raise_for_status()

    async def deletes_blackout(self, blackout: str) -> None:
        """Delete it before its time."""
        (await self.client.delete(f"/blackout/{blackout}")).raise_for_status()


async def prove(directory: Path, say: Say) -> Summary:
    """Show that fault management works on a real system; AssertionError where it does not."""
    versions = present(PACKAGES)
    steps = Steps(say=say)
    their_directory, our_directory = directory / "alerta", directory / "ours"
    for each in (their_directory, our_directory):
        each.mkdir(mode=0o755)
    async with AsyncExitStack() as stack:
        system = await stack.enter_async_context(alerta(their_directory))
        steps.show(
            "an Alerta on a database of its own answers on loopback, and lets in nobody without a key or a login"
        )
        async with AsyncExitStack() as inner:
            us = await inner.enter_async_context(ours(our_directory, {"fault_management": _settings(system)}))
            steps.show("the gateway is ready, on a network that was just loaded")
            client = await inner.enter_async_context(httpx.AsyncClient(base_url=system.address, timeout=30))
            grace = await _logged_in(client, system)
            await _journey(us, grace, steps)
            await _blackouts(us, grace, steps)
        passed = await asyncio.to_thread(_contract, system)
        steps.show(
            f"the contract that every dialect keeps, as the test suite has it for stand-ins: {passed} tests pass"
        )
    steps.show("everything that was started has ended")
    system_text = f"{FROM_PYPI[0].replace('==', ' ')} (PyPI, PostgreSQL {versions['postgresql']} of Debian)"
    return Summary(name="Fault management", system=system_text, steps=tuple(steps.shown))


def _settings(system: RealAlerta) -> dict[str, Any]:
    return {
        "name": "alerta",
        "address": system.address,
        "dialect": "alerta",
        "bearer_file": str(system.key),
        "poll_seconds": POLL_SECONDS,
        "requests": 4,
    }


async def _logged_in(client: httpx.AsyncClient, system: RealAlerta) -> Grace:
    assert (await client.get("/alerts")).status_code == 401, "it lets anybody in"
    body = {"username": PERSON, "password": system.password.read_text()}
    token = (await client.post("/auth/login", json=body)).raise_for_status().json()["token"]
    client.headers["Authorization"] = f"Bearer {token}"
    return Grace(client=client)


async def _journey(us: Ours, grace: Grace, steps: Steps) -> None:
    chosen = await us.protected_service()
    alarm = await us.breaks(chosen.working, _FIRST)
    alert = await _is_told(us, grace, chosen, alarm)
    steps.show(
        "a trunk fails: the alert is there, once, with our id, the customer, the effect and its severity by contract"
    )
    other = await us.breaks(chosen.protecting, _SECOND)
    await _there(grace, alarm, lambda each: each["attributes"]["effect"] == "down", "the effect has got worse")
    steps.show("the other way fails too: the same alert says that the service is down")
    await grace.takes_note(alert, "ack")
    await until(lambda: _noted(us, alarm, "ACKNOWLEDGED"), "it is acknowledged here", _SECONDS)
    steps.show("a person acknowledges it there, and it is acknowledged here")
    told = await us.as_operator(_ACKNOWLEDGE, {"id": other, "key": "proof"})
    assert told["acknowledgeAlarm"]["userErrors"] == [], told
    await _there(grace, other, lambda each: each["status"] == "ack", "the other is acknowledged there")
    steps.show("an operator acknowledges the other one here, and it is acknowledged there")
    for number in (_SECOND, _FIRST):
        await us.is_mended(number)
    for each in (alarm, other):
        await _there(grace, each, lambda one: one["status"] == "closed", "the alert is closed")
        closed = await grace.alert(each)
        assert closed is not None
        assert (closed["severity"], closed["attributes"]["affectedServices"]) == ("cleared", "0"), closed
    steps.show("both are mended: both alerts are closed there, and affect nobody any more")


async def _blackouts(us: Ours, grace: Grace, steps: Steps) -> None:
    """Show that what a blackout throws away is not taken as told: neither that it breaks, nor that it is mended."""
    chosen = await us.protected_service()
    blackout = await grace.begins_blackout(chosen.working)
    hushed = await us.breaks(chosen.working, _HUSHED)
    other = await us.breaks(chosen.protecting, _HEARD)
    await _there(grace, other, lambda each: each["status"] == "open", "what no blackout is about is told")
    await _is_held_up(us, hushed)
    assert await grace.alert(hushed) is None, "an alert came into being in a blackout"
    steps.show("in a blackout of the first trunk both fail: of the other there is an alert, of the first there is none")
    await grace.ends_blackout(blackout)
    await _there(grace, hushed, lambda each: each["status"] == "open", "what was thrown away is told again")
    steps.show("the blackout has ended: the alert of the first is there, once")
    blackout = await grace.begins_blackout(chosen.working)
    await us.is_mended(_HUSHED)
    await us.is_mended(_HEARD)
    await _there(grace, other, lambda each: each["status"] == "closed", "the alert of the other is closed")
    await _is_held_up(us, hushed)
    still = await grace.alert(hushed)
    assert still is not None
    assert still["status"] == "open", still
    steps.show("in another blackout both are mended: the other's alert is closed, the first one's is still open")
    await grace.deletes_blackout(blackout)
    await _there(grace, hushed, lambda each: each["status"] == "closed", "that it is mended is told again")
    steps.show("that blackout is deleted: the alert of the first is closed")


async def _is_held_up(us: Ours, alarm: str) -> None:
    """Wait until the news of an alarm was tried again and is still to be told, by reason of a blackout."""

    async def is_so() -> bool:
        waiting = (await us.as_operator(_WAITING, {"alarm": alarm}))["deliveries"]["nodes"]
        tried = [each for each in waiting if each["attempts"] >= _TRIED]
        return any("blackout" in str(each["lastError"]) for each in tried)

    await until(is_so, "the news of an alarm waits for the end of a blackout", _SECONDS)


async def _is_told(us: Ours, grace: Grace, chosen: Protected, alarm: str) -> str:
    alert = await _there(grace, alarm, lambda _: True, "the alarm is an alert there")
    names = await us.as_operator(
        "query ($s: ID!, $c: ID!) { service(id: $s) { name } customer(id: $c) { name } }",
        {"s": chosen.service, "c": chosen.customer},
    )
    assert names["service"]["name"] in alert["service"], alert
    assert names["customer"]["name"] in alert["attributes"]["customer"], alert
    assert alert["resource"] == chosen.working, alert
    assert (alert["environment"], alert["origin"], alert["severity"], alert["status"]) == (
        ENVIRONMENT,
        "trunkline",
        "major",
        "open",
    ), alert
    assert alert["attributes"]["effect"] in ("down", "degraded", "atRisk"), alert
    assert alert["attributes"]["customerSeverity"] in ("critical", "major", "minor", "warning"), alert
    return str(alert["id"])


async def _there(grace: Grace, alarm: str, holds: Callable[[dict[str, Any]], bool], what: str) -> dict[str, Any]:
    """Wait until the one alert of an alarm is as it should be over there."""

    async def asked() -> dict[str, Any] | None:
        found = await grace.alert(alarm)
        return found if found is not None and holds(found) else None

    found: dict[str, Any] = await until(asked, what, _SECONDS)
    return found


async def _noted(us: Ours, alarm: str, state: str) -> bool:
    return bool((await us.as_operator(_NOTED, {"id": alarm}))["alarm"]["ackState"] == state)


def _contract(system: RealAlerta) -> int:
    """Run the contract's tests on it; gives how many have passed."""
    tests = ["tests/adapters/fault_management/test_contract.py", "-k", _NOT_ON_ORDER]
    command = [sys.executable, "-m", "pytest", *tests, "-p", "no:cacheprovider"]
    environment = {**os.environ, "TRUNKLINE_TEST_ALERTA": f"{system.address} {system.key.read_text()}", **PATIENT}
    done = subprocess.run(command, cwd=TOP, env=environment, capture_output=True, text=True, check=False)
    passed = re.search(r"(\d+) passed", done.stdout)
    assert done.returncode == 0, done.stdout[-3_000:]
    assert passed is not None, done.stdout[-3_000:]
    return int(passed[1])
