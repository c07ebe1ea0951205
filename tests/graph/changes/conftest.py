from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from graph.changes.alarms.acknowledge import acknowledge_alarm
from graph.changes.outcome import Outcome
from graph.changes.policy import AlarmPolicy
from graph.model.scope import Principal, Role
from graph.store.store import Store, Transaction

OPERATOR = Principal(subject="9:issuer-a:ann", role=Role.OPERATOR)
RAISED_AT = 1_700_000_000_000

SEED = """
UNWIND $customers AS name
MERGE (c:Customer {id: 'customer-' + name})
WITH collect(c) AS kept
UNWIND $alarms AS number
CREATE (a:Alarm {
  id: 'alarm-' + toString(number), sourceSystemId: 'fault-management', state: 'raised',
  ackState: 'unacknowledged', raisedAt: $at, changedAt: $at
})
WITH a
UNWIND $affected AS name
MATCH (c:Customer {id: 'customer-' + name})
CREATE (a)-[:AFFECTS {effect: 'down'}]->(:Service {id: 'service-' + name + toString(rand())})<-[:SUBSCRIBES_TO]-(c)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A database with alarms `alarm-0`... that affect two customers, one of them twice, and not the third."""

    store: Store

    async def acknowledge(self, key: str, alarm: str = "alarm-0", principal: Principal = OPERATOR) -> Outcome:
        return await acknowledge_alarm(
            self.store, principal, AlarmPolicy(), alarm_id=alarm, idempotency_key=key, deadline=time.monotonic() + 60
        )

    async def rows(self, text: str, **parameters: object) -> list[list[object]]:
        return await self.store.rows(text, parameters, deadline=time.monotonic() + 60)

    async def run(self, text: str, parameters: Mapping[str, object]) -> list[list[object]]:
        async def work(transaction: Transaction) -> list[list[object]]:
            return await transaction.run(text, parameters)

        return await self.store.write(work, deadline=time.monotonic() + 60)

    async def events(self) -> list[list[object]]:
        return await self.rows("MATCH (e:Event) RETURN e.aggregateId, e.aggregateVersion ORDER BY e.aggregateId")

    async def now(self) -> int:
        [[now]] = await self.rows("RETURN timestamp()")
        assert isinstance(now, int)
        return now


@pytest.fixture
async def scene(empty_store: Store) -> Scene:
    scene = Scene(store=empty_store)
    seeds = {"customers": ["a", "b", "c"], "affected": ["a", "b", "b"], "alarms": list(range(8)), "at": RAISED_AT}
    await scene.run(SEED, seeds)
    return scene
