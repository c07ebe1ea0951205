"""What a load is made of: one record for each node and each relationship, and its form as a line of JSON.

A record knows nothing of the database. The generator makes records, a file is read into records, and the writer takes
either: `trunkline load` of a topology and of a file meet here.

>>> as_line(RelationshipRecord(type="HOLDS", start="networkelement-1", end="card-1", properties={}))
b'{"type":"HOLDS","start":"networkelement-1","end":"card-1","properties":{}}'
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import orjson

Value: TypeAlias = str | int | float | bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeRecord:
    """One node. `properties` does not repeat the id."""

    label: str
    id: str
    properties: Mapping[str, Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationshipRecord:
    """One relationship, between two ids."""

    type: str
    start: str
    end: str
    properties: Mapping[str, Value]


Record: TypeAlias = NodeRecord | RelationshipRecord


def as_line(record: Record) -> bytes:
    """Print a record as a line of a file that `trunkline load FILE` reads, without the line's end."""
    return orjson.dumps(record)
