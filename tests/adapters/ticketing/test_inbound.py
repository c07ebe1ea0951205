from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from gateway.settings.settings import Settings
from graph.model.scope import Principal, Role
from graph.store.store import Store
from tests.adapters.endpoint.composed import Port, listening_to_tickets, soon
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
        pytest.param(event("k", id=True), "event.troubleTicket.id", id="an id that is no string"),
        pytest.param(event("k", lastUpdate="yesterday"), "event.troubleTicket.lastUpdate", id="a time that is none"),
        pytest.param(
            event("k", lastUpdate="2026-03-01T12:00Z"), "event.troubleTicket.lastUpdate", id="a time without seconds"
        ),
    ],
)
async def test_nonsense_is_refused_with_its_place(client: httpx.AsyncClient, mint: Mint, body: Any, field: str) -> None:
    answer = await client.post(STATUS, json=body, headers=mint.bearer(DESK))
    assert answer.status_code == 400
    assert field in answer.json()["message"]


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    "name",
    ["create", "attributeValueChange", "statusChange", "delete", "resolved", "informationRequired"],
)
async def test_each_listener_of_the_standard_takes_what_it_is_told(
    client: httpx.AsyncClient, mint: Mint, laid: Laid, key: str, name: str
) -> None:
    path = f"/listener/troubleTicket{name[0].upper()}{name[1:]}Event"
    answer = await client.post(path, json=event(key, status="resolved"), headers=mint.bearer(DESK))
    assert answer.status_code == 204
    assert await status(laid, key) == ["TT-1", "resolved"]


async def test_an_event_without_a_time_is_taken_and_one_with_an_older_time_is_not(
    client: httpx.AsyncClient, mint: Mint, laid: Laid, key: str
) -> None:
    for told in (
        event(key),
        event(key, status="held", lastUpdate=None),
        event(key, status="pending", lastUpdate="2026-01-01T09:00:00Z"),
    ):
        body = told["event"]["troubleTicket"]
        if body["lastUpdate"] is None:
            del body["lastUpdate"]
        assert (await client.post(STATUS, json=told, headers=mint.bearer(DESK))).status_code == 204
    assert await status(laid, key) == ["TT-1", "held"]
    [[at]] = await laid.rows("MATCH (t:Ticket {orderKey: $key}) RETURN t.changedAt", key=key)
    assert at == 1_767_261_600_000, "the last time that it said"


@pytest.mark.parametrize("is_dated", [True, False])
async def test_a_doubled_registration_has_no_doubled_effect(
    client: httpx.AsyncClient, mint: Mint, laid: Laid, key: str, *, is_dated: bool
) -> None:
    """The hub tells each registration for itself, in order, and the slower one tells all again."""
    told = []
    for minute, state in enumerate(("inProgress", "held", "inProgress")):
        at = f"2026-01-01T10:0{minute}:00Z"
        one = event(key, status=state, lastUpdate=at)
        if not is_dated:
            del one["event"]["troubleTicket"]["lastUpdate"]
        told.append({**one, "eventId": f"e-{minute}", "eventTime": at})
    for each in (*told, *told):
        assert (await client.post(STATUS, json=each, headers=mint.bearer(DESK))).status_code == 204
    assert await status(laid, key) == ["TT-1", "inProgress"]
    kinds = [each[2] for each in await laid.events()]
    assert kinds.count("TicketStatusChanged") == len(told)


@pytest.mark.parametrize(
    "more",
    [
        pytest.param(
            {"eventId": "e", "eventTime": "2026-01-01T10:00:00Z"}, id="one id for all that happens to a ticket"
        ),
        pytest.param({"eventId": "e"}, id="no time"),
        pytest.param({"eventTime": "2026-01-01T10:00:00Z"}, id="no id"),
        pytest.param({"eventId": 7, "eventTime": None}, id="neither"),
    ],
)
async def test_different_events_are_taken_however_they_are_named(
    client: httpx.AsyncClient, mint: Mint, laid: Laid, key: str, more: dict[str, Any]
) -> None:
    for state in ("inProgress", "held"):
        told = {**event(key, status=state), **more}
        assert (await client.post(STATUS, json=told, headers=mint.bearer(DESK))).status_code == 204
        assert await status(laid, key) == ["TT-1", state]


async def test_a_status_that_the_settings_explain_is_taken_as_what_they_say(
    client: httpx.AsyncClient, mint: Mint, laid: Laid, key: str
) -> None:
    answer = await client.post(STATUS, json=event(key, status="awaitingVendor"), headers=mint.bearer(DESK))
    assert answer.status_code == 204
    assert await status(laid, key) == ["TT-1", "pending"]


async def test_an_event_that_we_do_not_know_is_not_found(client: httpx.AsyncClient, mint: Mint, key: str) -> None:
    answer = await client.post("/listener/customerCreateEvent", json=event(key), headers=mint.bearer(DESK))
    assert answer.status_code == 404


class TestTheirs:
    """A ticket that somebody opened over there."""

    CREATED = "/listener/troubleTicketCreateEvent"

    def event(self, *services: str, **ticket: Any) -> dict[str, Any]:
        entities = [{"id": each, "role": "affected", "@referredType": "Service"} for each in services]
        return event("", id="TT-9", externalId=None, relatedEntity=entities, severity="minor", **ticket)

    async def seen(self, port: Port, customer: str) -> list[str]:
        principal = Principal(subject=customer, role=Role.CUSTOMER, customers=(customer,))
        text = """query ($id: ID!) { customer(id: $id) {
          tickets { nodes { externalId } } services { nodes { tickets { nodes { externalId } } } }
        } }"""
        data = (await port.ask(text, {"id": customer}, principal, soon()))["data"]["customer"]
        direct = [each["externalId"] for each in data["tickets"]["nodes"]]
        nodes = [one for each in data["services"]["nodes"] for one in each["tickets"]["nodes"]]
        assert sorted(direct) == sorted({each["externalId"] for each in nodes})
        return direct

    async def test_its_customer_sees_it_by_itself_and_by_the_service_and_nobody_else_does(
        self, client: httpx.AsyncClient, mint: Mint, laid: Laid, settings: Settings
    ) -> None:
        await laid.run("MATCH (s:Service) SET s.kind = 'x', s.state = 'active'")
        port = Port(laid.store, settings)
        for _ in range(2):
            answer = await client.post(self.CREATED, json=self.event("service-a"), headers=mint.bearer(DESK))
            assert answer.status_code == 204
        assert await self.seen(port, "customer-a") == ["TT-9"]
        assert await self.seen(port, "customer-b") == []

    async def test_what_says_nothing_of_services_changes_its_status_only(
        self, client: httpx.AsyncClient, mint: Mint, laid: Laid
    ) -> None:
        await client.post(self.CREATED, json=self.event("service-a"), headers=mint.bearer(DESK))
        later = event("", id="TT-9", externalId=None, status="resolved", lastUpdate="2026-01-02T10:00:00Z")
        assert (await client.post(STATUS, json=later, headers=mint.bearer(DESK))).status_code == 204
        text = "MATCH (t:Ticket {externalId: 'TT-9'})-[:OPENED_FOR]->(c:Customer) RETURN t.status, c.id"
        assert await laid.rows(text) == [["resolved", "customer-a"]]

    async def test_what_it_names_that_we_do_not_know_is_left_alone(
        self, client: httpx.AsyncClient, mint: Mint, laid: Laid
    ) -> None:
        for body in (self.event("service-none"), self.event(), self.event("service-a", "service-b")):
            assert (await client.post(self.CREATED, json=body, headers=mint.bearer(DESK))).status_code == 204
        assert await laid.rows("MATCH (t:Ticket) RETURN t.id") == []

    @pytest.mark.parametrize("entities", [{}, "x", 7])
    async def test_entities_that_are_no_list_are_refused(
        self, client: httpx.AsyncClient, mint: Mint, laid: Laid, entities: Any
    ) -> None:
        body = event("", externalId=None, relatedEntity=entities)
        answer = await client.post(self.CREATED, json=body, headers=mint.bearer(DESK))
        assert answer.status_code == 400
        assert "event.troubleTicket.relatedEntity" in answer.json()["message"]
        assert await laid.rows("MATCH (t:Ticket) RETURN t.id") == []
