"""An alarm that matched nothing must take effect as soon as what it is about is there, whoever brings it.

A thing comes with its id and its names: by a feed, a load, or a difference that somebody settles. Who makes one thing finds
the alarms that await it in the same transaction (`find_awaiting`), and holds the gates of its names before it makes them
(`graph/changes/gates.py`). Who makes many passes all gates, once that is written, and looks through all alarms that
wait (`find_all_awaiting`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Final, TypeAlias, cast

from graph.changes.alarms import occurrence
from graph.changes.alarms.alarms import raise_on
from graph.changes.alarms.consequences import OURSELVES, By, hold_all
from graph.changes.alarms.occurrence import RESOLVE
from graph.changes.policy import AlarmPolicy
from graph.changes.references import meant
from graph.store.store import Product, Store, Transaction

_AT_ONCE: Final = 200

# Both are asked by an index.
_AWAITING: Final = """
UNWIND $batch.names AS name
RETURN COLLECT { MATCH (a:Alarm {awaits: name}) RETURN a.id }
  + COLLECT { MATCH (a:Alarm {alarmedObjectRef: name}) WHERE a.awaits IS NOT NULL RETURN a.id }
"""

# One name after another, however many alarms await each. Neo4j reads the index in order and stops at the first; the embedded
# database does so only where it is not asked to sort. All alarms that await a name are of one source, and say the same.
_NEXT_NAME: Final[Mapping[Product, str]] = {
    Product.NEO4J: """
MATCH (a:Alarm) WHERE a.awaits > $after
WITH a ORDER BY a.awaits LIMIT 1
RETURN a.awaits, a.sourceSystemId, a.alarmedObjectRef
""",
    Product.ARCADEDB: """
MATCH (a:Alarm) WHERE a.awaits > $after
WITH a LIMIT 1
RETURN a.awaits, a.sourceSystemId, a.alarmedObjectRef
""",
}
_WAITING: Final = "MATCH (a:Alarm {awaits: $name}) RETURN a.id LIMIT $most"

Guard: TypeAlias = Callable[[str], AbstractContextManager[object]]
"""Makes what each alarm is raised in, and the records of each name are joined in: it is told which, and may keep an error there."""


def unguarded(_: str) -> AbstractContextManager[object]:
    """Let an error end the whole look."""
    return nullcontext()


async def find_awaiting(transaction: Transaction, by: By, resource_id: str, keys: Iterable[str]) -> None:
    """Raise the alarms that await a thing, by its id or by keys of its names, on it; their gates are held."""
    rows = await transaction.run(_AWAITING, {"batch": {"names": [resource_id, *keys]}})
    waiting = sorted({str(each) for (found,) in rows if isinstance(found, list) for each in found})
    if len(waiting) > 1 and await occurrence.hold(transaction, resource_id):
        await hold_all(transaction, resource_id, waiting)
    for alarm in waiting:
        await raise_on(transaction, by, alarm, resource_id)


async def find_all_awaiting(
    store: Store, policy: AlarmPolicy, *, deadline: Callable[[], float], guard: Guard = unguarded
) -> int:
    """Raise every alarm whose name is known now on the thing that has it; gives how many.

    Each statement and each alarm has a deadline of its own.
    """
    by = By(principal=OURSELVES, policy=policy)
    found, after = 0, ""
    while rows := await store.rows(_NEXT_NAME[store.product], {"after": after}, deadline=deadline()):
        after, source, name = cast("tuple[str, str, str]", tuple(rows[0]))
        names = policy.keys_meant(source, name)
        given = {"object": name, "names": list(names)}
        [[itself, named]] = await store.rows(RESOLVE, given, deadline=deadline())
        if (target := meant(itself, named, names)) is not None:
            found += await _find_named(store, by, after, target, deadline, guard)
    return found


async def _find_named(  # private: the parts of a look
    store: Store, by: By, key: str, target: str, deadline: Callable[[], float], guard: Guard
) -> int:
    """Raise all alarms that await a name on the thing that has it now."""
    found, before = 0, frozenset[str]()
    while rows := await store.rows(_WAITING, {"name": key, "most": _AT_ONCE}, deadline=deadline()):
        waiting = frozenset(str(row[0]) for row in rows)
        if waiting == before:
            break  # the thing has gone meanwhile, or none of them could be raised: they wait on
        for each in sorted(waiting):
            with guard(each):
                found += await _find_one(store, by, each, target, deadline())
        before = waiting
    return found


async def _find_one(store: Store, by: By, alarm: str, target: str, deadline: float) -> bool:
    async def change(transaction: Transaction) -> bool:
        return await raise_on(transaction, by, alarm, target)

    return await store.write(change, deadline=deadline)
