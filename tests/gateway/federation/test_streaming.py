"""A subscription over several subgraphs: one begins it, the others complete its events; and who cannot is told so."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping
from typing import Any, Final

import pytest
from graphql import parse

from gateway.federation.arriving import Arriving
from gateway.federation.planning import Budget
from gateway.federation.streaming import StreamingFederation
from gateway.federation.subgraph import Answer, Heard, Heartbeat, Operation, StreamEnded, StreamEvent, Subgraph
from gateway.federation.supergraph import Graph
from gateway.federation.supergraph_sdl import read_supergraph
from graph.model.scope import Principal, Role
from tests.gateway.federation.planning.models import HEADER
from tests.gateway.federation.test_arriving import Weather

SUPERGRAPH: Final = (
    HEADER.replace("query: Query", "query: Query subscription: Subscription")
    + """
enum join__Graph { A @join__graph(name: "a", url: "") B @join__graph(name: "b", url: "") }
type Query @join__type(graph: A) @join__type(graph: B) { a: Int @join__field(graph: A) }
type Subscription @join__type(graph: A) @join__type(graph: B) {
  alerts(least: Int): Alert @join__field(graph: A)
  notes: String @join__field(graph: B)
  split: Split
}
type Split @join__type(graph: A) @join__type(graph: B) {
  here: Int @join__field(graph: A) there: Int @join__field(graph: B)
}
type Alert @join__type(graph: A) { severity: Int tickets: [Ticket!] }
type Ticket @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
  id: ID! note: String @join__field(graph: B)
}
"""
)
NOTES: Final = "subscription($least: Int) { alerts(least: $least) { severity tickets { note } } }"
CALLER: Final = Principal(subject="someone", role=Role.OPERATOR)
SHARED: Final[dict[str, Any]] = {"data": {"alerts": {"severity": 3, "tickets": [{"id": "1"}, {"id": "2"}]}}}


class Alerts:
    """Subgraph a: three events, of which the first comes twice, and an end that says why."""

    name, sdl = "a", ""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Mapping[str, Any], str | None]] = []
        self.is_open = False
        self.begins_after = 0.0
        """seconds."""

    async def execute(self, *_: Any) -> Answer:
        raise AssertionError("nobody asks it anything else")

    async def subscribe(
        self,
        operation: Operation,
        variables: Mapping[str, Any],
        principal: Principal,  # noqa: ARG002 - the port's signature
        after: str | None,
        deadline: float,  # noqa: ARG002 - the port's signature
    ) -> AsyncGenerator[Heard, None] | Answer:
        self.asked.append((operation.text, variables, after))
        await asyncio.sleep(self.begins_after)
        return self._events()

    async def _events(self) -> AsyncGenerator[Heard, None]:
        self.is_open = True
        try:
            yield Heartbeat(cursor="0")
            yield StreamEvent(answer=SHARED, cursor="1")
            yield StreamEvent(answer=SHARED, cursor="2")
            yield StreamEvent(answer={"errors": [{"message": "no"}], "data": {"alerts": None}}, cursor="3")
            raise StreamEnded({"errors": [{"message": "too slow", "extensions": {"code": "LAGGED"}}]})
        finally:
            self.is_open = False


class Notes:
    """Subgraph b: the notes of tickets; it does not stream."""

    name, sdl = "b", ""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.seconds = 0.0

    async def execute(
        self,
        operation: Operation,  # noqa: ARG002 - the port's signature
        variables: Mapping[str, Any],
        principal: Principal,  # noqa: ARG002 - the port's signature
        deadline: float,
    ) -> Answer:
        self.asked.append([each["id"] for each in variables["_r0"]])
        self.seconds = deadline - time.monotonic()
        return {"data": {"_entities": [{"note": f"note {len(self.asked)}.{each['id']}"} for each in variables["_r0"]]}}


def federation(*subgraphs: Subgraph) -> StreamingFederation:
    named = {Graph(each.name.upper()): each for each in subgraphs}
    return StreamingFederation(read_supergraph(SUPERGRAPH), named, budget=Budget(), share=False)


async def begun(
    federated: StreamingFederation, query: str, after: str | None = None, **variables: Any
) -> AsyncGenerator[Heard, None] | Answer:
    operation = Operation(key=query, document=parse(query), name=None)
    return await federated.subscribe(operation, variables, CALLER, after, time.monotonic() + 9)


async def test_each_event_is_completed_by_one_batch_and_shared_ones_are_left_as_they_were() -> None:
    alerts, notes = Alerts(), Notes()
    alerts.begins_after = 1.0
    events = await begun(federation(alerts, notes), NOTES, "0", least=3)
    assert not isinstance(events, dict)
    assert await anext(events) == Heartbeat(cursor="0"), "it is passed on, and nothing is fetched for it"
    assert not notes.asked
    heard = [each for each in [await anext(events) for _ in range(3)] if isinstance(each, StreamEvent)]
    with pytest.raises(StreamEnded) as ended:
        await anext(events)
    assert ended.value.answer["errors"][0]["extensions"]["code"] == "LAGGED"
    text = "subscription($least: Int) { alerts(least: $least) { severity tickets { id } } }"
    assert alerts.asked == [(text, {"least": 3}, "0")]
    assert notes.asked == [["1", "2"], ["1", "2"]]
    assert 8.1 < notes.seconds < 9.1, "an event has as long as the beginning had, and not what that left"
    assert [each.cursor for each in heard] == ["1", "2", "3"]
    told = [{"severity": 3, "tickets": [{"note": f"note {n}.1"}, {"note": f"note {n}.2"}]} for n in (1, 2)]
    assert [each.answer for each in heard[:2]] == [{"data": {"alerts": each}} for each in told]
    assert heard[2].answer["data"] == {"alerts": None}
    assert heard[2].answer["errors"]
    assert SHARED == {"data": {"alerts": {"severity": 3, "tickets": [{"id": "1"}, {"id": "2"}]}}}


async def test_closing_the_stream_closes_its_source() -> None:
    alerts = Alerts()
    events = await begun(federation(alerts, Notes()), NOTES)
    assert not isinstance(events, dict)
    await anext(events)
    assert alerts.is_open
    await events.aclose()
    assert not alerts.is_open


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("subscription { notes }", "OPERATION_RESOLUTION_FAILURE"),
        ("subscription { split { here there } }", "NOT_PLANNED"),
    ],
)
async def test_who_does_not_stream_is_not_asked(query: str, code: str) -> None:
    answer = await begun(federation(Alerts(), Notes()), query)
    assert isinstance(answer, dict)
    assert answer["errors"][0]["extensions"]["code"] == code


async def test_a_subgraph_that_comes_later_streams_when_it_is_there() -> None:
    arriving = Arriving("a", "", Weather().opening)
    operation = Operation(key="x", document=parse("subscription { alerts { severity } }"), name=None)
    answer = await arriving.subscribe(operation, {}, CALLER, None, time.monotonic() + 9)
    assert isinstance(answer, dict)
    assert answer["errors"][0]["extensions"]["code"] == "STORE_UNAVAILABLE"
    weather = Weather()
    weather.there = True
    arriving = Arriving("dict", "", weather.opening)
    keeping = asyncio.create_task(arriving.keep())
    try:
        while await arriving.ready():  # noqa: ASYNC110 - as a probe asks
            await asyncio.sleep(0.01)
        answer = await arriving.subscribe(operation, {}, CALLER, None, time.monotonic() + 9)
        assert isinstance(answer, dict)
        assert answer["errors"][0]["extensions"]["code"] == "OPERATION_RESOLUTION_FAILURE"
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
