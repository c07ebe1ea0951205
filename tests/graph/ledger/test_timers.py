from __future__ import annotations

import asyncio

from graph.ledger.timers import Due, arm, arm_once, ring
from graph.store.store import Store, Transaction
from tests.graph.changes.network import soon
from tests.graph.ledger.asking import rows, run

FAR = 4_000_000_000_000
LEFT = "MATCH (t:Timer) RETURN t.aggregateId, t.dueAt ORDER BY t.aggregateId"


async def armed(store: Store, about: str, due_at: int = 1) -> None:
    async def work(transaction: Transaction) -> None:
        arm(transaction, kind="test", about=about, due_at=due_at)

    await store.write(work, deadline=soon())


async def mark(transaction: Transaction, due: Due) -> None:
    """Leave a trace in the graph, in the same transaction."""
    await transaction.run(
        "MERGE (s:StoreKey {id: $id}) SET s.text = coalesce(s.text, '') + 'x'", {"id": f"storekey-{due.about}"}
    )


async def traces(store: Store) -> dict[str, int]:
    found = await rows(store, "MATCH (s:StoreKey) WHERE s.id STARTS WITH 'storekey-t' RETURN s.id, size(s.text)")
    return {str(each[0]).removeprefix("storekey-"): int(str(each[1])) for each in found}


async def rung(store: Store, most: int = 100) -> int:
    return await ring(store, {"test": mark}, most=most, deadline=soon())


async def test_what_is_due_happens_once_and_what_is_not_waits(empty_store: Store) -> None:
    await armed(empty_store, "t1")
    await armed(empty_store, "t2", FAR)
    assert await rung(empty_store) == 1
    assert await rung(empty_store) == 0
    assert await traces(empty_store) == {"t1": 1}
    assert await rows(empty_store, LEFT) == [["t2", FAR]]


async def test_many_processes_that_look_at_once_do_each_once(empty_store: Store) -> None:
    for number in range(12):
        await armed(empty_store, f"t{number}")
    await asyncio.gather(*(rung(empty_store) for _ in range(5)))
    assert await traces(empty_store) == {f"t{number}": 1 for number in range(12)}


async def test_a_timer_that_is_set_anew_is_due_then(empty_store: Store) -> None:
    await armed(empty_store, "t1")
    await armed(empty_store, "t1", FAR)
    assert await rung(empty_store) == 0
    await armed(empty_store, "t1")
    assert await rung(empty_store) == 1


async def test_work_says_when_it_is_due_again(empty_store: Store) -> None:
    async def again(transaction: Transaction, due: Due) -> int:
        await mark(transaction, due)
        return due.now + 60_000

    await armed(empty_store, "t1")
    assert await ring(empty_store, {"test": again}, most=9, deadline=soon()) == 1
    assert await ring(empty_store, {"test": again}, most=9, deadline=soon()) == 0
    [[_, due_at]] = await rows(empty_store, LEFT)
    assert int(str(due_at)) > 1_700_000_000_000


async def test_work_that_fails_leaves_nothing_and_keeps_no_other_from_its_turn(empty_store: Store) -> None:
    async def broken(transaction: Transaction, due: Due) -> None:
        await mark(transaction, due)
        if due.about == "t1":
            raise RuntimeError("a fault")

    await armed(empty_store, "t1")
    await armed(empty_store, "t2")
    assert await ring(empty_store, {"test": broken}, most=9, deadline=soon()) == 1
    assert await traces(empty_store) == {"t2": 1}
    assert await ring(empty_store, {"test": broken}, most=9, deadline=soon()) == 0, "it is put off"
    await run(empty_store, "MATCH (t:Timer) SET t.dueAt = 1")
    assert await rung(empty_store) == 1


async def test_a_kind_that_nobody_here_knows_is_left(empty_store: Store) -> None:
    await armed(empty_store, "t1")
    assert await ring(empty_store, {}, most=9, deadline=soon()) == 0
    assert await rung(empty_store) == 1


async def test_a_timer_that_is_there_is_not_set_again(empty_store: Store) -> None:
    await armed(empty_store, "t1", FAR)
    await arm_once(empty_store, kind="test", about="t1", deadline=soon())
    assert await rows(empty_store, LEFT) == [["t1", FAR]]
    await arm_once(empty_store, kind="test", about="t2", deadline=soon())
    assert await rung(empty_store) == 1
