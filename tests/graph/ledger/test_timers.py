from __future__ import annotations

import asyncio
import time

import pytest

from graph.errors import ConstraintViolated, Contended, DeadlineExceeded, StatementFailed, StoreUnavailable
from graph.ledger import timers
from graph.ledger.timers import Due, arm, arm_once, keep_ringing, ring
from graph.store.store import Store, Transaction
from tests.graph.changes.network import soon
from tests.graph.ledger.asking import rows, run

FAR = 4_000_000_000_000
LEFT = "MATCH (t:Timer) RETURN t.aggregateId, t.dueAt ORDER BY t.aggregateId"


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that does much else is not what is tested."""
    monkeypatch.setattr(timers, "_WORK_SECONDS", 60.0)
    monkeypatch.setattr(timers, "_STORE_SECONDS", 60.0)


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


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(RuntimeError("a fault"), id="a fault of ours"),
        pytest.param(StatementFailed("wrong"), id="a statement that is wrong"),
        pytest.param(ConstraintViolated("there already"), id="a value that is there already"),
        pytest.param(DeadlineExceeded("too slow"), id="work that takes too long"),
        pytest.param(KeyError("kind"), id="a key that is missing"),
    ],
)
async def test_work_that_fails_leaves_nothing_and_keeps_no_other_from_its_turn(
    empty_store: Store, fault: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timers, "_FIRST_PAUSE_MS", 600_000)

    async def broken(transaction: Transaction, due: Due) -> None:
        await mark(transaction, due)
        if due.about == "t1":
            raise fault

    await armed(empty_store, "t1")
    await armed(empty_store, "t2", 2)
    assert await ring(empty_store, {"test": broken}, most=9, deadline=soon()) == 1
    assert await traces(empty_store) == {"t2": 1}
    assert await ring(empty_store, {"test": broken}, most=9, deadline=soon()) == 0, "it is put off"
    await run(empty_store, "MATCH (t:Timer) SET t.dueAt = 1")
    assert await rung(empty_store) == 1


async def test_pauses_grow_with_each_failure_up_to_an_hour_and_are_forgotten_after_success(empty_store: Store) -> None:
    async def broken(_transaction: Transaction, _due: Due) -> None:
        raise StatementFailed("wrong")

    await armed(empty_store, "t1")
    exact = [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600, 3600]
    for wanted in exact:
        await run(empty_store, "MATCH (t:Timer) SET t.dueAt = 1")
        began = time.monotonic()
        await ring(empty_store, {"test": broken}, most=9, deadline=soon())
        [[pause]] = await rows(empty_store, "MATCH (t:Timer) RETURN t.dueAt - datetime.realtime().epochMillis")
        passed = time.monotonic() - began
        assert wanted - passed - 1 <= int(str(pause)) / 1_000 <= wanted + 1
    await run(empty_store, "MATCH (t:Timer) SET t.dueAt = 1")

    async def again(_transaction: Transaction, due: Due) -> int:
        return due.now + 60_000

    assert await ring(empty_store, {"test": again}, most=9, deadline=soon()) == 1
    assert await rows(empty_store, "MATCH (t:Timer) RETURN t.failures") == [[None]]


async def test_only_a_database_that_is_away_ends_a_round(empty_store: Store) -> None:
    tried: list[str] = []

    async def away(_transaction: Transaction, due: Due) -> None:
        tried.append(due.about)
        raise StoreUnavailable("away")

    await armed(empty_store, "t1")
    await armed(empty_store, "t2", 2)
    with pytest.raises(StoreUnavailable):
        await ring(empty_store, {"test": away}, most=9, deadline=soon())
    assert set(tried) == {"t1"}
    assert [each[1] for each in await rows(empty_store, LEFT)] == [1, 2], "nobody is put off for it"


async def test_many_timers_that_fail_or_that_nobody_knows_do_not_hide_one_that_is_due(empty_store: Store) -> None:
    async def broken(transaction: Transaction, due: Due) -> None:
        if due.about != "t-last":
            raise ConstraintViolated("there already")
        await mark(transaction, due)

    for number in range(6):
        await armed(empty_store, f"t{number}")
    await run(empty_store, "MATCH (t:Timer) SET t.kind = 'unknown'")
    for number in range(6, 9):
        await armed(empty_store, f"t{number}")
    await armed(empty_store, "t-last", 9)
    assert await ring(empty_store, {"test": broken}, most=3, deadline=soon()) == 0
    assert await ring(empty_store, {"test": broken}, most=3, deadline=soon()) == 1
    assert await traces(empty_store) == {"t-last": 1}


async def test_ringing_goes_on_whatever_is_raised(empty_store: Store) -> None:
    done = asyncio.Event()
    faults = iter((RuntimeError("a fault"), Contended("busy"), StoreUnavailable("away")))

    async def stubborn(_transaction: Transaction, _due: Due) -> int:
        for fault in faults:
            raise fault
        done.set()
        return FAR

    await armed(empty_store, "t1")
    ringing = asyncio.create_task(keep_ringing(empty_store, {"test": stubborn}))
    while not done.is_set():
        await run(empty_store, "MATCH (t:Timer) SET t.dueAt = 1")
        await asyncio.sleep(0.05)
    ringing.cancel()
    await asyncio.gather(ringing, return_exceptions=True)


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
