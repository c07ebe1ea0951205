"""Where a statement of a customer's begins and which way it walks, read from the statement itself.

Time can tell of others only by records that are touched outside the slice. So each pattern must begin at a node that the
caller may see, and each of its steps must be bounded by what the caller has: a step inside the slice, one to a single
node, or one from a node that only one customer sees. Where a planner is free to begin at the other end, that end must
have neither an index to begin with nor a variable that is bound.

A shared node may be found by its id where its membership was found before, and a wall (`WITH DISTINCT`) stands between; a
membership only by an id that begins with that of one of the caller's customers, whose slice is stored.

A customer is found by its id, which is known to be one of the caller's. Where it is only compared with them, a database may look at all
customers that there are: that is for the condition on a node that is known, where it begins at that node.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any, assert_never

from graph.compiler.bind import Names, ScopeIds
from graph.compiler.clauses import (
    All,
    AnyOf,
    Binary,
    Clause,
    Const,
    FullText,
    Get,
    IsNull,
    Match,
    NodePattern,
    Not,
    Param,
    Query,
    Reached,
    Return,
    ShortestPath,
    Step,
    Sub,
    Union,
    Unwind,
    Var,
    With,
)
from graph.compiler.slice import visible
from graph.model.model import RELATIONSHIPS, Inside
from graph.model.scope import STORED, ScopeKind, is_exclusive

_LITTLE = {("CAUSED_BY", False), ("CONCERNS_CUSTOMER", False)}
"""Steps that docs/security.md names as exceptions."""
_REFUSED = {"NAMES", "TELLS", "ABOUT", "RESERVES", "CARRIES_OUT", "SUGGESTED_FOR"}
"""Relationships that only fields with `@operatorOnly` go over: a customer is refused before anything is compiled."""
_BY_INDEX = {"Event"}
"""Labels beside the exclusive ones that are found by their id."""
MEMBER, WALL = "a membership", "a wall behind it"
_NOTHING = (Const(value=False), AnyOf(()))


def walks_outside(query: Query) -> list[str]:
    """Say of each pattern of a customer's statement what of it could depend on others."""
    return list(dict.fromkeys(_query(query, frozenset())))


def _query(query: Query, bound: frozenset[str]) -> Iterator[str]:
    for clause in query.clauses:
        yield from _clause(clause, bound)
        bound |= _bound_by(clause) | _learnt(clause, bound)


def _clause(clause: Clause, bound: frozenset[str]) -> Iterator[str]:
    match clause:
        case Match():
            yield from _pattern(clause, bound)
            yield from _inner(clause.where, bound | _bound_by(clause))
        case Union(queries=queries):
            for each in queries:
                yield from _query(each, bound)
        case With(items=items, where=where):
            yield from _inner(items, bound)
            yield from _inner(where, bound | _bound_by(clause))
        case Unwind(item=item) | Return(item=item):
            yield from _inner(item, bound)
        case FullText() | ShortestPath():
            yield f"{type(clause).__name__} reads what all have"
        case never:
            assert_never(never)


def _inner(value: Any, bound: frozenset[str]) -> Iterator[str]:
    match value:
        case Sub(query=query):
            yield from _query(query, bound)
        case Reached(match=pattern, value=inner):
            yield from _pattern(pattern, bound)
            yield from _inner(inner, bound | _bound_by(pattern))
        case tuple():
            for each in value:
                yield from _inner(each, bound)
        case _ if is_dataclass(value):
            for field in fields(value):
                yield from _inner(getattr(value, field.name), bound)


def _bound_by(clause: Clause) -> frozenset[str]:
    match clause:
        case Match(start=start, steps=steps):
            names = [start.var, *(name for each in steps for name in (each.var, each.node.var))]
        case With(items=items):
            names = [name for _, name in items if name]
        case Unwind(var=var) | FullText(var=var):
            names = [var]
        case Union(queries=queries):
            returned = [each.clauses[-1] for each in queries]
            names = [each.item.name for each in returned if isinstance(each, Return)]  # type: ignore[union-attr]
        case ShortestPath(path=path):
            names = [path]
        case Return():
            names = []
        case never:
            assert_never(never)
    return frozenset(each for each in names if each)


def _learnt(clause: Clause, bound: frozenset[str]) -> frozenset[str]:
    """Say what a clause makes certain, as a name that no variable has: 'caller v', and of memberships 'own v', 'ids v', 'key v', WALL."""
    match clause:
        case Unwind(item=Param(name="scope"), var=var):
            return frozenset({f"caller {var}"})
        case With(where=Binary(operator="IN", left=Var(name=name), right=Param(name="scope"))):
            return frozenset({f"caller {name}"})
        case Match(start=NodePattern(var=var, label="Customer")) if _is_stored(clause, bound):
            return frozenset({f"own {var}"})
        case Match(start=NodePattern(label="Membership", key=Var(name=name))) if f"key {name}" in bound:
            return frozenset({MEMBER})
        case Unwind(item=item, var=var) if _lists_own(item, bound):
            return frozenset({f"own {var}"})
        case With(items=items, distinct=distinct):
            keys = {f"key {name}" for expr, name in items if _is_key(expr, bound)}
            lists = {f"ids {name}" for expr, name in items if _lists_own(expr, bound)}
            return frozenset(keys | lists | ({WALL} if distinct and MEMBER in bound else set()))
        case _:
            return frozenset()


def _is_caller(start: NodePattern, bound: frozenset[str]) -> bool:
    """Tell whether a pattern begins at one of the caller's customers by its id."""
    return start.label == "Customer" and isinstance(start.key, Var) and f"caller {start.key.name}" in bound


def _is_stored(match: Match, bound: frozenset[str]) -> bool:
    """Tell whether a pattern is one of the caller's customers whose slice is stored."""
    return _is_caller(match.start, bound) and match.where == Not(IsNull(Get(match.start.var, STORED)))


def _lists_own(expr: Any, bound: frozenset[str]) -> bool:
    match expr:
        case Var(name=name):
            return f"ids {name}" in bound
        case Sub(
            kind="COLLECT",
            query=Query(clauses=(Unwind() as each, Match() as found, Return(item=Get(var=var, name="id")))),
        ):
            return _is_stored(found, bound | _learnt(each, bound)) and found.start.var == var and not found.steps
        case _:
            return False


def _is_key(expr: Any, bound: frozenset[str]) -> bool:
    match expr:
        case Binary(operator="+", left=Binary(operator="+", left=customer, right=Const(value=" "))):
            name = (
                customer.var if isinstance(customer, Get) and customer.name == "id" else getattr(customer, "name", "")
            )
            return f"own {name}" in bound
        case _:
            return False


def _pattern(match: Match, bound: frozenset[str]) -> Iterator[str]:
    if match.where in _NOTHING:
        return
    start = match.start
    keyed = start.key is not None and (is_exclusive(start.label) or start.label in _BY_INDEX or WALL in bound)
    keyed |= isinstance(start.key, Var) and start.label == "Membership" and f"key {start.key.name}" in bound
    keyed |= _is_caller(start, bound)
    known = bool(match.steps) and match.steps[-1].node.var in bound
    conditions = match.where.items if isinstance(match.where, All) else (match.where,)
    if start.var not in bound and not keyed and not (known and _ours(start.var) in conditions):
        yield f"begins at any {start.label or 'node'}"
    for each in match.steps:
        if not _is_bounded(each):
            yield f"walks over {each.type}{' against the arrow' if each.reverse else ''}"
        if each.node.key is not None:
            yield f"ends at {each.node.label} by its key"
    last = match.steps[-1].node if match.steps else None
    if last and last.var in bound and not _is_own(match.steps[-1]):
        yield f"ends at a {last.label or 'node'} that is bound, over {match.steps[-1].type}"


def _ours(var: str) -> Any:
    """The condition that a node is one of the caller's customers, as the compiler writes it."""
    return visible(Names(parameters=[("scope", ScopeIds())]), ScopeKind.CUSTOMERS, var, ("Customer",))


def _ends(step: Step) -> tuple[tuple[str, ...], tuple[str, ...]]:
    known = RELATIONSHIPS[step.type]
    return (known.ends, known.starts) if step.reverse else (known.starts, known.ends)


def _is_bounded(step: Step) -> bool:
    known = RELATIONSHIPS[step.type]
    inside = known.inside is (Inside.REVERSE if step.reverse else Inside.FORWARD)
    single = known.one_start if step.reverse else known.one_end
    near, _ = _ends(step)
    little = step.type in _REFUSED or (step.type, step.reverse) in _LITTLE
    return inside or single or little or all(is_exclusive(each) for each in near)


def _is_own(step: Step) -> bool:
    """Tell whether the far end of a step has what one customer has, or a single way back."""
    known = RELATIONSHIPS[step.type]
    _, far = _ends(step)
    return all(is_exclusive(each) or each in _BY_INDEX for each in far) or (
        known.one_end if step.reverse else known.one_start
    )
