from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from gateway.settings import Settings
from graph.store import Store
from tests.adapters.northbound.composed import Port, listening_to_tickets
from tests.gateway.conftest import Mint
from tests.graph.changes.network import POLICY, Laid, lay, report

DESK = "system:desk"
STATUS = "/listener/troubleTicketStatusChangeEvent"


@pytest.fixture
async def laid(empty_store: Store) -> Laid:
    await lay(empty_store)
    return Laid(store=empty_store)


@pytest.fixture
async def key(laid: Laid) -> str:
    """The order key of a ticket that the other system has acknowledged."""
    alarm = await laid.raise_(report("trunk-1"))
    await laid.run("MATCH (d:Delivery) SET d.state = 'DONE'")
    return f"{alarm}:customer-a"


@pytest.fixture
async def client(laid: Laid, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    port = Port(laid.store, settings)
    port.policy = POLICY
    async with listening_to_tickets(port, settings) as client:
        yield client


def event(key: str, **ticket: Any) -> dict[str, Any]:
    given = {"id": "TT-1", "externalId": key, "status": "inProgress", "lastUpdate": "2026-01-01T10:00:00Z", **ticket}
    return {"eventType": "TroubleTicketStatusChangeEvent", "event": {"troubleTicket": given}}


async def status(laid: Laid, key: str) -> list[Any]:
    [row] = await laid.rows("MATCH (t:Ticket {orderKey: $key}) RETURN t.externalId, t.status", key=key)
    return row


async def test_what_the_ticketing_system_says_is_noted_and_told_to_the_customer(
    client: httpx.AsyncClient, mint: Mint, laid: Laid, key: str
) -> None:
    answer = await client.post(STATUS, json=event(key), headers=mint.bearer(DESK))
    assert answer.status_code == 204
    assert await status(laid, key) == ["TT-1", "inProgress"]
    assert [each[2:] for each in await laid.events() if each[2] == "TicketStatusChanged"] == [
        ("TicketStatusChanged", ["customer-a"])
    ]


async def test_what_is_older_than_what_is_known_is_passed_over(
    client: httpx.AsyncClient, mint: Mint, laid: Laid, key: str
) -> None:
    await client.post(STATUS, json=event(key), headers=mint.bearer(DESK))
    old = event(key, status="held", lastUpdate="2026-01-01T09:00:00Z")
    assert (await client.post(STATUS, json=old, headers=mint.bearer(DESK))).status_code == 204
    assert await status(laid, key) == ["TT-1", "inProgress"]


async def test_a_ticket_of_which_something_waits_to_be_told_keeps_its_status(
    client: httpx.AsyncClient, mint: Mint, laid: Laid, key: str
) -> None:
    await laid.run("MATCH (d:Delivery) SET d.state = 'READY'")
    await client.post(STATUS, json=event(key), headers=mint.bearer(DESK))
    assert await status(laid, key) == ["TT-1", "acknowledged"]


async def test_a_ticket_that_is_not_ours_changes_nothing(
    client: httpx.AsyncClient, mint: Mint, laid: Laid, key: str
) -> None:
    for foreign in ("alarm-none:customer-a", None):
        answer = await client.post(STATUS, json=event(key, externalId=foreign), headers=mint.bearer(DESK))
        assert answer.status_code == 204
    assert await status(laid, key) == [None, "acknowledged"]


@pytest.mark.parametrize("role", ["system:nms", "analyst", "customer"])
async def test_nobody_else_tells_of_tickets(
    client: httpx.AsyncClient, mint: Mint, laid: Laid, key: str, role: str
) -> None:
    headers = mint.customer() if role == "customer" else mint.bearer(role)
    answer = await client.post(STATUS, json=event(key), headers=headers)
    assert answer.status_code == 403
    assert await status(laid, key) == [None, "acknowledged"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        pytest.param([], "event.troubleTicket", id="no object"),
        pytest.param({"event": {}}, "event.troubleTicket", id="no ticket"),
        pytest.param(event("k", status="broken"), "event.troubleTicket.status", id="a status that is none"),
        pytest.param(event("k", id=7), "event.troubleTicket.id", id="an id that is no string"),
        pytest.param(event("k", lastUpdate="yesterday"), "event.troubleTicket.lastUpdate", id="a time that is none"),
    ],
)
async def test_nonsense_is_refused_with_its_place(client: httpx.AsyncClient, mint: Mint, body: Any, field: str) -> None:
    answer = await client.post(STATUS, json=body, headers=mint.bearer(DESK))
    assert answer.status_code == 400
    assert field in answer.json()["message"]


async def test_an_event_that_we_do_not_know_is_not_found(client: httpx.AsyncClient, mint: Mint, key: str) -> None:
    answer = await client.post("/listener/customerCreateEvent", json=event(key), headers=mint.bearer(DESK))
    assert answer.status_code == 404
