"""A thing whose events are loaded has their versions: the next change is counted on from there, not from the beginning.

Events say of what they are by an id, and may come before it in a file; so the last version of each thing is noted while
records pass, and written when all of them are there. Doing that again changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from graph.load.records import NodeRecord, Record
from graph.model.model import LABELS, label_of
from graph.store.store import Store, Transaction

_AT_ONCE: Final = 2_000
_COUNT_ON: Final[Mapping[str, str]] = MappingProxyType(
    {
        label.name: f"""
UNWIND $batch.rows AS row
MATCH (n:{label.name} {{id: row.id}})
WHERE coalesce(n._version, 0) < row.version
SET n._version = row.version
"""
        for label in LABELS.values()
        if not label.internal
    }
)


class Versions:
    """The last version of each thing that events tell of."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {}

    def noted(self, records: Iterable[Record]) -> Iterator[Record]:
        """Pass records on, and note what events among them say."""
        for record in records:
            if isinstance(record, NodeRecord) and record.label == "Event":
                about, version = str(record.properties["aggregateId"]), int(str(record.properties["aggregateVersion"]))
                self._last[about] = max(version, self._last.get(about, 0))
            yield record

    async def write(self, store: Store, *, deadline: float) -> None:
        """Let things have them."""
        by_label: dict[str, list[dict[str, object]]] = {}
        for about, version in sorted(self._last.items()):
            label = label_of(about)
            if label is not None and label.name in _COUNT_ON:
                by_label.setdefault(label.name, []).append({"id": about, "version": version})
        for name, rows in by_label.items():
            for start in range(0, len(rows), _AT_ONCE):
                await _count_on(store, _COUNT_ON[name], rows[start : start + _AT_ONCE], deadline)


async def _count_on(store: Store, text: str, rows: list[dict[str, object]], deadline: float) -> None:
    async def work(transaction: Transaction) -> None:
        await transaction.run(text, {"batch": {"rows": rows}})

    await store.write(work, deadline=deadline)
