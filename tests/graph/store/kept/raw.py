"""A whole store as lines, and back: every node and relationship with all properties, known to the model or not."""

from __future__ import annotations

import itertools
import lzma
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import orjson

from graph.store.store import Store, Transaction
from tests.graph.changes.network import soon

_AT_ONCE: Final = 500
_NODES: Final = "MATCH (n) RETURN labels(n)[0], coalesce(n.id, n.key), properties(n)"
_RELATIONSHIPS: Final = "MATCH (a)-[r]->(b) RETURN type(r), labels(a)[0], a.id, labels(b)[0], b.id, properties(r)"
_BY_KEY: Final = ("AlarmIdentity", "Idempotency")
"""The labels whose nodes have no id; none has relationships."""


def path_of(version: int) -> Path:
    """Give the file of a version of the schema."""
    return Path(__file__).with_name(f"version-{version}.jsonl.xz")


def read(version: int) -> list[list[Any]]:
    """Give the rows of a version's file: nodes have 3 values, relationships 6."""
    return [orjson.loads(line) for line in lzma.decompress(path_of(version).read_bytes()).splitlines()]


async def dump(store: Store) -> bytes:
    """Give all that is in a store as lines, sorted."""
    rows = [sorted(await store.rows(text, {}, deadline=soon()), key=str) for text in (_NODES, _RELATIONSHIPS)]
    return b"".join(orjson.dumps(row, option=orjson.OPT_SORT_KEYS) + b"\n" for row in itertools.chain(*rows))


async def restore(store: Store, rows: Iterable[list[Any]]) -> None:
    """Write rows into a store that has nothing but its schema."""
    for text, some in _statements(rows):

        async def work(transaction: Transaction, text: str = text, some: list[Any] = some) -> None:
            await transaction.run(text, {"batch": {"rows": some}})

        await store.write(work, deadline=soon())


def _statements(rows: Iterable[list[Any]]) -> Iterator[tuple[str, list[Any]]]:
    """Give each text with its rows: nodes first, and no more at once than a transaction holds well."""
    grouped: defaultdict[str, list[Any]] = defaultdict(list)
    for row in sorted(rows, key=len):
        grouped[_node(row[0]) if len(row) == 3 else _relationship(row[0], row[1], row[3])].append(row)
    for text, several in grouped.items():
        for start in range(0, len(several), _AT_ONCE):
            yield text, several[start : start + _AT_ONCE]


def _node(label: str) -> str:
    key = "key" if label in _BY_KEY else "id"
    return f"UNWIND $batch.rows AS row MERGE (n:{label} {{{key}: row[1]}}) SET n += row[2]"


def _relationship(type_: str, start: str, end: str) -> str:
    return (
        f"UNWIND $batch.rows AS row MATCH (a:{start} {{id: row[2]}}) MATCH (b:{end} {{id: row[4]}}) "
        f"CREATE (a)-[r:{type_}]->(b) SET r += row[5]"
    )
