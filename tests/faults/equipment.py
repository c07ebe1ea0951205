"""What an inventory knows of the network before anything happens: nearly all of it, and some of it wrongly.

The records that the graph was loaded with are written once more, as TMF639 resources under the inventory's own names. A few
things it has lost; of a few others it says another vendor than the graph. Both are differences, for people to settle.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Final

from adapters.inventory.tmf639_resource import write
from adapters.simulator.inventory.inventory import RESOURCE
from graph.load import NodeRecord, grow, read_topology
from graph.model.resource import KINDS, PROPERTIES, Resource
from tests.faults.network import SCALE, TOPOLOGY

OTHER_VENDOR: Final = "Bolt"
_LOST: Final = {"Port": 40, "Trunk": 20}
"""What it has lost lies in, or ends on, what it has."""
_WRONG: Final = 15
"""network elements."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Equipment:
    """What was loaded, and what the inventory has of it."""

    resources: Mapping[str, Resource]
    """by our id, each under the inventory's name for it."""
    lost: frozenset[str]
    """our ids."""
    wrong: frozenset[str]
    """our ids of those of which it says `OTHER_VENDOR`."""

    def state(self) -> Iterator[dict[str, object]]:
        """Give what the inventory's stand-in keeps in the beginning."""
        for ours, each in self.resources.items():
            if ours not in self.lost:
                vendor = {"vendor": OTHER_VENDOR} if ours in self.wrong else {}
                said = replace(each, properties={**each.properties, **vendor})
                yield {"resource": _shown(said)}


def equipment_of(*, scale: int = SCALE, seed: int) -> Equipment:
    """Grow the network that a load with this scale and seed writes, and draw what its inventory does not know."""
    resources = _resources(scale, seed)
    chance = Random(f"equipment {seed}")
    ends = {name for each in resources.values() for name in each.ends or ()}
    lost = [ours for kind, count in _LOST.items() for ours in chance.sample(_of(kind, resources, without=ends), count)]
    wrong = chance.sample(_of("NetworkElement", resources, without=frozenset()), _WRONG)
    return Equipment(resources=resources, lost=frozenset(lost), wrong=frozenset(wrong))


def _of(kind: str, resources: Mapping[str, Resource], *, without: set[str] | frozenset[str]) -> list[str]:
    return sorted(ours for ours, each in resources.items() if each.kind == kind and each.name not in without)


def _resources(scale: int, seed: int) -> dict[str, Resource]:
    nodes: dict[str, NodeRecord] = {}
    names: dict[str, str] = {}
    inside: dict[str, str] = {}
    ends: dict[str, dict[str, str]] = {}
    for record in grow(read_topology(TOPOLOGY), scale, seed):
        match record:
            case NodeRecord():
                nodes[record.id] = record
            case _ if record.type == "NAMES":
                names[record.end] = str(nodes[record.start].properties["name"])
            case _ if record.type in ("HOLDS", "HAS_PORT"):
                inside[record.end] = record.start
            case _ if record.type == "LOCATED_AT":
                inside[record.start] = record.end
            case _ if record.type == "TERMINATES_ON":
                ends.setdefault(record.start, {})[str(record.properties["end"])] = record.end
    return {
        each.id: Resource(
            kind=each.label,
            name=names[each.id],
            inside=names[inside[each.id]] if each.id in inside else None,
            ends=(names[ends[each.id]["A"]], names[ends[each.id]["Z"]]) if each.id in ends else None,
            properties=_said(each),
        )
        for each in nodes.values()
        if each.label in KINDS
    }


def _said(node: NodeRecord) -> dict[str, Any]:
    return {name: value for name, value in node.properties.items() if name in PROPERTIES[node.label]}


def _shown(resource: Resource) -> dict[str, Any]:
    body = write(resource)
    return {"name": resource.name, **body, "id": resource.name, "href": f"{RESOURCE}/{resource.name}"}
