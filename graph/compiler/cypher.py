"""The only place that makes Cypher text from a tree.

A tree is built of the frozen values of graph/compiler/clauses.py and printed by `text`. What may be spelled, and why, was
measured on both databases and is written down in docs/cypher.md; this module has no spelling that is not on that list.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, assert_never

from graph.compiler.clauses import (
    All,
    AnyOf,
    At,
    Binary,
    Call,
    Case,
    Clause,
    Const,
    Every,
    Expr,
    FullText,
    Get,
    HasLabel,
    IsNull,
    ListOf,
    Match,
    NodePattern,
    NodesOfPath,
    Not,
    Order,
    Param,
    Query,
    Reached,
    Return,
    ShortestPath,
    Slice,
    Step,
    Sub,
    Those,
    Union,
    Unwind,
    Var,
    With,
)

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
            return (
                f"WITH {_distinct(on=clause.distinct)}{items}{_where(clause.where)}{_tail(clause.order, clause.limit)}"
            )
        case Unwind():
            return f"UNWIND {_expr(clause.item)} AS {_name(clause.var)}"
        case Union(queries=queries, imports=imports):
            inside = " UNION ".join(text(each) for each in queries)
            return f"CALL ({', '.join(map(_name, imports))}) {{ {inside} }}"
        case FullText():
            call = f"db.index.fulltext.queryNodes('{_name(clause.index)}', {_expr(clause.query)})"
            return f"CALL {call} YIELD node AS {_name(clause.var)}"
        case Return():
            item = _item(clause.item, clause.name)
            return f"RETURN {_distinct(on=clause.distinct)}{item}{_tail(clause.order, clause.limit)}"
        case never:
            assert_never(never)


def _match(clause: Match) -> str:
    return f"{'OPTIONAL ' if clause.optional else ''}MATCH {_pattern(clause)}{_where(clause.where)}"


def _pattern(match: Match) -> str:
    return _node(match.start) + "".join(_step(each) for each in match.steps)


def _expr(expr: Expr) -> str:
    match expr:
        case Var() | Get() | Param() | Const():
            return _atom(expr)
        case All() | AnyOf() | Not() | IsNull() | HasLabel() | Binary() | Every():
            return _condition(expr)
        case Sub(kind=kind, query=query):
            return f"{_name(kind)} {{ {text(query)} }}"
        case Call(name=name, arguments=arguments):
            return f"{_name(name)}({_commas(arguments)})"
        case Case(whens=whens):
            branches = " ".join(f"WHEN {_expr(when)} THEN {_expr(then)}" for when, then in whens)
            return f"CASE {branches} END"
        case ListOf() | Slice() | At() | Those() | NodesOfPath() | Reached():
            return _list(expr)
        case never:
            assert_never(never)


def _atom(expr: Var | Get | Param | Const) -> str:
    match expr:
        case Var(name=name):
            return _name(name)
        case Get(var=var, name=name):
            return f"{_name(var)}.{_name(name)}"
        case Param(name=name, member=member):
            return f"${_name(name)}.{_name(member)}" if member else f"${_name(name)}"
        case Const(value=value):
            return _const(value)
        case never:
            assert_never(never)


def _list(expr: ListOf | Slice | At | Those | NodesOfPath | Reached) -> str:
    match expr:
        case ListOf(items=items):
            return f"[{_commas(items)}]"
        case Slice(item=item, stop=stop):
            return f"({_expr(item)})[0..{_expr(stop)}]"
        case At(item=item, index=index):
            return f"{_expr(item)}[{_expr(index)}]"
        case Reached(match=reached, value=value):
            return f"[{_pattern(reached)} | {_expr(value)}]"
        case Those(var=var, item=item, condition=condition):
            return f"[{_name(var)} IN {_expr(item)} WHERE {_expr(condition)}]"
        case NodesOfPath(path=path, label=label):
            return f"[x IN nodes({_name(path)}) WHERE x:{_name(label)}]"
        case never:
            assert_never(never)


def _condition(expr: All | AnyOf | Not | IsNull | HasLabel | Binary | Every) -> str:
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
        case Every(var=var, item=item, condition=condition):
            return f"all({_name(var)} IN {_expr(item)} WHERE {_expr(condition)})"
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
