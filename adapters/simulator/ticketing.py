"""A ticketing system to try things with: TMF621, version 4, as a server that keeps what it is told.

Every change that is acted upon gets its line in the journal (time, method, id, externalId, idempotencyKey, status,
severity) before it is answered. The idempotency key is written down and not looked at: whoever tells it a thing twice
has two tickets. People work on tickets through the same API.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl

import orjson
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.errors import Malformed
from adapters.simulator import hub
from adapters.simulator.faults import JSON, Faults
from adapters.simulator.journal import Journal, read_journal
from adapters.simulator.serving import listening
from adapters.simulator.tickets import Changed, Ticket, Tickets, Unchangeable
from adapters.tmf import error_body, matches, page_headers, page_of, read_fields, read_query, select, write_time

BASE: Final = "/tmf-api/troubleTicket/v4"
RESOURCE: Final = f"{BASE}/troubleTicket"
MOST_BYTES: Final = 1_048_576
_MEDIA: Final = ("application/json", "application/merge-patch+json")


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketingSystem:
    """A ticketing system that is being served."""

    address: str
    """of the API: what a client of TMF621 is given."""
    tickets: Tickets
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
) -> AsyncIterator[TicketingSystem]:
    """Serve one in the running loop while the block runs.

    With `state`, tickets and subscriptions are those of an earlier life with the same file. With `bearer`, callers must
    bring it; with `callback_authorization`, events are sent with that header.
    """
    entries = read_journal(state) if state else []
    with closing(Journal(journal)) as received, closing(Journal(state)) as kept:
        tickets = Tickets(kept, path=RESOURCE, clock=lambda: time.time_ns() // 1_000_000)
        tickets.restore(entries)
        async with hub.opened(callback_authorization) as listeners:
            desk = _Desk(tickets=tickets, hub=listeners, received=received, kept=kept, bearer=bearer)
            desk.restore(entries)
            faults = Faults(desk.application())
            async with listening(faults, host=host, port=port) as address:
                yield TicketingSystem(address=f"{address}{BASE}", tickets=tickets, faults=faults)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Desk:
    """The endpoints."""

    tickets: Tickets
    hub: hub.Hub
    received: Journal
    kept: Journal
    bearer: SecretStr | None

    def application(self) -> Starlette:
        return Starlette(
            routes=[
                Route(RESOURCE, self.opened, methods=["POST"], name="troubleTicket"),
                Route(RESOURCE, self.listed, methods=["GET"], name="troubleTickets"),
                Route(f"{RESOURCE}/{{id}}", self.one, methods=["GET"]),
                Route(f"{RESOURCE}/{{id}}", self.changed, methods=["PATCH"]),
                Route(f"{BASE}/hub", self.subscribed, methods=["POST"]),
                Route(f"{BASE}/hub/{{id}}", self.unsubscribed, methods=["DELETE"]),
            ],
            exception_handlers={HTTPException: _refused, Malformed: _malformed, Unchangeable: _unchangeable},
        )

    def restore(self, entries: list[dict[str, object]]) -> None:
        """Subscribe whoever an earlier life has subscribed and not unsubscribed."""
        told: dict[str, object] = {}
        for entry in entries:
            if isinstance(subscription := entry.get("subscription"), dict):
                told[str(subscription["id"])] = subscription
            told.pop(str(entry.get("unsubscribed")), None)
        for known_as, subscription in told.items():
            self.hub.subscribe(subscription, known_as=known_as)

    async def opened(self, request: Request) -> Response:
        ticket = self.tickets.create(await self._read(request))
        self._receive(request, ticket)
        self._announce("TroubleTicketCreateEvent", ticket)
        return _json(201, ticket, {"Location": str(ticket["href"])})

    async def listed(self, request: Request) -> Response:
        self._authenticate(request)
        pairs = parse_qsl(request.url.query, keep_blank_values=True)
        asked = read_query(pairs)
        found = [each for each in self.tickets.all() if matches(each, asked.filters)]
        page = page_of(len(found), asked)
        body = [select(each, asked.fields) for each in found[page.first : page.end]]
        return _json(page.status, body, page_headers(page, RESOURCE, pairs))

    async def one(self, request: Request) -> Response:
        self._authenticate(request)
        ticket = self.tickets.get(request.path_params["id"])
        if ticket is None:
            raise HTTPException(404)
        return _json(200, select(ticket, read_fields(parse_qsl(request.url.query))))

    async def changed(self, request: Request) -> Response:
        patch = await self._read(request)
        try:
            changed = self.tickets.change(request.path_params["id"], patch)
        except KeyError:
            raise HTTPException(404) from None
        self._receive(request, changed.after)
        self._announce(_event_of(changed), changed.after)
        return _json(200, changed.after)

    async def subscribed(self, request: Request) -> Response:
        body = await self._read(request)
        try:
            subscription = self.hub.subscribe(body)
        except hub.AlreadyThere:
            raise HTTPException(409) from None
        self.kept.write({"subscription": subscription.shown()})
        return _json(201, subscription.shown(), {"Location": f"{BASE}/hub/{subscription.id}"})

    async def unsubscribed(self, request: Request) -> Response:
        self._authenticate(request)
        subscription = self.hub.unsubscribe(request.path_params["id"])
        if subscription is None:
            raise HTTPException(404)
        self.kept.write({"unsubscribed": subscription.id})
        return Response(status_code=204)

    def _authenticate(self, request: Request) -> None:
        wanted = f"Bearer {self.bearer.get_secret_value()}" if self.bearer else None
        if wanted is not None and request.headers.get("authorization") != wanted:
            raise HTTPException(401)

    async def _read(self, request: Request) -> object:
        self._authenticate(request)
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() not in _MEDIA:
            raise HTTPException(415)
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > MOST_BYTES:
                raise HTTPException(413)
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError as exc:
            raise Malformed("The body is no JSON", field="") from exc

    def _receive(self, request: Request, ticket: Ticket) -> None:
        told = {name: ticket.get(name) for name in ("id", "externalId", "status", "severity")}
        key = request.headers.get("idempotency-key")
        self.received.write({"time": ticket["lastUpdate"], "method": request.method, **told, "idempotencyKey": key})

    def _announce(self, event_type: str, ticket: Ticket) -> None:
        self.hub.announce(event_type, "troubleTicket", ticket, write_time(time.time_ns() // 1_000_000))


def _event_of(changed: Changed) -> str:
    same = changed.before["status"] == changed.after["status"]
    return "TroubleTicketAttributeValueChangeEvent" if same else "TroubleTicketStatusChangeEvent"


def _json(status: int, body: object, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(body), status, headers, media_type=JSON)


async def _refused(_: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)
    body = error_body(str(exc.status_code), exc.detail, status=exc.status_code)
    return _json(exc.status_code, body, dict(exc.headers or {}))


async def _malformed(_: Request, exc: Exception) -> Response:
    assert isinstance(exc, Malformed)
    message = f"{exc.field}: {exc.hint}" if exc.hint else exc.field
    return _json(400, error_body("invalidBody", exc.message, message=message, status=400))


async def _unchangeable(_: Request, exc: Exception) -> Response:
    assert isinstance(exc, Unchangeable)
    message = "A ticket that is closed or cancelled is not changed: open another"
    return _json(409, error_body("unchangeable", "The ticket is closed or cancelled", message=message, status=409))
