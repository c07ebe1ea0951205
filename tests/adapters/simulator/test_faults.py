from __future__ import annotations

import asyncio
from typing import Any

import httpx
import orjson
import pytest

from adapters.simulator.faults import FOREIGN, PATH, Kind, Rule
from adapters.simulator.ticketing.ticketing import TicketingSystem

BODY = {"description": "It is broken", "severity": "minor", "ticketType": "fault", "externalId": "key"}


async def post(person: httpx.AsyncClient) -> httpx.Response:
    return await person.post("/troubleTicket", json=BODY)


@pytest.fixture
def control(person: httpx.AsyncClient) -> str:
    return str(person.base_url.join(PATH))


async def test_rules_are_given_over_http_and_taken_back(person: httpx.AsyncClient, control: str) -> None:
    rules = [{"kind": "error", "times": 1, "method": "POST"}, {"kind": "slow", "seconds": 0.01}]
    assert (await person.put(control, json=rules)).status_code == 204
    shown = (await person.get(control)).json()
    assert [(each["kind"], each["times"], each["seconds"]) for each in shown] == [
        ("error", 1, 0.0),
        ("slow", None, 0.01),
    ]
    assert (await post(person)).status_code == 500
    assert (await post(person)).status_code == 201
    assert (await person.delete(control)).status_code == 204
    assert (await person.get(control)).json() == []


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"{}",
        b"[{}]",
        b'[{"kind": "odd"}]',
        b'[{"kind": "slow", "seconds": -1}]',
        b'[{"kind": "slow", "probability": 2}]',
        b'[{"kind": "slow", "times": -1}]',
        b'[{"kind": "slow", "seconds": "NaN"}]',
    ],
)
async def test_rules_that_are_none_are_refused(person: httpx.AsyncClient, control: str, broken: bytes) -> None:
    answer = await person.put(control, content=broken)
    assert answer.status_code == 400
    assert answer.json()["reason"]
    assert (await person.post(control)).status_code == 405
    assert (await post(person)).status_code == 201


async def test_a_rule_holds_for_as_many_requests_and_for_its_method(
    system: TicketingSystem, person: httpx.AsyncClient
) -> None:
    system.faults.order(Rule(kind=Kind.ERROR, times=2, method="post"))
    assert (await person.get("/troubleTicket")).status_code == 200
    assert [(await post(person)).status_code for _ in range(3)] == [500, 500, 201]


async def test_chance_can_be_repeated(system: TicketingSystem, person: httpx.AsyncClient) -> None:
    async def struck(seed: int) -> list[int]:
        system.faults.order(Rule(kind=Kind.UNAVAILABLE, probability=0.5, seed=seed))
        return [(await person.get("/troubleTicket")).status_code for _ in range(30)]

    first = await struck(1)
    assert await struck(1) == first
    assert await struck(2) != first
    assert set(first) == {200, 503}


async def test_of_several_rules_the_first_that_strikes_decides(
    system: TicketingSystem, person: httpx.AsyncClient
) -> None:
    system.faults.order(Rule(kind=Kind.ERROR, times=1), Rule(kind=Kind.TOO_MANY, times=1, seconds=1.2))
    assert (await post(person)).status_code == 500
    answer = await post(person)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "2")
    assert (await post(person)).status_code == 201


@pytest.mark.parametrize(
    ("kind", "done"),
    [
        (Kind.DOWN, 0),
        (Kind.SILENT, 1),
        (Kind.TRUNCATED, 1),
    ],
)
async def test_a_connection_is_cut_before_or_after_it_is_done(
    system: TicketingSystem, person: httpx.AsyncClient, kind: Kind, done: int
) -> None:
    system.faults.order(Rule(kind=kind, times=1))
    with pytest.raises(httpx.RemoteProtocolError) as caught:
        await post(person)
    assert ("message body" in str(caught.value)) is (kind is Kind.TRUNCATED)
    assert len(system.tickets.all()) == done
    assert (await post(person)).status_code == 201


async def test_a_truncated_answer_is_the_first_half_of_the_true_one(
    system: TicketingSystem, person: httpx.AsyncClient
) -> None:
    system.faults.order(Rule(kind=Kind.TRUNCATED, times=1))
    reader, writer = await asyncio.open_connection(person.base_url.host, person.base_url.port)
    body = orjson.dumps(BODY)
    head = f"POST {person.base_url.path}troubleTicket HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    said = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    told, _, half = said.partition(b"\r\n\r\n")
    whole = orjson.dumps(system.tickets.all()[0])
    assert half == whole[: len(whole) // 2]
    assert b"content-length: %d" % len(whole) in told


async def test_what_is_slow_is_done_also_when_nobody_waits(system: TicketingSystem, person: httpx.AsyncClient) -> None:
    system.faults.order(Rule(kind=Kind.SLOW, seconds=0.3, times=1))
    with pytest.raises(httpx.ReadTimeout):
        await person.post("/troubleTicket", json=BODY, timeout=0.1)
    assert system.tickets.all() == []
    await asyncio.sleep(0.6)
    assert len(system.tickets.all()) == 1


async def test_a_page_to_log_in_is_no_ticket(system: TicketingSystem, person: httpx.AsyncClient) -> None:
    system.faults.order(Rule(kind=Kind.HTML))
    answer = await post(person)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert system.tickets.all() == []


async def test_foreign_ids_are_in_one_and_in_lists(system: TicketingSystem, person: httpx.AsyncClient) -> None:
    system.faults.order(Rule(kind=Kind.FOREIGN))
    created = await post(person)
    listed: list[dict[str, Any]] = (await person.get("/troubleTicket")).json()
    assert created.status_code == 201
    for each in (created.json(), *listed):
        assert (each["id"], each["externalId"]) == (FOREIGN, FOREIGN)
    assert system.tickets.all()[0]["externalId"] == "key"
