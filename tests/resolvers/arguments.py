"""Arguments that mean something: ids that exist and ids that do not, filters with values of the graph, cursors of its rows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    get_named_type,
)
from hypothesis import strategies as st

from graph.compiler.cursor import CursorKey
from graph.model.mapping import (
    Along,
    AnyById,
    ById,
    Entities,
    Everything,
    FieldMapping,
    ImpactField,
    ImpactList,
    Mappings,
    PathField,
    SearchField,
)
from graph.model.model import LABELS
from tests.resolvers.meaning import MAY_FAIL, Graph, enum_value, order_keys, printed, slice_of
from tests.resolvers.tenants import A, B
from tests.resolvers.world import World

T = TypeVar("T")
_FOREIGN: Mapping[str, Sequence[Any]] = {
    "String": ("", "a", "Köln 1", "no such thing", "'\"\\$p0 {}"),
    "ID": ("service-a1", "zip", "card-"),
    "Int": (0, 1, 100, -5),
    "Float": (0.0, 50.5, 99.9),
    "Boolean": (True, False),
    "DateTime": ("2026-01-01T12:00:00.090Z", "2026-01-01T13:00:00+01:00", "1969-12-31T23:59:59Z"),
    "BigInt": ("0", "7000000097", "-1"),
}
_WORDS = ("köln", "K", "leit a", "1 card", "stadtwerke b", "zz", "tr!1", "ne-17", "e1 ne")
_PATHS = (
    ("networkelement-e1", "networkelement-e3"),
    ("card-c1", "card-c3"),
    ("card-c6", "port-p7"),
    ("card-c1", "card-c1"),
    ("networkelement-e1", "port-p1"),
    ("site-1", "card-c1"),
    ("card-zip", "card-c1"),
    ("card-c7", "card-c5"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """Draws arguments for the fields of a schema over a world."""

    draw: Any
    schema: GraphQLSchema
    mappings: Mappings
    world: World
    key: CursorKey

    def chance(self, of_ten: int) -> bool:
        """Whether something happens."""
        return bool(self.draw(st.integers(0, 9)) >= 10 - of_ten)

    def one(self, of: Sequence[T]) -> T:
        """One of several."""
        chosen: T = self.draw(st.sampled_from(list(of)))
        return chosen

    def of(self, mapping: FieldMapping | None, field: GraphQLField) -> dict[str, Any]:
        """Values for a field's arguments; those that are left out are no keys."""
        match mapping:
            case ById(label=label):
                return {"id": self.id(label)}
            case AnyById():
                return {"id": self.id(None)}
            case Along() | Everything():
                return self._page(field) if field.args else {}
            case ImpactField():
                assume = {"assume": "DOWN"} if self.chance(3) else {}
                return {"of": self._several(self._failing, 3), **assume}
            case ImpactList():
                return {"first": self.one((0, 1, 2, 50))} if self.chance(5) else {}
            case PathField():
                left, right = self.one(_PATHS)
                return {"from": left, "to": right} if self.chance(5) else {"from": right, "to": left}
            case SearchField():
                return {"text": self.one(_WORDS), **({"first": self.one((0, 1, 3))} if self.chance(5) else {})}
            case Entities():
                return {"representations": self._several(self._representation, 4)}
            case _:
                return {}

    def _failing(self) -> str:
        """The id of something that may fail and that both tenants see, now and then of anything, or of nothing."""
        graph = Graph(world=self.world)
        shared = slice_of(graph, [A]) & slice_of(graph, [B])
        return (
            self.one(sorted(each for each in shared if self.world.nodes[each].label in MAY_FAIL))
            if self.chance(9)
            else self.id(None)
        )

    def id(self, label: str | None) -> str:
        """The id of a node, now and then of another label, or of nothing."""
        if self.chance(1):
            return self.one(("zip", "card-zip", "customer-", "service-zip", ""))
        return self.one(self.world.ids(label) if label and self.chance(9) else sorted(self.world.nodes))

    def _several(self, make: Any, most: int) -> list[Any]:
        return [make() for _ in range(self.draw(st.integers(0, most)))]

    def _representation(self) -> dict[str, str]:
        label = self.one([name for name, each in LABELS.items() if not each.internal])
        return {"__typename": label, "id": self.id(label)}

    # Pages ---------------------------------------------------------------------------------------------------------

    def _page(self, field: GraphQLField) -> dict[str, Any]:
        given: dict[str, Any] = {}
        connection: Any = get_named_type(field.type)
        label = self.mappings.label(get_named_type(connection.fields["nodes"].type).name)
        if "filter" in field.args and label and self.chance(5):
            given["filter"] = None if self.chance(1) else self.filter(label, 2)
        if "orderBy" in field.args and label and self.chance(5):
            given["orderBy"] = self._order(label)
        if self.chance(6):
            given[self.one(("first", "first", "last"))] = self.one((0, 1, 2, 3, 50))
        for name in ("after", "before"):
            if self.chance(2):
                given[name] = self._cursor(connection.name, label, given.get("orderBy"))
        return given

    def _order(self, label: str) -> list[dict[str, str]]:
        named: Any = self.schema.type_map[f"{label}OrderField"]
        return self._several(lambda: {"field": self.one(list(named.values)), "direction": self.one(("ASC", "DESC"))}, 3)

    def _cursor(self, connection: str, label: str | None, order_by: Any) -> str:
        keys = order_keys(label, order_by)
        context = f"{connection}:" + ",".join("-" * down + name for name, down in keys)
        row = self.world.nodes[self.one(self.world.ids(label) if label else sorted(self.world.nodes))]
        return self.key.seal([row.values[name] for name, _ in keys], context)

    def filter(self, label: str, depth: int) -> dict[str, Any]:
        """A filter of a label."""
        made: dict[str, Any] = {}
        type_: Any = self.schema.type_map[f"{label}Filter"]
        names = [each for each in type_.fields if each not in {"and", "or", "not"}]
        for name in self._several(lambda: self.one(names), 2):
            made[name] = self._operators(label, name, get_named_type(type_.fields[name].type))
        if depth and self.chance(4):
            made["not"] = self.filter(label, depth - 1)
        for name in ("and", "or"):
            if depth and self.chance(2):
                made[name] = self._several(lambda: self.filter(label, depth - 1), 3)
        return made

    def _operators(self, label: str, name: str, type_: Any) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for operator in dict.fromkeys(self._several(lambda: self.one(list(type_.fields)), 2)):
            leaf = get_named_type(type_.fields[operator].type)
            match operator:
                case "in":
                    made[operator] = self._several(lambda leaf=leaf: self._value(label, name, leaf), 3)
                case "range":
                    made[operator] = {
                        bound: None if self.chance(1) else self._value(label, name, get_named_type(each.type))
                        for bound, each in leaf.fields.items()
                        if self.chance(4)
                    }
                case _:
                    made[operator] = None if self.chance(1) else self._value(label, name, leaf)
        return made

    def _value(self, label: str, name: str, type_: Any) -> Any:
        if isinstance(type_, GraphQLEnumType):
            return self.one(list(type_.values))
        known = LABELS[label].property(name)
        present = {str(v): v for each in self.world.nodes.values() if (v := each.values.get(name)) is not None}
        if present and self.chance(7) and any(each.label == label for each in self.world.nodes.values()):
            of_label = [n.values[name] for n in self.world.nodes.values() if n.label == label and n.values.get(name)]
            return printed(known, self.one(of_label)) if of_label else self.one(_FOREIGN[type_.name])
        return self.one(_FOREIGN[type_.name])


# Printing ----------------------------------------------------------------------------------------------------------


def literal(value: Any, type_: Any) -> str:
    """A value as it stands in a document."""
    bare = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
    match value:
        case None:
            return "null"
        case list():
            inner = bare.of_type if isinstance(bare, GraphQLList) else None
            return f"[{', '.join(literal(each, inner) for each in value)}]"
        case dict():
            fields = bare.fields if isinstance(bare, GraphQLInputObjectType) else {}
            members = (f"{k}: {literal(v, fields[k].type if k in fields else None)}" for k, v in value.items())
            return "{" + ", ".join(members) + "}"
        case str() if isinstance(bare, GraphQLEnumType):
            return value
        case _:
            return json.dumps(value, ensure_ascii=False)


__all__ = ["Arguments", "enum_value", "literal"]
