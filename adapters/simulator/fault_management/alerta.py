"""Alerta to try things with: the part of its REST API (version 9) by which alerts are told, found and taken note of.

As there, two reports of one resource, event and environment are one alert, and the second is counted. Such a report opens
an alert again whose severity has risen; severity `cleared` closes it. An alert without a service is refused, as the plugin
that is on there by default does. What was created in a blackout of its environment, or of its resource, is answered 202 and thrown
away. As there, an alert that says no `createTime` was created when it came, and a blackout that has ended is not forgotten: it
goes on to throw away what was created in it.
Every change that is acted upon gets its line in the journal before it is answered.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl
from uuid import uuid4

from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.errors import Malformed
from adapters.simulator.faults import Faults
from adapters.simulator.front import answer, authenticate, malformed, read_object, refused
from adapters.simulator.journal import Journal, read_journal
from adapters.simulator.serving import listening
from adapters.tmf.tmf630 import read_time

BASE: Final = "/api"
ENVIRONMENTS: Final = ("Production", "Development")
SEVERITIES: Final = (
    *("critical", "major", "minor", "warning", "indeterminate", "informational"),
    *("cleared", "normal", "ok"),
)
"""The worst first."""
_OVER: Final = ("cleared", "normal", "ok")
_STATUSES: Final = ("open", "ack", "closed", "assign", "shelved")
_BLACKOUT_SECONDS: Final = 3_600
_SAME: Final = ("resource", "event", "environment")
_KEPT: Final = ("severity", "service", "group", "value", "text", "tags", "attributes", "origin", "type", "timeout")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertaServer:
    """An Alerta that is being served."""

    address: str
    """of the API."""
    alerts: Mapping[str, dict[str, Any]]
    """by id, in the order in which they were first told."""
    faults: Faults


@asynccontextmanager
async def serving(
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    journal: Path | None = None,
    state: Path | None = None,
    key: SecretStr | None = None,
) -> AsyncIterator[AlertaServer]:
    """Serve one in the running loop while the block runs; with `state`, what an earlier life with that file has kept."""
    entries = read_journal(state) if state else []
    with closing(Journal(journal)) as received, closing(Journal(state)) as kept:
        desk = _Desk(received=received, kept=kept, key=key)
        desk.alerts.update({str(alert["id"]): alert for each in entries if isinstance(alert := each["alert"], dict)})
        faults = Faults(desk.application())
        async with listening(faults, host=host, port=port) as address:
            yield AlertaServer(address=f"{address}{BASE}", alerts=desk.alerts, faults=faults)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Blackout:
    """A time in which nothing is kept."""

    environment: str
    resource: str | None
    """None: all of the environment."""
    start: int
    """epoch milliseconds."""
    end: int

    def covers(self, body: Mapping[str, Any]) -> bool:
        """Tell whether an alert was created in it."""
        created = _time(body, "createTime") if "createTime" in body else _now()
        is_about = body["environment"] == self.environment and self.resource in (None, body["resource"])
        return is_about and self.start <= created < self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class _Desk:
    """The endpoints."""

    received: Journal
    kept: Journal
    key: SecretStr | None
    alerts: dict[str, dict[str, Any]] = field(default_factory=dict)
    blackouts: dict[str, _Blackout] = field(default_factory=dict)
    """by id; those that have ended among them."""

    def application(self) -> Starlette:
        return Starlette(
            routes=[
                Route(f"{BASE}/alert", self.told, methods=["POST"]),
                Route(f"{BASE}/alerts", self.listed, methods=["GET"]),
                Route(f"{BASE}/blackout", self.begin_blackout, methods=["POST"]),
                Route(f"{BASE}/blackout/{{id}}", self.end_blackout, methods=["PUT"]),
                Route(f"{BASE}/blackout/{{id}}", self.forget_blackout, methods=["DELETE"]),
                Route(f"{BASE}/alert/{{id}}", self.one, methods=["GET"]),
                Route(f"{BASE}/alert/{{id}}/status", self.status, methods=["PUT"]),
                Route(f"{BASE}/alert/{{id}}/attributes", self.attributes, methods=["PUT"]),
            ],
            exception_handlers={HTTPException: refused, Malformed: malformed},
        )

    async def told(self, request: Request) -> Response:
        body = await self._read(request)
        _check(body)
        if any(each.covers(body) for each in self.blackouts.values()):
            message = "Suppressed alert during blackout period"
            return answer(202, {"status": "ok", "message": message, "id": str(uuid4())})
        alert = next((a for a in self.alerts.values() if all(a[n] == body[n] for n in _SAME)), None)
        alert = _new(body) if alert is None else _again(alert, body)
        self._keep(request, alert)
        return answer(201, {"status": "ok", "id": alert["id"], "alert": alert})

    async def begin_blackout(self, request: Request) -> Response:
        body, known_as = await self._read(request), str(uuid4())
        self.blackouts[known_as] = _blackout(body)
        return answer(201, {"status": "ok", "id": known_as})

    async def end_blackout(self, request: Request) -> Response:
        body, known_as = await self._read(request), request.path_params["id"]
        if known_as not in self.blackouts:
            raise HTTPException(404)
        self.blackouts[known_as] = replace(self.blackouts[known_as], end=_time(body, "endTime"))
        return answer(200, {"status": "ok"})

    async def forget_blackout(self, request: Request) -> Response:
        self._authenticate(request)
        if self.blackouts.pop(request.path_params["id"], None) is None:
            raise HTTPException(404)
        return answer(200, {"status": "ok"})

    async def listed(self, request: Request) -> Response:
        self._authenticate(request)
        asked = dict(parse_qsl(request.url.query))
        page, size = int(asked.pop("page", "1")), int(asked.pop("page-size", "50"))
        found = [each for each in self.alerts.values() if all(str(each.get(n)) == v for n, v in asked.items())]
        shown = found[(page - 1) * size : page * size]
        return answer(200, {"status": "ok", "alerts": shown, "total": len(found), "page": page, "pageSize": size})

    async def one(self, request: Request) -> Response:
        self._authenticate(request)
        return answer(200, {"status": "ok", "total": 1, "alert": self._alert(request)})

    async def status(self, request: Request) -> Response:
        body = await self._read(request)
        if body.get("status") not in _STATUSES:
            raise Malformed("status is none of the words", field="status")
        self._keep(request, {**self._alert(request), "status": body["status"]})
        return answer(200, {"status": "ok"})

    async def attributes(self, request: Request) -> Response:
        body = await self._read(request)
        alert, given = self._alert(request), body.get("attributes")
        if not isinstance(given, dict):
            raise Malformed("attributes is no object", field="attributes")
        self._keep(request, {**alert, "attributes": {**alert["attributes"], **given}})
        return answer(200, {"status": "ok"})

    def _authenticate(self, request: Request) -> None:
        authenticate(request, self.key, header="x-api-key", scheme="")

    async def _read(self, request: Request) -> dict[str, object]:
        self._authenticate(request)
        return await read_object(request, "application/json")

    def _alert(self, request: Request) -> dict[str, Any]:
        if request.path_params["id"] not in self.alerts:
            raise HTTPException(404)
        return self.alerts[request.path_params["id"]]

    def _keep(self, request: Request, alert: dict[str, Any]) -> None:
        self.alerts[alert["id"]] = alert
        self.kept.write({"alert": alert})
        told = {name: alert.get(name) for name in ("id", "event", "severity", "status", "value", "attributes")}
        self.received.write({"time": _now(), "method": request.method, **told})


def _blackout(body: Mapping[str, Any]) -> _Blackout:
    if not isinstance(environment := body.get("environment"), str) or not environment:
        raise Malformed("environment is missing", field="environment")
    begun = _now()
    seconds = int(body.get("duration", _BLACKOUT_SECONDS))
    return _Blackout(environment=environment, resource=body.get("resource"), start=begun, end=begun + seconds * 1_000)


def _time(body: Mapping[str, Any], name: str) -> int:
    return read_time(str(body.get(name)), name)


def _now() -> int:
    return time.time_ns() // 1_000_000


def _new(body: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: body[name] for name in (*_SAME, *_KEPT) if name in body}
    status = "closed" if body["severity"] in _OVER else "open"
    return {"attributes": {}, "tags": [], **kept, "id": str(uuid4()), "status": status, "duplicateCount": 0}


def _again(alert: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    told = {name: body[name] for name in _KEPT if name in body}
    told["attributes"] = {**alert["attributes"], **body.get("attributes", {})}
    status, worse = alert["status"], SEVERITIES.index(body["severity"]) < SEVERITIES.index(alert["severity"])
    if body["severity"] in _OVER:
        status = "closed"
    elif worse or status == "closed":
        status = "open"
    count = alert["duplicateCount"] + 1 if body["severity"] == alert["severity"] else 0
    return {**alert, **told, "status": status, "duplicateCount": count}


def _check(body: Mapping[str, Any]) -> None:
    for name in _SAME:
        if not isinstance(body.get(name), str) or not body[name]:
            raise Malformed(f"{name} is missing", field=name)
    if body["environment"] not in ENVIRONMENTS:
        raise Malformed("environment is none that there is", field="environment")
    if body.get("severity") not in SEVERITIES:
        raise Malformed("severity is none of the words", field="severity")
    if not body.get("service"):
        raise Malformed("An alert has a service", field="service")
    if any("." in name or "$" in name for name in body.get("attributes", {})):
        raise Malformed("An attribute has a dot in its name", field="attributes")
