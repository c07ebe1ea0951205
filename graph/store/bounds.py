"""What is in a store against the bounds of the model is found: written by hand, or by a version that took it.

The store finds the nodes and `graph/model/bounds.py` says what is wrong with them, so that a person reads here what the
loader would have said. A property that is not there, or of another type, is not looked for, nor is history (`_UNCOUNTED`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from graph.model.bounds import CURRENCY, UNREADABLE, interval_problem, problem_of
from graph.model.kinds import LONGEST, Form, Kind, Label, Property
from graph.model.model import LABELS
from graph.store.store import Store

_SHOWN: Final = 20
"""nodes of a label that are told one by one."""
_UNCOUNTED: Final = frozenset({"Usage", "Downtime"})
"""labels that grow with each day of each service: no statement reads all of them in time, and all who write them hold their bounds."""
_PATTERNS: Final = {form.name.lower(): f"(?s).*{each}.*" for form, each in UNREADABLE.items()}
_PARAMETERS: Final = {"longest": LONGEST, "currency": CURRENCY, **_PATTERNS}


@dataclass(frozen=True, slots=True, kw_only=True)
class OutOfBounds:
    """A node that holds what it may not hold."""

    node: str
    problems: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.node}: {'; '.join(self.problems)}"


def _conditions(label: Label) -> Iterator[str]:
    for each in label.properties:
        value = f"n.{each.name}"
        if each.least is not None:
            yield f"{value} < {each.least}"
        if each.most is not None:
            yield f"{value} > {each.most}"
        if each.form in (Form.NAME, Form.TEXT):
            yield f"size({value}) > $longest OR {value} =~ ${each.form.name.lower()}"
        if each.form is Form.NAME:
            yield f"trim({value}) = ''"
        if each.form is Form.CURRENCY:
            yield f"NOT {value} =~ $currency"
    if label.interval:
        way = "<" if label.interval.may_be_empty else "<="
        yield f"n.{label.interval.end} {way} n.{label.interval.start}"


def _bounded(label: Label) -> tuple[Property, ...]:
    ends = (label.interval.start, label.interval.end) if label.interval else ()
    return tuple(
        each
        for each in label.properties
        if each.form or each.least is not None or each.most is not None or each.name in ends
    )


def _find(label: Label) -> str:
    values = ", ".join(f"n.{each.name}" for each in _bounded(label))
    conditions = " OR ".join(_conditions(label))
    return f"MATCH (n:{label.name}) WHERE {conditions} RETURN n.id, {values} ORDER BY n.id LIMIT $most"


FOUND_BY: Final[Mapping[str, str]] = MappingProxyType(
    {each.name: _find(each) for each in LABELS.values() if each.name not in _UNCOUNTED and any(_conditions(each))}
)


async def out_of_bounds(store: Store, *, deadline: float) -> list[OutOfBounds]:
    """Give the nodes that hold what they may not hold: the first of each label, by id."""
    found = []
    for name, text in FOUND_BY.items():
        rows = await store.rows(text, {**_PARAMETERS, "most": _SHOWN}, deadline=deadline)
        found += [_told(LABELS[name], str(node), values) for node, *values in rows]
    return found


def _told(label: Label, node: str, values: list[object]) -> OutOfBounds:
    given = {each: value for each, value in zip(_bounded(label), values, strict=True) if value is not None}
    problems = [f"{each.name} {problem}" for each, value in given.items() if (problem := _problem(each, value))]
    if between := interval_problem(label, {each.name: value for each, value in given.items()}):
        problems.append(between)
    return OutOfBounds(node=node, problems=tuple(problems))


def _problem(declared: Property, value: object) -> str | None:
    """Judge a value as the store gives it: one of the two gives a whole number where a double is whole."""
    if declared.kind is Kind.FLOAT and isinstance(value, int) and not isinstance(value, bool):
        return problem_of(declared, float(value))
    return problem_of(declared, value)
