"""Deliveries are found by what is due and open, alarms by the key of their identity; those of an earlier store get these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, cast

from graph.model.alarm import key_of_stored
from graph.store.store import Product, Store, Transaction

_AT_ONCE: Final = 2_000


# Deliveries: the first of an order key is due, what waits behind a parked one is held ------------------------------

# The bounds are what the index is asked by. Whatever waits or is parked has them; what is DONE has neither.
_OPEN_WAITING: Final = """
MATCH (d:Delivery) WHERE d.waiting > '' AND d.openKey IS NULL
WITH d LIMIT $most
SET d.openKey = d.orderKey
RETURN count(*)
"""
_OPEN_PARKED: Final = """
MATCH (d:Delivery) WHERE d.parked > '' AND d.openKey IS NULL
WITH d LIMIT $most
SET d.openKey = d.orderKey, d.since = d.createdAt
RETURN count(*)
"""
_QUEUE: Final = """
MATCH (d:Delivery) WHERE d.waiting > '' AND d.since IS NULL
WITH d LIMIT $most
WITH d, EXISTS {
  MATCH (e:Delivery {openKey: d.orderKey}) WHERE e.system = d.system AND e.state = 'DEAD' AND e.version < d.version
} AS stuck, EXISTS {
  MATCH (e:Delivery {openKey: d.orderKey}) WHERE e.system = d.system AND e.state <> 'DONE' AND e.version < d.version
} AS later
SET d.since = d.createdAt,
    d.waiting = CASE WHEN stuck THEN null ELSE d.lane END,
    d.held = CASE WHEN stuck THEN d.lane ELSE null END,
    d.due = CASE WHEN later THEN null ELSE d.lane END,
    d.queued = CASE WHEN later THEN null ELSE d.system + '#' + toString(d.createdAt) END
RETURN count(*)
"""


async def queue_deliveries(store: Store, *, deadline: float) -> None:
    """Say of each delivery whether it is due, waits behind another, or is held by a parked one (version 5)."""
    for text in (_OPEN_WAITING, _OPEN_PARKED, _QUEUE):
        await _repeat(store, text, deadline)


async def _repeat(store: Store, text: str, deadline: float) -> None:
    async def work(transaction: Transaction) -> int:
        [[count]] = await transaction.run(text, {"most": _AT_ONCE})
        return cast("int", count)

    while await store.write(work, deadline=deadline) == _AT_ONCE:
        pass


# Alarms: found by the key of their identity -------------------------------------------------------------------------

# Neo4j reads the index in order; the embedded database does so only where it is not asked to sort.
_ALARMS: Final[Mapping[Product, str]] = {
    Product.NEO4J: """
MATCH (a:Alarm) WHERE a.id > $after
WITH a ORDER BY a.id LIMIT $most
RETURN a.id, a.sourceSystemId, a.externalAlarmId, a.alarmedObjectRef, a.alarmType, a.probableCause, a.specificProblem
""",
    Product.ARCADEDB: """
MATCH (a:Alarm) WHERE a.id > $after
WITH a LIMIT $most
RETURN a.id, a.sourceSystemId, a.externalAlarmId, a.alarmedObjectRef, a.alarmType, a.probableCause, a.specificProblem
""",
}
_IDENTIFY: Final = """
UNWIND $batch.rows AS row
MATCH (a:Alarm {id: row.id})
SET a.identity = row.identity
"""
_SAID: Final = (
    "sourceSystemId",
    "externalAlarmId",
    "alarmedObjectRef",
    "alarmType",
    "probableCause",
    "specificProblem",
)


async def identify_alarms(store: Store, *, deadline: float) -> None:
    """Give each alarm the key of its identity (version 5)."""
    after = ""
    while rows := await store.rows(_ALARMS[store.product], {"after": after, "most": _AT_ONCE}, deadline=deadline):
        await _identify(store, [_identity(row) for row in rows], deadline)
        ids = [str(row[0]) for row in rows]
        assert ids == sorted(ids), "a page that is not in order would pass some over"
        after = ids[-1]


async def _identify(store: Store, rows: Sequence[Mapping[str, object]], deadline: float) -> None:
    async def work(transaction: Transaction) -> None:
        await transaction.run(_IDENTIFY, {"batch": {"rows": rows}})

    await store.write(work, deadline=deadline)


def _identity(row: Sequence[object]) -> Mapping[str, object]:
    return {"id": row[0], "identity": key_of_stored(dict(zip(_SAID, row[1:], strict=True)))}
