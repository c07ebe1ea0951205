"""Every transaction locks in the order that graph/changes/gates.py writes down: two never wait for each other."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from itertools import cycle
from typing import Any

import orjson
import pytest

from graph.changes.alarms.acknowledge import acknowledge_alarm
from graph.changes.alarms.comments import Comment, comment_alarm
from graph.changes.alarms.consequences import By
from graph.changes.customers.merging import Merging, merge_customers, undo_merge_customers
from graph.changes.customers.records import CustomerRecord, take_records
from graph.changes.deliveries import replay_delivery
from graph.changes.orders.cancelling import Cancellation, cancel_order
from graph.changes.orders.changing import OrderChange, change_order
from graph.changes.orders.moving import Advance, Move, advance_order
from graph.changes.orders.placing import place_order
from graph.changes.orders.requests import ItemRequest, OrderRequest, Party
from graph.changes.outside import take_over
from graph.changes.policy import AlarmPolicy, Hearing, Ordering
from graph.changes.tasks import Settling, retry_task, skip_task
from graph.changes.tickets.owners import Reported
from graph.changes.tickets.problems import report_problem
from graph.changes.tickets.reported import report_tickets
from graph.changes.tickets.request_rules import Problem, TicketRequest
from graph.changes.tickets.requests import change_ticket
from graph.changes.tickets.ticketing import Answered, Heard, note_tickets, settle_deliveries
from graph.changes.usage.usage import record_usage
from graph.inventory.answers import Answered as Named_
from graph.inventory.answers import Named, settle_answers
from graph.inventory.equipment import Hand, Made, make, move, remove
from graph.inventory.equipment import change as change_equipment
from graph.inventory.naming import add_external_name, remove_external_name
from graph.ledger.claims import Claim
from graph.ledger.outcomes import Dead, Done
from graph.membership import build
from graph.model.event_kinds import KINDS
from graph.model.identity import loaded_id
from graph.model.model import label_of
from graph.model.resource import Resource
from graph.model.scope import Principal, Role
from graph.model.usage import Usage
from graph.store.cardinality import LIMITS, One, taken_under_lock
from graph.store.store import Store, Transaction
from tests.graph.changes.fulfilment.orders import BASIC_LINE as BASIC
from tests.graph.changes.fulfilment.orders import Ordered, laid_out
from tests.graph.changes.locks import RANKS, recorded
from tests.graph.changes.network import AT, SOURCE, SYSTEM, Laid, lay, report, soon
from tests.graph.inventory.network import Inventoried, card, element, port

OPERATOR = Principal(subject="9:issuer-a:ann", role=Role.OPERATOR)
POLICY = AlarmPolicy(
    ticketing="desk", billing="billing", fault_management=Hearing(name="umbrella", events=frozenset(KINDS))
)
HAND = Hand(by=By(principal=OPERATOR, policy=POLICY), system=SOURCE)


@pytest.fixture
async def laid(empty_store: Store) -> Laid:
    await lay(empty_store)
    return Laid(store=empty_store)


async def claim(laid: Laid, key: str) -> Claim:
    """Claim what waits for the ticketing system under an order key, as its lane would."""
    text = (
        "MATCH (d:Delivery {orderKey: $key}) WHERE d.state = 'READY' AND d.system = 'desk' "
        "WITH d ORDER BY d.version LIMIT 1 SET d.attempts = 1, d._epoch = 1 RETURN d.id, d.payload"
    )

    async def work(transaction: Transaction) -> list[list[object]]:
        return await transaction.run(text, {"key": key})

    [[delivery, payload]] = await laid.store.write(work, deadline=soon())
    said = {**orjson.loads(str(payload)), "insist": True}
    return Claim(id=str(delivery), order_key=key, version=1, attempts=1, epoch=1, age_ms=0, payload=said)


async def change(laid: Laid, work: object) -> None:
    await laid.store.write(work, deadline=soon())  # type: ignore[arg-type]  # any unit of work


async def everything(laid: Laid) -> None:
    """Make every kind of change, several at once where they meet."""
    first = await laid.raise_(report("trunk-1", 1), policy=POLICY)
    await asyncio.gather(
        *(
            laid.raise_(report(each, number), policy=POLICY)
            for number, each in enumerate(("card-2", "port-a", "trunk-2"), 2)
        ),
        laid.raise_(report("trunk-1", 1, changed_at=AT + 1, perceived_severity="major"), policy=POLICY),
    )
    for number in (7, 8):
        await laid.raise_(report("X/1", number), policy=POLICY)
    await acknowledge_alarm(laid.store, OPERATOR, POLICY, alarm_id=first, idempotency_key="a", deadline=soon())
    key = f"{first}:customer-b"
    closed = Answered(
        outcome=Done(claim=await claim(laid, key)),
        heard=Heard(order_key=key, their_id="T1", status="closed", changed_at=None),
        is_closed=True,
    )
    await settle_deliveries(laid.store, POLICY, [closed], subject="desk", deadline=soon())
    measured = Usage(
        source=SOURCE, external_id="U1", service="service-b", start=AT, end=AT + 1, octets=1, mbps=1, kind="bandwidth"
    )
    await record_usage(laid.store, SYSTEM, POLICY, [measured], deadline=soon())
    again = [replace(measured, state="rated"), replace(measured, external_id="U2", service="service-a")]
    await record_usage(laid.store, SYSTEM, POLICY, again, deadline=soon())
    new = Resource(kind="Card", name="X/1", inside="N", properties={"name": "X/1", "slot": 1, "model": "M"})

    async def made(transaction: Transaction) -> None:
        assert isinstance(await make(transaction, HAND, new), Made)

    await laid.run(
        "MATCH (e:NetworkElement {id: $element}) "
        "CREATE (:ExternalName {id: 'externalname-9', key: $key, system: 'ems', name: 'N'})-[:NAMES]->(e)",
        element="networkelement-2",
        key=replace(new, name="N").key(SOURCE),
    )
    await change(laid, made)
    await change(laid, lambda transaction: change_equipment(transaction, HAND, "card-1", {"model": "Z"}))
    await change(laid, lambda transaction: move(transaction, HAND, "card-1", ("networkelement-2",)))
    await change(laid, lambda transaction: move(transaction, HAND, "trunk-1", ("port-z", "port-c")))
    await change(laid, lambda transaction: remove(transaction, HAND, loaded_id("Card", SOURCE, "X/1")))
    await laid.raise_(report("card two", 10), policy=POLICY)
    await laid.raise_(report("card two", 11), policy=POLICY)
    named = Named_(
        outcome=Done(claim=await claim(laid, f"{first}:customer-a")), named=Named(resource="card-2", name="card two")
    )
    await settle_answers(laid.store, SOURCE, POLICY, [named], subject="inventory", deadline=soon())
    await laid.run("MATCH (s:Service {id: $id}) SET s.state = 'terminated'", id="service-c")
    assert (await take_over(laid.store, POLICY, deadline=soon())).services == 1
    await laid.clear(first, policy=POLICY)
    await of_operators(laid, first)
    await of_tickets(laid)
    await of_slices(laid)
    await of_inventories(laid)
    await of_orders(laid)
    await of_merges(laid)
    limited = (("service-a", "sla-1"), ("card-1", "networkelement-2"), ("port-a", "card-2"), ("trunk-2", "port-z"))
    wanted = [
        One(limit=limit, node=node, other=other, per="A" if limit.per else "")
        for node, other in limited
        for limit in LIMITS
        if limit.label == getattr(label_of(node), "name", "") and limit.type != "SUBSCRIBES_TO"
    ]
    await change(laid, lambda transaction: taken_under_lock(transaction, wanted))


async def of_operators(laid: Laid, alarm: str) -> None:
    given = {"object_id": "card-1", "system": SOURCE, "name": "card one"}
    for number, named in enumerate((add_external_name, remove_external_name)):
        await named(laid.store, OPERATOR, POLICY, **given, idempotency_key=f"n{number}", deadline=soon())
    comment = Comment(alarm=alarm, text="looked at", user="ann", system="")
    await comment_alarm(laid.store, OPERATOR, POLICY, comment=comment, idempotency_key="c", deadline=soon())
    await laid.run("MATCH (d:Delivery {state: 'READY'}) WITH d LIMIT 1 SET d.state = 'DEAD', d.waiting = null")
    [[parked]] = await laid.rows("MATCH (d:Delivery {state: 'DEAD'}) RETURN d.id")
    given = {"delivery_id": str(parked), "idempotency_key": "r"}
    await replay_delivery(laid.store, OPERATOR, **given, deadline=soon())


async def of_orders(laid: Laid) -> None:
    """Let orders come in, of customers that are there and that are made, be moved by two at once, changed and cancelled."""
    ordered: dict[str, Any] = {"principal": OPERATOR, "policy": replace(POLICY, ordering=Ordering())}
    items = (ItemRequest(id="1", action="modify", service="service-b"), ItemRequest(id="2"))
    made = [
        await place_order(laid.store, request=each, idempotency_key=None, deadline=soon(), **ordered)
        for each in (
            OrderRequest(kind="product", items=items, external_id="PO-1", party=Party(id="customer-b")),
            OrderRequest(kind="service", items=items[1:], external_id="PO-2", party=Party(id="9", name="New")),
        )
    ]
    first, second = (each.ids["order"] for each in made)
    moves = [Advance(order=first, moves=(Move(to="inProgress", item=each),)) for each in ("1", "2")]
    await asyncio.gather(
        *(
            advance_order(laid.store, OPERATOR, each, idempotency_key=f"o{number}", deadline=soon())
            for number, each in enumerate(moves)
        )
    )
    changed = OrderChange(order=second, values={"priority": "1"})
    await change_order(laid.store, change=changed, idempotency_key="o3", deadline=soon(), **ordered)
    for each in (first, second):
        asked = Cancellation(order=each)
        outcome = await cancel_order(laid.store, asked_for=asked, idempotency_key=each, deadline=soon(), **ordered)
        assert outcome.user_errors == ()


async def of_fulfilment(ordered: Ordered) -> None:
    """Let an order for a new service be reserved, refused, taken back, and put into use."""
    answers: tuple[dict[str, Any], ...] = ({}, {"refuse": "no"}, {"mbps": 1})
    for answer in answers:
        order = await ordered.place(BASIC)
        await ordered.tick()
        await ordered.answer(**answer)
        await ordered.answer()
        assert (await ordered.states(order))[0] == ("failed" if answer else "completed")


async def of_undoing(ordered: Ordered) -> None:
    """Let orders be cancelled in each phase, and a person ask again, and say that it is gone."""
    for before in (0, 1, 2):
        order = await ordered.place(BASIC)
        for do in (ordered.tick, partial(ordered.answer, mbps=1))[:before]:
            await do()
        await ordered.cancel(order)
        await ordered.tick()
        await ordered.answer()
        await ordered.answer()
        assert (await ordered.states(order))[0] == "cancelled"
    for settle_task in (retry_task, skip_task):
        order = await ordered.place(BASIC)
        await ordered.tick()
        await ordered.answer(mbps=1)
        await ordered.answer(refuse="in use")
        [[task]] = await ordered.rows("MATCH (t:Task {state: 'OPEN', kind: 'serviceNotRemoved'}) RETURN t.id")
        given: dict[str, Any] = {"idempotency_key": order, "deadline": soon()}
        about: Any = task if settle_task is retry_task else Settling(task=str(task), reason="gone")
        await settle_task(ordered.store, OPERATOR, ordered.selling, about, **given)
        await ordered.answer()
        assert (await ordered.states(order))[0] == "failed"


async def of_inventories(laid: Laid) -> None:
    inventoried = Inventoried(store=laid.store)
    named = replace(element("Z1"), aliases=(("ems", "Y"), ("ems", "X"), ("nms", "Z")))
    await inventoried.feed("1", named, element("Z2"), card("Z1/1", "Z1"), port("Z1/1/1", "Z1/1"))
    changed = card("Z1/1", "Z2", model="LD", operationalState="disabled")
    await inventoried.feed("2", changed, replace(port("Z1/1/1", "Z1/1"), removed=True))
    await inventoried.feed("3", element("Z1", vendor="Bolt"), element("Z3"), kind="full")
    open_ones = await laid.rows("MATCH (d:InventoryDifference {state: 'open'}) RETURN d.id ORDER BY d.id")
    policy = replace(POLICY, inventory="inventory")
    settled = [
        await inventoried.settle(str(difference), side, policy=policy, key=f"{difference} {side}")
        for difference, side in zip((each[0] for each in open_ones), cycle(("inventory", "graph")), strict=False)
    ]
    assert [each for each in settled if not each.user_errors]


async def of_tickets(laid: Laid) -> None:
    await laid.raise_(report("trunk-1", 20), policy=POLICY)
    text = "MATCH (d:Delivery {state: 'READY', system: 'desk'}) RETURN DISTINCT d.orderKey ORDER BY d.orderKey DESC"
    claims = [await claim(laid, str(key)) for [key] in await laid.rows(text)]
    assert len(claims) > 2
    dead, *done = claims
    heard = [Heard(order_key=each.order_key, their_id=each.id, status="held", changed_at=None) for each in done]
    answered = [Answered(outcome=Done(claim=each), heard=one) for each, one in zip(done, heard, strict=True)]
    parked = Answered(outcome=Dead(claim=dead, error="x", reason="refused"))
    await settle_deliveries(laid.store, POLICY, [parked, *answered], subject="desk", deadline=soon())
    await note_tickets(laid.store, POLICY, heard, subject="desk", deadline=soon())
    await of_customers(laid)


def _plain(claimed: Claim) -> Claim:
    """Give a claim as it is: what a person asks is followed by no other ticket."""
    return replace(claimed, payload={**claimed.payload, "insist": False})


async def of_customers(laid: Laid) -> None:
    """Let customers report and ask, of tickets of every origin, while the ticketing system is told, and in vain at last."""
    for number, service in enumerate(("service-b", "service-a", "service-b")):
        problem = Problem(service=service, description="It is slow")
        key = f"p{number}"
        await report_problem(laid.store, OPERATOR, POLICY, problem, idempotency_key=key, deadline=soon())
    theirs = Reported(
        their_id="TT-9", key=None, status="held", severity="major", changed_at=1, services=("service-a",), customer=None
    )
    await report_tickets(laid.store, POLICY, [theirs], subject="desk", deadline=soon())
    asked = [str(ticket) for [ticket] in await laid.rows("MATCH (t:Ticket) WHERE t.status <> 'closed' RETURN t.id")]
    assert len(asked) > 5
    for doing in ("commentTicket", "closeTicket"):
        for ticket in asked:
            request = TicketRequest(doing=doing, ticket=ticket, comment="c")
            key = f"{doing} {ticket}"
            await change_ticket(laid.store, OPERATOR, POLICY, request, idempotency_key=key, deadline=soon())
    text = "MATCH (d:Delivery {state: 'READY', system: 'desk'}) WHERE d.payload CONTAINS '\"write\"' RETURN DISTINCT d.orderKey"
    await laid.run("MATCH (d:Delivery {state: 'READY'}) WHERE NOT d.payload CONTAINS '\"write\"' SET d.state = 'DONE'")
    claims = [await claim(laid, str(key)) for [key] in await laid.rows(text)]
    in_vain = [Answered(outcome=Done(claim=_plain(each)), is_closed=True) for each in claims]
    await settle_deliveries(laid.store, POLICY, in_vain, subject="desk", deadline=soon())


async def of_slices(laid: Laid) -> None:
    await build(laid.store, "customer-b", deadline=soon())
    await change(laid, lambda transaction: move(transaction, HAND, "trunk-1", ("port-z", "port-a")))
    await build(laid.store, "customer-b", deadline=soon())
    await laid.raise_(report("trunk-1", 21), policy=POLICY)


async def of_merges(laid: Laid) -> None:
    for change_of in (
        merge_customers(
            laid.store,
            OPERATOR,
            Merging(stub="customer-b", into="customer-a"),
            dry_run=False,
            idempotency_key="merge",
            deadline=soon(),
        ),
        undo_merge_customers(
            laid.store, OPERATOR, "customer-b", dry_run=False, idempotency_key="undo", deadline=soon()
        ),
    ):
        await change_of
    by: dict[str, Any] = {"policy": replace(POLICY, customer_management="crm"), "subject": "crm"}
    told = [CustomerRecord(external_id=each, name=f"Acme {each}", at=AT) for each in ("1", "2", "3")]
    told.sort(
        key=lambda each: loaded_id("Customer", "crm", each.external_id)
    )  # the last is compared with those before it
    await take_records(laid.store, records=told, deadline=soon(), **by)
    for each in told:
        renamed = replace(each, name="Acme", at=AT + 1)
        await take_records(laid.store, records=[renamed], deadline=soon(), **by)
    assert await laid.rows("MATCH (m:CustomerMatch {state: 'proposed'}) RETURN m.id"), "and customers are compared"


async def test_every_change_locks_in_one_order(laid: Laid, monkeypatch: pytest.MonkeyPatch) -> None:
    with recorded(monkeypatch) as seen:
        await everything(laid)
    assert seen.breaches() == []
    locked = {rank for order in seen.orders() for rank, _ in order}
    assert locked == set(RANKS.values()), "all that has a place in the order was locked by some change"
    assert max(len({rank for rank, _ in order}) for order in seen.orders()) >= 4, "and much of it by one"
    assert len(seen.orders()) > 20


async def test_orders_that_are_carried_out_lock_in_one_order(
    empty_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    ordered = await laid_out(empty_store)
    with recorded(monkeypatch) as seen:
        await of_fulfilment(ordered)
        await of_undoing(ordered)
    assert seen.breaches() == []
    assert max(len({rank for rank, _ in order}) for order in seen.orders()) >= 4


@pytest.mark.parametrize(
    "texts",
    [
        pytest.param(
            ("MATCH (a:Alarm {id: $alarm}) SET a._locked = 1", "MATCH (s:Service {id: $service}) SET s._locked = 1"),
            id="an alarm before a service",
        ),
        pytest.param(("UNWIND ['b', 'a'] AS id RETURN id",), id="nothing"),
    ],
)
async def test_another_order_is_seen(laid: Laid, monkeypatch: pytest.MonkeyPatch, texts: tuple[str, ...]) -> None:
    given = {"alarm": "alarm-1", "service": "service-a"}

    async def wrong(transaction: Transaction) -> None:
        for text in texts:
            await transaction.run(text, given)

    with recorded(monkeypatch) as seen:
        await change(laid, wrong)
    assert seen.breaches() == (
        [((RANKS["Alarm"], "alarm-1"), (RANKS["Service"], "service-a"))] if len(texts) > 1 else []
    )
