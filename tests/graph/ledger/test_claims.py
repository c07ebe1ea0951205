from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence

import pytest

from graph.ledger.claims import Claim, claim
from graph.ledger.lanes import Leases, lanes_of, leave_lanes, take_lanes
from graph.ledger.outcomes import Again, Dead, Done, Outcome, settle
from graph.ledger.retry import MOST_AGE_MS, is_over, pause_ms
from graph.store.store import Store, Transaction
from tests.graph.changes.network import soon

LANE = "desk#0"
MAKE = """
UNWIND range(1, $count) AS n
CREATE (:Delivery {
  id: 'delivery-' + toString(n), system: 'desk', subject: 'c', lane: $lane, waiting: $lane, due: $lane,
  orderKey: 'key-' + toString(n), openKey: 'key-' + toString(n), queued: 'desk#' + toString(timestamp()),
  version: 1, state: 'READY', attempts: 0, createdAt: timestamp(), since: timestamp(), nextAt: 0, payload: '{}'
})
"""
STATE = "MATCH (d:Delivery) RETURN d.id, d.state, d.waiting, d.attempts, d.lastError ORDER BY d.id"


async def made(store: Store, count: int) -> None:
    await run(store, MAKE, count=count, lane=LANE)


async def run(store: Store, text: str, **parameters: object) -> None:
    async def work(transaction: Transaction) -> None:
        await transaction.run(text, parameters)

    await store.write(work, deadline=soon())


async def taken(store: Store, owner: str, ttl_ms: int = 60_000) -> Leases:
    return await take_lanes(store, "desk", owner=owner, ttl_ms=ttl_ms, deadline=soon())


async def left(store: Store, owner: str) -> None:
    await leave_lanes(store, "desk", owner=owner, deadline=soon())


async def claimed(store: Store, lease: Leases, *, most: int = 100, hold_ms: int = 60_000) -> list[Claim]:
    return await claim(store, lease, most=most, hold_ms=hold_ms, deadline=soon())


async def settled(store: Store, *outcomes: Outcome) -> frozenset[str]:
    async def work(transaction: Transaction) -> frozenset[str]:
        return await settle(transaction, outcomes)

    return await store.write(work, deadline=soon())


async def test_claims_are_locked_in_the_order_of_their_keys(empty_store: Store) -> None:
    await made(empty_store, 12)
    lease = await taken(empty_store, "one")
    claims = await claimed(empty_store, lease, most=9)
    assert len(claims) == 9
    assert [each.order_key for each in claims] == sorted(each.order_key for each in claims)


@pytest.mark.parametrize(("kind", "locked"), [(Done, [1, 1, None]), (Dead, [1, 1, 1])])
async def test_what_follows_an_outcome_is_locked_with_it(
    empty_store: Store, kind: type[Done | Dead], locked: list[int | None]
) -> None:
    await made(empty_store, 3)
    text = "MATCH (d:Delivery) WHERE d.id <> 'delivery-1' SET d.due = null, d.queued = null"
    await run(empty_store, text)
    for number in (1, 2, 3):
        text = "MATCH (d:Delivery {id: $id}) SET d.orderKey = 'key', d.openKey = 'key', d.version = $version"
        await run(empty_store, text, id=f"delivery-{number}", version=number)
    [first] = await claimed(empty_store, await taken(empty_store, "one"))
    outcome = Done(claim=first) if kind is Done else Dead(claim=first, error="x", reason="refused")
    assert await settled(empty_store, outcome) == {"delivery-1"}
    rows = await empty_store.rows("MATCH (d:Delivery) RETURN d._locked ORDER BY d.id", {}, deadline=soon())
    assert [row[0] for row in rows] == locked


async def states(store: Store) -> Sequence[Sequence[object]]:
    return await store.rows(STATE, {}, deadline=soon())


async def test_a_delivery_is_claimed_by_one_of_many_that_ask_at_once(empty_store: Store) -> None:
    await made(empty_store, 20)
    lease = await taken(empty_store, "one")
    found = await asyncio.gather(*(claimed(empty_store, lease, most=7) for _ in range(8)))
    times = Counter(each.id for claims in found for each in claims)
    assert set(times.values()) <= {1}
    assert {each.attempts for claims in found for each in claims} == {1}


async def test_an_attempt_is_counted_and_nobody_else_gets_it_for_a_while(empty_store: Store) -> None:
    await made(empty_store, 1)
    lease = await taken(empty_store, "one")
    [first] = await claimed(empty_store, lease, hold_ms=300)
    assert await claimed(empty_store, lease) == []
    await asyncio.sleep(0.5)
    [second] = await claimed(empty_store, lease)
    assert (first.attempts, second.attempts) == (1, 2)


async def test_who_has_lost_the_lane_claims_nothing(empty_store: Store) -> None:
    await made(empty_store, 1)
    lost = await taken(empty_store, "one")
    await left(empty_store, "one")
    assert await claimed(empty_store, lost) == [], "its lease is over"
    current = await taken(empty_store, "two")
    assert await claimed(empty_store, lost) == [], "another has it"
    assert len(await claimed(empty_store, current)) == 1


async def test_who_gives_up_lanes_that_it_has_lost_takes_them_from_nobody(empty_store: Store) -> None:
    await taken(empty_store, "one", ttl_ms=1)
    await asyncio.sleep(0.05)
    current = await taken(empty_store, "two")
    assert len(current.epochs) == 16
    await left(empty_store, "one")
    assert (await taken(empty_store, "two")).epochs == current.epochs


async def test_what_lies_in_several_lanes_is_claimed_at_once_and_none_of_them_always_first(empty_store: Store) -> None:
    for lane in lanes_of("desk"):
        await run(empty_store, MAKE.replace("'delivery-'", f"'{lane}-'"), count=2, lane=lane)
    leases, firsts = await taken(empty_store, "one"), set()
    for _ in range(8):
        [first] = await claimed(empty_store, leases, most=1)
        firsts.add(first.id.partition("-")[0])
    assert len(firsts) > 1
    assert len(await claimed(empty_store, leases)) + 8 == 32


@pytest.mark.parametrize("late", [Done, Dead])
async def test_an_outcome_of_an_earlier_claim_is_not_taken(empty_store: Store, late: type[Outcome]) -> None:
    await made(empty_store, 1)
    lost = await taken(empty_store, "one")
    [first] = await claimed(empty_store, lost, hold_ms=1)
    await left(empty_store, "one")
    await asyncio.sleep(0.05)
    [second] = await claimed(empty_store, await taken(empty_store, "two"))
    assert second.epoch > first.epoch
    outcome = Done(claim=first) if late is Done else Dead(claim=first, error="late", reason="refused")
    assert await settled(empty_store, outcome) == frozenset()
    assert await states(empty_store) == [["delivery-1", "READY", LANE, 2, None]]
    assert await settled(empty_store, Done(claim=second)) == {"delivery-1"}
    assert await settled(empty_store, Done(claim=second)) == frozenset(), "once"


async def test_outcomes_are_kept_each_in_its_own_way(empty_store: Store) -> None:
    await made(empty_store, 3)
    lease = await taken(empty_store, "one")
    one, two, three = sorted(await claimed(empty_store, lease, hold_ms=0), key=lambda each: each.id)
    await settled(
        empty_store,
        Done(claim=one, note="it was closed there"),
        Again(claim=two, error="it was busy", pause_ms=60_000),
        Dead(claim=three, error="it was refused", reason="refused"),
    )
    assert await states(empty_store) == [
        ["delivery-1", "DONE", None, 1, "it was closed there"],
        ["delivery-2", "READY", LANE, 1, "it was busy"],
        ["delivery-3", "DEAD", None, 1, "it was refused"],
    ]
    assert await claimed(empty_store, lease) == [], "the second is not due yet"


def test_a_pause_is_between_nothing_and_a_bound_that_doubles() -> None:
    for attempts, bound in ((1, 1_000), (2, 2_000), (5, 16_000), (30, 900_000)):
        drawn = [pause_ms(attempts) for _ in range(500)]
        assert 0 <= min(drawn) < bound / 10
        assert bound * 0.9 < max(drawn) <= bound
    assert min(pause_ms(1, at_least_ms=5_000) for _ in range(100)) == 5_000


def test_what_is_refused_is_given_up_at_the_third_attempt_and_anything_after_a_week() -> None:
    assert [is_over(attempts, 0, refused=True) for attempts in (1, 2, 3)] == [False, False, True]
    assert not is_over(1_000, MOST_AGE_MS, refused=False)
    assert is_over(1, MOST_AGE_MS + 1, refused=False)
