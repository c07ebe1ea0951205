"""A grown network as a reader of the graph sees it, from the records alone: what the tests of growth ask."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import networkx as nx

from graph.load import NodeRecord, Record, RelationshipRecord, grow, read_topology
from tests.naive_effects import Needs


@dataclass
class Grown:
    records: list[Record]
    nodes: dict[str, NodeRecord] = field(init=False)
    relationships: list[RelationshipRecord] = field(init=False)

    def __post_init__(self) -> None:
        self.nodes = {each.id: each for each in self.records if isinstance(each, NodeRecord)}
        self.relationships = [each for each in self.records if isinstance(each, RelationshipRecord)]

    @classmethod
    def of(cls, topology: str, scale: int, *, seed: int = 1, alarms: int = 0) -> Grown:
        return cls(list(grow(read_topology(topology), scale, seed, alarms=alarms)))

    @cached_property
    def forward(self) -> Mapping[tuple[str, str], list[RelationshipRecord]]:
        return self._by("start")

    @cached_property
    def backward(self) -> Mapping[tuple[str, str], list[RelationshipRecord]]:
        return self._by("end")

    def _by(self, end: str) -> Mapping[tuple[str, str], list[RelationshipRecord]]:
        found: dict[tuple[str, str], list[RelationshipRecord]] = defaultdict(list)
        for each in self.relationships:
            found[each.type, getattr(each, end)].append(each)
        return found

    def ids(self, label: str) -> list[str]:
        return [each.id for each in self.nodes.values() if each.label == label]

    def after(self, node_id: str, kind: str) -> list[str]:
        return [each.end for each in self.forward.get((kind, node_id), [])]

    def before(self, node_id: str, kind: str) -> list[str]:
        return [each.start for each in self.backward.get((kind, node_id), [])]

    def number(self, node_id: str, name: str) -> int:
        value = self.nodes[node_id].properties[name]
        assert isinstance(value, int)
        return value

    def path(self, service: str, which: str) -> list[str]:
        routed = [each for each in self.forward.get(("ROUTED_OVER", service), []) if each.properties["path"] == which]
        ordered = sorted(routed, key=lambda each: int(str(each.properties["position"])))
        assert [each.properties["position"] for each in ordered] == list(range(len(ordered)))
        return [each.end for each in ordered]

    def needs(self, service: str) -> Needs:
        return Needs(
            access=tuple(self.after(service, "ACCESSED_AT")),
            working=tuple(self.path(service, "WORKING")),
            protecting=tuple(self.path(service, "PROTECTING")),
            state=str(self.nodes[service].properties["state"]),
        )

    def site_of_port(self, port: str) -> str:
        (card,) = self.before(port, "HAS_PORT")
        (element,) = self.before(card, "HOLDS")
        (site,) = self.after(element, "LOCATED_AT")
        return site

    @cached_property
    def trunk_ends(self) -> Mapping[str, frozenset[str]]:
        return {
            trunk: frozenset(map(self.site_of_port, self.after(trunk, "TERMINATES_ON"))) for trunk in self.ids("Trunk")
        }

    def ends(self, service: str) -> tuple[str, str]:
        by_end = {each.properties["end"]: self.site_of_port(each.end) for each in self.forward["ACCESSED_AT", service]}
        return by_end["A"], by_end["Z"]

    @cached_property
    def sites(self) -> Any:
        """Sites, joined with the number of trunks between them as capacity."""
        graph: Any = nx.Graph()
        for ends in self.trunk_ends.values():
            a, z = sorted(ends)
            trunks = graph[a][z]["capacity"] + 1 if graph.has_edge(a, z) else 1
            graph.add_edge(a, z, capacity=trunks)
        return graph

    def failing_with(self, node_id: str) -> set[str]:
        """What fails with a thing: what it holds, and the trunk that ends on its ports."""
        failed = {node_id}
        for kind in ("HOLDS", "HAS_PORT"):
            failed |= {end for each in tuple(failed) for end in self.after(each, kind)}
        return failed | {trunk for each in failed for trunk in self.before(each, "TERMINATES_ON")}
