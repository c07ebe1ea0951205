"""The promises of the store that hold on both databases."""

from __future__ import annotations

import asyncio
import contextlib
import time

import pytest

from graph.errors import ConstraintViolated, Contended, DeadlineExceeded, StatementFailed, StoreUnavailable
from graph.store import store as store_module
from graph.store.store import Store, Transaction, open_store

_ENDLESS = (
    "UNWIND range(1, 100000) AS a UNWIND range(1, 100000) AS b WITH a, b WHERE a * b % 7 = 3 RETURN count(*) AS data"
)


def _soon(seconds: float = 30.0) -> float:
    return time.monotonic() + seconds


async def _running(store: Store) -> int:
    rows = await store.rows("SHOW TRANSACTIONS YIELD currentQuery RETURN currentQuery", {}, deadline=_soon())
    return sum("100000" in str(row[0]) for row in rows)


async def _comes_to_rest(store: Store) -> bool:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        if await _running(store) == 0:
            return True
        await asyncio.sleep(0.05)
    return False


async def test_a_read_gives_the_one_value_in_its_order(store: Store) -> None:
    assert await store.read("RETURN [1, [$x, null], 'a'] AS data", {"x": 2.5}, deadline=_soon()) == [
        1,
        [2.5, None],
        "a",
    ]


async def test_rows_gives_every_row_as_a_list(store: Store) -> None:
    rows = await store.rows("UNWIND range(1, 3) AS i RETURN i, i * i", {}, deadline=_soon())
    assert rows == [[1, 1], [2, 4], [3, 9]]


async def test_a_large_record_comes_whole(store: Store) -> None:
    data = await store.read("RETURN [i IN range(1, 50000) | [i, 'x']] AS data", {}, deadline=_soon())
    assert isinstance(data, list)
    assert len(data) == 50_000


async def test_ping_learns_the_version(store: Store) -> None:
    assert (await store.ping(deadline=_soon())).startswith("5.")
    assert store.version


async def test_a_read_that_gives_no_record_is_a_fault_of_ours(store: Store) -> None:
    with pytest.raises(StatementFailed):
        await store.read("UNWIND [] AS i RETURN i AS data", {}, deadline=_soon())


async def test_a_statement_that_is_no_cypher_is_a_fault_of_ours(store: Store) -> None:
    with pytest.raises(StatementFailed):
        await store.read("RETRUN 1 AS data", {}, deadline=_soon())


async def test_a_deadline_ends_the_waiting_and_the_statement(store: Store) -> None:
    start = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        await store.read(_ENDLESS, {}, deadline=_soon(0.5))
    assert time.monotonic() - start < 5
    assert await _comes_to_rest(store)


async def test_a_deadline_that_is_over_is_said_to_be(store: Store) -> None:
    with pytest.raises(DeadlineExceeded):
        await store.read("RETURN 1 AS data", {}, deadline=time.monotonic() - 1)


async def test_cancelling_the_task_ends_the_statement(store: Store) -> None:
    task = asyncio.create_task(store.read(_ENDLESS, {}, deadline=_soon(60)))
    await asyncio.sleep(0.5)
    assert await _running(store) == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await _comes_to_rest(store)


async def test_a_deadline_ends_the_statement_of_a_write_too(store: Store) -> None:
    async def work(transaction: Transaction) -> None:
        await transaction.run(_ENDLESS, {})

    with pytest.raises(DeadlineExceeded):
        await store.write(work, deadline=_soon(0.5))
    assert await _comes_to_rest(store)


async def test_other_reads_go_on_while_one_is_slow(store: Store) -> None:
    slow = asyncio.create_task(store.read(_ENDLESS, {}, deadline=_soon(3)))
    for _ in range(20):
        assert await store.read("RETURN 1 AS data", {}, deadline=_soon(2.5)) == 1
    with pytest.raises(DeadlineExceeded):
        await slow


async def test_an_address_where_nobody_listens_is_a_store_that_is_away_and_not_a_traceback() -> None:
    away = await open_store("bolt://127.0.0.1:9")
    try:
        with pytest.raises(StoreUnavailable) as caught:
            await away.read("RETURN 1 AS data", {}, deadline=_soon())
        assert caught.value.retry_after > 0
    finally:
        await away.close()


async def test_a_unit_of_work_commits_as_a_whole(empty_store: Store) -> None:
    async def work(transaction: Transaction) -> object:
        await transaction.run("CREATE (:Site {id: 'site-1', name: $name})", {"name": "Köln"})
        rows = await transaction.run("MATCH (s:Site {id: 'site-1'}) RETURN s.name", {})
        return rows[0][0]

    assert await empty_store.write(work, deadline=_soon()) == "Köln"
    assert await _count(empty_store) == 1


async def test_what_a_failed_unit_of_work_wrote_is_not_there(empty_store: Store) -> None:
    async def work(transaction: Transaction) -> None:
        await transaction.run("CREATE (:Site {id: 'site-1'})", {})
        raise LookupError

    with pytest.raises(LookupError):
        await empty_store.write(work, deadline=_soon())
    assert await _count(empty_store) == 0


async def test_a_statement_that_fails_takes_the_whole_unit_with_it(empty_store: Store) -> None:
    async def work(transaction: Transaction) -> None:
        await transaction.run("CREATE (:Site {id: 'site-1'})", {})
        await transaction.run("CREATE CREATE", {})

    with pytest.raises(StatementFailed):
        await empty_store.write(work, deadline=_soon())
    assert await _count(empty_store) == 0


async def test_what_may_come_later_is_there_for_the_next_statement_and_at_the_commit(empty_store: Store) -> None:
    make = "UNWIND $ids AS id CREATE (:Site {id: id, name: $name})"
    rename = "MATCH (s:Site {id: $id}) SET s.name = $name"

    async def work(transaction: Transaction) -> list[list[object]]:
        transaction.later(make, {"ids": [], "name": "nobody"})
        transaction.later(make, {"ids": ["a", "b"], "name": "first"})
        transaction.later(rename, {"id": "b", "name": "second"})
        seen = await transaction.run("MATCH (s:Site) RETURN s.id, s.name ORDER BY s.id", {})
        transaction.later(rename, {"id": "none", "name": "third"})
        transaction.later(rename, {"id": "a", "name": "third"})
        return seen

    assert await empty_store.write(work, deadline=_soon()) == [["a", "first"], ["b", "second"]]
    rows = await empty_store.rows("MATCH (s:Site) RETURN s.id, s.name ORDER BY s.id", {}, deadline=_soon())
    assert rows == [["a", "third"], ["b", "second"]]


async def test_what_comes_later_and_fails_takes_the_whole_unit_with_it(empty_store: Store) -> None:
    async def work(transaction: Transaction) -> None:
        transaction.later("CREATE (:Site {id: $id})", {"id": "a"})
        transaction.later("CREATE (:Site {id: $id})", {"id": "a"})

    with pytest.raises(ConstraintViolated):
        await empty_store.write(work, deadline=_soon())
    assert await empty_store.rows("MATCH (s:Site) RETURN s.id", {}, deadline=_soon()) == []


async def test_a_cancelled_unit_of_work_leaves_nothing(empty_store: Store) -> None:
    begun = asyncio.Event()

    async def work(transaction: Transaction) -> None:
        await transaction.run("CREATE (:Site {id: 'site-1'})", {})
        begun.set()
        await asyncio.sleep(60)

    task = asyncio.create_task(empty_store.write(work, deadline=_soon(60)))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await _count(empty_store) == 0


@pytest.mark.parametrize(
    "becomes", [None, StoreUnavailable("the connection is gone")], ids=["nothing", "another error"]
)
async def test_a_cancellation_that_gets_lost_below_ends_the_task(store: Store, becomes: Exception | None) -> None:
    """As in a driver: whoever writes in a loop would never end."""
    begun = asyncio.Event()

    async def work(_: Transaction) -> None:
        begun.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            if becomes is not None:
                raise becomes from None

    async def writes_on() -> None:
        while True:
            with contextlib.suppress(StoreUnavailable):
                await store.write(work, deadline=_soon())

    writing = asyncio.create_task(writes_on())
    await begun.wait()
    writing.cancel()
    async with asyncio.timeout(20):
        await asyncio.wait({writing})
    assert writing.cancelled()


async def test_concurrent_increments_are_all_counted_and_do_not_repeat_one_another(empty_store: Store) -> None:
    attempts = 0

    async def create(transaction: Transaction) -> None:
        await transaction.run("CREATE (:Site {id: 'site-1', n: 0})", {})

    async def increment(transaction: Transaction) -> None:
        nonlocal attempts
        attempts += 1
        text = "MATCH (s:Site {id: 'site-1'}) SET s._lock = true REMOVE s._lock WITH s SET s.n = s.n + 1"
        await transaction.run(text, {})

    await empty_store.write(create, deadline=_soon())
    await asyncio.gather(*(empty_store.write(increment, deadline=_soon()) for _ in range(25)))
    assert await empty_store.read("MATCH (s:Site {id: 'site-1'}) RETURN s.n AS data", {}, deadline=_soon()) == 25
    assert attempts <= 3 * 25, "whoever has been in another's way comes after it"


async def test_concurrent_merges_of_one_key_make_one_node(empty_store: Store) -> None:
    async def merge(transaction: Transaction) -> None:
        await transaction.run("MERGE (s:Site {id: $id}) ON CREATE SET s.name = 'one'", {"id": "site-1"})

    await asyncio.gather(*(empty_store.write(merge, deadline=_soon()) for _ in range(30)))
    assert await _count(empty_store) == 1


async def test_a_value_that_is_taken_is_refused_after_a_bounded_number_of_attempts(empty_store: Store) -> None:
    attempts = 0

    async def work(transaction: Transaction) -> None:
        nonlocal attempts
        attempts += 1
        await transaction.run("CREATE (:Site {id: 'site-1'})", {})

    await empty_store.write(work, deadline=_soon())
    attempts = 0
    with pytest.raises(ConstraintViolated):
        await empty_store.write(work, deadline=_soon())
    assert 1 < attempts < 10


async def test_contention_is_not_retried_past_the_deadline(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    attempts = 0

    async def work(_: Transaction) -> None:
        nonlocal attempts
        attempts += 1
        if attempts == 3:
            monkeypatch.setattr(store_module, "_PAUSE_SECONDS", (0.0, 60.0))  # the next would be too late
        raise Contended("another transaction was in the way")

    with pytest.raises(Contended):
        await store.write(work, deadline=_soon(30))
    assert attempts == 3


async def _count(store: Store) -> object:
    return await store.read("MATCH (s:Site) RETURN count(s) AS data", {}, deadline=_soon())
