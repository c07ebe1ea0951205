"""A change through the whole seam: Strawberry, the change, the transaction, and a payload that is compiled like a read."""

from __future__ import annotations

import logging
import time
from collections.abc import Hashable, Mapping
from typing import Any

import pytest
from structlog.testing import capture_logs

from graph.changes.policy import AlarmPolicy
from graph.compiler.allowance import Unmetered
from graph.errors import DeadlineExceeded, GraphError, StatementFailed, StoreUnavailable
from graph.model.scope import Principal, Role
from graph.store.store import Store, Transaction
from resolvers.errors import answer_for
from resolvers.knowledge.subgraph import KnowledgeSubgraph
from tests.resolvers.caller import CUSTOMER_A, KEY, SECONDS, Caller, Counting, caller
from tests.resolvers.world import World, load

SYSTEM = Principal(subject="nms", role=Role.SYSTEM, system="nms-2", sources=("nms-2",))
ACKNOWLEDGE = """mutation($id: ID!, $key: String!) {
  done: acknowledgeAlarm(alarmId: $id, idempotencyKey: $key) {
    __typename
    first: alarm { key: id ackState alarmedObject { __typename ... on Card { slot } ... on Trunk { id } } }
    userErrors { code message path }
    again: alarm { ...F }
  }
}
fragment F on Alarm { affects(first: 1) { totalCount nodes { effect service { id } } pageInfo { hasNextPage } } }"""


@pytest.fixture
async def asking(store: Store, world: World) -> Caller:
    """The tenants as they were: a test here changes them."""
    await load(store, world)
    return caller(store)


async def events(store: Store) -> int:
    text = "RETURN COUNT { MATCH (e:Event {type: 'AlarmAcknowledged'}) RETURN e } AS data"
    found = await store.read(text, {}, deadline=time.monotonic() + SECONDS)
    assert isinstance(found, int)
    return found


def asked(alarm: str = "alarm-s1", key: str = "k") -> dict[str, Any]:
    return {"id": alarm, "key": key}


ADD = """mutation($id: ID!, $system: String!, $name: String!, $key: String!) {
  addExternalName(objectId: $id, system: $system, name: $name, idempotencyKey: $key) {
    externalName { system name names { __typename ... on Card { id } } } userErrors { code path }
  }
}"""
REMOVE = """mutation($id: ID!, $system: String!, $name: String!, $key: String!) {
  removeExternalName(objectId: $id, system: $system, name: $name, idempotencyKey: $key) { userErrors { code path } }
}"""


@pytest.mark.parametrize(
    ("given", "field", "problem"),
    [
        ({"system": ""}, "system", "`system` must not be empty."),
        ({"system": "x" * 501}, "system", "`system` must have at most 500 characters, not 501."),
        ({"name": ""}, "name", "`name` must not be empty."),
        ({"name": "x" * 1_025}, "name", "`name` must have at most 1024 characters, not 1025."),
    ],
)
async def test_a_callers_mistake_is_told_to_the_caller_and_not_logged_as_ours(
    asking: Caller, caplog: pytest.LogCaptureFixture, given: dict[str, str], field: str, problem: str
) -> None:
    with capture_logs() as lines:
        answer = await asking.response(ADD, {"id": "card-1", "system": "ems", "name": "n", "key": "k", **given})
    [error] = answer["errors"]
    assert (error["message"], error["path"]) == (problem, ["addExternalName", field])
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert [each for each in lines if each["log_level"] not in ("debug", "info")] == []
    assert [each for each in caplog.records if each.levelno > logging.INFO] == []


async def test_a_name_is_given_and_taken_back(asking: Caller, store: Store) -> None:
    [[card], [other]] = await store.rows(
        "MATCH (n:Card) RETURN n.id ORDER BY n.id LIMIT 2", {}, deadline=time.monotonic() + SECONDS
    )
    given = {"id": card, "system": "ems", "name": "MD=north;ME=W9;EQ=1"}
    there = {"system": "ems", "name": given["name"], "names": {"__typename": "Card", "id": card}}
    for key in ("1", "1", "2"):
        answer = await asking.response(ADD, {**given, "key": key})
        assert answer == {"data": {"addExternalName": {"externalName": there, "userErrors": []}}}
    answer = await asking.response(ADD, {**given, "id": other, "key": "3"})
    taken = {"externalName": None, "userErrors": [{"code": "NAME_TAKEN", "path": ["name"]}]}
    assert answer == {"data": {"addExternalName": taken}}
    for key in ("4", "5"):
        answer = await asking.response(REMOVE, {**given, "key": key})
        assert answer == {"data": {"removeExternalName": {"userErrors": []}}}
    answer = await asking.response(ADD, {**given, "id": other, "key": "6"})
    assert answer["data"]["addExternalName"]["externalName"]["names"]["id"] == other
    answer = await asking.response(ADD, {**given, "id": "card-none", "key": "7"})
    assert answer["data"]["addExternalName"]["userErrors"] == [{"code": "OBJECT_NOT_FOUND", "path": ["objectId"]}]
    text = "MATCH (e:Event) WHERE e.type STARTS WITH 'Resource' RETURN e.type, e.aggregateId ORDER BY e.id"
    assert await store.rows(text, {}, deadline=time.monotonic() + SECONDS) == [
        ["ResourceNamed", card],
        ["ResourceUnnamed", card],
        ["ResourceNamed", other],
    ]


@pytest.mark.parametrize("system", ["", " ", "a\u0007"])
async def test_a_system_that_no_protocol_carries_is_refused(asking: Caller, system: str) -> None:
    """The name itself may be whatever that system calls things in its alarms."""
    answer = await asking.response(ADD, {"id": "card-1", "system": system, "name": "n", "key": "1"})
    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_a_payload_has_the_keys_of_the_document_in_its_order(asking: Caller) -> None:
    answer = await asking.response(ACKNOWLEDGE, asked())
    assert answer == {
        "data": {
            "done": {
                "__typename": "AcknowledgeAlarmPayload",
                "first": {
                    "key": "alarm-s1",
                    "ackState": "ACKNOWLEDGED",
                    "alarmedObject": {"__typename": "Card", "slot": 0},
                },
                "userErrors": [],
                "again": {
                    "affects": {
                        "totalCount": 3,
                        "nodes": [{"effect": "DEGRADED", "service": {"id": "service-a1"}}],
                        "pageInfo": {"hasNextPage": True},
                    }
                },
            }
        }
    }
    assert list(answer["data"]["done"]) == ["__typename", "first", "userErrors", "again"]


async def test_the_same_key_gives_the_same_answer_and_changes_nothing_twice(asking: Caller, store: Store) -> None:
    first = await asking.response(ACKNOWLEDGE, asked())
    assert await asking.response(ACKNOWLEDGE, asked()) == first
    assert await events(store) == 1


async def test_the_payload_of_an_alarm_that_is_not_there_says_why(asking: Caller, store: Store) -> None:
    answer = await asking.response(ACKNOWLEDGE, asked("alarm-zip"))
    payload = answer["data"]["done"]
    assert (payload["first"], payload["again"]) == (None, None)
    assert [each["code"] for each in payload["userErrors"]] == ["ALARM_NOT_FOUND"]
    assert await events(store) == 0


async def test_a_customer_is_refused_and_nothing_is_changed(asking: Caller, store: Store) -> None:
    answer = await asking.response(ACKNOWLEDGE, asked(), CUSTOMER_A)
    assert "data" not in answer
    assert [each["extensions"]["code"] for each in answer["errors"]] == ["FORBIDDEN"]
    assert await events(store) == 0


async def test_a_system_makes_its_change_and_sees_no_nodes(asking: Caller, store: Store) -> None:
    answer = await asking.response(ACKNOWLEDGE, asked("alarm-s2"), SYSTEM)
    expected: dict[str, Any] = {"__typename": "AcknowledgeAlarmPayload", "first": None, "userErrors": [], "again": None}
    assert answer == {"data": {"done": expected}}
    assert await events(store) == 1


async def test_a_payload_that_may_not_be_asked_for_is_refused_before_anything_is_changed(
    asking: Caller, store: Store
) -> None:
    text = """mutation($id: ID!, $key: String!) { acknowledgeAlarm(alarmId: $id, idempotencyKey: $key) {
      alarm { affects(first: 1001) { totalCount nodes { effect } } } } }"""
    answer = await asking.response(text, asked())
    assert [each["extensions"]["code"] for each in answer["errors"]] == ["BAD_USER_INPUT"]
    assert "data" not in answer
    assert await events(store) == 0


async def test_two_changes_in_one_operation_have_a_payload_each(asking: Caller, store: Store) -> None:
    text = """mutation {
      b: acknowledgeAlarm(alarmId: "alarm-s2", idempotencyKey: "2") { alarm { id ackState } }
      a: acknowledgeAlarm(alarmId: "alarm-s1", idempotencyKey: "1") { alarm { id changedAt @skip(if: true) } }
    }"""
    answer = await asking.response(text)
    assert answer == {
        "data": {"b": {"alarm": {"id": "alarm-s2", "ackState": "ACKNOWLEDGED"}}, "a": {"alarm": {"id": "alarm-s1"}}}
    }
    assert await events(store) == 2


async def test_a_payload_is_one_statement(store: Store, world: World) -> None:
    await load(store, world)
    counting = Counting(store)
    answer = await caller(counting).response(ACKNOWLEDGE, asked())
    assert answer["data"]["done"]["first"]["key"] == "alarm-s1"
    assert len(counting.texts) == 1


async def test_a_payload_that_breaks_the_schema_is_an_error_at_its_place(store: Store, world: World) -> None:
    await load(store, world.changed([("alarm-s1", "raisedAt", None)]))
    asking = caller(store)
    text = """mutation { acknowledgeAlarm(alarmId: "alarm-s1", idempotencyKey: "k") {
      __typename alarm { id raisedAt } userErrors { code } } }"""
    answer = await asking.response(text)
    assert answer["data"] == {
        "acknowledgeAlarm": {"__typename": "AcknowledgeAlarmPayload", "alarm": None, "userErrors": []}
    }
    assert [(each["path"], each["extensions"]["code"]) for each in answer["errors"]] == [
        (["acknowledgeAlarm", "alarm", "raisedAt"], "INCONSISTENT_DATA")
    ]
    assert await events(store) == 1


async def test_an_alarm_that_is_cleared_affects_nobody_any_more(asking: Caller) -> None:
    text = """mutation { clearAlarm(alarmId: "alarm-s1", idempotencyKey: "k") {
      alarm { state perceivedSeverity clearedAt affects { totalCount } } userErrors { code } } }"""
    answer = await asking.response(text)
    alarm = answer["data"]["clearAlarm"]["alarm"]
    assert alarm.pop("clearedAt") is not None
    assert alarm == {"state": "CLEARED", "perceivedSeverity": "CLEARED", "affects": {"totalCount": 0}}
    again = await asking.response(text)
    assert again["data"]["clearAlarm"]["userErrors"] == []


@pytest.mark.parametrize("mutation", ['clearAlarm(alarmId: "alarm-s1"', 'replayDelivery(deliveryId: "delivery-b1"'])
async def test_a_customer_changes_nothing(asking: Caller, mutation: str) -> None:
    text = f'mutation {{ {mutation}, idempotencyKey: "k") {{ userErrors {{ code }} }} }}'
    answer = await asking.response(text, {}, CUSTOMER_A)
    assert [each["extensions"]["code"] for each in answer["errors"]] == ["FORBIDDEN"]


async def test_what_was_parked_is_made_due_again_by_an_operator(asking: Caller, store: Store) -> None:
    async def park(transaction: Transaction) -> None:
        text = "MATCH (d:Delivery {id: 'delivery-b1'}) SET d.state = 'DEAD', d.waiting = null, d.attempts = 3"
        await transaction.run(text, {})

    await store.write(park, deadline=time.monotonic() + SECONDS)
    text = """mutation($id: ID!) { replayDelivery(deliveryId: $id, idempotencyKey: "k") {
      delivery { id state attempts waiting event { id } } userErrors { code path } } }"""
    answer = await asking.response(text, {"id": "delivery-b1"})
    assert answer["data"]["replayDelivery"] == {
        "delivery": {
            "id": "delivery-b1",
            "state": "READY",
            "attempts": 1,
            "waiting": "desk#0",
            "event": {"id": "event-s1"},
        },
        "userErrors": [],
    }
    unknown = await asking.response(text.replace('"k"', '"k2"'), {"id": "delivery-none"})
    assert unknown["data"]["replayDelivery"] == {
        "delivery": None,
        "userErrors": [{"code": "DELIVERY_NOT_FOUND", "path": ["deliveryId"]}],
    }


async def test_alarms_that_match_nothing_and_deliveries_are_listed_for_operators_only(asking: Caller) -> None:
    text = (
        "{ unmatchedAlarms { nodes { id } } deliveries(filter: { state: { eq: READY } }) { nodes { id lastError } } }"
    )
    answer = await asking.response(text)
    assert answer == {
        "data": {
            "unmatchedAlarms": {"nodes": [{"id": "alarm-a2"}]},
            "deliveries": {"nodes": [{"id": "delivery-b1", "lastError": "it was busy"}]},
        }
    }


class Forgetful:
    """A cache that others need all of: what is put there is gone at once."""

    def get(self, _key: Hashable) -> None:
        """Give nothing."""

    def __setitem__(self, _key: Hashable, _value: object) -> None:
        """Keep nothing."""


class Once(Unmetered):
    """An allowance that one piece of new work uses up."""

    def __init__(self) -> None:
        self._left = 1

    def take(self, subject: str, units: float) -> float:  # noqa: ARG002 - whoever it is
        """Take one."""
        self._left -= 1
        return 0.0 if self._left >= 0 else 60.0


async def test_a_change_that_was_made_is_not_refused_for_what_it_costs_to_show_it(store: Store, world: World) -> None:
    await load(store, world)
    subgraph = KnowledgeSubgraph(store, KEY, AlarmPolicy(), cache=Forgetful(), meter=Once())
    answer = await Caller(subgraph=subgraph).response(ACKNOWLEDGE, asked())
    assert "errors" not in answer
    assert answer["data"]["done"]["first"]["ackState"] == "ACKNOWLEDGED"
    assert await events(store) == 1


class Unreadable(Counting):
    """A store that takes changes, and whose reads fail after some."""

    def __init__(self, store: Store, fault: GraphError, reads: int = 0) -> None:
        super().__init__(store)
        self._left = reads
        self._fault = fault

    async def read(self, text: str, parameters: Mapping[str, object], *, deadline: float) -> object:
        """Fail."""
        if len(self.texts) == self._left:
            raise self._fault
        return await super().read(text, parameters, deadline=deadline)


FAULTS = [StoreUnavailable("Away"), DeadlineExceeded("Late"), StatementFailed("x")]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda each: type(each).__name__)
async def test_a_change_that_was_made_is_told_also_where_it_cannot_be_shown(
    store: Store, world: World, fault: GraphError
) -> None:
    await load(store, world)
    answer = await caller(Unreadable(store, fault)).response(ACKNOWLEDGE, asked())
    assert answer["data"] == {
        "done": {"__typename": "AcknowledgeAlarmPayload", "first": None, "userErrors": [], "again": None}
    }
    assert [each["path"] for each in answer["errors"]] == [["done", "first"], ["done", "again"]]
    code = answer_for(fault)["errors"][0]["extensions"]["code"]
    assert {each["extensions"]["code"] for each in answer["errors"]} == {code}
    assert all("change was made" in each["extensions"]["hint"] for each in answer["errors"])
    assert await events(store) == 1


async def test_a_payload_that_can_be_shown_is_shown_beside_one_that_cannot(store: Store, world: World) -> None:
    await load(store, world)
    text = """mutation {
      b: acknowledgeAlarm(alarmId: "alarm-s2", idempotencyKey: "2") { alarm { id } }
      a: acknowledgeAlarm(alarmId: "alarm-s1", idempotencyKey: "1") { alarm { id } userErrors { code } }
    }"""
    answer = await caller(Unreadable(store, StoreUnavailable("Away"), reads=1)).response(text)
    assert answer["data"] == {"b": {"alarm": {"id": "alarm-s2"}}, "a": {"alarm": None, "userErrors": []}}
    assert [each["path"] for each in answer["errors"]] == [["a", "alarm"]]


AFTER = """mutation($after: String!) {
  b: acknowledgeAlarm(alarmId: "alarm-s2", idempotencyKey: "2") {
    alarm { id affects(first: 1, after: $after) { nodes { effect } } } userErrors { code } }
  a: acknowledgeAlarm(alarmId: "alarm-s1", idempotencyKey: "1") { alarm { id raisedAt } }
}"""


@pytest.mark.parametrize("is_regular", [True, False], ids=["beside one that is shown", "beside one that breaks it"])
async def test_a_change_that_was_made_is_not_refused_for_a_cursor_of_another_list(
    store: Store, world: World, *, is_regular: bool
) -> None:
    await load(store, world if is_regular else world.changed([("alarm-s1", "raisedAt", None)]))
    asking = caller(store)
    text = '{ alarm(id: "alarm-s1") { affects(first: 1) { pageInfo { endCursor } } } }'
    page = (await asking.response(text))["data"]["alarm"]["affects"]["pageInfo"]
    for _ in range(2):  # the second time its outcome is remembered
        answer = await asking.response(AFTER, {"after": page["endCursor"]})
        assert answer["data"]["b"] == {"alarm": None, "userErrors": []}
        assert (answer["data"]["a"]["alarm"] is not None) is is_regular
        codes = [(each["path"][:2], each["extensions"]["code"]) for each in answer["errors"]]
        broken = [] if is_regular else [(["a", "alarm"], "INCONSISTENT_DATA")]
        assert codes == [(["b", "alarm"], "BAD_USER_INPUT"), *broken]
        assert answer["errors"][0]["extensions"]["hint"].startswith("The change was made.")
    assert await events(store) == 2


async def test_a_change_that_was_made_is_not_refused_for_a_list_that_is_too_long(asking: Caller, store: Store) -> None:
    async def lengthen(transaction: Transaction) -> None:
        text = (
            "MATCH (s:Service {id: 'service-a1'}) UNWIND range(1, 1001) AS i "
            "CREATE (s)-[:ROUTED_OVER {path: 'WORKING', position: i}]->(:Trunk {id: 'long-' + toString(i)})"
        )
        await transaction.run(text, {})

    await store.write(lengthen, deadline=time.monotonic() + SECONDS)
    text = """mutation { acknowledgeAlarm(alarmId: "alarm-s1", idempotencyKey: "k") {
      alarm { affects { nodes { service { route { position } } } } } } }"""
    answer = await asking.response(text)
    assert answer["data"] == {"acknowledgeAlarm": {"alarm": None}}
    assert [each["extensions"]["code"] for each in answer["errors"]] == ["LIMIT_EXCEEDED"]
    assert "Leave route out" in answer["errors"][0]["extensions"]["hint"]
    assert await events(store) == 1


async def test_what_is_refused_behind_a_change_that_was_made_takes_its_payload_and_says_so(asking: Caller) -> None:
    text = """mutation {
      a: acknowledgeAlarm(alarmId: "alarm-s1", idempotencyKey: "1") { userErrors { code } }
      b: clearAlarm(alarmId: "alarm-s1", idempotencyKey: "1") { userErrors { code } }
    }"""
    for _ in range(2):
        answer = await asking.response(text)
        assert answer["data"] is None
        [error] = answer["errors"]
        assert (error["path"], error["extensions"]["code"]) == (["b", "idempotencyKey"], "CONFLICT")
        assert error["extensions"]["hint"].startswith("The changes before this one were made;")
