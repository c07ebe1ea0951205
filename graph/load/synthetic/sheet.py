"""Where the growing network writes its records down, and from where they leave in order.

The stages of growth hold what they still need (which port is free, which trunk has room) and nothing else: a record is
put on the sheet when its thing is made, and taken off as soon as one customer is complete. So a million nodes never
are in memory together. A relationship is put down after both of its ends: whoever reads in order may rely on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Final

from graph.load.records import NodeRecord, Record, RelationshipRecord, Value
from graph.load.synthetic.catalogue import SYSTEM
from graph.model.companies import company_of
from graph.model.identity import external_key, loaded_id
from graph.model.model import LABELS, searchable

_SEARCHED: Final = frozenset(label.name for label in LABELS.values() if label.searched)
_NOTHING: Final[Mapping[str, Value]] = {}


class Sheet:
    """Records not yet taken, how many nodes there were, and the one source of chance."""

    def __init__(self, *, source: str, seed: int) -> None:
        self.source = source
        self.chance = Random(f"{source} {seed}")  # noqa: S311  # chance that can be repeated, not secrets
        self.nodes = 0
        self._records: list[Record] = []

    def node(self, label: str, name: str, properties: Mapping[str, Value], *, words: str = "") -> str:
        """Put down a node under a name that is unique for its label, and give its id.

        The name becomes a property too where the label is searched; `words` are found by search beside it.
        """
        node_id = loaded_id(label, self.source, name)
        if label in _SEARCHED:
            properties = {"name": name, **properties, "words": searchable(name, words)}
        if label == "Customer":
            company = company_of(name)
            properties = {**properties, "company": company.core, "companyForm": company.form}
        self._records.append(NodeRecord(label=label, id=node_id, properties=properties))
        self.nodes += 1
        return node_id

    def join(self, start: str, kind: str, end: str, properties: Mapping[str, Value] = _NOTHING) -> None:
        """Put down a relationship between two nodes that are down already."""
        self._records.append(RelationshipRecord(type=kind, start=start, end=end, properties=properties))

    def known_as(self, node_id: str, name: str) -> None:
        """Put down what the inventory calls a thing; the source in front keeps two loads in one graph apart."""
        outside = f"{self.source}/{name}"
        key = external_key(SYSTEM, outside)
        self.join(self.node("ExternalName", outside, {"key": key, "system": SYSTEM, "name": outside}), "NAMES", node_id)

    def take(self) -> list[Record]:
        """Take off all that was put down since the last time."""
        taken, self._records = self._records, []
        return taken
