"""A change through the whole seam: Strawberry, the change, the transaction, and a payload that is compiled like a read."""

from __future__ import annotations

import time
from typing import Any

import pytest

from graph.model.scope import Principal, Role
from graph.store.store import Store, Transaction
from tests.resolvers.caller import CUSTOMER_A, SECONDS, Caller, Counting, caller
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
