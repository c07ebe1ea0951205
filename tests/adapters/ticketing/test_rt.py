"""What is of Request Tracker only: its words, its silence, and what it shows where."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import structlog.testing
from pydantic import SecretStr

from adapters.errors import Busy, Malformed, Nonsense, NotAdmitted, Rejected
from adapters.passed_over import PassedOver
from adapters.simulator.journal import read_journal
from adapters.simulator.ticketing.request_tracker import RequestTracker, serving_rt
from adapters.simulator.ticketing.rt_query import parsed
from adapters.simulator.ticketing.rt_tickets import Layout
from adapters.ticketing import TicketHistory, TicketState, TicketUpdate
from adapters.ticketing.outbound.rt import Rt
from adapters.ticketing.outbound.rt_resource import PAIRINGS, PRIORITIES, RtDesk, change, creation, state_of, ticket_of
from adapters.transport.credentials import Token, fixed
from adapters.transport.transport import Transport, opened
from graph.model.vocabulary import SEVERITIES, TICKET_STATES
from tests.adapters.conftest import JSON, KEY, asking, http, order, saying, soon
from tests.adapters.ticketing.desks import LAID_OUT, USERS, rt_system


@pytest.fixture
async def tracker(journal: Path) -> AsyncIterator[RequestTracker]:
    async with serving_rt(journal=journal, users=USERS) as found:
        yield found


@pytest.fixture
async def way(tracker: RequestTracker) -> AsyncIterator[Transport]:
    async with opened(rt_system(tracker.address)) as found:
        yield found


@pytest.fixture
def rt(way: Transport) -> Rt:
    return Rt(way, LAID_OUT)


@pytest.fixture
async def grace(tracker: RequestTracker) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=tracker.address, headers={"Authorization": "token her-token"}) as client:
        yield client


async def made(rt: Rt, key: str = KEY) -> TicketState:
    return await rt.open(order(key, note=""), delivery_id="event-1:t:c", deadline=soon())


def test_every_word_has_its_other_in_both_directions_and_a_reason() -> None:
    assert {each.ours for each in PAIRINGS} == set(TICKET_STATES)
    assert {each.theirs for each in PAIRINGS} == {"new", "open", "stalled", "resolved", "rejected", "deleted"}
    assert all(each.why for each in PAIRINGS)
    assert set(PRIORITIES) == set(SEVERITIES)
    assert len(set(PRIORITIES.values())) == len(SEVERITIES)


def test_what_is_written_says_whose_it_is_and_what_it_is_about() -> None:
    body = creation(order(), LAID_OUT)
    assert body["CustomFields"] == {"Order key": KEY, "Service": ["service-1", "service-2"]}
    assert (body["Queue"], body["Status"], body["Priority"]) == ("Customers", "new", 75)
    for each in ("Ada", "customer-3", "alarm-7", "down: service-1", "Loss of signal"):
        assert each in str(body["Content"])
    assert "Requestor" not in body, "RT would write mail"
    assert "\n" not in str(creation(replace(order(), name="a\nb"), LAID_OUT)["Subject"])


def test_nothing_is_written_that_is_there_already() -> None:
    record = {"id": 1, "Status": "open", "Priority": "75", "CustomFields": [
        {"name": "Service", "values": ["service-2", "service-1"]}, {"name": "Order key", "values": [KEY]},
    ]}  # fmt: skip
    assert change(ticket_of(record, LAID_OUT), order(), LAID_OUT) == {}
    assert change(ticket_of({**record, "Priority": 0}, LAID_OUT), order(), LAID_OUT) == {"Priority": 75}


async def test_somebody_who_works_on_it_meanwhile_is_not_overwritten(
    tracker: RequestTracker, rt: Rt, grace: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = await made(rt)
    look = rt._ticket

    async def slow_look(their_id: str, deadline: float) -> Any:
        found = await look(their_id, deadline)
        await grace.put(f"/ticket/{their_id}", json={"Status": "stalled"})
        return found

    monkeypatch.setattr(rt, "_ticket", slow_look)
    with pytest.raises(Busy) as caught:
        await rt.amend(state.id, order(status="inProgress"), delivery_id="event-2:t:c", deadline=soon())
    assert (caught.value.status, caught.value.may_have_happened) == (412, False)
    monkeypatch.undo()
    assert tracker.tickets.tickets[1]["Status"] == "stalled"
    again = await rt.amend(state.id, order(status="inProgress"), delivery_id="event-2:t:c", deadline=soon())
    assert again.status == "pending"


async def test_a_queue_without_our_field_gets_no_ticket(journal: Path) -> None:
    layout = Layout(custom_fields=("Service",))
    async with serving_rt(journal=journal, layout=layout) as tracker, opened(rt_system(tracker.address)) as transport:
        with pytest.raises(Rejected, match="Order key") as caught:
            await made(Rt(transport, LAID_OUT))
    assert caught.value.status == 422
    assert read_journal(journal) == []


async def test_after_a_ticket_without_our_key_no_other_is_opened(
    tracker: RequestTracker, rt: Rt, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whoever may not set a custom field is not told so: it is left out.
    monkeypatch.setattr(type(tracker.tickets), "_set_fields", lambda *_: [])
    for _ in range(3):
        with pytest.raises(Rejected) as caught:
            await made(rt)
        assert caught.value.status == 422
    assert len(tracker.tickets.tickets) == 1


async def test_a_change_that_was_answered_200_and_not_made_is_refused(rt: Rt, monkeypatch: pytest.MonkeyPatch) -> None:
    state = await made(rt)
    monkeypatch.setattr(RtDesk, "word_of", lambda *_: "none-such")
    with pytest.raises(Rejected, match="Status") as caught:
        await rt.amend(state.id, order(status="resolved"), delivery_id="d", deadline=soon())
    assert caught.value.status == 422


def asked(status: str | None = None) -> TicketUpdate:
    return TicketUpdate(external_id=KEY, author="Ada Ltd", text="Thanks", status=status)


async def test_what_was_closed_before_its_comment_is_commented_on_once(
    way: Transport, rt: Rt, grace: httpx.AsyncClient
) -> None:
    state = await made(rt)
    assert (await grace.put(f"/ticket/{state.id}", json={"Status": "rejected"})).status_code == 200
    own = Rt(way, replace(LAID_OUT, statuses={"rejected": "closed"}))
    for _ in range(2):
        closed = await own.update(state.id, asked("closed"), delivery_id="event-7:t:c", deadline=soon())
        assert closed.status == "closed"
    story = (await own.histories([state.id], deadline=soon()))[state.id]
    assert isinstance(story, TicketHistory)
    assert [each.text for each in story.notes] == ["Thanks"]
    with pytest.raises(Rejected, match="not changed any more"):
        await own.update(state.id, asked(), delivery_id="event-8:t:c", deadline=soon())


async def test_a_status_that_the_settings_name_is_what_is_ordered(
    way: Transport, rt: Rt, tracker: RequestTracker, grace: httpx.AsyncClient
) -> None:
    state = await made(rt)
    await grace.put(f"/ticket/{state.id}", json={"Status": "resolved"})
    own = Rt(way, replace(LAID_OUT, statuses={"stalled": "inProgress", "open": "inProgress"}))
    again = await own.update(state.id, asked("inProgress"), delivery_id="event-7:t:c", deadline=soon())
    assert (again.status, tracker.tickets.tickets[int(state.id)]["Status"]) == ("inProgress", "stalled")
    assert LAID_OUT.word_of("inProgress") == "open"


async def test_one_that_was_merged_into_another_is_closed(rt: Rt, grace: httpx.AsyncClient) -> None:
    first, second = await made(rt), await made(rt, "alarm-8:customer-3")
    await grace.put(f"/ticket/{second.id}", json={"MergeInto": first.id})
    [state] = await rt.states([second.id], deadline=soon())
    assert (state.id, state.external_id, state.status) == (second.id, "alarm-8:customer-3", "closed")
    with pytest.raises(Rejected) as caught:
        await rt.amend(second.id, order("alarm-8:customer-3"), delivery_id="d", deadline=soon())
    assert caught.value.status == 409


async def test_comments_among_those_who_work_there_are_not_shown(rt: Rt, grace: httpx.AsyncClient) -> None:
    state = await made(rt)
    said = [("comment", "Their contract ends soon", "text/plain"), ("correspond", "<p>We <b>come</b></p>", "text/html")]
    for kind, text, media in said:
        await grace.post(f"/ticket/{state.id}/{kind}", json={"Content": text, "ContentType": media})
    history = (await rt.histories([state.id], deadline=soon()))[state.id]
    assert isinstance(history, TicketHistory)
    assert [(each.author, each.text) for each in history.notes] == [("grace", "We come")]
    assert [each.status for each in history.changes] == ["acknowledged", "inProgress"]


async def test_a_status_of_its_own_needs_an_explanation(way: Transport, rt: Rt, tracker: RequestTracker) -> None:
    state, other = await made(rt), await made(rt, "other")
    tracker.tickets.tickets[1]["Status"] = "waiting for parts"
    with structlog.testing.capture_logs() as lines:
        assert [each.id for each in await rt.states([state.id, other.id], deadline=soon())] == [other.id]
    assert "rt.statuses" in lines[0]["reason"]
    told = Rt(way, replace(LAID_OUT, statuses={"waiting for parts": "held"}))
    assert [each.status for each in await told.states([state.id], deadline=soon())] == ["held"]


async def test_the_token_is_brought_in_rts_own_way(tracker: RequestTracker) -> None:
    token = Token(secret=fixed(SecretStr("our-token")))
    async with opened(replace(rt_system(tracker.address), credential=token)) as transport:
        with pytest.raises(NotAdmitted) as caught:
            await Rt(transport, LAID_OUT).find(KEY, deadline=soon())
    assert caught.value.status == 401


async def test_it_calls_nobody_and_says_so(rt: Rt) -> None:
    with pytest.raises(Rejected, match="polled"):
        await rt.subscribe("http://127.0.0.1:9/callback", deadline=soon())


async def test_without_a_field_for_services_nothing_is_reported(way: Transport, grace: httpx.AsyncClient) -> None:
    await grace.post("/ticket", json={"Queue": "Customers", "CustomFields": {"Service": ["service-1"]}})
    rt = Rt(way, RtDesk(queue="Customers", key_field="Order key"))
    assert await rt.reported(since=None, deadline=soon()) == []


HERE = {"id": "7", "Status": "new", "Priority": "75", "LastUpdated": "2026-03-01T12:00:00Z", "EffectiveId": "7",
        "CustomFields": [{"name": "Order key", "values": [KEY]}]}  # fmt: skip


@pytest.mark.parametrize(
    ("broken", "where"),
    [
        pytest.param("7", "items[0]", id="a string"),
        pytest.param({**HERE, "id": "../1"}, "items[0].id", id="an id that leads elsewhere"),
        pytest.param({**HERE, "id": None}, "items[0].id", id="no id"),
        pytest.param({**HERE, "Status": 7}, "items[0].Status", id="a status that is a number"),
        pytest.param({**HERE, "CustomFields": {"a": 1}}, "items[0].CustomFields", id="no list of fields"),
        pytest.param({**HERE, "CustomFields": []}, "items[0]", id="no key"),
    ],
)
async def test_what_is_no_ticket_of_ours_is_nonsense(broken: object, where: str) -> None:
    body = orjson.dumps({"items": [broken], "total": 1})
    async with saying(http("200 OK", body, JSON)) as server, asking(server.address) as transport:
        with pytest.raises(Nonsense) as caught:
            await Rt(transport, LAID_OUT).find(KEY, deadline=soon())
    assert caught.value.where == where


@pytest.mark.parametrize("body", [[], "x", None, {}, {"items": {}}])
async def test_what_is_no_list_is_nonsense(body: object) -> None:
    async with saying(http("200 OK", orjson.dumps(body), JSON)) as server, asking(server.address) as transport:
        with pytest.raises(Nonsense):
            await Rt(transport, LAID_OUT).find(KEY, deadline=soon())


async def test_a_list_that_says_the_same_on_every_page_is_read_once() -> None:
    body = orjson.dumps({"items": [HERE], "total": None})
    async with saying(http("200 OK", body, JSON)) as server, asking(server.address) as transport:
        found = await Rt(transport, LAID_OUT).find(KEY, deadline=soon(20))
    assert found is not None
    assert (found.id, len(server.heard)) == ("7", 2)


async def test_a_list_that_says_of_more_than_it_gives_is_nonsense() -> None:
    body = orjson.dumps({"items": [HERE], "total": 3})
    async with saying(http("200 OK", body, JSON)) as server, asking(server.address) as transport:
        with pytest.raises(Nonsense) as caught:
            await Rt(transport, LAID_OUT).find(KEY, deadline=soon(20))
    assert caught.value.where == "total"


def test_numbers_come_as_strings_and_a_merge_as_two_shapes() -> None:
    merged = {**HERE, "EffectiveId": {"type": "ticket", "id": "3"}}
    for each in ({**merged, "EffectiveId": "3"}, merged):
        assert state_of(ticket_of(each, LAID_OUT), LAID_OUT).status == "closed"
    assert state_of(ticket_of({**HERE, "id": 7, "Priority": 33}, LAID_OUT), LAID_OUT).severity == "33"


@pytest.mark.parametrize(
    "text",
    [
        "id",
        "id =",
        "id = 1 OR",
        "(id = 1",
        "id = 1)",
        "'open",
        "id IN (1, 2)",
        "id IS 7",
        "(" * 60 + "id = 1" + ")" * 60,
    ],
)
def test_a_query_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        parsed(text)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("id = 1 OR id = 2 AND Status = 'new'", True),
        ("(id = 1 OR id = 2) AND Status = 'open'", False),
        ("Priority > 9 AND Priority <= 75", True),
        ("LastUpdated >= '2026-03-01 12:00:00' AND LastUpdated < '2026-03-01 12:00:01'", True),
        ("LastUpdated > '2026-03-01T23:00:00Z'", True),  # read as midnight, as over there
        ("'CF.{Service}' IS NULL AND 'CF.{Order key}' IS NOT NULL", True),
        ("'CF.{Order key}' LIKE 'CUSTOMER'", True),
        ("'CF.{Order key}' != 'x' AND Status = '__Active__'", True),
        ("", True),
    ],
)
def test_what_a_query_means(text: str, holds: bool) -> None:  # noqa: FBT001 - a table
    row = {"id": ["1"], "Status": ["new"], "Priority": ["75"], "LastUpdated": ["2026-03-01T12:00:00Z"],
           "CF.{Order key}": [KEY], "CF.{Service}": []}  # fmt: skip
    assert parsed(text).holds(row) is holds


async def test_tickets_outlive_the_stand_in(tmp_path: Path) -> None:
    kept = tmp_path / "state.jsonl"
    async with serving_rt(state=kept) as first, opened(rt_system(first.address)) as transport:
        state = await made(Rt(transport, LAID_OUT))
        state = await Rt(transport, LAID_OUT).amend(state.id, order(), delivery_id="d", deadline=soon())
    async with serving_rt(state=kept) as second, opened(rt_system(second.address)) as transport:
        rt = Rt(transport, LAID_OUT)
        assert await rt.find(KEY, deadline=soon()) == state
        history = (await rt.histories([state.id], deadline=soon()))[state.id]
        assert isinstance(history, TicketHistory)
        assert [each.text for each in history.notes] == ["Loss of signal"]
        assert re.fullmatch("[0-9]+", (await made(rt, "next")).id)


async def test_a_ticket_with_a_status_or_a_time_of_its_own_is_ours_all_the_same() -> None:
    odd = {**HERE, "Status": "odd", "LastUpdated": "now"}
    async with (
        saying(http("200 OK", orjson.dumps({"items": [odd], "total": 1}), JSON)) as server,
        asking(server.address) as transport,
    ):
        state = await Rt(transport, LAID_OUT).find(KEY, deadline=soon())
    assert state is not None
    assert (state.id, state.status, state.changed_at) == ("7", None, None)


async def test_one_that_cannot_be_read_costs_the_others_nothing() -> None:
    counted: list[str] = []
    body = orjson.dumps({"items": [{**HERE, "CustomFields": {"a": 1}}, "x", {**HERE, "id": "8"}], "total": 3})
    async with saying(http("200 OK", body, JSON)) as server, asking(server.address) as transport:
        rt = Rt(transport, LAID_OUT, PassedOver("rt", counted.append))
        assert [each.state.id for each in await rt.reported(since=None, deadline=soon())] == ["8"]
    assert counted == ["rt", "rt"]
