"""An inventory speaks by names of its own; what the graph has of the thing behind each must be known to compare or change it.

`known` looks without a lock, for many names at once. `locked` locks one thing and gives it as it is under the lock: whoever
changes it looks again there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from graph.model.model import label_of
from graph.model.resource import KINDS, PROPERTIES, Value
from graph.store.store import Store, Transaction

_NAMES: Final = tuple(dict.fromkeys(name for kind in KINDS for name in PROPERTIES[kind]))
"""Every property of any kind, in the order in which they are read."""
_SHOWN: Final = f"""n.id, [{", ".join(f"n.{name}" for name in _NAMES)}],
  HEAD(COLLECT {{ MATCH (n)-[:LOCATED_AT]->(c:Site) RETURN [c.id, c.name] }}),
  HEAD(COLLECT {{ MATCH (n)<-[:HOLDS]-(c:NetworkElement) RETURN [c.id, c.name] }}),
  HEAD(COLLECT {{ MATCH (n)<-[:HAS_PORT]-(c:Card) RETURN [c.id, c.name] }}),
  COLLECT {{ MATCH (n)-[r:TERMINATES_ON]->(p:Port) RETURN [r.end, p.id, p.name] ORDER BY r.end }}"""
_KNOWN: Final = f"""
UNWIND $batch.keys AS key
MATCH (x:ExternalName {{key: key}})-[:NAMES]->(n)
RETURN key, 0 AS now, 0 AS version, {_SHOWN}
"""
_LOCK: Final[Mapping[str, str]] = {
    kind: f"""
MATCH (n:{kind} {{id: $id}})
SET n._lock = true
REMOVE n._lock
WITH n
RETURN '' AS key, datetime.realtime().epochMillis AS now, coalesce(n._version, 0) AS version, {_SHOWN}
"""
    for kind in KINDS
}
_THEIR_NAMES: Final[Mapping[str, str]] = {
    kind: f"""
UNWIND $ids AS id
MATCH (n:{kind} {{id: id}})<-[:NAMES]-(x:ExternalName)
WHERE x.system = $system
RETURN n.id, x.name ORDER BY x.name DESC
"""
    for kind in ("Site", "Service", *KINDS)
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One thing as the graph has it."""

    id: str
    kind: str
    now: int
    """epoch milliseconds by the database's clock, read under the lock; 0 without one."""
    version: int
    properties: Mapping[str, Value]
    inside: tuple[str, str] | None
    """id and name of what holds it."""
    ends: tuple[tuple[str, str], ...]
    """ids and names of the ports at its ends, A first."""


async def known(store: Store, keys: Iterable[str], *, deadline: float) -> dict[str, Known]:
    """Give what the graph has, by the keys of the names that it is known by."""
    rows: list[list[Any]] = await store.rows(_KNOWN, {"batch": {"keys": sorted(set(keys))}}, deadline=deadline)
    return {str(row[0]): _known(row) for row in rows}


async def known_within(transaction: Transaction, keys: Iterable[str]) -> dict[str, Known]:
    """Give the same in a transaction."""
    rows = await transaction.run(_KNOWN, {"batch": {"keys": sorted(set(keys))}})
    return {str(row[0]): _known(row) for row in rows}


async def locked(transaction: Transaction, resource_id: str) -> Known | None:
    """Lock a thing and give it as it is; None when it is not there."""
    label = label_of(resource_id)
    if label is None or label.name not in _LOCK:
        return None
    rows = await transaction.run(_LOCK[label.name], {"id": resource_id})
    return _known(rows[0]) if rows else None


async def their_names(store: Store, system: str, ids: Iterable[str], *, deadline: float) -> dict[str, str]:
    """Give what an inventory calls things of ours, as far as it knows them."""
    found: dict[str, str] = {}
    for label, text in _THEIR_NAMES.items():
        some = [each for each in set(ids) if (known := label_of(each)) is not None and known.name == label]
        if some:
            rows = await store.rows(text, {"ids": some, "system": system}, deadline=deadline)
            found |= {str(each): str(name) for each, name in rows}
    return found


def _known(row: list[Any]) -> Known:
    _, now, version, resource_id, values, site, element, card, ends = tuple(row)
    label = label_of(resource_id)
    kind = label.name if label else ""
    holder = site or element or card
    mine = PROPERTIES.get(kind, {})
    return Known(
        id=resource_id,
        kind=kind,
        now=now,
        version=version,
        properties={
            name: value for name, value in zip(_NAMES, values, strict=True) if name in mine and value is not None
        },
        inside=(holder[0], str(holder[1] or "")) if holder else None,
        ends=tuple((end, str(name or "")) for _, end, name in ends),
    )
