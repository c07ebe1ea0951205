"""The constant texts by which a load writes: one for each label, and one for each pair of labels that a type joins.

They are made from the model when this module is imported, and from nothing else: no caller's value is ever in a text.

What is derived from what is loaded is written with it (`open_on`, `marked`): an alarm or a boost that is over, or open, by a file.

There are two ways to write. CREATE costs half, and is right where a mark in the same transaction says what is there
already (`write.py`). MERGE is right on any graph: what is written twice is there once. A node is the same node by its
id. A relationship is the same by its ends and, where one type may join two nodes twice, by the property that tells
these apart. Relationships come grouped by their start, which is then looked up once for all of them.

The rows are in a map, since Neo4j plans a text anew for each order of magnitude in the length of a list that is a
parameter: batches differ so much that planning cost as much as writing. A map has no length.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, TypeAlias, assert_never

from graph.model.model import LABELS, RELATIONSHIPS, Relationship
from graph.store.boost_marks import marked
from graph.store.open_alarms import open_on

Ends: TypeAlias = tuple[str, str, str]
"""A relationship type, the label of its start and the label of its end."""

_TOLD_APART_BY: Final = {"ROUTED_OVER": "path", "ACCESSED_AT": "end", "TERMINATES_ON": "end"}
"""One service may run over one trunk on both its paths, or start and end at one port."""


LED: Final = frozenset({"SUBSCRIBES_TO", "OPENED_FOR", "PLACED_BY", "NAMES", "ABOUT"})
"""What hangs on a customer and comes along when that is merged (`graph/changes/customers/moving.py`): a file may name the one that was."""


class How(enum.Enum):
    """The way to write."""

    CREATE = "create"
    MERGE = "merge"


_ALL: Final = "SET n += row.properties"
_MERGED: Final = {
    "Service": (
        "WITH n, row, n._accountedAt AS since, n.effectiveMbps AS effective, n.bookedMbps AS booked SET n += row.properties "
        "SET n.effectiveMbps = CASE WHEN since IS NULL THEN n.effectiveMbps ELSE effective END, "
        "n.bookedMbps = CASE WHEN since IS NULL THEN n.bookedMbps ELSE booked END"
    ),
    "Boost": "WITH n, row WHERE n._turned IS NULL SET n += row.properties",
}
"""What is set of what is there, where that is not all: what the network has confirmed, and what is booked, no file knows better."""
_DERIVED: Final[Mapping[How, Mapping[str, str]]] = {
    How.CREATE: {"Alarm": f" SET n.openOn = {open_on('n')}"},  # a boost that is new is of no service yet
    How.MERGE: {"Alarm": f" SET n.openOn = {open_on('n')}", "Boost": f" SET {marked('n')}"},
}
"""by the label of a node,"""
_DERIVED_BY: Final = {"RAISED_ON": f"a.openOn = {open_on('a')}", "BOOSTS": marked("a")}
"""and by the type of a relationship: of its start."""


def _nodes(how: How, label: str) -> str:
    derived = _DERIVED[how].get(label, "")
    match how:
        case How.CREATE:
            return f"UNWIND $batch.rows AS row CREATE (n:{label} {{id: row.id}}) SET n += row.properties{derived}"
        case How.MERGE:
            return f"UNWIND $batch.rows AS row MERGE (n:{label} {{id: row.id}}) {_MERGED.get(label, _ALL)}{derived}"
        case never:
            assert_never(never)


def _relationships(how: How, ends: Ends) -> str:
    kind, start, end = ends
    find = f"UNWIND $batch.rows AS row MATCH (a:{start} {{id: row.start}}) UNWIND row.ends AS e MATCH (b:{end} {{id: e.id}})"
    # What is derived is read after the lock: whoever changes the start meanwhile is waited for.
    derived = (
        f" WITH a SET a._locked = coalesce(a._locked, 0) + 1 WITH a SET {_DERIVED_BY[kind]}"
        if kind in _DERIVED_BY
        else ""
    )
    match how:
        case How.CREATE:
            return f"{find} CREATE (a)-[:{kind}{_map(_properties(kind))}]->(b){derived}"
        case How.MERGE:
            apart = tuple(name for name in _properties(kind) if _TOLD_APART_BY.get(kind) == name)
            others = [f"r.{name} = e.{name}" for name in _properties(kind) if name not in apart]
            change = f" SET {', '.join(others)}" if others else ""
            if kind in LED and "Customer" in (start, end):
                change = f" ON CREATE SET r._trail = e.trail{change}"
            return f"{find} MERGE (a)-[r:{kind}{_map(apart)}]->(b){change}{derived}"
        case never:
            assert_never(never)


def _properties(kind: str) -> tuple[str, ...]:
    return tuple(each.name for each in RELATIONSHIPS[kind].properties)


def _map(names: tuple[str, ...]) -> str:
    return f" {{{', '.join(f'{name}: e.{name}' for name in names)}}}" if names else ""


def _pairs(kind: Relationship) -> tuple[Ends, ...]:
    return tuple((kind.type, start, end) for start in kind.starts for end in kind.ends)


_LOADED: Final = tuple(label.name for label in LABELS.values() if not label.internal)
_JOINED: Final = tuple(ends for kind in RELATIONSHIPS.values() for ends in _pairs(kind))

NODES: Final[Mapping[tuple[How, str], str]] = MappingProxyType(
    {(how, label): _nodes(how, label) for how in How for label in _LOADED}
)
RELATIONSHIPS_BETWEEN: Final[Mapping[tuple[How, Ends], str]] = MappingProxyType(
    {(how, ends): _relationships(how, ends) for how in How for ends in _JOINED}
)
KNOWN_IDS: Final[Mapping[str, str]] = MappingProxyType(
    {label: f"UNWIND $ids AS id MATCH (n:{label} {{id: id}}) RETURN n.id AS id" for label in _LOADED}
)
"""Which of the given ids are there."""

HOLDERS: Final[Mapping[tuple[str, str], str]] = MappingProxyType(
    {
        (label, name): f"UNWIND $values AS value MATCH (n:{label} {{{name}: value}}) RETURN value, n.id"
        for label in _LOADED
        for name in LABELS[label].unique
        if name != "id"
    }
)
"""By label and property: which nodes have what no other may have, beside the id."""

READ_MARKS: Final = "UNWIND $ids AS id MATCH (m:LoadMark {id: id}) RETURN m.id AS id, m.done AS done"
MAKE_MARKS: Final = "UNWIND $ids AS id MERGE (m:LoadMark {id: id}) ON CREATE SET m.done = 0"
SET_MARK: Final = """
MERGE (m:LoadMark {id: $id})
SET m._lock = true
REMOVE m._lock
WITH m, coalesce(m.done, 0) AS before
SET m.done = $done
RETURN before, HEAD(COLLECT { MATCH (x:Membership) RETURN x.id LIMIT 1 }) AS membership
"""
"""Before it, how many batches were through; after it, whether any slice can be stored at all."""
DROP_MARKS: Final = "UNWIND $ids AS id MATCH (m:LoadMark {id: id}) DELETE m"
