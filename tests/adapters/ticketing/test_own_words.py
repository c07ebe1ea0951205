"""A ticketing system with statuses of its own that writes times as Java does: our tickets are opened there, and heard of."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.delivery.attending import Attention
from adapters.delivery.delivery import Lanes
from adapters.passed_over import PassedOver
from adapters.simulator.front import answer, listed, read_object
from adapters.simulator.serving import listening
from adapters.ticketing.outbound.tmf621 import Tmf621
from adapters.ticketing.telling import TicketTeller
from adapters.tmf.tmf630 import merge_patch
from adapters.transport.transport import System, opened
from graph.store.store import Store
from tests.adapters.delivery.test_delivery import PACE, until
from tests.graph.changes.network import POLICY, Laid, lay, report


@dataclass(frozen=True, slots=True)
class Desk:
    """What it keeps, and how it answers."""

    tickets: dict[str, Any] = field(default_factory=dict)
    counted: list[str] = field(default_factory=list)

    def application(self) -> Starlette:
        one = Route("/troubleTicket/{id}", self.one, methods=["GET", "PATCH"])
        return Starlette(routes=[Route("/troubleTicket", self.all, methods=["GET", "POST"]), one])

    async def all(self, request: Request) -> Response:
        if request.method == "GET":
            return listed(request, "/troubleTicket", [*self.tickets.values()])
        number = str(55 + len(self.tickets))
        made = {**await read_object(request), "id": number, "status": "New", "lastUpdate": "2026-03-01T12:00Z"}
        self.tickets[number] = made
        return answer(201, made)

    async def one(self, request: Request) -> Response:
        known_as = request.path_params["id"]
        if request.method == "PATCH":
            self.tickets[known_as] = merge_patch(self.tickets[known_as], await read_object(request))
        return answer(200, self.tickets[known_as])


@pytest.fixture
async def desk(empty_store: Store) -> AsyncIterator[Desk]:
    """A desk that is told of what happens to the network, and looked at."""
    await lay(empty_store)
    desk = Desk()
    async with (
        listening(desk.application()) as address,
        opened(System(name="desk", address=address)) as transport,
    ):
        ticketing = Tmf621(
            transport,
            statuses={"awaitingVendor": "pending"},
            passed_over=PassedOver("desk", desk.counted.append),
        )
        attention = Attention(poll_seconds=0.1, request_seconds=PACE.request_seconds)
        teller = TicketTeller(store=empty_store, ticketing=ticketing, policy=POLICY, attention=attention)
        task = asyncio.create_task(Lanes(empty_store, teller, PACE, owner="one", note=lambda *_: None).run())
        yield desk
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_its_tickets_are_opened_heard_of_and_resolved(desk: Desk, empty_store: Store) -> None:
    laid = Laid(store=empty_store)

    async def settled() -> bool:
        return await laid.rows("MATCH (d:Delivery) WHERE d.state <> 'DONE' RETURN count(d)") == [[0]]

    async def known() -> dict[str, str]:
        rows = await laid.rows("MATCH (t:Ticket) WHERE t.externalId IS NOT NULL RETURN t.externalId, t.status")
        return {str(known_as): str(status) for known_as, status in rows}

    await laid.raise_(report("trunk-1"))
    await until(settled)
    assert await laid.rows("MATCH (d:Delivery) RETURN DISTINCT d.attempts") == [[1]]
    assert await known() == {"55": "acknowledged", "56": "acknowledged"}

    desk.tickets["56"] |= {"status": "awaitingVendor", "lastUpdate": "2026-03-01T12:01:00.000+0000"}

    async def is_heard() -> bool:
        return await known() == {"55": "acknowledged", "56": "pending"}

    await until(is_heard)
    assert set(desk.counted) == {"desk"}, "the other one is passed over, and that is counted"

    await laid.raise_(report("trunk-1", cleared=True))
    await until(settled)
    assert {each["status"] for each in desk.tickets.values()} == {"resolved"}
    entities = [each["@referredType"] for each in desk.tickets["55"]["relatedEntity"]]
    assert sorted(entities) == ["Alarm", "Service"], "it goes on to say what it was about"
