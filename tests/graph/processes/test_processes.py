"""Steps are found while they are open, their deliveries write what becomes of them, and a task is opened once."""

from __future__ import annotations

from typing import Any

import pytest

from graph.ledger.claims import Claim, claim
from graph.ledger.lanes import take_lanes
from graph.ledger.outbox import Told, write_down
from graph.ledger.outcomes import Again, Done, settle
from graph.processes.steps import Ended, OpenStep, Step, begin, end, open_steps
from graph.processes.tasks import Opened, close_task, open_task
from graph.store.store import Store, Transaction
from tests.graph.changes.network import Laid, soon

STEP = Step(about="boost-1", name="rate", boundary="START", system="NETWORK", stage=0)
OTHER = Step(about="boost-1", name="rate", boundary="START", system="INVENTORY", stage=1)


@pytest.fixture
async def laid(empty_store: Store) -> Laid:
    laid = Laid(store=empty_store)
    await laid.run("CREATE (:Boost {id: 'boost-1'})")
    for number in (1, 2):
        await laid.run(
            "CREATE (:Event {id: $id, type: 'ServiceRateRequested', aggregateId: 'service-1', aggregateVersion: $n, at: 1, payload: '{}'})",
            id=f"event-{number}",
            n=number,
        )
    return laid


async def write(laid: Laid, work: Any) -> Any:
    async def done(transaction: Transaction) -> Any:
        found = work(transaction)
        return await found if hasattr(found, "__await__") else found

    return await laid.store.write(done, deadline=soon())


async def claimed(laid: Laid) -> Claim:
    leases = await take_lanes(laid.store, "network", owner="tests", ttl_ms=600_000, deadline=soon())
    [found] = await claim(laid.store, leases, most=10, hold_ms=1, deadline=soon())
    return found


def told(number: int) -> Told:
    given: dict[str, Any] = {"event": f"event-{number}", "system": "network", "subject": "s", "order_key": "s"}
    return Told(**given, payload={}, steps=(STEP.id,))


async def step(laid: Laid) -> list[Any]:
    [row] = await laid.rows(
        "MATCH (p:ProcessStep {id: $id}) RETURN p.state, p.attempts, p.receipt, p.error, p.finishedAt IS NULL",
        id=STEP.id,
    )
    return row


async def test_what_becomes_of_a_delivery_becomes_of_its_steps(laid: Laid) -> None:
    def work(transaction: Transaction) -> None:
        begin(transaction, [STEP, OTHER], at=7)
        write_down(transaction, [told(1)])

    await write(laid, work)
    found = await write(laid, lambda transaction: open_steps(transaction, ["boost-1", "boost-2"]))
    assert found == (OpenStep(step=STEP, state="PENDING"), OpenStep(step=OTHER, state="PENDING"))
    first = await claimed(laid)
    await write(laid, lambda transaction: settle(transaction, [Again(claim=first, error="away", pause_ms=0)]))
    assert await step(laid) == ["PENDING", 1, None, "away", True]
    second = await claimed(laid)
    late = [Done(claim=first, note="too late"), Done(claim=second, note="R-7")]
    for each in late:
        await write(laid, lambda transaction, each=each: settle(transaction, [each]))
    assert await step(laid) == ["DONE", 2, "R-7", None, False]
    found = await write(laid, lambda transaction: open_steps(transaction, ["boost-1"]))
    assert [each.step for each in found] == [OTHER]


async def test_a_step_that_is_refused_and_asked_for_again_counts_on(laid: Laid) -> None:
    def work(transaction: Transaction) -> None:
        begin(transaction, [STEP], at=7)
        write_down(transaction, [told(1)])

    await write(laid, work)
    first = await claimed(laid)

    async def refused(transaction: Transaction) -> None:
        await settle(transaction, [Done(claim=first, note="refused: no")])
        end(transaction, [Ended(id=STEP.id, state="REFUSED", error="no")], at=8)

    await write(laid, refused)
    assert await step(laid) == ["REFUSED", 1, "refused: no", "no", True]
    await write(laid, lambda transaction: write_down(transaction, [told(2)]))
    assert (await step(laid))[0] == "PENDING"
    second = await claimed(laid)
    await write(laid, lambda transaction: settle(transaction, [Done(claim=second, note="R-8")]))
    assert await step(laid) == ["DONE", 2, "R-8", None, False]


async def test_a_task_is_opened_once_and_closed(laid: Laid) -> None:
    opened = Opened(kind="returnRefused", about="service-1", reason="no")
    for _ in range(2):
        await write(laid, lambda transaction: open_task(transaction, opened, at=5))
    assert await laid.rows("MATCH (t:Task) RETURN t.state, t.reason") == [["OPEN", "no"]]
    for _ in range(2):
        await write(laid, lambda transaction: close_task(transaction, kind="returnRefused", about="service-1", at=6))
    await write(laid, lambda transaction: open_task(transaction, opened, at=7))
    assert sorted(await laid.rows("MATCH (t:Task) RETURN t.state")) == [["DONE"], ["OPEN"]]
    assert await laid.rows("MATCH (e:Event) WHERE e.type STARTS WITH 'Task' RETURN count(e)") == [[3]]


def test_what_is_no_step_is_refused() -> None:
    with pytest.raises(ValueError, match="no step of a process"):
        Step(about="boost-1", name="rate", boundary="START", system="NETWORK", stage=-1)
