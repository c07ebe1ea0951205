"""Random supergraphs in which every field can be reached, as text.

Entities over two to four subgraphs, with keys that only a third subgraph translates; composite keys; shared value types whose
fields are spread; requirements, chains of them and such with arguments; provided fields; interfaces with an interface
object elsewhere; unions. Whether something is there is left to chance; that it can be reached is seen to: an entity's
subgraphs are all connected, and a value type is where its owner is.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.gateway.federation.planning.world import World

HEADER = 'schema @link(url: "https://specs.apollo.dev/join/v0.5", for: EXECUTION) { query: Query }\n'
DIRECTIVES = "directive @mark(n: Int) on FIELD\ndirective @trace(n: Int) repeatable on QUERY\n"


def preamble(graphs: tuple[str, ...]) -> str:
    """What every supergraph text begins with."""
    values = " ".join(
        f'{each} @join__graph(name: "{each.lower()}", url: "http://127.0.0.1:1/{each}")' for each in graphs
    )
    return f"{HEADER}enum join__Graph {{ {values} }}\n"


@dataclass
class Made:
    """A field that is being made."""

    name: str
    shape: str
    arguments: str = ""
    marks: list[str] = field(default_factory=list)
    """the arguments of its @join__field directives; none for a field that is where its type is."""

    def text(self) -> str:
        joined = " ".join(f"@join__field({each})" if each else "@join__field" for each in self.marks)
        return f"  {self.name}{self.arguments}: {self.shape} {joined}"


@dataclass
class Entity:
    """An entity that is being made."""

    name: str
    keys: dict[str, list[str]]
    """by subgraph."""
    fields: dict[str, Made]
    interfaces: list[tuple[str, str]] = field(default_factory=list)

    def text(self) -> str:
        types = " ".join(f'@join__type(graph: {g}, key: "{k}")' for g, keys in self.keys.items() for k in keys)
        joined = " ".join(f'@join__implements(graph: {g}, interface: "{name}")' for name, g in self.interfaces)
        names = dict.fromkeys(name for name, _ in self.interfaces)
        implements = f" implements {' & '.join(names)}" if names else ""
        return f"type {self.name}{implements} {joined} {types} {{\n{_lines(self.fields.values())}\n}}\n"


def _lines(fields: Iterable[Made]) -> str:
    return "\n".join(each.text() for each in fields)


class Model:
    """A supergraph that is being made."""

    def __init__(self, rnd: random.Random) -> None:
        self._rnd = rnd
        self.graphs = tuple("ABCD"[: rnd.randint(2, 4)])
        self.entities = [self._entity(f"E{n}") for n in range(rnd.randint(2, 4))]
        self.values: list[str] = []
        self.members: dict[str, tuple[str, ...]] = {}
        self._abstract: list[str] = []
        self._query: list[Made] = []
        self._numbers = 0
        self._interface_objects()
        self._unions()
        for each in self.entities:
            self._leaves(each)
        for each in self.entities:
            self._value_type(each)
            self._requirements(each)
            self._references(each)
        for each in self.entities:
            self._provided(each)
        self._roots()

    def world(self) -> World:
        return World(members=self.members, entities=frozenset(each.name for each in self.entities))

    def text(self) -> str:
        query = f"type Query {self._types(self.graphs)} {{\n{_lines(self._query)}\n}}\n"
        return (
            preamble(self.graphs)
            + DIRECTIVES
            + query
            + "".join(each.text() for each in self.entities)
            + "".join([*self.values, *self._abstract])
        )

    def _fresh(self, letter: str) -> str:
        self._numbers += 1
        return f"{letter}{self._numbers}"

    def _types(self, graphs: tuple[str, ...]) -> str:
        return " ".join(f"@join__type(graph: {each})" for each in graphs)

    def _some(self, among: tuple[str, ...] | list[str]) -> tuple[str, ...]:
        count = self._rnd.randint(1, len(among))
        return tuple(sorted(self._rnd.sample(list(among), count)))

    def _maybe(self, chance: float) -> bool:
        return self._rnd.random() < chance

    def _entity(self, name: str) -> Entity:
        graphs = self._some(self.graphs)
        keys: dict[str, list[str]] = {each: ["id"] for each in graphs}
        fields = {"id": Made("id", "ID!")}
        if len(graphs) > 1 and self._maybe(0.5):
            other = self._rnd.choice(("sku", "sku code"))
            bridge, far = self._rnd.sample(graphs, 2)
            keys[bridge] = ["id", other]
            keys[far] = [other]
            for each in other.split():
                fields[each] = Made(each, "ID!", marks=[f"graph: {graph}" for graph in (bridge, far)])
            fields["id"].marks = [f"graph: {each}" for each in graphs if each != far]
        return Entity(name, keys, fields)

    def _leaves(self, entity: Entity) -> None:
        for _ in range(self._rnd.randint(1, 3)):
            name = self._fresh("f")
            owners = self._some(tuple(entity.keys))[:2]
            arguments = "(x: Int)" if self._maybe(0.2) else ""
            shape = self._rnd.choice(("String", "String!", "Int", "[String]", "[Int!]"))
            entity.fields[name] = Made(name, shape, arguments, [f"graph: {each}" for each in owners])

    def _value_type(self, entity: Entity) -> None:
        if not self._maybe(0.5):
            return
        graphs = self._some(tuple(entity.keys))
        name = self._fresh("V")
        fields = []
        for _ in range(self._rnd.randint(2, 4)):
            leaf = self._fresh("v")
            fields.append(Made(leaf, "String", marks=[f"graph: {each}" for each in self._some(graphs)]))
        self.values.append(f"type {name} {self._types(graphs)} {{\n{_lines(fields)}\n}}\n")
        shape = self._rnd.choice((name, f"{name}!", f"[{name}]"))
        owned = self._fresh("f")
        entity.fields[owned] = Made(owned, shape, marks=[f"graph: {each}" for each in graphs])

    def _requirements(self, entity: Entity) -> None:
        if len(entity.keys) < 2 or not self._maybe(0.6):
            return
        required = [
            each
            for each in entity.fields.values()
            if each.name.startswith("f") and each.marks and "V" not in each.shape and len(each.marks) < len(entity.keys)
        ]
        if not required:
            return
        one = self._rnd.choice(required)
        owners = [each.removeprefix("graph: ") for each in one.marks]
        asking = self._rnd.choice([each for each in entity.keys if each not in owners])
        one.marks.append(f"graph: {asking}, external: true")
        text = f"{one.name}(x: {self._rnd.randint(1, 3)})" if one.arguments else one.name
        name = self._fresh("r")
        made = Made(name, "String", marks=[f'graph: {asking}, requires: "{text}"'])
        entity.fields[name] = made
        if self._maybe(0.5):
            back = self._rnd.choice(owners)
            made.marks.append(f"graph: {back}, external: true")
            second = self._fresh("r")
            entity.fields[second] = Made(second, "Int", marks=[f'graph: {back}, requires: "{name}"'])

    def _targets(self, graph: str) -> list[str]:
        found = [each.name for each in self.entities if graph in each.keys]
        return found + [name for name, graphs in self._places.items() if graph in graphs]

    def _references(self, entity: Entity) -> None:
        for _ in range(self._rnd.randint(0, 2)):
            graph = self._rnd.choice(tuple(entity.keys))
            target = self._rnd.choice(self._targets(graph))
            name = self._fresh("e")
            shape = self._rnd.choice((target, f"[{target}]", f"[{target}!]!"))
            entity.fields[name] = Made(name, shape, marks=[f"graph: {graph}"])

    def _provided(self, entity: Entity) -> None:
        by_name = {each.name: each for each in self.entities}
        for made in entity.fields.values():
            target = by_name.get(made.shape.strip("[]!"))
            if target is None or not made.name.startswith("e") or not self._maybe(0.5):
                continue
            graph = made.marks[0].removeprefix("graph: ")
            leaves = [
                each
                for each in target.fields.values()
                if each.name.startswith("f")
                and not each.arguments
                and "V" not in each.shape
                and each.marks
                and not any(mark.startswith(f"graph: {graph}") for mark in each.marks)
            ]
            if leaves:
                leaf = self._rnd.choice(leaves)
                leaf.marks.append(f"graph: {graph}, external: true")
                made.marks[0] += f', provides: "{leaf.name}"'

    def _interface_objects(self) -> None:
        """An interface over entities in one subgraph, and its interface object in one that has none of them."""
        self._places: dict[str, tuple[str, ...]] = {}
        graph = self._rnd.choice(self.graphs)
        members = [each for each in self.entities if "id" in each.keys.get(graph, ())]
        if len(members) < 2 or not self._maybe(0.7):
            return
        name = "I1"
        chosen = members[: self._rnd.randint(2, len(members))]
        if self._maybe(0.5):
            self.graphs = (*self.graphs, "Z")
        free = [each for each in self.graphs if not any(each in one.keys for one in chosen)]
        fields = [Made("id", "ID!"), Made("name", "String", marks=[f"graph: {graph}"])]
        types = f'@join__type(graph: {graph}, key: "id")'
        self._places[name] = (graph,)
        for each in chosen:
            each.interfaces.append((name, graph))
            elsewhere = [other for other in each.keys if other != graph]
            marks = [f"graph: {graph}"]
            if elsewhere and self._maybe(0.4):  # not alike for all types: it is declared here and resolved there
                marks = [f"graph: {graph}, external: true", f"graph: {self._rnd.choice(elsewhere)}"]
            each.fields["name"] = Made("name", "String", marks=marks)
        if free:
            other = self._rnd.choice(free)
            types += f' @join__type(graph: {other}, key: "id", isInterfaceObject: true)'
            fields.append(Made("more", "String", marks=[f"graph: {other}"]))
            self._places[name] = (graph, other)
            for each in chosen:
                each.fields["more"] = Made("more", "String", marks=[""])
        self.members[name] = tuple(each.name for each in chosen)
        self._abstract.append(f"interface {name} {types} {{\n{_lines(fields)}\n}}\n")

    def _unions(self) -> None:
        graph = self._rnd.choice(self.graphs)
        members = [each.name for each in self.entities if graph in each.keys]
        if len(members) < 2 or not self._maybe(0.5):
            return
        joined = " ".join(f'@join__unionMember(graph: {graph}, member: "{each}")' for each in members)
        self._abstract.append(f"union U1 {joined} @join__type(graph: {graph}) = {' | '.join(members)}\n")
        self.members["U1"] = tuple(members)
        self._places["U1"] = (graph,)

    def _roots(self) -> None:
        for graph in self.graphs:
            for target in self._targets(graph):
                if self._maybe(0.6):
                    shape = self._rnd.choice((target, f"[{target}]"))
                    self._query.append(Made(self._fresh("q"), shape, marks=[f"graph: {graph}"]))
        shared = [each for each in self.entities if len(each.keys) > 1]
        if shared:
            one = self._rnd.choice(shared)
            self._query.append(Made(self._fresh("q"), one.name, marks=[f"graph: {each}" for each in one.keys]))
        if not self._query:
            one = self.entities[0]
            self._query.append(Made(self._fresh("q"), one.name, marks=[f"graph: {next(iter(one.keys))}"]))
