"""Customers' own systems report problems and change their tickets, as TMF621 says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest

from adapters.ticketing.changes import has_known_notes, request_of
from adapters.ticketing.inbound import DESK_BASE, DESK_PLACE, desk_routes
from gateway.settings.settings import Settings
from graph.changes.tickets.request_rules import TicketRequest
from graph.model.scope import CLAIMABLE
from graph.store.store import Store
from tests.adapters.endpoint.composed import Port, endpoint, routed
from tests.adapters.schema import published
from tests.gateway.conftest import Mint
from tests.graph.changes.network import POLICY, Laid, lay, report

MERGE = {"Content-Type": "application/merge-patch+json"}


@pytest.fixture
async def laid(empty_store: Store) -> Laid:
    await lay(empty_store)
    laid = Laid(store=empty_store)
    await laid.run("MATCH (s:Service) SET s.kind = 'x', s.state = 'active'")
    await laid.run("MATCH (c:Customer) SET c.segment = 'x', c.status = 'active'")
    return laid


@pytest.fixture
async def client(laid: Laid, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    port = Port(laid.store, settings)
    port.policy = POLICY
    async with routed(endpoint(DESK_BASE, desk_routes, port, settings), settings, DESK_BASE) as client:
        yield client


@pytest.fixture
def ada(mint: Mint) -> dict[str, str]:
    return mint.bearer("customer", customers=["customer-a"], changes=list(CLAIMABLE))


@pytest.fixture
def bob(mint: Mint) -> dict[str, str]:
    return mint.bearer("customer", customers=["customer-b"], changes=list(CLAIMABLE))


def body(service: str = "service-a", **more: Any) -> dict[str, Any]:
    entity = {"id": service, "role": "affected", "@referredType": "Service"}
    told = {
        "description": "It is slow",
        "severity": "major",
        "ticketType": "complaint",
        "relatedEntity": [entity],
        **more,
    }
    return {name: value for name, value in told.items() if value is not None}


async def posted(client: httpx.AsyncClient, headers: dict[str, str], **more: Any) -> dict[str, Any]:
    answer = await client.post("/troubleTicket", json=body(**more), headers=headers)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    assert answer.headers["location"] == found["href"] == f"{DESK_PLACE}/{found['id']}"
    return found


async def told(laid: Laid) -> list[dict[str, Any]]:
    rows = await laid.rows("MATCH (d:Delivery) RETURN d.payload ORDER BY d.version")
    return [orjson.loads(payload) for [payload] in rows]


async def test_a_problem_is_reported_read_and_listed(
    client: httpx.AsyncClient, ada: dict[str, str], bob: dict[str, str], laid: Laid
) -> None:
    made = await posted(client, ada, externalId="CRM-7", note=[{"text": "since noon"}, {"text": "only upwards"}])
    wanted = {"status": "acknowledged", "severity": "major", "ticketType": "complaint", "externalId": "CRM-7"}
    assert {name: made[name] for name in wanted} == wanted
    assert (made["description"], made["relatedParty"][0]["id"]) == ("It is slow", "customer-a")
    assert [*published("TroubleTicket").iter_errors(made)] == []
    [said] = await told(laid)
    assert (said["doing"], said["text"]) == ("report", "since noon\n\nonly upwards")
    alone = await client.get(f"/troubleTicket/{made['id']}", headers=ada)
    assert (alone.status_code, alone.json()) == (200, made)
    await laid.run("MATCH (t:Ticket) SET t.externalId = 'TT-1'")
    for query in ("externalId=CRM-7", "externalId=CRM-7,none", "status=acknowledged", "relatedEntity.id=service-a"):
        found = (await client.get(f"/troubleTicket?{query}", headers=ada)).json()
        assert [each["id"] for each in found] == [made["id"]], query
    assert (await client.get("/troubleTicket?externalId=TT-1", headers=ada)).json() == []
    assert (await client.get("/troubleTicket", headers=bob)).json() == []


async def test_the_same_again_is_one_ticket_by_its_key_or_its_name(
    client: httpx.AsyncClient, ada: dict[str, str], laid: Laid
) -> None:
    first = await posted(client, ada, externalId="CRM-7")
    assert (await posted(client, ada, externalId="CRM-7"))["id"] == first["id"]
    keyed = {**ada, "Idempotency-Key": "k"}
    assert (await posted(client, keyed))["id"] == (await posted(client, keyed))["id"] != first["id"]
    answer = await client.post("/troubleTicket", json=body(description="else", externalId="CRM-7"), headers=ada)
    assert (answer.status_code, answer.json()["code"]) == (409, "IDEMPOTENCY_CONFLICT")
    assert len({(await posted(client, ada))["id"] for _ in range(2)}) == 2, "nothing says that they are one"
    assert len(await told(laid)) == 4


@pytest.mark.sampled(7)
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({"description": None}, "description: is missing", id="no description"),
        pytest.param({"severity": None}, "severity: is missing", id="no severity"),
        pytest.param({"ticketType": None}, "ticketType: is missing", id="no type"),
        pytest.param({"severity": "awful"}, "severity: is none of", id="a severity that is none"),
        pytest.param({"status": "resolved"}, "status: is none of acknowledged", id="resolved already"),
        pytest.param({"description": "x" * 10_001}, "at most 10000", id="a long description"),
        pytest.param({"description": " "}, "description: It is empty", id="a blank description"),
        pytest.param({"relatedEntity": None}, "relatedEntity: names 0 of", id="of no service"),
        pytest.param(
            {"relatedEntity": [{"id": "service-a"}]}, "relatedEntity[0].role: is missing", id="half an entity"
        ),
        pytest.param({"service": "service-b"}, "relatedEntity: names no service", id="of another's service"),
        pytest.param({"service": "service-none"}, "relatedEntity: names no service", id="of a service that is none"),
        pytest.param({"attachment": [{"url": "x"}]}, "attachment: has 1 items", id="with an attachment"),
        pytest.param({"note": [{}]}, "note[0].text: is missing", id="an empty note"),
        pytest.param({"creationDate": "yesterday"}, "creationDate: is no date", id="a time that is none"),
    ],
)
async def test_what_is_no_report_is_refused_by_its_field(
    client: httpx.AsyncClient, ada: dict[str, str], laid: Laid, changes: dict[str, Any], said: str
) -> None:
    answer = await client.post("/troubleTicket", json=body(**changes), headers=ada)
    assert (answer.status_code, answer.json()["code"]) == (400, "BAD_USER_INPUT")
    assert said in answer.json()["message"]
    assert await laid.tickets() == {}


async def test_a_megabyte_is_refused(client: httpx.AsyncClient, ada: dict[str, str]) -> None:
    made = await posted(client, ada)
    for size, status in ((100_000, 400), (1_000_000, 413)):
        patch = {"note": [{"text": "x" * size}]}
        answer = await client.patch(f"/troubleTicket/{made['id']}", json=patch, headers=ada)
        assert answer.status_code == status, answer.text
        assert "at most 10000" in answer.json()["message"] or status == 413


async def test_a_terminated_service_is_a_conflict(client: httpx.AsyncClient, ada: dict[str, str], laid: Laid) -> None:
    await laid.run("MATCH (s:Service {id: 'service-a'}) SET s.state = 'terminated'")
    answer = await client.post("/troubleTicket", json=body(), headers=ada)
    assert (answer.status_code, answer.json()["code"]) == (409, "CONFLICT")
    assert "terminated" in answer.json()["message"]


async def test_who_may_not_is_refused(client: httpx.AsyncClient, mint: Mint, ada: dict[str, str]) -> None:
    made = await posted(client, ada)
    patch = {"note": [{"text": "x"}]}
    for headers in (
        mint.customer("customer-a"),
        mint.bearer("customer", customers=["customer-a"], changes=["everything", "acknowledgeAlarm"]),
        mint.bearer("analyst"),
        mint.bearer("system:desk"),
    ):
        answers = [
            await client.post("/troubleTicket", json=body(), headers=headers),
            await client.patch(f"/troubleTicket/{made['id']}", json=patch, headers=headers),
        ]
        assert {each.status_code for each in answers} == {403}
        assert {each.json()["code"] for each in answers} == {"FORBIDDEN"}
    refused = await client.post(
        "/troubleTicket", json=body(), headers=mint.bearer("customer", customers=["customer-a"], changes={"all": True})
    )
    assert refused.status_code == 403
    assert (await client.delete(f"/troubleTicket/{made['id']}", headers=ada)).status_code == 405


async def test_a_ticket_of_somebody_else_is_one_that_is_not_there(
    client: httpx.AsyncClient, ada: dict[str, str], bob: dict[str, str]
) -> None:
    made = await posted(client, ada)
    patch = {"note": [{"text": "mine?"}]}
    answers = [
        await client.patch(f"/troubleTicket/{each}", json=patch, headers=bob) for each in (made["id"], "ticket-none")
    ]
    assert [each.status_code for each in answers] == [404, 404]
    assert answers[0].content == answers[1].content


async def test_a_patch_comments_reopens_and_closes(client: httpx.AsyncClient, ada: dict[str, str], laid: Laid) -> None:
    alarm = await laid.raise_(report("trunk-1"))
    [[ticket]] = await laid.rows("MATCH (t:Ticket {orderKey: $key}) RETURN t.id", key=f"{alarm}:customer-a")
    await laid.run("MATCH (t:Ticket) SET t.status = 'resolved'")
    steps: list[tuple[dict[str, Any], str]] = [
        ({"note": [{"text": "It is slow again"}]}, "resolved"),
        ({"status": "inProgress", "statusChangeReason": "It is", "note": [{"text": "Look"}]}, "inProgress"),
        ({"status": "inProgress"}, "inProgress"),
        ({}, "inProgress"),
        ({"status": "closed"}, "closed"),
        ({"status": "closed"}, "closed"),
    ]
    for patch, then in steps:
        answer = await client.patch(f"/troubleTicket/{ticket}", json=patch, headers={**ada, **MERGE})
        assert (answer.status_code, answer.json()["status"]) == (200, then), answer.text
        assert [*published("TroubleTicket").iter_errors(answer.json())] == []
    written = [(each["text"], each["status"]) for each in await told(laid) if each["doing"] == "write"]
    assert written == [
        ("It is slow again", None),
        ("It is\n\nLook", "inProgress"),
        ("The ticket was closed.", "closed"),
    ]
    for patch in ({"status": "inProgress"}, {"note": [{"text": "x"}]}):
        answer = await client.patch(f"/troubleTicket/{ticket}", json=patch, headers=ada)
        assert (answer.status_code, answer.json()["code"]) == (409, "CONFLICT")
        assert "report the problem anew" in answer.json()["message"]


SHOWN = {"id": "ticket-1", "status": "inProgress", "note": [{"id": "1", "text": "Look"}, {"id": "2", "text": "Mended"}]}


@pytest.mark.parametrize(
    ("notes", "said"),
    [
        pytest.param(SHOWN["note"], None, id="those that are there"),
        pytest.param([{"id": "1", "text": "Look"}, {"text": "It is not"}], "It is not", id="one without an id"),
        pytest.param([{"id": "3", "text": "It is not"}], "It is not", id="one with an id of the caller's"),
        pytest.param([{"id": "1", "text": "It is not"}], "It is not", id="an id that is another's"),
        pytest.param([{"text": "Look"}], "Look", id="a text that is there, without an id"),
    ],
)
def test_a_note_is_known_by_its_id_and_its_text(notes: list[dict[str, str]], said: str | None) -> None:
    assert has_known_notes({"note": notes}) == ("id" in notes[0])
    request = request_of({"note": notes}, SHOWN)
    assert (request and (request.doing, request.comment)) == (said and ("commentTicket", said))


def test_a_ticket_that_was_read_is_sent_back_with_what_is_new() -> None:
    read = {**SHOWN, "href": "/1", "lastUpdate": "2026-01-01T00:00:00Z", "statusChange": [{"status": "pending"}]}
    now = {**SHOWN, "href": "https://x/1", "lastUpdate": "2026-01-02T00:00:00Z"}
    assert request_of(read, now) is None
    request = request_of({**read, "status": "closed", "statusChangeReason": "Thanks"}, now)
    assert request == TicketRequest(doing="closeTicket", ticket="ticket-1", comment="Thanks")


async def test_a_note_with_an_id_is_written_where_none_is_there(
    client: httpx.AsyncClient, ada: dict[str, str], laid: Laid
) -> None:
    made = await posted(client, ada)
    patch = {**made, "note": [{"id": "mine-1", "text": "Since noon"}]}
    answer = await client.patch(f"/troubleTicket/{made['id']}", json=patch, headers=ada)
    assert answer.status_code == 200, answer.text
    assert (await told(laid))[1]["text"] == "Since noon"


async def test_a_report_that_was_refused_can_be_posted_again_by_its_name(
    client: httpx.AsyncClient, ada: dict[str, str], laid: Laid
) -> None:
    keyed = {**ada, "Idempotency-Key": "k"}
    await laid.run("MATCH (s:Service {id: 'service-a'}) SET s.state = 'terminated'")
    for headers in (ada, keyed):
        answer = await client.post("/troubleTicket", json=body(externalId="CRM-7"), headers=headers)
        assert answer.status_code == 409
    await laid.run("MATCH (s:Service {id: 'service-a'}) SET s.state = 'active'")
    first = await posted(client, ada, externalId="CRM-7", description="It is slow since noon")
    assert (await posted(client, ada, externalId="CRM-7", description="It is slow since noon"))["id"] == first["id"]
    answer = await client.post("/troubleTicket", json=body(externalId="CRM-7"), headers=keyed)
    assert answer.status_code == 409, "what was refused under a key of the caller's stays so"
    other = await posted(client, {**ada, "Idempotency-Key": "other"}, externalId="CRM-7")
    assert other["id"] != first["id"]


async def test_a_patch_that_is_sent_again_is_done_once(
    client: httpx.AsyncClient, ada: dict[str, str], laid: Laid
) -> None:
    made = await posted(client, ada)
    await laid.run("MATCH (t:Ticket) SET t.status = 'resolved'")
    patch = {"status": "inProgress", "statusChangeReason": "It is", "note": [{"text": "It is slow again"}]}
    for _ in range(2):
        answer = await client.patch(f"/troubleTicket/{made['id']}", json=patch, headers={**ada, "Idempotency-Key": "k"})
        assert (answer.status_code, answer.json()["status"]) == (200, "inProgress"), answer.text
    assert [each["doing"] for each in await told(laid)] == ["report", "write"]


@pytest.mark.parametrize("notes", [[{"text": "Slow again"}], [{"id": "mine-1", "text": "Slow again"}]])
async def test_a_patch_is_known_again_whatever_the_ticket_has_become(
    client: httpx.AsyncClient, ada: dict[str, str], laid: Laid, notes: list[dict[str, str]]
) -> None:
    made = await posted(client, ada)
    keyed, patch = {**ada, "Idempotency-Key": "k"}, {"status": "inProgress", "note": notes}
    for status in ("inProgress", "resolved", "inProgress"):
        await laid.run(f"MATCH (t:Ticket) SET t.status = '{status}'")
        answer = await client.patch(f"/troubleTicket/{made['id']}", json=patch, headers=keyed)
        assert (answer.status_code, answer.json()["status"]) == (200, status), answer.text
    assert [(each["doing"], each["text"]) for each in await told(laid)][1:] == [("write", "Slow again")]
    other = await client.patch(f"/troubleTicket/{made['id']}", json={"status": "closed"}, headers=keyed)
    assert (other.status_code, other.json()["code"]) == (409, "IDEMPOTENCY_CONFLICT")


async def test_a_patch_that_comes_again_is_not_judged_by_what_the_ticket_has_become(
    client: httpx.AsyncClient, ada: dict[str, str], laid: Laid
) -> None:
    made = await posted(client, ada)
    patch = {"status": "acknowledged", "severity": "major", "note": [{"text": "Slow again"}]}
    keyed, place = {**ada, "Idempotency-Key": "k"}, f"/troubleTicket/{made['id']}"
    assert (await client.patch(place, json=patch, headers=keyed)).status_code == 200
    await laid.run("MATCH (t:Ticket) SET t.status = 'inProgress', t.severity = 'critical'")
    again = await client.patch(place, json=patch, headers=keyed)
    assert (again.status_code, again.json()["severity"]) == (200, "critical"), again.text
    assert [each["doing"] for each in await told(laid)] == ["report", "write"]
    fresh = await client.patch(place, json=patch, headers={**ada, "Idempotency-Key": "other"})
    assert (fresh.status_code, fresh.json()["code"]) == (400, "BAD_USER_INPUT"), "it is asked for the first time"
    other = await client.patch(place, json={**patch, "name": "x"}, headers=keyed)
    assert (other.status_code, other.json()["code"]) == (409, "IDEMPOTENCY_CONFLICT")


@pytest.mark.sampled(5)
@pytest.mark.parametrize(
    ("patch", "said"),
    [
        pytest.param({"severity": "critical"}, "severity: cannot be changed", id="a severity"),
        pytest.param({"description": "other"}, "description: cannot be changed", id="a description"),
        pytest.param({"id": "ticket-2"}, "id: cannot be changed", id="an id"),
        pytest.param({"status": "resolved"}, "status: becomes inProgress or closed", id="another status"),
        pytest.param({"status": "broken"}, "status: is none of", id="no status"),
        pytest.param({"note": "x"}, "note: is a string", id="notes that are no list"),
        pytest.param({"statusChangeReason": "x"}, "statusChangeReason: is of a status", id="a reason of no status"),
        pytest.param({"status": "acknowledged", "statusChangeReason": "x"}, "write a note", id="of the same status"),
        pytest.param([], "the body: is a list", id="no object"),
    ],
)
async def test_what_may_not_be_changed_is_refused(
    client: httpx.AsyncClient, ada: dict[str, str], laid: Laid, patch: Any, said: str
) -> None:
    made = await posted(client, ada)
    answer = await client.patch(f"/troubleTicket/{made['id']}", json=patch, headers=ada)
    assert answer.status_code == 400
    assert said in answer.json()["message"]
    assert len(await told(laid)) == 1
