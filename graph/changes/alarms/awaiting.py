"""An alarm that matched nothing must take effect as soon as what it is about is there, whoever brings it.

A thing comes with its id and its names: by a feed, a load, or a difference that somebody settles. Who makes one thing finds
the alarms that await it in the same transaction (`find_awaiting`), and holds the gates of its names before it makes them
(`graph/changes/gates.py`). Who makes many passes all gates, once that is written, and looks through all alarms that
wait (`find_all_awaiting`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from graph.changes.alarms import occurrence
from graph.changes.alarms.alarms import raise_on
from graph.changes.alarms.consequences import OURSELVES, By, hold_all
from graph.changes.policy import AlarmPolicy
from graph.store.store import Store, Transaction

_AT_ONCE: Final = 200

# Both are asked by an index.
_AWAITING: Final = """
UNWIND $batch.names AS name
RETURN COLLECT { MATCH (a:Alarm {awaits: name}) RETURN a.id }
  + COLLECT { MATCH (a:Alarm {alarmedObjectRef: name}) WHERE a.awaits IS NOT NULL RETURN a.id }
"""

# From a place on: what waits may be more than is looked at once.
_WAITING: Final = """
MATCH (a:Alarm)
WHERE a.awaits >= $name AND (a.awaits > $name OR a.id > $id)
WITH a ORDER BY a.awaits, a.id LIMIT $most
RETURN a.id, a.awaits, HEAD(COLLECT {
  MATCH (o:NetworkElement {id: a.alarmedObjectRef}) RETURN o.id
  UNION MATCH (o:Card {id: a.alarmedObjectRef}) RETURN o.id
  UNION MATCH (o:Port {id: a.alarmedObjectRef}) RETURN o.id
  UNION MATCH (o:Trunk {id: a.alarmedObjectRef}) RETURN o.id
}), HEAD(COLLECT {
  MATCH (x:ExternalName {key: a.awaits})-[:NAMES]->(o)
  WHERE o:NetworkElement OR o:Card OR o:Port OR o:Trunk
  RETURN o.id
})
"""


async def find_awaiting(transaction: Transaction, by: By, resource_id: str, keys: Iterable[str]) -> None:
    """Raise the alarms that await a thing, by its id or by keys of its names, on it; their gates are held."""
    rows = await transaction.run(_AWAITING, {"batch": {"names": [resource_id, *keys]}})
    waiting = sorted({str(each) for (found,) in rows if isinstance(found, list) for each in found})
    if len(waiting) > 1 and await occurrence.hold(transaction, resource_id):
        await hold_all(transaction, resource_id, waiting)
    for alarm in waiting:
        await raise_on(transaction, by, alarm, resource_id)


async def find_all_awaiting(store: Store, policy: AlarmPolicy, *, deadline: float) -> int:
    """Raise every alarm whose name is known now on the thing that has it; gives how many."""
    by = By(principal=OURSELVES, policy=policy)
    found, after = 0, {"name": "", "id": ""}
    while rows := await store.rows(_WAITING, {**after, "most": _AT_ONCE}, deadline=deadline):
        for alarm, _, itself, named in rows:
            if itself or named:
                found += await _find_one(store, by, str(alarm), str(itself or named), deadline)
        after = {"name": str(rows[-1][1]), "id": str(rows[-1][0])}
    return found


async def _find_one(store: Store, by: By, alarm: str, target: str, deadline: float) -> bool:
    async def change(transaction: Transaction) -> bool:
        return await raise_on(transaction, by, alarm, target)

    return await store.write(change, deadline=deadline)
