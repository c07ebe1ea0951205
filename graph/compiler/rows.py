"""Many who ask the same selection are answered by one statement: each is a row of its parameters, and gets a record of its own.

A compiled read is one RETURN whose parts are questions of their own, so it stands behind an UNWIND as it is:

    RETURN [$p0, COLLECT { UNWIND $scope AS k MATCH (:Customer {id: k}) ... }] AS data
    UNWIND $batch.rows AS row WITH row, [row.p0, COLLECT { UNWIND row.scope AS k MATCH (:Customer {id: k}) ... }] AS found
    RETURN [row.number, found] AS data

1. Every parameter becomes that of its row, the caller's customers too. There is no other way from one row to another, so what a
   row reads is what its own statement would read.
2. Each record begins with the number of its row. The order of records is not relied on.
3. A LIMIT is not of a row: rows of different limits are of different statements (`Rows.shared`).
4. What is found stands in a WITH beside `row`: Neo4j takes some questions within a part for an aggregation, and wants its keys.
5. `row` is kept by every WITH, and imported by every CALL: a database that forgets it would read null, which is nobody's scope.

What asks the graph nothing, since an event has kept all of it, needs no statement at all (`known`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Final, TypeAlias, TypeVar

from graph.compiler import cypher
from graph.compiler.clauses import (
    At,
    Const,
    Expr,
    Get,
    ListOf,
    Param,
    Query,
    Return,
    Sub,
    Union,
    Unwind,
    Var,
    With,
)

ROW: Final = "row"
NUMBER: Final = "number"
FOUND: Final = "found"
T = TypeVar("T")
Known: TypeAlias = Callable[[Mapping[str, Any]], Any]
"""Makes a record of the parameters alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """A statement that answers many rows: `$batch.rows`, each a map of its parameters and its number."""

    text: str
    shared: tuple[str, ...] = ()
    """the parameters that are the statement's, and the same for all its rows: a LIMIT can be of no row."""


NO_ROWS: Final = Rows(text="")


def of_rows(query: Query) -> Rows:
    """Make the statement that answers many rows of the parameters of one."""
    (only,) = query.clauses
    assert isinstance(only, Return), "a read is one RETURN"
    making = _Making()
    found = With(((Var(ROW), ""), (making.by_row(only.item), FOUND)))
    numbered = Return(ListOf((Get(ROW, NUMBER), Var(FOUND))), only.name)
    made = Query((Unwind(Param("batch", "rows"), ROW), found, numbered))
    return Rows(text=cypher.text(made), shared=tuple(sorted(making.shared)))


class _Making:
    """The recursion over a statement."""

    def __init__(self) -> None:
        self.shared: set[str] = set()

    def by_row(self, part: T) -> T:
        """Give a part of a statement in which each parameter is the row's, but those that are added to the shared ones."""
        match part:
            case Param(name=name):
                return Get(ROW, name)  # type: ignore[return-value]  # one expression for another
            case tuple():
                return tuple(map(self.by_row, part))  # type: ignore[return-value]
            case _ if not is_dataclass(part) or isinstance(part, type):
                return part
        made = {each.name: getattr(part, each.name) for each in fields(part)}
        if isinstance(limit := made.get("limit"), Param):
            self.shared.add(limit.name)
        made = {name: each if name == "limit" else self.by_row(each) for name, each in made.items()}
        match part:
            case With():
                made["items"] = ((Var(ROW), ""), *made["items"])
            case Union():
                made["imports"] = (ROW,)
        return replace(part, **made)


def known(query: Query) -> Known | None:
    """Give the function that makes the record of a read that asks the graph nothing; None where it does."""
    (only,) = query.clauses
    assert isinstance(only, Return), "a read is one RETURN"
    made = _value(only.item)
    return None if made is None else lambda parameters: made(parameters, {})


_Value: TypeAlias = Callable[[Mapping[str, Any], Mapping[str, Any]], Any]
"""Makes a value of the parameters and the variables."""


def _value(expr: Expr) -> _Value | None:
    match expr:
        case Const(value=value):
            return lambda _, __: value
        case Param(name=name):
            return lambda parameters, _: parameters[name]
        case At(item=Var(name=name), index=Const(value=int(index))):
            return lambda _, variables: variables[name][index]
        case ListOf(items=items):
            made = [each for each in map(_value, items) if each is not None]
            return None if len(made) < len(items) else lambda *given: [each(*given) for each in made]
        case Sub(kind="COLLECT", query=Query(clauses=(Unwind(item=Param(name=name), var=var), Return(item=item)))):
            return _collected(name, var, item)
        case _:
            return None


def _collected(name: str, var: str, item: Expr) -> _Value | None:
    made = _value(item)
    if made is None:
        return None
    return lambda parameters, variables: [made(parameters, {**variables, var: each}) for each in parameters[name]]
