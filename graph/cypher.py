"""The only place that makes Cypher text from a tree.

A tree is built of the frozen values below and printed by `text`. Names in it come from the model and from the compiler's
own counters; values of a request are only ever `Param`. What may be spelled, and why, was measured on both databases and
is written down in docs/cypher.md; this module has no spelling that is not on that list.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, assert_never

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
    """A value of the request."""

    name: str


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


Clause = Match | ShortestPath | With | Unwind | FullText | Return


@dataclass(frozen=True, slots=True)
class Query:
    """Clauses in order."""

    clauses: tuple[Clause, ...]


# Printing ----------------------------------------------------------------------------------------------------------

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def text(query: Query) -> str:
    """Print a query on one line; equal trees give equal texts, which is what plan caches key on."""
    return " ".join(_clause(each) for each in query.clauses)


def _clause(clause: Clause) -> str:
    match clause:
        case Match():
            return _match(clause)
        case ShortestPath():
            types = "|".join(_name(each) for each in clause.types)
            ends = f"({_name(clause.left)})-[:{types}*..{clause.longest:d}]-({_name(clause.right)})"
            return f"MATCH {_name(clause.path)} = shortestPath({ends})"
        case With():
            items = ", ".join(_item(each, name) for each, name in clause.items)
            return f"WITH {_distinct(on=clause.distinct)}{items}{_where(clause.where)}{_tail(clause.order, clause.limit)}"
        case Unwind():
            return f"UNWIND {_expr(clause.item)} AS {_name(clause.var)}"
        case FullText():
            call = f"db.index.fulltext.queryNodes('{_name(clause.index)}', {_expr(clause.query)})"
            return f"CALL {call} YIELD node AS {_name(clause.var)}"
        case Return():
            item = _item(clause.item, clause.name)
            return f"RETURN {_distinct(on=clause.distinct)}{item}{_tail(clause.order, clause.limit)}"
        case never:
            assert_never(never)


def _match(clause: Match) -> str:
    pattern = _node(clause.start) + "".join(_step(each) for each in clause.steps)
    return f"{'OPTIONAL ' if clause.optional else ''}MATCH {pattern}{_where(clause.where)}"


def _expr(expr: Expr) -> str:  # one line per kind of expression; splitting it would hide the list
    match expr:
        case Var(name=name):
            return _name(name)
        case Get(var=var, name=name):
            return f"{_name(var)}.{_name(name)}"
        case Param(name=name):
            return f"${_name(name)}"
        case Const(value=value):
            return _const(value)
        case ListOf(items=items):
            return f"[{_commas(items)}]"
        case Sub(kind=kind, query=query):
            return f"{_name(kind)} {{ {text(query)} }}"
        case Call(name=name, arguments=arguments):
            return f"{_name(name)}({_commas(arguments)})"
        case All() | AnyOf() | Not() | IsNull() | HasLabel() | Binary():
            return _condition(expr)
        case Case(whens=whens):
            branches = " ".join(f"WHEN {_expr(when)} THEN {_expr(then)}" for when, then in whens)
            return f"CASE {branches} END"
        case Slice(item=item, stop=stop):
            return f"({_expr(item)})[0..{_expr(stop)}]"
        case At(item=item, index=index):
            return f"{_expr(item)}[{_expr(index)}]"
        case Every(var=var, item=item, condition=condition):
            return f"all({_name(var)} IN {_expr(item)} WHERE {_expr(condition)})"
        case NodesOfPath(path=path, label=label):
            return f"[x IN nodes({_name(path)}) WHERE x:{_name(label)}]"
        case never:
            assert_never(never)


def _condition(expr: All | AnyOf | Not | IsNull | HasLabel | Binary) -> str:
    match expr:
        case Binary(operator=operator, left=left, right=right):
            return f"{_operand(left)} {operator} {_operand(right)}"
        case All(items=items):
            return " AND ".join(_operand(each) for each in items) if items else "true"
        case AnyOf(items=items):
            return " OR ".join(_operand(each) for each in items) if items else "false"
        case Not(item=item):
            return f"NOT {_operand(item)}"
        case IsNull(item=item):
            return f"{_operand(item)} IS NULL"
        case HasLabel(var=var, label=label):
            return f"{_name(var)}:{_name(label)}"
        case never:
            assert_never(never)


def _operand(expr: Expr) -> str:
    match expr:
        case All(items=items) | AnyOf(items=items) if len(items) == 1:
            return _operand(items[0])
        case All() | AnyOf() | Not() | Binary() | IsNull() | HasLabel():
            return f"({_expr(expr)})"
        case _:
            return _expr(expr)


def _where(condition: Expr) -> str:
    return "" if condition == All(()) else f" WHERE {_expr(condition)}"


def _tail(order: tuple[Order, ...], limit: Expr | None) -> str:
    keys = ", ".join(_expr(each.key) + (" DESC" if each.descending else "") for each in order)
    return (f" ORDER BY {keys}" if keys else "") + (f" LIMIT {_expr(limit)}" if limit is not None else "")


def _node(node: NodePattern) -> str:
    var = _name(node.var) if node.var else ""
    label = f":{_name(node.label)}" if node.label else ""
    key = f" {{id: {_expr(node.key)}}}" if node.key is not None else ""
    return f"({var}{label}{key})"


def _step(step: Step) -> str:
    inner = f"[{_name(step.var) if step.var else ''}:{_name(step.type)}]"
    return f"<-{inner}-{_node(step.node)}" if step.reverse else f"-{inner}->{_node(step.node)}"


def _item(expr: Expr, name: str) -> str:
    return f"{_expr(expr)} AS {_name(name)}" if name else _expr(expr)


def _distinct(*, on: bool) -> str:
    return "DISTINCT " if on else ""


def _commas(items: Iterable[Expr]) -> str:
    return ", ".join(_expr(each) for each in items)


def _const(value: str | int | bool | None) -> str:  # noqa: FBT001  a Cypher literal may be a boolean
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return f"{value:d}"
        case str():
            return f"'{_name(value)}'" if value.strip() else f"'{' ' * len(value)}'"
        case never:
            assert_never(never)


def _name(name: str) -> str:
    """Refuse what is not a plain identifier: the belt to the rule that no request's text arrives here."""
    if not _NAME.match(name):
        raise ValueError(f"not a name: {name!r}")
    return name
