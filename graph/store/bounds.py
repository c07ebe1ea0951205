"""What is in a store against the bounds of the model is found: written by hand, or by a version that took it.

The store finds the nodes and relationships, and `graph/model/bounds.py` says what is wrong with them, so that a person reads here what the
loader would have said. A property that is not there, or of another type, is not looked for, nor is history (`_UNCOUNTED`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from graph.model.bounds import CURRENCY, UNREADABLE, interval_problem, problem_of
from graph.model.kinds import LONGEST, LONGEST_EXTERNAL, Form, Interval, Kind, Label, Property, Relationship
from graph.model.model import LABELS, RELATIONSHIPS
from graph.store.looks import NotLookedThrough, look
from graph.store.store import Store

_SHOWN: Final = 20
"""nodes of a label that are told one by one."""
_UNCOUNTED: Final = frozenset({"Usage", "Downtime", "Delivery"})
"""labels that grow with each day of each service: no statement reads all of them in time, and all who write them hold their bounds."""
_PATTERNS: Final = {form.name.lower(): f"(?s).*{each}.*" for form, each in UNREADABLE.items()}
_PARAMETERS: Final = {"longest": LONGEST, "most_external": LONGEST_EXTERNAL, "currency": CURRENCY, **_PATTERNS}


@dataclass(frozen=True, slots=True, kw_only=True)
class OutOfBounds:
    """A node or a relationship that holds what it may not hold."""

    node: str
    """its id; of a relationship what it is drawn between."""
    problems: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.node}: {'; '.join(self.problems)}"


def _conditions(declared: Iterable[Property], interval: Interval | None = None) -> Iterator[str]:
    for each in declared:
        value = f"n.{each.name}"
        if each.words:
            yield f"NOT {value} IN {[*each.words]!r}"
        if each.least is not None:
            yield f"{value} < {each.least}"
        if each.most is not None:
            yield f"{value} > {each.most}"
        if each.form in (Form.NAME, Form.TEXT):
            yield f"size({value}) > $longest OR {value} =~ ${each.form.name.lower()}"
        if each.form is Form.NAME:
            yield f"trim({value}) = ''"
        if each.form is Form.EXTERNAL:
            yield f"{value} = '' OR size({value}) > $most_external"
        if each.form is Form.CURRENCY:
            yield f"NOT {value} =~ $currency"
    if interval:
        way = "<" if interval.may_be_empty else "<="
        yield f"n.{interval.end} {way} n.{interval.start}"


def _bounded(declared: Iterable[Property], interval: Interval | None = None) -> tuple[Property, ...]:
    ends = (interval.start, interval.end) if interval else ()
    return tuple(
        each
        for each in declared
        if each.form or each.words or each.least is not None or each.most is not None or each.name in ends
    )


def _find(label: Label) -> str:
    values = ", ".join(f"n.{each.name}" for each in _bounded(label.properties, label.interval))
    conditions = " OR ".join(_conditions(label.properties, label.interval))
    return f"MATCH (n:{label.name}) WHERE {conditions} RETURN n.id, {values} ORDER BY n.id LIMIT $most"


def _find_between(known: Relationship, start: str) -> str:
    values = ", ".join(f"n.{each.name}" for each in _bounded(known.properties))
    conditions = " OR ".join(_conditions(known.properties))
    return (
        f"MATCH (s:{start})-[n:{known.type}]->(e) WHERE {conditions} "
        f"RETURN s.id + ' {known.type} ' + e.id AS node, {values} ORDER BY node LIMIT $most"
    )


FOUND_BY: Final[Mapping[str, str]] = MappingProxyType(
    {
        each.name: _find(each)
        for each in LABELS.values()
        if each.name not in _UNCOUNTED and any(_conditions(each.properties, each.interval))
    }
)
FOUND_BETWEEN: Final[Mapping[tuple[str, str], str]] = MappingProxyType(
    {
        (known.type, start): _find_between(known, start)
        for known in RELATIONSHIPS.values()
        for start in known.starts
        if any(_conditions(known.properties))
    }
)


async def out_of_bounds(store: Store, *, seconds: float) -> list[OutOfBounds | NotLookedThrough]:
    """Give what holds what it may not hold: the first of each label and of each type of relationship, by id.

    Each of these is looked through for so many seconds at most.
    """
    found: list[OutOfBounds | NotLookedThrough] = []
    given = {**_PARAMETERS, "most": _SHOWN}
    for name, text in FOUND_BY.items():
        rows = await look(store, name, text, given, seconds=seconds)
        found += _all_told(LABELS[name].properties, LABELS[name].interval, rows)
    for (type_, start), text in FOUND_BETWEEN.items():
        rows = await look(store, f"{type_} of {start}", text, given, seconds=seconds)
        found += _all_told(RELATIONSHIPS[type_].properties, None, rows)
    return found


def _all_told(
    declared: tuple[Property, ...], interval: Interval | None, rows: list[list[object]] | NotLookedThrough
) -> list[OutOfBounds | NotLookedThrough]:
    if isinstance(rows, NotLookedThrough):
        return [rows]
    return [_told(declared, interval, str(node), values) for node, *values in rows]


def _told(declared: tuple[Property, ...], interval: Interval | None, node: str, values: list[object]) -> OutOfBounds:
    bounded = _bounded(declared, interval)
    given = {each: value for each, value in zip(bounded, values, strict=True) if value is not None}
    problems = [f"{each.name} {problem}" for each, value in given.items() if (problem := _problem(each, value))]
    if between := interval_problem(interval, {each.name: value for each, value in given.items()}):
        problems.append(between)
    return OutOfBounds(node=node, problems=tuple(problems))


def _problem(declared: Property, value: object) -> str | None:
    """Judge a value as the store gives it: one of the two gives a whole number where a double is whole."""
    if declared.kind is Kind.FLOAT and isinstance(value, int) and not isinstance(value, bool):
        return problem_of(declared, float(value))
    return problem_of(declared, value)
