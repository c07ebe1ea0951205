from __future__ import annotations

import asyncio
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from graph.ledger.lanes import SHARDS, Leases, lane_of, lanes_of, leave_lanes, share_of, take_lanes
from graph.store.store import Store
from tests.graph.changes.network import soon

LONG = 60_000


async def take(store: Store, owner: str, ttl_ms: int = LONG, system: str = "desk") -> Leases:
    return await take_lanes(store, system, owner=owner, ttl_ms=ttl_ms, deadline=soon())


async def settle(store: Store, owners: str) -> dict[str, Leases]:
    """Let everybody renew until each has its share."""
    for _ in range(4):
        leases = {each: await take(store, each) for each in owners}
        if all(each.is_share for each in leases.values()):
            return leases
    raise AssertionError("they never had their shares")


def owners(leases: dict[str, Leases]) -> Counter[str]:
    return Counter(lane for each in leases.values() for lane in each.epochs)


@given(st.sets(st.text(min_size=1), min_size=1, max_size=40))
def test_the_shares_of_all_are_all_lanes_and_nearly_equal(names: set[str]) -> None:
    shares = [share_of(each, names) for each in names]
    assert sum(shares) == SHARDS
    assert max(shares) - min(shares) <= 1


def test_an_order_key_has_one_lane_and_the_keys_are_spread() -> None:
    found = Counter(lane_of("desk", f"alarm-{number}:customer-1") for number in range(1_600))
    assert set(found) == set(lanes_of("desk"))
    assert max(found.values()) < 200


async def test_who_comes_gets_a_share_of_what_others_have(empty_store: Store) -> None:
    alone = await take(empty_store, "a")
    assert set(alone.epochs) == set(lanes_of("desk"))
    second = await take(empty_store, "b")
    assert not second.epochs
    assert not second.is_share
    leases = await settle(empty_store, "abc")
    assert set(owners(leases).values()) == {1}
    assert sorted(len(each.epochs) for each in leases.values()) == [5, 5, 6]


async def test_a_lane_has_one_owner_whoever_asks_at_once(empty_store: Store) -> None:
    for _ in range(3):
        found = await asyncio.gather(*(take(empty_store, f"p{number}") for number in range(6)))
        assert set(Counter(lane for each in found for lane in each.epochs).values()) <= {1}


async def test_the_lanes_of_one_that_died_are_taken_with_a_higher_epoch(empty_store: Store) -> None:
    await take(empty_store, "a", ttl_ms=1)
    dead = await take(empty_store, "b", ttl_ms=400)
    assert len(dead.epochs) == SHARDS, "the first had died already"
    assert not (await take(empty_store, "c")).epochs
    await asyncio.sleep(0.5)
    heirs = await take(empty_store, "c")
    assert set(heirs.epochs) == set(dead.epochs)
    assert all(epoch == dead.epochs[lane] + 1 for lane, epoch in heirs.epochs.items())


async def test_who_leaves_is_waited_for_by_nobody(empty_store: Store) -> None:
    await take(empty_store, "a")
    await leave_lanes(empty_store, "desk", owner="a", deadline=soon())
    after = await take(empty_store, "b")
    assert (len(after.epochs), after.is_share) == (SHARDS, True)


async def test_a_renewal_keeps_the_epochs(empty_store: Store) -> None:
    first = await take(empty_store, "a")
    assert (await take(empty_store, "a")).epochs == first.epochs


async def test_systems_do_not_count_each_others_processes(empty_store: Store) -> None:
    await take(empty_store, "a", system="billing")
    assert len((await take(empty_store, "b")).epochs) == SHARDS


async def test_who_is_long_dead_is_forgotten(empty_store: Store) -> None:
    await take(empty_store, "a", ttl_ms=1)
    await asyncio.sleep(0.05)
    await take(empty_store, "b", ttl_ms=1)
    rows = await empty_store.rows("MATCH (w:Worker) RETURN w.id", {}, deadline=soon())
    assert rows == [["desk:b"]]
