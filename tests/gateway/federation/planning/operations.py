"""Random operations over a schema: aliases, fragments, conditions, arguments, type names."""

from __future__ import annotations

import random
from collections.abc import Iterator

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_leaf_type,
)

VARIABLES = {"x": "Int", "yes": "Boolean! = true"}


class Asking:
    """One operation that is being made."""

    def __init__(self, schema: GraphQLSchema, rnd: random.Random, depth: int) -> None:
        self._schema = schema
        self._rnd = rnd
        self._depth = depth
        self._left = 40

    def text(self) -> str:
        query = self._schema.query_type
        assert query is not None
        body = self._set(query, self._depth, set())
        declared = [f"${name}: {type_}" for name, type_ in VARIABLES.items() if f"${name}" in body]
        trace = " @trace(n: 1)" if self._rnd.random() < 0.1 else ""
        return f"query{f'({chr(44).join(declared)})' if declared else ''}{trace} {body}"

    def _set(self, type_: GraphQLNamedType, depth: int, above: set[str]) -> str:
        parts = list(self._selections(type_, depth, above))
        return f"{{ {' '.join(parts or ['__typename'])} }}"

    def _selections(self, type_: GraphQLNamedType, depth: int, above: set[str]) -> Iterator[str]:
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            for name, field in type_.fields.items():
                if self._rnd.random() < 0.45 and self._left > 0:
                    yield from self._field(name, field, depth, above)
        if self._rnd.random() < 0.15:
            yield "__typename"
        if not isinstance(type_, GraphQLObjectType):
            for each in self._schema.get_possible_types(type_):  # type: ignore[arg-type]  # it is abstract
                if self._rnd.random() < 0.5 and self._left > 0:
                    yield f"... on {each.name} {self._set(each, depth, above)}"
        elif self._rnd.random() < 0.1 and depth > 0 and self._left > 0:
            yield f"... @include(if: $yes) {self._set(type_, depth - 1, above)}"

    def _field(self, name: str, field: GraphQLField, depth: int, above: set[str]) -> Iterator[str]:
        self._left -= 1
        head = name
        if field.args:
            head += self._rnd.choice(("", "(x: 1)", "(x: 2)", "(x: $x)"))
        if self._rnd.random() < 0.15:
            head = f"{self._rnd.choice(('a', 'b', 'id', 'sku', '_entities', '_entities_1', '__typename'))}: {head}"
        if self._rnd.random() < 0.1:
            head += self._rnd.choice((" @mark(n: 1)", " @mark(n: 2)", " @mark(n: $x)"))
        if self._rnd.random() < 0.1:
            head += self._rnd.choice((" @skip(if: $yes)", " @include(if: $yes)"))
        named = get_named_type(field.type)
        if is_leaf_type(named):
            yield head
        elif depth > 0:
            yield f"{head} {self._set(named, depth - 1, above)}"
