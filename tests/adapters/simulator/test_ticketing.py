from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.simulator.front import MOST_BYTES
from adapters.simulator.journal import Journal, read_journal
from adapters.simulator.serving import listening
from adapters.simulator.ticketing.ticketing import TicketingSystem, serving
from adapters.ticketing.tmf621_resource import creation
from tests.adapters.conftest import KEY, order
from tests.adapters.schema import faults, published

BODY: dict[str, Any] = creation(order(), "event-1:ticketing:customer-3", 1_772_366_400_000)
LEAST = {"description": "It is broken", "severity": "minor", "ticketType": "complaint"}


async def posted(person: httpx.AsyncClient, **more: Any) -> dict[str, Any]:
    answer = await person.post("/troubleTicket", json={**BODY, **more})
    assert answer.status_code == 201, answer.text
    ticket: dict[str, Any] = answer.json()
    return ticket


def refused(answer: httpx.Response, status: int) -> str:
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert faults("error", body) == []
    assert body["status"] == str(status)
    return str(body.get("message", ""))


async def test_a_ticket_is_created_and_kept(person: httpx.AsyncClient) -> None:
    answer = await person.post("/troubleTicket", json=BODY)
    ticket = answer.json()
    assert answer.headers["location"] == ticket["href"]
    again = await person.get(f"/troubleTicket/{ticket['id']}")
    assert (again.status_code, again.json()) == (200, ticket)
    assert {name: ticket[name] for name in BODY if name != "note"} == {
        name: value for name, value in BODY.items() if name != "note"
    }


async def test_its_href_leads_to_it(person: httpx.AsyncClient) -> None:
    ticket = await posted(person)
    assert (await person.get(str(person.base_url.join(ticket["href"])))).json() == ticket


async def test_it_is_one_by_the_schema(person: httpx.AsyncClient) -> None:
    ticket = await posted(person)
    changed = (await person.patch(f"/troubleTicket/{ticket['id']}", json={"status": "resolved"})).json()
    least = (await person.post("/troubleTicket", json=LEAST)).json()
    for each in (ticket, changed, least):
        assert faults("ticket", each) == []
    assert "resolutionDate" in changed


async def test_it_is_one_by_the_published_schema(person: httpx.AsyncClient) -> None:
    validator = published("TroubleTicket")
    assert [*validator.iter_errors(await posted(person))] == []


async def test_two_posts_are_two_tickets(person: httpx.AsyncClient, journal: Path) -> None:
    for _ in range(2):
        await person.post("/troubleTicket", json=BODY, headers={"Idempotency-Key": "one"})
    assert len((await person.get("/troubleTicket", params={"externalId": KEY})).json()) == 2
    assert [each["idempotencyKey"] for each in read_journal(journal)] == ["one", "one"]


async def test_the_journal_has_each_change_and_nothing_that_was_refused(
    person: httpx.AsyncClient, journal: Path
) -> None:
    ticket = await posted(person)
    path = f"/troubleTicket/{ticket['id']}"
    await person.patch(path, json={"severity": "critical"}, headers={"Idempotency-Key": "two"})
    await person.patch(path, json={"status": "open"})
    await person.post("/troubleTicket", json={})
    await person.get(path)
    first, second = read_journal(journal)
    assert first == {
        "time": ticket["lastUpdate"],
        "method": "POST",
        "id": ticket["id"],
        "externalId": KEY,
        "status": "acknowledged",
        "severity": "major",
        "idempotencyKey": None,
    }
    assert (second["method"], second["severity"], second["idempotencyKey"]) == ("PATCH", "critical", "two")


class TestLists:
    """As TMF630 says."""

    @pytest.fixture
    async def ids(self, person: httpx.AsyncClient) -> list[str]:
        states = ("acknowledged", "held", "closed", "held", "resolved")
        return [(await posted(person, status=each, externalId=f"key-{n}"))["id"] for n, each in enumerate(states)]

    @pytest.mark.parametrize(
        ("query", "numbers"),
        [
            ("", [0, 1, 2, 3, 4]),
            ("status=held", [1, 3]),
            ("status=held,closed", [1, 2, 3]),
            ("status=held&externalId=key-3", [3]),
            ("relatedParty.id=customer-3&status=closed", [2]),
            ("relatedParty.id=customer-4", []),
            ("relatedEntity.id=service-2&relatedEntity.role=atRisk&limit=1&offset=1", [1]),
            ("externalId=%22key-0%22,'key-4'", [0, 4]),
        ],
    )
    async def test_filters(self, person: httpx.AsyncClient, ids: list[str], query: str, numbers: list[int]) -> None:
        answer = await person.get(f"/troubleTicket?{query}")
        assert [each["id"] for each in answer.json()] == [ids[number] for number in numbers]

    async def test_pages(self, person: httpx.AsyncClient, ids: list[str]) -> None:
        answer, seen = await person.get("/troubleTicket?limit=2&fields=status"), []
        for status in (206, 206, 206):
            assert (answer.status_code, answer.headers["x-total-count"]) == (status, "5")
            assert answer.headers["x-result-count"] == str(len(answer.json()))
            seen += answer.json()
            if "next" in answer.links:
                answer = await person.get(str(person.base_url.join(answer.links["next"]["url"])))
        assert [each["id"] for each in seen] == ids
        assert {tuple(sorted(each)) for each in seen} == {("href", "id", "status")}

    async def test_a_whole_list_is_200(self, person: httpx.AsyncClient, ids: list[str]) -> None:
        answer = await person.get("/troubleTicket")
        assert (answer.status_code, len(answer.json())) == (200, len(ids))

    async def test_fields_of_one(self, person: httpx.AsyncClient, ids: list[str]) -> None:
        answer = await person.get(f"/troubleTicket/{ids[0]}?fields=severity,status")
        assert set(answer.json()) == {"id", "href", "severity", "status"}

    async def test_paging_that_makes_no_sense(self, person: httpx.AsyncClient) -> None:
        assert "offset" in refused(await person.get("/troubleTicket?offset=x"), 400)


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"description": None}, "description"),
        ({"severity": None}, "severity"),
        ({"ticketType": None}, "ticketType"),
        ({"severity": 1}, "severity"),
        ({"status": "open"}, "status"),
        ({"status": 1}, "status"),
        ({"externalId": ["x"]}, "externalId"),
        ({"expectedResolutionDate": "2026-03-01T12:00:00"}, "expectedResolutionDate"),
        ({"note": "x"}, "note"),
        ({"note": ["x"]}, "note[0]"),
        ({"note": [{"author": "x"}]}, "note[0].text"),
        ({"relatedParty": [{"id": "c"}]}, "relatedParty[0].@referredType"),
        ({"relatedEntity": [{"id": "s", "@referredType": "Service"}]}, "relatedEntity[0].role"),
    ],
)
async def test_what_is_no_ticket_is_refused_by_the_field(
    person: httpx.AsyncClient, journal: Path, more: dict[str, Any], field: str
) -> None:
    assert refused(await person.post("/troubleTicket", json={**BODY, **more}), 400).startswith(field)
    assert read_journal(journal) == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"null"])
async def test_what_is_no_object_is_refused(person: httpx.AsyncClient, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    refused(await person.post("/troubleTicket", content=body, headers=headers), 400)
    refused(await person.post("/hub", content=body, headers=headers), 400)


async def test_other_media_and_too_much_are_refused(person: httpx.AsyncClient) -> None:
    refused(await person.post("/troubleTicket", content=b"{}", headers={"Content-Type": "text/xml"}), 415)
    refused(await person.post("/troubleTicket", json={**BODY, "name": "x" * MOST_BYTES}), 413)


async def test_what_is_not_there_is_404_and_what_is_not_done_405(person: httpx.AsyncClient) -> None:
    ticket = await posted(person)
    refused(await person.get("/troubleTicket/TT-9"), 404)
    refused(await person.patch("/troubleTicket/TT-9", json={"status": "held"}), 404)
    refused(await person.get("/nothing"), 404)
    refused(await person.delete("/hub/9"), 404)
    refused(await person.delete(f"/troubleTicket/{ticket['id']}"), 405)


class TestChanges:
    """As a person makes them."""

    async def test_the_history_of_its_statuses_is_kept(self, person: httpx.AsyncClient) -> None:
        ticket = await posted(person)
        for status in ("inProgress", "inProgress", "held", "closed"):
            answer = await person.patch(
                f"/troubleTicket/{ticket['id']}", json={"status": status, "statusChangeReason": f"to {status}"}
            )
        history = answer.json()["statusChange"]
        assert [each["status"] for each in history] == ["acknowledged", "inProgress", "held", "closed"]
        assert history[-1]["changeReason"] == "to closed"

    async def test_null_takes_away_and_a_list_is_replaced(self, person: httpx.AsyncClient) -> None:
        ticket = await posted(person)
        patch = {"name": None, "note": [{"text": "New"}]}
        headers = {"Content-Type": "application/merge-patch+json"}
        answer = await person.patch(f"/troubleTicket/{ticket['id']}", content=orjson.dumps(patch), headers=headers)
        changed = answer.json()
        assert "name" not in changed
        assert [each["text"] for each in changed["note"]] == ["New"]
        assert changed["note"][0].keys() == {"id", "date", "text"}

    @pytest.mark.parametrize("status", ["closed", "cancelled"])
    async def test_one_that_is_closed_stays_so(self, person: httpx.AsyncClient, status: str) -> None:
        path = f"/troubleTicket/{(await posted(person))['id']}"
        closed = (await person.patch(path, json={"status": status})).json()
        for patch in ({"status": "inProgress"}, {"severity": "minor"}, {}):
            refused(await person.patch(path, json=patch), 409)
        assert (await person.get(path)).json() == closed

    @pytest.mark.parametrize("name", ["id", "href", "creationDate", "lastUpdate", "statusChange", "statusChangeDate"])
    async def test_what_the_server_decides_cannot_be_set(self, person: httpx.AsyncClient, name: str) -> None:
        given = await posted(person, **{name: "x"})
        assert given[name] != "x"
        assert refused(await person.patch(f"/troubleTicket/{given['id']}", json={name: "x"}), 400) == name

    @pytest.mark.parametrize("name", ["description", "severity", "ticketType", "status"])
    async def test_what_a_ticket_needs_cannot_be_taken_away(self, person: httpx.AsyncClient, name: str) -> None:
        path = f"/troubleTicket/{(await posted(person))['id']}"
        assert refused(await person.patch(path, json={name: None}), 400) == name


class Listener:
    """Someone who wants to be told."""

    def __init__(self) -> None:
        self.events: asyncio.Queue[tuple[str, str | None, dict[str, Any]]] = asyncio.Queue()
        self.status = 201

    async def hear(self, request: Request) -> Response:
        told = orjson.loads(await request.body())
        self.events.put_nowait((request.path_params["name"], request.headers.get("authorization"), told))
        return Response(status_code=self.status)

    async def next(self) -> tuple[str, str | None, dict[str, Any]]:
        return await asyncio.wait_for(self.events.get(), 5)


@pytest.fixture
async def listener() -> Listener:
    return Listener()


@pytest.fixture
async def callback(listener: Listener) -> AsyncIterator[str]:
    application = Starlette(routes=[Route("/here/listener/{name}", listener.hear, methods=["POST"])])
    async with listening(application) as address:
        yield f"{address}/here"


class TestHub:
    """Who asks to be told is told."""

    async def test_events_come_in_order_and_as_the_schema_says(
        self, person: httpx.AsyncClient, listener: Listener, callback: str
    ) -> None:
        assert (await person.post("/hub", json={"callback": callback})).status_code == 201
        path = f"/troubleTicket/{(await posted(person))['id']}"
        await person.patch(path, json={"severity": "minor"})
        await person.patch(path, json={"status": "closed"})
        told = [await listener.next() for _ in range(3)]
        assert [name for name, _, _ in told] == [
            "troubleTicketCreateEvent",
            "troubleTicketAttributeValueChangeEvent",
            "troubleTicketStatusChangeEvent",
        ]
        for name, authorization, event in told:
            assert faults("event", event) == []
            assert event["eventType"].lower() == name.lower()
            assert authorization is None
        assert told[2][2]["event"]["troubleTicket"]["status"] == "closed"

    async def test_the_same_again_is_409_and_another_query_is_not(self, person: httpx.AsyncClient) -> None:
        body = {"callback": "http://127.0.0.1:9/x"}
        first = await person.post("/hub", json=body)
        assert faults("subscription", first.json()) == []
        refused(await person.post("/hub", json=body), 409)
        assert (await person.post("/hub", json={**body, "query": "status=held"})).status_code == 201
        assert (await person.delete(f"/hub/{first.json()['id']}")).status_code == 204
        refused(await person.delete(f"/hub/{first.json()['id']}"), 404)
        assert (await person.post("/hub", json=body)).status_code == 201

    async def test_a_query_chooses_events(self, person: httpx.AsyncClient, listener: Listener, callback: str) -> None:
        query = "eventType=TroubleTicketStatusChangeEvent&event.troubleTicket.status=closed"
        await person.post("/hub", json={"callback": callback, "query": query})
        path = f"/troubleTicket/{(await posted(person))['id']}"
        for status in ("held", "closed"):
            await person.patch(path, json={"status": status})
        _, _, event = await listener.next()
        assert event["event"]["troubleTicket"]["status"] == "closed"
        assert listener.events.empty()

    async def test_who_has_left_is_told_no_more(
        self, person: httpx.AsyncClient, listener: Listener, callback: str
    ) -> None:
        known = (await person.post("/hub", json={"callback": callback})).json()
        await posted(person)
        await listener.next()
        await person.delete(f"/hub/{known['id']}")
        await posted(person)
        await person.post("/hub", json={"callback": callback})
        last = await posted(person)
        _, _, event = await listener.next()
        assert event["event"]["troubleTicket"]["id"] == last["id"]

    async def test_who_does_not_listen_holds_up_nobody(
        self, person: httpx.AsyncClient, listener: Listener, callback: str
    ) -> None:
        await person.post("/hub", json={"callback": "http://127.0.0.1:9/nobody"})
        await person.post("/hub", json={"callback": callback})
        listener.status = 500
        for _ in range(3):
            await posted(person)
            await listener.next()

    @pytest.mark.parametrize(
        "broken", [{}, {"callback": 1}, {"callback": "ftp://x"}, {"callback": "http://h", "query": 1}]
    )
    async def test_who_cannot_be_told_is_refused(self, person: httpx.AsyncClient, broken: dict[str, Any]) -> None:
        refused(await person.post("/hub", json=broken), 400)

    async def test_callbacks_bring_what_the_listener_wants(self, listener: Listener, callback: str) -> None:
        async with (
            serving(callback_authorization=SecretStr("Bearer for us")) as system,
            httpx.AsyncClient(base_url=system.address) as person,
        ):
            await person.post("/hub", json={"callback": callback})
            await posted(person)
            _, authorization, _ = await listener.next()
        assert authorization == "Bearer for us"


async def test_strangers_are_sent_away() -> None:
    async with (
        serving(bearer=SecretStr("known")) as system,
        httpx.AsyncClient(base_url=system.address) as person,
    ):
        for method, path in (("GET", ""), ("POST", ""), ("GET", "/1"), ("PATCH", "/1")):
            refused(await person.request(method, f"/troubleTicket{path}", json=BODY), 401)
        refused(await person.post("/hub", json={"callback": "http://h"}), 401)
        refused(await person.delete("/hub/1"), 401)


class TestState:
    """What outlives it."""

    async def test_tickets_and_listeners_are_there_in_the_next_life(
        self, tmp_path: Path, listener: Listener, callback: str
    ) -> None:
        state = tmp_path / "state.jsonl"
        async with serving(state=state) as system, httpx.AsyncClient(base_url=system.address) as person:
            await person.post("/hub", json={"callback": callback})
            gone = await person.post("/hub", json={"callback": "http://127.0.0.1:9/gone"})
            await person.delete(f"/hub/{gone.json()['id']}")
            ticket = await posted(person)
            await person.patch(f"/troubleTicket/{ticket['id']}", json={"status": "held"})
            before = system.tickets.all()
            await listener.next()
            await listener.next()
        async with serving(state=state) as system, httpx.AsyncClient(base_url=system.address) as person:
            assert system.tickets.all() == before
            assert (await person.post("/hub", json={"callback": callback})).status_code == 409
            assert (await person.post("/hub", json={"callback": "http://127.0.0.1:9/gone"})).status_code == 201
            assert (await posted(person))["id"] != ticket["id"]
            name, _, _ = await listener.next()
            assert name == "troubleTicketCreateEvent"

    def test_a_line_that_was_cut_off_is_no_line(self, tmp_path: Path) -> None:
        path = tmp_path / "journal.jsonl"
        path.write_bytes(b'{"n":1}\n{"n":2}\n{"n":')
        assert read_journal(path) == [{"n": 1}, {"n": 2}]
        journal = Journal(path)
        journal.write({"n": 3})
        journal.close()
        assert read_journal(path) == [{"n": 1}, {"n": 2}, {"n": 3}]

    def test_no_file_is_no_entries(self, tmp_path: Path) -> None:
        assert read_journal(tmp_path / "none") == []
        Journal(None).write({"n": 1})


async def test_several_run_beside_each_other(system: TicketingSystem) -> None:
    async with serving() as other, httpx.AsyncClient(base_url=other.address) as person:
        await posted(person)
        assert (len(other.tickets.all()), system.tickets.all()) == (1, [])
