"""Every way of the schema to a value, as operations: derived, so that a new field is asked for without anyone's remembering.

An argument that this module has no interesting values for is an error: whoever adds one says here what to ask.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import GraphQLField, GraphQLObjectType, GraphQLSchema, get_named_type, is_abstract_type, is_composite_type

from graph.model.mapping import AnyById, ById, Entities, Everything, ImpactField, Mappings, PathField, SearchField
from resolvers.knowledge.schema import KnowledgeSchema
from tests.resolvers.meaning import MAY_FAIL, Graph, slice_of
from tests.resolvers.tenants import A
from tests.resolvers.world import World

_PAGING = frozenset({"first", "last", "after", "before", "filter", "orderBy"})
_ANSWERED_BY_NO_NODE = frozenset({"_service"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One operation."""

    about: str
    """the kind of field that it enters the graph by."""
    text: str
    variables: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.text} {self.variables}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths:
    """All questions of a schema over the ids of a world."""

    schema: GraphQLSchema
    mappings: Mappings
    world: World
    depth: int = 2
    """how many objects stand between a root field and a value, where a question goes deep."""

    def questions(self) -> Iterator[Question]:
        """Enter by every root field, with every object."""
        assert self.schema.query_type
        for name, each in self.schema.query_type.fields.items():
            if name not in _ANSWERED_BY_NO_NODE:
                yield from self._root(name, each)

    def _root(self, name: str, definition: GraphQLField) -> Iterator[Question]:
        match mapping := self.mappings.fields["Query", name]:
            case AnyById():
                yield from self._any(name)
            case Entities():
                yield from self._entities(name)
            case ById(label=label):
                text = f"query($id: ID!) {{ {name}(id: $id) {self.whole(definition.type, 1)} }}"
                for each in (*self.world.ids(label), f"{label.lower()}-zip", "card-c1"):
                    yield Question(about="ById", text=text, variables={"id": each})
            case Everything():
                yield Question(
                    about="Everything", text=f"{{ {name}(first: 1000) {self.whole(definition.type, self.depth)} }}"
                )
            case ImpactField():
                yield from self._impact(name, definition)
            case SearchField():
                yield from self._search(name, definition)
            case PathField():
                yield from self._path(name, definition)
            case _:
                assert not definition.args, f"nobody has said what to ask of {name}, which is {mapping}"
                yield Question(about="other", text=f"{{ {name} {self.whole(definition.type, self.depth)} }}")

    def _any(self, name: str) -> Iterator[Question]:
        for type_ in self.node_types():
            inner = f"{{ __typename ... on {type_.name} {self.whole(type_, self.depth)} }}"
            text = f"query($id: ID!) {{ {name}(id: $id) {inner} }}"
            label = self.mappings.label(type_.name) or ""
            for each in (*self.world.ids(label), f"{label.lower()}-zip"):
                yield Question(about="AnyById", text=text, variables={"id": each})

    def _entities(self, name: str) -> Iterator[Question]:
        for type_ in self.node_types():
            label = self.mappings.label(type_.name) or ""
            asked = [{"__typename": type_.name, "id": each} for each in (*self.world.ids(label), "zip", "card-c1")]
            inner = f"{{ __typename ... on {type_.name} {self.whole(type_, 1)} }}"
            text = f"query($of: [_Any!]!) {{ {name}(representations: $of) {inner} }}"
            yield Question(about="Entities", text=text, variables={"of": asked})

    def _impact(self, name: str, definition: GraphQLField) -> Iterator[Question]:
        text = f"query($of: [ID!]!) {{ {name}(of: $of, assume: DOWN) {self.whole(definition.type, self.depth)} }}"
        for each in ([key] for key in sorted(self.world.nodes)):
            yield Question(about="ImpactField", text=text, variables={"of": each})
        seen = slice_of(Graph(world=self.world), [A])
        mine = sorted(each for each in seen if self.world.nodes[each].label in MAY_FAIL)
        yield Question(about="ImpactField", text=text, variables={"of": mine})

    def _search(self, name: str, definition: GraphQLField) -> Iterator[Question]:
        text = f"query($t: String!, $n: Int) {{ {name}(text: $t, first: $n) {self.whole(definition.type, 1)} }}"
        words = {word for each in self.world.nodes.values() for word in each.values.get("words", "").split()}
        for each in sorted(words | {word[:1] for word in words}):
            yield Question(about="SearchField", text=text, variables={"t": each, "n": 2})
        yield Question(about="SearchField", text=text, variables={"t": "köln"})

    def _path(self, name: str, definition: GraphQLField) -> Iterator[Question]:
        text = f"query($a: ID!, $b: ID!) {{ {name}(from: $a, to: $b) {self.whole(definition.type, 1)} }}"
        for pair in (("card-c1", "card-c2"), ("card-c1", "card-c3"), ("card-c1", "card-zip")):
            yield Question(about="PathField", text=text, variables=dict(zip("ab", pair, strict=True)))

    def node_types(self) -> list[GraphQLObjectType]:
        """The types whose objects are nodes."""
        types = [each for each in self.schema.type_map.values() if isinstance(each, GraphQLObjectType)]
        return [each for each in types if self.mappings.label(each.name)]

    # Selections ----------------------------------------------------------------------------------------------------

    def whole(self, type_: Any, depth: int) -> str:
        """Everything of a type; objects down to a depth, which pages do not count in."""
        named: Any = get_named_type(type_)
        if is_abstract_type(named):
            possible = sorted(self.schema.get_possible_types(named), key=lambda each: each.name)
            inner = (f"... on {each.name} {self._fields(each, depth, each.name.lower())}" for each in possible)
            return "{ __typename " + " ".join(inner) + " }"
        return self._fields(named, depth, "")

    def _fields(self, type_: GraphQLObjectType, depth: int, tag: str) -> str:
        """Types behind one interface have fields of one name and different types: a tag keeps the keys apart."""
        is_page = type_.name.endswith(("Connection", "Edge"))
        parts = ["__typename"]
        for name, each in type_.fields.items():
            head = f"{tag}_{name}: {name}" if tag else name
            if not is_composite_type(get_named_type(each.type)):
                parts.append(head)
            elif get_named_type(each.type).name == "PageInfo":
                parts.append(f"{head} {self.whole(each.type, 0)}")
            elif is_page and name == "edges":
                parts.append(f"{head} {{ cursor node {{ __typename }} }}")
            elif is_page or depth > 0:
                self._check(type_.name, name, each)
                parts.append(f"{head} {self.whole(each.type, depth if is_page else depth - 1)}")
        return "{ " + " ".join(parts) + " }"

    def _check(self, owner: str, name: str, definition: GraphQLField) -> None:
        unknown = set(definition.args) - _PAGING
        assert not unknown, f"nobody has said what to ask of {owner}.{name}({', '.join(sorted(unknown))}:)"


def paths(known: KnowledgeSchema, world: World, *, depth: int = 2) -> Paths:
    """The questions of the knowledge schema."""
    return Paths(schema=known.graphql, mappings=known.mappings, world=world, depth=depth)
