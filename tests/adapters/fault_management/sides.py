"""Each dialect with a system that speaks it: what that system knows of our alarms, and what its people do.

A real Alerta is among them when the environment says where (`TRUNKLINE_TEST_ALERTA`: its address, and a key):
all that it has is deleted before each test.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import httpx
from pydantic import SecretStr
from starlette.applications import Starlette

from adapters.fault_management import FaultManagement
from adapters.fault_management.alarms.read import read_alarm
from adapters.fault_management.outbound.alerta import Alerta
from adapters.fault_management.outbound.mtosi import Mtosi
from adapters.fault_management.outbound.ordering import order_of
from adapters.fault_management.outbound.tmf642 import Tmf642
from adapters.simulator.fault_management import alarm_management, alerta, notified
from adapters.simulator.faults import Faults
from adapters.transport.credentials import Token, fixed
from adapters.transport.transport import System, Transport, opened

OURS = "alarm-0199-7"
_REAL: Final = os.environ.get("TRUNKLINE_TEST_ALERTA", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the other system knows of one alarm of ours."""

    severity: str
    cleared: bool
    acknowledged: bool | None
    """None: it says neither."""
    affected: int


class Side(Protocol):
    """A dialect, and a system that speaks it."""

    @property
    def system(self) -> FaultManagement:
        """The dialect."""
        ...

    @property
    def faults(self) -> Faults:
        """How it misbehaves to order; a real one cannot."""
        ...

    def known(self) -> Mapping[str, list[Known]]:
        """Give what it has, by our id; several where it was told of one alarm twice."""
        ...

    async def acknowledge(self, ours: str) -> None:
        """Take note of an alarm, as its people do."""
        ...


@dataclass
class OfTmf642:
    system: FaultManagement
    faults: Faults
    served: alarm_management.AlarmManagement

    def known(self) -> Mapping[str, list[Known]]:
        found: dict[str, list[Known]] = {}
        for each in self.served.alarms.values():
            known = Known(
                severity=each["perceivedSeverity"],
                cleared=each["state"] == "cleared",
                acknowledged=each["ackState"] == "acknowledged",
                affected=len(each["affectedService"]),
            )
            found.setdefault(each["externalAlarmId"], []).append(known)
        return found

    async def acknowledge(self, ours: str) -> None:
        [their_id] = [n for n, each in self.served.alarms.items() if each["externalAlarmId"] == ours]
        async with httpx.AsyncClient() as client:
            url = f"{self.served.address}/alarm/{their_id}"
            for media in ("application/json", "application/merge-patch+json"):
                body, headers = b'{"ackState": "acknowledged"}', {"Content-Type": media}
                if (await client.patch(url, content=body, headers=headers)).is_success:
                    return
            raise AssertionError("nobody can take note there")


class _Alerts(Protocol):
    """An Alerta, of whatever kind."""

    @property
    def address(self) -> str: ...

    @property
    def alerts(self) -> Mapping[str, dict[str, Any]]: ...


@dataclass(frozen=True)
class RealAlerts:
    """An Alerta that others wrote, asked with a key."""

    address: str
    key: str

    @property
    def alerts(self) -> Mapping[str, dict[str, Any]]:
        answer = httpx.get(f"{self.address}/alerts", params={"page-size": 1_000}, headers=self.headers)
        return {each["id"]: each for each in answer.raise_for_status().json()["alerts"]}

    @property
    def headers(self) -> dict[str, str]:
        return {"X-API-Key": self.key}


@dataclass
class OfAlerta:
    system: FaultManagement
    faults: Faults
    served: _Alerts
    headers: Mapping[str, str]

    def known(self) -> Mapping[str, list[Known]]:
        found: dict[str, list[Known]] = {}
        for each in self.served.alerts.values():
            known = Known(
                severity=each["severity"],
                cleared=each["status"] == "closed",
                acknowledged=each["status"] == "ack",
                affected=int(each["attributes"]["affectedServices"]),
            )
            found.setdefault(each["attributes"]["alarmId"], []).append(known)
        return found

    async def acknowledge(self, ours: str) -> None:
        [their_id] = [n for n, each in self.served.alerts.items() if each["attributes"]["alarmId"] == ours]
        async with httpx.AsyncClient(headers=dict(self.headers)) as client:
            url = f"{self.served.address}/alert/{their_id}/status"
            assert (await client.put(url, json={"status": "ack"})).is_success


@dataclass
class OfMtosi:
    system: FaultManagement
    faults: Faults
    served: notified.Listener

    def known(self) -> Mapping[str, list[Known]]:
        found: dict[str, list[Known]] = {}
        for each in self.served.alarms.values():
            body = read_alarm(each.element).body
            known = Known(
                severity=body["perceivedSeverity"],
                cleared=body["state"] == "cleared",
                acknowledged=body["ackState"] == "acknowledged" if "ackState" in body else None,
                affected=len(body["affectedService"]),
            )
            found.setdefault(body["externalAlarmId"], []).append(known)
        return found

    async def acknowledge(self, ours: str) -> None:
        raise NotImplementedError("its people tell us by a message of theirs: tests of the northbound endpoint")


@asynccontextmanager
async def of_tmf642(journal: Path) -> AsyncIterator[OfTmf642]:
    async with alarm_management.serving(journal=journal) as served, opened(_system(served.address)) as transport:
        yield OfTmf642(Tmf642(transport), served.faults, served)


@asynccontextmanager
async def of_alerta(journal: Path) -> AsyncIterator[OfAlerta]:
    async with alerta.serving(journal=journal) as served, opened(_system(served.address)) as transport:
        yield OfAlerta(Alerta(transport), served.faults, served, {})


@asynccontextmanager
async def of_a_real_alerta(_: Path) -> AsyncIterator[OfAlerta]:
    address, key = _REAL.split()
    served = RealAlerts(address, key)
    async with httpx.AsyncClient(base_url=address, headers=served.headers) as client:
        for each in served.alerts:
            (await client.delete(f"/alert/{each}")).raise_for_status()
    known = Token(secret=fixed(SecretStr(served.key)), header="X-API-Key", scheme="")
    async with opened(System(name="umbrella", address=address, failures=1_000, credential=known)) as transport:
        nothing = Faults(Starlette())
        yield OfAlerta(Alerta(transport), nothing, served, served.headers)


@asynccontextmanager
async def of_mtosi(journal: Path) -> AsyncIterator[OfMtosi]:
    async with notified.serving(journal=journal) as served, opened(_system(served.address)) as transport:
        yield OfMtosi(Mtosi(transport), served.faults, served)


DIALECTS: dict[str, Callable[[Transport], FaultManagement]] = {"tmf642": Tmf642, "alerta": Alerta, "mtosi": Mtosi}
SIDES: dict[str, Callable[[Path], AbstractAsyncContextManager[Side]]] = {
    "tmf642": of_tmf642,
    "alerta": of_alerta,
    "mtosi": of_mtosi,
    **({"real-alerta": of_a_real_alerta} if _REAL else {}),
}


def _system(address: str) -> System:
    return System(name="umbrella", address=address, failures=1_000)


def payload(event: str = "AlarmRaised", *, ours: str = OURS, theirs: bool = False, **values: Any) -> dict[str, Any]:
    """What a delivery says."""
    given = {
        "sourceSystemId": "umbrella" if theirs else "ems",
        "externalAlarmId": "X1",
        "alarmedObjectRef": "trunk-1",
        "alarmType": "communicationsAlarm",
        "probableCause": "lossOfSignal",
        "specificProblem": None,
        "perceivedSeverity": "major",
        "state": "raised",
        "ackState": "unacknowledged",
        "raisedAt": 1_772_362_800_000,
        "changedAt": 1_772_362_800_500,
        "clearedAt": None,
        **values,
    }
    harm = {
        "id": "service-a",
        "name": "Ada's line",
        "effect": "down",
        "severity": "critical",
        "customer": "customer-a",
        "customerName": "Ada",
    }
    return {
        "event": event,
        "alarm": ours,
        "isTheirs": theirs,
        "values": given,
        "record": {"alarmDetails": "no light", "x-vendor": {"row": 3}},
        "object": "trunk-1",
        "affectedCount": 1,
        "affected": [harm],
    }


order = order_of
