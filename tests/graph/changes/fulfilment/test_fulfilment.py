"""An order for a new service on a real store: reserved, made in the network, in use; or failed, cancelled, and nothing held."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from graph.changes import feasibility
from graph.changes.alarms.alarms import raise_alarm
from graph.changes.bandwidth.boosts import hold_things
from graph.changes.customers.merging import Merging, merge_customers, undo_merge_customers
from graph.changes.fulfilment import reserving
from graph.changes.fulfilment.works import works_of
from graph.changes.orders.placing import place_order
from graph.changes.orders.requests import ItemRequest, OrderRequest, Party, Relation
from graph.changes.policy import AlarmPolicy, Ordering
from graph.changes.tasks import Settling, cancel_task, retry_task, skip_task
from graph.ledger.outcomes import Dead, settle
from graph.ledger.timers import NEVER, ring
from graph.model.identity import external_key
from graph.routing.budget import Budget
from graph.store.store import Store, Transaction
from tests.graph.changes.fulfilment.orders import A_TO_Z, ADA, CRM, OPERATOR, Ordered, laid_out, relying
from tests.graph.changes.fulfilment.orders import BASIC_LINE as BASIC
from tests.graph.changes.network import SYSTEM, report, soon
from tests.selection import is_full

BOTH_WAYS = [
    ["WORKING", "trunk-ab"],
    ["WORKING", "trunk-bz"],
    ["PROTECTING", "trunk-ac"],
    ["PROTECTING", "trunk-cz"],
]


@pytest.fixture
async def ordered(empty_store: Store) -> Ordered:
    return await laid_out(empty_store)


async def test_an_order_becomes_a_service_in_use(ordered: Ordered) -> None:
    order = await ordered.place()
    assert await ordered.tasks() == [], "nobody has to do anything"
    await ordered.tick()
    assert await ordered.states(order) == ("inProgress", {"1": ("inProgress", None)})
    [reserved] = await ordered.services()
    assert (reserved["state"], reserved["mbps"], reserved["effective"], reserved["most"]) == ("reserved", 500, 0, 800)
    assert reserved["customers"] == [], "it is nobody's yet"
    assert reserved["ports"] == [["A", "port-a-0"], ["Z", "port-z-0"]]
    assert reserved["trunks"] == BOTH_WAYS
    [asked] = await ordered.claimed()
    assert (asked.payload["doing"], asked.payload["mbps"], asked.payload["specification"]) == ("create", 500, "E-Line")
    assert [each["id"] for each in asked.payload["ends"]] == ["port-a-0", "port-z-0"]
    await ordered.settle(asked)
    assert await ordered.states(order) == ("completed", {"1": ("completed", None)})
    [active] = await ordered.services()
    assert (active["state"], active["effective"], active["customers"]) == ("active", 500, ["customer-a"])
    assert active["contracts"] == [["PREMIUM", 99.9, 4]]
    assert await ordered.events(order) == ["OrderPlaced", "OrderStateChanged", "OrderStateChanged"]
    assert await ordered.events(active["id"]) == [
        "ServiceActivationRequested",
        "ServiceActivated",
        "ServiceThresholdSet",
        "UsageRecorded",
    ]
    assert await ordered.steps(order) == {
        "START reserve TRUNKLINE": "DONE",
        "START activate NETWORK": "DONE",
        "START correlate TRUNKLINE": "DONE",
        "START tell BILLING": "PENDING",
        "START tell PERFORMANCE": "PENDING",
        "START tell INVENTORY": "PENDING",
        "START tell FAULT_MANAGEMENT": "PENDING",
    }


async def test_other_systems_are_told_once_it_is_in_use(ordered: Ordered) -> None:
    await ordered.place()
    await ordered.tick()
    for system in ("pm", "inventory", "umbrella", "billing"):
        assert await ordered.claimed(system) == [], "nobody hears of what is only reserved"
    await ordered.answer()
    [job] = await ordered.claimed("pm")
    assert (job.payload["telling"], job.payload["mbps"], job.payload["tier"]) == ("rate", 500, "PREMIUM")
    [new] = await ordered.claimed("inventory")
    assert (new.payload["telling"], new.payload["customer"]["id"]) == ("service", "customer-a")
    [bill] = await ordered.claimed("billing")
    assert (bill.payload["kind"], bill.payload["mbps"], bill.payload["customer"]["id"]) == (
        "activation",
        500,
        "customer-a",
    )
    [state] = await ordered.claimed("umbrella")
    assert (state.payload["kind"], state.payload["values"]["state"]) == ("ServiceStateChanged", "active")


async def test_a_product_that_is_in_no_catalogue_waits_for_people(ordered: Ordered) -> None:
    mixed = await ordered.place(A_TO_Z, ItemRequest(id="2", product="Dark fibre"))
    assert await ordered.tasks() == [["orderWaits", "OPEN"]]
    await ordered.tick()
    await ordered.answer()
    assert (await ordered.states(mixed))[1] == {"1": ("completed", None), "2": ("acknowledged", None)}
    assert (await ordered.advance(mixed, "inProgress", "2")).user_errors == ()
    assert (await ordered.advance(mixed, "completed", "2")).user_errors == ()
    assert (await ordered.states(mixed))[0] == "completed"
    assert await ordered.tasks() == [["orderWaits", "DONE"]]


@pytest.mark.parametrize(
    ("item", "word", "said"),
    [
        pytest.param({"site_z": "site-q"}, "PORT", "There is no such site at end Z", id="a site that is not there"),
        pytest.param({"site_a": ""}, "REQUEST", "does not name one site for end A", id="no site"),
        pytest.param({"site_a": "site-z"}, "REQUEST", "Both ends are at one site", id="one site"),
        pytest.param({"site_a": "site-q", "site_z": "site-q"}, "REQUEST", "Both ends", id="one that is not there"),
        pytest.param({"mbps": 5_000}, "REQUEST", "Line has 100 to 1000 Mbit/s, and not 5000", id="too much"),
        pytest.param({"mbps": None}, "REQUEST", "says no rate", id="no rate"),
    ],
)
async def test_what_cannot_be_ordered_fails_and_says_why(
    ordered: Ordered, item: dict[str, object], word: str, said: str
) -> None:
    given = {"id": "1", "product": "Line", "site_a": "site-a", "site_z": "site-z", "mbps": 500, **item}
    order = await ordered.place(ItemRequest(**given))  # type: ignore[arg-type]  # as the table says
    await ordered.tick()
    assert await ordered.states(order) == ("failed", {"1": ("failed", word)})
    assert said in await ordered.detail(order)
    assert await ordered.services() == []
    assert await ordered.steps(order) == {"START reserve TRUNKLINE": "REFUSED"}


async def test_full_trunks_and_full_sites_are_told_apart(ordered: Ordered) -> None:
    first = await ordered.place()
    await ordered.tick()
    await ordered.answer()
    second = await ordered.place(A_TO_Z)  # 500 more on both ways: they carry 1,000
    third = await ordered.place(A_TO_Z)
    await ordered.tick()
    assert [(await ordered.states(each))[0] for each in (first, second, third)] == ["completed", "inProgress", "failed"]
    assert (await ordered.states(third))[1] == {"1": ("failed", "NETWORK")}
    assert "Mbit/s are missing" in await ordered.detail(third)
    await ordered.run("MATCH (p:Port) WHERE p.id STARTS WITH 'port-a-' SET p.administrativeState = 'locked'")
    fourth = await ordered.place(BASIC)
    await ordered.tick()
    assert (await ordered.states(fourth))[1] == {"1": ("failed", "PORT")}


async def test_a_site_is_found_by_the_name_of_whoever_orders(ordered: Ordered) -> None:
    await ordered.run(
        "MATCH (s:Site {id: 'site-z'}) CREATE (:ExternalName {id: 'externalname-1', key: $key, system: 'crm', name: 'POP 7'})-[:NAMES]->(s)",
        key=external_key("crm", "POP 7"),
    )
    order = await ordered.place(ItemRequest(id="1", offering="Basic", site_a="site-a", site_z="POP 7"))
    await ordered.tick()
    await ordered.answer()
    assert (await ordered.states(order))[0] == "completed"
    same = await ordered.place(ItemRequest(id="1", offering="Basic", site_a="site-z", site_z="POP 7"))
    await ordered.tick()
    assert (await ordered.states(same))[1] == {"1": ("failed", "PORT")}, "that two names mean one site is not told"


async def test_nothing_begins_before_it_is_wanted(ordered: Ordered) -> None:
    [[now]] = await ordered.rows("RETURN datetime.realtime().epochMillis")
    order = await ordered.place(requested_start=now + 3_600_000)
    await ordered.tick()
    assert await ordered.services() == []
    await ordered.run("MATCH (o:Order {id: $id}) SET o.requestedStartAt = o.orderedAt", id=order)
    await ordered.run("MATCH (t:Timer {kind: 'fulfilment'}) SET t.dueAt = 1")
    await ordered.tick()
    assert (await ordered.states(order))[0] == "inProgress"


async def test_an_item_waits_for_those_that_it_relies_on(ordered: Ordered) -> None:
    order = await ordered.place(
        relying("1", "2"), ItemRequest(id="2", product="Basic", site_a="site-a", site_z="site-z")
    )
    await ordered.tick()
    assert (await ordered.states(order))[1] == {"1": ("acknowledged", None), "2": ("inProgress", None)}
    await ordered.answer()
    await ordered.tick()
    assert (await ordered.states(order))[1] == {"1": ("inProgress", None), "2": ("completed", None)}
    await ordered.answer(refuse="no")
    assert (await ordered.states(order))[0] == "partial"


async def test_an_item_fails_with_one_that_it_relies_on(ordered: Ordered) -> None:
    order = await ordered.place(
        relying("1", "2"), ItemRequest(id="2", product="Basic", site_a="site-a", site_z="site-q")
    )
    await ordered.tick()
    assert await ordered.states(order) == ("failed", {"1": ("failed", "ITEM"), "2": ("failed", "PORT")})


async def test_what_the_network_refuses_holds_nothing(ordered: Ordered) -> None:
    order = await ordered.place()
    await ordered.tick()
    assert await ordered.answer(refuse="the port is not there") == ["create"]
    assert await ordered.states(order) == ("failed", {"1": ("failed", "PROVISIONING")})
    assert await ordered.detail(order) == "the port is not there"
    assert await ordered.services() == []
    assert await ordered.rows("MATCH (l:Sla) RETURN l.id") == []
    steps = await ordered.steps(order)
    assert (steps["START activate NETWORK"], steps["START correlate TRUNKLINE"]) == ("REFUSED", "SKIPPED")
    again = await ordered.place()
    await ordered.tick()
    await ordered.answer()
    assert (await ordered.states(again))[0] == "completed", "what it held can be had"


@pytest.mark.parametrize("how", [{"mbps": 250}, {"lose": "its monitor did not end"}])
async def test_what_was_made_otherwise_is_taken_away_first(ordered: Ordered, how: dict[str, object]) -> None:
    order = await ordered.place()
    await ordered.tick()
    await ordered.answer(**how)  # type: ignore[arg-type]  # as the table says
    assert await ordered.states(order) == ("inProgress", {"1": ("inProgress", "PROVISIONING")})
    [held] = await ordered.services()
    assert (held["state"], held["customers"]) == ("reserved", []), "it is held until the network has nothing of it"
    assert await ordered.answer() == ["delete"]
    assert (await ordered.states(order))[0] == "failed"
    assert await ordered.services() == []
    steps = await ordered.steps(order)
    assert (steps["RETURN activate NETWORK"], steps["RETURN reserve TRUNKLINE"]) == ("DONE", "DONE")


@pytest.mark.parametrize("doing", ["retry", "skip"])
async def test_where_undoing_fails_a_person_is_asked(ordered: Ordered, doing: str) -> None:
    order = await ordered.place()
    await ordered.tick()
    await ordered.answer(mbps=250)
    await ordered.answer(refuse="it is in use")
    assert await ordered.tasks() == [["serviceNotRemoved", "OPEN"]]
    assert len(await ordered.services()) == 1, "what it holds stays held"
    [[task]] = await ordered.rows("MATCH (t:Task) RETURN t.id")
    given: dict[str, Any] = {"idempotency_key": "t", "deadline": soon()}
    if doing == "retry":
        outcome = await retry_task(ordered.store, OPERATOR, ordered.selling, task, **given)
        assert await ordered.answer() == ["delete"]
    else:
        settling = Settling(task=task, reason="I have pulled the plug")
        outcome = await skip_task(ordered.store, OPERATOR, ordered.selling, settling, **given)
    assert outcome.user_errors == ()
    assert (await ordered.states(order))[0] == "failed"
    assert await ordered.services() == []
    assert [state for _, state in await ordered.tasks()] == ["DONE" if doing == "retry" else "SKIPPED"]


async def test_cancelled_before_it_begins_it_is_over_at_once(ordered: Ordered) -> None:
    order = await ordered.place()
    assert (await ordered.cancel(order)).user_errors == ()
    await ordered.tick()
    assert (await ordered.states(order))[0] == "cancelled"
    assert await ordered.services() == []


@pytest.mark.parametrize("is_made", [False, True])
async def test_cancelled_while_it_is_made_it_is_undone_in_reverse(ordered: Ordered, *, is_made: bool) -> None:
    order = await ordered.place(by=ADA)
    await ordered.tick()
    [claimed] = await ordered.claimed()
    assert (await ordered.cancel(order, ADA)).user_errors == ()
    assert (await ordered.states(order))[0] == "assessingCancellation"
    assert await ordered.tasks() == [], "nobody has to assess it"
    if is_made:  # the network confirms before anybody has looked
        await ordered.settle(claimed)
        assert (await ordered.services())[0]["state"] == "reserved"
    await ordered.tick()
    assert (await ordered.states(order))[0] == "pendingCancellation"
    if not is_made:
        await ordered.settle(claimed)
    assert await ordered.answer() == ["delete"]
    assert await ordered.states(order) == ("cancelled", {"1": ("cancelled", None)})
    assert await ordered.services() == []
    [[state]] = await ordered.rows("MATCH (x:OrderCancellation) RETURN x.state")
    assert state == "done"


@pytest.mark.parametrize("is_looked_at", [True, False])
async def test_cancelled_while_it_fails_it_is_cancelled_once_nothing_is_there(
    ordered: Ordered, *, is_looked_at: bool
) -> None:
    order = await ordered.place()
    await ordered.tick()
    await ordered.answer(mbps=250)
    assert (await ordered.cancel(order)).user_errors == ()
    if is_looked_at:
        await ordered.tick()
        assert (await ordered.states(order))[0] == "pendingCancellation"
    assert len(await ordered.services()) == 1
    assert await ordered.answer() == ["delete"]
    assert (await ordered.states(order))[0] == "cancelled"
    assert await ordered.services() == []


async def test_of_several_items_only_those_that_are_not_over_are_cancelled(ordered: Ordered) -> None:
    later = relying("2", "1")
    order = await ordered.place(
        replace(BASIC, id="1"), later, replace(later, id="3", relations=(Relation(to="2", kind="reliesOn"),))
    )
    await ordered.tick()
    await ordered.answer()
    await ordered.tick()
    assert (await ordered.cancel(order)).user_errors == ()
    await ordered.tick()
    await ordered.answer()
    await ordered.answer()
    await ordered.tick()
    assert await ordered.states(order) == (
        "partial",
        {"1": ("completed", None), "2": ("cancelled", None), "3": ("cancelled", None)},
    )
    assert [each["state"] for each in await ordered.services()] == ["active"]


@pytest.mark.parametrize("is_refused", [False, True])
async def test_what_is_cancelled_while_it_is_taken_away_stays_held_until_it_is_gone(
    ordered: Ordered, *, is_refused: bool
) -> None:
    order = await ordered.place()
    await ordered.tick()
    await ordered.answer(mbps=250)
    if is_refused:
        await ordered.answer(refuse="it is in use")
    assert (await ordered.cancel(order)).user_errors == ()
    await ordered.tick()
    assert (await ordered.states(order))[0] == "pendingCancellation"
    [held] = await ordered.services()
    assert held["ports"] == [["A", "port-a-0"], ["Z", "port-z-0"]]
    if is_refused:
        [[task]] = await ordered.rows("MATCH (t:Task {state: 'OPEN'}) RETURN t.id")
        given: dict[str, Any] = {"idempotency_key": "t", "deadline": soon()}
        await retry_task(ordered.store, OPERATOR, ordered.selling, task, **given)
    assert await ordered.answer() == ["delete"]
    assert (await ordered.states(order))[0] == "cancelled"
    assert await ordered.services() == []
    assert {state for _, state in await ordered.tasks()} <= {"DONE"}


async def test_a_higher_rate_than_asked_for_holds_as_much_until_it_is_gone(ordered: Ordered) -> None:
    await ordered.place()
    await ordered.tick()
    await ordered.answer(mbps=700)
    second = await ordered.place()  # 500 more
    await ordered.tick()
    assert (await ordered.states(second))[1] == {"1": ("failed", "NETWORK")}, "700 of 1,000 are carried"
    assert "200 Mbit/s are missing" in await ordered.detail(second)


@pytest.mark.parametrize("gone", ["Customer", "Service"])
async def test_what_was_taken_out_of_the_graph_meanwhile_is_not_left_in_the_network(
    ordered: Ordered, gone: str
) -> None:
    order = await ordered.place()
    await ordered.tick()
    [claimed] = await ordered.claimed()
    await ordered.run(f"MATCH (n:{gone}) WHERE n.id <> 'customer-b' DETACH DELETE n")
    await ordered.settle(claimed)
    assert "is not in the graph any more" in await ordered.detail(order)
    if gone == "Customer":
        assert await ordered.answer() == ["delete"]
    else:
        assert await ordered.tasks() == [["serviceNotRemoved", "OPEN"]]
        [[task]] = await ordered.rows("MATCH (t:Task) RETURN t.id")
        settling = Settling(task=task, reason="I have pulled the plug")
        given: dict[str, Any] = {"idempotency_key": "t", "deadline": soon()}
        assert (await skip_task(ordered.store, OPERATOR, ordered.selling, settling, **given)).user_errors == ()
    assert (await ordered.states(order))[0] == "failed"


async def test_where_there_was_no_time_to_decide_it_is_tried_later(
    ordered: Ordered, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await ordered.place()
    with monkeypatch.context() as patch:
        patch.setattr(reserving, "SECONDS", 0.0)
        await ordered.tick()
    assert await ordered.states(order) == ("acknowledged", {"1": ("acknowledged", None)})
    assert await ordered.rows("MATCH (t:Timer {kind: 'fulfilment'}) RETURN t.failures") == [[1]]
    await ordered.run("MATCH (t:Timer {kind: 'fulfilment'}) SET t.dueAt = 1")
    await ordered.tick()
    assert (await ordered.states(order))[0] == "inProgress"


async def test_what_cannot_be_decided_is_left_to_people_with_the_reason(
    ordered: Ordered, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feasibility, "Budget", partial(Budget, left=0))
    undecided = await ordered.place()
    await ordered.tick()
    monkeypatch.undo()
    failing = await ordered.place()
    await ordered.run("MATCH (t:Timer {aggregateId: $order}) SET t.failures = 8", order=failing)
    await ordered.tick()
    for order, why in ((undecided, "the search for a way was given up"), (failing, "in 8 attempts")):
        assert await ordered.states(order) == ("acknowledged", {"1": ("acknowledged", None)})
        assert why in await ordered.detail(order)
        [[reason]] = await ordered.rows("MATCH (t:Task {about: $order}) RETURN t.reason", order=order)
        assert why in reason
    assert await ordered.services() == []


async def test_what_waits_is_left_to_people_where_the_settings_carry_out_nothing_any_more(ordered: Ordered) -> None:
    first = await ordered.place()
    selling, ordered.selling = ordered.selling, replace(ordered.selling, provisioning="")
    await ordered.tick()
    ordered.selling, second = selling, await ordered.place()
    ordered.alarms = AlarmPolicy(ordering=Ordering(systems=frozenset({"crm"})))
    await ordered.tick()
    assert await ordered.tasks() == [["orderWaits", "OPEN"], ["orderWaits", "OPEN"]]
    assert "makes services" in await ordered.detail(first)
    assert "not in the catalogue" in await ordered.detail(second)


async def test_who_is_told_goes_by_the_settings_when_it_is_in_use(ordered: Ordered) -> None:
    order = await ordered.place()
    await ordered.tick()
    ordered.selling = replace(ordered.selling, billing="", performance="")
    await ordered.answer()
    told = [each for each in await ordered.steps(order) if "tell" in each]
    assert sorted(told) == ["START tell FAULT_MANAGEMENT", "START tell INVENTORY"]


async def test_that_others_are_not_told_cannot_be_cancelled(ordered: Ordered) -> None:
    await ordered.place()
    await ordered.tick()
    await ordered.answer()
    [told] = await ordered.claimed("inventory")
    dead = Dead(claim=told, error="no", reason="refused")

    async def park(transaction: Transaction) -> None:
        await settle(transaction, [dead])

    await ordered.store.write(park, deadline=soon())
    [[task]] = await ordered.rows("MATCH (t:Task {state: 'OPEN'}) RETURN t.id")
    settling = Settling(task=task, reason="no")
    given: dict[str, Any] = {"idempotency_key": "t", "deadline": soon()}
    outcome = await cancel_task(ordered.store, OPERATOR, ordered.selling, settling, **given)
    assert [each.code for each in outcome.user_errors] == ["TASK_NOT_CANCELLABLE"]
    assert "only others are not told" in outcome.user_errors[0].message


async def test_an_alarm_of_the_moment_of_activation_is_found_by_the_last_look_and_then_the_timer_ends(
    ordered: Ordered,
) -> None:
    order = await ordered.place()
    await ordered.tick()
    await ordered.answer()
    [[due]] = await ordered.rows("MATCH (t:Timer {aggregateId: $order}) RETURN t.dueAt", order=order)
    assert due < NEVER
    await ordered.run("MATCH (s:Service) SET s.state = 'reserved'")  # as an alarm sees it that walks a moment before
    await raise_alarm(ordered.store, SYSTEM, ordered.alarms, report("card-a-access"), deadline=soon())
    await ordered.run("MATCH (s:Service) SET s.state = 'active'")
    assert await ordered.rows("MATCH (:Alarm)-[r:AFFECTS]->(:Service) RETURN r.effect") == []
    for _ in range(3):  # a busy Neo4j may take longer than a timer's work has, to plan what it sees for the first time
        await ordered.run("MATCH (t:Timer {aggregateId: $order}) SET t.dueAt = 1", order=order)
        await ordered.tick()
    assert len(await ordered.rows("MATCH (:Alarm)-[r:AFFECTS]->(:Service) RETURN r.effect")) == 1
    assert await ordered.rows("MATCH (t:Timer {kind: 'fulfilment'}) RETURN t.id") == []


async def test_a_customer_has_only_so_many_services_under_way(ordered: Ordered) -> None:
    assert ordered.alarms.ordering is not None
    ordered.alarms = replace(ordered.alarms, ordering=replace(ordered.alarms.ordering, most_open=2))
    orders = [await ordered.place(BASIC, by=ADA) for _ in range(2)]
    asked = OrderRequest(kind="product", items=(BASIC,), party=Party(id="customer-a"))
    given: dict[str, Any] = {"idempotency_key": None, "deadline": soon()}
    full = await place_order(ordered.store, ADA, ordered.alarms, asked, **given)
    assert [each.code for each in full.user_errors] == ["TOO_MANY_OPEN"]
    assert await ordered.place(BASIC, customer="customer-a"), "who orders for customers is not bounded by one of them"
    assert (await ordered.cancel(orders[0], ADA)).user_errors == ()
    await ordered.tick()
    assert (await place_order(ordered.store, ADA, ordered.alarms, asked, **given)).user_errors == ()


async def test_people_do_not_move_what_is_under_way(ordered: Ordered) -> None:
    order = await ordered.place()
    await ordered.tick()
    assert [each.code for each in (await ordered.advance(order, "completed")).user_errors] == ["ORDER_STATE"]
    other = await ordered.place(BASIC)
    assert [each.code for each in (await ordered.advance(other, "held")).user_errors] == ["ORDER_STATE"]
    assert (await ordered.advance(other, "held", "1")).user_errors == ()
    await ordered.tick()
    assert await ordered.states(other) == ("held", {"1": ("held", None)}), "what people have moved is theirs"
    assert ["orderWaits", "OPEN"] in await ordered.tasks()


async def test_an_alarm_that_is_open_hits_it_once_it_is_in_use(ordered: Ordered) -> None:
    await ordered.run("MATCH (c:Customer {id: 'customer-a'}) SET c._sliceStored = true")
    order = await ordered.place()
    await ordered.tick()
    alarm = (await raise_alarm(ordered.store, SYSTEM, ordered.alarms, report("trunk-ab"), deadline=soon())).ids["alarm"]
    assert await ordered.rows("MATCH (:Alarm)-[r:AFFECTS]->(:Service) RETURN r.effect") == []
    await ordered.answer()
    assert (await ordered.states(order))[0] == "completed"
    assert await ordered.rows("MATCH (a:Alarm)-[r:AFFECTS]->(:Service) RETURN a.id, r.effect, r.severity") == [
        [alarm, "degraded", "major"]
    ]
    assert (await ordered.services())[0]["effect"] == "degraded"
    assert await ordered.rows("MATCH (t:Ticket)-[:OPENED_FOR]->(c:Customer) RETURN c.id") == [["customer-a"]]
    assert await ordered.rows("MATCH (c:Customer {id: 'customer-a'}) RETURN c._sliceStored") == [[None]]


async def test_an_answer_that_comes_twice_counts_once(ordered: Ordered) -> None:
    await ordered.place()
    await ordered.tick()
    [claimed] = await ordered.claimed()
    await ordered.settle(claimed)
    await ordered.settle(claimed)
    [service] = await ordered.services()
    assert service["customers"] == ["customer-a"]
    assert len(await ordered.events(service["id"])) == 4


async def test_a_service_goes_with_its_order_where_customers_were_merged_meanwhile(ordered: Ordered) -> None:
    order = await ordered.place(BASIC, customer="customer-a")
    await ordered.tick()
    merging = Merging(stub="customer-a", into="customer-b")
    merged = await merge_customers(
        ordered.store, OPERATOR, merging, dry_run=False, idempotency_key="m", deadline=soon()
    )
    assert not merged.user_errors
    await ordered.answer()
    [service] = await ordered.services()
    assert service["customers"] == ["customer-b"]
    parted = await undo_merge_customers(
        ordered.store, OPERATOR, "customer-a", dry_run=False, idempotency_key="u", deadline=soon()
    )
    assert not parted.user_errors
    [service] = await ordered.services()
    assert service["customers"] == ["customer-a"]
    whose = "MATCH (:Order {id: $id})-[:PLACED_BY]->(c:Customer) RETURN c.id"
    assert await ordered.rows(whose, id=order) == [["customer-a"]]


async def race(ordered: Ordered, orders: int, processes: int) -> dict[str, int]:
    """Place orders and let several processes carry them out at once; give how many are in which state."""
    placed = [await ordered.place(BASIC, customer=f"customer-{'ab'[each % 2]}") for each in range(orders)]

    async def process() -> None:
        works, end = works_of(ordered.policy), time.monotonic() + 50
        while time.monotonic() < end and await ordered.rows(
            "MATCH (i:OrderItem {state: 'acknowledged'}) RETURN i.id LIMIT 1"
        ):
            await ring(ordered.store, works, most=100, deadline=soon())

    await asyncio.gather(*(process() for _ in range(processes)))
    await ordered.answer()
    states = [(await ordered.states(each))[0] for each in placed]
    return {each: states.count(each) for each in set(states)}


async def test_the_last_ports_go_to_as_many_orders(ordered: Ordered) -> None:
    await ordered.run("MATCH (p:Port) WHERE p.id IN ['port-a-0', 'port-a-1'] SET p.administrativeState = 'locked'")
    assert await race(ordered, 6, 3) == {"completed": 2, "failed": 4}
    services = await ordered.services()
    assert sorted(each["ports"][0][1] for each in services) == ["port-a-2", "port-a-3"]
    assert {each["state"] for each in services} == {"active"}
    failures = await ordered.rows("MATCH (i:OrderItem {state: 'failed'}) RETURN DISTINCT i.failure")
    assert failures == [["PORT"]]


async def test_what_another_takes_between_the_look_and_the_lock_is_not_taken_twice(ordered: Ordered) -> None:
    await ordered.place(BASIC)
    await ordered.tick()  # it has port-a-0; and what follows is planned by now, and quick
    order = await ordered.place(BASIC, customer="customer-b")
    held = asyncio.Event()

    async def take(transaction: Transaction) -> None:
        """Take the port that the order would have, unless it has it, and be slow about it."""
        await hold_things(transaction, ["port-a-1"])
        text = """
MATCH (p:Port {id: 'port-a-1'}) WHERE NOT EXISTS { MATCH (p)<-[:ACCESSED_AT]-(:Service) }
CREATE (:Service {id: 'service-other', name: 'other', words: '', state: 'reserved', committedMbps: 1})-[:ACCESSED_AT {end: 'A'}]->(p)
"""
        await transaction.run(text, {})
        held.set()
        await asyncio.sleep(1)

    taking = asyncio.create_task(ordered.store.write(take, deadline=soon()))
    await held.wait()
    await ordered.tick()
    await taking
    assert (await ordered.states(order))[0] == "inProgress"
    users = "MATCH (p:Port)<-[:ACCESSED_AT]-(s:Service) WHERE p.id STARTS WITH 'port-a-' RETURN p.id, count(s)"
    assert {count for _, count in await ordered.rows(users)} == {1}
    assert "port-a-1" in {port for port, _ in await ordered.rows(users)}


@pytest.mark.long(30)
@pytest.mark.skipif(not is_full(), reason="six orders are raced for two slots in every run")
async def test_fifty_orders_at_once_for_the_last_ten_slots(ordered: Ordered) -> None:
    await ordered.run(
        "MATCH (:Site {id: 'site-a'})<-[:LOCATED_AT]-(e)-[:HOLDS]->(c:Card {id: 'card-a-access'}) "
        "UNWIND range(4, 63) AS number CREATE (c)-[:HAS_PORT]->(:Port {id: 'port-a-' + toString(number), name: 'p', speedMbps: 1000})"
    )
    await ordered.run(
        "MATCH (c:Card {id: 'card-z-access'}) "
        "UNWIND range(4, 63) AS number CREATE (c)-[:HAS_PORT]->(:Port {id: 'port-z-' + toString(number), name: 'p', speedMbps: 1000})"
    )
    await ordered.run("MATCH (t:Trunk) WHERE NOT t.id IN ['trunk-ab', 'trunk-bz'] SET t.capacityMbps = 0")
    assert await race(ordered, 50, 4) == {"completed": 10, "failed": 40}
    assert len(await ordered.services()) == 10
    [[taken]] = await ordered.rows(
        "MATCH (s:Service)-[:ROUTED_OVER]->(:Trunk {id: 'trunk-ab'}) RETURN sum(s.committedMbps)"
    )
    assert taken == 1_000
    failures = await ordered.rows("MATCH (i:OrderItem {state: 'failed'}) RETURN DISTINCT i.failure")
    assert failures == [["NETWORK"]]


async def test_without_a_catalogue_all_is_as_before(ordered: Ordered) -> None:
    ordered.alarms = AlarmPolicy(ordering=Ordering(systems=frozenset({"crm"})))
    order = await ordered.place(by=CRM)
    await ordered.tick()
    assert await ordered.states(order) == ("acknowledged", {"1": ("acknowledged", None)})
    assert await ordered.tasks() == [["orderWaits", "OPEN"]]
    assert await ordered.rows("MATCH (t:Timer {kind: 'fulfilment'}) RETURN t.id") == []
