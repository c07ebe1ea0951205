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

from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.errors import Malformed
from adapters.simulator import hub
from adapters.simulator.faults import Faults
from adapters.simulator.front import answer, authenticate, listed, malformed, read_json, refused, shown
from adapters.simulator.journal import Journal, read_journal
from adapters.simulator.serving import listening
from adapters.simulator.ticketing.tickets import Changed, Ticket, Tickets, Unchangeable
from adapters.tmf.tmf630 import error_body, write_time

BASE: Final = "/tmf-api/troubleTicket/v4"
RESOURCE: Final = f"{BASE}/troubleTicket"


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
            exception_handlers={HTTPException: refused, Malformed: malformed, Unchangeable: _unchangeable},
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
        authenticate(request, self.bearer)
        ticket = self.tickets.create(await read_json(request))
        self._receive(request, ticket)
        self._announce("TroubleTicketCreateEvent", ticket)
        return answer(201, ticket, {"Location": str(ticket["href"])})

    async def listed(self, request: Request) -> Response:
        authenticate(request, self.bearer)
        return listed(request, RESOURCE, self.tickets.all())

    async def one(self, request: Request) -> Response:
        authenticate(request, self.bearer)
        ticket = self.tickets.get(request.path_params["id"])
        if ticket is None:
            raise HTTPException(404)
        return shown(request, ticket)

    async def changed(self, request: Request) -> Response:
        authenticate(request, self.bearer)
        patch = await read_json(request)
        try:
            changed = self.tickets.change(request.path_params["id"], patch)
        except KeyError:
            raise HTTPException(404) from None
        self._receive(request, changed.after)
        self._announce(_event_of(changed), changed.after)
        return answer(200, changed.after)

    async def subscribed(self, request: Request) -> Response:
        authenticate(request, self.bearer)
        body = await read_json(request)
        try:
            subscription = self.hub.subscribe(body)
        except hub.AlreadyThere:
            raise HTTPException(409) from None
        self.kept.write({"subscription": subscription.shown()})
        return answer(201, subscription.shown(), {"Location": f"{BASE}/hub/{subscription.id}"})

    async def unsubscribed(self, request: Request) -> Response:
        authenticate(request, self.bearer)
        subscription = self.hub.unsubscribe(request.path_params["id"])
        if subscription is None:
            raise HTTPException(404)
        self.kept.write({"unsubscribed": subscription.id})
        return Response(status_code=204)

    def _receive(self, request: Request, ticket: Ticket) -> None:
        told = {name: ticket.get(name) for name in ("id", "externalId", "status", "severity")}
        key = request.headers.get("idempotency-key")
        self.received.write({"time": ticket["lastUpdate"], "method": request.method, **told, "idempotencyKey": key})

    def _announce(self, event_type: str, ticket: Ticket) -> None:
        self.hub.announce(event_type, "troubleTicket", ticket, write_time(time.time_ns() // 1_000_000))


def _event_of(changed: Changed) -> str:
    same = changed.before["status"] == changed.after["status"]
    return "TroubleTicketAttributeValueChangeEvent" if same else "TroubleTicketStatusChangeEvent"


async def _unchangeable(_: Request, exc: Exception) -> Response:
    assert isinstance(exc, Unchangeable)
    message = "A ticket that is closed or cancelled is not changed: open another"
    return answer(409, error_body("unchangeable", "The ticket is closed or cancelled", message=message, status=409))
