"""Every transaction locks in the order that graph/changes/gates.py writes down: two never wait for each other."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import orjson
import pytest

from graph.changes.alarms.acknowledge import acknowledge_alarm
from graph.changes.alarms.consequences import By
from graph.changes.outside import take_over
from graph.changes.policy import AlarmPolicy, Hearing
from graph.changes.tickets.ticketing import Answered, Heard, settle_deliveries
from graph.changes.usage.usage import record_usage
from graph.inventory.answers import Answered as Named_
from graph.inventory.answers import Named, settle_answers
from graph.inventory.equipment import Hand, Made, make, move, remove
from graph.ledger.claims import Claim
from graph.ledger.outcomes import Done
from graph.model.identity import loaded_id
from graph.model.resource import Resource
from graph.model.scope import Principal, Role
from graph.model.usage import Usage
from graph.store.store import Store, Transaction
from tests.graph.changes.locks import RANKS, recorded
from tests.graph.changes.network import AT, SOURCE, SYSTEM, Laid, lay, report, soon

OPERATOR = Principal(subject="9:issuer-a:ann", role=Role.OPERATOR)
POLICY = AlarmPolicy(ticketing="desk", billing="billing", fault_management=Hearing(name="umbrella"))
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


async def test_every_change_locks_in_one_order(laid: Laid, monkeypatch: pytest.MonkeyPatch) -> None:
    with recorded(monkeypatch) as seen:
        await everything(laid)
    assert seen.breaches() == []
    locked = {rank for order in seen.orders() for rank, _ in order}
    assert locked == set(RANKS.values()), "all that has a place in the order was locked by some change"
    assert max(len({rank for rank, _ in order}) for order in seen.orders()) >= 4, "and much of it by one"
    assert len(seen.orders()) > 20


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
    assert seen.breaches() == ([((4, "alarm-1"), (3, "service-a"))] if len(texts) > 1 else [])
