from __future__ import annotations

import asyncio
import contextlib
from itertools import pairwise
from typing import cast

from graph.changes.events import Event, append
from graph.ledger.positions import keep_placed, place
from graph.store.store import Store, Transaction
from tests.graph.changes.network import soon
from tests.graph.ledger.asking import rows, run

ALL = "MATCH (e:Event) RETURN e.position, e.aggregateId, e.aggregateVersion, e.unplaced ORDER BY e.position"


async def written(store: Store, aggregate: str, version: int, at: int) -> None:
    event = Event(
        type="UsageRecorded",
        aggregate_id=aggregate,
        aggregate_version=version,
        at=at,
        principal="tests",
        payload={},
        customers=(),
    )

    async def work(transaction: Transaction) -> None:
        append(transaction, event)

    await store.write(work, deadline=soon())


async def placed(store: Store, owner: str = "one", *, renew: bool = False) -> tuple[bool, int]:
    found = await place(store, owner=owner, renew=renew, deadline=soon())
    return found.owned, found.events


async def test_positions_begin_at_one_have_no_gaps_and_follow_time_and_version(empty_store: Store) -> None:
    for aggregate, version, at in (("b", 2, 20), ("a", 1, 10), ("b", 1, 20), ("a", 2, 30)):
        await written(empty_store, aggregate, version, at)
    assert await placed(empty_store) == (True, 4)
    await written(empty_store, "a", 3, 5)
    assert await placed(empty_store) == (True, 1)
    assert await rows(empty_store, ALL) == [
        [1, "a", 1, None],
        [2, "b", 1, None],
        [3, "b", 2, None],
        [4, "a", 2, None],
        [5, "a", 3, None],
    ]
    assert await placed(empty_store) == (True, 0)


async def test_one_process_gives_positions_until_its_lease_is_over(empty_store: Store) -> None:
    assert await placed(empty_store, "one") == (True, 0)
    await written(empty_store, "a", 1, 10)
    assert await placed(empty_store, "two") == (False, 0)
    await run(empty_store, "MATCH (s:Sequence) SET s.until = 0")
    assert await placed(empty_store, "two") == (True, 1)
    await written(empty_store, "a", 2, 11)
    assert await placed(empty_store, "one") == (False, 0)


async def test_many_that_want_to_give_positions_at_once_give_each_once(empty_store: Store) -> None:
    for version in range(1, 31):
        await written(empty_store, f"a{version % 7}", version, version)
    await run(empty_store, "MERGE (s:Sequence {id: 'sequence-events'}) SET s.owner = 'dead', s.until = 0, s.next = 1")
    found = await asyncio.gather(*(placed(empty_store, f"p{number}") for number in range(6)))
    assert sum(events for _, events in found) == 30
    assert [row[0] for row in await rows(empty_store, ALL)] == list(range(1, 31))


async def test_readers_never_miss_what_is_written_while_positions_are_given(empty_store: Store) -> None:
    """A reader that goes on after the last position it has seen sees every event once, in each aggregate's order."""
    giving = [asyncio.create_task(keep_placed(empty_store, owner=f"p{number}")) for number in range(2)]
    read: list[tuple[int, str, int]] = []
    text = (
        "MATCH (e:Event) WHERE e.position > $after RETURN e.position, e.aggregateId, e.aggregateVersion "
        "ORDER BY e.position"
    )

    async def write(aggregate: str) -> None:
        for version in range(1, 26):
            await written(empty_store, aggregate, version, version)

    async def follow() -> None:
        while len(read) < 100:
            after = read[-1][0] if read else 0
            read.extend(
                cast("list[tuple[int, str, int]]", [tuple(e) for e in await rows(empty_store, text, after=after)])
            )
            await asyncio.sleep(0.01)

    try:
        async with asyncio.timeout(60):
            await asyncio.gather(follow(), *(write(each) for each in "abcd"))
    finally:
        for each in giving:
            each.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await each
    assert [each[0] for each in read] == list(range(1, 101))
    for aggregate in "abcd":
        versions = [version for _, of, version in read if of == aggregate]
        assert all(before < after for before, after in pairwise(versions))
