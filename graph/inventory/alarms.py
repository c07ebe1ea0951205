"""A card that moves takes the services on it out of one alarm's reach and into another's; both must be thought over again.

The network is what the effects of alarms are computed from, so whatever changes it thinks over, in the same transaction,
each open alarm on a thing that held, or now holds, what has moved. An alarm that matched nothing is raised on the thing
that it awaits as soon as that has its name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from graph.changes.alarms import occurrence
from graph.changes.alarms.consequences import By, Changed, Written, follow
from graph.changes.alarms.occurrence import Step
from graph.changes.sources import Sources
from graph.model.identity import external_key
from graph.model.model import label_of
from graph.model.resource import KINDS
from graph.store.store import Transaction

# A thing and what holds it, up to the element.
_ABOVE: Final[Mapping[str, str]] = {
    "NetworkElement": "UNWIND $ids AS id MATCH (n:NetworkElement {id: id}) RETURN [n.id]",
    "Card": """
UNWIND $ids AS id MATCH (n:Card {id: id})
RETURN [n.id, HEAD(COLLECT { MATCH (n)<-[:HOLDS]-(e:NetworkElement) RETURN e.id })]
""",
    "Port": """
UNWIND $ids AS id MATCH (n:Port {id: id})
RETURN [n.id, HEAD(COLLECT { MATCH (n)<-[:HAS_PORT]-(k:Card) RETURN k.id }),
  HEAD(COLLECT { MATCH (n)<-[:HAS_PORT]-(:Card)<-[:HOLDS]-(e:NetworkElement) RETURN e.id })]
""",
}
_OPEN: Final[Mapping[str, str]] = {
    kind: f"""
UNWIND $ids AS id MATCH (:{kind} {{id: id}})<-[:RAISED_ON]-(a:Alarm)
WHERE a.state <> 'cleared'
RETURN DISTINCT a.id
"""
    for kind in KINDS
}
_RAISED: Final[Mapping[str, str]] = {
    kind: f"""
MATCH (:{kind} {{id: $id}})<-[:RAISED_ON]-(a:Alarm)
RETURN a.id, a.sourceSystemId, a.alarmedObjectRef ORDER BY a.id
"""
    for kind in KINDS
}
_AWAIT: Final = "UNWIND $batch.rows AS row MATCH (a:Alarm {id: row.id}) SET a.awaits = row.awaits"
_AWAITING: Final = "MATCH (a:Alarm {awaits: $key}) RETURN a.id ORDER BY a.id"
_RAISE_ON: Final[Mapping[str, str]] = {
    kind: f"""
MATCH (a:Alarm {{id: $alarm}}) MATCH (o:{kind} {{id: $id}})
SET a.awaits = null
CREATE (a)-[:RAISED_ON]->(o)
"""
    for kind in KINDS
}
_COUNT: Final = "MATCH (a:Alarm {id: $id}) SET a._version = $version, a.changedAt = $now"


async def alarms_over(transaction: Transaction, holders: Iterable[str]) -> list[str]:
    """Give the open alarms on these things and on what holds them, sorted."""
    above = await _above(transaction, holders)
    found: set[str] = set()
    for kind, ids in above.items():
        found |= {str(row[0]) for row in await transaction.run(_OPEN[kind], {"ids": sorted(ids)})}
    return sorted(found)


async def think_over(transaction: Transaction, by: By, alarms: Iterable[str]) -> None:
    """Compute again what alarms do, with all that follows from it."""
    for alarm in alarms:
        known = await occurrence.lock(transaction, alarm, Sources(everyone=True))
        if known is None or known.is_cleared:
            continue
        changed = Changed(
            id=known.id,
            value=known.value,
            step=Step.UPDATE,
            now=known.now,
            known=known,
            target=known.object,
            version=known.version + 1,
        )
        counted = {"id": known.id, "version": changed.version, "now": known.now}
        await follow(transaction, by, changed, Written(text=_COUNT, parameters=counted))


async def find_awaiting(transaction: Transaction, by: By, resource_id: str, key: str) -> None:
    """Raise the alarms that await a name on the thing that has it now."""
    label = label_of(resource_id)
    assert label is not None, "a thing of ours"
    rows = await transaction.run(_AWAITING, {"key": key})
    for (alarm,) in rows:
        await transaction.run(_RAISE_ON[label.name], {"alarm": alarm, "id": resource_id})
    await think_over(transaction, by, (str(row[0]) for row in rows))


async def let_go(transaction: Transaction, kind: str, resource_id: str) -> None:
    """Let the alarms on a thing that is taken away await its name."""
    rows = await transaction.run(_RAISED[kind], {"id": resource_id})
    awaiting = [{"id": alarm, "awaits": external_key(str(source), str(reference))} for alarm, source, reference in rows]
    if awaiting:
        transaction.later(_AWAIT, {"batch": {"rows": awaiting}})


async def _above(transaction: Transaction, holders: Iterable[str]) -> dict[str, set[str]]:
    given: dict[str, set[str]] = {}
    for each in holders:
        label = label_of(each)
        if label is not None and label.name in _ABOVE:
            given.setdefault(label.name, set()).add(each)
    above: dict[str, set[str]] = {}
    for kind, ids in given.items():
        for (row,) in await transaction.run(_ABOVE[kind], {"ids": sorted(ids)}):
            for each in row if isinstance(row, list) else ():
                label = label_of(each) if each else None
                if label is not None:
                    above.setdefault(label.name, set()).add(each)
    return above
