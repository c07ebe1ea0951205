"""A card that moves takes the services on it out of one alarm's reach and into another's; both must be thought over again.

The network is what the effects of alarms are computed from, so whatever changes it has the effects of the services above
computed anew, in the same transaction. An alarm on anything that holds the thing, before or after, must not walk the network
meanwhile: all of that is locked first (`hold_around`). An alarm whose object is taken away awaits its name again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from graph.changes.alarms import occurrence
from graph.errors import Contended
from graph.model.identity import external_key
from graph.model.model import label_of
from graph.model.resource import KINDS
from graph.store.store import Transaction

# A thing and what holds it, up to the element; of a trunk, also the ports that it ends on.
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
    "Trunk": """
UNWIND $ids AS id MATCH (n:Trunk {id: id})
RETURN [n.id] + COLLECT { MATCH (n)-[:TERMINATES_ON]->(p:Port) RETURN p.id }
  + COLLECT { MATCH (n)-[:TERMINATES_ON]->(:Port)<-[:HAS_PORT]-(k:Card) RETURN k.id }
  + COLLECT { MATCH (n)-[:TERMINATES_ON]->(:Port)<-[:HAS_PORT]-(:Card)<-[:HOLDS]-(e:NetworkElement) RETURN e.id }
""",
}
_RAISED: Final[Mapping[str, str]] = {
    kind: f"""
MATCH (:{kind} {{id: $id}})<-[:RAISED_ON]-(a:Alarm)
RETURN a.id, a.sourceSystemId, a.alarmedObjectRef ORDER BY a.id
"""
    for kind in KINDS
}
_AWAIT: Final = "UNWIND $batch.rows AS row MATCH (a:Alarm {id: row.id}) SET a.awaits = row.awaits, a.openOn = null"


async def hold_around(transaction: Transaction, things: Iterable[str]) -> None:
    """Lock things and all that holds them, in the order of their ids; raises Contended where that is just changing."""
    wanted = sorted(things)
    around = await _above(transaction, wanted)
    for each in sorted(around):
        await occurrence.hold(transaction, each)  # what is gone is not above it any more
    if await _above(transaction, wanted) != around:
        raise Contended("What holds a thing is just being changed")


async def let_go(transaction: Transaction, kind: str, resource_id: str) -> None:
    """Let the alarms on a thing that is taken away await its name."""
    rows = await transaction.run(_RAISED[kind], {"id": resource_id})
    awaiting = [{"id": alarm, "awaits": external_key(str(source), str(reference))} for alarm, source, reference in rows]
    if awaiting:
        transaction.later(_AWAIT, {"batch": {"rows": awaiting}})


async def _above(transaction: Transaction, things: Iterable[str]) -> set[str]:
    given: dict[str, list[str]] = {}
    for each in things:
        label = label_of(each)
        if label is not None and label.name in _ABOVE:
            given.setdefault(label.name, []).append(each)
    above: set[str] = set()
    for kind, ids in given.items():
        for (row,) in await transaction.run(_ABOVE[kind], {"ids": ids}):
            above |= {str(each) for each in row if each} if isinstance(row, list) else set()
    return above
