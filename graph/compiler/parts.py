"""What the stages of the compiler pass to each other: a row in the making, an object in the making, and the way back.

An object of the answer is compiled where its mapping is known, and its fields may be anything; so the modules that
compile pages, impacts and paths are given the recursion as a value (`Recursion`) and call it for what is inside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from graphql import GraphQLObjectType, GraphQLSchema

from graph.compiler.bind import Names
from graph.compiler.clauses import (
    All,
    At,
    Call,
    Case,
    Clause,
    Const,
    Expr,
    IsNull,
    ListOf,
    Match,
    Not,
    Order,
    Query,
    Reached,
    Return,
    Sub,
    Unwind,
    Var,
    With,
)
from graph.compiler.layout import Body, Object, One
from graph.compiler.query import Field, Selection
from graph.compiler.slice import Own, Source
from graph.model.mapping import Mappings, NodeType, RelationType
from graph.model.scope import ScopeKind


@dataclass(slots=True)
class Row:
    """The places of one object's row; an expression that is there already is not put twice."""

    places: list[Expr] = field(default_factory=list)
    ahead: list[tuple[Expr, str]] = field(default_factory=list)
    """what a WITH must compute before the row: a subquery that aggregates may not stand in a list (Neo4j)."""
    joins: bool = False
    """whether the nodes that this object leads to may be bound ahead too, their values standing in this row."""
    own: Own | None = None
    """where the row is one of many, what all of them read of the caller's slice."""

    def put(self, expr: Expr) -> int:
        """Give the place of an expression."""
        if expr not in self.places:
            self.places.append(expr)
        return self.places.index(expr)

    def list(self) -> ListOf:
        """Give the row as an expression."""
        return ListOf(tuple(self.places))


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An object in the making: what stands for it in the query."""

    var: str = ""
    """the node, relationship or path that its stored values are of."""
    columns: Mapping[str, Expr] = field(default_factory=dict)
    """the values of a computed object."""
    ends: Mapping[str, str] = field(default_factory=dict)
    """the nodes that a relation or computed object leads to, by role."""
    outer: tuple[str, ...] = ()
    """every variable that is bound here; a WITH inside must keep them all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Computed:
    """Clauses that bind a computed object, or a list of them, and what of them the answer reads."""

    clauses: tuple[Clause, ...]
    item: Item
    order: tuple[Order, ...] = ()


class Recursion(Protocol):
    """The compiler, as the stages inside it see it."""

    @property
    def schema(self) -> GraphQLSchema:
        """The schema, built from the SDL."""

    @property
    def mappings(self) -> Mappings:
        """How it stands in the graph."""

    @property
    def arguments(self) -> Sequence[Mapping[str, Any]]:
        """The arguments of the request that is compiled for, by slot: only their structure may show in the text."""

    @property
    def kind(self) -> ScopeKind:
        """The kind of the caller's scope."""

    @property
    def names(self) -> Names:
        """The counters."""

    def members(self, selection: Selection, item: Item, row: Row) -> Object:
        """Compile the fields of one object into its row."""


def slot_of(asked: Field) -> int:
    """Give the slot of a field whose mapping is of one that takes arguments."""
    assert asked.slot is not None
    return asked.slot


def is_list_of_pages(schema: GraphQLSchema, asked: Field) -> bool:
    """Tell whether a field is a connection."""
    named = schema.type_map[asked.named_type]
    return isinstance(named, GraphQLObjectType) and "nodes" in named.fields


def element_type(schema: GraphQLSchema, asked: Field) -> str:
    """Give the type of a connection's nodes, or of the field itself where it is no connection."""
    named = schema.type_map[asked.named_type]
    if isinstance(named, GraphQLObjectType) and "nodes" in named.fields:
        return str(named.fields["nodes"].type).strip("[]!")
    return asked.named_type


def label_of_type(mappings: Mappings, type_name: str) -> str:
    """Give the label of a type that is behind an interface or a union; only node types are."""
    label = mappings.label(type_name)
    assert label is not None
    return label


def item_of(mappings: Mappings, type_name: str, found: Source, outer: tuple[str, ...]) -> Item:
    """Give the object that a source's rows are: its node, or its last relationship with both ends."""
    match mappings.types[type_name]:
        case RelationType():
            ends = (found.node, found.near) if found.reverse else (found.near, found.node)
            return Item(var=found.relationship, ends=dict(zip(("start", "end"), ends, strict=True)), outer=outer)
        case NodeType():
            return Item(var=found.node, outer=outer)
        case other:
            raise TypeError(f"{type_name} is {other}, which no list has")


def joined(outer: tuple[str, ...], found: Source) -> tuple[str, ...]:
    """List every variable that is bound once a source has been read, each once."""
    return tuple(dict.fromkeys(each for each in (*outer, found.near, found.relationship, found.node) if each))


def kept(variables: Sequence[str]) -> tuple[tuple[Expr, str], ...]:
    """Keep variables through a WITH."""
    return tuple((Var(each), "") for each in variables)


def ahead_of(row: Row, outer: tuple[str, ...]) -> tuple[With, ...]:
    """Bind what stands ahead of a row, one after the other, since the later may be asked of the earlier."""
    bound = [*outer, *(name for _, name in (row.own or {}).values())]
    clauses: list[With] = []
    for expr, name in row.ahead:
        clauses.append(With((*kept(bound), (expr, name))))
        bound.append(name)
    return tuple(clauses)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """Clauses that find the rows of a list, cut already, and the variables in it."""

    clauses: tuple[Clause, ...]
    around: tuple[str, ...]
    """bound around the list."""
    outer: tuple[str, ...]
    """bound in each row, with those around."""
    order: tuple[Order, ...]


def in_common(names: Names, row: Row, found: Listed) -> tuple[Clause, ...]:
    """Bind once what all rows read of the caller's slice: the rows are listed first, and then read on one by one.

    They are listed by a subquery and not by `collect`: an aggregate inside a row is a syntax error on Neo4j.
    """
    if not row.own:
        return found.clauses
    rows, each = names.variable(), names.variable()
    mine = tuple(name for name in found.outer if name not in found.around)
    item = Return(ListOf(tuple(Var(name) for name in mine)), order=found.order)
    listed = Sub("COLLECT", Query((*found.clauses, item)))
    again = tuple((At(Var(each), Const(place)), name) for place, name in enumerate(mine))
    shared = tuple(name for _, name in row.own.values())
    return (
        With((*kept(found.around), (listed, rows))),
        With((*kept((*found.around, rows)), *row.own.values())),
        Unwind(Var(rows), each),
        With((*kept((*found.around, *shared)), *again)),
    )


def one(asked: Field, query: Query, body: Body, row: Row) -> One:
    """Put a nullable object: the only row of a subquery, or null."""
    return One(index=row.put(Call("head", (Sub("COLLECT", query),))), body=body, required=asked.type.endswith("!"))


def tagged(recursion: Recursion, selection: Selection, var: str, outer: tuple[str, ...]) -> tuple[Expr, Object]:
    """Compile one node of an abstract type: its row begins with the name of its type."""
    row = Row([Const(selection.type)])
    layout = recursion.members(selection, Item(var=var, outer=outer), row)
    return row.list(), layout


def computed_one(recursion: Recursion, asked: Field, found: Computed, row: Row) -> One:
    """Put a computed object."""
    inner = Row()
    layout = recursion.members(asked.selections[0], found.item, inner)
    ahead = ahead_of(inner, found.item.outer)
    return one(asked, Query((*found.clauses, *ahead, Return(inner.list(), limit=Const(1)))), layout, row)


def computed_rows(recursion: Recursion, asked: Field, found: Computed) -> tuple[Expr, Object]:
    """Compile a list of computed objects."""
    inner = Row()
    layout = recursion.members(asked.selections[0], found.item, inner)
    return Sub("COLLECT", Query((*found.clauses, Return(inner.list(), order=found.order)))), layout


def first(clauses: Sequence[Clause], value: Expr) -> Expr:
    """Give a value of the first row that clauses find.

    A pattern as an expression costs the embedded database a quarter less than a query, and must not begin at null: there it
    takes that for a node that is not bound yet, and finds anyone's (docs/cypher.md).
    """
    match clauses:
        case (Match(where=All(()), optional=False) as pattern,):
            there = Not(IsNull(Var(pattern.start.var)))
            return Case(((there, Call("head", (Reached(pattern, value),))),))
        case _:
            return Call("head", (Sub("COLLECT", Query((*clauses, Return(value, limit=Const(1))))),))
