"""Cypher as values: what the compiler builds and graph/compiler/cypher.py prints.

Closed sets, so that the printer and every pass over a tree can be checked for completeness. Names in a tree come from
the model and from the compiler's own counters; a value of a request is only ever a `Param`.
"""

from __future__ import annotations

from dataclasses import dataclass

# Expressions -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Var:
    """A variable that a clause has bound."""

    name: str


@dataclass(frozen=True, slots=True)
class Get:
    """A property of a node or relationship."""

    var: str
    name: str


@dataclass(frozen=True, slots=True)
class Param:
    """A value of the request, or a member of one that is a map."""

    name: str
    member: str = ""


@dataclass(frozen=True, slots=True)
class Const:
    """A word or number of our own (never of a request)."""

    value: str | int | bool | None


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of expressions."""

    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Sub:
    """`COLLECT`, `COUNT` or `EXISTS` of a query."""

    kind: str
    query: Query


@dataclass(frozen=True, slots=True)
class Reached:
    """`[pattern | value]`: a value for each way in which a pattern without conditions is found."""

    match: Match
    value: Expr


@dataclass(frozen=True, slots=True)
class Call:
    """A function of expressions."""

    name: str
    arguments: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Binary:
    """`left operator right`."""

    operator: str
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class All:
    """Every one holds; an empty one holds."""

    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one holds; an empty one does not."""

    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """It does not hold."""

    item: Expr


@dataclass(frozen=True, slots=True)
class IsNull:
    """There is no value."""

    item: Expr


@dataclass(frozen=True, slots=True)
class HasLabel:
    """A node is of a label."""

    var: str
    label: str


@dataclass(frozen=True, slots=True)
class Case:
    """The value of the first condition that holds, else null."""

    whens: tuple[tuple[Expr, Expr], ...]


@dataclass(frozen=True, slots=True)
class Slice:
    """The first n of a list."""

    item: Expr
    stop: Expr


@dataclass(frozen=True, slots=True)
class At:
    """One place of a list, counted from 0."""

    item: Expr
    index: Expr


@dataclass(frozen=True, slots=True)
class Every:
    """A condition holds for every member of a list."""

    var: str
    item: Expr
    condition: Expr


@dataclass(frozen=True, slots=True)
class Those:
    """The members of a list for which a condition holds."""

    var: str
    item: Expr
    condition: Expr


@dataclass(frozen=True, slots=True)
class NodesOfPath:
    """The nodes of a path that have a label."""

    path: str
    label: str


Expr = (
    Var
    | Get
    | Param
    | Const
    | ListOf
    | Sub
    | Reached
    | Call
    | Binary
    | All
    | AnyOf
    | Not
    | IsNull
    | HasLabel
    | Case
    | Slice
    | At
    | Every
    | Those
    | NodesOfPath
)


# Clauses -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NodePattern:
    """`(var:label {id: key})`."""

    var: str = ""
    label: str = ""
    key: Expr | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """`-[var:type]->(node)`, or `<-[var:type]-(node)`."""

    type: str
    reverse: bool
    node: NodePattern
    var: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """`MATCH start step step WHERE condition`."""

    start: NodePattern
    steps: tuple[Step, ...] = ()
    where: Expr = All(())
    optional: bool = False


@dataclass(frozen=True, slots=True)
class ShortestPath:
    """`MATCH path = shortestPath((a)-[:X|Y*..n]-(b))`; fails where a is b, so the match before excludes it."""

    path: str
    left: str
    right: str
    types: tuple[str, ...]
    longest: int


@dataclass(frozen=True, slots=True)
class Order:
    """One key of an ORDER BY."""

    key: Expr
    descending: bool = False


@dataclass(frozen=True, slots=True)
class With:
    """`WITH [DISTINCT] items WHERE ... ORDER BY ... LIMIT`; an item without a name is a variable kept."""

    items: tuple[tuple[Expr, str], ...]
    distinct: bool = False
    order: tuple[Order, ...] = ()
    limit: Expr | None = None
    where: Expr = All(())


@dataclass(frozen=True, slots=True)
class Unwind:
    """`UNWIND list AS var`."""

    item: Expr
    var: str


@dataclass(frozen=True, slots=True)
class Union:
    """`CALL () { query UNION query }`: rows of any of them, each once; all return the same variables. One may stand alone."""

    queries: tuple[Query, ...]
    imports: tuple[str, ...] = ()
    """variables that are known inside."""


@dataclass(frozen=True, slots=True)
class FullText:
    """`CALL db.index.fulltext.queryNodes(index, query) YIELD node AS var`."""

    index: str
    query: Expr
    var: str


@dataclass(frozen=True, slots=True)
class Return:
    """`RETURN item ORDER BY ... LIMIT`."""

    item: Expr
    name: str = ""
    distinct: bool = False
    order: tuple[Order, ...] = ()
    limit: Expr | None = None


Clause = Match | ShortestPath | With | Unwind | Union | FullText | Return


@dataclass(frozen=True, slots=True)
class Query:
    """Clauses in order."""

    clauses: tuple[Clause, ...]
