"""Each system calls a thing by a name of its own, and whoever tells it of the thing should say that name, and where the thing lies.

`object_of` gives what is known of the object of an alarm: what systems call it, and what they call the element that it is in;
`called` gives the same of equipment and trunks, in the transaction that changes them. What
an alarm was once called by to another system stays (`keep_told_name`), since it is found again by that, whatever names are
added and wherever the object moves meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import orjson

from graph.model.model import label_of
from graph.model.resource import KINDS
from graph.store.store import Store, Transaction

_OBJECT: Final = """
MATCH (a:Alarm {id: $alarm})
RETURN a._toldName, HEAD(COLLECT { MATCH (a)-[:RAISED_ON]->(n) RETURN n.id }),
  COLLECT { MATCH (a)-[:RAISED_ON]->(n)<-[:NAMES]-(x:ExternalName) RETURN [x.system, x.name] ORDER BY x.system, x.name },
  COLLECT {
    MATCH (a)-[:RAISED_ON]->(:Card)<-[:HOLDS]-(:NetworkElement)<-[:NAMES]-(x:ExternalName) RETURN [x.system, x.name]
    UNION
    MATCH (a)-[:RAISED_ON]->(:Port)<-[:HAS_PORT]-(:Card)<-[:HOLDS]-(:NetworkElement)<-[:NAMES]-(x:ExternalName)
    RETURN [x.system, x.name]
  }, HEAD(COLLECT {
    MATCH (a)-[:RAISED_ON]->(:Card)<-[:HOLDS]-(e:NetworkElement) RETURN e.name
    UNION
    MATCH (a)-[:RAISED_ON]->(:Port)<-[:HAS_PORT]-(:Card)<-[:HOLDS]-(e:NetworkElement) RETURN e.name
  })
"""
_KEEP: Final = """
MATCH (a:Alarm {id: $alarm})
SET a._toldName = coalesce(a._toldName, $name)
RETURN a._toldName
"""

_OUTER: Final[Mapping[str, str]] = MappingProxyType(
    {"Card": "(n)<-[:HOLDS]-(e:NetworkElement)", "Port": "(n)<-[:HAS_PORT]-(:Card)<-[:HOLDS]-(e:NetworkElement)"}
)
_OF_ELEMENT: Final = """
RETURN n.name, COLLECT { MATCH (n)<-[:NAMES]-(x:ExternalName) RETURN [x.system, x.name] }, [], null
"""
_CALLED: Final[Mapping[str, str]] = {
    kind: f"MATCH (n:{kind} {{id: $id}})"
    + (
        f"""
RETURN n.name, COLLECT {{ MATCH (n)<-[:NAMES]-(x:ExternalName) RETURN [x.system, x.name] }},
  COLLECT {{ MATCH {_OUTER[kind]} MATCH (e)<-[:NAMES]-(x:ExternalName) RETURN [x.system, x.name] }},
  HEAD(COLLECT {{ MATCH {_OUTER[kind]} RETURN e.name }})
"""
        if kind in _OUTER
        else _OF_ELEMENT
    )
    for kind in KINDS
}

Parts = tuple[tuple[str, str], ...]
"""Types and values of the parts of a name, the outermost first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectOfAlarm:
    """What an alarm is on, as other systems know it."""

    kind: str
    """one of `graph.model.resource.KINDS`; empty where it matches nothing."""
    name: str
    """empty where no system has one."""
    element: str
    """what the element is called that it is in; empty for an element, a trunk, and where it is not known."""
    told: Parts
    """what it was called by before; nothing where nobody was told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """What equipment, or a trunk, is called."""

    name: str
    """by another system; its label, or its id, where no system has a name for it."""
    element: str
    """what the element is called that it is in; empty for an element, a trunk, and where it is not known."""


async def called(transaction: Transaction, kind: str, resource_id: str, systems: Sequence[str]) -> Called:
    """Give what a thing is called by the first of these systems that has a name for it, or else by any."""
    rows: list[list[Any]] = await transaction.run(_CALLED[kind], {"id": resource_id})
    label, names, outer, element = tuple(rows[0]) if rows else (None, (), (), None)
    name = _chosen(names, systems) or str(label or resource_id)
    return Called(name=name, element=_chosen(outer, systems) or str(element or ""))


async def object_of(store: Store, alarm_id: str, systems: Sequence[str], *, deadline: float) -> ObjectOfAlarm:
    """Give the object of an alarm, in the names of the first of these systems that has one, or else of any."""
    rows: list[list[Any]] = await store.rows(_OBJECT, {"alarm": alarm_id}, deadline=deadline)
    told, resource_id, names, outer, element = tuple(rows[0]) if rows else (None, None, (), (), None)
    label = label_of(resource_id) if resource_id else None
    return ObjectOfAlarm(
        kind=label.name if label else "",
        name=_chosen(names, systems),
        element=_chosen(outer, systems) or str(element or ""),
        told=_parts(told),
    )


async def keep_told_name(store: Store, alarm_id: str, name: Parts, *, deadline: float) -> Parts:
    """Keep what an alarm's object is called by to others; give what is kept, which may have been kept before."""

    async def work(transaction: Transaction) -> Parts:
        rows = await transaction.run(_KEEP, {"alarm": alarm_id, "name": orjson.dumps(name).decode()})
        return _parts(rows[0][0]) if rows else name

    return await store.write(work, deadline=deadline)


def _chosen(names: Iterable[Sequence[str]], systems: Sequence[str]) -> str:
    by_system: Mapping[str, str] = {each[0]: each[1] for each in sorted(map(tuple, names), reverse=True)}
    known = [by_system[each] for each in (*systems, *sorted(by_system)) if each in by_system]
    return known[0] if known else ""


def _parts(text: object) -> Parts:
    return tuple((kind, value) for kind, value in orjson.loads(text)) if isinstance(text, str) else ()
