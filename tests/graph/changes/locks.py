"""Which nodes each transaction locks, in which order, read from the statements that it runs.

A statement locks what it sets, deletes or merges, and both ends of a relationship that it makes or deletes (Neo4j does so;
the embedded database notices a conflict in the same places). Ids are read from the parameters. A statement that writes to a
node of a label that has a place in the order, and does not say by which id, cannot be judged: that is an error here. What
stands at the other end of a relationship that is deleted is known by the walk only, and passed over; and a relationship that is
merged is there already, or both of its ends are locked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import pytest

from graph.store.link import Transaction

RANKS: Final = {
    "NameGate": 1,
    "NetworkElement": 2,
    "Card": 2,
    "Port": 2,
    "Trunk": 2,
    "Service": 3,
    "Alarm": 4,
    "Ticket": 5,
    "Customer": 6,
}
_UNWIND: Final = re.compile(r"UNWIND\s+([$\w.]+)\s+AS\s+(\w+)")
_CLAUSE: Final = re.compile(
    r"\b(OPTIONAL MATCH|MATCH|DETACH DELETE|DELETE|CREATE|MERGE|ON CREATE SET|SET|REMOVE|WITH|WHERE|RETURN|UNWIND)\b"
)
_NODE: Final = re.compile(r"\((\w*)(?::([\w|]+))?\s*(?:\{(\w+): ([$\w.]+)[^}]*\})?[^()]*\)")
_PATTERN: Final = re.compile(r"(\([^()]*\))(?:(<?-\[(\w*)[^\]]*\]->?)(\([^()]*\)))+")
_BRACES: Final = re.compile(r"(EXISTS|COLLECT|COUNT) \{(?:[^{}]|\{[^{}]*\})*\}")


@dataclass(slots=True)
class Recorded:
    """What transactions have locked."""

    runs: dict[int, list[tuple[str, Mapping[str, Any]]]] = field(default_factory=dict)
    """by transaction: its statements."""

    def orders(self) -> list[list[tuple[int, str]]]:
        """Give for each transaction what it locked, each node once, as place in the order and id."""
        return [order for each in self.runs.values() if (order := list(_locks(each)))]

    def breaches(self) -> list[tuple[tuple[int, str], tuple[int, str]]]:
        """Give each lock that was taken after one that comes behind it."""
        found = []
        for order in self.orders():
            for number, each in enumerate(order):
                later = [before for before in order[:number] if before > each]
                found += [(max(later), each)] if later else []
        return found


@contextmanager
def recorded(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorded]:
    """Note the statements of every transaction while the block runs."""
    seen = Recorded()
    run, later = Transaction.run, Transaction.later

    async def noted_run(self: Transaction, text: str, parameters: Mapping[str, object]) -> list[list[object]]:
        seen.runs.setdefault(id(self), []).append((text, parameters))
        kept.append(self)
        return await run(self, text, parameters)

    def noted_later(self: Transaction, text: str, parameters: Mapping[str, object]) -> None:
        seen.runs.setdefault(id(self), []).append((text, parameters))
        kept.append(self)
        later(self, text, parameters)

    kept: list[Transaction] = []  # so that no two have one id
    with monkeypatch.context() as patch:
        patch.setattr(Transaction, "run", noted_run)
        patch.setattr(Transaction, "later", noted_later)
        yield seen


def _locks(statements: list[tuple[str, Mapping[str, Any]]]) -> Iterator[tuple[int, str]]:
    held: set[tuple[int, str]] = set()
    for text, parameters in statements:
        for is_new, each in _of_statement(text, parameters):
            if each not in held and not is_new:
                yield each
            held.add(each)


def _of_statement(text: str, parameters: Mapping[str, Any]) -> Iterator[tuple[bool, tuple[int, str]]]:
    flat = _BRACES.sub("true", text)
    nodes, ends, written, made = _read(flat)
    for row in _rows(flat, parameters):
        for variable in written:
            for each in ends.get(variable, (variable,)):
                labels, expression = nodes.get(each, ("", ""))
                ranks = {RANKS[label] for label in labels.split("|") if label in RANKS}
                if not ranks:
                    continue
                if not expression and variable in ends:
                    continue  # it was walked to
                assert expression, f"no id of {each} in {text}"
                value = _value(expression, row, parameters)
                yield each in made, (min(ranks), str(value))


def _read(text: str) -> tuple[dict[str, tuple[str, str]], dict[str, tuple[str, ...]], list[str], set[str]]:
    """Give nodes (labels and the expression of an id), relationships (their ends), what is written, and what is new."""
    nodes: dict[str, tuple[str, str]] = {}
    ends: dict[str, tuple[str, ...]] = {}
    written: list[str] = []
    made: set[str] = set()
    parts = _CLAUSE.split(text)
    for clause, body in zip(parts[1::2], parts[2::2], strict=True):
        named = _name_all(body)
        for variable, labels, _, expression in _NODE.findall(named):
            if labels:
                nodes.setdefault(variable, (labels, expression))
        for pattern in _PATTERN.finditer(named):
            around = tuple(each[0] for each in _NODE.findall(pattern.group(0)))
            for relationship in re.findall(r"-\[(\w+)", pattern.group(0)):
                ends[relationship] = around
            if clause == "CREATE":
                written += [each for each in around if each not in made]
        more, new = _written(clause, body, named)
        written += more
        made |= new
    return nodes, ends, written, made


def _written(clause: str, body: str, named: str) -> tuple[list[str], set[str]]:
    """Give what a clause writes to by its name, and which nodes it makes."""
    match clause:
        case "SET" | "REMOVE":
            return re.findall(r"(?:^|,)\s*(\w+)(?:\.\w+\s*(?:=|$|\s)|\s*\+=)", body), set()
        case "DELETE" | "DETACH DELETE":
            return re.findall(r"\w+", body), set()
        case "CREATE":
            alone = not _PATTERN.search(named)
            return [], {each[0] for each in _NODE.findall(named) if alone or (each[1] and each[3])}
        case "MERGE" if not _PATTERN.search(named):
            return [each[0] for each in _NODE.findall(named)], set()
        case _:
            return [], set()


def _name_all(body: str) -> str:
    """Name the nodes that a pattern leaves without a name."""
    count = iter(range(1_000))
    return re.sub(r"\((?=:\w)", lambda _: f"(anonymous{abs(hash(body)) % 10_000}x{next(count)}", body)


def _rows(text: str, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [{}]
    for source, name in _UNWIND.findall(text):
        rows = [{**row, name: each} for row in rows for each in _value(source, row, parameters)]
    return rows


def _value(expression: str, row: Mapping[str, Any], parameters: Mapping[str, Any]) -> Any:
    first, *rest = expression.split(".")
    value: Any = parameters[first[1:]] if first.startswith("$") else row[first]
    for step in rest:
        if step == "id" and isinstance(value, dict) and "orderKey" in value:
            step = "orderKey"  # noqa: PLW2901  # tickets are in the order of their keys
        value = value[step]
    return value
