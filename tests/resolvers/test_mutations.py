"""A mutation through the whole seam: the change, then its payload as one compiled statement in the caller's scope."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import orjson
import pytest
from graphql import parse, validate

from gateway.execution import Operation
from graph.scope import Principal, Role
from graph.store import Store, Transaction
from resolvers.knowledge.subgraph import KnowledgeSubgraph

OPERATOR = Principal(subject="operator", role=Role.OPERATOR)
SYSTEM = Principal(subject="system", role=Role.SYSTEM, system="fms")
TEXT = """
mutation Twice($id: ID!, $key: String!) {
  first: acknowledgeAlarm(alarmId: $id, idempotencyKey: $key) {
    __typename
    seen: alarm { state: ackState affects { totalCount nodes { effect service { name } } } }
    again: alarm { id }
    userErrors { code }
  }
}
"""
GRAPH = (
    "CREATE (a:Alarm {id: 'alarm-1', sourceSystemId: 'fms', alarmType: 'equipmentAlarm', probableCause: 'fire', "
    "alarmedObjectRef: 'x', perceivedSeverity: $severity, state: 'raised', ackState: 'unacknowledged', raisedAt: 1, "
    "changedAt: 1, record: '{}'}) "
    "CREATE (s:Service {id: 'service-1', name: 'Line', kind: 'vpn', state: 'active', committedMbps: 1, "
    "effectiveMbps: 1, maxMbps: 1, words: 'line'}) CREATE (a)-[:AFFECTS {effect: 'down', severity: 'major'}]->(s)"
)


class Counting:
    """The store, and how many statements read through it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.reads = 0
        self.write = store.write
        self.rows = store.rows

    async def read(self, text: str, parameters: Mapping[str, object], *, deadline: float) -> object:
        self.reads += 1
        return await self._store.read(text, parameters, deadline=deadline)


@pytest.fixture
async def counting(empty_store: Store) -> Counting:
    await plant(empty_store, "critical")
    return Counting(empty_store)


async def plant(store: Store, severity: str) -> None:
    async def make(transaction: Transaction) -> None:
        await transaction.run(GRAPH, {"severity": severity})

    await store.write(make, deadline=time.monotonic() + 30)


async def ask(store: Any, principal: Principal, text: str = TEXT, **variables: Any) -> dict[str, Any]:
    subgraph = KnowledgeSubgraph(store, b"m" * 32)
    document = parse(text)
    assert validate(subgraph.reads.schema, document) == []
    operation = Operation(key=text, document=document, name=None)
    given = {"id": "alarm-1", "key": "once", **variables}
    return await subgraph.execute(operation, given, principal, time.monotonic() + 60)


async def test_the_payload_is_one_statement_in_the_order_and_under_the_keys_that_were_asked(counting: Counting) -> None:
    answer = await ask(counting, OPERATOR)
    seen = {
        "state": "ACKNOWLEDGED",
        "affects": {"totalCount": 1, "nodes": [{"effect": "DOWN", "service": {"name": "Line"}}]},
    }
    expected = {
        "first": {"__typename": "AcknowledgeAlarmPayload", "seen": seen, "again": {"id": "alarm-1"}, "userErrors": []}
    }
    assert orjson.dumps(answer) == orjson.dumps({"data": expected})
    assert counting.reads == 1


async def test_asked_twice_it_answers_twice_and_happens_once(counting: Counting, empty_store: Store) -> None:
    once = await ask(counting, OPERATOR)
    assert await ask(counting, OPERATOR) == once
    rows = await empty_store.rows("MATCH (e:Event) RETURN e.type", {}, deadline=time.monotonic() + 30)
    assert rows == [["AlarmAcknowledged"]]


async def test_an_unknown_alarm_is_an_error_for_the_person(counting: Counting) -> None:
    answer = await ask(counting, OPERATOR, id="alarm-none")
    assert answer["data"]["first"]["seen"] is None
    assert answer["data"]["first"]["userErrors"] == [{"code": "ALARM_NOT_FOUND"}]


async def test_a_key_used_for_something_else_is_refused_with_the_place(counting: Counting) -> None:
    await ask(counting, OPERATOR)
    answer = await ask(counting, OPERATOR, id="alarm-2")
    assert "data" not in answer or answer["data"] is None
    assert [each["extensions"]["code"] for each in answer["errors"]] == ["IDEMPOTENCY_CONFLICT"]


async def test_a_system_changes_what_it_raised_and_is_shown_no_nodes(counting: Counting, empty_store: Store) -> None:
    answer = await ask(counting, SYSTEM)
    assert answer["data"]["first"]["seen"] is None
    assert answer["data"]["first"]["userErrors"] == []
    rows = await empty_store.rows("MATCH (a:Alarm) RETURN a.ackState", {}, deadline=time.monotonic() + 30)
    assert rows == [["acknowledged"]]
    assert counting.reads == 0


async def test_a_payload_that_breaks_the_schema_has_the_errors_of_the_specification(empty_store: Store) -> None:
    await plant(empty_store, "dreadful")
    text = TEXT.replace("again: alarm { id }", "again: alarm { id perceivedSeverity }")
    answer = await ask(empty_store, OPERATOR, text)
    assert answer["data"]["first"]["again"] is None
    assert answer["data"]["first"]["seen"]["state"] == "ACKNOWLEDGED"
    assert [(e["path"], e["extensions"]["code"]) for e in answer["errors"]] == [
        (["first", "again", "perceivedSeverity"], "INCONSISTENT_DATA")
    ]
