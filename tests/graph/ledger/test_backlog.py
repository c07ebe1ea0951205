from __future__ import annotations

import time

from graph.ledger.backlog import lane_states, system_backlogs
from graph.ledger.lanes import take_lanes
from graph.store.store import Store
from tests.graph.changes.network import soon
from tests.graph.ledger.asking import run

DELIVERY = """
CREATE (e:Event {id: $id, type: 'T', aggregateId: $id, aggregateVersion: 1, at: $at, principal: 'p', payload: '{}'})
WITH e UNWIND $states AS state
CREATE (:Delivery {
  id: $id + ':' + state, system: 'desk', subject: 's', lane: $lane, orderKey: $id + '-' + state, version: 1, state: state,
  waiting: CASE WHEN state = 'READY' THEN $lane END, parked: CASE WHEN state = 'DEAD' THEN $lane END,
  due: CASE WHEN state = 'READY' THEN $lane END, queued: CASE WHEN state = 'READY' THEN 'desk#' + toString($at) END,
  openKey: CASE WHEN state <> 'DONE' THEN $id + '-' + state END, parkedFor: CASE WHEN state = 'DEAD' THEN 'refused' END,
  attempts: 3, createdAt: $at, since: $at, nextAt: $at, lastError: 'it was busy', payload: '{}'
})-[:TELLS]->(e)
"""


async def told(store: Store, name: str, *states: str, at: int, lane: str = "desk#3") -> None:
    await run(store, DELIVERY, id=f"event-{name}", states=list(states), at=at, lane=lane)


async def test_a_lane_tells_what_waits_since_when_and_what_is_parked(empty_store: Store) -> None:
    now = int(time.time() * 1_000)
    await take_lanes(empty_store, "desk", owner="one", ttl_ms=60_000, deadline=soon())
    await told(empty_store, "a", "READY", "DONE", at=now - 90_000)
    await told(empty_store, "b", "READY", "DEAD", at=now - 30_000)
    lanes = {each.id: each for each in await lane_states(empty_store, deadline=soon())}
    assert len(lanes) == 16
    lane = lanes["desk#3"]
    assert (lane.system, lane.shard, lane.owner, lane.waiting, lane.parked) == ("desk", 3, "one", 2, 1)
    assert (lane.attempts, lane.last_error, lane.oldest_at) == (3, "it was busy", now - 90_000)
    assert 85 < lane.oldest_seconds < 150
    assert lane.parked_keys == ("event-b-DEAD",)
    assert lanes["desk#4"].waiting == 0
    [desk] = await system_backlogs(empty_store, deadline=soon())
    assert (desk.system, desk.waiting, desk.parked) == ("desk", 2, 1)


async def test_a_lane_whose_owner_died_has_none(empty_store: Store) -> None:
    await take_lanes(empty_store, "desk", owner="one", ttl_ms=0, deadline=soon())
    await run(empty_store, "MATCH (l:Lane) SET l.until = 1")
    assert {each.owner for each in await lane_states(empty_store, deadline=soon())} == {None}


async def test_a_system_is_paused_while_one_that_is_there_says_so(empty_store: Store) -> None:
    async def paused() -> dict[str, bool]:
        return {each.system: each.is_paused for each in await system_backlogs(empty_store, deadline=soon())}

    for owner in ("one", "two"):
        for system in ("desk", "umbrella"):
            denied = (owner, system) == ("one", "desk")
            await take_lanes(empty_store, system, owner=owner, ttl_ms=60_000, paused=denied, deadline=soon())
    assert await paused() == {"desk": True, "umbrella": False}
    await run(empty_store, "MATCH (w:Worker {id: 'desk:one'}) SET w.until = 1")
    assert await paused() == {"desk": False, "umbrella": False}
