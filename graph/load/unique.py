"""What no two nodes may have the same of, beside the id: a system calls one thing by a name, so the pair stands in one node.

The database holds that, and says no more than that it is so; which line of a file is at fault is found here, within the file
and beside the store, before anything is written. What is unique is the model's to say (`Label.unique`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from graph.load.records import NodeRecord
from graph.load.statements import HOLDERS
from graph.store.store import Store

_UNIQUE: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {label: tuple(name for of, name in HOLDERS if of == label) for label in dict.fromkeys(of for of, _ in HOLDERS)}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unique:
    """What a node has, and no other node of its label may have."""

    node: str
    label: str
    name: str
    """of the property."""
    value: str
    told: str
    """what it is, for a sentence: a person has never seen what is derived."""

    @property
    def key(self) -> str:
        """Give what no other line of a file may have too."""
        return f"{self.label}.{self.name} {self.value}"

    def taken_by(self, there: str) -> str:
        """Say that it is another's."""
        return f"{self.told} is given already, {there}"


def uniques_of(record: NodeRecord) -> Iterator[Unique]:
    """Give what a node alone may have, beside its id."""
    for name in _UNIQUE.get(record.label, ()):
        value = str(record.properties[name])
        yield Unique(
            node=record.id, label=record.label, name=name, value=value, told=_told(record.properties, name, value)
        )


async def holders(store: Store, wanted: Iterable[Unique], deadline: float) -> dict[str, str]:
    """Give the ids of the store's nodes that have what nodes are to have, by what it is (`key`)."""
    by_property: dict[tuple[str, str], dict[str, str]] = {}
    for each in wanted:
        by_property.setdefault((each.label, each.name), {})[each.value] = each.key
    found: dict[str, str] = {}
    for (label, name), keys in by_property.items():
        rows = await store.rows(HOLDERS[label, name], {"values": list(keys)}, deadline=deadline)
        found |= {keys[str(value)]: str(node) for value, node in rows}
    return found


def _told(properties: Mapping[str, object], name: str, value: str) -> str:
    if name == "key":  # of an external name: the hash of the two
        return f"the name {properties['name']!r} of the system {properties['system']!r}"
    return f"the {name} {value!r}"
