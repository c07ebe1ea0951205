"""A central fault management system to try things with: TMF642, version 4, as a server that keeps the alarms it is told.

Every change that is acted upon gets its line in the journal (time, method, id, externalAlarmId, state, ackState,
idempotencyKey) before it is answered. Two POSTs are two alarms, whatever their names. People take note of alarms through
the same API, and whoever has asked at the hub is told.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.errors import Malformed
from adapters.simulator import hub
from adapters.simulator.faults import Faults
from adapters.simulator.front import answer, authenticate, listed, malformed, read_object, refused, shown
from adapters.simulator.journal import Journal, read_journal
from adapters.simulator.serving import listening
from adapters.tmf.tmf630 import merge_patch, write_time

BASE: Final = "/tmf-api/alarmManagement/v4"
RESOURCE: Final = f"{BASE}/alarm"
REQUIRED: Final = (
    "alarmType",
    "perceivedSeverity",
    "probableCause",
    "alarmedObject",
    "sourceSystemId",
    "state",
    "alarmRaisedTime",
)
_FIXED: Final = ("id", "href")
_STATES: Final = ("raised", "updated", "cleared")
_ACK_STATES: Final = ("acknowledged", "unacknowledged")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmManagement:
    """A fault management system that is being served."""

    address: str
    """of the API."""
    alarms: Mapping[str, dict[str, Any]]
    """by id, in the order in which they were told."""
    faults: Faults


@asynccontextmanager
async def serving(
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    journal: Path | None = None,
    state: Path | None = None,
    bearer: SecretStr | None = None,
    callback_authorization: SecretStr | None = None,
) -> AsyncIterator[AlarmManagement]:
    """Serve one in the running loop while the block runs; with `state`, what an earlier life with that file has kept."""
    entries = read_journal(state) if state else []
    with closing(Journal(journal)) as received, closing(Journal(state)) as kept:
        async with hub.opened(callback_authorization) as listeners:
            desk = _Desk(hub=listeners, received=received, kept=kept, bearer=bearer)
            desk.restore(entries)
            faults = Faults(desk.application())
            async with listening(faults, host=host, port=port) as address:
                yield AlarmManagement(address=f"{address}{BASE}", alarms=desk.alarms, faults=faults)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Desk:
    """The endpoints."""

    hub: hub.Hub
    received: Journal
    kept: Journal
    bearer: SecretStr | None
    alarms: dict[str, dict[str, Any]] = field(default_factory=dict)

    def application(self) -> Starlette:
        return Starlette(
            routes=[
                Route(RESOURCE, self.told, methods=["POST"], name="tell"),
                Route(RESOURCE, self.listed, methods=["GET"], name="list"),
                Route(f"{RESOURCE}/{{id}}", self.one, methods=["GET"]),
                Route(f"{RESOURCE}/{{id}}", self.changed, methods=["PATCH"]),
                Route(f"{BASE}/hub", self.subscribed, methods=["POST"]),
            ],
            exception_handlers={HTTPException: refused, Malformed: malformed},
        )

    def restore(self, entries: list[dict[str, object]]) -> None:
        """Take over what an earlier life has kept: of each thing the last that was said."""
        for entry in entries:
            if isinstance(alarm := entry.get("alarm"), dict):
                self.alarms[str(alarm["id"])] = alarm
            if isinstance(subscription := entry.get("subscription"), dict):
                self.hub.subscribe(subscription, known_as=str(subscription["id"]))

    async def told(self, request: Request) -> Response:
        authenticate(request, self.bearer)
        body = await read_object(request, "application/json")
        _check(body)
        alarm_id = f"FM-{len(self.alarms) + 1:08d}"
        alarm = {"ackState": "unacknowledged", **body, "id": alarm_id, "href": f"{RESOURCE}/{alarm_id}"}
        self._keep(request, alarm, "AlarmCreateEvent")
        return answer(201, alarm, {"Location": str(alarm["href"])})

    async def listed(self, request: Request) -> Response:
        authenticate(request, self.bearer)
        return listed(request, RESOURCE, [*self.alarms.values()])

    async def one(self, request: Request) -> Response:
        authenticate(request, self.bearer)
        return shown(request, self._alarm(request))

    async def changed(self, request: Request) -> Response:
        authenticate(request, self.bearer)
        before = self._alarm(request)
        patch = await read_object(request)
        merged = merge_patch(before, patch)
        assert isinstance(merged, dict)
        _check(merged)
        if any(merged.get(name) != before[name] for name in _FIXED):
            raise Malformed("It is decided here", field="id")
        self._keep(request, merged, "AlarmAttributeValueChangeEvent")
        return answer(200, merged)

    async def subscribed(self, request: Request) -> Response:
        authenticate(request, self.bearer)
        try:
            subscription = self.hub.subscribe(await read_object(request, "application/json"))
        except hub.AlreadyThere:
            raise HTTPException(409) from None
        self.kept.write({"subscription": subscription.shown()})
        return answer(201, subscription.shown(), {"Location": f"{BASE}/hub/{subscription.id}"})

    def _alarm(self, request: Request) -> dict[str, Any]:
        if request.path_params["id"] not in self.alarms:
            raise HTTPException(404)
        return self.alarms[request.path_params["id"]]

    def _keep(self, request: Request, alarm: dict[str, Any], event: str) -> None:
        now = write_time(time.time_ns() // 1_000_000)
        self.alarms[str(alarm["id"])] = alarm
        self.kept.write({"alarm": alarm})
        told = {name: alarm.get(name) for name in ("id", "externalAlarmId", "state", "ackState")}
        key = request.headers.get("idempotency-key")
        self.received.write({"time": now, "method": request.method, **told, "idempotencyKey": key})
        self.hub.announce(event, "alarm", alarm, now)


def _check(alarm: Mapping[str, Any]) -> None:
    for name in REQUIRED:
        if name not in alarm:
            raise Malformed(f"{name} is missing", field=name)
    for name, words in (("state", _STATES), ("ackState", _ACK_STATES)):
        if alarm.get(name, words[0]) not in words:
            raise Malformed(f"{name} is none of the words", field=name)
