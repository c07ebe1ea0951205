"""A small graph as plain values: the same one goes into the database under test and into the oracle."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from graph.model.model import LABELS, searchable
from graph.store.store import Store, Transaction

_SECONDS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A node; its label is not derived from its id, so that a mix-up would show."""

    id: str
    label: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A relationship."""

    type: str
    start: str
    end: str
    values: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A whole graph."""

    nodes: Mapping[str, Node]
    edges: tuple[Edge, ...]

    def ids(self, label: str) -> list[str]:
        """All ids of a label, sorted."""
        return sorted(each.id for each in self.nodes.values() if each.label == label)

    def without(self, ids: frozenset[str]) -> World:
        """The same graph as if these nodes had never been."""
        kept = {key: each for key, each in self.nodes.items() if key not in ids}
        return World(nodes=kept, edges=tuple(e for e in self.edges if e.start in kept and e.end in kept))

    def changed(self, changes: Iterable[tuple[str, str, Any]]) -> World:
        """The same graph with some values replaced: (id, property, value); None takes the property away."""
        nodes = dict(self.nodes)
        for key, name, value in changes:
            old = nodes[key]
            nodes[key] = Node(id=key, label=old.label, values={**old.values, name: value})
        return World(nodes=nodes, edges=self.edges)


@dataclass(slots=True)
class Builder:
    """Collects a world; whoever adds a node says whose it is."""

    nodes: dict[str, Node] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    owners: dict[str, str] = field(default_factory=dict)

    def node(self, owner: str, label: str, suffix: str, /, **values: Any) -> str:
        """Add a node with its id and search words, and give the id."""
        key = f"{LABELS[label].id_prefix}{suffix}"
        assert key not in self.nodes, f"{key} is there already"
        words = {"words": searchable(str(values["name"]))} if LABELS[label].searched else {}
        self.nodes[key] = Node(id=key, label=label, values={"id": key, **values, **words})
        self.owners[key] = owner
        return key

    def edge(self, type_: str, start: str, far: str, /, **values: Any) -> None:
        """Add a relationship."""
        self.edges.append(Edge(type=type_, start=start, end=far, values=values))

    def world(self) -> World:
        """What was collected."""
        return World(nodes=self.nodes, edges=tuple(self.edges))


async def load(store: Store, world: World, *, seed: int = 0) -> None:
    """Make the database hold this world and nothing else, written in an order that the seed decides."""
    dice = random.Random(seed)
    nodes, edges = list(world.nodes.values()), list(world.edges)
    dice.shuffle(nodes)
    dice.shuffle(edges)

    async def write(transaction: Transaction) -> None:
        await transaction.run("MATCH (n) WHERE NOT n:SchemaVersion DETACH DELETE n", {})
        for label, group in _grouped(nodes, lambda each: each.label):
            rows = [{k: v for k, v in each.values.items() if v is not None} for each in group]
            await transaction.run(f"UNWIND $rows AS row CREATE (n:{label}) SET n = row", {"rows": rows})
        for (type_, start, end), pairs in _grouped(
            edges, lambda e: (e.type, world.nodes[e.start].label, world.nodes[e.end].label)
        ):
            text = (
                f"UNWIND $rows AS row MATCH (a:{start} {{id: row.start}}), (b:{end} {{id: row.end}}) "
                f"CREATE (a)-[r:{type_}]->(b) SET r = row.values"
            )
            found = [{"start": e.start, "end": e.end, "values": dict(e.values)} for e in pairs]
            await transaction.run(text, {"rows": found})

    await store.write(write, deadline=time.monotonic() + _SECONDS)
    count = "RETURN [COUNT { MATCH (n) WHERE NOT n:SchemaVersion RETURN n }, COUNT { MATCH ()-[r]->() RETURN r }]"
    written = await store.read(count, {}, deadline=time.monotonic() + _SECONDS)
    assert written == [len(nodes), len(edges)], f"the database holds {written}, not what was written"


def _grouped(items: list[Any], key: Any) -> Iterable[tuple[Any, list[Any]]]:
    """Groups in the order of the first of each; within a group the order is kept."""
    found: dict[Any, list[Any]] = {}
    for each in items:
        found.setdefault(key(each), []).append(each)
    return found.items()
