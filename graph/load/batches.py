"""A stream of records cut into batches, each in the form in which the statements take it.

A batch is what is in memory, and what one transaction writes of it is what a crash can cost. Its relationships may
point into earlier batches, never into later ones. Routes are kept apart from the other relationships because there
are as many of them as of all others together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final, TypeAlias

from graph.load.records import NodeRecord, Record, RelationshipRecord
from graph.load.statements import Ends
from graph.model.model import LABELS

_ROUTES: Final = "ROUTED_OVER"
_NAMES: Final = {label.id_prefix[:-1]: label.name for label in LABELS.values()}

Row: TypeAlias = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One batch, by what is written together."""

    number: int
    nodes: Mapping[str, list[Row]]
    """by label."""
    relationships: Mapping[Ends, list[Row]]
    """all but the routes: by start, with the ends that it is joined to."""
    routes: Mapping[Ends, list[Row]]
    counts: Counter[str]
    """of records, by label and by relationship type; these never share a word."""

    @property
    def node_count(self) -> int:
        """How many of the records are nodes."""
        return sum(map(len, self.nodes.values()))


def batches(records: Iterable[Record], size: int) -> Iterator[Batch]:
    """Cut the stream, in its order."""
    stream = iter(records)
    number = 0
    while chunk := list(islice(stream, size)):
        yield _batch(number, chunk)
        number += 1


def _batch(number: int, records: list[Record]) -> Batch:
    nodes: dict[str, list[Row]] = {}
    joined: dict[Ends, dict[str, list[Row]]] = {}
    for record in records:
        match record:
            case NodeRecord(label=label, id=node_id, properties=properties):
                nodes.setdefault(label, []).append({"id": node_id, "properties": properties})
            case RelationshipRecord(type=kind, start=start, end=end, properties=properties):
                by_start = joined.setdefault((kind, _label(start), _label(end)), {})
                by_start.setdefault(start, []).append({"id": end, **properties})
    rows: dict[Ends, list[Row]] = {
        ends: [{"start": start, "ends": each} for start, each in by.items()] for ends, by in joined.items()
    }
    return Batch(
        number=number,
        nodes=nodes,
        relationships={ends: each for ends, each in rows.items() if ends[0] != _ROUTES},
        routes={ends: each for ends, each in rows.items() if ends[0] == _ROUTES},
        counts=Counter(each.label if isinstance(each, NodeRecord) else each.type for each in records),
    )


def _label(node_id: str) -> str:
    return _NAMES[node_id[: node_id.index("-")]]
