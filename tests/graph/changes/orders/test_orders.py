"""Orders in the store: placed once, for the right customer, moved by people, cancelled, and never half written."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import orjson
import pytest

from graph.changes.bandwidth.policy import BandwidthPolicy
from graph.changes.orders.cancelling import Cancellation, cancel_order
from graph.changes.orders.changing import OrderChange, change_order
from graph.changes.orders.moving import Advance, Move, advance_order
from graph.changes.orders.placing import place_order
from graph.changes.orders.requests import ItemRequest, OrderRequest, Party, Relation
from graph.changes.outcome import Outcome
from graph.changes.policy import AlarmPolicy, Ordering
from graph.changes.tasks import Settling, cancel_task, retry_task, skip_task
from graph.errors import Refused
from graph.model.identity import external_key
from graph.model.scope import CLAIMABLE, Principal, Role
from graph.store.store import Store
from tests.graph.changes.network import Laid, lay, soon

OPERATOR: Final = Principal(subject="9:issuer-a:ann", role=Role.OPERATOR)
CRM: Final = Principal(subject="9:issuer-a:crm", role=Role.SYSTEM, system="crm", sources=("crm",))
ADA: Final = Principal(subject="9:issuer-a:ada", role=Role.CUSTOMER, customers=("customer-a",), changes=CLAIMABLE)
BOB: Final = Principal(subject="9:issuer-a:bob", role=Role.CUSTOMER, customers=("customer-b",), changes=CLAIMABLE)
POLICY: Final = AlarmPolicy(ordering=Ordering(systems=frozenset({"crm", "shop"}), most_items=5))
LINE: Final = ItemRequest(id="1", product="Line", request={"id": "1", "action": "add"})
NEW: Final = Party(id="4711", name="New Ltd", segment="retail", account="ACC-7")


@pytest.fixture
async def laid(empty_store: Store) -> Laid:
    await lay(empty_store)
    laid = Laid(store=empty_store)
    await laid.run("MATCH (s:Service) SET s.state = 'active'")
    return laid


def request(*items: ItemRequest, external: str = "PO-1", party: Party | None = NEW, **more: Any) -> OrderRequest:
    return OrderRequest(kind="product", items=items or (LINE,), external_id=external, party=party, **more)


async def placed(
    laid: Laid, asked: OrderRequest, principal: Principal = CRM, *, key: str | None = None, policy: AlarmPolicy = POLICY
) -> Outcome:
    return await place_order(laid.store, principal, policy, asked, idempotency_key=key, deadline=soon())


async def advanced(laid: Laid, order: str, *moves: tuple[str, str], key: str = "", reason: str = "") -> Outcome:
    made = tuple(Move(item=item, to=to) for item, to in moves)
    advance = Advance(order=order, moves=made, reason=reason)
    return await advance_order(laid.store, OPERATOR, advance, idempotency_key=key or repr(moves), deadline=soon())


async def cancelled(laid: Laid, order: str, principal: Principal = CRM, *, key: str = "cancel") -> Outcome:
    asked = Cancellation(order=order, reason="too late", requested_for=5)
    return await cancel_order(laid.store, principal, POLICY, asked, idempotency_key=key, deadline=soon())


async def states(laid: Laid, order: str) -> tuple[str, list[str]]:
    text = (
        "MATCH (o:Order {id: $id}) RETURN o.state, "
        "COLLECT { MATCH (o)-[:HAS_ITEM]->(i) RETURN i.state ORDER BY i.position }"
    )
    [[state, items]] = await laid.rows(text, id=order)
    return state, items


async def tasks(laid: Laid, order: str) -> list[tuple[str, str]]:
    text = "MATCH (t:Task {about: $id}) RETURN t.kind, t.state ORDER BY t.openedAt, t.kind"
    return [(kind, state) for kind, state in await laid.rows(text, id=order)]


async def told(laid: Laid) -> list[tuple[str, dict[str, Any]]]:
    """Give the events of orders, in the order in which they happened to each."""
    text = "MATCH (e:Event) WHERE e.type STARTS WITH 'Order' RETURN e.type, e.payload ORDER BY e.aggregateId, e.aggregateVersion"
    return [(kind, orjson.loads(payload)) for kind, payload in await laid.rows(text)]


async def count(laid: Laid) -> dict[str, int]:
    text = (
        "RETURN COUNT { MATCH (n:Order) }, COUNT { MATCH (n:OrderItem) }, COUNT { MATCH (n:Customer) }, "
        "COUNT { MATCH (n:Task) }, COUNT { MATCH (n:Event) }"
    )
    [row] = await laid.rows(text)
    return dict(zip(("orders", "items", "customers", "tasks", "events"), row, strict=True))


def codes(outcome: Outcome) -> list[tuple[str, tuple[str, ...]]]:
    return [(each.code, each.path) for each in outcome.user_errors]


async def test_an_order_of_somebody_new_makes_the_customer_and_waits_for_people(laid: Laid) -> None:
    items = (LINE, ItemRequest(id="2", offering="Gold", quantity=2, relations=(Relation(to="1", kind="reliesOn"),)))
    asked = request(*items, description="Two lines", category="B2B", priority="1", request={"note": [{"text": "soon"}]})
    order = (await placed(laid, asked)).ids["order"]
    text = (
        "MATCH (o:Order {id: $id})-[:PLACED_BY]->(c:Customer) RETURN o.externalId, o.system, o.kind, o.description, o.category, o.priority, "
        "o.request, o.orderedAt > 0, c.name, c.segment, c.accountRef, c.status"
    )
    [row] = await laid.rows(text, id=order)
    assert row == [
        *("PO-1", "crm", "product", "Two lines", "B2B", "1", '{"note":[{"text":"soon"}]}', True),
        *("New Ltd", "retail", "ACC-7", "new"),
    ]
    text = (
        "MATCH (:Order {id: $id})-[:HAS_ITEM]->(i) RETURN i.externalId, i.action, i.product, i.offering, i.quantity, i.request, "
        "COLLECT { MATCH (i)-[r:RELATES_TO]->(o) RETURN [r.relationshipType, o.externalId] } ORDER BY i.position"
    )
    assert await laid.rows(text, id=order) == [
        ["1", "add", "Line", None, None, '{"action":"add","id":"1"}', []],
        ["2", "add", None, "Gold", 2, None, [["reliesOn", "1"]]],
    ]
    assert await states(laid, order) == ("acknowledged", ["acknowledged", "acknowledged"])
    assert await tasks(laid, order) == [("orderWaits", "OPEN")]
    [(kind, payload)] = await told(laid)
    assert (kind, payload["order"], payload["newCustomer"]) == ("OrderPlaced", order, True)
    [[of, version, _, customers]] = [list(each) for each in await laid.events("Order")]
    assert (of, version, customers) == (order, 1, [payload["customer"]])


async def test_the_same_again_is_the_same_order_and_another_content_is_refused(laid: Laid) -> None:
    first = await placed(laid, request())
    before = await count(laid)
    assert await placed(laid, request()) == first
    assert await placed(laid, request(), key="k") == first
    await advanced(laid, first.ids["order"], ("", "inProgress"))
    assert await placed(laid, request()) == first, "whatever has become of it"
    assert codes(await placed(laid, request(priority="2"))) == [("ORDER_EXISTS", ("externalId",))]
    after = await count(laid)
    assert {**after, "events": before["events"]} == before
    shop = Principal(subject="9:issuer-a:shop", role=Role.SYSTEM, system="shop")
    other = await placed(laid, request(), shop)
    assert other.ids != first.ids, "an external id is its source's"
    service = OrderRequest(kind="service", items=(LINE,), external_id="PO-1", party=NEW)
    assert (await placed(laid, service)).ids not in (first.ids, other.ids), "and its API's"


async def test_an_order_that_was_loaded_has_its_external_id(laid: Laid) -> None:
    await laid.run("CREATE (:Order {id: 'order-old', externalId: 'PO-1', system: 'crm', state: 'completed'})")
    assert codes(await placed(laid, request())) == [("ORDER_EXISTS", ("externalId",))]


async def test_many_at_once_make_one_order_and_one_customer(laid: Laid) -> None:
    made = await asyncio.gather(*(placed(laid, request()) for _ in range(8)))
    assert len({each.ids["order"] for each in made}) == 1
    others = await asyncio.gather(*(placed(laid, request(external=f"PO-{n}")) for n in range(2, 8)))
    assert len({each.ids["order"] for each in others}) == 6
    assert await count(laid) | {"events": 0} == {"orders": 7, "items": 7, "customers": 3, "tasks": 7, "events": 0}


async def owner(laid: Laid, outcome: Outcome) -> str:
    [[customer]] = await laid.rows("MATCH (:Order {id: $id})-[:PLACED_BY]->(c) RETURN c.id", id=outcome.ids["order"])
    return str(customer)


async def test_a_customer_is_found_by_our_id_by_a_name_and_by_what_it_was_made_of(laid: Laid) -> None:
    assert await owner(laid, await placed(laid, request(party=Party(id="customer-a")))) == "customer-a"
    made = await owner(laid, await placed(laid, request(external="PO-2")))
    assert await owner(laid, await placed(laid, request(external="PO-3"))) == made
    key = external_key("crm", "4711")
    await laid.run(
        "MATCH (c:Customer {id: 'customer-b'}) "
        "CREATE (:ExternalName {id: 'externalname-9', key: $key, system: 'crm', name: '4711'})-[:NAMES]->(c)",
        key=key,
    )
    assert await owner(laid, await placed(laid, request(external="PO-4"))) == "customer-b", "a name counts before"


async def test_the_same_company_under_another_systems_name_is_another_customer(laid: Laid) -> None:
    shop = Principal(subject="9:issuer-a:shop", role=Role.SYSTEM, system="shop")
    first, second = await placed(laid, request()), await placed(laid, request(), shop)
    assert await owner(laid, first) != await owner(laid, second)
    names = await laid.rows("MATCH (c:Customer {name: 'New Ltd'}) RETURN c.name")
    assert names == [["New Ltd"], ["New Ltd"]]


UNKNOWN = "customer-0190a5b0-0000-7000-8000-000000000000"


@pytest.mark.parametrize(
    ("principal", "party", "code"),
    [
        pytest.param(CRM, None, "CUSTOMER_MISSING", id="nobody"),
        pytest.param(CRM, Party(), "CUSTOMER_MISSING", id="a party that says nothing"),
        pytest.param(CRM, Party(id=UNKNOWN, name="x"), "CUSTOMER_NOT_FOUND", id="an id of ours that is none"),
        pytest.param(CRM, Party(id="9", is_reference=True), "CUSTOMER_NOT_FOUND", id="a customer that nobody knows"),
        pytest.param(ADA, Party(id="customer-b"), "CUSTOMER_NOT_FOUND", id="another customer"),
        pytest.param(ADA, Party(id="nobody", name="x"), "CUSTOMER_NOT_FOUND", id="somebody new, by a customer"),
        pytest.param(ADA, Party(name="x"), "", id="a customer without its id"),
    ],
)
async def test_whose_order_it_is_must_be_certain(
    laid: Laid, principal: Principal, party: Party | None, code: str
) -> None:
    before = await count(laid)
    outcome = await placed(laid, request(party=party), principal)
    if not code:
        assert await owner(laid, outcome) == "customer-a", "it orders for itself"
        return
    assert [each for each, _ in codes(outcome)] == [code]
    assert codes(outcome)[0][1][0] == "customer"
    assert await count(laid) == before


async def test_a_customer_orders_for_itself_and_learns_nothing_of_others(laid: Laid) -> None:
    assert await owner(laid, await placed(laid, request(party=None), ADA)) == "customer-a"
    assert await owner(laid, await placed(laid, request(party=None), BOB)) == "customer-b"
    both = Principal(subject="x", role=Role.CUSTOMER, customers=("customer-a", "customer-b"), changes=CLAIMABLE)
    assert codes(await placed(laid, request(party=None, external="PO-9"), both)) == [
        ("CUSTOMER_MISSING", ("customer",))
    ]
    item = ItemRequest(id="1", action="modify", service="service-b")
    gone = ItemRequest(id="1", action="modify", service="service-none")
    answers = [await placed(laid, request(each, party=None, external=""), ADA) for each in (item, gone)]
    assert answers[0] == answers[1]
    assert codes(answers[0]) == [("SERVICE_NOT_FOUND", ("items", "0", "serviceId"))]


async def test_an_item_names_a_service_of_its_customer(laid: Laid) -> None:
    key = external_key("crm", "L-1")
    await laid.run(
        "MATCH (s:Service {id: 'service-a'}) "
        "CREATE (:ExternalName {id: 'externalname-9', key: $key, system: 'crm', name: 'L-1'})-[:NAMES]->(s)",
        key=key,
    )
    items = (
        LINE,
        ItemRequest(id="2", action="delete", service="L-1"),
        ItemRequest(id="3", action="noChange", service="service-a"),
    )
    order = (await placed(laid, request(*items, party=Party(id="customer-a")))).ids["order"]
    text = "MATCH (:Order {id: $id})-[:HAS_ITEM]->(i)-[:PROVISIONS]->(s) RETURN i.externalId, s.id ORDER BY i.position"
    assert await laid.rows(text, id=order) == [["2", "service-a"], ["3", "service-a"]]
    assert await states(laid, order) == ("acknowledged", ["acknowledged", "acknowledged", "completed"])
    await laid.run("MATCH (s:Service {id: 'service-a'}) SET s.state = 'terminated'")
    again = request(items[1], external="PO-2", party=Party(id="customer-a"))
    assert codes(await placed(laid, again)) == [("SERVICE_TERMINATED", ("items", "0", "serviceId"))]


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        pytest.param({"requested_start": 1}, ("DATE_IN_THE_PAST", ("requestedStartAt",)), id="to begin in the past"),
        pytest.param(
            {"requested_completion": 1}, ("DATE_IN_THE_PAST", ("requestedCompletionAt",)), id="done in the past"
        ),
    ],
)
async def test_what_is_wanted_for_a_time_that_is_over_is_refused(
    laid: Laid, more: dict[str, Any], problem: tuple[str, tuple[str, ...]]
) -> None:
    before = await count(laid)
    assert codes(await placed(laid, request(**more))) == [problem]
    assert await count(laid) == before, "also the customer is not made"


async def test_an_order_has_so_many_items_and_those_within_others_count(laid: Laid) -> None:
    many = [ItemRequest(id=str(number)) for number in range(6)]
    assert codes(await placed(laid, request(*many))) == [("TOO_MANY_ITEMS", ("items",))]
    assert codes(await placed(laid, request(ItemRequest(id="1", size=6)))) == [("TOO_MANY_ITEMS", ("items",))]
    assert (await placed(laid, request(*many[:5]))).ids


async def test_who_may_not_is_refused(laid: Laid) -> None:
    for who in (
        Principal(subject="x", role=Role.ANALYST),
        Principal(subject="x", role=Role.SYSTEM, system="nms"),
        Principal(subject="x", role=Role.CUSTOMER, customers=("customer-a",)),
        Principal(subject="x", role=Role.ROUTER),
    ):
        with pytest.raises(Refused) as refused:
            await placed(laid, request(), who)
        assert refused.value.code == "FORBIDDEN"
    assert codes(await placed(laid, request(), OPERATOR, policy=AlarmPolicy())) == [("NO_ORDERS", ("items",))]
    advance = Advance(order="order-1", moves=(Move(to="held"),))
    with pytest.raises(Refused):
        await advance_order(laid.store, CRM, advance, idempotency_key="k", deadline=soon())


async def test_people_carry_an_order_out(laid: Laid) -> None:
    order = (await placed(laid, request(LINE, ItemRequest(id="2")))).ids["order"]
    steps: list[tuple[tuple[str, str], str]] = [
        (("1", "inProgress"), "inProgress"),
        (("2", "held"), "held"),
        (("1", "completed"), "held"),
        (("2", "inProgress"), "inProgress"),
        (("", "failed"), "partial"),
    ]
    for move, then in steps:
        assert (await advanced(laid, order, move)).user_errors == ()
        assert (await states(laid, order))[0] == then
    assert await states(laid, order) == ("partial", ["completed", "failed"])
    assert await tasks(laid, order) == [("orderWaits", "DONE")]
    events = await told(laid)
    assert [(kind, each["stateBefore"], each["state"]) for kind, each in events] == [
        ("OrderPlaced", None, "acknowledged"),
        ("OrderStateChanged", "acknowledged", "inProgress"),
        ("OrderStateChanged", "inProgress", "held"),
        ("OrderStateChanged", "held", "held"),
        ("OrderStateChanged", "held", "inProgress"),
        ("OrderStateChanged", "inProgress", "partial"),
    ]
    assert events[3][1]["items"] == {"1": "completed"}
    text = "MATCH (o:Order {id: $id}) RETURN o.startedAt >= o.orderedAt, o.completedAt >= o.startedAt, o._version"
    assert await laid.rows(text, id=order) == [[True, True, 6]]


async def test_what_may_not_follow_is_refused_and_says_what_may(laid: Laid) -> None:
    order = (await placed(laid, request(LINE, ItemRequest(id="2")))).ids["order"]
    before = await count(laid)
    outcome = await advanced(laid, order, ("1", "inProgress"), ("", "completed"))
    assert codes(outcome) == [("ORDER_STATE", ("state",))], "the other item was not begun: nothing is moved"
    assert "rejected" in outcome.user_errors[0].message
    assert codes(await advanced(laid, order, ("7", "held"))) == [("ITEM_NOT_FOUND", ("itemId",))]
    assert codes(await advanced(laid, "order-none", ("", "held"))) == [("ORDER_NOT_FOUND", ("orderId",))]
    assert await states(laid, order) == ("acknowledged", ["acknowledged", "acknowledged"])
    await advanced(laid, order, ("", "acknowledged"))
    assert await count(laid) == before, "what is so already is no change"


async def test_an_order_that_nobody_has_begun_is_cancelled_at_once(laid: Laid) -> None:
    order = (await placed(laid, request())).ids["order"]
    outcome = await cancelled(laid, order)
    assert await states(laid, order) == ("cancelled", ["cancelled"])
    assert await tasks(laid, order) == [("orderWaits", "DONE")]
    text = "MATCH (x:OrderCancellation {id: $id})-[:CANCELS]->(o) RETURN x.state, x.reason, x.requestedFor, x.effectiveAt >= x.askedAt, o.id, o.cancellationReason"
    rows = await laid.rows(text, id=outcome.ids["cancellation"])
    assert rows == [["done", "too late", 5, True, order, "too late"]]
    assert [kind for kind, _ in await told(laid)] == [
        "OrderPlaced",
        "OrderCancellationRequested",
        "OrderStateChanged",
        "OrderCancellationDecided",
    ]
    assert await cancelled(laid, order) == outcome, "asked for again"
    assert codes(await cancelled(laid, order, key="other")) == [("ORDER_STATE", ("orderId",))]


@pytest.mark.parametrize(
    ("answer", "then", "of_request"),
    [
        pytest.param(["inProgress"], "inProgress", "terminatedWithError", id="it goes on"),
        pytest.param(["pendingCancellation"], "pendingCancellation", "inProgress", id="it is being undone"),
        pytest.param(["pendingCancellation", "cancelled"], "cancelled", "done", id="it is cancelled"),
    ],
)
async def test_of_an_order_that_was_begun_a_person_decides(
    laid: Laid, answer: Sequence[str], then: str, of_request: str
) -> None:
    order = (await placed(laid, request())).ids["order"]
    await advanced(laid, order, ("", "inProgress"))
    outcome = await cancelled(laid, order)
    assert await states(laid, order) == ("assessingCancellation", ["assessingCancellation"])
    assert sorted(await tasks(laid, order)) == [("orderCancellation", "OPEN"), ("orderWaits", "OPEN")]
    assert codes(await cancelled(laid, order, key="other")) == [("ORDER_STATE", ("orderId",))]
    for number, each in enumerate(answer):
        assert (await advanced(laid, order, ("", each), key=f"answer {number}")).user_errors == ()
    assert (await states(laid, order))[0] == then
    [[state]] = await laid.rows("MATCH (x:OrderCancellation {id: $id}) RETURN x.state", id=outcome.ids["cancellation"])
    assert state == of_request
    waits = "DONE" if then == "cancelled" else "OPEN"
    assert sorted(await tasks(laid, order)) == [("orderCancellation", "DONE"), ("orderWaits", waits)]


async def test_an_order_that_was_held_after_it_was_begun_is_assessed(laid: Laid) -> None:
    order = (await placed(laid, request())).ids["order"]
    await advanced(laid, order, ("", "inProgress"), ("", "held"))
    await cancelled(laid, order)
    assert (await states(laid, order))[0] == "assessingCancellation"


async def changed(laid: Laid, order: str, principal: Principal = CRM, *, key: str = "c", **values: Any) -> Outcome:
    change = OrderChange(order=order, values=values)
    return await change_order(laid.store, principal, POLICY, change, idempotency_key=key, deadline=soon())


async def test_what_an_order_asks_for_is_changed_while_nobody_works_on_it(laid: Laid) -> None:
    order = (await placed(laid, request(priority="1", description="first"))).ids["order"]
    assert (await changed(laid, order, priority="2", description=None)).user_errors == ()
    text = "MATCH (o:Order {id: $id}) RETURN o.priority, o.description, o._version"
    assert await laid.rows(text, id=order) == [["2", None, 2]]
    await changed(laid, order, key="again", priority="2")
    assert await laid.rows(text, id=order) == [["2", None, 2]], "no change, no event"
    assert (await told(laid))[-1][1]["changed"] == {"priority": "2", "description": None}
    assert codes(await changed(laid, order, key="past", requestedStartAt=1)) == [
        ("DATE_IN_THE_PAST", ("requestedStartAt",))
    ]
    await advanced(laid, order, ("", "inProgress"))
    assert codes(await changed(laid, order, key="late", priority="3")) == [("ORDER_STATE", ("orderId",))]
    with pytest.raises(Refused):
        await changed(laid, order, key="theirs", expectedCompletionAt=2)
    when = 4_000_000_000_000
    assert (await changed(laid, order, OPERATOR, key="ours", expectedCompletionAt=when)).user_errors == ()
    await advanced(laid, order, ("", "completed"))
    over = await changed(laid, order, OPERATOR, key="over", expectedCompletionAt=when + 1)
    assert codes(over) == [("ORDER_STATE", ("orderId",))]


async def test_an_order_of_somebody_else_is_one_that_is_not_there(laid: Laid) -> None:
    order = (await placed(laid, request(party=Party(id="customer-a")))).ids["order"]
    shop = Principal(subject="9:issuer-a:shop", role=Role.SYSTEM, system="shop")
    for number, who in enumerate((BOB, shop)):
        for each in (order, "order-none"):
            for found in (
                await cancelled(laid, each, who, key=f"x{number}{each}"),
                await changed(laid, each, who, key=f"y{number}{each}", priority="9"),
            ):
                assert codes(found) == [("ORDER_NOT_FOUND", ("orderId",))]
    assert (await cancelled(laid, order, ADA)).user_errors == ()


async def test_a_task_of_an_order_ends_with_the_order_only(laid: Laid) -> None:
    order = (await placed(laid, request())).ids["order"]
    [[task]] = await laid.rows("MATCH (t:Task {about: $id}) RETURN t.id", id=order)
    policy = BandwidthPolicy()
    for number, outcome in enumerate(
        (
            await retry_task(laid.store, OPERATOR, policy, task, idempotency_key="1", deadline=soon()),
            await skip_task(
                laid.store, OPERATOR, policy, Settling(task=task, reason="r"), idempotency_key="2", deadline=soon()
            ),
            await cancel_task(
                laid.store, OPERATOR, policy, Settling(task=task, reason="r"), idempotency_key="3", deadline=soon()
            ),
        )
    ):
        assert [each.code for each in outcome.user_errors] == ["TASK_OF_ORDER"], number
    assert await tasks(laid, order) == [("orderWaits", "OPEN")]
    await advanced(laid, order, ("", "rejected"))
    assert await tasks(laid, order) == [("orderWaits", "DONE")]


async def test_two_who_move_one_order_at_once_make_one_history(laid: Laid) -> None:
    order = (await placed(laid, request(*(ItemRequest(id=str(n)) for n in range(5))))).ids["order"]
    await asyncio.gather(*(advanced(laid, order, (str(n), "inProgress"), key=f"a{n}") for n in range(5)))
    await asyncio.gather(*(advanced(laid, order, (str(n), "completed"), key=f"b{n}") for n in range(5)))
    assert await states(laid, order) == ("completed", ["completed"] * 5)
    versions = [version for _, version, _, _ in await laid.events("Order")]
    assert versions == list(range(1, 12))


async def test_two_companies_of_one_name_are_two_customers(laid: Laid) -> None:
    first = await owner(laid, await placed(laid, request(party=Party(name="Ada Ltd"))))
    second = await owner(laid, await placed(laid, request(external="PO-2", party=Party(name="Ada Ltd"))))
    assert first != second


async def test_an_order_of_the_other_kind_is_not_there(laid: Laid) -> None:
    order = (await placed(laid, request())).ids["order"]
    asked = Cancellation(order=order, kind="service")
    outcome = await cancel_order(laid.store, CRM, POLICY, asked, idempotency_key="k", deadline=soon())
    assert codes(outcome) == [("ORDER_NOT_FOUND", ("orderId",))]
    assert (await states(laid, order))[0] == "acknowledged"


async def test_a_request_to_cancel_is_judged_by_the_items_that_were_open(laid: Laid) -> None:
    order = (await placed(laid, request(LINE, ItemRequest(id="2")))).ids["order"]
    await advanced(laid, order, ("1", "cancelled"), ("2", "inProgress"))
    outcome = await cancelled(laid, order)
    await advanced(laid, order, ("2", "inProgress"), key="it goes on")
    text = "MATCH (x:OrderCancellation {id: $id}) RETURN x.state, x.effectiveAt"
    assert await laid.rows(text, id=outcome.ids["cancellation"]) == [["terminatedWithError", None]]


async def test_an_order_of_which_an_item_is_rejected_can_still_be_changed_and_cancelled_at_once(laid: Laid) -> None:
    order = (await placed(laid, request(LINE, ItemRequest(id="2")))).ids["order"]
    await advanced(laid, order, ("1", "rejected"))
    assert (await states(laid, order))[0] == "acknowledged"
    assert (await changed(laid, order, priority="2")).user_errors == ()
    await cancelled(laid, order)
    assert await states(laid, order) == ("cancelled", ["rejected", "cancelled"])


async def test_an_external_id_of_a_customer_is_its_own_whoever_else_the_token_names(laid: Laid) -> None:
    both = Principal(subject="x", role=Role.CUSTOMER, customers=("customer-a", "customer-b"), changes=CLAIMABLE)
    made = [await placed(laid, request(party=Party(id=each)), both) for each in both.customers]
    assert [await owner(laid, each) for each in made] == ["customer-a", "customer-b"]
    assert await placed(laid, request(party=Party(id="customer-a")), ADA) == made[0], "by another token too"
