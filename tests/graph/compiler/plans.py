"""Plans of Neo4j, read: what an operator does, and how many records it touched.

EXPLAIN hides the plan of a subquery inside a function, a CASE or a sum of lists, and a whole answer takes long to
plan. So `statements` takes a query apart: for each subquery of a column one statement that binds what is around it, and
then runs that subquery alone, as the database does for each row.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from neo4j import AsyncDriver

from graph.compiler import cypher
from graph.compiler.clauses import Clause, Const, Query, Return, Sub, Unwind, With

SCANS = (
    "NodeByLabelScan",
    "AllNodesScan",
    "NodeIndexScan",
    "ContainsScan",
    "EndsWithScan",
    "TypeScan",
    "RelationshipsScan",
)
"""How the names end of operators that read a whole label, a whole index or a whole relationship type."""

_VARIABLE = re.compile(r"\bv\d+\b")
_BRACES = re.compile(r"\{[^{}]*\}")
_CLAUSE = re.compile(r"\b(?:UNWIND|OPTIONAL|MATCH|WHERE|ORDER|LIMIT|CALL)\b")
_EXPRESSION = re.compile(r"[^,]*? AS (?=v\d)")
"""of a column of WITH, before its name."""


def statements(query: Query, around: tuple[str, ...] = ()) -> Iterator[str]:
    """Every subquery of a query as a statement whose plan shows all that it does."""
    for index, clause in enumerate(query.clauses):
        for each in _columns(clause):
            for sub in _subqueries(each):
                yield from statements(sub.query, (*around, cypher.text(Query(query.clauses[:index]))))
    text = cypher.text(Query(tuple(_ended(query.clauses))))
    for outer in reversed(around):
        if outer:
            bound = sorted(_in_scope(outer) & set(_VARIABLE.findall(text)))
            text = f"{outer} CALL ({', '.join(bound)}) {{ {text} }} RETURN 1 AS x"
    yield text


def _in_scope(text: str) -> set[str]:
    """The variables that stand at the end of some clauses: not those of subqueries, nor those that a WITH has left behind."""
    while (fewer := _BRACES.sub("", text)) != text:
        text = fewer
    _, last, after = text.rpartition("WITH ")
    columns, *more = _CLAUSE.split(after, maxsplit=1) if last else ("", after)
    return set(_VARIABLE.findall(" ".join((_EXPRESSION.sub("", columns), *more))))


def _columns(clause: Clause) -> Iterator[Any]:
    match clause:
        case Return(item=item) | Unwind(item=item):
            yield item
        case With(items=items):
            yield from (item for item, _ in items)
        case _:
            return


def _subqueries(value: Any) -> Iterator[Sub]:
    if isinstance(value, Sub):
        yield value
    elif isinstance(value, tuple):
        for each in value:
            yield from _subqueries(each)
    elif is_dataclass(value):
        for each in fields(value):
            yield from _subqueries(getattr(value, each.name))


def _ended(clauses: tuple[Clause, ...]) -> Iterator[Clause]:
    """Clauses without their columns; what is left of the end is what is read, sorted and cut. EXISTS has no end at all."""
    *before, last = clauses
    yield from before
    if isinstance(last, Return):
        yield replace(last, item=last.item if last.distinct else Const(1), name="x")
    else:
        yield last
        yield Return(Const(1), "x")


def operators(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A plan's operators, from the last to the first; what stands below a limit of 0 is never run."""
    yield plan
    if plan["operatorType"].startswith("Limit") and plan["args"].get("Details") == "0":
        return
    for each in plan.get("children", ()):
        yield from operators(each)


def scans(plan: Mapping[str, Any]) -> list[str]:
    """The operators of a plan that read all there is of something."""
    found = ((each["operatorType"].partition("@")[0], each["args"].get("Details", "")) for each in operators(plan))
    return [f"{name} {details}" for name, details in found if name.endswith(SCANS)]


def hits(profile: Mapping[str, Any]) -> int:
    """How many records a statement touched."""
    return sum(int(each.get("dbHits") or 0) for each in operators(profile))


class Plans:
    """The planner of a server; a text is planned once."""

    def __init__(self, driver: AsyncDriver) -> None:
        self._driver = driver
        self._scans: dict[str, list[str]] = {}

    async def planned(self, how: str, text: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """The plan of a statement (`EXPLAIN`), or the profile of a run (`PROFILE`)."""
        async with self._driver.session(database="neo4j") as session:
            summary = await (await session.run(f"{how} {text}", dict(parameters))).consume()
        found: Mapping[str, Any] | None = summary.profile if how == "PROFILE" else summary.plan
        assert found is not None
        return found

    async def scans(self, text: str, parameters: Mapping[str, Any]) -> list[str]:
        """What a statement reads wholly."""
        if text not in self._scans:
            self._scans[text] = scans(await self.planned("EXPLAIN", text, parameters))
        return self._scans[text]
