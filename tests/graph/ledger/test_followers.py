"""A follower is one process's at a time, its checkpoint moves behind what was given, and nothing of it is swept before."""

from __future__ import annotations

import pytest

from graph.ledger import sequence
from graph.ledger.followers import FollowerPage, Held, Lag, lag_of, leave, move, next_page, take
from graph.ledger.positions import place
from graph.ledger.retention import sweep
from graph.ledger.sequence import Gap
from graph.store.store import Store, Transaction
from tests.graph.changes.network import soon
from tests.graph.ledger.asking import rows, run
from tests.graph.ledger.test_reader import commit

TTL_MS = 30_000


async def placed(store: Store, *types: str) -> None:
    await commit(store, *[(each, ()) for each in types])
    assert (await place(store, owner="placer", renew=False, deadline=soon())).events == len(types)


async def took(store: Store, owner: str) -> Held | None:
    return await take(store, "kafka", owner=owner, ttl_ms=TTL_MS, deadline=soon())


async def page(store: Store, after: int, upto: int, gap: Gap | None = None) -> tuple[int, list[int]]:
    found: FollowerPage = await next_page(store, after, upto, ["AlarmRaised"], gap or Gap(), deadline=soon())
    return found.upto, [each.position for each in found.events]


async def test_a_new_follower_begins_at_the_end(empty_store: Store) -> None:
    await placed(empty_store, "AlarmRaised", "AlarmRaised")
    held = await took(empty_store, "one")
    assert held is not None
    assert (held.after, held.epoch) == (2, 1)


async def test_one_process_has_it_until_its_lease_is_over(empty_store: Store) -> None:
    first = await took(empty_store, "one")
    assert first is not None
    assert await took(empty_store, "two") is None
    again = await took(empty_store, "one")
    assert again is not None
    assert again.epoch == first.epoch, "renewing is not taking"
    await run(empty_store, "MATCH (f:Follower) SET f.until = 0")
    second = await took(empty_store, "two")
    assert second is not None
    assert second.epoch == first.epoch + 1


async def test_who_has_lost_it_moves_nothing(empty_store: Store) -> None:
    await placed(empty_store, *["AlarmRaised"] * 3)
    first = await took(empty_store, "one")
    assert first is not None
    await run(empty_store, "MATCH (f:Follower) SET f.after = 0, f.until = 0")
    assert await move(empty_store, first, 3, ttl_ms=TTL_MS, deadline=soon()) is None, "its lease is over"
    second = await took(empty_store, "two")
    assert second is not None
    moved = await move(empty_store, second, 2, ttl_ms=TTL_MS, deadline=soon())
    assert moved is not None
    assert await move(empty_store, first, 3, ttl_ms=TTL_MS, deadline=soon()) is None, "it is another's"
    await leave(empty_store, first, deadline=soon())
    assert await took(empty_store, "three") is None, "who has lost it gives nothing up"
    await leave(empty_store, moved, deadline=soon())
    third = await took(empty_store, "three")
    assert third is not None
    assert third.after == 2, "it goes on where the one before ended"


async def test_who_took_it_anew_is_not_who_had_it(empty_store: Store) -> None:
    first = await took(empty_store, "one")
    assert first is not None
    await run(empty_store, "MATCH (f:Follower) SET f.until = 0")
    assert await took(empty_store, "one") is not None
    assert await move(empty_store, first, 7, ttl_ms=TTL_MS, deadline=soon()) is None


async def test_a_page_has_what_is_wanted_up_to_its_end(empty_store: Store) -> None:
    await placed(empty_store, "AlarmRaised", "AlarmCleared", "AlarmRaised", "AlarmCleared")
    assert await page(empty_store, 0, 4) == (4, [1, 3])
    assert await page(empty_store, 1, 3) == (3, [3])


async def test_a_page_ends_at_a_gap_until_it_is_given_up(empty_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    await placed(empty_store, *["AlarmRaised"] * 4)
    await run(empty_store, "MATCH (e:Event {position: 2}) DETACH DELETE e")
    gap = Gap()
    assert await page(empty_store, 0, 4, gap) == (1, [1])
    assert await page(empty_store, 1, 4, gap) == (1, [])
    monkeypatch.setattr(sequence, "PATIENCE_SECONDS", 0.0)
    assert await page(empty_store, 1, 4, gap) == (4, [3, 4])


async def test_a_lag_is_what_was_not_given(empty_store: Store) -> None:
    assert await lag_of(empty_store, "kafka", deadline=soon()) is None
    held = await took(empty_store, "one")
    assert held is not None
    assert await lag_of(empty_store, "kafka", deadline=soon()) == Lag(positions=0, seconds=0.0)
    await placed(empty_store, "AlarmRaised", "AlarmCleared")
    lag = await lag_of(empty_store, "kafka", deadline=soon())
    assert lag is not None
    assert lag.positions == 2
    assert lag.seconds > 1, "these are events of long ago"
    await move(empty_store, held, 2, ttl_ms=TTL_MS, deadline=soon())
    assert await lag_of(empty_store, "kafka", deadline=soon()) == Lag(positions=0, seconds=0.0)


async def test_what_a_follower_was_not_given_is_not_swept(empty_store: Store) -> None:
    await took(empty_store, "one")
    await placed(empty_store, *["AlarmRaised"] * 3)
    await run(empty_store, "MATCH (f:Follower) SET f.after = 2")

    async def swept(*followers: str) -> int:
        async def work(transaction: Transaction) -> int:
            return await sweep(transaction, "events", before=2**60, most=100, followers=followers)

        return await empty_store.write(work, deadline=soon())

    assert await swept("kafka") == 2
    assert await rows(empty_store, "MATCH (e:Event) RETURN e.position") == [[3]]
    assert await swept() == 1, "of no settings"
