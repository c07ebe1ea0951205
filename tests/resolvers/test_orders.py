"""Orders by GraphQL: the same door as TMF622 and TMF641, and what is heard of them."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace
from typing import Any, Final

import pytest

from graph.changes.policy import AlarmPolicy, Ordering
from graph.model.scope import CLAIMABLE, Principal, Role
from graph.store.store import Store
from resolvers.knowledge.subgraph import KnowledgeSubgraph
from tests.graph.changes.network import Laid, lay
from tests.resolvers.caller import KEY, OPERATOR, Caller
from tests.resolvers.streaming import A, B, beat, nothing_more, process, taken

ADA: Final = replace(A, changes=CLAIMABLE)
BOB: Final = replace(B, changes=CLAIMABLE)
PLACE: Final = """mutation($items: [OrderItemInput!]!, $key: String!, $customer: OrderCustomerInput, $start: DateTime, $external: String) {
  placeOrder(items: $items, idempotencyKey: $key, customer: $customer, requestedStartAt: $start, externalId: $external, kind: SERVICE) {
    order {
      id externalId system state kind orderedAt requestedStartAt customer { id name }
      items { nodes {
        externalId action state product offering quantity position service { id }
        relatesTo { nodes { relationshipType item { externalId } other { externalId } } }
        relatedFrom { nodes { other { externalId } item { externalId } } }
      } }
      cancellations { totalCount }
    }
    userErrors { code path }
  }
}"""
ADVANCE: Final = """mutation($id: ID!, $item: String, $state: OrderState!, $key: String!) {
  advanceOrder(orderId: $id, itemId: $item, state: $state, idempotencyKey: $key) { order { state startedAt } userErrors { code path message } }
}"""
CANCEL: Final = """mutation($id: ID!, $key: String!) {
  cancelOrder(orderId: $id, reason: "too late", idempotencyKey: $key) {
    order { state cancellationReason } cancellation { state reason order { id } } userErrors { code path }
  }
}"""
CHANGE: Final = """mutation($id: ID!, $key: String!, $priority: String, $start: DateTime) {
  changeOrder(orderId: $id, idempotencyKey: $key, priority: $priority, requestedStartAt: $start) {
    order { priority requestedStartAt } userErrors { code path }
  }
}"""
WHEN: Final = "2126-03-01T12:00:00.000Z"


@pytest.fixture
async def laid(empty_store: Store) -> Laid:
    """The network, laid."""
    await lay(empty_store)
    laid = Laid(store=empty_store)
    await laid.run("MATCH (s:Service) SET s.kind = 'x', s.state = 'active'")
    await laid.run("MATCH (c:Customer) SET c.segment = 'x', c.status = 'active', c.accountRef = 'x'")
    return laid


@pytest.fixture
def asking(laid: Laid) -> Caller:
    return Caller(subgraph=KnowledgeSubgraph(laid.store, KEY, AlarmPolicy(ordering=Ordering())))


def line(number: str, **more: Any) -> dict[str, Any]:
    return {"id": number, "product": f"Line {number}", **more}


async def placed(
    asking: Caller, principal: Principal = ADA, *items: dict[str, Any], key: str = "k", **more: Any
) -> dict[str, Any]:
    given = {"items": [*items] or [line("1")], "key": key, **more}
    answer = await asking.response(PLACE, given, principal)
    assert "errors" not in answer, answer
    found: dict[str, Any] = answer["data"]["placeOrder"]
    return found


async def test_a_customer_orders_for_itself_and_reads_what_it_has_ordered(asking: Caller) -> None:
    items = (
        line("1", quantity=2, offering="Gold", relationships=[{"itemId": "2"}]),
        {"id": "2", "action": "MODIFY", "serviceId": "service-a"},
    )
    made = await placed(asking, ADA, *items, start=WHEN)
    order = made["order"]
    assert made["userErrors"] == []
    assert order["externalId"] == order["id"], "nobody has given one"
    shown = {name: order[name] for name in ("system", "state", "kind", "requestedStartAt", "customer", "cancellations")}
    assert shown == {
        "system": "customer",
        "state": "ACKNOWLEDGED",
        "kind": "SERVICE",
        "requestedStartAt": WHEN,
        "customer": {"id": "customer-a", "name": "a"},
        "cancellations": {"totalCount": 0},
    }
    first, second = sorted(order["items"]["nodes"], key=lambda each: int(each["position"]))
    assert (first["product"], first["offering"], first["quantity"], first["service"]) == ("Line 1", "Gold", 2, None)
    assert first["relatesTo"]["nodes"] == [
        {"relationshipType": "reliesOn", "item": {"externalId": "1"}, "other": {"externalId": "2"}}
    ]
    assert second["relatedFrom"]["nodes"] == [{"other": {"externalId": "2"}, "item": {"externalId": "1"}}]
    assert (second["action"], second["service"], second["product"]) == ("MODIFY", {"id": "service-a"}, None)
    assert await placed(asking, ADA, *items, start=WHEN) == made, "asked for again"


async def test_an_operator_orders_for_anyone_and_sees_what_came_of_it(asking: Caller) -> None:
    made = await placed(asking, OPERATOR, customer={"id": "4711", "name": "New Ltd"}, external="PO-1")
    assert made["order"]["customer"]["name"] == "New Ltd"
    again = await placed(asking, OPERATOR, customer={"id": "4711", "name": "New Ltd"}, external="PO-1", key="other")
    assert again == made
    other = await placed(asking, OPERATOR, line("2"), customer={"id": "4711"}, external="PO-1", key="third")
    assert other == {"order": None, "userErrors": [{"code": "ORDER_EXISTS", "path": ["externalId"]}]}
    nobody = await placed(asking, OPERATOR, key="fourth")
    assert nobody["userErrors"] == [{"code": "CUSTOMER_MISSING", "path": ["customer"]}]
    text = '{ tasks(filter: {kind: {eq: "orderWaits"}}) { nodes { state about reason } } }'
    answer = await asking.response(text)
    [task] = answer["data"]["tasks"]["nodes"]
    assert (task["state"], task["about"]) == ("OPEN", made["order"]["id"])
    assert "PO-1" in task["reason"]


async def test_another_customers_things_are_not_there(asking: Caller) -> None:
    order = (await placed(asking, BOB))["order"]["id"]
    text = "query($id: ID!) { order(id: $id) { id } orders { totalCount } orderCancellations { totalCount } }"
    answers = [await asking.response(text, {"id": each}, ADA) for each in (order, "order-none")]
    assert answers[0] == answers[1]
    assert answers[0]["data"] == {"order": None, "orders": {"totalCount": 0}, "orderCancellations": {"totalCount": 0}}
    for number, each in enumerate((order, "order-none")):
        for text in (CANCEL, CHANGE):
            answer = await asking.response(text, {"id": each, "key": f"{number} {len(text)}", "priority": "1"}, ADA)
            [payload] = answer["data"].values()
            assert payload["userErrors"] == [{"code": "ORDER_NOT_FOUND", "path": ["orderId"]}]
    for number, service in enumerate(("service-b", "service-none")):
        item = {"id": "1", "action": "DELETE", "serviceId": service}
        made = await placed(asking, ADA, item, key=f"s{number}")
        assert made == {
            "order": None,
            "userErrors": [{"code": "SERVICE_NOT_FOUND", "path": ["items", "0", "serviceId"]}],
        }


async def test_an_order_is_changed_moved_and_cancelled(asking: Caller) -> None:
    order = (await placed(asking, ADA, line("1"), line("2")))["order"]["id"]
    answer = await asking.response(CHANGE, {"id": order, "key": "1", "priority": "2", "start": WHEN}, ADA)
    assert answer["data"]["changeOrder"]["order"] == {"priority": "2", "requestedStartAt": WHEN}
    answer = await asking.response(CHANGE, {"id": order, "key": "2", "priority": None}, ADA)
    assert answer["data"]["changeOrder"]["order"] == {"priority": None, "requestedStartAt": WHEN}, "null takes away"
    for item, state, then in (("1", "IN_PROGRESS", "IN_PROGRESS"), ("1", "COMPLETED", "IN_PROGRESS")):
        given = {"id": order, "item": item, "state": state, "key": f"{item}{state}"}
        moved = await asking.response(ADVANCE, given)
        assert moved["data"]["advanceOrder"]["order"]["state"] == then, moved
    wrong = await asking.response(ADVANCE, {"id": order, "item": "1", "state": "HELD", "key": "w"})
    [error] = wrong["data"]["advanceOrder"]["userErrors"]
    assert (error["code"], error["path"]) == ("ORDER_STATE", ["state"])
    answer = await asking.response(CANCEL, {"id": order, "key": "3"}, ADA)
    assert answer["data"]["cancelOrder"] == {
        "order": {"state": "ASSESSING_CANCELLATION", "cancellationReason": "too late"},
        "cancellation": {"state": "ACCEPTED", "reason": "too late", "order": {"id": order}},
        "userErrors": [],
    }
    answer = await asking.response(CANCEL, {"id": order, "key": "4"}, ADA)
    assert answer["data"]["cancelOrder"] == {
        "order": None,
        "cancellation": None,
        "userErrors": [{"code": "ORDER_STATE", "path": ["orderId"]}],
    }


@pytest.mark.parametrize(
    ("given", "field"),
    [
        pytest.param({"items": []}, "items", id="nothing"),
        pytest.param({"items": [line("1"), line("1")]}, "items", id="two items of one id"),
        pytest.param({"items": [line("1", relationships=[{"itemId": "1"}])]}, "items", id="a circle"),
        pytest.param({"start": "tomorrow"}, "", id="a time that is none"),
    ],
)
async def test_what_cannot_be_ordered_is_the_callers_mistake(asking: Caller, given: dict[str, Any], field: str) -> None:
    answer = await asking.response(PLACE, {"items": [line("1")], "key": "k", **given}, ADA)
    [error] = answer["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT", error
    if field:
        assert error["path"][:2] == ["placeOrder", field]


async def test_who_may_not_is_refused(asking: Caller, laid: Laid) -> None:
    order = (await placed(asking))["order"]["id"]
    analyst = Principal(subject="x", role=Role.ANALYST)
    for text, given in (
        (PLACE, {"items": [line("1")], "key": "x"}),
        (CHANGE, {"id": order, "key": "y", "priority": "1"}),
        (CANCEL, {"id": order, "key": "z"}),
    ):
        for who in (A, analyst):
            answer = await asking.response(text, given, who)
            assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    answer = await asking.response(ADVANCE, {"id": order, "state": "HELD", "key": "k"}, ADA)
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    without = Caller(subgraph=KnowledgeSubgraph(laid.store, KEY, AlarmPolicy()))
    assert (await placed(without, key="none"))["userErrors"] == [{"code": "NO_ORDERS", "path": ["items"]}]


EVENTS: Final = """subscription($filter: OrderEventFilter) { orderEvents(filter: $filter) {
  kind orderId state stateBefore reason order { id state } cancellation { state }
} }"""


async def test_each_hears_of_its_own_orders(asking: Caller, laid: Laid) -> None:
    async with (
        process(laid.store) as here,
        aclosing(await here.stream(EVENTS, A)) as to_ada,
        aclosing(await here.stream(EVENTS, B)) as to_bob,
        aclosing(await here.stream(EVENTS)) as to_all,
    ):
        for each in (to_ada, to_bob, to_all):
            await beat(each)
        order = (await placed(asking))["order"]["id"]
        await asking.response(ADVANCE, {"id": order, "state": "HELD", "key": "1"})
        await asking.response(CANCEL, {"id": order, "key": "2"}, ADA)
        heard = [each.answer["data"]["orderEvents"] for each in await taken(to_ada, 5)]
        assert [each.answer["data"]["orderEvents"] for each in await taken(to_all, 5)] == heard
        await nothing_more(to_bob, 0.3)
    assert [(each["kind"], each["stateBefore"], each["state"]) for each in heard] == [
        ("PLACED", None, "ACKNOWLEDGED"),
        ("STATE_CHANGED", "ACKNOWLEDGED", "HELD"),
        ("CANCELLATION_REQUESTED", None, "HELD"),
        ("STATE_CHANGED", "HELD", "CANCELLED"),
        ("CANCELLATION_DECIDED", None, "CANCELLED"),
    ]
    assert {each["orderId"] for each in heard} == {order}
    assert [each["cancellation"] for each in heard] == [None, None, {"state": "DONE"}, None, {"state": "DONE"}]
    assert heard[2]["reason"] == "too late"


async def test_a_filter_chooses_events_of_orders(asking: Caller, laid: Laid) -> None:
    text = "subscription { orderEvents(filter: {state: {eq: HELD}, kind: {in: [STATE_CHANGED]}}) { orderId kind } }"
    async with process(laid.store) as here, aclosing(await here.stream(text)) as stream:
        await beat(stream)
        first, second = (await placed(asking))["order"]["id"], (await placed(asking, BOB))["order"]["id"]
        for order, state in ((first, "IN_PROGRESS"), (second, "HELD")):
            await asking.response(ADVANCE, {"id": order, "state": state, "key": state})
        [heard] = await taken(stream, 1)
        assert heard.answer["data"]["orderEvents"] == {"orderId": second, "kind": "STATE_CHANGED"}
        await nothing_more(stream, 0.3)
