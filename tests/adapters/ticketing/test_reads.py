"""Tickets as others read them here, and our own client of TMF621 at our own server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from adapters.ticketing.inbound import PLACE
from adapters.ticketing.outbound.tmf621 import Tmf621
from adapters.transport.transport import System, opened
from gateway.settings.settings import Settings
from graph.store.store import Store
from tests.adapters.endpoint.composed import Port, listening_to_tickets, soon
from tests.adapters.schema import published
from tests.conftest import wipe
from tests.gateway.conftest import Mint
from tests.graph.changes.network import POLICY, Laid, lay, report

DESK = "system:desk"
AT = 1_767_261_600_000


@pytest.fixture(scope="module")
async def laid(store: Store) -> Laid:
    """Two tickets about one alarm, of two customers."""
    await wipe(store)
    await lay(store)
    laid = Laid(store=store)
    await laid.run("MATCH (s:Service) SET s.kind = 'x', s.state = 'active'")
    await laid.run("MATCH (c:Customer) SET c.segment = 'x', c.status = 'active'")
    alarm = await laid.raise_(report("trunk-1"))
    for number, customer in enumerate(("customer-a", "customer-b")):
        await laid.run(
            "MATCH (t:Ticket {orderKey: $key}) SET t.externalId = $known_as, t.changedAt = $at",
            key=f"{alarm}:{customer}",
            known_as=f"TT-{number + 1}",
            at=AT + number * 1_000,
        )
    await laid.run("MATCH (d:Delivery) SET d.state = 'DONE'")
    return laid


@pytest.fixture(scope="module")
async def client(laid: Laid, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    port = Port(laid.store, settings)
    port.policy = POLICY
    async with listening_to_tickets(port, settings) as client:
        yield client


async def listed(client: httpx.AsyncClient, headers: dict[str, str], query: str = "") -> list[dict[str, Any]]:
    answer = await client.get(f"/troubleTicket?{query}", headers=headers)
    assert answer.status_code in (200, 206), answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


async def test_a_ticket_is_as_published(client: httpx.AsyncClient, mint: Mint) -> None:
    tickets = await listed(client, mint.bearer("operator"))
    assert len(tickets) >= 2
    for each in tickets:
        assert [*published("TroubleTicket").iter_errors(each)] == []
        alone = await client.get(f"/troubleTicket/{each['id']}", headers=mint.bearer("operator"))
        assert (alone.status_code, alone.json()) == (200, each)
        assert each["href"] == f"{PLACE}/{each['id']}"
        assert {one["@referredType"] for one in each["relatedEntity"]} == {"Alarm", "Service"}
        [party] = each["relatedParty"]
        assert party["@referredType"] == "Customer"


async def test_each_sees_its_own(client: httpx.AsyncClient, mint: Mint) -> None:
    everything = await listed(client, mint.bearer("operator"))
    assert await listed(client, mint.bearer(DESK)) == everything, "it is the ticketing system of all of them"
    assert await listed(client, mint.bearer("system:nms")) == []
    owner = {each["id"]: each["relatedParty"][0]["id"] for each in everything}
    for customer in ("customer-a", "customer-b"):
        seen = await listed(client, mint.customer(customer))
        assert [each["id"] for each in seen] == [each["id"] for each in everything if owner[each["id"]] == customer]
        assert seen
    other = next(each for each, whose in owner.items() if whose == "customer-b")
    answers = [
        await client.get(f"/troubleTicket/{each}", headers=mint.customer("customer-a"))
        for each in (other, "ticket-none")
    ]
    assert [each.status_code for each in answers] == [404, 404]
    assert answers[0].content == answers[1].content


async def test_a_list_is_filtered_sorted_and_cut(client: httpx.AsyncClient, mint: Mint) -> None:
    operator = mint.bearer("operator")
    everything = await listed(client, operator)
    by_time = sorted(everything, key=lambda each: each["lastUpdate"], reverse=True)
    assert await listed(client, operator, "sort=-lastUpdate") == by_time
    assert await listed(client, operator, "sort=-lastUpdate&limit=1&offset=1") == by_time[1:2]
    assert await listed(client, operator, "externalId=TT-1,TT-none") == [
        each for each in everything if each["externalId"] == "TT-1"
    ]
    latest = by_time[0]["lastUpdate"]
    assert await listed(client, operator, f"lastUpdate.gte={latest}") == by_time[:1]
    assert await listed(client, operator, "status=closed") == []
    assert await listed(client, operator, "relatedParty.id=customer-a&fields=status") == [
        {"id": each["id"], "href": each["href"], "status": each["status"]}
        for each in everything
        if each["relatedParty"][0]["id"] == "customer-a"
    ]
    for query in ("status=open", "colour=red", "lastUpdate.gte=yesterday", "sort=colour"):
        answer = await client.get(f"/troubleTicket?{query}", headers=operator)
        assert (answer.status_code, answer.json()["code"]) == (400, "BAD_USER_INPUT")


async def test_our_own_client_polls_our_own_server(client: httpx.AsyncClient, mint: Mint) -> None:
    everything = {each["id"]: each for each in await listed(client, mint.bearer("operator"))}
    token = SecretStr(mint.token("operator"))
    async with opened(System(name="ours", address=str(client.base_url).rstrip("/"), bearer=token)) as transport:
        ours = Tmf621(transport)
        reported = await ours.reported(since=None, deadline=soon())
        assert {each.state.id: each.services for each in reported} == {
            key: tuple(one["id"] for one in each["relatedEntity"] if one["@referredType"] == "Service")
            for key, each in everything.items()
        }
        assert {each.customer for each in reported} == {"customer-a", "customer-b"}
        latest = max(each.state.changed_at or 0 for each in reported)
        [last] = await ours.reported(since=latest, deadline=soon())
        assert last.state.changed_at == latest
        states = await ours.states([*everything, "ticket-none"], deadline=soon())
        assert {each.id for each in states} == set(everything)
        found = await ours.find("TT-2", deadline=soon())
        assert found is not None
        assert found == next(each for each in states if each.external_id == "TT-2")
