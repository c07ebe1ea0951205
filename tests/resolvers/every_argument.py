"""Every filter, order and cursor of every page, with values that only somebody else's objects have.

Filters, sorts and counts are questions too: what one may not see, one may not find out by asking for less of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from graphql import GraphQLField, GraphQLInputObjectType, get_named_type

from graph.compiler.cursor import CursorKey
from graph.model.mapping import Along, Everything
from graph.model.model import LABELS
from tests.resolvers.arguments import literal
from tests.resolvers.every_path import Paths, Question
from tests.resolvers.meaning import named_list, order_keys, printed

_AT_ONCE = 24
_LOGIC = ("and", "or", "not")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """A place in a list, whoever has the list."""

    name: str
    """of its variable."""
    context: str
    keys: tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Variation:
    """Arguments of a page and what is asked of it."""

    text: str
    place: _Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Variations:
    """All pages of a schema, asked for in every way."""

    paths: Paths
    key: CursorKey
    seen: frozenset[str]
    """what the caller sees: its pages are asked for everything, those of anything else once per label."""

    def questions(self) -> Iterator[Question]:
        """Pages of the root, then pages of every object."""
        for owner, name, definition in self._pages():
            variations = list(self._of_page(name, definition))
            for part in _parts(variations, _AT_ONCE):
                aliased = " ".join(f"a{index}: {name}{each.text}" for index, each in enumerate(part))
                yield from self._asked(owner, aliased, [each.place for each in part if each.place])

    def _asked(self, owner: str, selection: str, places: Sequence[_Place]) -> Iterator[Question]:
        label = self.paths.mappings.label(owner)
        declared = [f"${each.name}: String" for each in places]
        head = f"query({', '.join(declared)}) " if declared else ""
        if owner == "Query":
            yield Question(about="arguments", text=f"{head}{{ {selection} }}", variables=self._cursors(places, None))
        elif owner == "Viewer":
            text = f"{head}{{ viewer {{ {selection} }} }}"
            yield Question(about="arguments", text=text, variables=self._cursors(places, None))
        else:
            assert label, f"nobody has said how to come to the pages of {owner}"
            head = f"query({', '.join(('$id: ID!', *declared))})"
            text = f"{head} {{ node(id: $id) {{ ... on {owner} {{ {selection} }} }} }}"
            mine = [each for each in self.paths.world.ids(label) if each in self.seen]
            others = [each for each in self.paths.world.ids(label) if each not in self.seen]
            for each in (*mine, *others[:1]):
                variables = {"id": each, **self._cursors(places, each)}
                yield Question(about="arguments", text=text, variables=variables)

    def _cursors(self, places: Sequence[_Place], owner: str | None) -> dict[str, Any]:
        return {each.name: self.key.seal(list(each.keys), each.context, owner) for each in places}

    def _pages(self) -> Iterator[tuple[str, str, GraphQLField]]:
        for (owner, name), mapping in self.paths.mappings.fields.items():
            type_: Any = self.paths.schema.type_map[owner]
            if isinstance(mapping, (Along, Everything)) and "first" in type_.fields[name].args:
                yield owner, name, type_.fields[name]

    def _of_page(self, name: str, definition: GraphQLField) -> Iterator[_Variation]:
        """Arguments, and what is asked of the page."""
        connection: Any = get_named_type(definition.type)
        asked = "{ totalCount edges { cursor } pageInfo { hasNextPage hasPreviousPage startCursor } }"
        yield _Variation(text=f"(first: 1) {asked}")
        yield _Variation(text=f"(last: 1) {asked}")
        label = self.paths.mappings.label(get_named_type(connection.fields["nodes"].type).name)
        if label is None:
            return
        for each in self._filters(definition, label):
            yield _Variation(text=f"(filter: {each}) {{ totalCount nodes {{ id }} }}")
        orders: Any = self.paths.schema.type_map[f"{label}OrderField"]
        for value in orders.values:
            yield _Variation(text=f"(first: 2, orderBy: [{{field: {value}}}]) {asked}")
            place = self._place((connection.name, name), label, value)
            text = f"(last: 1, orderBy: [{{field: {value}, direction: DESC}}], after: ${place.name}) {asked}"
            yield _Variation(text=text, place=place)

    def _place(self, named: tuple[str, str], label: str, by: str) -> _Place:
        """The place of an object that is not the caller's, as if its cursor had come into the wrong hands."""
        order = [{"field": by, "direction": "DESC"}]
        foreign = self.paths.world.nodes[self.paths.world.ids(label)[-1]]
        keys = tuple(foreign.values[name] for name, _ in order_keys(label, order))
        return _Place(name=f"c{by}", context=named_list(*named, {"orderBy": order}), keys=keys)

    def _filters(self, definition: GraphQLField, label: str) -> Iterator[str]:
        named: Any = get_named_type(definition.args["filter"].type)
        assert isinstance(named, GraphQLInputObjectType)
        for name, each in named.fields.items():
            if name in _LOGIC:
                continue
            values = self._values(label, name)
            operators: Any = get_named_type(each.type)
            for operator, operand in operators.fields.items():
                for value in _operands(operator, values):
                    one = f"{{{name}: {{{operator}: {literal(value, operand.type)}}}}}"
                    yield one
                    if operator in {"eq", "range"}:
                        yield f"{{not: {one}}}"
        yield f'{{or: [{{id: {{eq: "{self.paths.world.ids(label)[-1]}"}}}}, {{id: {{in: []}}}}]}}'

    def _values(self, label: str, name: str) -> list[Any]:
        known = LABELS[label].property(name)
        nodes = [self.paths.world.nodes[each] for each in reversed(self.paths.world.ids(label))]
        present = [each.values[name] for each in nodes if each.values.get(name) is not None]
        assert present, f"no {label} has a {name} in the fixture"
        return [printed(known, each) for each in dict.fromkeys(present)]


def _operands(operator: str, values: Sequence[Any]) -> Iterator[Any]:
    match operator:
        case "eq":
            yield values[0]
            yield None
        case "in":
            yield list(values[:3])
        case "contains":
            yield values[0][1:]
        case "range":
            yield {"gte": values[0]}
            yield {"lt": values[0]}
        case other:
            raise AssertionError(f"nobody has said what to ask {other} for")


def _parts(items: Sequence[_Variation], size: int) -> Iterator[list[_Variation]]:
    rest = iter(items)
    while part := list(islice(rest, size)):
        yield part
