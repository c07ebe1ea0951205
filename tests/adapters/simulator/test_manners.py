"""Real systems differ where the conventions let them, and so does a stand-in, to order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from adapters.fault_management.outbound.tmf642 import UPDATED
from adapters.simulator.__main__ import main
from adapters.simulator.billing import billing
from adapters.simulator.billing.records import PROBLEM, UPDATES, USAGE
from adapters.simulator.fault_management import alarm_management
from adapters.simulator.faults import Kind, Rule
from adapters.simulator.inventory import inventory, resources
from adapters.simulator.manners import Manners
from adapters.simulator.ticketing import ticketing, tickets
from tests.adapters.fault_management.sides import order, payload
from tests.adapters.schema import properties_of

TICKET = {"description": "It is broken", "severity": "minor", "ticketType": "fault", "externalId": "key"}


@asynccontextmanager
async def desk(**manners: Any) -> AsyncIterator[tuple[httpx.AsyncClient, ticketing.TicketingSystem]]:
    async with (
        ticketing.serving(manners=Manners(**manners)) as served,
        httpx.AsyncClient(base_url=served.address) as person,
    ):
        yield person, served


async def made(person: httpx.AsyncClient, **more: Any) -> str:
    answer = await person.post("/troubleTicket", json={**TICKET, **more})
    assert answer.status_code == 201
    return f"/troubleTicket/{answer.json()['id']}"


async def test_a_list_says_how_many_there_are_only_when_asked_to() -> None:
    for counts in (False, True):
        async with desk(counts=counts, links=counts, most=2) as (person, _):
            for _ in range(3):
                await made(person)
            page = await person.get("/troubleTicket?limit=100")
            assert (page.status_code, len(page.json())) == (206, 2)
            assert ("x-total-count" in page.headers, "next" in page.links) == (counts, counts)


async def test_a_change_is_taken_in_its_media_type_only_and_may_be_answered_with_nothing() -> None:
    merge = "application/merge-patch+json"
    async with desk(patches=(merge,), shows_changes=False) as (person, served):
        path = await made(person)
        assert (await person.patch(path, json={"severity": "major"})).status_code == 415
        answer = await person.patch(path, content=b'{"severity": "major"}', headers={"Content-Type": merge})
        assert (answer.status_code, answer.content) == (204, b"")
        assert served.tickets.all()[0]["severity"] == "major"


async def test_a_change_may_be_tied_to_what_was_seen() -> None:
    async with desk() as (person, _):
        path = await made(person)
        tag = (await person.get(path)).headers["etag"]
        first = await person.patch(path, json={"severity": "major"}, headers={"If-Match": tag})
        assert first.status_code == 200
        stale = await person.patch(path, json={"severity": "minor"}, headers={"If-Match": tag})
        assert stale.status_code == 412
        fresh = {"If-Match": first.headers["etag"]}
        assert (await person.patch(path, json={"severity": "minor"}, headers=fresh)).status_code == 200
    async with desk(tags=False) as (person, _):
        path = await made(person)
        assert "etag" not in (await person.get(path)).headers


async def test_it_has_words_of_its_own() -> None:
    async with desk(words={"acknowledged": "new", "held": "on ice"}) as (person, served):
        path = await made(person)
        assert (await person.get(path)).json()["status"] == "new"
        assert (await person.patch(path, json={"status": "on ice"})).json()["status"] == "on ice"
        assert [len((await person.get(f"/troubleTicket?status={each}")).json()) for each in ("on ice", "held")] == [
            1,
            0,
        ]
        assert served.tickets.all()[0]["status"] == "held"


@pytest.mark.parametrize(("hub", "statuses"), [("one", [201, 409]), ("many", [201, 201]), ("none", [404, 404])])
async def test_a_callback_that_registers_twice_is_refused_or_there_twice(hub: str, statuses: list[int]) -> None:
    async with desk(hub=hub) as (person, _):
        answers = [await person.post("/hub", json={"callback": "http://127.0.0.1:9/x"}) for _ in range(2)]
    assert [each.status_code for each in answers] == statuses


async def test_members_that_no_schema_has_may_be_refused() -> None:
    body = dict(order(payload()).body)
    for extensions, status in ((True, 201), (False, 400)):
        manners = Manners(extensions=extensions)
        async with alarm_management.serving(manners=manners) as served, httpx.AsyncClient() as person:
            assert (await person.post(f"{served.address}/alarm", json=body)).status_code == status


async def test_a_change_has_what_a_change_may_have() -> None:
    async with alarm_management.serving() as served, httpx.AsyncClient() as person:
        made_at = (await person.post(f"{served.address}/alarm", json=dict(order(payload()).body))).headers["location"]
        url = httpx.URL(served.address).join(made_at)
        for body, status in (({"sourceSystemId": "x"}, 400), ({"x733": {}}, 400), ({"ackState": "acknowledged"}, 200)):
            assert (await person.patch(url, json=body)).status_code == status
    async with inventory.serving() as stock, httpx.AsyncClient() as person:
        made_at = (await person.post(f"{stock.address}/resource", json={"name": "card"})).headers["location"]
        url = httpx.URL(stock.address).join(made_at)
        for body, status in (({"href": "x"}, 400), ({"value": "x"}, 400), ({"name": "x"}, 200)):
            assert (await person.patch(url, json=body)).status_code == status
    async with billing.serving() as books, httpx.AsyncClient(base_url=books.address) as person:
        usage = (await person.post(billing.PATHS[USAGE], json={"usageType": "x"})).json()
        for body, status in (({"usageDate": "2026-01-01T00:00:00Z"}, 400), ({"status": "billed"}, 200)):
            assert (await person.patch(usage["href"], json=body)).status_code == status


@pytest.mark.parametrize(
    ("members", "definition", "api"),
    [
        (tickets.UPDATE, "TroubleTicket_Update", 621),
        (alarm_management.UPDATE, "Alarm_Update", 642),
        (resources.UPDATE, "Resource_Update", 639),
        (UPDATES[USAGE], "Usage_Update", 635),
        (UPDATES[PROBLEM], "ServiceProblem_Update", 656),
        (UPDATED, "Alarm_Update", 642),
    ],
)
def test_what_a_change_may_have_is_what_is_published(members: frozenset[str], definition: str, api: int) -> None:
    assert members == {each for each in properties_of(definition, api) if not each.startswith("@")}


@pytest.mark.parametrize(
    ("kind", "status"),
    [(Kind.UNAUTHORIZED, 401), (Kind.FORBIDDEN, 403), (Kind.NOT_FOUND, 404), (Kind.CONFLICT, 409)],
)
async def test_it_refuses_after_a_while_and_does_nothing(kind: Kind, status: int) -> None:
    async with desk() as (person, served):
        served.faults.order(Rule(kind=kind, after=2, times=1, method="POST"))
        answers = [(await person.post("/troubleTicket", json=TICKET)).status_code for _ in range(4)]
        assert answers == [201, 201, status, 201]
        assert len(served.tickets.all()) == 3


async def test_what_it_does_it_may_answer_with_nothing() -> None:
    async with desk() as (person, served):
        served.faults.order(Rule(kind=Kind.EMPTY, times=1))
        answer = await person.post("/troubleTicket", json=TICKET)
        assert (answer.status_code, answer.content, len(served.tickets.all())) == (204, b"", 1)
        served.faults.order(Rule(kind=Kind.EMPTY, times=1))
        assert (await person.get("/troubleTicket/none")).status_code == 404


@pytest.mark.parametrize("manners", ["{", '{"polite": true}', '{"hub": "two"}', '{"most": 0}'])
def test_manners_that_are_none_are_refused(manners: str) -> None:
    done = CliRunner().invoke(main, ["ticketing", "--manners", manners])
    assert done.exit_code == 2
    assert "--manners" in done.output
